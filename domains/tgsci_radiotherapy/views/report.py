"""What the report of a run shows of its plans: histograms, dose, goals and weights over the plans, robustness."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tgsci.basics.texts import figure as number
from tgsci.show.canvas import NotebookFigure, png, svg
from tgsci.show.report import Section

from ..editor import insight
from ..notice import NOTICE
from ..qa.robustness import HEADER, NOMINAL, SCENARIOS
from .conflicts import account
from .export import BestPlan, best_plan, first_plan
from .over_plans import goals_figure, near_miss, weights_figure

if TYPE_CHECKING:
    from tgsci.runs.result import Result
    from tgsci.search.trial import Trial

    from ..goals import Goal, GoalResult

#: Dots an inch and colours of pictures with the dose on an image.
_DPI, _COLOURS = 130, 128
#: What stands before a goal's status.
_MARKS = {"pass": "\u2713 ", "tolerance": "~ ", "fail": "\u2717 "}
#: Plans whose predictions are listed, the latest; characters of what came of one.
_PREDICTED, _LONGEST = 40, 480


def sections(result: Result) -> list[Section]:
    """Make the sections on the plans of a run; none where no plan was measured.

    Args:
        result: Of a radiotherapy run.
    """
    best = best_plan(result)
    if best is None:
        return []
    return [*_best(result, best), *_over_plans(result), *_robust(best), *_conflicts(result)]


def _best(result: Result, best: BestPlan) -> Iterator[Section]:
    """Show the best plan beside the first: goals, histograms, dose."""
    from .dvh_plot import dvh_figure
    from .wash import axial_washes, dose_wash

    case, goals, name = best.loss.case, best.loss.bound, f"trial {best.trial.number}"
    first = first_plan(result)
    told = f"{case.name}, {goals.name}; doses are total Gy in {case.fractions} fractions, on {case.grid}. {NOTICE}"
    yield _goals(best, first, told)
    doses = {name: best.dose}
    if first is not None and first.trial.number != best.trial.number:
        doses[f"trial {first.trial.number}, the first"] = first.dose
    errors = best.robustness.errors
    scenarios = [dose for scenario, dose in best.robustness.doses.items() if scenario != NOMINAL]
    yield Section(
        "Dose-volume histograms",
        f"Goals are triangles that point to the side where the curve has to pass; filled ones are met by {name}. The "
        f"band is where its curves lie within {errors}. {NOTICE}",
        picture=svg(dvh_figure(case, doses, goals, bands=scenarios)),
        alternative=f"Cumulative dose-volume histograms of {' and '.join(doses)} with the goals",
    )
    yield Section(
        "Dose on the image",
        f"The dose of {name} on planes through the middle of the target with the highest prescription. {NOTICE}",
        picture=_picture(dose_wash(case, best.dose, title=f"{case.name}, {name}")),
        alternative=f"Dose of {name} on an axial, a coronal and a sagittal plane with contours and isodose lines",
    )
    yield Section(
        "Dose through the targets, from foot to head",
        picture=_picture(axial_washes(case, best.dose, title=f"{case.name}, {name}")),
        alternative=f"Dose of {name} on axial slices through the targets with contours and isodose lines",
    )


def _goals(best: BestPlan, first: BestPlan | None, told: str) -> Section:
    """Tabulate the goals: what the best plan has, what the first one had, what is left in the worst scenario."""
    before = {r.goal.criterion: r for r in first.table.results} if first else {}
    worst = {g.criterion: g.worst for g in best.robustness.goals}
    results = sorted(best.table.results, key=lambda r: (r.goal.priority, r.status == "not evaluated"))
    rows = [
        [
            r.goal.criterion,
            _priority(r.goal),
            _text(before.get(r.goal.criterion)),
            r.value_text,
            r.margin_text,
            _MARKS.get(r.status, "") + r.status,
            _marked(worst.get(r.goal.criterion)),
        ]
        for r in results
    ]
    header = ["goal", "priority", "first plan", "best plan", "margin", "status", "worst scenario"]
    title = f"Goals of the best plan, trial {best.trial.number}"
    return Section(title, told, header, rows)


def _over_plans(result: Result) -> Iterator[Section]:
    """Show how goals, weights and predictions went from plan to plan."""
    made = goals_figure(result.trials)
    if made is not None:
        yield Section("Goals over the plans", picture=svg(made), alternative="Value and margin of each goal by plan")
    made = weights_figure(result.trials)
    if made is not None:
        yield Section("Weights and doses over the plans", picture=svg(made), alternative="Each objective by plan")
    rows = [row for trial in result.trials if (row := _predicted(result, trial))]
    if rows:
        yield Section(
            "What was predicted, and what came",
            "Each plan beside the one that it was made from. Losses were expected by whoever proposed the plan, and "
            "predicted, as the goals' figures are, by the sensitivities of the plan before.",
            ["trial", "from", "loss before", "expected", "predicted", "loss", "what came"],
            rows[-_PREDICTED:],
        )
    near = near_miss(result.trials)
    if near is not None:
        yield Section("The best near miss", near[1])


def _predicted(result: Result, trial: Trial) -> list[object]:
    parent = result.trials[trial.parent] if trial.parent is not None and trial.parent < trial.number else None
    if parent is None or not trial.measured or not parent.measured:
        return []
    came = insight.contrast(parent, trial)
    expected = "" if trial.expected is None else number(trial.expected)
    foretold = insight.foretold(parent, trial)
    predicted = "" if foretold is None else number(foretold)
    return [trial.number, parent.number, number(parent.loss), expected, predicted, number(trial.loss), came[:_LONGEST]]


def _robust(best: BestPlan) -> Iterator[Section]:
    found = best.robustness
    yield Section(
        f"Robustness within {found.errors}",
        f"{found.how[:1].upper()}{found.how[1:]}. {found.summary()}. Worst case: {found.worst}. {NOTICE}",
        HEADER,
        found.rows(),
    )
    yield Section("Robustness by scenario", "", SCENARIOS, found.scenario_rows())


def _conflicts(result: Result) -> Iterator[Section]:
    told = account(result.trials)
    if told:
        yield Section("Goals that were not met together", told)


def _picture(figure: NotebookFigure) -> str:
    """Wrap a figure with an image in it as SVG: drawn as pixels it is a tenth of the size."""
    content = png(figure, _DPI, _COLOURS)
    width, height = (round(side * _DPI) for side in figure.get_size_inches())
    address = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    size = f'width="{width}" height="{height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}">'
        f'<image href="{address}" {size}/></svg>'
    )


def _priority(goal: Goal) -> str:
    return "implied" if goal.implied else str(goal.priority)


def _marked(result: GoalResult | None) -> str:
    """Write a value with a mark of whether the goal is met: in another scenario it may be another than now."""
    return "" if result is None else _MARKS.get(result.status, "") + result.value_text


def _text(result: GoalResult | None) -> str:
    return "" if result is None else result.value_text
