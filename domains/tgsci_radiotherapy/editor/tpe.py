"""Optuna's TPE over weights and doses: the baseline that treatment planning's papers use.

The study is rebuilt from the trials at every round, so that a resumed run goes on as if it had never stopped.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tgsci.errors import InvalidValue, UsageError
from tgsci.search.proposer import Proposer
from tgsci.search.trial import Proposal, Trials

from .space import Space, space_of

if TYPE_CHECKING:
    import optuna

#: Trials that are drawn at random before the estimator has its say: Optuna's default.
STARTUP = 10
_PATIENCE = 5


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
        """Up to `n` plans.

        Raises:
            UsageError: Optuna is not installed.
        """
        try:
            import optuna
        except ImportError:
            raise UsageError("--optimizer optuna needs optuna: pip install 'tgsci[radiotherapy]'") from None
        space = space_of(trials, doses=self.doses)
        if space is None:
            return []
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = self._study(space, trials, rng.getrandbits(32))
        made: dict[str, Proposal] = {}
        for _ in range(_PATIENCE * n):
            if len(made) >= n:
                break
            asked = study.ask(_distributions(space))
            values = [asked.params[axis.name] for axis in space.axes]
            try:
                text = trials.check(space.parameters(values).text())
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
