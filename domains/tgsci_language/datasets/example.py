"""Examples: a question with its reference answer, and sets of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import overload

from tgsci.basics.files import digest
from tgsci.basics.texts import quote, well_formed
from tgsci.errors import UsageError

#: Longest question, answer or choice, characters; a longer one is a file read in a wrong way.
LONGEST = 100_000


@dataclass(frozen=True, slots=True)
class Example:
    """A question and its reference answer.

    Args:
        question: What is asked.
        answer: The reference answer; the letter of the right choice where there are choices (its text is taken too).
        id: Names it within its file: the number of its row, unless the file says otherwise.
        choices: What one may choose from, named A, B, C, ...; () for an open question.

    Raises:
        UsageError: An empty question or answer, one that is far too long, or an answer that is no choice.
    """

    question: str
    answer: str
    id: str
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, text in (
            ("question", self.question),
            ("answer", self.answer),
            *(("choice", c) for c in self.choices),
        ):
            if not isinstance(text, str) or not text.strip():
                raise UsageError(f"example {self.id}: the {name} is empty")
            if len(text) > LONGEST:
                raise UsageError(f"example {self.id}: the {name} has {len(text):,} characters; the most is {LONGEST:,}")
        object.__setattr__(self, "question", well_formed(self.question).strip())
        object.__setattr__(self, "answer", well_formed(self.answer).strip())
        object.__setattr__(self, "choices", tuple(well_formed(choice).strip() for choice in self.choices))
        if self.choices:
            object.__setattr__(self, "answer", self._letter())

    def _letter(self) -> str:
        letters = self.letters
        if len(self.choices) < 2 or len(self.choices) > len(ascii_uppercase):
            raise UsageError(
                f"example {self.id}: {len(self.choices)} choices; there can be 2 to {len(ascii_uppercase)}"
            )
        named = self.answer.strip("().").upper()
        if len(named) == 1 and named in letters:
            return named
        same = [letter for letter, choice in zip(letters, self.choices, strict=True) if choice == self.answer]
        if len(same) != 1:
            raise UsageError(
                f"example {self.id}: the answer {quote(self.answer)} is no choice; there are {', '.join(letters)}"
            )
        return same[0]

    @property
    def letters(self) -> str:
        """The names of the choices, one letter each: "ABCD"; "" for an open question."""
        return ascii_uppercase[: len(self.choices)]

    @property
    def prompt(self) -> str:
        """The question as a model is asked it, with its choices one a line: "A) ..."."""
        if not self.choices:
            return self.question
        listed = "\n".join(f"{letter}) {choice}" for letter, choice in zip(self.letters, self.choices, strict=True))
        return f"{self.question}\n\n{listed}"

    @property
    def key(self) -> str:
        """What two examples have in common where they ask the same: case, width and spaces do not count."""
        return " ".join(unicodedata.normalize("NFKC", self.prompt).casefold().split())


@dataclass(frozen=True)
class Dataset(Sequence[Example]):
    """Examples in their order.

    Args:
        name: Short; for tables and run directories.
        examples: The examples.

    Raises:
        UsageError: Two of them have the same id.
    """

    name: str
    examples: tuple[Example, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for example in self.examples:
            if example.id in seen:
                raise UsageError(f"{self.name}: two examples have the id {quote(example.id)}")
            seen.add(example.id)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | Sequence[Example]:
        return self.examples[index]

    def __len__(self) -> int:
        return len(self.examples)

    def __iter__(self) -> Iterator[Example]:
        return iter(self.examples)

    @property
    def digest(self) -> str:
        """A name of the content: other examples, or another order, give another one."""
        parts = [part for e in self.examples for part in (e.id, e.question, e.answer, str(len(e.choices)), *e.choices)]
        return digest(*parts, size=8)
