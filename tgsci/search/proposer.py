"""Proposer: who has new values to try in a search. A rule editor, a model, or a person."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from .. import prompts
from ..engine import Engine
from ..errors import UsageError
from ..optimizer import TextualGradientDescent, measured_as, rewrites
from .trial import Proposal, Trial, Trials

if TYPE_CHECKING:
    from ..loss import Loss

#: Good values that a model sees beside the best.
_OTHERS = 5


class Proposer(ABC):
    """Proposes values to measure. Derive, and write `ask`; a model's is `ModelProposer`."""

    #: Shown as the proposer of a trial.
    name: str = "proposer"
    #: Who proposes and what leaves the machine, in plain words; printed before a run starts.
    description: str = "Proposals come from a rule editor: no model is asked and nothing leaves this machine."
    #: The model or person that is asked; None for a rule editor.
    engine: Engine | None = None
    #: True where it takes its time, as a model does: it is asked for the next round while this one is measured, sees
    #: the rounds before and this one's values as `trials.pending`, and is asked for `RunOptions.ideas` values. What of
    #: them is not measured waits in the pool (`trials.ideas`), which is ranked anew each round.
    ahead: bool = False

    @abstractmethod
    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        """Propose up to `n` new values.

        A pure function of its arguments (engines aside), so that a resumed run goes on as if it had
        never stopped. `trials.check(value)` canonicalises a value and refuses what was seen before.
        Fewer than `n` is fine; none at all ends the run: nothing is left to try. Who is asked ahead may have
        up to twice as many: what is not measured waits.
        """


class ModelProposer(Proposer):
    """A model writes new values, from the best trials and their reports.

    Args:
        optimizer: Its engine, tags, constraints and examples are used; its parameters are not.
    """

    def __init__(self, optimizer: TextualGradientDescent) -> None:
        self.optimizer = optimizer
        self.engine = optimizer.engine
        self.name = self.engine.name
        self.description = f"Proposals come from {self.engine.name}: {self.engine.destination}."

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        """Propose `n` values in one model call, from the best trials and their reports."""
        best = trials.best
        if best is None or best.feedback is None:
            return []
        rejected = trials.unsuccessful()
        shown = {best.number, *(t.number for t in rejected)}
        others = [t for t in trials.ranked(_OTHERS + len(shown)) if t.number not in shown][:_OTHERS]
        prompt = prompts.improve_measured(
            task=trials.task,
            best=best.value,
            report=best.feedback.text,
            others=[prompts.tried(t.value, measured_as(t.feedback, trials.loss)) for t in others if t.feedback],
            rejected=[prompts.tried(t.value, outcome(t, trials.loss)) for t in rejected],
            constraints=self.optimizer.constraints,
            examples=self.optimizer.in_context_examples,
        )
        suggestions = rewrites(self.optimizer, prompt, n, trials.check, best.value)
        return [Proposal(s.value, s.reason, best.number, fault=s.fault or None) for s in suggestions]


def as_proposer(proposer: Any) -> Proposer:
    """Make a proposer of a `TGD(engine=...)` or of anything with `ask(trials, n, rng)`; return a proposer as it is.

    Raises:
        UsageError: It can propose nothing.
    """
    if isinstance(proposer, Proposer):
        return proposer
    if isinstance(proposer, TextualGradientDescent):
        return ModelProposer(proposer)
    if callable(getattr(proposer, "ask", None)) and not isinstance(proposer, type):
        return _Asked(proposer)
    raise UsageError(
        f"not a proposer: {proposer!r}. Pass tgsci.TGD(engine=...), a domain's rule editor, or an object with "
        "ask(trials, n, rng)"
    )


class _Asked(Proposer):
    """An object of the user's own with an `ask`."""

    def __init__(self, own: Any) -> None:
        self.own = own
        self.name = str(getattr(own, "name", type(own).__name__))
        self.description = str(getattr(own, "description", self.description))
        engine = getattr(own, "engine", None)
        self.engine = engine if isinstance(engine, Engine) else None
        self.ahead = bool(getattr(own, "ahead", False))

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        proposals: list[Proposal] = self.own.ask(trials, n, rng)
        return proposals


def outcome(trial: Trial, loss: Loss | None = None) -> str:
    """Tell a model what became of a trial, with its figures in the words of its loss."""
    if trial.feedback is None or not trial.measured:
        return trial.decision
    return f"{measured_as(trial.feedback, loss)}: {trial.decision}"
