"""Scorer: how right a reply is, what answer was read from it, and what went wrong. Only a judge asks a model."""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from tgsci.basics.texts import quote
from tgsci.errors import UsageError

from ..datasets.example import Example

#: Only so many characters at the end of a reply are read, and so many of an answer are kept.
LONGEST_REPLY, LONGEST_ANSWER = 100_000, 300

#: What can be wrong with a reply, in the order in which a page lists it.
NO_REPLY = "no reply"
CUT_OFF = "cut off"
NO_ANSWER = "no answer"
FORMAT = "format"
OFF_BY_ONE = "off by one"
WRONG_NUMBER = "wrong number"
WRONG_UNIT = "wrong unit"
WRONG_CHOICE = "wrong choice"
OTHER_ORDER = "other order"
INCOMPLETE = "incomplete"
WRONG = "wrong answer"
NOT_JUDGED = "not judged"
FAULTS = (
    *(NO_REPLY, CUT_OFF, NO_ANSWER, FORMAT, OFF_BY_ONE, WRONG_NUMBER, WRONG_UNIT, WRONG_CHOICE, OTHER_ORDER),
    *(INCOMPLETE, WRONG, NOT_JUDGED),
)

_ANSWER = re.compile(r"\banswer(?:\s{1,3}is)?[*_ \t]{0,4}:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Score:
    """How right a reply is.

    Args:
        right: From 0 to 1; 1.0 is right.
        answer: What was read as the reply's answer; "" where none was found.
        fault: What is wrong with it, one of `FAULTS`; "" where it is right.
    """

    right: float
    answer: str = ""
    fault: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "answer", self.answer[:LONGEST_ANSWER])


class Scorer(ABC):
    """Says how right a reply is. Derive, and write `score`."""

    #: As a task names it.
    name: str
    #: How it reads an answer from a reply, in a line for whoever writes the instruction.
    reading: str = "by a function of the user's"
    #: Model calls that one score costs.
    calls: int = 0

    @abstractmethod
    def score(self, example: Example, reply: str) -> Score:
        """Score a reply. The reply is a model's text: it is read, never run, and only its end where it is very long.

        Args:
            example: The question with its reference answer.
            reply: What the model wrote.
        """

    def ideal(self, example: Example) -> str:
        """Write a reply that is right: the reference answer, in the form that is asked for."""
        return f"Answer: {example.answer}"

    def complaint(self, example: Example) -> str:
        """Say why no reply to this example can be right; "" where one can."""
        found = self.score(example, self.ideal(example))
        if found.right >= 1:
            return ""
        read = f"reads {quote(found.answer)} in" if found.answer else "finds no answer in"
        return f"the scorer {self.name!r} {read} the reference answer itself, {quote(example.answer)}"

    def first_complaint(self, examples: Iterable[Example]) -> tuple[Example, str] | None:
        """Find the first example to which no reply can be right, and say why; None where all can be answered."""
        found = ((example, self.complaint(example)) for example in examples)
        return next((each for each in found if each[1]), None)


def check_scorer(scorer: Scorer, examples: Iterable[Example]) -> None:
    """Check that a scorer can be right on every example.

    Raises:
        UsageError: It cannot: on which one, and why.
    """
    found = scorer.first_complaint(examples)
    if found is not None:
        example, complaint = found
        raise UsageError(f"example {example.id} ({quote(example.question)}): {complaint}; choose another scorer")


def end_of(reply: str) -> str:
    """The part of a reply that is read: its last 100,000 characters."""
    return str(reply)[-LONGEST_REPLY:]


def stated(reply: str) -> str | None:
    """What stands after the last "Answer:" of a reply; None where it does not say so."""
    last = None
    for last in _ANSWER.finditer(reply):  # noqa: B007
        pass
    return None if last is None else reply[last.end() :].strip()


def plain(text: str, *, case: bool = False) -> str:
    """Bring a text to the form in which it is compared: width, spaces, marks around it, and case unless asked for."""
    text = unicodedata.normalize("NFKC", text)
    text = " ".join((text if case else text.casefold()).split())
    return text.strip("*_`\"' ").removesuffix(".").strip("*_`\"' ")
