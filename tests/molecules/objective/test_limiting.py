"""What limits a molecule: the target that decides a maximum, the off-target that costs, the term with most to gain."""

from __future__ import annotations

import math

import pytest

from tgsci.feedback import Feedback
from tgsci_molecules import Objective, Term
from tgsci_molecules.objective.limiting import deciding, pulls
from tgsci_molecules.objective.presets import PRESETS
from tgsci_molecules.objective.transforms import Transform

CALCULATED = {"QED": 0.7, "heavy atoms": 25.0, "MW": 350.0, "cLogP": 3.0}


def of(name: str) -> Objective:
    return Objective(PRESETS[name].targets, PRESETS[name].terms)


def limiting(objective: Objective, **scores: float) -> str:
    metrics = {**CALCULATED, **{name.replace("_", " "): score for name, score in scores.items()}}
    return objective.limiting(Feedback(0.0, metrics=metrics))


def test_the_target_that_decides_a_maximum_is_named_with_what_else_costs() -> None:
    said = limiting(of("dockstring-ppar"), PPARA_vina=-9.0, PPARD_vina=-8.1, PPARG_vina=-9.4)
    assert said == "PPARD decides max vina (-8.1; PPARA -9.0, PPARG -9.4); QED costs 3.0"


def test_an_off_target_is_named_only_where_it_costs() -> None:
    objective = of("dockstring-jak2")
    assert limiting(objective, JAK2_vina=-9.0, LCK_vina=-9.4).split("; ")[1] == ("LCK vina (-9.40 kcal/mol) costs 1.3")
    assert "LCK" not in limiting(objective, JAK2_vina=-9.0, LCK_vina=-7.4)


def test_a_small_cost_is_not_all_that_limits_where_a_score_has_no_end() -> None:
    said = limiting(of("dockstring-jak2"), JAK2_vina=-8.25, LCK_vina=-7.2)
    assert said == "QED costs 3.0; JAK2 vina (-8.2) has no best value"


def test_a_selectivity_names_the_off_target_that_is_nearest() -> None:
    objective = Objective(["ABL1", "LCK", "SRC"], [Term("selectivity", Transform("hinge", high=-2.0))])
    said = limiting(objective, ABL1_vina=-9.0, LCK_vina=-8.0, SRC_vina=-8.8)
    assert said.startswith("SRC (-8.8) decides the selectivity of ABL1 (-9.0); ")


def test_a_mean_says_what_an_ideal_term_would_bring() -> None:
    terms = [Term("vina", Transform("reverse_sigmoid", low=-12.0, high=-6.0)), Term("QED")]
    objective = Objective("ABL1", terms, aggregate="arithmetic_mean")
    assert limiting(objective, vina=-9.0) == (
        "vina (-9.00 kcal/mol) ideal would lower the loss by 0.25; QED ideal would lower the loss by 0.15"
    )


def test_a_failure_and_missing_figures_say_nothing() -> None:
    objective = of("dockstring-jak2")
    assert objective.limiting(Feedback.failed("no pose")) == ""
    assert limiting(objective, JAK2_vina=-9.0) == ""


@pytest.mark.parametrize(("lck", "names"), [(-9.4, ["JAK2", "LCK"]), (-7.0, ["JAK2"])])
def test_the_targets_that_decide_come_first_and_those_to_bind_less_last(lck: float, names: list[str]) -> None:
    objective = of("dockstring-jak2")
    figures = {**CALCULATED, "JAK2 vina": -9.0, "LCK vina": lck}
    found = deciding(pulls(objective.aggregated, objective.metrics, figures))
    assert [pull.target for pull in found] == names
    assert [pull.off_target for pull in found] == [name == "LCK" for name in names]
    assert all(math.isclose(abs(pull.stronger), 0.5) for pull in found)
