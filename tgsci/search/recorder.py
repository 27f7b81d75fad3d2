"""Recorder: keeps every question that a run asks, and answers from the record what was answered before a stop."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from ..compute.measure import Answer
from ..engine import Call, Reply
from ..texts import well_formed
from .interrupt import Interrupt
from .ledger import Ledger


class Recorder:
    """Records the questions of one round of proposals, or of one trial's measurement.

    A resumed run gives a question the reply that it got before the run was stopped, where everything is the same that
    made it: the round, the trial that was measured, engine, parameters, system prompt, prompt, images, and how often
    the same question was asked there before. So two trials, or two engines, never get each other's replies, and it
    does not matter in which order threads ask different questions.

    Args:
        ledger: Where replies are kept.
        round: The round that is worked on.
        trial: Number of the trial that is measured; None while values are proposed.
        reuse: False asks every question anew, and only keeps the replies.
        interrupt: Ends the wait for a reply when the run is interrupted.
    """

    def __init__(
        self,
        ledger: Ledger,
        round: int,
        trial: int | None = None,
        *,
        reuse: bool = True,
        interrupt: Interrupt | None = None,
    ) -> None:
        self._ledger, self._round, self._trial, self._reuse = ledger, round, trial, reuse
        self._interrupt = interrupt or Interrupt()
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, call: Call, ask: Callable[[], Reply]) -> Reply:
        question = call.question
        with self._lock:
            occurrence = self._asked[question]
            self._asked[question] += 1
        reply = self._ledger.answer(self._round, self._trial, question, occurrence) if self._reuse else None
        if reply is None:
            reply = self._interrupt.wait_for(ask)
            reply = replace(reply, text=well_formed(reply.text))
            self._ledger.add_answers(self._round, self._trial, [Answer(question, call.system, call.prompt, reply)])
        return reply
