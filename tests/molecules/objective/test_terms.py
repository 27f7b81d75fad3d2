"""Transforms, terms and how they are put together: the formulas, and what they promise whatever the figures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsci.errors import UsageError
from tgsci_molecules import DockingLoss, Objective, Term, Transform
from tgsci_molecules.objective.metrics import kind_of, kinds, placed
from tgsci_molecules.objective.terms import AGGREGATES, FLOOR
from tgsci_molecules.objective.transforms import transform_names

figures = st.floats(-1e4, 1e4)
ends = st.tuples(st.floats(-1e3, 1e3), st.floats(0.1, 1e3)).map(lambda p: {"low": p[0], "high": p[0] + p[1]})
positive = st.floats(0.01, 10)


def one_of_each(draw: Any) -> Transform:
    type = draw(st.sampled_from(sorted(transform_names())))
    if type in ("sigmoid", "reverse_sigmoid"):
        return Transform(type, **draw(ends), k=draw(positive))
    if type in ("double_sigmoid", "step", "hinge"):
        return Transform(type, **draw(ends))
    if type == "left_step":
        return Transform(type, low=draw(figures))
    if type == "right_step":
        return Transform(type, high=draw(figures))
    if type == "exponential_decay":
        return Transform(type, k=draw(positive))
    return Transform(type, slope=draw(positive), offset=draw(figures)) if type == "linear" else Transform(type)


transforms = st.composite(one_of_each)()


@given(transforms, st.lists(figures, min_size=1, max_size=8))
def test_an_array_is_transformed_as_its_members_are(transform: Transform, xs: list[float]) -> None:
    together = transform(np.array(xs))
    assert together.shape == (len(xs),)
    assert together.tolist() == pytest.approx([transform(x) for x in xs], rel=1e-12, abs=1e-12)


@given(transforms, figures)
def test_a_desirability_lies_between_0_and_1(transform: Transform, x: float) -> None:
    assert isinstance(transform(x), float)
    assert math.isfinite(transform(x))
    if transform.desirability:
        assert 0.0 <= transform(x) <= 1.0


@given(ends, positive, figures, st.floats(0, 100))
def test_sigmoids_are_monotone_and_the_reverse_is_the_rest(
    where: dict[str, float], k: float, x: float, step: float
) -> None:
    up, down = Transform("sigmoid", **where, k=k), Transform("reverse_sigmoid", **where, k=k)
    assert up(x) <= up(x + step)
    assert down(x) >= down(x + step)
    assert up(x) + down(x) == pytest.approx(1.0)
    assert up((where["low"] + where["high"]) / 2) == pytest.approx(0.5)


@given(ends, figures)
def test_the_smooth_transforms_have_no_jump(where: dict[str, float], x: float) -> None:
    wide = where["high"] - where["low"]
    for transform in (
        Transform("sigmoid", **where),
        Transform("double_sigmoid", **where, coef_si=20.0, coef_se=300.0),
        Transform("hinge", **where),
    ):
        # The steepest of them rises by at most 2 of its values over a unit of its own length.
        assert abs(transform(x + 1e-7 * wide) - transform(x)) <= 1e-5 * max(1.0, wide)


@pytest.mark.parametrize(
    ("type", "parameters", "x", "value"),
    [
        # by REINVENT4's own formulas, with plain powers of ten
        ("sigmoid", {"low": 0.0, "high": 1.0, "k": 0.5}, 0.7, 1 / (1 + 10 ** (-10 * 0.5 * 0.2))),
        ("reverse_sigmoid", {"low": -11.0, "high": -6.0, "k": 0.25}, -9.0, 1 / (1 + 10 ** (10 * 0.25 * -0.5 / 5))),
        ("double_sigmoid", {"low": 200.0, "high": 500.0}, 199.5, 1 / (1 + 10 ** (1.5 * 0.5))),
        ("double_sigmoid", {"low": 200.0, "high": 500.0}, 500.5, 1 - 1 / (1 + 10 ** (-1.5 * 0.5))),
        ("step", {"low": 1.0, "high": 3.0}, 3.0, 1.0),
        ("left_step", {"low": 1.0}, 1.1, 0.0),
        ("right_step", {"high": 1.0}, 1.0, 1.0),
        ("exponential_decay", {"k": 0.5}, 2.0, math.exp(-1)),
        ("exponential_decay", {"k": 0.5}, -2.0, 1.0),
        ("hinge", {"low": -8.1}, -9.6, 1.5),
        ("hinge", {"low": -8.1}, -7.0, 0.0),
        ("hinge", {"high": 2.0}, 5.0, 3.0),
        ("linear", {"slope": -2.0, "offset": 1.0}, 3.0, -5.0),
    ],
)
def test_the_formulas(type: str, parameters: dict[str, float], x: float, value: float) -> None:
    assert Transform(type, **parameters)(x) == pytest.approx(value)


@pytest.mark.parametrize(
    ("type", "parameters", "reason"),
    [
        ("sigmod", {}, "did you mean sigmoid"),
        ("sigmoid", {"low": 1.0}, "needs high"),
        ("sigmoid", {"low": 1.0, "high": 1.0}, "low < high"),
        ("sigmoid", {"low": 1.0, "high": 2.0, "k": 0}, "k of the transform sigmoid must be a number from 1e-09 to"),
        ("sigmoid", {"low": "a", "high": 2.0}, "low of the transform sigmoid must be a number from"),
        ("sigmoid", {"low": 0, "high": math.inf}, "high of the transform sigmoid must be a number from"),
        ("identity", {"low": 0}, "no parameter 'low'; it has none"),
        ("hinge", {}, "needs low, high or both"),
    ],
)
def test_a_bad_transform_is_refused(type: str, parameters: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Transform(type, **parameters)


@given(transforms)
def test_a_transform_comes_back_from_its_table(transform: Transform) -> None:
    assert Transform(**transform.as_dict()) == transform


# -- terms ---------------------------------------------------------------------------------------------


def test_dockstrings_form_is_vina_plus_ten_times_one_minus_qed() -> None:
    loss = DockingLoss("ABL1")
    assert loss.formula == "vina + 10 (1 - QED)"
    assert loss.simulated == ("vina",)
    assert loss.combine({"vina": -8.5, "QED": 0.75}) == -8.5 + 10 * 0.25
    assert loss.combine({"vina": np.array([-8.5, -9.0]), "QED": 0.75}).tolist() == [-6.0, -6.5]


def test_a_sum_charges_for_what_is_not_desirable_and_rewards_what_is_gained() -> None:
    terms = [Term("vina"), Term("LE", weight=10), Term("similarity", weight=3), Term("MW", weight=0.01)]
    loss = Objective("ABL1", terms, reference="c1ccccc1")
    metrics = {"vina": -6.0, "heavy atoms": 20.0, "similarity": 0.5, "MW": 300.0}
    assert loss.combine(metrics) == pytest.approx(-6.0 - 10 * 0.3 + 3 * 0.5 + 3.0)
    assert loss.simulated == ("vina",)  # the efficiency follows from it


def test_a_geometric_mean_is_reinvents() -> None:
    terms = [Term("QED", weight=2), Term("MW", Transform("step", low=200, high=500)), Term("similarity")]
    loss = Objective("ABL1", terms, aggregate="geometric_mean", reference="CCO")
    assert loss.combine({"QED": 0.8, "MW": 300, "similarity": 0.5}) == pytest.approx(1 - (0.8**2 * 1 * 0.5) ** 0.25)
    assert loss.combine({"QED": 0.8, "MW": 100, "similarity": 0.5}) == pytest.approx(1 - (0.8**2 * FLOOR * 0.5) ** 0.25)


desirable = st.tuples(st.sampled_from(["QED", "Fsp3"]), st.floats(0.01, 100), st.floats(0, 1))


@given(st.sampled_from(["geometric_mean", "arithmetic_mean"]), st.lists(desirable, min_size=1, max_size=5))
def test_a_mean_lies_between_its_terms(how: str, given_terms: list[tuple[str, float, float]]) -> None:
    terms = [Term(metric, weight=weight, name=str(i)) for i, (metric, weight, _) in enumerate(given_terms)]
    metrics = {metric: value for metric, _, value in given_terms}
    found = 1 - Objective("ABL1", terms, aggregate=how).combine(metrics)
    values = [metrics[metric] for metric, _, _ in given_terms]
    assert min(values) - 1e-9 <= found <= max(max(values), FLOOR) + 1e-9


@given(st.floats(-15, -1), st.floats(-15, -1), st.floats(-15, -1))
def test_figures_of_several_targets_are_put_together(a: float, b: float, c: float) -> None:
    loss = Objective(["PPARA", "PPARD", "PPARG"], [Term("max vina"), Term("selectivity")])
    assert loss.simulated == ("PPARA vina", "PPARD vina", "PPARG vina")
    metrics = {"PPARA vina": a, "PPARD vina": b, "PPARG vina": c}
    assert loss.combine(metrics) == max(a, b, c) + (a - min(b, c))
    arrays = {name: np.array([x, x - 1]) for name, x in metrics.items()}
    assert loss.combine(arrays)[0] == loss.combine(metrics)


@pytest.mark.parametrize(
    ("terms", "options", "reason"),
    [
        ([Term("vina")], {"aggregate": "geometric_mean"}, "'vina' has the transform identity, which does not give 0"),
        ([Term("QED", weight=-1)], {"aggregate": "geometric_mean"}, "must be above 0"),
        ([Term("QED")], {"aggregate": "product"}, "aggregate must be one of sum"),
        ([Term("similarity")], {}, "similarity needs a reference"),
        ([Term("selectivity")], {}, "needs off_targets"),
        ([Term("LCK vina")], {}, "docks into JAK2, not into 'LCK'"),
        ([Term("QED", name="a"), Term("MW", name="a")], {}, "two terms have the name 'a'"),
    ],
)
def test_terms_that_cannot_be_put_together_are_refused(terms: list[Term], options: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Objective("JAK2", terms, **options)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"metric": "MV"}, "did you mean MW"),
        ({"metric": "QED", "weight": 0}, "weight must be a number other than 0"),
        ({"metric": "QED", "weight": math.nan}, "weight must be"),
        ({"metric": "QED", "targets": "LCK"}, "does not depend on a target"),
        ({"metric": "vina", "targets": ("JAK2", "LCK")}, "needs over: max, min, mean"),
        ({"metric": "vina", "over": "sum"}, "over must be one of max, min, mean"),
        ({"metric": "matches"}, "needs smarts"),
        ({"metric": "matches", "smarts": "c1ccc("}, "not a SMARTS"),
        ({"metric": "QED", "transform": 3}, "a Transform or a name"),
    ],
)
def test_a_bad_term_is_refused(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Term(**arguments)


def test_metrics_go_by_the_names_that_people_use() -> None:
    for text, kind in {"slogp": "cLogP", "NumRotBond": "rotatable bonds", "SAScore": "SA", "Qed": "QED"}.items():
        assert kind_of(text) == kind
    assert placed("LCK vina") == ("vina", "LCK", "")
    assert placed("refined interaction") == ("refined interaction", "", "")
    assert placed("LCK refined interaction") == ("refined interaction", "LCK", "")
    assert placed("max vina") == ("vina", "", "max")
    assert placed("vina score") == ("vina", "", "")
    assert all(placed(name) == (kind_of(name), "", "") == (name, "", "") for name in kinds())


def test_two_terms_on_one_metric_have_their_own_columns() -> None:
    loss = Objective("ABL1", [Term("MW", Transform("left_step", low=1)), Term("MW", Transform("left_step", low=2))])
    assert [term.column for term in loss.terms] == ["MW (term)", "MW 2 (term)"]
    assert set(loss.columns_help()) == set(loss.units)
    assert set(AGGREGATES) == {"sum", "geometric_mean", "arithmetic_mean"}
