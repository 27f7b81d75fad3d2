"""The search: round by round propose, check, measure and accept, under a budget. Nothing here knows any domain."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from ..basics.texts import figure, literal, well_formed
from ..basics.threads import awaited
from ..compute.measure import Measured, measure
from ..engine import recording
from ..errors import InvalidValue, UsageError
from ..loss import Loss
from .insight import Insight
from .ledger import Ledger, Spent
from .options import Budget, RunOptions
from .proposer import Proposer
from .recorder import Recorders
from .trial import Proposal, State, Trial, Trials

#: A search gives up after so many rounds in a row without a single value to measure.
_FRUITLESS_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; handed to `progress` whenever something happened.

    Args:
        trials: Everything so far; it goes on growing, so look at it now or copy what you need.
        spent: What was used.
        budget: What may be used.
        activity: What goes on now, in words.
        eta_seconds: Estimated time to the end, s; None where it cannot be told yet.
        done: How much of the activity is done, where it can be counted: after the search, while the run is finished.
        total: How much of it there is; 0 while the search goes on.
    """

    trials: Trials
    spent: Spent
    budget: Budget
    activity: str
    eta_seconds: float | None
    done: int = 0
    total: int = 0


class Search:
    """Goes from round to round. It keeps no state but the ledger's: a new `Search` on the same ledger goes on with it.

    Args:
        ledger: The run's record.
        loss: Measures.
        proposer: Has ideas.
        start: Canonical values, measured first.
        options: Budget, goal, proposals, seed, ties and whom to tell of the progress.
        task: What is designed and what is wanted, for a model.
        insight: What the domain knows of its values besides their loss.
    """

    def __init__(
        self,
        ledger: Ledger,
        loss: Loss,
        proposer: Proposer,
        start: Sequence[str],
        options: RunOptions,
        task: str = "",
        insight: Insight | None = None,
    ) -> None:
        self.ledger, self.loss, self.proposer, self.start, self.options = ledger, loss, proposer, start, options
        self.insight = insight or Insight()
        self.trials = Trials(ledger.trials(), loss, task, keep_ties=options.keep_ties, insight=self.insight)
        self.recorders = Recorders(ledger)
        if proposer.engine is not None:
            # One that took the place of another, a mended script for instance, goes on where that one stopped.
            self.recorders.meet(proposer.engine, ledger.replies_to_proposers())
        #: What a new measurement has to beat.
        self._accepted = next((t for t in reversed(self.trials) if t.state is State.ACCEPTED), None)
        self._began = (time.monotonic(), ledger.spent().evaluations)

    def until_stopped(self, executor: Executor | None) -> str:
        """Go on round by round.

        Args:
            executor: Where to measure; None for this process.

        Returns:
            Why the search ended, in words.
        """
        while True:
            if not self._pending():
                stop = self._stop()
                if stop:
                    return stop
                new = self._ask() if self.trials else self._begin()
                if not new:
                    return "nothing is left to propose"
                self.ledger.add_trials(new)
                for trial in new:
                    self.trials.append(trial)
            pending = self._pending()
            if pending:
                self._measure([t for t in pending if t.feedback is None], executor)
                self._decide()

    def _pending(self) -> list[Trial]:
        """Trials not yet judged: only the latest round can hold any."""
        return [t for t in self.trials.last_round() if t.state is State.PENDING]

    def _stop(self) -> str:
        """Say why to stop before the next round; "" to go on."""
        if not self.trials:
            return ""
        best, goal = self.trials.best, self.options.goal
        if best is None or best.feedback is None:
            return f"no start value could be measured: {self.trials[0].decision}"
        if callable(goal):
            met = goal(best.feedback)
        else:
            met = goal is not None and best.feedback.feasible and best.loss <= goal
        if met:
            return f"the goal is met by trial {best.number}"
        last = self.trials[-1].round
        recent = itertools.takewhile(lambda t: t.round > last - _FRUITLESS_ROUNDS, reversed(self.trials))
        if last >= _FRUITLESS_ROUNDS and not any(t.feedback for t in recent):
            return f"{_FRUITLESS_ROUNDS} rounds in a row gave no new value to measure ({self.trials[-1].decision})"
        return self.options.budget.exhausted(self.ledger.spent())

    # -- proposing ---------------------------------------------------------------------------------

    def _begin(self) -> list[Trial]:
        return [Trial(number, 0, value, "start value", proposer="you") for number, value in enumerate(self.start)]

    def _ask(self) -> list[Trial]:
        """Ask for a round of proposals; make them trials, checked and numbered, not yet measured."""
        round, first, n = self.trials[-1].round + 1, len(self.trials), self.options.proposals
        if self.options.budget.evaluations is not None:
            self.trials.evaluations_left = self.options.budget.evaluations - self.ledger.spent().evaluations
            n = min(n, self.trials.evaluations_left)
        self.trials.proposals = n
        self.report(f"{self.proposer.name} proposes")
        with recording(self.recorders.recorder(round)):  # a loss may ask a model whether a value is valid
            asked = self.proposer.ask(self.trials, n, random.Random(f"{self.options.seed}:{first}"))
            proposals = _proposals(asked, self.proposer, first)[:n]
            seen: dict[str, int] = {}
            return [self._trial(proposal, first + i, round, seen) for i, proposal in enumerate(proposals)]

    def _trial(self, proposal: Proposal, number: int, round: int, seen: dict[str, int]) -> Trial:
        """Make a proposal a trial; `seen` holds the values of the same round."""
        value, state, decision = well_formed(proposal.value), State.PENDING, ""
        if proposal.fault is not None:
            state, decision = State.INVALID, well_formed(proposal.fault)
        else:
            try:
                value = self.trials.canonical(value)
            except InvalidValue as error:
                state, decision = State.INVALID, well_formed(str(error))
            else:
                earlier = self.trials.find(value)
                first = earlier.number if earlier else seen.setdefault(value, number)
                if first != number:
                    state, decision = State.DUPLICATE, f"proposed before as trial {first}"
        reason, edit = well_formed(proposal.reason), well_formed(proposal.edit)
        return Trial(number, round, value, reason, proposal.parent, edit, self.proposer.name, state, decision)

    # -- measuring ---------------------------------------------------------------------------------

    def _measure(self, trials: Sequence[Trial], executor: Executor | None) -> None:
        """Measure trials and record each as it comes in."""
        if not trials:
            return
        self.report(f"measuring {len(trials)}")
        recorders = [self.recorders.recorder(trial.round, trial.number) for trial in trials]
        values = [trial.value for trial in trials]
        with closing(measure(self.loss, values, executor, recorders=recorders)) as measurements:
            for measured in measurements:
                self._record(trials[measured.index], measured)

    def _record(self, trial: Trial, measured: Measured) -> None:
        stored = self.ledger.add_measurement(trial.number, measured.feedback, measured.seconds, measured.answers)
        self.trials.update(replace(trial, feedback=stored, seconds=measured.seconds))
        self.report("measuring")

    # -- accepting ---------------------------------------------------------------------------------

    def _decide(self) -> None:
        """Judge the round's measurements in the order of their numbers, whatever order they came in."""
        decided, best = [], self._accepted
        for trial in self._pending():
            state, decision = self._judge(trial, best)
            judged = replace(trial, state=state, decision=decision)
            decided.append(judged)
            if state is State.ACCEPTED:
                best = judged
        self.ledger.decide(decided)
        self._accepted = best
        for trial in decided:
            self.trials.update(trial)
        self.report("deciding")

    def _judge(self, trial: Trial, best: Trial | None) -> tuple[State, str]:
        """Judge a measured trial: what becomes of it, and why."""
        feedback = trial.feedback
        if feedback is None or not feedback.measured:
            return State.FAILED, feedback.error if feedback and feedback.error else "the loss gave no number"
        broken = ", ".join(f"{name} by {figure(by)}" for name, by in feedback.violations.items() if by > 0)
        limits = f"; limits broken: {broken}" if broken else ""
        if best is None or best.feedback is None:
            return State.ACCEPTED, f"the first measured value{limits}"
        against = f"trial {best.number} (loss {figure(best.loss)}){limits}"
        tie = (feedback.violation, trial.loss) == (best.feedback.violation, best.loss)
        if self.trials.beats(trial, best):
            return State.ACCEPTED, f"{'as good as' if tie else 'better than'} {against}"
        return State.REJECTED, f"as good as {against}; ties are not kept" if tie else f"not better than {against}"

    # -- telling -----------------------------------------------------------------------------------

    def say(self, text: str, done: int = 0, total: int = 0, eta_seconds: float | None = None) -> None:
        """Tell what goes on after the search, with an estimate of its own of the time left."""
        if self.options.progress:
            spent = self.ledger.spent()
            event = Progress(self.trials, spent, self.options.budget, text, eta_seconds, done, total)
            awaited(self.options.progress(event))

    def report(self, activity: str) -> None:
        """Tell what goes on in the search."""
        if self.options.progress:
            self.say(activity, eta_seconds=self._eta(self.ledger.spent()))

    def _eta(self, spent: Spent) -> float | None:
        """Time to the end of the evaluations at this session's speed, or to the end of the seconds."""
        budget, (began, before) = self.options.budget, self._began
        estimates = []
        if budget.evaluations is not None and spent.evaluations > before:
            pace = (time.monotonic() - began) / (spent.evaluations - before)
            estimates.append(pace * (budget.evaluations - spent.evaluations))
        if budget.seconds is not None:
            estimates.append(max(0.0, budget.seconds - spent.seconds))
        return min(estimates, default=None)


def _proposals(asked: object, proposer: Proposer, trials: int) -> list[Proposal]:
    """Check what a proposer returned: it may be somebody's own.

    Raises:
        UsageError: It is no list of proposals, or one is made from a trial that does not exist.
    """
    proposals: list[Any] = list(asked) if isinstance(asked, Iterable) and not isinstance(asked, str) else [asked]
    for proposal in proposals:
        if not isinstance(proposal, Proposal):
            raise UsageError(f"{proposer.name}: ask() must return a list of tgsci.Proposal, not {literal(proposal)}")
        if proposal.parent is not None and proposal.parent >= trials:
            raise UsageError(
                f"{proposer.name}: a proposal is made from trial {proposal.parent}; there are {trials} trials"
            )
    return proposals
