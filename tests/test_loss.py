"""Losses: known failures become feedback, everything else is heard; composition keeps every figure."""

from __future__ import annotations

import copy
import decimal
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tgsci as tg


class Length(tg.Loss):
    """Counts characters; long values take forever, vowels crash it."""

    units = {"length": "chars"}

    def __init__(self, name="length", target=0, options=(), path=None):
        self.name, self.target, self.options, self.path = name, target, options, path
        self._cache = {}

    def validate(self, value):
        canonical = value.strip().upper()
        if not canonical.isalpha():
            raise tg.InvalidValue("letters only, please")
        return canonical

    def evaluate(self, value):
        if "Q" in value:
            raise tg.MeasurementError("no convergence", transient=True)
        if "Z" in value:
            raise ZeroDivisionError("a bug")
        size = float(len(value))
        return tg.Feedback(
            abs(size - self.target), f"{size:g} chars", {"length": size}, artifacts={"value.txt": value, "b": b"\0"}
        )


def test_a_report_is_the_gradient_and_costs_no_call():
    x = tg.Variable(" abc ", role_description="word")
    node = Length()(x)
    node.backward()
    assert node.item() == 3.0
    assert x.get_gradient_text() == "3 chars"
    assert node.role_description == "length of word"


def test_an_invalid_value_is_feedback_in_a_graph():
    x = tg.Variable("123")
    node = Length()(x)
    node.backward()
    assert math.isnan(node.item())
    assert "letters only" in x.get_gradient_text()
    assert not node.feedback.measured


def test_a_known_failure_is_feedback_and_a_bug_is_not():
    failed = Length().measure("Q")
    assert failed.error == "no convergence"
    assert failed.transient
    assert math.isnan(failed.loss)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        Length().measure("Z")
    with pytest.raises(ZeroDivisionError):
        Length()(tg.Variable("Z"))


def test_what_is_no_feedback_is_refused():
    class Wrong(tg.Loss):
        name = "wrong"

        def evaluate(self, value):
            return 1.0

    with pytest.raises(TypeError, match=r"wrong.evaluate must return a Feedback"):
        Wrong().measure("x")


@pytest.mark.parametrize(
    ("function", "loss", "text"),
    [
        (lambda v: 1, 1.0, "(lower is better)"),
        (lambda v: (2.5, "report"), 2.5, "report"),
        (lambda v: tg.Feedback(3.0, "page"), 3.0, "page"),
        (lambda v: math.nan, math.nan, ""),
    ],
)
def test_a_function_is_a_loss(function, loss, text):
    feedback = tg.as_loss(function).measure("x")
    assert feedback.loss == pytest.approx(loss, nan_ok=True)
    assert text in feedback.text


def test_what_is_no_loss_is_refused():
    with pytest.raises(tg.UsageError, match="not a loss"):
        tg.as_loss("vina")
    loss = Length()
    assert tg.as_loss(loss) is loss


def test_a_weighted_sum_adds_up_and_keeps_every_figure():
    a, b = Length("a"), Length("b", target=10)
    feedback = (0.5 * a + b * 2).measure("ABCD")
    assert feedback.loss == 0.5 * 4 + 2 * 6
    assert feedback.metrics == {"length": 4.0, "b length": 4.0}
    assert (0.5 * a + b).units == {"length": "chars", "b length": "chars"}
    assert dict(feedback.artifacts)["b value.txt"] == "ABCD"
    assert "0.5 x a (4.000) = 2.000" in feedback.text


class Doses(tg.Loss):
    def __init__(self, name, dose, unit=None):
        self.name, self.dose, self.units = name, dose, {} if unit is None else {"dose": unit}

    def evaluate(self, value):
        return tg.Feedback(1.0, metrics={} if self.dose is None else {"dose": self.dose})


def test_a_unit_stays_with_its_own_metric():
    silent, gray, percent = Doses("a", 1.0), Doses("b", 2.0, "Gy"), Doses("c", 3.0, "%")
    total = silent + gray + percent
    assert total.units == {"dose": "Gy", "c dose": "%"}
    assert total.measure("x").metrics == {"a dose": 1.0, "dose": 2.0, "c dose": 3.0}
    absent = Doses("a", None, "Gy") + percent
    assert absent.units == {"dose": "Gy", "c dose": "%"}
    assert absent.measure("x").metrics == {"c dose": 3.0}
    assert (silent + Doses("b", 2.0)).measure("x").metrics == {"dose": 1.0, "b dose": 2.0}
    nested = tg.WeightedLoss([(1.0, percent), (2.0, absent)])
    assert nested.units[next(name for name, figure in nested.measure("x").metrics.items() if figure == 3.0)] == "%"


def test_three_terms_of_one_name_lose_nothing():
    """The limit that one of them breaks must not vanish behind another's."""
    terms = [Length("l", target=i).limit("length", high=high) for i, high in enumerate((9, 2, 9))]
    feedback = (terms[0] + terms[1] + terms[2]).measure("ABCD")
    assert len(feedback.violations) == 3
    assert len(feedback.metrics) == 3
    assert feedback.violation == 2.0


def test_weights_distribute_over_a_sum():
    a, b = Length("a"), Length("b")
    assert (2 * (a + 3 * b)).measure("AB").loss == 2 * (2 + 3 * 2)
    assert (a + b + a).measure("AB").loss == 6
    for wrong in (lambda: a * b, lambda: a + 1, lambda: "x" * a):
        with pytest.raises(TypeError):
            wrong()


def test_the_canonical_form_of_a_sum_is_the_first_terms_and_suits_every_term():
    def short(value):
        if len(value) > 3:
            raise tg.InvalidValue("at most three")
        return value

    total = Length() + tg.FunctionLoss(len, validate=short)
    assert total.validate(" abc ") == "ABC"
    with pytest.raises(tg.InvalidValue, match="at most three"):
        total.validate("abcd")


def test_where_one_term_fails_so_does_the_sum():
    feedback = (Length("a") + Length("b")).measure("Q")
    assert feedback.error == "a: no convergence"
    assert feedback.transient
    text_only = Length("a") + tg.FunctionLoss(lambda v: tg.Feedback(None, "nice"), name="judge")
    assert "judge" in text_only.measure("A").error


def test_a_hard_limit_is_a_violation_in_its_own_unit():
    loss = Length().limit("length", low=2, high=3)
    assert loss.measure("ABC").feasible
    assert loss.measure("ABCDE").violations == {"length >= 2": 0.0, "length <= 3": 2.0}
    assert "length is 5.000 chars, must be <= 3; it is out by 2.000." in loss.measure("ABCDE").text
    assert loss.measure("A").violation == 1.0
    assert loss.measure("Q").error == "no convergence"
    assert loss.validate(" a") == "A"


def test_a_limit_on_a_figure_that_is_not_a_number_is_not_kept():
    loss = tg.FunctionLoss(lambda v: tg.Feedback(-9.0, metrics={"dose": math.nan})).limit("dose", high=1)
    feedback = loss.measure("x")
    assert not feedback.measured
    assert "dose" in feedback.error


def test_senseless_limits_are_refused():
    for limits, message in (({}, "low=, high= or both"), ({"low": 2, "high": 1}, "empty")):
        with pytest.raises(tg.UsageError, match=message):
            Length().limit("length", **limits)
    with pytest.raises(tg.UsageError, match="there are: length"):
        Length().limit("mass", high=1).measure("A")


def test_time_limits_add_up():
    quick, slow, endless = Length(), Length(), Length()
    quick.timeout, slow.timeout = 1.0, 2.5
    assert (quick + slow).timeout == 3.5
    assert (quick + endless).timeout is None
    assert quick.limit("length", high=1).timeout == 1.0


@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 9)), min_size=1, max_size=5), st.text("AB", min_size=1))
def test_any_weighted_sum_is_the_sum_of_its_parts(terms, value):
    total = tg.WeightedLoss([(w, Length(f"t{i}", target=t)) for i, (w, t) in enumerate(terms)])
    assert total.measure(value).loss == pytest.approx(math.fsum(w * abs(len(value) - t) for w, t in terms))
    assert len(total.measure(value).metrics) == len(terms)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (None, "returned None. Return a number"),
        ((1.0, "r", {}), r"returned \(1.0, 'r', \{\}\). Return a number"),
        ((), r"returned \(\)"),
        ("1.0", "returned '1.0'"),
        ((None, "r"), r"returned \(None, 'r'\)"),
        (("r", 1.0), r"returned \('r', 1.0\)"),
        ((1.0, {"a": 1}), "returned"),
        ({"loss": 1.0}, "returned .*loss"),
        ([1.0, "r"], "returned"),
        (math.inf, "returned inf: a loss must be finite"),
        ((-math.inf, "r"), r"returned \(-inf, 'r'\): a loss must be finite"),
        (np.array([1.0, 2.0]), "returned"),
        (1j, "returned 1j"),
    ],
)
def test_what_a_loss_function_returned_is_said_and_what_to_return(result, said):
    loss = tg.FunctionLoss(lambda value: result, name="mine")
    with pytest.raises(tg.UsageError, match=f"the loss function mine {said}"):
        loss.measure("x")


@pytest.mark.parametrize("result", [np.float32(0.5), decimal.Decimal("0.5"), np.array(0.5), (np.float64(0.5), None)])
def test_a_loss_function_may_return_figures_of_any_class(result):
    assert tg.as_loss(lambda value: result).measure("x").loss == 0.5


def test_a_coroutine_function_may_be_a_loss():
    async def length(value):
        return float(len(value))

    class Later(tg.Loss):
        async def evaluate(self, value):
            return tg.Feedback(len(value), metrics={"length": len(value)})

    assert tg.as_loss(length).measure("abc").loss == 3.0
    assert (Later() + tg.as_loss(length)).measure("abc").loss == 6.0
    assert Later().limit("length", high=2).measure("abc").violation == 1.0


def test_a_judge_is_no_loss_for_a_search_and_says_why():
    judge = tg.TextLoss("Is it exact?", engine=lambda prompt: "no")
    with pytest.raises(tg.UsageError, match=r"TextLoss writes its evaluation in words.*backward\(\) and step\(\)"):
        tg.as_loss(judge)


def test_a_loss_takes_a_variable_and_measures_a_text():
    with pytest.raises(tg.UsageError, match=r"length: a Variable is expected, not str 'abc'; .* loss.measure\(text\)"):
        Length()("abc")


def test_the_builtin_sum_adds_losses_and_weights_may_be_numpys():
    a, b = Length("a"), Length("b", target=10)
    assert sum([a, b]).measure("ABCD").loss == 10
    for weight in (np.float32(0.5), np.float64(0.5), decimal.Decimal("0.5")):
        assert (weight * a).measure("ABCD").loss == (a * weight).measure("ABCD").loss == 2.0
    assert (np.int64(2) * a + b).measure("ABCD").loss == 14
    assert a.limit("length", high=np.float32(2.5)).measure("ABC").violation == 0.5
    assert a.limit("length", low=decimal.Decimal("3.5")).measure("ABC").violation == 0.5


def test_a_loss_is_copied_with_what_it_holds():
    loss = (2 * Length(options={"a": 1}) + Length(target=3)).limit("length", high=5)
    for twin in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):  # noqa: S301
        assert twin.fingerprint == loss.fingerprint
        assert twin.measure("ABCDEF") == loss.measure("ABCDEF")


class Searching(tg.Loss):
    """Finds 10 by itself; begins from the other's pose where there is one, and finds one less than that."""

    units = {"energy": "kcal/mol"}

    def __init__(self, name="dock"):
        self.name = name

    def evaluate(self, value):
        return self.found(10.0)

    def found(self, energy):
        return tg.Feedback(energy, f"energy {energy:g}", {"energy": energy}, artifacts={"pose": f"{energy:g}"})

    def reconsider(self, value, feedback, other):
        if value == "breaks":
            raise tg.MeasurementError("the pose does not fit")
        energy = float(other.artifacts["pose"]) - 1
        return self.found(energy) if energy < feedback.loss else feedback


def test_a_measurement_is_reconsidered_by_whoever_wrapped_the_loss():
    dock, twice = Searching(), 2 * Searching("first") + Searching("second") + Length()
    limited = dock.limit("energy", high=5)
    whole = (1 * limited + Length()).limit("energy", low=-5)
    assert dock.reconsiders
    assert limited.reconsiders
    assert twice.reconsiders
    assert not Length().reconsiders
    assert not (Length() + Length()).reconsiders

    def again(loss, other, value="ab"):
        return loss.measure_again(value, loss.measure(value), other)

    other = tg.Feedback(0.0, metrics={"energy": 4.0}, artifacts={"pose": "4", "second pose": "20"})
    assert again(dock, other).loss == 3
    assert again(dock, None).loss == 10
    assert again(dock, other, "breaks").loss == 10, "a known failure leaves the measurement"
    summed = again(twice, other)
    assert summed.loss == 2 * 3 + 10 + Length().measure("ab").loss
    assert (summed.artifacts["pose"], summed.artifacts["second pose"]) == ("3", "10")
    assert limited.measure("ab").violation == 5
    assert again(limited, other) == tg.Feedback(
        3.0, "energy 3", {"energy": 3.0}, {"energy <= 5": 0.0}, artifacts={"pose": "3"}
    )
    assert again(whole, other).violations == {"energy <= 5": 0.0, "energy >= -5": 0.0}
    there = pickle.loads(pickle.dumps(whole.measure("ab")))  # noqa: S301
    assert type(there) is type(again(whole, None)) is tg.Feedback, "what it was made of stays where it was measured"
    assert whole.reconsider("ab", there, other) is there


def test_what_reconsider_returns_is_checked():
    class Forgets(Searching):
        def reconsider(self, value, feedback, other):
            return None

    with pytest.raises(TypeError, match="reconsider must return a Feedback"):
        Forgets().measure_again("a", tg.Feedback(1.0), tg.Feedback(2.0))
