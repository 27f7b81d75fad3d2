"""A task: what a function must do, the tests that it must pass, and what is to become small once it passes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from tgsci.basics import checks
from tgsci.basics.settings import check, meanings, read, setting
from tgsci.basics.texts import quote
from tgsci.errors import UsageError

from .source import Signature, read_signature
from .tests import FORMS, Test, read_tests

#: What can be minimised, and the unit of its figure.
GOALS = {"time": "ms", "memory": "MB", "returned": "", "printed": "", "score": ""}
#: Characters of a text that is read from a file beside the task.
_LONGEST_FILE = 1_000_000
#: Keys that may name a file beside the task in place of their text.
_FILES = ("start", "reference", "inputs", "score")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


@dataclass(frozen=True, kw_only=True)
class CodeTask:
    """A function to write or to improve.

        task = CodeTask(
            signature="def area(width: float, height: float) -> float",
            statement="Compute the area of a rectangle.",
            visible=["area(2, 3) == 6"],
            hidden=["area(1.5, 2) == 3.0"],
        )

    Raises:
        UsageError: A value that is not what its key must be, or keys that do not go together.
    """

    signature: str = setting(
        "the line that begins the function, as Python writes it: 'def area(width: float, height: float) -> float'; of "
        "a method 'class Solution: def area(self, width, height)'"
    )
    statement: str = setting("what the function must do, for a model to read")
    visible: list[Any] = setting(f"tests that drive the search, each {FORMS}", factory=list)
    hidden: list[Any] = setting(
        "tests that are run once, at the end, on the best solution; no prompt and no page ever holds them", factory=list
    )
    start: str | None = setting("Python source to start from", None)
    reference: str | None = setting("Python source that is right: it says what tests without a result must give", None)
    inputs: str | None = setting(
        "Python source of a function inputs(seed) that returns a list of argument lists, too big to be written down",
        None,
    )
    seed: int = setting("seed of the inputs that drive the search; the hidden ones have the next", 1, low=0)
    tolerance: float = setting("how far numbers may be off, absolute, and relative above 1", 0.0, low=0.0, high=1.0)
    minimise: Literal["time", "memory", "returned", "printed", "score"] | None = setting(
        "what is to become small once the tests pass: run time (of the processor), memory, the figure that the "
        "function returns or prints, or the one that 'score' computes",
        None,
    )
    score: str | None = setting(
        "Python source of a function score(result, *arguments) that returns the figure to minimise, and raises where "
        "the result is not allowed",
        None,
    )
    penalty: float | None = setting(
        "the loss of a solution that fails a test; unless given, twice the start's time, the limit of memory, or "
        "the figure of the start",
        None,
    )
    repeats: int = setting("how often the run time is measured, the start's beside it", 5, low=1, high=100)
    statistic: Literal["best", "median"] = setting("which of the measured run times counts", "best")
    seconds: float = setting("longest that one call may take", 5.0, above=0.0, high=3600.0, unit="s")
    total_seconds: float | None = setting(
        "longest that all calls together may take; unless given, three times 'seconds' and at least a minute",
        None,
        above=0.0,
        high=86400.0,
        unit="s",
    )
    memory_mb: int = setting("most memory of the whole process", 512, low=64, high=1_000_000, unit="MB")
    output_mb: int = setting("largest result of one call", 64, low=1, high=1000, unit="MB")
    packages: list[str] = setting("packages that a solution may import: ['numpy']", factory=list)
    prelude: str = setting("Python source that runs before every solution: imports, classes of the task", "")
    name: str = setting("short name, for the run's directory", "")
    unsafe_local: bool = setting("run code without a sandbox, under resource limits only", False)

    def __post_init__(self) -> None:
        check(self)
        if not self.statement.strip():
            raise UsageError(f"the key 'statement' is empty: {KEYS['statement']}")
        wrong = next((name for name in self.packages if not _NAME.fullmatch(name)), None)
        if wrong is not None:
            raise UsageError(f"packages must be names that Python imports, not {quote(wrong)}")
        self._check_tests()
        self._check_goal()

    def _check_tests(self) -> None:
        if not self.visible_tests and not self.inputs:
            raise UsageError(f"there are no tests to drive the search: the key 'visible' holds {KEYS['visible']}")
        for kind, tests in (("visible", self.visible_tests), ("hidden", self.hidden_tests)):
            keys = [test.key for test in tests]
            for place, key in enumerate(keys):
                if key in keys[:place]:
                    raise UsageError(f"{kind} tests {keys.index(key) + 1} and {place + 1} are the same call")
        seen = {test.key: number for number, test in enumerate(self.visible_tests, 1)}
        for number, test in enumerate(self.hidden_tests, 1):
            if test.key in seen:
                raise UsageError(
                    f"hidden test {number} is the same call as visible test {seen[test.key]} "
                    f"({test.call(self.entry.name)}): what is visible cannot be hidden; take it out of one list"
                )
        if self.reference is not None or self.figure_counts:
            return
        for kind, tests in (("visible", self.visible_tests), ("hidden", self.hidden_tests)):
            for number, test in enumerate(tests, 1):
                if test.open:
                    raise UsageError(
                        f"{kind} test {number} says no result; write one (==), or give a reference solution"
                    )
        if self.inputs and self.start is None:
            raise UsageError("inputs need a solution that says what they must give: the key 'reference' or 'start'")

    def _check_goal(self) -> None:
        if (self.minimise == "score") != (self.score is not None):
            raise UsageError("minimise = 'score' and the key 'score' go together: one of them is missing")
        if self.figure_counts and self.penalty is None and self.start is None and self.reference is None:
            raise UsageError(
                f"minimise = {self.minimise!r} needs the key 'penalty' (the loss of a solution that fails a test), "
                "or a start or a reference whose figure stands for it"
            )

    @property
    def figure_counts(self) -> bool:
        """True where a figure of the result is minimised: a test that says no result then takes any."""
        return self.minimise in ("returned", "printed", "score")

    @cached_property
    def entry(self) -> Signature:
        """The function that is called."""
        return read_signature(self.signature)

    @cached_property
    def visible_tests(self) -> list[Test]:
        """The tests that drive the search."""
        return read_tests(self.visible, self.entry.name, "visible")

    @cached_property
    def hidden_tests(self) -> list[Test]:
        """The tests that are run once, at the end."""
        return read_tests(self.hidden, self.entry.name, "hidden")

    @property
    def visible_part(self) -> CodeTask:
        """The task as the search may know it: without its hidden tests."""
        return replace(self, hidden=[])

    @property
    def unit(self) -> str:
        """Unit of the figure that is minimised; "" for none."""
        return GOALS.get(self.minimise or "", "")


#: Each key of a task with what it means.
KEYS = meanings(CodeTask)


def read_task(table: Mapping[str, Any], where: str = "the task", folder: Path | None = None) -> CodeTask:
    """Read a task from a table, as a TOML file or a notebook has it.

    Args:
        table: See `KEYS`; `start_file`, `reference_file`, `inputs_file` and `score_file` name files instead.
        where: What the table is called in messages.
        folder: Where such files are, unless their path is absolute.

    Raises:
        UsageError: An unknown key, a missing one, a bad value, or a file that cannot be read.
    """
    keys = [*KEYS, *(f"{name}_file" for name in _FILES)]
    checks.keys(table, keys, where, {"minimize": "minimise", "tests": "visible", "timeout": "seconds"})
    given = dict(table)
    for name in _FILES:
        path = given.pop(f"{name}_file", None)
        if path is None:
            continue
        if given.get(name) is not None:
            raise UsageError(f"give {name} or {name}_file, not both")
        given[name] = _text_of(checks.text(f"{name}_file", path, "a file of Python source"), folder)
    return read(CodeTask, given, where)


def _text_of(path: str, folder: Path | None) -> str:
    file = (folder or Path()) / Path(path).expanduser()
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {str(file)!r}: {getattr(error, 'strerror', None) or error}") from None
    if len(text) > _LONGEST_FILE:
        raise UsageError(f"{str(file)!r} has {len(text):,} characters; at most {_LONGEST_FILE:,} are read")
    return text
