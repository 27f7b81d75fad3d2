"""The settings of a prompt search: a job file's [language] table of kind "prompt"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tgsci.basics.settings import check, setting
from tgsci.basics.texts import visible
from tgsci.errors import UsageError

from ..datasets.example import Dataset
from ..datasets.readers import read_dataset
from ..datasets.split import SHARES, TEXTGRAD_SIZES, Split, make_split, split_dataset, split_in_two

#: Measurements of a run of the command line unless it says otherwise.
EVALUATIONS = 20


@dataclass(frozen=True)
class PromptJob:
    """What to improve, on which examples, and how it is scored.

    Raises:
        UsageError: A value that is not what its setting must be.
    """

    instruction: str | list[str] = setting("the instruction to begin with; a list of them for one a step")
    data: str | None = setting("a file of examples, which is split into train, validation and test", None)
    train: str | None = setting("a file of train examples, with validation and test in place of data", None)
    validation: str | None = setting("a file of validation examples", None)
    test: str | None = setting("a file of test examples; beside data it is the test set", None)
    format: str | None = setting("bbh, gsm8k, mmlu, csv or jsonl; told from the file unless given", None)
    question: str = setting("the column of the question, for csv and jsonl", "question")
    answer: str = setting("the column of the reference answer", "answer")
    choices: list[str] = setting("the columns of the choices", factory=list)
    split: list[float] | None = setting(
        "sizes of train, validation and test, whole numbers or shares; 50, 100 and 100 for a BIG-Bench Hard file, as "
        "TextGrad has it, else shares of 0.2, 0.4 and 0.4",
        None,
    )
    shuffle: bool | None = setting("mix the file before it is split; a BIG-Bench Hard file is not, unless asked", None)
    split_seed: int = setting("of that mixing", 0)
    duplicates: Literal["refuse", "drop"] = setting("what to do with a question that stands twice", "refuse")
    scorer: str | dict[str, Any] | None = setting(
        "how a reply is scored: exact, last integer, number, choice, pattern, function, judge, or a table with kind "
        "and the settings of that one; what fits the answers unless given",
        None,
    )
    student: str | dict[str, Any] | None = setting(
        "the model that follows the instruction: a name, or a table with name and its parameters", None
    )
    student_concurrency: int | None = setting("questions to the student at the same time", None, low=1)
    judge: str | dict[str, Any] | None = setting("the model that judges, for the scorer judge", None)
    critic: str | dict[str, Any] | None = setting(
        "a model that reads each page and says in words what to change, one call a page; none unless given", None
    )
    minibatch: int = setting("train examples a measurement", 12, low=1)
    examples: int = setting("most train examples that an instruction may show to the student", 0, low=0)
    racing: int | None = setting(
        "validation examples on which an instruction must not be behind before it is asked the others; 0 for no race, "
        "a quarter of validation unless given",
        None,
        low=0,
    )
    racing_margin: float | None = setting(
        "how far behind is too far; one standard error unless given", None, unit="points"
    )
    seed: int = setting("of minibatches and of the order of validation", 0)

    def __post_init__(self) -> None:
        check(self)
        if self.data is None and not (self.train and self.validation and self.test):
            raise UsageError("name the examples: data = 'FILE', or three files as train, validation and test")
        if self.data is not None and (self.train or self.validation):
            raise UsageError("name either data, which is split, or train and validation; not both")

    @property
    def steps(self) -> Sequence[str]:
        """The instruction of each step."""
        return [self.instruction] if isinstance(self.instruction, str) else self.instruction

    def read_split(self) -> Split:
        """Read the files, and split what has to be split.

        Raises:
            UsageError: A file cannot be used, a set is empty, or two sets have a question in common.
        """
        drop = self.duplicates == "drop"
        if self.data is None:
            assert self.train
            assert self.validation
            assert self.test
            parts = [self._read(path) for path in (self.train, self.validation, self.test)]
            return make_split(*parts, drop_duplicates=drop)
        whole = self._read(self.data)
        bbh = self.format == "bbh" or (self.format is None and Path(self.data).suffix.lower() == ".json")
        mixed = not bbh if self.shuffle is None else self.shuffle
        shuffle = self.split_seed if mixed else None
        if self.test is None:
            sizes = self.split or (TEXTGRAD_SIZES if bbh else SHARES)
            return split_dataset(whole, sizes, shuffle=shuffle, drop_duplicates=drop)
        if self.split is not None and len(self.split) != 2:
            raise UsageError("with a test file of its own, split has two numbers: of train and validation")
        test = self._read(self.test)
        first, second = split_in_two(whole, self.split or (0.5, 0.5), shuffle=shuffle)
        return make_split(first, second, test, name=whole.name, drop_duplicates=drop)

    def _read(self, path: str) -> Dataset:
        return read_dataset(path, self.format, question=self.question, answer=self.answer, choices=self.choices)


def absolute(table: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """Make the paths of a task file absolute: they are meant beside it, whoever resumes the run and wherever.

    Args:
        table: Of the task.
        directory: Where its file is.

    Raises:
        UsageError: A path is no text.
    """
    found = dict(table)
    for name in ("data", "train", "validation", "test"):
        if name in found:
            if not isinstance(found[name], str):
                raise UsageError(f"{name} must be a file's path, not {visible(repr(found[name])[:80])}")
            found[name] = str((directory / Path(found[name]).expanduser()).absolute())
    scorer = found.get("scorer")
    if isinstance(scorer, dict) and isinstance(scorer.get("file"), str):
        found["scorer"] = {**scorer, "file": str((directory / Path(scorer["file"]).expanduser()).absolute())}
    return found
