"""Feedback and the order of feedbacks: nothing worse is ever kept."""

from __future__ import annotations

import decimal
import fractions
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsci import Feedback, is_better


def feedbacks():
    losses = st.one_of(st.none(), st.just(math.nan), st.sampled_from([-1.0, 0.0, 1.0]), st.floats(-1e9, 1e9))
    violations = st.dictionaries(st.sampled_from("ab"), st.one_of(st.sampled_from([-1.0, 0.0, 1.0]), st.floats(0, 1e6)))
    return st.builds(Feedback, losses, violations=violations)


def test_a_failure_never_looks_like_a_score():
    with pytest.raises(ValueError, match="finite"):
        Feedback(math.inf)
    with pytest.raises(ValueError, match="beside an error"):
        Feedback(0.0, error="crashed")
    with pytest.raises(ValueError, match="violation is nan"):
        Feedback(0.0, violations={"MW": math.nan})
    failed = Feedback.failed("crashed", transient=True)
    assert math.isnan(failed.loss)
    assert failed.transient
    assert "crashed" in failed.text
    assert not failed.measured


def test_numpy_figures_become_plain_ones():
    feedback = Feedback(numpy.float32(1.5), metrics={"a": numpy.float32(2.5)}, violations={"b": numpy.int64(1)})
    assert [type(x) for x in (feedback.loss, feedback.metrics["a"], feedback.violations["b"])] == [float] * 3


def test_minus_zero_is_zero():
    """SQLite keeps no sign of zero: a resumed run would show another figure to the model."""
    assert math.copysign(1, Feedback(-0.0).loss) == 1


def test_a_feedback_does_not_change_with_what_it_was_made_from():
    metrics = {"a": 1.0}
    feedback = Feedback(1.0, metrics=metrics)
    metrics["a"] = 2.0
    assert feedback.metrics == {"a": 1.0}


@given(feedbacks(), feedbacks(), feedbacks())
def test_is_better_is_a_strict_weak_order(a, b, c):
    assert not is_better(a, a)
    assert not (is_better(a, b) and is_better(b, a))
    if is_better(a, b) and is_better(b, c):
        assert is_better(a, c)
    if not is_better(a, b) and not is_better(b, a) and not is_better(b, c) and not is_better(c, b):
        assert not is_better(a, c)
        assert not is_better(c, a)


@given(feedbacks(), st.one_of(st.none(), feedbacks()))
def test_what_was_not_measured_never_wins(a, b):
    for unmeasured in (replace(a, loss=math.nan), replace(a, loss=None)):
        assert not is_better(unmeasured, b)
    if a.measured:
        assert is_better(a, Feedback.failed("x"))
        assert is_better(a, None)


@given(feedbacks().filter(lambda f: f.measured), feedbacks().filter(lambda f: f.measured))
def test_feasible_beats_infeasible_whatever_the_loss(a, b):
    if a.feasible and not b.feasible:
        assert is_better(a, b)
    elif a.violation == b.violation:
        assert is_better(a, b) == (a.loss < b.loss)
    else:
        assert is_better(a, b) == (a.violation < b.violation)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Feedback(1.0, None), r"the text of a feedback is a str \('' for none\), not None"),
        (lambda: Feedback(1.0, 5), "not int 5"),
        (lambda: Feedback("1.0"), "loss is a number, not str '1.0'"),
        (lambda: Feedback([1.0]), "loss is a number, not list"),
        (lambda: Feedback(1j), "loss is a number, not complex"),
        (lambda: Feedback(numpy.array([1.0, 2.0])), "loss is a number, not ndarray"),
        (lambda: Feedback(1.0, "r", {"a": None}), r"metrics\['a'\] is a number, not None"),
        (lambda: Feedback(1.0, "r", ["a"]), "metrics is a dict by name, not list"),
        (lambda: Feedback(1.0, violations={"a": "much"}), r"violations\['a'\] is a number, not str 'much'"),
        (
            lambda: Feedback(1.0, artifacts={"a.json": {"x": 1}}),
            r"artifacts\['a.json'\] .* not dict .*json.dumps",
        ),
        (lambda: Feedback(1.0, artifacts={"a": numpy.zeros(2)}), "write text or bytes"),
        (lambda: Feedback(math.nan, error=ValueError("no")), r"write error=str\(error\)"),
    ],
)
def test_what_is_wrong_with_a_feedback_is_said_where_it_is_made(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_figures_of_any_class_are_figures():
    feedback = Feedback(decimal.Decimal("0.5"), metrics={"a": fractions.Fraction(1, 2), "b": True})
    assert (feedback.loss, feedback.metrics) == (0.5, {"a": 0.5, "b": 1.0})


def test_artifacts_that_a_ledger_holds_are_not_read_before_they_are_looked_at():
    class Unread(Mapping):
        def __getitem__(self, name):
            raise AssertionError(f"{name} was read")

        def __iter__(self):
            return iter(["dose.npy"])

        def __len__(self):
            return 1

    assert list(Feedback(1.0, artifacts=Unread()).artifacts) == ["dose.npy"]
