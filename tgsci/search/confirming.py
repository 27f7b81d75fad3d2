"""Confirming: what would become the best is measured with care before it leads.

A search finds every weakness of its loss: the lowest of many figures is low by luck or by a fault of the measurement as
often as by merit. So a leader is measured again, with more care, and the careful figure counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import replace

from ..basics.texts import figure
from ..compute.measure import measure
from .database import with_care
from .insight import Careful
from .ledger import Ledger
from .recorder import Recorders
from .trial import State, Trial, Trials

#: Ends the decision on a leader that could not be confirmed.
_UNCONFIRMED = "; not confirmed yet: the share of careful measurements is used up"


class Confirming:
    """Measures leaders with care.

    Args:
        careful: How; None where leaders are not confirmed.
        ledger: The run's record.
        recorders: Of this session.
        trials: Those of the search; their feedback becomes the careful one.
        report: Tells what goes on.
    """

    def __init__(
        self,
        careful: Careful | None,
        ledger: Ledger,
        recorders: Recorders,
        trials: Trials,
        report: Callable[[str], None],
    ) -> None:
        self.careful, self.ledger, self.recorders, self.trials, self.report = careful, ledger, recorders, trials, report
        #: What was measured with care, by trial number; why it failed, or "".
        self._done = {number: "" if f.measured else f.error or "no number" for number, f in ledger.careful().items()}

    def of_round(self, pending: Sequence[Trial], best: Trial | None, executor: Executor | None) -> None:
        """Confirm what would lead of a round that is measured and not judged yet.

        The best first, until the best figure that is left does not come within the margin of the best. What only comes
        near it never takes the last measurement that is allowed: that is kept for what leads.

        Args:
            pending: The round's trials.
            best: The best of the rounds before; None before the first.
            executor: Where to measure.
        """
        while self.careful and self._allowed():
            round = [self.trials[trial.number] for trial in pending]
            best = self._leader([trial for trial in round if trial.number in self._done], best)
            first = self._leader([trial for trial in round if trial.number not in self._done], None)
            if first is None or not (self._leads(first, best) or self._may_lead(first, best)):
                return
            self._measure(first, executor)

    def of_earlier_rounds(self, executor: Executor | None) -> None:
        """Confirm the leader, where there was no allowance when it came to lead; then whoever leads in its place."""
        while self.careful and (best := self.trials.best) and best.number not in self._done and self._allowed():
            self._measure(best, executor, judge=True)

    def settled(self, trial: Trial) -> bool:
        """True where a trial's figure is not to be confirmed any more."""
        return self.careful is None or trial.number in self._done

    def judge(self, trial: Trial, state: State, decision: str) -> Trial:
        """Say in a trial's decision how it was confirmed, or that it was not."""
        return replace(trial, state=state, decision=decision.removesuffix(_UNCONFIRMED) + self._note(trial, state))

    def bar(self, trial: Trial, best: Trial | None, round: Sequence[Trial]) -> Trial | None:
        """Tell what a trial of a round must beat: the best before it; or, unconfirmed, also the best of its round."""
        if self.settled(trial):
            return best
        return self._leader([other for other in round if other.number != trial.number], best)

    def _leader(self, trials: Sequence[Trial], best: Trial | None) -> Trial | None:
        for trial in trials:
            best = trial if self.trials.beats(trial, best) else best
        return best

    def _note(self, trial: Trial, state: State) -> str:
        if self.careful is None:
            return ""
        if trial.first is not None:
            return f"; measured with care: {figure(trial.loss)}, at first {figure(trial.first.loss)}"
        if trial.number in self._done:
            return f"; the first figure stands: it could not be measured with care ({self._done[trial.number]})"
        return _UNCONFIRMED if state is State.ACCEPTED else ""

    def _allowed(self, spare: int = 0) -> bool:
        """True where the share of careful measurements, which grows with the evaluations, leaves one, and to spare."""
        assert self.careful
        allowed = math.ceil(self.careful.share * self.ledger.spent().evaluations - 1e-9)  # 0.1 of 30 are 3
        return len(self._done) + spare < allowed

    def _may_lead(self, trial: Trial, best: Trial | None) -> bool:
        assert self.careful
        return self._allowed(spare=1) and self._leads(trial, best, self.careful.margin)

    def _leads(self, trial: Trial, best: Trial | None, margin: float = 0.0) -> bool:
        """True where the trial leads by its first figure, or comes within a margin of that."""
        assert self.careful
        if best is None or best.feedback is None or trial.feedback is None or self.trials.beats(trial, best):
            return True
        bar = best.first if self.careful.alike and best.first is not None else best.feedback
        to_beat = (bar.violation, math.inf if bar.loss is None else bar.loss)
        return (trial.feedback.violation, trial.loss - margin) < to_beat

    def _measure(self, trial: Trial, executor: Executor | None, *, judge: bool = False) -> None:
        assert self.careful
        assert trial.feedback
        self.report(f"confirming trial {trial.number}")
        recorder = self.recorders.recorder(trial.round, with_care(trial.number))
        loss, others = self.careful.loss, [trial.feedback]
        with closing(measure(loss, [trial.value], executor, recorders=[recorder], others=others)) as measurements:
            (measured,) = measurements
        feedback = measured.feedback
        self._done[trial.number] = "" if feedback.measured else feedback.error or "no number"
        changed = trial.with_care(feedback)
        self.trials.update(changed)
        judged = self._judged_again(changed) if judge else []
        stored = self.ledger.add_careful(trial.number, feedback, measured.seconds, measured.answers, judged)
        for each in judged or [changed]:
            is_stored = each.number == trial.number and feedback.measured
            self.trials.update(replace(each, feedback=stored) if is_stored else each)

    def _judged_again(self, leader: Trial) -> list[Trial]:
        """Judge a leader anew, now that it was measured with care; and whoever leads in its place."""
        best = self.trials.best
        if best is None or best.number == leader.number:
            return [self.judge(leader, State.ACCEPTED, leader.decision)]
        fell = self.judge(leader, State.REJECTED, f"not better than trial {best.number} (loss {figure(best.loss)})")
        if best.state is State.ACCEPTED:
            return [fell]
        decision = f"leads since trial {leader.number} was measured with care"
        return [fell, self.judge(best, State.ACCEPTED, decision)]
