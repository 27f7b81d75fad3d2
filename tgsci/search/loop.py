"""Search: propose, validate, measure, accept, under a budget. Nothing here knows any domain."""

from __future__ import annotations

import itertools
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import checks
from ..compute import executors
from ..engine import Call, Reply, recording
from ..errors import EngineError, InvalidValue, LedgerError, MeasurementError, TgsciError, UsageError
from ..feedback import Feedback, is_better
from ..files import as_path
from ..loss import Loss, as_loss
from ..optimizer import TextualGradientDescent
from ..runs.result import Result
from ..texts import differences, figure, well_formed
from ..version import __version__
from .finalists import Finishing
from .ledger import Ledger, Spent, question_id
from .proposer import Proposer, as_proposer
from .trial import Proposal, State, Trial, Trials, canonical_value

logger = logging.getLogger("tgsci")

#: Rounds in a row without a single value to measure after which a run gives up.
_FRUITLESS_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop. Whatever is None has no limit.

    Args:
        evaluations: Measurements, the start values and failed ones included.
        usd: Known price of all model calls, US dollars.
        seconds: Wall time, s, summed over interrupted sessions. Looked at between rounds.
        model_calls: Questions to an engine. Looked at between rounds: a round's retry may exceed it by one.

    Raises:
        UsageError: A limit that is no positive number, or none at all.
    """

    evaluations: int | None = 60
    usd: float | None = None
    seconds: float | None = None
    model_calls: int | None = None

    def __post_init__(self) -> None:
        limits = {
            "evaluations": self.evaluations,
            "usd": self.usd,
            "seconds": self.seconds,
            "model_calls": self.model_calls,
        }
        for name, limit in limits.items():
            if limit is not None:
                check = checks.whole if name in ("evaluations", "model_calls") else checks.number
                object.__setattr__(self, name, check(f"the budget of {name}", limit, above=0))
        if all(limit is None for limit in limits.values()):
            raise UsageError("a budget without any limit never ends: set evaluations, usd, seconds or model_calls")

    def exhausted(self, spent: Spent) -> str:
        """Which limit is reached, in words; "" where none is."""
        if self.evaluations is not None and spent.evaluations >= self.evaluations:
            return f"the budget of {self.evaluations} evaluations is used up"
        if self.model_calls is not None and spent.model_calls >= self.model_calls:
            return f"the budget of {self.model_calls} model calls is used up"
        if self.seconds is not None and spent.seconds >= self.seconds:
            return f"the budget of {self.seconds:g} s is used up"
        if self.usd is not None and spent.unpriced_calls:
            return "a model call's price is unknown, so a budget in US dollars cannot be kept; use model_calls instead"
        if self.usd is not None and spent.usd >= self.usd:
            return f"the budget of {self.usd:g} USD is used up"
        return ""


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


def minimize(
    loss: Loss | Callable[[str], Any],
    start: str | Sequence[str],
    optimizer: Proposer | TextualGradientDescent,
    *,
    budget: Budget | int = 60,
    goal: float | Callable[[Feedback], bool] | None = None,
    proposals: int = 4,
    seed: int = 0,
    workers: int | str | Executor = 0,
    run: str | Path | None = None,
    task: str = "",
    progress: Callable[[Progress], None] | None = None,
    header: Mapping[str, Any] | None = None,
    finish: Callable[[Result, Finishing], None] | None = None,
) -> Result:
    """Search for the value with the lowest loss.

    Every round the optimizer proposes values, the loss checks them, new ones are measured, and the best
    so far is kept: feasible before infeasible, then less violation, then lower loss. Everything is
    recorded before it is acted upon. The same call on an interrupted `run` goes on where it stopped and
    ends as if it had never been interrupted; on a finished one it returns the result.

    Args:
        loss: A `Loss`, or a function `value -> float`.
        start: One value or several; measured first.
        optimizer: Proposes: `TGD(engine=...)`, or a domain's rule editor.
        budget: When to stop; a number means evaluations.
        goal: Stop once a feasible loss is at most this, or once this says yes to the best feedback.
        proposals: Values a round; one model call for all of them.
        seed: All randomness comes from it and the trial's number.
        workers: Processes that measure; 0 measures here. Or "dask://HOST:PORT" for a Dask cluster, or any
            `concurrent.futures.Executor`.
        run: Directory of the run; None keeps the record in memory.
        task: What is designed and what is wanted, for a model.
        progress: Called whenever something happened.
        header: JSON-able facts to keep with the run.
        finish: Called with the result after a search that was not interrupted, while the workers are still there;
            see `Problem.finish`.

    Returns:
        The result; `result.stopped` says why it ended, Ctrl-C included.

    Raises:
        UsageError: A bad argument or start value; nothing was started.
        LedgerError: The directory cannot be used, or its run is of other settings.
        EngineError: The engine gave no reply after its retries; the run can be resumed.
    """
    loss = as_loss(loss)
    if not isinstance(budget, Budget):
        budget = Budget(evaluations=budget)
    proposer = as_proposer(optimizer)
    proposals = checks.whole("proposals", proposals, above=0)
    executors.check(workers)
    directory = None if run is None else as_path(run, "run")
    seed = checks.whole("seed", seed)
    if goal is not None and not callable(goal):
        goal = checks.number("goal", goal)
    values = _checked_start(loss, start)
    if budget.evaluations is not None and budget.evaluations < len(values):
        raise UsageError(f"{len(values)} start values do not fit into a budget of {budget.evaluations} evaluations")
    settings = {"fingerprint": loss.fingerprint, "start": values, "seed": seed, "proposals": proposals}
    measurers = executors.Measurers(workers, loss.timeout)  # a cluster that cannot be reached is said before any work
    try:
        facts = {**(header or {}), "loss": loss.name, "units": dict(loss.units), "task": task}
        ledger = _open(directory, settings, facts)
    except BaseException:
        measurers.close()
        raise
    _note_idle(measurers.workers, proposals)
    stopped = "an error"
    try:
        ledger.begin_session(proposer.name, " ".join(filter(None, (proposer.description, measurers.destination))))
        if measurers.destination:
            _note_destination(ledger, measurers.destination)
        search = _Search(ledger, loss, proposer, budget, goal, proposals, seed, task, progress or (lambda _: None))
        if proposer.engine is not None:
            proposer.engine.skip(ledger.spent().model_calls)
        with measurers as executor:
            ended = search.until_stopped(values, executor)
            if finish is not None and search.trials.best is not None:
                result = Result(ledger, loss=loss, stopped=ended)
                finish(result, Finishing(result, executor, max(1, measurers.workers), search.say))
            search.report("done")
            stopped = ended
    except KeyboardInterrupt:
        stopped = "interrupted"
    except EngineError as error:
        stopped = f"no reply from the engine: {error}"
        raise
    finally:
        measurers.close()  # a second time, except where something failed before they were used
        try:
            ledger.end_session(stopped)
        finally:  # on a full disk too, another process may go on
            ledger.release()
    return Result(ledger, loss=loss, stopped=stopped)


def _note_idle(workers: int, proposals: int) -> None:
    if workers > proposals:
        logger.warning(
            "%d workers, %d proposals a round: %d idle; a run with proposals=%d (--proposals %d) would use them all",
            *(workers, proposals, workers - proposals, workers, workers),
        )


def _note_destination(ledger: Ledger, destination: str) -> None:
    """Keep where values went, for good: a report says what left the machine."""
    there = ledger.header.get("measured_at", [])
    if destination not in there:
        ledger.set_header("measured_at", [*there, destination])


class _Search:
    """The loop over rounds. All state is the ledger's; this object only knows how to go on."""

    def __init__(
        self,
        ledger: Ledger,
        loss: Loss,
        proposer: Proposer,
        budget: Budget,
        goal: float | Callable[[Feedback], bool] | None,
        proposals: int,
        seed: int,
        task: str,
        progress: Callable[[Progress], None],
    ) -> None:
        self.ledger, self.loss, self.proposer, self.budget = ledger, loss, proposer, budget
        self.goal, self.proposals, self.seed, self.progress = goal, proposals, seed, progress
        self.trials = Trials(ledger.trials(), loss, task)
        #: What a new measurement has to beat.
        self._accepted = Trials(t for t in self.trials if t.state is State.ACCEPTED).best
        self._began = (time.monotonic(), ledger.spent().evaluations)

    def until_stopped(self, start: Sequence[str], executor: Executor | None) -> str:
        """Go on round by round. Returns why it ended."""
        while True:
            if not self._pending():
                stop = self._stop()
                if stop:
                    return stop
                round = self.trials[-1].round + 1 if self.trials else 0
                with recording(_AnswerOnce(self.ledger, round)):
                    new = self._ask(start, round)
                if not new:
                    return "nothing is left to propose"
                self.ledger.add_trials(new)
                for trial in new:
                    self.trials.append(trial)
            pending = self._pending()
            if pending:
                with recording(_AnswerOnce(self.ledger, pending[0].round)):
                    self._measure([t for t in pending if t.feedback is None], executor)
                self._decide()

    def _pending(self) -> list[Trial]:
        """Trials not yet judged: only the latest round can hold any."""
        return [t for t in self.trials.last_round() if t.state is State.PENDING]

    def _stop(self) -> str:
        if not self.trials:
            return ""
        best = self.trials.best
        if best is None or best.feedback is None:
            return f"no start value could be measured: {self.trials[0].decision}"
        if callable(self.goal):
            met = self.goal(best.feedback)
        else:
            met = self.goal is not None and best.feedback.feasible and best.loss <= self.goal
        if met:
            return f"the goal is met by trial {best.number}"
        last = self.trials[-1].round
        recent = itertools.takewhile(lambda t: t.round > last - _FRUITLESS_ROUNDS, reversed(self.trials))
        if last >= _FRUITLESS_ROUNDS and not any(t.feedback for t in recent):
            return f"{_FRUITLESS_ROUNDS} rounds in a row gave no new value to measure ({self.trials[-1].decision})"
        return self.budget.exhausted(self.ledger.spent())

    def _ask(self, start: Sequence[str], round: int) -> list[Trial]:
        """A round of proposals as trials: checked, numbered, not yet measured."""
        if round == 0:
            return [Trial(i, 0, value, "start value", proposer="you") for i, value in enumerate(start)]
        first, n = len(self.trials), self.proposals
        if self.budget.evaluations is not None:
            n = min(n, self.budget.evaluations - self.ledger.spent().evaluations)
        self.report(f"{self.proposer.name} proposes")
        rng = random.Random(f"{self.seed}:{first}")
        proposals = self.proposer.ask(self.trials, n, rng)[:n]
        seen: dict[str, int] = {}
        return [self._trial(p, first + i, round, seen) for i, p in enumerate(proposals)]

    def _trial(self, proposal: Proposal, number: int, round: int, seen: dict[str, int]) -> Trial:
        """A proposal as a trial; `seen` holds the values of the same round."""
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
        self.report(f"measuring {len(trials)}")
        if executor is None:
            for trial in trials:
                self._record(trial, *_measure(self.loss, trial.value))
            return
        futures: dict[Future[tuple[Feedback, float]], Trial] = {
            executor.submit(_measure, self.loss, trial.value): trial for trial in trials
        }
        try:
            for future in as_completed(futures):
                self._record(futures[future], *_outcome(future))
        except BaseException:
            for future in futures:
                future.cancel()
            raise

    def _record(self, trial: Trial, feedback: Feedback, seconds: float) -> None:
        kept = self.ledger.add_measurement(trial.number, feedback, seconds)
        self.trials.update(replace(trial, feedback=kept, seconds=seconds))
        self.report("measuring")

    # -- accepting ---------------------------------------------------------------------------------

    def _decide(self) -> None:
        """Judge the round's measurements in the order of their numbers, whatever order they came in."""
        decided, best = [], self._accepted
        for trial in self._pending():
            state, decision = _judge(trial, best)
            judged = replace(trial, state=state, decision=decision)
            decided.append(judged)
            if state is State.ACCEPTED:
                best = judged
        self.ledger.decide(decided)
        self._accepted = best
        for trial in decided:
            self.trials.update(trial)
        self.report("deciding")

    def say(self, text: str, done: int = 0, total: int = 0, eta_seconds: float | None = None) -> None:
        """Tell what goes on after the search, with its own estimate of the time left."""
        self.progress(Progress(self.trials, self.ledger.spent(), self.budget, text, eta_seconds, done, total))

    def report(self, activity: str) -> None:
        """Tell what goes on."""
        spent = self.ledger.spent()
        self.progress(Progress(self.trials, spent, self.budget, activity, self._eta(spent)))

    def _eta(self, spent: Spent) -> float | None:
        """Time to the end of the evaluations at this session's speed, or to the end of the seconds."""
        began, before = self._began
        estimates = []
        if self.budget.evaluations is not None and spent.evaluations > before:
            pace = (time.monotonic() - began) / (spent.evaluations - before)
            estimates.append(pace * (self.budget.evaluations - spent.evaluations))
        if self.budget.seconds is not None:
            estimates.append(max(0.0, self.budget.seconds - spent.seconds))
        return min(estimates, default=None)


class _AnswerOnce:
    """Records every question of a round; one that was answered before the run stopped is not asked again."""

    def __init__(self, ledger: Ledger, round: int) -> None:
        self._ledger, self._round = ledger, round
        self._asked: dict[str, int] = {}
        self._lock = threading.Lock()

    def __call__(self, call: Call, ask: Callable[[], Reply]) -> Reply:
        key = question_id(call)
        with self._lock:
            occurrence = self._asked[key] = self._asked.get(key, -1) + 1
        reply = self._ledger.answer(self._round, call, occurrence)
        if reply is None:
            reply = ask()
            reply = replace(reply, text=well_formed(reply.text))
            self._ledger.add_call(self._round, occurrence, call, reply)
        return reply


def _measure(loss: Loss, value: str) -> tuple[Feedback, float]:
    """One measurement, tried twice where the failure is a passing one. Runs in a worker."""
    started = time.perf_counter()
    feedback = loss.measure(value)
    if feedback.transient:
        feedback = loss.measure(value)
    return feedback, time.perf_counter() - started


def _outcome(future: Future[tuple[Feedback, float]]) -> tuple[Feedback, float]:
    """A worker's result. A worker that died or hung costs this one measurement."""
    try:
        return future.result()
    except MeasurementError as error:
        return Feedback.failed(str(error), transient=error.transient), 0.0
    except BrokenExecutor as error:
        raise TgsciError(f"the executor broke ({error}); nothing measured is lost, the run can be resumed") from error


def _judge(trial: Trial, best: Trial | None) -> tuple[State, str]:
    feedback = trial.feedback
    if feedback is None or not feedback.measured:
        why = feedback.error if feedback and feedback.error else "the loss gave no number"
        return State.FAILED, why
    against = f"trial {best.number} (loss {figure(best.loss)})" if best else ""
    broken = ", ".join(f"{name} by {figure(by)}" for name, by in feedback.violations.items() if by > 0)
    limits = f"; limits broken: {broken}" if broken else ""
    if is_better(feedback, best.feedback if best else None):
        return State.ACCEPTED, (f"better than {against}" if best else "the first measured value") + limits
    return State.REJECTED, f"not better than {against}{limits}"


def _checked_start(loss: Loss, start: str | Sequence[str]) -> list[str]:
    values = [start] if isinstance(start, str) else list(start) if isinstance(start, Iterable) else [start]
    if not values:
        raise UsageError("no start value was given")
    checked = []
    for value in values:
        if not isinstance(value, str):
            raise UsageError(f"a start value is text, not {value!r}")
        try:
            checked.append(canonical_value(loss, value))
        except InvalidValue as error:
            raise UsageError(f"the start value {value[:200]!r} cannot be used: {error}") from None
    return list(dict.fromkeys(checked))


def _open(directory: Path | None, settings: Mapping[str, Any], header: Mapping[str, Any]) -> Ledger:
    full = {**header, **settings, "tgsci": __version__, "created_at": time.time()}
    if directory is None:
        return Ledger.in_memory(full)
    if not Ledger.exists(directory):
        return Ledger.create(directory, full)
    ledger = Ledger.open(directory, write=True)
    there = ledger.header
    different = [
        f"{'what is measured' if key == 'fingerprint' else key}: {differences(str(there.get(key)), str(value))}"
        for key, value in settings.items()
        if there.get(key) != value
    ]
    if different:
        ledger.close()
        raise LedgerError(
            f"{str(directory)!r} holds a run of other settings, so this one cannot go on in it: "
            + "; ".join(different)
            + ". Choose another directory."
        )
    for key in (
        "budget",
        "goal",
        "engine",
        "optimizer",
    ):  # may change between sessions: the latest is what a resumed run takes
        if key in header and header[key] != there.get(key):
            ledger.set_header(key, header[key])
    return ledger
