"""Plans scaled so that a target's D95% is its prescription, and how their goals move then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import MeasurementError, UsageError

from ..case.model import Case
from ..goals import BoundSheet, Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..planner import Plan

    Floats = NDArray[np.float64]


#: Share of the prescription that D95% is scaled beyond it, so that rounding never leaves it a hair below.
_BEYOND = 1e-5


@dataclass(frozen=True)
class Scale:
    """Every dose times a factor, so that a target's D95% is its prescription.

    Args:
        target: The target.
        prescription: Its prescription, Gy.
        metric: D95%.
        before_scaling: Its value before, Gy.
    """

    target: str
    prescription: float
    metric: Metric
    before_scaling: float

    @property
    def factor(self) -> float:
        """What every dose is multiplied by."""
        return (1 + _BEYOND) * self.prescription / self.before_scaling

    @classmethod
    def of(cls, case: Case, plan: Plan) -> Scale:
        """The scale of a plan: by the target with the highest prescription.

        Raises:
            UsageError: No target has a prescription.
            MeasurementError: The plan gives it next to nothing.
        """
        target = next((t for t in case.targets if t.prescription), None)
        if target is None or target.prescription is None:
            raise UsageError("the protocol scales every plan to a target's prescription, and the case has none")
        metric = Metric.parse("D95%")
        value = metric.value(plan.dose[case.rows(target.name)], case.grid.voxel_cc, target.prescription)
        if value < 0.01 * target.prescription:
            raise MeasurementError(
                f"{target.name} D95% is {value:.2g} Gy before scaling, so the plan cannot be scaled to "
                f"{target.prescription:g} Gy; raise the weight of {target.name}"
            )
        return cls(target.name, target.prescription, metric, value)

    def scaled(self, plan: Plan) -> Plan:
        """The plan with its fluence and dose scaled; its objective stays what it was."""
        return replace(plan, fluence=plan.fluence * self.factor, dose=(plan.dose * self.factor).astype(np.float32))

    def before(self, structure: str, metric: Metric) -> tuple[str, Metric]:
        """The metric of the unscaled dose that a volume of the scaled one is."""
        if metric.kind in ("VGy", "V%", "CVGy", "CV%"):
            return structure, replace(metric, amount=metric.amount / self.factor)
        return structure, metric

    def slopes(self, case: Case, bound: BoundSheet, plan: Plan) -> Floats:
        """Change of each goal's value per Gy of the unscaled D95%, by the scaling alone, (m,)."""
        found = []
        for goal in bound.goals:
            metric, share = goal.metric, 1.0 / self.before_scaling
            dose = plan.dose[case.rows(goal.structure)].astype(np.float64) * self.factor
            prescription = bound.prescriptions[goal.structure]
            if metric.sees_all or not dose.any():
                found.append(0.0)  # of conformity the scaling's part is left out
            else:
                found.append(-share * float(metric.gradient(dose, case.grid.voxel_cc, prescription) @ dose))
        return np.array(found)

    def after(self, bound: BoundSheet, matrix: Floats, slopes: Floats) -> Floats:
        """Changes of the scaled goals' values from those of the unscaled ones and of D95%, the last row."""
        own, normal = matrix[:-1], matrix[-1]
        factors = np.array([self.factor if g.metric.unit == "Gy" else 1.0 for g in bound.goals])
        scaled: Floats = factors[:, None] * own + slopes[:, None] * normal[None]
        return scaled
