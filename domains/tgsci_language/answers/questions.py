"""Questions of a file: multiple choice with shuffled choices, numbers with tolerance and unit, or free text."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tgsci.basics import checks
from tgsci.basics.files import digest
from tgsci.basics.texts import did_you_mean, one_line, quote, visible
from tgsci.errors import UsageError

from ..datasets.example import Dataset, Example
from ..datasets.readers import published_format, read_dataset, read_rows
from ..scoring.choice import Choice
from ..scoring.numbers import Number
from ..scoring.scorer import Score, Scorer
from ..scoring.texts import Exact

KINDS = ("choice", "number", "text")
#: The columns of GPQA as published: its authors ask that it not be spread, so it is read from the user's own copy.
GPQA = ("Question", "Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")
_LETTERS = re.compile(r"[A-Z]|(?:choice|option)[ _]?\w{1,2}", re.IGNORECASE)
#: A choice that speaks of others by their places: these stay where they are.
_OF_PLACES = re.compile(
    r"\b(?:above|below|preceding|following|former|latter)\b|\b(?:all|none|both|neither|either) of (?:these|them|the)\b"
    r"|^\W*(?:both|neither|only|all|none)?\W*\(?(?:[A-F]|I{1,3}|IV)\)?(?:\W+(?:and|or|nor|,)\W+\(?(?:[A-F]|I{1,3}|IV)\)?)+"
    r"|^\W*(?:all|none|both|neither)\W*$",
    re.IGNORECASE,
)
_A_UNIT = re.compile(r"[^\W\d_]|[%\u00b0\u2030\u2103]")
#: Longest value of a trial, characters: the question in short.
_SHORT = 160


@dataclass(frozen=True)
class Question:
    """A question as both arms are asked it.

    Args:
        example: The question with its choices in the order in which they are shown, and the reference answer.
        kind: "choice", "number" or "text".
        scorer: Says whether a reply is right.
        order: For each choice shown, its place in the file, from 0.
        unit: Unit of a number; "" for none.
    """

    example: Example
    kind: str
    scorer: Scorer
    order: tuple[int, ...] = ()
    unit: str = ""

    @property
    def value(self) -> str:
        """The question in short, on one line, with its id: how a run names it."""
        text = f"{self.example.id}. {one_line(self.example.question)}"
        return text if len(text) <= _SHORT else f"{text[: _SHORT - 3]}..."

    @property
    def form(self) -> str:
        """What the last line of a reply has to be."""
        if self.kind == "choice":
            letters = self.example.letters
            return f"The last line of the answer is 'Answer: LETTER', where LETTER is one of {', '.join(letters)}."
        if self.kind == "number":
            unit = f" and UNIT is {self.unit}" if self.unit else ""
            shown = "NUMBER UNIT" if self.unit else "NUMBER"
            return f"The last line of the answer is 'Answer: {shown}', where NUMBER is a plain number{unit}."
        return "The last line of the answer is 'Answer: TEXT', where TEXT is the answer alone, as short as it can be."

    @property
    def prompt(self) -> str:
        """The question as a model is asked it; both arms ask the same."""
        return f"Answer the question. Think step by step first. {self.form}\n\n{self.example.prompt}"

    @property
    def right(self) -> str:
        """The reference answer as people read it."""
        if self.kind == "choice":
            return f"{self.example.answer}) {self.example.choices[self.example.letters.index(self.example.answer)]}"
        return f"{self.example.answer} {self.unit}".strip()

    def score(self, reply: str) -> Score:
        """Score a reply."""
        return self.scorer.score(self.example, reply)


@dataclass(frozen=True)
class Questions:
    """The questions of a file.

    Args:
        name: Short: the file's name.
        questions: In the file's order.
    """

    name: str
    questions: tuple[Question, ...]

    @property
    def digest(self) -> str:
        """A name of the content: other questions, another order of choices or another scorer give another one."""
        parts = []
        for q in self.questions:
            parts += [q.example.id, q.prompt, q.right, q.kind, type(q.scorer).__name__, repr(vars(q.scorer))]
        return digest(*parts, size=8)


def read_questions(
    path: str | Path,
    *,
    answers: str | None = None,
    question: str | None = None,
    answer: str | None = None,
    choices: Sequence[str] = (),
    unit: str = "",
    tolerance: float = 0.0,
    relative: float = 0.0,
    shuffle: bool = True,
    seed: int = 0,
    first: int | None = None,
    drop_duplicates: bool = False,
) -> Questions:
    """Read questions.

    GPQA's columns are known; BIG-Bench Hard's, GSM8K's and MMLU's files are read as published. Any other CSV or JSON
    Lines file needs a column `question` and a column `answer`; choices stand in the columns `A`, `B`, `C`, ...; `id`,
    `unit`, `tolerance` and `relative` may have columns too, one value a question.

    Args:
        path: The file.
        answers: "choice", "number" or "text"; None tells it: choices make a choice, a unit or a tolerance a number.
        question: The column of the question, where it has another name.
        answer: The column of the reference answer: of a choice its letter or its text.
        choices: The columns of the choices, where they have other names.
        unit: Unit of the numbers that have no column for it.
        tolerance: How far a number may be off, in its unit.
        relative: How far it may be off, as a share of the reference; the larger of both counts.
        shuffle: Whether choices are shuffled, by the seed and the question's id; one whose choices speak of each other
            ("all of the above") is left as it is.
        seed: Of the shuffling.
        first: Only so many questions; None for all.
        drop_duplicates: A question that stands there twice is asked once; else it is refused.

    Raises:
        UsageError: A missing column or value, an answer that is no choice, fewer than two choices, a question or an id
            that stands there twice, no number, or a unit that is none; says where.
    """
    path = Path(path).expanduser()
    if answers is not None:
        checks.choice("answers", answers, KINDS)
    given = _Settings(
        answers, _unit(unit), checks.number("tolerance", tolerance, 0), checks.number("relative", relative, 0)
    )
    rows = _rows(path, question, answer, choices)
    if first is not None:
        rows = rows[: checks.whole("first", first, 1)]
    try:
        found = _once([given.question(row, shuffle, seed) for row in rows], drop_duplicates)
        Dataset(path.stem, tuple(q.example for q in found))  # says which id stands there twice
        for each in found:
            complaint = each.scorer.complaint(each.example)
            if complaint:
                raise UsageError(f"question {each.example.id} ({quote(each.example.question)}): {complaint}")
    except UsageError as error:
        raise UsageError(f"{visible(str(path))}: {error}") from None
    return Questions(path.stem[:60], found)


@dataclass(frozen=True)
class _Row:
    """A question of a file, as it stands there."""

    example: Example
    unit: str = ""
    tolerance: str = ""
    relative: str = ""
    kind: str | None = None


@dataclass(frozen=True)
class _Settings:
    """What holds for every question that does not say otherwise."""

    kind: str | None
    unit: str
    tolerance: float
    relative: float

    def question(self, row: _Row, shuffle: bool, seed: int) -> Question:
        example = row.example
        kind = self.kind or self._told(row)
        if kind == "choice":
            if not example.choices:
                raise UsageError(f"question {example.id} has no choices; name their columns")
            order = list(range(len(example.choices)))
            if shuffle and not _of_places(example):
                random.Random(f"{seed}:{example.id}").shuffle(order)
            return Question(_shuffled(example, order), kind, Choice(), tuple(order))
        if example.choices:
            right = example.choices[example.letters.index(example.answer)]
            example = Example(example.question, right, example.id)
        if kind == "text":
            return Question(example, kind, Exact())
        where = f"question {example.id}"
        unit = _unit(row.unit, where) or self.unit
        scorer = Number(
            _number(row.tolerance, f"{where}: tolerance", self.tolerance),
            _number(row.relative, f"{where}: relative", self.relative),
            unit,
        )
        return Question(example, kind, scorer, unit=unit)

    def _told(self, row: _Row) -> str:
        if row.example.choices:
            return "choice"
        if row.kind:
            return row.kind
        told = (row.unit, row.tolerance, row.relative, self.unit, self.tolerance, self.relative)
        return "number" if any(told) else "text"


def speaks_of_places(question: Question) -> bool:
    """True where a choice speaks of others by their places ("all of the above"): such choices are not shuffled."""
    return question.kind == "choice" and _of_places(question.example)


def _of_places(example: Example) -> bool:
    return any(_OF_PLACES.search(choice) for choice in example.choices)


def _shuffled(example: Example, order: Sequence[int]) -> Example:
    right = example.letters.index(example.answer)
    texts = [" ".join(choice.split()) for choice in example.choices]
    if texts.count(texts[right]) > 1:
        raise UsageError(f"question {example.id}: the right choice {quote(texts[right])} stands there twice")
    letter = example.letters[list(order).index(right)]
    return Example(example.question, letter, example.id, tuple(example.choices[place] for place in order))


def _rows(path: Path, question: str | None, answer: str | None, choices: Sequence[str]) -> list[_Row]:
    """Read a file by the columns that it has."""
    if question is None and answer is None and not choices and (published := published_format(path)):
        kind = "number" if published == "gsm8k" else None
        return [_Row(example, kind=kind) for example in read_dataset(path, published)]
    rows = read_rows(path)
    if not rows:
        raise UsageError(f"{visible(str(path))}: it holds no question")
    header = {str(name).strip().casefold(): str(name) for name in rows[0][1]}
    try:
        if question is None and answer is None and all(name.casefold() in header for name in GPQA[1:]):
            return [_gpqa(row, number) for number, row in rows]
        named: dict[str, str] = {
            "question": _column(header, question or "question"),
            "answer": _column(header, answer or "answer"),
            **{name: header[name] for name in ("id", "unit", "tolerance", "relative") if name in header},
        }
        options = [_column(header, name) for name in choices]
        if not options:
            options = [name for name in rows[0][1] if _LETTERS.fullmatch(str(name).strip())]
            options = options or [header[name] for name in ("choices", "options") if name in header]
        return [_row(row, number, named, options) for number, row in rows]
    except UsageError as error:
        raise UsageError(f"{visible(str(path))}: {error}") from None


def _column(header: Mapping[str, str], name: str) -> str:
    if name.strip().casefold() not in header:
        raise UsageError(f"there is no column {quote(name)}; {did_you_mean(name, header.values())}")
    return header[name.strip().casefold()]


def _gpqa(row: Mapping[str, Any], number: str) -> _Row:
    cells = {str(name).strip().casefold(): value for name, value in row.items()}
    if GPQA[0].casefold() not in cells:
        raise UsageError(f"there is no column {quote(GPQA[0])}; {did_you_mean(GPQA[0], map(str, row))}")
    question, right, *wrong = (str(cells[name.casefold()] or "") for name in GPQA)
    return _Row(Example(question, "A", _id(cells.get("record id"), number), (right, *wrong)))


def _row(row: Mapping[str, Any], number: str, named: Mapping[str, str], options: Sequence[str]) -> _Row:
    def cell(name: str) -> str:
        value = row.get(named[name]) if name in named else None
        return "" if value is None else str(value).strip()

    id = _id(cell("id"), number)
    choices: list[str] = []
    for option in options:
        value = row.get(option)
        choices += map(str, value) if isinstance(value, list) else ["" if value is None else str(value)]
    while choices and not choices[-1].strip():  # a question may have fewer than the others
        choices.pop()
    if options and not choices:
        raise UsageError(f"question {id} has no choices")
    example = Example(cell("question"), cell("answer"), id, tuple(choices))
    return _Row(example, cell("unit"), cell("tolerance"), cell("relative"))


def _id(given: object, number: str) -> str:
    return one_line(str(given or "")).strip()[:60] or number


def _number(text: str, name: str, otherwise: float) -> float:
    if not text:
        return otherwise
    try:
        return checks.number(name, float(text), 0)
    except ValueError:
        raise UsageError(f"{name} must be a number of 0 or more, not {quote(text)}") from None


def _unit(unit: str, where: str = "") -> str:
    if not isinstance(unit, str):
        raise UsageError(f"unit must be text, not {unit!r}")
    unit = unit.strip()
    if unit and (not _A_UNIT.search(unit) or len(unit) > 40):
        before = f"{where}: " if where else ""
        raise UsageError(f"{before}{quote(unit)} is no unit; write it as 'mm', 'kcal/mol' or '%'")
    return unit


def _once(questions: Sequence[Question], drop: bool) -> tuple[Question, ...]:
    """Refuse or drop what stands there twice: it would count twice, and the intervals would be too narrow."""
    seen: dict[str, Question] = {}
    for q in questions:
        asked = " ".join([q.example.question, *sorted(q.example.choices)]).casefold()
        first = seen.setdefault(" ".join(asked.split()), q)
        if first is q:
            continue
        if _right(first) != _right(q):
            raise UsageError(
                f"question {q.example.id} is the same as question {first.example.id} but has another right answer: "
                "correct one of them"
            )
        if not drop:
            raise UsageError(
                f"question {q.example.id} is the same as question {first.example.id}, and would count twice: leave one "
                "out, or drop duplicates with --drop-duplicates (drop_duplicates = true)"
            )
    return tuple(seen.values())


def _right(question: Question) -> str:
    """The right answer without its letter, which the shuffling gave it."""
    text = question.right.partition(") ")[2] if question.kind == "choice" else question.right
    return " ".join(text.casefold().split())
