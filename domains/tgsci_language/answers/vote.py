"""Votes: what most of several replies to one question say."""

from __future__ import annotations

import random
from collections.abc import Sequence

from ..scoring.numbers import Number, conversion, quantities
from ..scoring.scorer import Score
from .questions import Question


def vote(question: Question, scores: Sequence[Score], seed: str = "") -> Score:
    """Take the answer of most replies; a reply without an answer has no vote.

    Args:
        question: Says when two answers are the same: by letter, by text, or for numbers within the tolerance.
        scores: Of the replies, in their order.
        seed: Decides between answers with as many votes, whatever order they came in; "" takes the earliest.

    Returns:
        The score of a reply with that answer; of the first reply where none has an answer.
    """
    answered = [score for score in scores if score.answer]
    if not answered:
        return scores[0]
    votes = [sum(_same(question, score.answer, other.answer) for other in answered) for score in answered]
    leading = [score for score, count in zip(answered, votes, strict=True) if count == max(votes)]
    if seed:
        leading = [random.Random(seed).choice(sorted(leading, key=lambda score: score.answer))]
    return leading[0]


def _same(question: Question, one: str, other: str) -> bool:
    if not isinstance(question.scorer, Number):
        return one == other
    first, second = _value(question, one), _value(question, other)
    if first is None or second is None:
        return one == other
    scorer = question.scorer
    return abs(first - second) <= max(scorer.tolerance, max(scorer.relative, 1e-9) * abs(first))


def _value(question: Question, answer: str) -> float | None:
    """The number of an answer in the question's unit; None where it has another one."""
    found = quantities(answer)
    if not found:
        return None
    factor = conversion(found[-1].after, question.unit) if question.unit else 1.0
    return None if factor is None else found[-1].value * factor
