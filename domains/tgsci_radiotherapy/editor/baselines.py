"""The baselines: random plans, and Optuna's TPE, as treatment planning's papers use it.

Both search a box: the weights and doses of the start parameters, within ranges. Optuna's study is rebuilt from the
trials at every round, so that a resumed run goes on as if it had never stopped.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tgsci.basics.imports import needs
from tgsci.errors import InvalidValue
from tgsci.search.proposer import Proposer
from tgsci.search.trial import Proposal, Trials

from ..loss.edits import allowed_dose, highest_dose
from ..plan import PlanParameters, PlanText

if TYPE_CHECKING:
    import optuna

    from tgsci.search.trial import Trial

#: Decades over which a weight is searched, around that of the start.
DECADES = 2.0
#: Doses of targets, and of everything else, as shares of the start's target dose.
TARGET_DOSES, OTHER_DOSES = (0.97, 1.10), (0.0, 1.0)
#: Points that are drawn for each plan wanted, at most: at random, and by Optuna.
_DRAWS, _ASKED = 20, 5
#: Trials that are drawn at random before the estimator has its say: Optuna's default.
STARTUP = 10


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
        """True of weights, whose logarithm is searched evenly."""
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
        """Make the box: weights by decades, doses by shares of the highest dose that is asked for.

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
        """Make the parameters at a point of the box."""
        made = self.start
        for axis, value in zip(self.axes, values, strict=True):
            if axis.field == "weight":
                made = made.replaced(axis.place, weight=float(f"{value:.4g}"))
            else:
                dose = allowed_dose(value, self.start.objectives[axis.place].lifts, self.start)
                made = made.replaced(axis.place, dose_gy=dose)
        return made

    def values(self, trial: Trial) -> list[float] | None:
        """Find a trial's point in the box, the nearest one where it is outside; None for other objectives."""
        try:
            parameters = PlanParameters.read(trial.value)
        except InvalidValue:
            return None
        wanted = [(o.structure, o.type) for o in self.start.objectives]
        if [(o.structure, o.type) for o in parameters.objectives] != wanted:
            return None
        values = []
        for axis in self.axes:
            value = getattr(parameters.objectives[axis.place], axis.field)
            values.append(min(max(float(value), axis.low), axis.high))
        return values


def space_of(trials: Trials, *, doses: bool = True) -> Space | None:
    """Make the box around a run's first value; None where that holds no parameters."""
    if not len(trials):
        return None
    try:
        return Space.of(PlanParameters.read(trials[0].value), doses=doses)
    except InvalidValue:
        return None


class RandomPlans(Proposer):
    """Proposes plans at random, with the objectives of the start.

    Args:
        doses: Whether doses are drawn too; False for a protocol that tunes weights only.
    """

    name = "random"
    description = "Proposals are random weights and doses. No model is asked and nothing leaves this machine."

    def __init__(self, *, doses: bool = True) -> None:
        super().__init__()
        self.doses = doses

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        """Draw up to `n` random plans."""
        space = space_of(trials, doses=self.doses)
        if space is None:
            return []
        made: dict[str, Proposal] = {}
        for _ in range(_DRAWS * n):
            if len(made) >= n:
                break
            drawn = []
            for axis in space.axes:
                share = rng.random()
                low, high = (math.log(axis.low), math.log(axis.high)) if axis.log else (axis.low, axis.high)
                value = low + share * (high - low)
                drawn.append(math.exp(value) if axis.log else value)
            try:
                text = trials.check(PlanText(space.parameters(drawn)))
            except InvalidValue:
                continue
            what = "weights and doses" if self.doses else "weights"
            made.setdefault(text, Proposal(text, f"{what} drawn at random", 0, f"random {what}"))
        return list(made.values())


class OptunaPlans(Proposer):
    """Proposes by Optuna's tree-structured Parzen estimator, with the objectives of the start.

    Args:
        doses: Whether doses are tuned too; False for a protocol that tunes weights only.
        startup: Trials before the estimator has its say.
    """

    name = "optuna"
    description = (
        "Proposals come from Optuna's TPE over weights and doses. No model is asked and nothing leaves this machine."
    )

    def __init__(self, *, doses: bool = True, startup: int = STARTUP) -> None:
        super().__init__()
        self.doses, self.startup = doses, startup

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        """Propose up to `n` plans.

        Raises:
            UsageError: Optuna is not installed.
        """
        optuna = needs("optuna", "--optimizer optuna", "radiotherapy")
        space = space_of(trials, doses=self.doses)
        if space is None:
            return []
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = self._study(space, trials, rng.getrandbits(32))
        made: dict[str, Proposal] = {}
        for _ in range(_ASKED * n):
            if len(made) >= n:
                break
            asked = study.ask(_distributions(space))
            values = [asked.params[axis.name] for axis in space.axes]
            try:
                text = trials.check(PlanText(space.parameters(values)))
            except InvalidValue:
                continue
            known = len(study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE]))
            how = f"TPE over {known} measured plans" if known >= self.startup else "drawn at random to begin with"
            made.setdefault(text, Proposal(text, how, 0, "TPE" if known >= self.startup else "random"))
        return list(made.values())

    def _study(self, space: Space, trials: Trials, seed: int) -> optuna.Study:
        import optuna

        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=self.startup, constant_liar=True)
        study = optuna.create_study(sampler=sampler, direction="minimize")
        distributions = _distributions(space)
        for trial in trials:
            values = space.values(trial) if trial.measured else None
            if values is None:
                continue
            params = {axis.name: value for axis, value in zip(space.axes, values, strict=True)}
            study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=trial.loss))
        return study


def _distributions(space: Space) -> dict[str, optuna.distributions.BaseDistribution]:
    import optuna

    return {a.name: optuna.distributions.FloatDistribution(a.low, a.high, log=a.log) for a in space.axes}
