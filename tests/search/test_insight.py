"""What a domain knows of its values is of use, never a danger: one that fails costs what it would have said."""

from __future__ import annotations

import math

import pytest

import tgsci as tg
from tgsci.search.insight import CONTRAST_CHARACTERS, NAME_CHARACTERS

PARENT, CHILD = (tg.Trial(n, n, value, feedback=tg.Feedback(-1.0 - n)) for n, value in enumerate(["a", "b"]))
TRIALS = tg.Trials([PARENT, CHILD])
ASKED = {
    "family": lambda insight: insight.family_of("a"),
    "change": lambda insight: insight.change_between("a", "b"),
    "contrast": lambda insight: insight.contrast_of(PARENT, CHILD),
    "limiting": lambda insight: insight.limiting_in(PARENT.feedback),
    "advice": lambda insight: insight.advice_in(TRIALS),
    "predict": lambda insight: insight.outlooks(TRIALS, ["c", "d"]),
}
NOTHING = {"predict": [None, None]}


def bug(*about):
    raise KeyError("Leu83")


@pytest.mark.parametrize("hook", ASKED)
@pytest.mark.parametrize("fails", [bug, lambda *about: None, lambda *about: 7.5, lambda *about: [tg.Outlook(1, 1)]])
def test_a_hook_that_fails_says_nothing_and_is_told_of_once(hook, fails, caplog):
    insight = tg.Insight(**{hook: fails})
    assert [ASKED[hook](insight) for _ in range(2)] == [NOTHING.get(hook, "")] * 2
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{hook} of the insight failed (")
    assert record.exc_info


@pytest.mark.parametrize("hook", ASKED)
def test_a_hook_with_nothing_to_say_is_no_failure(hook, caplog):
    def refuses(*about):
        raise tg.MeasurementError("no common part")

    assert ASKED[hook](tg.Insight(**{hook: refuses})) == ASKED[hook](tg.Insight()) == NOTHING.get(hook, "")
    assert not caplog.records


def test_what_a_hook_says_is_bounded_and_can_be_stored():
    for hook, longest in {"family": NAME_CHARACTERS, "contrast": CONTRAST_CHARACTERS}.items():
        insight = tg.Insight(**{hook: lambda *about: "\ud800" + "y" * 1_000_000})
        assert ASKED[hook](insight) == "\ufffd" + "y" * (longest - 1)


def test_an_outlook_that_is_no_finite_number_is_none():
    expected = [tg.Outlook(-5.0, 0.5), tg.Outlook(math.nan, 1.0)]
    assert tg.Insight(predict=lambda trials, values: expected).outlooks(TRIALS, ["c", "d"]) == [expected[0], None]


@pytest.mark.parametrize("hook", ASKED)
def test_a_search_goes_on_where_a_hook_fails(hook):
    class Grows(tg.Proposer):
        name = "grows"

        def ask(self, trials, n, rng):
            return [tg.Proposal(trials.best.value + "a", parent=trials.best.number)]

    found = tg.minimize(
        lambda value: -len(value), "a", tg.Team([Grows(), tg.Desk(lambda prompt: "")]),
        insight=tg.Insight(**{hook: bug}), budget=5,
    )  # fmt: skip
    assert found.best.value == "aaaaa"
