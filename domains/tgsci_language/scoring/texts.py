"""Score a reply by its text: the exact string, or a regular expression."""

from __future__ import annotations

import re

from tgsci.basics import checks
from tgsci.basics.texts import quote
from tgsci.errors import UsageError

from ..datasets.example import Example
from .matcher import Matcher, TooSlow
from .scorer import FORMAT, INCOMPLETE, NO_ANSWER, OTHER_ORDER, WRONG, Score, Scorer, end_of, plain, stated


class Exact(Scorer):
    """The answer is the reference, character by character; spaces, and marks around it, do not count.

    The answer is what stands on the line of the last "Answer:", or below it where that line is empty; without
    an "Answer:" it is the whole reply.

    Args:
        case: True where capital letters count.
    """

    name = "exact"

    def __init__(self, case: bool = False) -> None:
        self.case = checks.flag("case", case)
        self.reading = (
            "the text after the last 'Answer:' of the reply, else the whole reply; spaces do not count"
            f"{'' if self.case else ', nor do capital letters'}"
        )

    def score(self, example: Example, reply: str) -> Score:
        reply = end_of(reply)
        after = stated(reply)
        # A reference of one line is compared with one line; what a model adds below is not its answer.
        found = reply if after is None else after if "\n" in example.answer else _first_line(after)
        return compared(example, found, reply, case=self.case)


class Pattern(Scorer):
    """The answer is what a regular expression finds last: its group `answer`, else its first group, else the match.

    It is compared with the reference as `Exact` does. The expression runs in a process of its own for at most a
    second a reply.

    Args:
        pattern: As Python's `re` writes it.
        case: True where capital letters count in the comparison.

    Raises:
        UsageError: It is no regular expression.
    """

    name = "pattern"

    def __init__(self, pattern: str, case: bool = False) -> None:
        self.pattern = checks.text("pattern", pattern, "a regular expression")
        self.case = checks.flag("case", case)
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise UsageError(f"pattern is no regular expression: {error}") from None
        self.reading = f"the last match of the regular expression {quote(self.pattern, 200)}"
        self._matcher = Matcher()

    def score(self, example: Example, reply: str) -> Score:
        try:
            found = self._matcher.last(self.pattern, end_of(reply))
        except TooSlow:
            return Score(0.0, "", FORMAT)
        if found is None:
            return Score(0.0, "", NO_ANSWER)
        return compared(example, found, "", case=self.case)

    def complaint(self, example: Example) -> str:
        """Say what can be known before a reply is there: whether an expression could match depends on all of it."""
        return "" if example.answer.strip() else "the reference answer is empty"


def compared(example: Example, found: str, reply: str, *, case: bool = False) -> Score:
    """Compare an answer with the reference, and say how they differ.

    Args:
        example: Holds the reference.
        found: The answer.
        reply: All that was written, to see whether the right answer stands elsewhere in it; "" to leave that out.
        case: True where capital letters count.
    """
    answer, reference = plain(found, case=case), plain(example.answer, case=case)
    if answer == reference:
        return Score(1.0, answer)
    if not answer:
        return Score(0.0, "", NO_ANSWER)
    there, wanted = answer.replace(",", " ").split(), reference.replace(",", " ").split()
    if reference in plain(reply, case=case) or there == wanted:
        fault = FORMAT
    elif len(wanted) > 1 and sorted(there) == sorted(wanted):
        fault = OTHER_ORDER
    elif len(wanted) > 1 and set(there) < set(wanted):
        fault = INCOMPLETE
    else:
        fault = WRONG
    return Score(0.0, answer, fault)


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")
