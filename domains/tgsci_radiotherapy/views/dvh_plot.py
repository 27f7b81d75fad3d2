"""Cumulative dose-volume histograms, plan against plan, with the goals as marks that say on which side to pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path

from tgsci.errors import UsageError
from tgsci.show.canvas import NotebookFigure, label

from .style import GRID, INK, QUIET, caption, colours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Case
    from ..goals import BoundSheet, GoalResult
    from ..goals.goal import HistogramPoint

    Doses = Mapping[str, NDArray[np.floating]]
    Mark = tuple[GoalResult, HistogramPoint]

_STYLES: tuple[Any, ...] = ("-", (0, (5, 2.2)), (0, (1.2, 1.6)), (0, (6, 2, 1.2, 2)))
#: Size of the mark of a goal that the sheet has, and of one that it implies.
_ASKED, _IMPLIED = 17, 10
#: Doses at which the edges of a band are drawn.
_BAND = 300
#: Plans that can be told apart in one plot.
MOST_PLANS = len(_STYLES)
#: Triangles whose base stands on the point and whose tip is on the side where the curve has to pass.
_TRIANGLES = {
    side: Path([(0, 0), (-0.6 * y, 0.6 * x), (x, y), (0.6 * y, -0.6 * x), (0, 0)], closed=True)
    for side, (x, y) in {"<": (-1.0, 0.0), ">": (1.0, 0.0), "v": (0.0, -1.0), "^": (0.0, 1.0)}.items()
}


def dvh_figure(
    case: Case,
    doses: Doses,
    goals: BoundSheet | None = None,
    *,
    structures: Sequence[str] = (),
    title: str = "",
    bands: Sequence[NDArray[np.floating]] = (),
    ax: Axes | None = None,
) -> Figure:
    """Draw cumulative dose-volume histograms of one plan or several.

    A goal is a triangle at its dose and volume that points to where the curve has to pass: left for a dose that must
    stay below, right for one that must be reached, down and up for volumes. It is filled where the first plan meets
    it, and small where the sheet only implies it. Goals that are no point of a histogram, such as means and
    conformity, are left to the goal table.

    Args:
        case: What the doses are of.
        doses: Total Gy by row of the case, by the plan's name: solid, dashed, dotted.
        goals: A `BoundSheet`; none where None.
        structures: Names; those of the goals and the targets where empty, or all.
        title: Above the plot.
        bands: Doses of the first plan in other scenarios, by row: a band shows where its curves lie in them.
        ax: Where to draw; a figure of its own where None.

    Raises:
        UsageError: No dose or too many, one of another case, or an unknown structure.
    """
    from ..goals import dvh

    checked = _checked(case, doses)
    names = _structures(case, goals, structures)
    own = ax is None
    if ax is None:
        ax = NotebookFigure(figsize=(9.2, 5.6), layout="constrained").add_subplot()
    figure = cast("Figure", ax.figure)
    colour = colours(case, names)
    largest = 0.0
    for i, dose in enumerate(checked.values()):
        for name in names:
            gray, volume = dvh(case, dose, name)
            largest = max(largest, float(gray[-1]))
            width, order = (1.2, 2) if case.structure(name).type == "external" else (1.9, 3)
            ax.plot([*gray, gray[-1]], [*volume, 0.0], color=colour[name], linestyle=_STYLES[i], lw=width, zorder=order)
    if bands:
        _bands(ax, case, [next(iter(checked.values())), *bands], names, colour)
    marked = [] if goals is None else _marks_of_goals(case, goals, next(iter(checked.values())), names)
    ax.set_xlim(0, max(largest, case.prescription, *(point.dose for _, point in marked), 1e-3) * 1.05)
    _mark_goals(ax, marked, colour)
    _mark_prescriptions(ax, case, names, colour)
    ax.set_ylim(0, 104)
    ax.set_xlabel("dose (Gy, all fractions)", color=INK)
    ax.set_ylabel("volume at this dose or more (%)", color=INK)
    _plain(ax)
    if title:
        ax.set_title(label(title, 100), fontsize=11, color=INK, loc="left")
    _legends(ax, case, names, list(checked), colour, marked)
    if own:
        caption(figure, [f"{label(case.name)}: dose grid {case.grid}, {case.fractions} fractions"], 125)
    return figure


def _checked(case: Case, doses: Doses) -> dict[str, NDArray[np.float64]]:
    if not doses:
        raise UsageError("a dose-volume histogram needs at least one dose")
    if len(doses) > MOST_PLANS:
        raise UsageError(f"at most {MOST_PLANS} plans can be told apart in one plot, not {len(doses)}")
    arrays = {}
    for name, dose in doses.items():
        array = np.asarray(dose, np.float64)
        if array.shape != (len(case.voxels),):
            raise UsageError(
                f"the dose {label(name)!r} has shape {array.shape}, but the case {case.name} has {len(case.voxels)} "
                "rows: it belongs to another case, or it is a cube (case.by_row(cube) gives the rows)"
            )
        if not np.isfinite(array).all():
            raise UsageError(f"the dose {label(name)!r} is not finite everywhere")
        arrays[name] = array
    return arrays


def _structures(case: Case, goals: BoundSheet | None, wanted: Sequence[str]) -> list[str]:
    """Choose the structures to draw, in the order of the case: the wanted ones, or those of the goals and targets."""
    if wanted:
        names = {case.structure(name).name for name in wanted}
    elif goals is not None:
        names = {goal.structure for goal in goals.goals if not goal.implied} | {s.name for s in case.targets}
        names |= {s.name for s in case.outlines}
    else:
        names = set(case.names)
    ordered = [*(name for name in case.names if name in names), *sorted(names.difference(case.names))]
    return [name for name in ordered if len(case.structure(name).voxels)]


def _marks_of_goals(case: Case, goals: BoundSheet, dose: NDArray[np.floating], names: Sequence[str]) -> list[Mark]:
    from ..goals import evaluate

    return [mark for mark in marks(case, evaluate(goals, case, dose).results) if mark[0].goal.structure in names]


def _bands(
    ax: Axes, case: Case, doses: Sequence[NDArray[np.floating]], names: Sequence[str], colour: Mapping[str, str]
) -> None:
    """Shade where the curves of a structure lie in all scenarios; the body's, which hardly moves, is left out."""
    from ..goals import dvh

    for name in names:
        if case.structure(name).type == "external":
            continue
        curves = [dvh(case, dose, name) for dose in doses]
        gray = np.linspace(0.0, max(float(dose[-1]) for dose, _ in curves), _BAND)
        volumes = [np.interp(gray, dose, volume, right=0.0) for dose, volume in curves]
        low, high = np.min(volumes, axis=0), np.max(volumes, axis=0)
        ax.fill_between(gray, low, high, color=colour[name], alpha=0.16, lw=0, zorder=1)


def _mark_goals(ax: Axes, marked: Sequence[Mark], colour: Mapping[str, str]) -> None:
    for result, point in marked:
        own = colour[result.goal.structure]
        ax.plot(
            [point.dose], [point.volume], linestyle="none", marker=_TRIANGLES[point.side], zorder=6,
            markersize=_IMPLIED if result.goal.implied else _ASKED,
            markerfacecolor=own if result.met else "white", markeredgecolor=own, markeredgewidth=1.6, clip_on=False,
        )  # fmt: skip


def _mark_prescriptions(ax: Axes, case: Case, names: Sequence[str], colour: Mapping[str, str]) -> None:
    for target in case.targets:
        if target.name in names and target.prescription:
            ax.axvline(target.prescription, color=colour[target.name], lw=1.0, ls=(0, (2, 2)), alpha=0.8, zorder=1)


def _plain(ax: Axes) -> None:
    ax.grid(color=GRID, lw=0.7)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(QUIET)
    ax.tick_params(colors=INK, labelsize=9)


def _named(case: Case, name: str) -> str:
    """Name a structure in the legend, a target with its prescription."""
    prescription = case.structure(name).prescription
    return f"{label(name, 24)}, {prescription:g} Gy" if prescription else label(name, 24)


def _legends(
    ax: Axes, case: Case, names: Sequence[str], plans: Sequence[str], colour: Mapping[str, str], marked: Sequence[Mark]
) -> None:
    """Explain colours, lines and marks beside the curves, never on them."""
    entries = [Line2D([], [], color=colour[name], lw=2.6, label=_named(case, name)) for name in names]
    if any(case.structure(name).prescription for name in names):
        entries.append(Line2D([], [], color=INK, lw=1.0, ls=(0, (2, 2)), label="prescription"))
    if len(plans) > 1:
        entries.append(Line2D([], [], linestyle="none", label=" "))
        entries += [
            Line2D([], [], color=INK, lw=1.6, linestyle=style, label=label(plan, 28))
            for plan, style in zip(plans, _STYLES, strict=False)
        ]
    if marked:
        entries.append(Line2D([], [], linestyle="none", label=" "))
        which = f", {label(plans[0], 20)}" if len(plans) > 1 else ""
        for met, meaning in ((True, f"goal met{which}"), (False, f"goal not met{which}")):
            if any(result.met is met for result, _ in marked):
                drawn = Line2D([], [], linestyle="none", marker=_TRIANGLES["<"], markersize=14, color=INK)
                drawn.set_label(meaning)
                drawn.set_markerfacecolor(INK if met else "white")
                entries.append(drawn)
        if any(result.goal.implied for result, _ in marked):
            drawn = Line2D(
                [], [], linestyle="none", marker=_TRIANGLES["<"], markersize=_IMPLIED * 14 / _ASKED, color=INK
            )
            drawn.set_label("small: implied goal")
            entries.append(drawn)
    ax.legend(
        handles=entries, loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=9, labelcolor=INK,
        handlelength=2.4, borderaxespad=0.0,
    )  # fmt: skip


def marks(case: Case, results: Iterable[GoalResult]) -> list[Mark]:
    """Find the goals that have a value and are points of a histogram, each with its point.

    Args:
        case: Its structures are those of the goals.
        results: Rows of a goal table.
    """
    marked = []
    for result in results:
        if result.status == "not evaluated":  # its structure may be missing, or have no voxel
            continue
        structure = case.structure(result.goal.structure)
        volume = len(structure.voxels) * case.grid.voxel_cc
        point = result.goal.point(volume, structure.prescription or case.prescription)
        if point is not None:
            marked.append((result, point))
    return marked
