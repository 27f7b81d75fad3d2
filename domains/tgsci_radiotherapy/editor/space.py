"""The box that the baselines search: log2 of every weight and every dose of the start parameters, within ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..plan import PlanParameters
from .doses import highest_dose, sensible

if TYPE_CHECKING:
    from tgsci.search.trial import Trial, Trials

#: Weights range over so many decades, around the start's.
DECADES = 2.0
#: Doses of targets, and of everything else, as shares of the start's target dose.
TARGET_DOSES, OTHER_DOSES = (0.97, 1.10), (0.0, 1.0)


@dataclass(frozen=True)
class Axis:
    """A parameter that is searched.

    Args:
        name: Of the objective and the field, "PTV squared_deviation weight".
        place: Of the objective.
        field: weight or dose_gy.
        low: Smallest value.
        high: Largest value.
    """

    name: str
    place: int
    field: str
    low: float
    high: float

    @property
    def log(self) -> bool:
        """True where the logarithm is what is uniform."""
        return self.field == "weight"


@dataclass(frozen=True)
class Space:
    """The box around start parameters.

    Args:
        start: The parameters whose structures and types stay.
        axes: What is searched.
    """

    start: PlanParameters
    axes: tuple[Axis, ...]

    @classmethod
    def of(cls, start: PlanParameters, *, doses: bool = True) -> Space:
        """The box: weights by decades, doses by shares of the highest dose that is asked for.

        Args:
            start: The parameters that a run starts from.
            doses: False where a protocol tunes weights only.
        """
        highest = highest_dose(start)
        axes = []
        for i, o in enumerate(start.objectives):
            weight = o.weight or 1.0
            axes.append(Axis(f"{i} weight", i, "weight", weight / 10**DECADES, weight * 10**DECADES))
            if doses and o.dose_gy is not None:
                low, high = TARGET_DOSES if o.lifts else OTHER_DOSES
                base = o.dose_gy if o.lifts else highest
                axes.append(Axis(f"{i} dose", i, "dose_gy", low * base, high * base))
        return cls(start, tuple(axes))

    def parameters(self, values: Sequence[float]) -> PlanParameters:
        """The parameters at a point of the box."""
        made = self.start
        for axis, value in zip(self.axes, values, strict=True):
            if axis.field == "weight":
                made = made.replaced(axis.place, weight=float(f"{value:.4g}"))
            else:
                dose = sensible(value, self.start.objectives[axis.place].lifts, self.start)
                made = made.replaced(axis.place, dose_gy=dose)
        return made

    def values(self, trial: Trial) -> list[float] | None:
        """Where a trial lies in the box, put onto its faces where it is outside; None for other objectives."""
        from tgsci.errors import InvalidValue

        try:
            parameters = PlanParameters.read(trial.value)
        except InvalidValue:
            return None
        wanted = [(o.structure, o.type) for o in self.start.objectives]
        if [(o.structure, o.type) for o in parameters.objectives] != wanted:
            return None
        found = []
        for axis in self.axes:
            value = getattr(parameters.objectives[axis.place], axis.field)
            found.append(min(max(float(value), axis.low), axis.high))
        return found


def space_of(trials: Trials, *, doses: bool = True) -> Space | None:
    """The box around the run's first value; None where that holds no parameters."""
    from tgsci.errors import InvalidValue

    if not len(trials):
        return None
    try:
        return Space.of(PlanParameters.read(trials[0].value), doses=doses)
    except InvalidValue:
        return None
