"""Goals that the targets alone forbid: an organ that lies in a target, or right beside it, gets dose in every plan.

A plan that treats its targets gives every voxel of a target at least 95% of its prescription, and beside a target the
dose falls no faster than a beam's edge does: a photon field falls from 80% to 20% over 6 mm or more (Khan, The Physics
of Radiation Therapy, 5th ed., ch. 4), so by at most 10% a mm. Both together are a floor under every such dose. A goal
on an organ that even the floor misses cannot be met, and the floor's value is the least that could be. The first part
follows from the targets' prescriptions; the second is an estimate, on the low side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tgsci.basics.texts import compact

from .goal import Goal, with_unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Case

    Floats = NDArray[np.float64]

#: Least share of its prescription that every voxel of a target gets.
_LEAST = 0.95
#: Steepest fall of the dose beside a target, share of the target's dose per mm; nothing is assumed of protons.
FALL_PER_MM = 0.10
#: A goal counts as forbidden where the floor misses it by more than this share of its limit.
_BEYOND = 0.01
#: Metrics that never fall when a dose rises somewhere.
_RISING = ("Dmean", "gEUD", "D%", "Dcc", "Dmax", "Dmin", "VGy", "V%")


class Floor:
    """The least dose that the targets leave to every voxel of a case.

    Args:
        case: The patient.
        prescriptions: Total Gy of each target that has voxels.
    """

    def __init__(self, case: Case, prescriptions: Mapping[str, float]) -> None:
        self.case = case
        self.prescriptions = {name: dose for name, dose in prescriptions.items() if dose > 0}

    def limited(self, goal: Goal) -> Goal:
        """Note in a goal, bound to the case, that the targets forbid it; the goal as it is where they do not."""
        least = self._value(goal, self.dose) if self._may_be_forbidden(goal) else 0.0
        if least <= goal.limit * (1.0 + _BEYOND):
            return goal
        return replace(goal, least=float(least))

    def explain(self, goal: Goal) -> str:
        """Say why a goal is forbidden, in a sentence."""
        rows, voxel = self.case.rows(goal.structure), self.case.grid.voxel_cc
        shared = []
        for name in self.prescriptions:
            common = len(np.intersect1d(rows, self.case.rows(name), assume_unique=True))
            if common:
                shared.append(f"{compact(common * voxel, 3)} cc in {name}")
        alone = self._value(goal, self.inside)
        volume = f"{compact(len(rows) * voxel, 3)} cc"
        if alone > goal.limit:
            why = f"of its {volume}, {' and '.join(shared)} need the dose there, which alone makes it"
            return f"{goal.criterion} cannot be met: {why} {with_unit(alone, goal.unit, 3)} or more."
        lies = f"of its {volume}, {' and '.join(shared)}, and the rest lies" if shared else f"its {volume} lie"
        return (
            f"{goal.criterion} is out of reach, by an estimate: {lies} so near that it is about "
            f"{with_unit(goal.least, goal.unit, 3)} or more (targets at {100 * _LEAST:g}% of their prescription, a "
            f"fall of {100 * FALL_PER_MM:g}% a mm beside them)."
        )

    @cached_property
    def inside(self) -> Floats:
        """The floor inside the targets alone, total Gy by row."""
        floor = np.zeros(self.case.dij.rows)
        for name, dose in self.prescriptions.items():
            rows = self.case.rows(name)
            floor[rows] = np.maximum(floor[rows], _LEAST * dose)
        return floor

    @cached_property
    def dose(self) -> Floats:
        """The floor, total Gy by row."""
        from scipy.ndimage import distance_transform_edt

        if self.case.modality != "photons":
            return self.inside
        cube = np.zeros(self.case.grid.shape)
        for name, dose in self.prescriptions.items():
            mask = self.case.mask(name)
            box = tuple(
                slice(max(0, int(there.min()) - more), int(there.max()) + more + 1)
                for there, more in zip(
                    mask.nonzero(), (int(1 / (FALL_PER_MM * s)) + 1 for s in self.case.grid.spacing), strict=True
                )
            )
            away = distance_transform_edt(~mask[box], sampling=self.case.grid.spacing)
            cube[box] = np.maximum(cube[box], _LEAST * dose * np.maximum(0.0, 1.0 - FALL_PER_MM * away))
        return np.maximum(self.inside, cube.reshape(-1)[self.case.voxels])

    def _may_be_forbidden(self, goal: Goal) -> bool:
        return goal.comparison == "<=" and goal.metric.kind in _RISING and bool(self.prescriptions)

    def _value(self, goal: Goal, floor: Floats) -> float:
        own = self.prescriptions.get(goal.structure) or max(self.prescriptions.values())
        return goal.metric.value(floor[self.case.rows(goal.structure)], self.case.grid.voxel_cc, own)
