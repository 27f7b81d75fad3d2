"""Plans in Jupyter: a plan with its goals and pictures, the plans of a run, what each parameter would do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tgsci.errors import UsageError
from tgsci.search.trial import State, Trial
from tgsci.show.html import Cell, html_table, image, lines

from ..notice import NOTICE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tgsci.runs.result import Result
    from tgsci.show.canvas import NotebookFigure

    from ..case import Case
    from ..goals import BoundSheet, Goal, GoalTable, Sheet
    from ..loss.effects import Effects

_GOOD, _NEAR, _BAD = "#dcf3e4", "#fdf1d3", "#fbdfdc"


@dataclass(frozen=True, eq=False)
class PlanView:
    """A plan to look at: its goal table, histograms and dose.

    Args:
        table: Its goals.
        dvh: Histograms, with those of the plan it is compared with.
        wash: The dose on the image; None where it was not asked for.
    """

    table: GoalTable
    dvh: NotebookFigure
    wash: NotebookFigure | None = None

    def __repr__(self) -> str:
        return self.table.text()

    def _repr_html_(self) -> str:
        wash = image(self.wash._repr_png_(), "dose on the image") if self.wash else ""
        return f"{self.table._repr_html_()}{image(self.dvh._repr_png_(), 'dose-volume histograms')}{wash}"


@dataclass(frozen=True, eq=False)
class CaseView:
    """A case to look at: what it holds, and its image with the structures.

    Args:
        case: The case.
    """

    case: Case

    def __repr__(self) -> str:
        from .summary import case_lines

        return "\n".join(case_lines(self.case))

    def _repr_html_(self) -> str:
        from .summary import HEADER, case_lines, structure_rows
        from .wash import dose_wash

        picture = image(dose_wash(self.case)._repr_png_(), "image and structures")
        return f"<p>{lines(case_lines(self.case))}</p>{html_table(HEADER, structure_rows(self.case))}{picture}"


def look(case: Case) -> CaseView:
    """Show what a case holds, and its image with the structures.

    Args:
        case: The case.
    """
    return CaseView(case)


def show(
    plan: Any, goals: Sheet | BoundSheet, case: Case, *, against: Mapping[str, Any] | None = None, wash: bool = True
) -> PlanView:
    """Show a plan with its goals, histograms and dose.

    Args:
        plan: A `Plan`, a `PlanFile`, a trial of a run, or a dose by row, total Gy.
        goals: A sheet.
        case: What the plan is of.
        against: Other plans by name, drawn dashed and dotted beside it.
        wash: Whether the dose is drawn on the image.

    Raises:
        UsageError: The plan or the goals are of another case, or the trial has no plan.
    """
    from ..goals import Sheet, evaluate
    from .dvh_plot import dvh_figure
    from .wash import dose_wash

    bound = goals.bind(case) if isinstance(goals, Sheet) else goals
    name, dose = name_of(plan), dose_of(plan, case)
    doses = {name: dose, **{other: dose_of(another, case) for other, another in (against or {}).items()}}
    title = f"{case.name}, {bound.name}: {name}"
    return PlanView(
        evaluate(bound, case, dose),
        cast("NotebookFigure", dvh_figure(case, doses, bound, title=title)),
        dose_wash(case, dose, title=title) if wash else None,
    )


def dose_of(plan: Any, case: Case) -> NDArray[np.floating]:
    """Take the dose of a plan in any of its forms, total Gy by row.

    Args:
        plan: As in `show`.
        case: What it is of.

    Raises:
        UsageError: The plan has no dose of this case.
    """
    import numpy as np

    from ..plan.file import FILE, PlanFile, read_plan

    if isinstance(plan, Trial):
        artifacts = plan.feedback.artifacts if plan.feedback else {}
        if FILE not in artifacts:
            raise UsageError(f"trial {plan.number} has no plan: it was {plan.state.value}")
        plan = read_plan(artifacts[FILE])
    if isinstance(plan, PlanFile):
        return plan.dose(case)
    dose = np.asarray(getattr(plan, "dose", plan))
    if dose.shape != (len(case.voxels),) or dose.dtype.kind != "f":
        raise UsageError(f"neither a plan nor a dose with {len(case.voxels)} figures, one for each row of {case.name}")
    return dose


def name_of(plan: Any) -> str:
    """Name a plan in a picture."""
    number = getattr(plan, "number", None)
    return f"trial {number}" if number is not None else "plan"


class PlanTable:
    """The plans of a run, goal by goal.

    Args:
        trials: In the order in which they are shown.
        goals: The sheet, bound to the case.
    """

    def __init__(self, trials: Sequence[Trial], goals: BoundSheet) -> None:
        self.trials, self.goals = list(trials), goals

    def __repr__(self) -> str:
        return f"<PlanTable of {len(self.trials)} plans, {len(self.goals.goals)} goals>"

    def _repr_html_(self) -> str:
        header = [Cell(f"trial {trial.number}", figure=True) for trial in self.trials]
        rows: list[list[str | Cell]] = [
            [goal.criterion, *(self._cell(goal, trial) for trial in self.trials)] for goal in self.goals.goals
        ]
        losses = [Cell(_figure(trial.loss, ""), figure=True, style="font-weight:bold") for trial in self.trials]
        why = [f"trial {t.number}, {t.state.value}: {t.reason or t.decision}" for t in self.trials]
        return html_table(["goal", *header], [*rows, ["loss", *losses]], notes=[*why, NOTICE])

    def _cell(self, goal: Goal, trial: Trial) -> Cell:
        value = trial.feedback.metrics.get(goal.name, math.nan) if trial.feedback else math.nan
        margin = goal.margin(value)
        colour = (
            "none" if math.isnan(margin) else _GOOD if margin >= 0 else _NEAR if -margin <= goal.tolerance else _BAD
        )
        return Cell(_figure(value, goal.unit), figure=True, style=f"background:{colour};color:#1f2933")


def plans(result: Result, top: int = 0) -> PlanTable:
    """Show the plans of a run with their goals: green ones are met, yellow ones within their tolerance.

    Args:
        result: The result of a radiotherapy run.
        top: How many of the best to show, best first; 0 for the plans that were better than everything before them,
            in the order in which they were made.

    Raises:
        UsageError: The run is of another domain.
    """
    loss: Any = result.loss
    if not hasattr(loss, "bound"):
        raise UsageError("this run does not say what its goals are: it is not a radiotherapy run")
    accepted = [trial for trial in result.trials if trial.state is State.ACCEPTED]
    return PlanTable(result.trials.ranked()[:top] if top else accepted, loss.bound)


@dataclass(frozen=True, eq=False)
class SensitivityTable:
    """What each weight and each dose of a plan would do to each goal, to first order.

    Args:
        effects: Of the plan.
    """

    effects: Effects

    def __repr__(self) -> str:
        goals, objectives = len(self.effects.results), len(self.effects.parameters.objectives)
        return f"<SensitivityTable of {goals} goals, {objectives} objectives>"

    def _repr_html_(self) -> str:
        objectives = self.effects.parameters.objectives
        doses = [k for k, objective in enumerate(objectives) if objective.dose_gy is not None]
        weights = self._table("weight x 2", list(range(len(objectives))), self.effects.per_doubling)
        note = (
            "Change of each goal's figure; green moves it towards being met, red away. To first order: small changes "
            f"only. {NOTICE}"
        )
        return weights + self._table("dose + 1 Gy", doses, self.effects.per_gray, note)

    def _table(self, change: str, columns: Sequence[int], values: NDArray[np.float64], *notes: str) -> str:
        labels = [self.effects.parameters.objectives[k].label for k in columns]
        heads = [Cell(label, figure=True, style="white-space:normal;max-width:8em") for label in labels]
        rows = [self._row(i, [float(values[i, k]) for k in columns]) for i in range(len(self.effects.results))]
        return html_table([change, Cell("margin", figure=True), *heads], rows, notes=notes)

    def _row(self, i: int, values: Sequence[float]) -> list[str | Cell]:
        result = self.effects.results[i]
        cells = []
        for value in values:
            share = 0.0 if math.isnan(value) else result.goal.sign * value / result.scale
            strength = min(abs(share) / 0.02, 1.0)  # 2% of the prescription, or of the volume, is a lot
            colour = f"rgba({'46,160,67' if share > 0 else '207,34,46'},{0.45 * strength:.2f})"
            cells.append(Cell("" if math.isnan(value) else f"{value:+.2f}", True, f"background:{colour}"))
        return [result.goal.criterion, Cell(result.margin_text, figure=True), *cells]


def sensitivities(trial: Trial) -> SensitivityTable:
    """Show what each parameter of a trial's plan would do to each goal.

    Args:
        trial: Of a radiotherapy run.

    Raises:
        UsageError: The trial has no plan.
    """
    from ..loss.effects import effects_of

    effects = effects_of(trial)
    if effects is None:
        raise UsageError(f"trial {trial.number} has no sensitivities: it was {trial.state.value}")
    return SensitivityTable(effects)


def _figure(value: float, unit: str) -> str:
    return "" if math.isnan(value) else f"{value:.3f}" if not unit else f"{value:.2f}"
