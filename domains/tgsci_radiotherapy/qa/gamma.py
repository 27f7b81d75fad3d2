"""The gamma index of two doses: how much of one agrees with the other, in dose or by a short distance.

pymedphys computes it: defined by Low et al., Med. Phys. 25:656 (1998); interpolated in steps as Wendling et al. advise,
Med. Phys. 34:1647 (2007).
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tgsci.basics import checks
from tgsci.basics.imports import needs
from tgsci.errors import MeasurementError, UsageError

from ..notice import NOTICE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..case.model import Case

#: Most points of the reference that are judged, which takes some seconds; of more, a sample is drawn.
MOST_POINTS = 10_000
#: Largest gamma that is told apart: the search ends there.
MOST_GAMMA = 2.0
#: Steps of the search within the distance criterion, as Wendling et al. recommend.
_STEPS = 10
_MEMORY = 1 << 30
#: Smallest and largest criteria that may be asked for: %, mm, %.
_DOSE, _DISTANCE, _THRESHOLD = (0.1, 50.0), (0.1, 20.0), (0.0, 99.0)


@dataclass(frozen=True, repr=False, eq=False)
class Gamma:
    """How two doses agree.

    Args:
        pass_rate: % of the judged points with gamma of at most 1; nan where none was judged.
        dose_percent: The dose criterion, % of `normalisation`, or of the point's own dose where `local`.
        distance_mm: The distance criterion, mm.
        threshold_percent: Points of the reference below this % of `normalisation` are not judged.
        local: Whether the dose criterion is of the point's own dose.
        normalisation: Gy that the percentages refer to: the reference's maximum.
        points: How many points were judged.
        above_threshold: How many there are above the threshold.
        mean: Mean gamma of the judged points, capped at `MOST_GAMMA` each.
        map: Gamma on the dose grid, (z, y, x), float32; nan where it was not judged.
    """

    pass_rate: float
    dose_percent: float
    distance_mm: float
    threshold_percent: float
    local: bool
    normalisation: float
    points: int
    above_threshold: int
    mean: float
    map: NDArray[np.float32]

    def text(self) -> str:
        """Write one line for a person, with the criteria and what was left out."""
        if not self.points:
            return f"gamma: no point of the reference is above {self.threshold_percent:g}% of its maximum"
        kind = "local" if self.local else "global"
        thinned = "" if self.points == self.above_threshold else f" (a random sample of {self.above_threshold:,})"
        criteria = f"{self.dose_percent:g}% / {self.distance_mm:g} mm"
        return (
            f"gamma {criteria} ({kind}): {self.pass_rate:.1f}% of {self.points:,} points pass{thinned}; "
            f"mean {self.mean:.2f}; points above {self.threshold_percent:g}% of {self.normalisation:.1f} Gy, "
            "the reference's maximum"
        )

    def __repr__(self) -> str:
        return self.text()

    def as_dict(self) -> dict[str, object]:
        """Give the figures for a script, without the map."""
        return {key: value for key, value in vars(self).items() if key != "map"}

    def _repr_html_(self) -> str:
        return f"<p>{self.text()}</p><p><small>{NOTICE}</small></p>"


def gamma_index(
    case: Case,
    reference: NDArray[np.floating],
    evaluated: NDArray[np.floating],
    *,
    dose_percent: float = 3.0,
    distance_mm: float = 2.0,
    threshold_percent: float = 10.0,
    local: bool = False,
    points: int = MOST_POINTS,
) -> Gamma:
    """Compare two doses of a case; the default criteria are those of AAPM TG-218, 3% / 2 mm, global, from 10% up.

    Args:
        case: What both doses are of.
        reference: Total Gy by row; each judged point is one of its voxels.
        evaluated: Total Gy by row; interpolated linearly around each point.
        dose_percent: Dose criterion, % of the reference's maximum, or of the point's own dose where `local`.
        distance_mm: Distance criterion, mm.
        threshold_percent: Points below this % of the reference's maximum are not judged.
        local: Judge each point by % of its own dose.
        points: How many points to judge at most; of more, a random sample, the same one every time.

    Raises:
        UsageError: A dose of another case, criteria out of range, or pymedphys is not installed.
        MeasurementError: pymedphys could not compare the doses.
    """
    import numpy as np

    _check_dose(case, "reference", reference)
    _check_dose(case, "evaluated", evaluated)
    checks.number("dose_percent", dose_percent, *_DOSE, unit="%")
    checks.number("distance_mm", distance_mm, *_DISTANCE, unit="mm")
    checks.number("threshold_percent", threshold_percent, *_THRESHOLD, unit="%")
    checks.whole("points", points, 1)
    first, second = case.cube(reference), case.cube(evaluated)
    empty = np.full(case.grid.shape, np.nan, np.float32)
    largest = float(first.max())
    criteria = (dose_percent, distance_mm, threshold_percent, local)
    above = np.flatnonzero(first.reshape(-1) >= max(threshold_percent / 100 * largest, 1e-6))
    if largest <= 0 or not len(above):
        return Gamma(math.nan, *criteria, largest, 0, 0, math.nan, empty)
    judged = above
    if len(above) > points:
        judged = np.sort(np.random.default_rng(0).choice(above, points, replace=False))
    asked = np.zeros_like(first)
    asked.reshape(-1)[judged] = first.reshape(-1)[judged]
    window = _window(asked > 0, case.grid.spacing, MOST_GAMMA * distance_mm)
    axes = tuple(axis[part] for axis, part in zip(case.grid.axes(), window, strict=True))
    gamma_map = empty
    gamma_map[window] = _gamma_map(axes, asked[window], second[window], criteria, largest)
    values = gamma_map.reshape(-1)[judged]
    rate = 100.0 * float(np.mean(values <= 1.0))
    return Gamma(rate, *criteria, largest, len(judged), len(above), float(values.mean()), gamma_map)


def _gamma_map(
    axes: tuple[NDArray[np.float64], ...],
    reference: NDArray[np.float32],
    evaluated: NDArray[np.float32],
    criteria: tuple[float, float, float, bool],
    normalisation: float,
) -> NDArray[np.float32]:
    """Let pymedphys compute gamma; nan where the reference is below the threshold."""
    import numpy as np

    compare = needs("pymedphys", "the gamma index", "radiotherapy").gamma
    percent, distance, threshold, local = criteria
    logging.getLogger("pymedphys").setLevel(logging.WARNING)  # it writes its progress otherwise
    try:
        gamma = compare(
            axes, reference.astype(np.float64), axes, evaluated.astype(np.float64), percent, distance,
            lower_percent_dose_cutoff=threshold, interp_fraction=_STEPS, max_gamma=MOST_GAMMA, local_gamma=local,
            global_normalisation=normalisation, ram_available=_MEMORY,
        )  # fmt: skip
    except ValueError as error:
        raise MeasurementError(f"pymedphys could not compare the doses: {error}") from error
    return np.asarray(gamma, np.float32)


def _window(there: NDArray[np.bool_], spacing: tuple[float, float, float], reach: float) -> tuple[slice, slice, slice]:
    """Cut the grid to all points and what lies within reach of them; at least two voxels each way."""
    import numpy as np

    parts = []
    for axis, step in enumerate(spacing):
        others = tuple(i for i in range(3) if i != axis)
        places = np.flatnonzero(there.any(axis=others))
        more = math.ceil(reach / step) + 1
        parts.append(slice(max(0, int(places[0]) - more), min(there.shape[axis], int(places[-1]) + more + 1)))
    return parts[0], parts[1], parts[2]


def _check_dose(case: Case, name: str, dose: NDArray[np.floating]) -> None:
    """Refuse a dose of another case, or one that is not finite.

    Raises:
        UsageError: The dose is of another case, or not finite.
    """
    import numpy as np

    if np.shape(dose) != (len(case.voxels),):
        raise UsageError(
            f"the {name} dose has shape {np.shape(dose)}, but the case {case.name} has {len(case.voxels)} rows: "
            "it belongs to another case, or it is a cube (case.by_row(cube) gives the rows)"
        )
    if not np.isfinite(dose).all():
        raise UsageError(f"the {name} dose is not finite everywhere")
