"""Plans in Jupyter: figures as figures, and nothing of it can act."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

import tgsci as tg
from tests.radiotherapy.cases import small_case
from tgsci.search.trial import State, Trial, Trials
from tgsci_radiotherapy import (
    PlanLoss,
    RuleEditor,
)
from tgsci_radiotherapy.views.export import export


@cache
def result() -> Any:
    """Two plans of the small case."""
    loss = PlanLoss(small_case(), "tg119-easier")
    other = loss.start.replaced(1, weight=700.0).text()
    return tg.minimize(loss, [loss.start.text(), other], RuleEditor(), budget=2, workers=0)


def test_a_run_without_a_plan_leaves_its_table_and_no_cell_of_it_acts(tmp_path: Path) -> None:
    copy = tg.Result.__new__(tg.Result)
    copy.__dict__.update(vars(result()))
    value, reason = "=HYPERLINK(1)", "@SUM(1)\n-2+3"
    copy.trials = Trials([Trial(0, 0, value, reason=reason, state=State.INVALID, decision="+1")], result().trials.loss)
    assert [path.name for path in export(copy, tmp_path)] == ["plans.csv", "columns.csv"]
    with (tmp_path / "plans.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["parameters"], row["reason"]) == ("'=HYPERLINK(1)", "'@SUM(1) -2+3")
    assert row["decision"] == "+1"  # a number stays one
    assert row["rank"] == row["loss"] == ""
