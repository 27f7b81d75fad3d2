"""Robustness: how a plan's goals stand when the patient lies a few millimetres off, nominal and at their worst.

Two methods. "cloud" keeps the dose where it is in the room and moves the patient through it (the static dose cloud):
quick, for any case, and good while the patient's surface and inner densities hardly change along the beams. "exact"
moves the patient under the beams and calculates the dose-influence matrix again, with the same fluence: for built-in
cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tgsci.basics import checks
from tgsci.errors import UsageError

from ..notice import NOTICE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..case.model import Case, Dij
    from ..goals import BoundSheet, GoalResult, GoalTable

#: How far the patient is moved along each axis by default, mm.
SHIFT_MM = 3.0
METHODS = {
    "cloud": "static dose cloud: the dose stays in the room, the patient moves through it",
    "exact": "the dose-influence matrix is calculated again for the moved patient, with the same fluence",
}
_FARTHEST = 20.0
#: Which way the patient lies off, as (x, y, z).
_WAYS = {
    "left": (1, 0, 0),
    "right": (-1, 0, 0),
    "back": (0, 1, 0),
    "front": (0, -1, 0),
    "head": (0, 0, 1),
    "feet": (0, 0, -1),
}


@dataclass(frozen=True)
class GoalRange:
    """A goal over all shifts.

    Args:
        nominal: Without a shift.
        worst: Of the shift with the smallest margin.
        shift: That shift: "3 mm left", say; "" where none is worse than the nominal.
    """

    nominal: GoalResult
    worst: GoalResult
    shift: str

    @property
    def criterion(self) -> str:
        """What the goal asks for: "PTV D95% >= 50 Gy"."""
        return self.nominal.goal.criterion

    @property
    def kept(self) -> bool:
        """True where it is met, or within its tolerance, without a shift."""
        return self.nominal.status in _KEPT

    def as_dict(self) -> dict[str, Any]:
        """Give the range as JSON has it."""
        return {
            "name": self.criterion,
            "unit": self.nominal.goal.unit,
            "nominal": self.nominal.value,
            "worst": self.worst.value,
            "shift": self.shift,
            "status": self.nominal.status,
            "worst_status": self.worst.status,
        }


@dataclass(frozen=True, repr=False)
class Robustness:
    """How a plan's goals stand when the patient is shifted.

    Args:
        shift_mm: How far, along each axis and both ways.
        method: A key of `METHODS`.
        goals: One entry a goal, in the order of the sheet.
        tables: The goal table of each shift, "nominal" first.
    """

    shift_mm: float
    method: str
    goals: tuple[GoalRange, ...]
    tables: Mapping[str, GoalTable]

    @property
    def lost(self) -> tuple[GoalRange, ...]:
        """Goals that are met without a shift and missed with one."""
        return tuple(g for g in self.goals if g.kept and g.worst.status == "fail")

    def rows(self) -> list[list[str]]:
        """Give the table's cells, below `HEADER`."""
        return [
            [g.criterion, g.nominal.value_text, g.nominal.status, g.worst.value_text, g.worst.status, g.shift]
            for g in self.goals
        ]

    def summary(self) -> str:
        """Sum up in a sentence: how many goals that are met are lost."""
        met = [g for g in self.goals if g.kept]
        if not met:
            return f"no goal is met without a shift, so none can be lost within {self.shift_mm:g} mm"
        if not self.lost:
            return f"all {len(met)} goals that are met stay met within {self.shift_mm:g} mm"
        names = "; ".join(f"{g.criterion} ({g.shift})" for g in self.lost)
        return f"{len(self.lost)} of {len(met)} goals that are met are lost within {self.shift_mm:g} mm: {names}"

    def __repr__(self) -> str:
        return self.text()

    def text(self) -> str:
        """Write a table for a terminal, with the method and the notice."""
        cells = [list(HEADER), *self.rows()]
        widths = [max(len(row[i]) for row in cells) for i in range(len(HEADER))]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
        head = f"ROBUSTNESS with the patient shifted {self.shift_mm:g} mm along x, y and z, both ways"
        return "\n".join([head, METHODS[self.method], *lines, self.summary(), NOTICE])

    def as_dict(self) -> dict[str, Any]:
        """Give the same for a script."""
        return {
            "notice": NOTICE,
            "shift_mm": self.shift_mm,
            "method": self.method,
            "method_in_words": METHODS[self.method],
            "goals": [g.as_dict() for g in self.goals],
            "summary": self.summary(),
        }

    def _repr_html_(self) -> str:
        from tgsci.show.html import html_table

        how = f"Patient shifted {self.shift_mm:g} mm each way; {METHODS[self.method]}."
        return html_table(HEADER, self.rows(), notes=[f"{how} {self.summary()}. {NOTICE}"])


#: Titles of the table's columns.
HEADER = ("goal", "nominal", "status", "worst", "status then", "worst shift")
_KEPT = ("pass", "tolerance")


def shifted_dose(case: Case, dose: NDArray[np.floating], shift: Sequence[float]) -> NDArray[np.float32]:
    """Move the patient through the dose: what each voxel gets when the patient lies off and the dose stays.

    Interpolated by cubic splines on the dose grid; beyond the body the nearest dose is continued, so that a structure
    at the skin is not lowered by dose that the case does not have.

    Args:
        case: What the dose is of.
        dose: Total Gy by row.
        shift: How far the patient lies off, (x, y, z), mm: to the patient's left, to the back, to the head.

    Returns:
        Total Gy by row.
    """
    import numpy as np
    from scipy import ndimage

    cube = case.cube(np.asarray(dose)).astype(np.float64)
    has_row = np.zeros(case.grid.size, bool)
    has_row[case.voxels] = True
    nearest = ndimage.distance_transform_edt(
        ~has_row.reshape(case.grid.shape), sampling=case.grid.spacing, return_distances=False, return_indices=True
    )
    cube = cube[tuple(nearest)]
    places = np.stack(np.unravel_index(case.voxels, case.grid.shape)).astype(np.float64)
    places += (np.asarray(shift, np.float64)[::-1] / np.asarray(case.grid.spacing))[:, None]
    moved = ndimage.map_coordinates(cube, places, order=3, mode="nearest")
    return np.asarray(np.maximum(moved, 0.0), np.float32)


def under_shifts(
    case: Case,
    goals: BoundSheet,
    *,
    dose: NDArray[np.floating] | None = None,
    fluence: NDArray[np.floating] | None = None,
    shift_mm: float = SHIFT_MM,
    method: str = "",
) -> Robustness:
    """Evaluate each goal with the patient shifted along x, y and z, both ways.

    Args:
        case: What the plan is of.
        goals: A sheet bound to the case.
        dose: Total Gy by row; that of the fluence where None.
        fluence: Of each beamlet; needed for "exact".
        shift_mm: How far the patient is moved.
        method: "cloud" or "exact"; exact where the case and the plan allow it if "".

    Raises:
        UsageError: Neither dose nor fluence, an unknown method, or "exact" for a case that is not built in.
    """
    import numpy as np

    checks.number("shift_mm", shift_mm, above=0.0, high=_FARTHEST, unit="mm")
    if method:
        checks.choice("method", method, METHODS)
    if dose is None:
        if fluence is None:
            raise UsageError("robustness needs a dose or a fluence")
        dose = _dose(case.dij, fluence)
    possible = fluence is not None and _is_built_in(case)
    chosen = method or ("exact" if possible else "cloud")
    if chosen == "exact" and not possible:
        why = "needs a plan's fluence, not only its dose" if fluence is None else "is there for built-in cases only"
        raise UsageError(f"the exact method {why}; take --method cloud")
    doses = {"nominal": np.asarray(dose, np.float32)}
    for way, axis in _WAYS.items():
        shift = tuple(shift_mm * step for step in axis)
        doses[f"{shift_mm:g} mm {way}"] = (
            _recalculate(case, fluence, shift) if chosen == "exact" and fluence is not None
            else shifted_dose(case, dose, shift)
        )  # fmt: skip
    return evaluate_scenarios(case, goals, doses, shift_mm, chosen)


def evaluate_scenarios(
    case: Case, goals: BoundSheet, doses: Mapping[str, NDArray[np.floating]], shift_mm: float, method: str
) -> Robustness:
    """Evaluate the goals in each scenario, and find the worst of each goal.

    Args:
        case: What the doses are of.
        goals: A sheet bound to the case.
        doses: Total Gy by row, by scenario, the nominal one first.
        shift_mm: How far the patient lies off in the scenarios.
        method: A key of `METHODS`.
    """
    from ..goals import evaluate

    tables = {name: evaluate(goals, case, dose) for name, dose in doses.items()}
    (_, nominal), *others = tables.items()
    ranges = []
    for i, row in enumerate(nominal.results):
        then = [(name, table.results[i]) for name, table in others]
        shift, worst = min(then, key=lambda each: _margin(each[1].margin))
        if _margin(worst.margin) >= _margin(row.margin):
            shift, worst = "", row
        ranges.append(GoalRange(row, worst, shift))
    return Robustness(shift_mm, method, tuple(ranges), tables)


def _margin(margin: float) -> float:
    """Order margins so that what could not be evaluated is never the worst."""
    return float("inf") if margin != margin else margin


def _is_built_in(case: Case) -> bool:
    """Tell whether a case is a built-in one, unchanged."""
    from ..case.library import case_names, open_case

    return case.name in case_names() and open_case(case.name).fingerprint == case.fingerprint


def _recalculate(case: Case, fluence: NDArray[np.floating], shift: Sequence[float]) -> NDArray[np.float32]:
    from ..case.library import shifted_dij

    return _dose(shifted_dij(case.name, shift), fluence)


def _dose(dij: Dij, fluence: NDArray[np.floating]) -> NDArray[np.float32]:
    import numpy as np

    from ..planner.matrix import Matrix

    x = np.asarray(fluence, np.float64)
    if x.shape != (dij.beamlets,):
        raise UsageError(f"the fluence has {x.size} values, the case {dij.beamlets} beamlets; it is of another case")
    return Matrix(dij).dose(x, exact=True).astype(np.float32)
