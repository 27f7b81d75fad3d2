"""Plans in Jupyter: a plan with its goals and pictures, the plans of a run, what each parameter would do."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, cast

from tgsci.errors import UsageError
from tgsci.search.trial import State, Trial

from ..notice import NOTICE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tgsci.runs.result import Result

    from ..case import Case
    from ..goals import BoundSheet, Goal, GoalTable, Sheet
    from ..loss.effects import Effects
    from .style import ShownFigure

_GOOD, _NEAR, _BAD = "#dcf3e4", "#fdf1d3", "#fbdfdc"
_CELL = "padding:2px 8px;text-align:right;white-space:nowrap"
_LEFT = "padding:2px 8px;text-align:left"


@dataclass(frozen=True, eq=False)
class PlanView:
    """A plan to look at: its goal table, histograms and dose.

    Args:
        table: Its goals.
        dvh: Histograms, with those of the plan it is compared with.
        wash: The dose on the image; None where it was not asked for.
    """

    table: GoalTable
    dvh: ShownFigure
    wash: ShownFigure | None = None

    def __repr__(self) -> str:
        return self.table.text()

    def _repr_html_(self) -> str:
        pictures = "".join(f'<p><img alt="{name}" src="{address}"></p>' for name, address in self._pictures())
        return f"{self.table._repr_html_()}{pictures}"

    def _pictures(self) -> list[tuple[str, str]]:
        figures = {"dose-volume histograms": self.dvh, "dose on the image": self.wash}
        return [(name, _address(figure)) for name, figure in figures.items() if figure is not None]


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

        heads = "".join(f'<th style="{_LEFT}">{escape(name)}</th>' for name in HEADER)
        rows = "".join(
            "<tr>" + "".join(f'<td style="{_LEFT}">{escape(cell)}</td>' for cell in row) + "</tr>"
            for row in structure_rows(self.case)
        )
        lines = "<br>".join(escape(line) for line in case_lines(self.case))
        image = f'<p><img alt="image and structures" src="{_address(dose_wash(self.case))}"></p>'
        return f"<p>{lines}</p><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{image}"


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
        UsageError: Something of another case, or a trial without a plan.
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
        cast("ShownFigure", dvh_figure(case, doses, bound, title=title)),
        dose_wash(case, dose, title=title) if wash else None,
    )


def dose_of(plan: Any, case: Case) -> NDArray[np.floating]:
    """Take the dose of a plan in any of its forms, total Gy by row.

    Args:
        plan: As in `show`.
        case: What it is of.

    Raises:
        UsageError: It has none.
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
        heads = "".join(f'<th style="{_CELL}">trial {trial.number}</th>' for trial in self.trials)
        rows = "".join(
            f'<tr><td style="{_LEFT}">{escape(goal.criterion)}</td>'
            f"{''.join(self._cell(goal, trial) for trial in self.trials)}</tr>"
            for goal in self.goals.goals
        )
        losses = "".join(f'<td style="{_CELL}"><b>{_figure(trial.loss, "")}</b></td>' for trial in self.trials)
        why = "".join(
            f"<li>trial {t.number}, {escape(t.state.value)}: {escape(t.reason or t.decision)}</li>" for t in self.trials
        )
        return (
            f'<table><thead><tr><th style="{_LEFT}">goal</th>{heads}</tr></thead><tbody>{rows}'
            f'<tr><td style="{_LEFT}"><b>loss</b></td>{losses}</tr></tbody></table>'
            f'<ul style="text-align:left">{why}</ul><p><small>{NOTICE}</small></p>'
        )

    def _cell(self, goal: Goal, trial: Trial) -> str:
        value = trial.feedback.metrics.get(goal.name, math.nan) if trial.feedback else math.nan
        margin = goal.margin(value)
        colour = (
            "none" if math.isnan(margin) else _GOOD if margin >= 0 else _NEAR if -margin <= goal.tolerance else _BAD
        )
        return f'<td style="{_CELL};background:{colour};color:#1f2933">{_figure(value, goal.unit)}</td>'


def plans(result: Result, top: int = 0) -> PlanTable:
    """Show the plans of a run with their goals: green ones are met, yellow ones within their tolerance.

    Args:
        result: A radiotherapy run's.
        top: The best so many, best first. Where 0: those that were better than everything before them, in the order in
            which they were made, with the first one.

    Raises:
        UsageError: The run is of another domain.
    """
    loss: Any = result.problem.loss if result.problem else result.trials.loss
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
        effects, objectives = self.effects, self.effects.parameters.objectives
        doses = [k for k, o in enumerate(objectives) if o.dose_gy is not None]
        weights = self._table("weight x 2", list(range(len(objectives))), effects.per_doubling)
        return (
            f"{weights}{self._table('dose + 1 Gy', doses, effects.per_gray)}<p><small>Change of each goal's figure; "
            f"green moves it towards being met, red away. To first order: small changes only. {NOTICE}</small></p>"
        )

    def _table(self, change: str, columns: Sequence[int], values: NDArray[np.float64]) -> str:
        labels = [self.effects.parameters.objectives[k].label for k in columns]
        heads = "".join(
            f'<th style="{_CELL};white-space:normal;max-width:8em">{escape(label)}</th>' for label in labels
        )
        rows = "".join(self._row(i, [float(values[i, k]) for k in columns]) for i in range(len(self.effects.results)))
        first = f'<th style="{_LEFT}">{change}</th><th style="{_CELL}">margin</th>'
        return f"<table><thead><tr>{first}{heads}</tr></thead><tbody>{rows}</tbody></table>"

    def _row(self, i: int, values: Sequence[float]) -> str:
        result = self.effects.results[i]
        cells = []
        for value in values:
            share = 0.0 if math.isnan(value) else result.goal.sign * value / result.scale
            strength = min(abs(share) / 0.02, 1.0)  # 2% of the prescription, or of the volume, is a lot
            colour = f"rgba({'46,160,67' if share > 0 else '207,34,46'},{0.45 * strength:.2f})"
            text = "" if math.isnan(value) else f"{value:+.2f}"
            cells.append(f'<td style="{_CELL};background:{colour}">{text}</td>')
        first = f'<td style="{_LEFT}">{escape(result.goal.criterion)}</td><td style="{_CELL}">{result.margin_text}</td>'
        return f"<tr>{first}{''.join(cells)}</tr>"


def sensitivities(trial: Trial) -> SensitivityTable:
    """Show what each parameter of a trial's plan would do to each goal.

    Args:
        trial: Of a radiotherapy run.

    Raises:
        UsageError: It was not planned.
    """
    from ..loss.effects import effects_of

    effects = effects_of(trial)
    if effects is None:
        raise UsageError(f"trial {trial.number} has no sensitivities: it was {trial.state.value}")
    return SensitivityTable(effects)


def _address(figure: ShownFigure) -> str:
    """Write a picture as an address that holds it, for a notebook."""
    return f"data:image/png;base64,{base64.b64encode(figure._repr_png_()).decode()}"


def _figure(value: float, unit: str) -> str:
    return "" if math.isnan(value) else f"{value:.3f}" if not unit else f"{value:.2f}"
