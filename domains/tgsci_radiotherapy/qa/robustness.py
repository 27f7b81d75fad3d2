"""Robustness: a plan's goals when the patient lies some millimetres off, or is denser than the image says.

Scenarios: the patient shifted along x, y and z, both ways; every density some per cent higher and lower. The fluence
stays. Two methods:

"cloud" is quick and for any case. A shift keeps the dose where it is in the room and moves the patient through it (the
static dose cloud), which is good while the patient's surface and inner densities hardly change along the beams. A
density error scales the radiological depths: each photon beam's dose is multiplied by what the depth dose of a wide
field changes from the depth to the scaled one; each proton beam's dose is pulled along the beam by what its range
changes. It needs the beams' angles; depths are those of the image, or of water inside the body where there is none.

"exact" calculates the dose-influence matrix again, with the patient moved or denser: where the case has its image and
beams, and its matrix is the built-in engine's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tgsci.basics import checks
from tgsci.errors import UsageError

from ..notice import NOTICE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..case.beams import Setup
    from ..case.model import Case, Dij
    from ..goals import BoundSheet, GoalResult, GoalTable

    Doses = Mapping[str, NDArray[np.float32]]

#: How far the patient is moved along each axis by default, mm, and how wrong densities are, %.
SHIFT_MM, DENSITY_PERCENT = 3.0, 3.0
METHODS = {
    "cloud": "static dose cloud: the dose stays in the room, the patient moves through it",
    "exact": "the dose-influence matrix is calculated again for each scenario, with the same fluence",
}
#: How a density error is worked out under "cloud", by what the case has.
DENSITIES = {
    "photons": "density by scaled depths: each beam's dose times the change of a wide field's depth dose",
    "protons": "density by scaled depths: each beam's dose pulled along it by the change of its range",
    "": "no density error: the case does not say where its beams come from",
}
_FARTHEST, _DENSEST = 20.0, 20.0
#: A matrix that is calculated again must give the plan's dose within this share of its maximum, on average where half
#: of that is reached.
_SAME = 0.005
#: Which way the patient lies off, as (x, y, z).
_WAYS = {
    "left": (1, 0, 0),
    "right": (-1, 0, 0),
    "back": (0, 1, 0),
    "front": (0, -1, 0),
    "head": (0, 0, 1),
    "feet": (0, 0, -1),
}
NOMINAL = "nominal"


@dataclass(frozen=True)
class GoalRange:
    """A goal over all scenarios.

    Args:
        nominal: As planned.
        worst: Of the scenario with the smallest margin.
        scenario: That scenario: "3 mm left", "density +3%"; "" where none is worse than the nominal.
    """

    nominal: GoalResult
    worst: GoalResult
    scenario: str

    @property
    def criterion(self) -> str:
        """What the goal asks for: "PTV D95% >= 50 Gy"."""
        return self.nominal.goal.criterion

    @property
    def kept(self) -> bool:
        """True where it is met, or within its tolerance, as planned."""
        return self.nominal.status in _KEPT

    def as_dict(self) -> dict[str, Any]:
        """Give the range as JSON has it."""
        return {
            "name": self.criterion,
            "unit": self.nominal.goal.unit,
            "nominal": self.nominal.value,
            "worst": self.worst.value,
            "scenario": self.scenario,
            "status": self.nominal.status,
            "worst_status": self.worst.status,
        }


@dataclass(frozen=True, repr=False)
class Robustness:
    """How a plan's goals stand in every scenario.

    Args:
        shift_mm: How far the patient is moved, along each axis and both ways.
        density_percent: By how much every density is wrong, both ways; 0 where that is left out.
        method: A key of `METHODS`.
        goals: One entry a goal, in the order of the sheet.
        tables: The goal table of each scenario, "nominal" first.
        how: In a sentence, how the scenarios' doses were worked out.
        doses: Total Gy by row, of each scenario.
    """

    shift_mm: float
    density_percent: float
    method: str
    goals: tuple[GoalRange, ...]
    tables: Mapping[str, GoalTable]
    how: str = ""
    doses: Doses = field(default_factory=dict, compare=False)

    @property
    def lost(self) -> tuple[GoalRange, ...]:
        """Goals that are met as planned and missed in a scenario."""
        return tuple(g for g in self.goals if g.kept and g.worst.status == "fail")

    @property
    def errors(self) -> str:
        """What is wrong in the scenarios: "3 mm and 3% of density"."""
        density = f" and {self.density_percent:g}% of density" if self.density_percent else ""
        return f"{self.shift_mm:g} mm{density}"

    @property
    def worst(self) -> str:
        """The scenario that loses most: most goals that were met, then the largest shortfalls by priority."""
        from ..loss import scoring

        others = [name for name in self.tables if name != NOMINAL]
        rows = {name: [r for r in self.tables[name].results if r.value == r.value] for name in others}
        return max(others, key=lambda name: (len(self.lost_in(name)), sum(scoring.parts(rows[name]))), default=NOMINAL)

    def lost_in(self, scenario: str) -> list[str]:
        """Name the goals that are met, or within tolerance, as planned and missed in a scenario."""
        pairs = zip(self.tables[NOMINAL].results, self.tables[scenario].results, strict=True)
        return [before.goal.criterion for before, then in pairs if before.status in _KEPT and then.status == "fail"]

    @property
    def has_margins(self) -> bool:
        """True where goals are about a PTV, which has the margin for a shift in it."""
        return any(g.nominal.goal.structure.casefold().startswith("ptv") for g in self.goals)

    def rows(self) -> list[list[str]]:
        """Give the cells of the table of goals, below `HEADER`."""
        return [
            [g.criterion, g.nominal.value_text, g.nominal.status, g.worst.value_text, g.worst.status, g.scenario]
            for g in self.goals
        ]

    def scenario_rows(self) -> list[list[str]]:
        """Give the cells of the table of scenarios, below `SCENARIOS`."""
        return [[name, _counted(table), "; ".join(self.lost_in(name)) or "none"] for name, table in self.tables.items()]

    def summary(self) -> str:
        """Sum up in a sentence: how many goals that are met are lost."""
        met = [g for g in self.goals if g.kept]
        if not met:
            return f"no goal is met as planned, so none can be lost within {self.errors}"
        if not self.lost:
            return f"all {len(met)} goals that are met stay met within {self.errors}"
        names = "; ".join(f"{g.criterion} ({g.scenario})" for g in self.lost)
        return f"{len(self.lost)} of {len(met)} goals that are met are lost within {self.errors}: {names}"

    def __repr__(self) -> str:
        return self.text()

    def text(self) -> str:
        """Write the tables for a terminal, with the method and the notice."""
        lines = [
            f"ROBUSTNESS with the patient shifted {self.shift_mm:g} mm along x, y and z, both ways"
            + (f", and densities wrong by {self.density_percent:g}%, both ways" if self.density_percent else ""),
            self.how or METHODS[self.method],
            *_lined_up([HEADER, *self.rows()]),
            "",
            *_lined_up([SCENARIOS, *self.scenario_rows()]),
            f"worst case: {self.worst}",
            self.summary(),
            *([_MARGIN] if self.has_margins else []),
            NOTICE,
        ]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Give the same for a script."""
        return {
            "notice": NOTICE,
            "shift_mm": self.shift_mm,
            "density_percent": self.density_percent,
            "method": self.method,
            "method_in_words": self.how or METHODS[self.method],
            "goals": [g.as_dict() for g in self.goals],
            "scenarios": [
                {
                    "name": name,
                    "met": table.met,
                    "evaluated": len(table.evaluated) - len(table.implied),
                    "implied_met": sum(r.met for r in table.implied),
                    "implied": len(table.implied),
                    "lost": self.lost_in(name),
                }
                for name, table in self.tables.items()
            ],
            "worst_case": self.worst,
            "summary": self.summary(),
        }

    def _repr_html_(self) -> str:
        from tgsci.show.html import html_table

        how = f"Within {self.errors}; {self.how or METHODS[self.method]}."
        goals = html_table(HEADER, self.rows())
        margins = f" {_MARGIN}" if self.has_margins else ""
        notes = [f"{how} {self.summary()}.{margins} {NOTICE}"]
        return goals + html_table(SCENARIOS, self.scenario_rows(), notes=notes)


#: Titles of the columns: of the table of goals, and of that of scenarios.
HEADER = ("goal", "nominal", "status", "worst", "status then", "worst scenario")
SCENARIOS = ("scenario", "goals met", "lost of those that are met as planned")
_KEPT = ("pass", "tolerance")
#: What a lost goal of a PTV means.
_MARGIN = "A PTV has the margin for such shifts in it: its goals may be lost where those of CTV and organs are not."


def _counted(table: GoalTable) -> str:
    """Count what is met, and apart what is within its tolerance, which is not lost either, and implied goals."""
    near = sum(r.status == "tolerance" for r in table.results if not r.goal.implied)
    tolerated = f", {near} within tolerance" if near else ""
    implied = f", implied {sum(r.met for r in table.implied)} of {len(table.implied)}" if table.implied else ""
    return f"{table.met} of {len(table.evaluated) - len(table.implied)}{tolerated}{implied}"


def _lined_up(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


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

    moves = np.broadcast_to(np.asarray(shift, np.float64), (len(case.voxels), 3))
    return _sampled(case, np.asarray(dose), moves)


def _sampled(case: Case, dose: NDArray[np.floating], moves: NDArray[np.float64]) -> NDArray[np.float32]:
    """Give each row the dose that is so far from it, (rows, 3), (x, y, z), mm."""
    import numpy as np
    from scipy import ndimage

    cube = case.cube(dose).astype(np.float64)
    has_row = np.zeros(case.grid.size, bool)
    has_row[case.voxels] = True
    nearest = ndimage.distance_transform_edt(
        ~has_row.reshape(case.grid.shape), sampling=case.grid.spacing, return_distances=False, return_indices=True
    )
    cube = cube[tuple(nearest)]
    places = np.stack(np.unravel_index(case.voxels, case.grid.shape)).astype(np.float64)
    places += (moves[:, ::-1] / np.asarray(case.grid.spacing)).T
    moved = ndimage.map_coordinates(cube, places, order=3, mode="nearest")
    return np.asarray(np.maximum(moved, 0.0), np.float32)


def denser_dose(
    case: Case, dose: NDArray[np.floating], density: float, fluence: NDArray[np.floating] | None = None
) -> NDArray[np.float32]:
    """Estimate the dose in a patient whose densities are all wrong by one factor, by scaled depths.

    Args:
        case: What the dose is of; with its beams.
        dose: Total Gy by row.
        density: What every density is multiplied by.
        fluence: Of each beamlet, which tells what each beam gives; where None, each beam is taken to give the same
            share of every voxel's dose.

    Returns:
        Total Gy by row.

    Raises:
        UsageError: The case does not say where its beams come from.
    """
    import numpy as np

    from ..case.beams.pencil import wide_field

    if not case.beams:
        raise UsageError("the case does not say where its beams come from, so densities along them cannot be scaled")
    shares = _beam_doses(case, dose, fluence)
    total = np.zeros(len(case.voxels))
    for (depth, forward), own in zip(_depths(case), shares, strict=True):
        there = depth.astype(np.float64)
        if case.modality == "protons":
            # A denser patient stops protons earlier: a voxel gets what lay deeper by so much.
            deeper: NDArray[np.float64] = (density - 1.0) * there[:, None] * forward
            total += _sampled(case, own, deeper)
        else:
            total += own * wide_field(density * there) / wide_field(there)
    return total.astype(np.float32)


def _beam_doses(
    case: Case, dose: NDArray[np.floating], fluence: NDArray[np.floating] | None
) -> list[NDArray[np.float64]]:
    """Split a dose into what each beam gives."""
    import numpy as np

    if fluence is None:
        return [np.asarray(dose, np.float64) / len(case.beams)] * len(case.beams)
    from ..planner.matrix import Matrix

    matrix, x = Matrix(case.dij), np.asarray(fluence, np.float64)
    return [
        np.asarray(matrix.dose(np.where(case.dij.beams == b, x, 0.0), exact=True), np.float64)
        for b in range(len(case.beams))
    ]


def _depths(case: Case) -> list[tuple[NDArray[np.float32], NDArray[np.float64]]]:
    """Find the radiological depth of each row along each beam, mm of water, and the beam's direction."""
    import numpy as np

    from ..case.beams import electron_density
    from ..case.beams.geometry import axes, points_of
    from ..case.beams.kernels import depths

    grid = case.grid
    if case.ct is not None and case.ct_grid is not None:
        density, grid = electron_density(case.ct, case.hu_table), case.ct_grid
    else:
        water = np.zeros(grid.size, np.float32)
        water[case.voxels] = 1.0
        density = water.reshape(grid.shape)
    points = points_of(case.grid, case.voxels)
    aimed = [s.voxels for s in case.structures if s.type == "target"]
    centre = points_of(case.grid, np.unique(np.concatenate(aimed))).mean(axis=0) if aimed else points.mean(axis=0)
    spacing, origin = (np.array(of[::-1], np.float64) for of in (grid.spacing, grid.origin))
    everywhere, found = np.ones(len(points), bool), []
    for beam in case.beams:
        seen = axes(beam, centre.tolist())
        found.append((depths(points, everywhere, seen.source, density, spacing, origin), seen.forward))
    return found


def under_shifts(
    case: Case,
    goals: BoundSheet,
    *,
    dose: NDArray[np.floating] | None = None,
    fluence: NDArray[np.floating] | None = None,
    shift_mm: float = SHIFT_MM,
    density_percent: float = DENSITY_PERCENT,
    method: str = "",
) -> Robustness:
    """Evaluate each goal with the patient shifted along x, y and z, both ways, and with densities too high and too low.

    Args:
        case: What the plan is of.
        goals: A sheet bound to the case.
        dose: Total Gy by row; that of the fluence where None.
        fluence: Of each beamlet; needed for "exact", and makes density errors under "cloud" those of each beam.
        shift_mm: How far the patient is moved.
        density_percent: By how much every density is wrong; 0 leaves that out.
        method: "cloud" or "exact"; exact for built-in cases with a fluence if "".

    Raises:
        UsageError: Neither dose nor fluence, an unknown method, or "exact" for a case whose matrix is another engine's.
    """
    import numpy as np

    checks.number("shift_mm", shift_mm, above=0.0, high=_FARTHEST, unit="mm")
    checks.number("density_percent", density_percent, 0.0, _DENSEST, unit="%")
    if method:
        checks.choice("method", method, METHODS)
    if dose is None:
        if fluence is None:
            raise UsageError("robustness needs a dose or a fluence")
        dose = _dose(case.dij, fluence)
    nominal = np.asarray(dose, np.float32)
    chosen = method or ("exact" if fluence is not None and _is_built_in(case) else "cloud")
    factors = {f"density {p:+g}%": 1.0 + p / 100.0 for p in (density_percent, -density_percent) if p}
    shifts = {f"{shift_mm:g} mm {way}": tuple(shift_mm * step for step in axis) for way, axis in _WAYS.items()}
    doses = {NOMINAL: nominal}
    if chosen == "exact":
        if fluence is None:
            raise UsageError("the exact method needs a plan's fluence, not only its dose; take --method cloud")
        setup = _setup(case, nominal, fluence)
        doses |= {name: _dose(setup.dij(shift), fluence) for name, shift in shifts.items()}
        doses |= {name: _dose(setup.dij(density=by), fluence) for name, by in factors.items()}
        how = METHODS["exact"]
    else:
        doses |= {name: shifted_dose(case, dose, shift) for name, shift in shifts.items()}
        how = METHODS["cloud"]
        if factors and case.beams:
            doses |= {name: denser_dose(case, dose, by, fluence) for name, by in factors.items()}
            how += f"; {DENSITIES['protons' if case.modality == 'protons' else 'photons']}"
            how += "" if fluence is not None else ", every beam taken to give the same share"
            how += "" if case.ct is not None else ", in water: the case has no image"
        elif factors:
            how, density_percent = f"{how}; {DENSITIES['']}", 0.0
    return evaluate_scenarios(case, goals, doses, shift_mm, chosen, density_percent=density_percent, how=how)


def evaluate_scenarios(
    case: Case,
    goals: BoundSheet,
    doses: Doses,
    shift_mm: float,
    method: str,
    *,
    density_percent: float = 0.0,
    how: str = "",
) -> Robustness:
    """Evaluate the goals in each scenario, and find the worst of each goal.

    Args:
        case: What the doses are of.
        goals: A sheet bound to the case.
        doses: Total Gy by row, by scenario, the nominal one first.
        shift_mm: How far the patient lies off in the scenarios.
        method: A key of `METHODS`.
        density_percent: By how much densities are wrong in the scenarios.
        how: How the doses were worked out, in a sentence.
    """
    from ..goals import evaluate

    tables = {name: evaluate(goals, case, dose) for name, dose in doses.items()}
    (_, nominal), *others = tables.items()
    ranges = []
    for i, row in enumerate(nominal.results):
        then = [(name, table.results[i]) for name, table in others]
        scenario, worst = min(then, key=lambda each: _margin(each[1].margin))
        if _margin(worst.margin) >= _margin(row.margin):
            scenario, worst = "", row
        ranges.append(GoalRange(row, worst, scenario))
    return Robustness(shift_mm, density_percent, method, tuple(ranges), tables, how, doses)


def _margin(margin: float) -> float:
    """Order margins so that what could not be evaluated is never the worst."""
    return float("inf") if margin != margin else margin


def _is_built_in(case: Case) -> bool:
    """Tell whether a case is a built-in one, unchanged."""
    from ..case.library import case_names, open_case

    return case.name in case_names() and open_case(case.name).fingerprint == case.fingerprint


def _setup(case: Case, dose: NDArray[np.floating], fluence: NDArray[np.floating]) -> Setup:
    """Give what a case's matrix was calculated from, if the built-in engine makes the plan's dose of it.

    Raises:
        UsageError: The case lacks its image or beams, or its matrix is another engine's.
    """
    import numpy as np

    from ..case.beams import Setup

    other = "so its dose cannot be calculated again; take --method cloud"
    if case.ct is None or case.ct_grid is None or not case.beams:
        raise UsageError(f"the case {case.name} has no image or does not say where its beams come from, {other}")
    engine = " ".join(case.provenance.get(key, "") for key in ("dose", "dose engine"))
    if "analytic 6 MV pencil beam" not in engine:
        raise UsageError(f"the matrix of {case.name} was not calculated by the built-in dose engine, {other}")
    ct = np.asarray(case.ct, np.int16)
    setup = Setup(
        case.name, ct, case.ct_grid, case.grid, case.structures, case.beams, case.fractions, hu_table=case.hu_table
    )
    if not _is_built_in(case):
        again = setup.dij()
        off = np.inf
        if again.beamlets == case.dij.beamlets:
            high = dose >= 0.5 * np.max(dose)
            off = float(np.abs(_dose(again, fluence) - dose)[high].mean())
        if off > _SAME * float(np.max(dose)):
            raise UsageError(f"the built-in dose engine does not reproduce the matrix of {case.name}, {other}")
    return setup


def _dose(dij: Dij, fluence: NDArray[np.floating]) -> NDArray[np.float32]:
    import numpy as np

    from ..planner.matrix import Matrix

    x = np.asarray(fluence, np.float64)
    if x.shape != (dij.beamlets,):
        raise UsageError(f"the fluence has {x.size} values, the case {dij.beamlets} beamlets; it is of another case")
    return Matrix(dij).dose(x, exact=True).astype(np.float32)
