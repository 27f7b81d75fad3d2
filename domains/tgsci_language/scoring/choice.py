"""Score a reply by the letter of its choice."""

from __future__ import annotations

import re

from ..datasets.example import Example
from .scorer import NO_ANSWER, WRONG_CHOICE, Score, Scorer, end_of, plain, stated

_LETTER = re.compile(r"[\s*_(\[\"'$]{0,10}(?:\\(?:boxed|text|mathrm)\{\(?){0,3}([A-Za-z])(?![A-Za-z])")
_BOXED = re.compile(r"\\boxed\{(?:\\text\{)?\(?([A-Za-z])\)?\}")
_BARE = re.compile(r"[\s*_(\[\"']{0,10}([A-Z])[\s*_)\]\"'.]{0,10}")


class Choice(Scorer):
    """The letter of the choice is the reference's: after the last "Answer:", in a box, or alone in the reply.

    The text of a choice after "Answer:" counts as its letter.
    """

    name = "choice"
    reading = "the letter after the last 'Answer:' of the reply"

    def score(self, example: Example, reply: str) -> Score:
        found = chosen(example, end_of(reply))
        if not found:
            return Score(0.0, "", NO_ANSWER)
        return Score(1.0, found) if found == example.answer else Score(0.0, found, WRONG_CHOICE)

    def complaint(self, example: Example) -> str:
        return "" if example.choices else "it has no choices, and the scorer 'choice' needs them"


def chosen(example: Example, reply: str) -> str:
    """Read the letter of the choice that a reply names; "" where it names none of them."""
    after = stated(reply)
    if after is not None:
        line = plain(after.partition("\n")[0])
        texts = [name for name, text in zip(example.letters, example.choices, strict=True) if plain(text) == line]
        if len(texts) == 1:
            return texts[0]
        letter = _LETTER.match(after)
        if letter and letter[1].upper() in example.letters:
            return letter[1].upper()
    boxed = _BOXED.findall(reply)
    bare = _BARE.fullmatch(reply)
    letter_alone = boxed[-1].upper() if boxed else bare[1] if bare else ""
    return letter_alone if letter_alone and letter_alone in example.letters else ""
