"""The search: round by round propose, check, measure and accept, under a budget. Nothing here knows any domain."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, replace

from ..basics.texts import figure
from ..basics.threads import awaited
from ..compute.measure import Measured, measure
from ..feedback import Feedback
from ..loss import Loss
from .asking import Asking
from .confirming import Confirming
from .insight import Insight
from .ledger import Ledger, Spent
from .options import Budget, RunOptions
from .proposer import Proposer
from .recorder import Recorders
from .trial import State, Trial, Trials

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
        self.ledger, self.loss, self.start, self.options = ledger, loss, start, options
        self.insight = insight or Insight()
        self.trials = Trials(ledger.trials(), loss, task, keep_ties=options.keep_ties, insight=self.insight)
        self.recorders = Recorders(ledger)
        if proposer.engine is not None:
            # One that took the place of another, a mended script for instance, goes on where that one stopped.
            self.recorders.meet(proposer.engine, ledger.replies_to_proposers())
        self.asking = Asking(ledger, self.recorders, proposer, options, self.trials, self.report)
        careful = self.insight.careful if options.confirm else None
        self.confirming = Confirming(careful, ledger, self.recorders, self.trials, self.report)
        #: What a new measurement has to beat: the best that was accepted.
        self._accepted: Trial | None = None
        for trial in self.trials:
            if trial.state is State.ACCEPTED and self.trials.beats(trial, self._accepted):
                self._accepted = trial
        self._began = (time.monotonic(), ledger.spent().evaluations)

    def until_stopped(self, executor: Executor | None) -> str:
        """Go on round by round.

        Args:
            executor: Where to measure; None for this process.

        Returns:
            Why the search ended, in words.
        """
        try:
            return self._until_stopped(executor)
        except Exception:
            self.asking.end(wait=True)
            raise
        except BaseException:  # Ctrl-C: nobody waits any more
            self.asking.end(wait=False)
            raise

    def _until_stopped(self, executor: Executor | None) -> str:
        while True:
            if not self._pending():
                failure = self.asking.collect()
                if failure is None:
                    self._confirm_earlier(executor)
                stop = self._stop()
                if stop:
                    return stop
                if failure is not None:
                    raise failure
                new = self.asking.next_round() if self.trials else self._begin()
                if not new:
                    return "nothing is left to propose"
                for trial in new:
                    self.trials.append(trial)
            pending = self._pending()
            if pending:
                self.asking.think()
                self._measure([t for t in pending if t.feedback is None], executor)
                self.confirming.of_round(self._pending(), self._accepted, executor)
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
        if met and self.confirming.settled(best):
            return f"the goal is met by trial {best.number}"
        if self._fruitless():
            return f"{_FRUITLESS_ROUNDS} rounds in a row gave no new value to measure ({self.trials[-1].decision})"
        spent = self.ledger.spent()
        if self.asking.answered and not self.loss.threads:
            # What was paid for is measured; then nobody is asked any more. Not where measuring itself asks models.
            spent = replace(spent, model_calls=0, usd=0, unpriced_calls=0, tokens_in=0, tokens_out=0, uncounted_calls=0)
        return self.options.budget.exhausted(spent)

    def _fruitless(self) -> bool:
        """True where those who are asked have given nothing to measure for many rounds."""
        last = self.trials[-1].round
        first = last - _FRUITLESS_ROUNDS + 1
        recent = list(itertools.takewhile(lambda t: t.round >= first, reversed(self.trials)))
        if first < 1 or any(t.feedback for t in recent):
            return False
        return all(self.asking.were_asked(round) for round in range(first, last + 1))

    def _begin(self) -> list[Trial]:
        """Record the start values as the first round."""
        start = [Trial(number, 0, value, "start value", proposer="you") for number, value in enumerate(self.start)]
        self.ledger.add_trials(start)
        return start

    # -- measuring ---------------------------------------------------------------------------------

    def _measure(self, trials: Sequence[Trial], executor: Executor | None) -> None:
        """Measure trials and record each as it comes in."""
        if not trials:
            return
        self.report(f"measuring {len(trials)}")
        recorders = [self.recorders.recorder(trial.round, trial.number) for trial in trials]
        values = [trial.value for trial in trials]
        others: list[Feedback | None] = []
        if self.loss.reconsiders:
            parents = map(self._measured_parent, trials)
            others = [parent.feedback if parent else None for parent in parents]
        with closing(measure(self.loss, values, executor, recorders=recorders, others=others)) as measurements:
            for measured in measurements:
                self._record(trials[measured.index], measured)

    def _record(self, trial: Trial, measured: Measured) -> None:
        stored = self.ledger.add_measurement(trial.number, measured.feedback, measured.seconds, measured.answers)
        self.trials.update(replace(trial, feedback=stored, seconds=measured.seconds))
        self.report("measuring")

    def _measured_parent(self, trial: Trial) -> Trial | None:
        """Find the trial that a value was made from, where it was measured."""
        parent = self.trials[trial.parent] if trial.parent is not None else None
        return parent if parent is not None and parent.measured else None

    # -- accepting ---------------------------------------------------------------------------------

    def _confirm_earlier(self, executor: Executor | None) -> None:
        """Confirm a leader that could not be confirmed in its round, where that is possible by now."""
        self.confirming.of_earlier_rounds(executor)
        if self.confirming.careful:
            self._accepted = self.trials.best

    def _decide(self) -> None:
        """Judge the round's measurements in the order of their numbers, whatever order they came in."""
        decided, best, pending = [], self._accepted, self._pending()
        for trial in pending:
            state, decision = self._judge(trial, self.confirming.bar(trial, best, pending))
            judged = self._contrasted(self.confirming.judge(trial, state, decision))
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
        broken = ", ".join(self.loss.breach(name, by) for name, by in feedback.violations.items() if by > 0)
        limits = f"; limits broken: {broken}" if broken else ""
        if not self.insight.rivals:
            return State.ACCEPTED, f"measured{limits}"
        if best is None or best.feedback is None:
            return State.ACCEPTED, f"the first measured value{limits}"
        against = f"trial {best.number} (loss {figure(best.loss)}){limits}"
        tie = (feedback.violation, trial.loss) == (best.feedback.violation, best.loss)
        if self.trials.beats(trial, best):
            return State.ACCEPTED, f"{'as good as' if tie else 'better than'} {against}"
        return State.REJECTED, f"as good as {against}; ties are not kept" if tie else f"not better than {against}"

    def _contrasted(self, trial: Trial) -> Trial:
        """Note what the change did, as the domain sees it."""
        parent = self._measured_parent(trial)
        if self.insight.contrast is None or parent is None or not trial.measured:
            return trial
        return replace(trial, contrast=self.insight.contrast_of(parent, trial))

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
