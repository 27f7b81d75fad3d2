"""Recorders: keep every question that a run asks, and answer from the record what was answered before a stop."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from ..basics.texts import well_formed
from ..compute.interrupt import wait_for
from ..compute.measure import Answer
from ..engine import Call, Engine, Reply
from .ledger import Ledger


class Recorders:
    """What the recorders of one session of a run have in common.

    Args:
        ledger: Where replies are kept.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._before = ledger.replies_by_engine()
        self._met: dict[int, Engine] = {}
        self._lock = threading.Lock()

    def recorder(self, round: int, trial: int | None = None) -> Recorder:
        """Make a recorder; the arguments are those of `Recorder`."""
        return Recorder(self, round, trial)

    def meet(self, engine: Engine, otherwise: int = 0) -> None:
        """Tell an engine, once, how many of its questions were answered in earlier sessions: a script goes on there.

        Args:
            engine: Is asked in this session.
            otherwise: The number for an engine that was never asked before.
        """
        with self._lock:
            if id(engine) not in self._met:
                self._met[id(engine)] = engine
                engine.skip(self._before.get(engine.identity, otherwise))


class Recorder:
    """Records the questions of one round of proposals, or of one trial's measurement.

    A resumed run gives a question the reply that it got before the run was stopped, where everything is the same that
    made it: the round, the trial that was measured, engine, parameters, system prompt, prompt, images, and how often
    the same question was asked there before. So two trials, or two engines, never get each other's replies, and it
    does not matter in which order threads ask different questions.

    A worker process has no record: what is asked there comes back with the measurement (`Applied.answers`), and a
    measurement that was not finished is repeated whole.

    Args:
        run: The session that it belongs to.
        round: The round that is worked on.
        trial: Number of the trial that is measured; None while values are proposed, and while a run is finished.
    """

    def __init__(self, run: Recorders, round: int, trial: int | None = None) -> None:
        self._run, self._round, self._trial = run, round, trial
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, call: Call, ask: Callable[[], Reply]) -> Reply:
        ledger, question = self._run.ledger, call.question
        with self._lock:
            occurrence = self._asked[question]
            self._asked[question] += 1
        reply = ledger.answer(self._round, self._trial, question, occurrence)
        if reply is None:
            self._run.meet(call.engine)
            reply = wait_for(ask)
            reply = replace(reply, text=well_formed(reply.text))
            # Under its own number: where threads ask the same at once, none is handed what another was just told.
            ledger.add_answers(self._round, self._trial, [Answer.to(call, reply)], occurrence)
        return reply
