"""Protocols: what of a plan may be tuned, where it starts, and how its dose is scaled.

`textgrad-paper` is the protocol of TextGrad's radiotherapy experiment (Yuksekgonul et al., Nature 2025,
doi:10.1038/s41586-025-08661-4): weights only, all of them 100 at the start, doses of the objectives fixed (the
prescription for the target, 0 Gy for bladder and rectum, 30 Gy for the femoral heads and the body), every plan scaled
so that D95% of the target is the prescription, at most 10 iterations; Optuna got 50 trials beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tgsci.basics.texts import compact, did_you_mean, quote
from tgsci.errors import InvalidValue, MeasurementError, UsageError

from ..case.model import Case
from ..goals import BoundSheet, Metric
from ..names import folded
from ..plan import Objective, PlanParameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..planner import Plan

    Floats = NDArray[np.float64]

#: Of the paper: every weight at the start, and the reference dose of what is neither target, bladder nor rectum, Gy.
_PAPER_WEIGHT, _PAPER_DOSE = 100.0, 30.0
#: Share of the prescription that D95% is scaled beyond it, so that rounding never leaves it a hair below.
_BEYOND = 1e-5


@dataclass(frozen=True)
class Protocol:
    """How plans are tuned.

    Args:
        name: As a job file calls it.
        title: For people.
        weights_only: True where nothing but weights may be edited.
        scaled: True where every plan is scaled so that the first target's D95% is its prescription.
        iterations: Plans after the start that the protocol allows; None for no such limit.
        rivals: Plans that the protocol grants Optuna beside it; None where it says nothing.
    """

    name: str
    title: str
    weights_only: bool = False
    scaled: bool = False
    iterations: int | None = None
    rivals: int | None = None

    def check(self, parameters: PlanParameters, start: PlanParameters) -> None:
        """Refuse parameters that break the protocol.

        Raises:
            InvalidValue: The parameters change what must stay; says what.
        """
        if not self.weights_only:
            return
        labels, wanted = ([o.label for o in p.objectives] for p in (parameters, start))
        if labels == wanted:
            return
        without = [label for label in wanted if label not in labels]
        beyond = [label for label in labels if label not in wanted]
        faults = [f"{quote(without[0])} is missing"] if without else []
        faults += [f"{quote(beyond[0])} is new"] if beyond else []
        raise InvalidValue(
            f"the protocol {self.name} tunes weights only: keep structures, types, doses and order as at the start "
            f"({'; '.join(faults) or 'the order differs'})"
        )


#: Every protocol by name.
PROTOCOLS: Mapping[str, Protocol] = {
    p.name: p
    for p in (
        Protocol("free", "weights, doses and objectives are tuned; doses are what the planner gives"),
        Protocol(
            "textgrad-paper",
            "TextGrad's paper: weights only, all 100 at the start, D95% of the target scaled to its prescription",
            weights_only=True,
            scaled=True,
            iterations=10,
            rivals=50,
        ),
    )
}


def protocol(name: str) -> Protocol:
    """Find a protocol by its name.

    Raises:
        UsageError: There is no such protocol; names the nearest.
    """
    if not isinstance(name, str) or name not in PROTOCOLS:
        raise UsageError(f"no protocol {quote(name)}; {did_you_mean(name, PROTOCOLS)}")
    return PROTOCOLS[name]


def paper_start(case: Case) -> PlanParameters:
    """Give the parameters that TextGrad's paper starts from: an objective for every structure, every weight 100."""
    objectives = []
    for structure in case.structures:
        if not case.count_own(structure.name):
            continue
        if structure.type == "target":
            objectives.append(Objective(structure.name, "squared_deviation", structure.prescription, _PAPER_WEIGHT))
            continue
        spared = structure.type == "oar" and "fem" not in folded(structure.name)
        objectives.append(Objective(structure.name, "squared_overdose", 0.0 if spared else _PAPER_DOSE, _PAPER_WEIGHT))
    return PlanParameters(tuple(objectives)).checked(case)


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

    def remark(self, protocol: str) -> str:
        """Say how a plan was scaled, in a sentence for its page."""
        return (
            f"PROTOCOL {protocol}: every dose is scaled by {compact(self.factor)}, so that {self.target} D95% is "
            f"{compact(self.prescription)} Gy; the objective's value is that of the plan before scaling"
        )

    @classmethod
    def of(cls, case: Case, plan: Plan) -> Scale:
        """Find the scale of a plan, by the target with the highest prescription.

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
        """Scale a plan's fluence and dose; the value of its objective stays that of the unscaled plan."""
        return replace(plan, fluence=plan.fluence * self.factor, dose=(plan.dose * self.factor).astype(np.float32))

    def before(self, structure: str, metric: Metric) -> tuple[str, Metric]:
        """Translate a metric of the scaled dose to the unscaled one: V20Gy becomes the volume at 20 Gy / factor."""
        if metric.kind in ("VGy", "V%", "CVGy", "CV%"):
            return structure, replace(metric, amount=metric.amount / self.factor)
        return structure, metric

    def slopes(self, case: Case, bound: BoundSheet, plan: Plan) -> Floats:
        """Differentiate each goal's value by the unscaled D95%, through the scaling alone; per Gy, (m,)."""
        changes = []
        for goal in bound.goals:
            metric, share = goal.metric, 1.0 / self.before_scaling
            dose = plan.dose[case.rows(goal.structure)].astype(np.float64) * self.factor
            prescription = bound.prescriptions[goal.structure]
            if metric.sees_all or not dose.any():
                changes.append(0.0)  # of conformity the scaling's part is left out
            else:
                changes.append(-share * float(metric.gradient(dose, case.grid.voxel_cc, prescription) @ dose))
        return np.array(changes)

    def after(self, bound: BoundSheet, matrix: Floats, slopes: Floats) -> Floats:
        """Turn changes of the unscaled goals (and of D95%, the last row) into changes of the scaled goals."""
        own, normal = matrix[:-1], matrix[-1]
        factors = np.array([self.factor if g.metric.unit == "Gy" else 1.0 for g in bound.goals])
        scaled: Floats = factors[:, None] * own + slopes[:, None] * normal[None]
        return scaled
