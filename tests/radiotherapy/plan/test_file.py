"""`plan.json`: what is written is read back to the bit, and another file or another case is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case, tiny_case
from tgsci.errors import UsageError
from tgsci_radiotherapy.goals import default_parameters, evaluate, read_sheet
from tgsci_radiotherapy.plan.file import PlanFile, read_plan, round_fluence, write_plan
from tgsci_radiotherapy.planner import Plan, Planner


@cache
def planned() -> tuple[Plan, str]:
    """A plan of the small case, and its file's text."""
    case, sheet = small_case(), read_sheet("tg119-easier")
    plan = Planner(case).solve(default_parameters(case, sheet))
    return plan, write_plan(plan, evaluate(sheet.bind(case), case, plan.dose), case)


def test_a_file_gives_the_plan_back() -> None:
    plan, text = planned()
    file = read_plan(text.encode())
    assert file.parameters == plan.parameters
    assert (file.case, file.fractions, file.grid) == ("small", 25, plan.grid)
    assert file.fluence.tolist() == round_fluence(plan.fluence).tolist()
    assert file.text() == text
    assert np.array_equal(file.dose(small_case()), Planner(small_case()).dose(file.fluence))
    assert file.dose(small_case()) == pytest.approx(plan.dose, rel=1e-5, abs=1e-4)
    assert set(file.versions) == {"tgsci", "numba", "numpy", "scipy"}
    assert isinstance(file, PlanFile)


def test_a_file_that_is_none_is_refused_with_the_reason() -> None:
    text = planned()[1]
    table = json.loads(text)
    for broken, reason in (
        ("{", "broken JSON"),
        ("[1]", "'tgsci_plan' is missing"),
        (json.dumps({**table, "tgsci_plan": 9}), "format '9'"),
        (json.dumps({k: v for k, v in table.items() if k != "grid"}), "grid missing"),
        (json.dumps({**table, "fluence": [1.0, -1.0]}), "finite numbers of 0 or more"),
        (json.dumps({**table, "fluence": ["a"]}), "damaged"),
        (json.dumps({**table, "parameters": {"objectives": []}}), "parameters"),
        (json.dumps({**table, "solver": 3}), "'solver' must be an object"),
    ):
        with pytest.raises(UsageError, match=reason):
            read_plan(broken)


def test_a_plan_of_another_case_is_refused() -> None:
    text = planned()[1]
    with pytest.raises(UsageError, match="beamlets"):
        read_plan(text).dose(tiny_case())
    other = small_case()
    moved = replace(other, dij=replace(other.dij, values=other.dij.values * np.float32(2)))
    with pytest.raises(UsageError, match="another case"):
        read_plan(text).dose(moved)
