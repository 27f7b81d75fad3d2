"""A run's options are checked before any work; the keywords of a call are the fields of one object."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import tgsci as tg
from tgsci.search.options import RunKeywords, RunOptions


def test_the_keywords_are_the_options():
    assert list(RunKeywords.__annotations__) == [field.name for field in fields(RunOptions)]


def test_options_are_what_is_given_in_their_own_types():
    options = RunOptions.of({"budget": 7, "run": "somewhere", "seed": np.int64(3), "goal": np.float32(0.5)})
    assert options == RunOptions(budget=tg.Budget(7), run=Path("somewhere"), seed=3, goal=0.5)
    assert type(options.seed) is int
    assert RunOptions.of({"proposals": None}).proposals == 4


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"bugdet": 5}, "unknown key 'bugdet' in the options of a run; did you mean budget?"),
        ({"budget": "5"}, "the budget of evaluations must be a whole number above 0, not '5'"),
        ({"budget": True}, "not True"),
        ({"budget": None}, "never ends"),
        ({"seed": 1.5}, "seed must be a whole number, not 1.5"),
        ({"goal": float("nan")}, "goal must be a number, not nan"),
        ({"progress": 5}, "progress must be a function"),
        ({"keep_ties": 1}, "keep_ties must be true or false"),
        ({"ideas": 0}, "ideas must be a whole number above 0, not 0"),
        ({"prompt_tokens": 10}, "prompt_tokens must be a whole number of 2000 or more, not 10"),
        ({"confirm": "no"}, "confirm must be true or false"),
        ({"workers": None}, "workers must be a whole number"),
        ({"run": 5}, "run must be a directory's path"),
    ],
)
def test_what_cannot_be_used_is_said(keywords, says):
    with pytest.raises(tg.UsageError, match=says):
        RunOptions.of(keywords)


def spent(**more):
    used = {"evaluations": 1, "model_calls": 2, "usd": 0.0, "unpriced_calls": 0, "seconds": 1.0, "tokens_in": 60}
    return tg.Spent(**{**used, **more})


def test_a_budget_of_tokens_counts_both_ways_and_needs_to_know_them():
    budget = tg.Budget(None, tokens=100)
    assert budget.exhausted(spent(tokens_out=39)) == ""
    assert budget.exhausted(spent(tokens_out=40)) == "the budget of 100 tokens is used up"
    assert "tokens are unknown" in budget.exhausted(spent(tokens_out=0, uncounted_calls=1))
    assert tg.Budget(5).exhausted(spent(tokens_out=0, uncounted_calls=1)) == ""
