"""Runs: a loss minimized, a domain's problem solved, both in a directory from which they go on and branch off."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Unpack

from ..basics.files import as_path
from ..basics.texts import differences, literal
from ..basics.version import __version__
from ..compute.executors import Measurers
from ..compute.interrupt import interruptible
from ..engine import Engine, recording
from ..errors import EngineError, InvalidValue, LedgerError, TgsciError, UsageError
from ..loss import Loss, as_loss
from ..optimizer import TextualGradientDescent
from ..search.insight import Insight
from ..search.ledger import Ledger
from ..search.loop import Progress, Search
from ..search.options import Budget, RunKeywords, RunOptions
from ..search.proposer import Proposer, as_proposer
from ..search.team import Team
from ..search.trial import canonical_value
from ..show import report
from .choose import AnyEngine, Chosen, choose, choose_again
from .directory import branched, problem_of, read_header
from .domain import Problem
from .finalists import Finishing
from .result import FINISH, Result

logger = logging.getLogger("tgsci")

#: What stands for code in the fingerprint of a loss.
_DIGEST = re.compile(r"\b[0-9a-f]{8,}\b")
#: Facts of a run that may change between its sessions: the latest is what a resumed run takes.
_OF_THE_DESK = ("ideas", "prompt_tokens", "confirm")
_CHANGING = ("budget", "goal", "engine", "optimizer", *_OF_THE_DESK)


def minimize(
    loss: Loss | Callable[[str], Any],
    start: str | Sequence[str],
    optimizer: Proposer | TextualGradientDescent,
    *,
    task: str = "",
    insight: Insight | None = None,
    header: Mapping[str, Any] | None = None,
    finish: Callable[[Result, Finishing], None] | None = None,
    **options: Unpack[RunKeywords],
) -> Result:
    """Search for the value with the lowest loss.

    Every round the optimizer proposes values, the loss checks them, new ones are measured, and the best
    so far is kept: feasible before infeasible, then less violation, then lower loss. Everything is
    recorded before it is acted upon. The same call on an interrupted `run` goes on where it stopped and
    ends as if it had never been interrupted; on a finished one it returns the result.

    Args:
        loss: A `Loss`, or a function `value -> float`.
        start: One value or several; measured first.
        optimizer: Proposes: `TGD(engine=...)`, a domain's rule editor, or anything with `ask(trials, n, rng)`.
        task: What is designed and what is wanted, for a model.
        insight: What is known of the values besides their loss, for a model at its desk: how they group into families,
            what a change did, what is expected of a value; and how a value is measured with more care before it leads.
        header: JSON-able facts to keep with the run.
        finish: Called with the result after a search that was not interrupted, while the workers are still there;
            see `Problem.finish`.
        options: `budget=60, goal=None, proposals=4, seed=0, workers=0, run=None, progress=None, keep_ties=False,
            ideas=12, prompt_tokens=8000, confirm=True`: see `tgsci.search.options.RunOptions`.

    Returns:
        The result; `result.stopped` says why it ended, Ctrl-C included.

    Raises:
        UsageError: A bad argument or start value; nothing was started.
        LedgerError: The directory cannot be used, or its run is of other settings.
        EngineError: The engine gave no reply after its retries; the run can be resumed.
    """
    known = RunOptions.of(options)
    return _run(as_loss(loss), start, as_proposer(optimizer), known, task, insight, header or {}, finish)


def solve(
    problem: Problem,
    *,
    engine: AnyEngine = None,
    optimizer: str | Proposer | TextualGradientDescent | None = None,
    **options: Unpack[RunKeywords],
) -> Result:
    """Solve a domain's problem, and leave its result files and `report.html` in the run's directory.

    A file that cannot be written is logged and listed in `result.unwritten`, not raised: the run is complete and its
    result is returned. The files are also written where an engine fails in the middle.

    Args:
        problem: From `Domain.problem`.
        engine: Proposes: a model name, any callable, or `{"name": ..., "temperature": ...}`. None takes the
            environment's TGSCI_ENGINE, else the domain's rule editor; "rules" is always the rule editor.
        optimizer: Who proposes: "rules", one of `problem.optimizers`, or with an engine "team" (the model at its desk
            and the rule editor together: the default with one), "desk" (the model alone; the default where there is
            no rule editor), "tgd" (the model sees the best value and its report) or "menu" (it chooses from the
            domain's options); or a `Proposer` of your own.
        options: As for `minimize`; goal and proposals are the problem's where they are not given, and workers one a
            core.

    Raises:
        UsageError: A bad argument; nothing was started.
        LedgerError: The directory cannot be used.
        EngineError: The engine gave no reply after its retries; the run can be resumed.
    """
    if not isinstance(problem, Problem):
        raise UsageError(f"solve() takes a domain's Problem, not {problem!r}; for a loss of your own use minimize()")
    known = options_for(problem, options)
    return carry_out(problem, choose(problem, engine, optimizer, prompt_tokens=known.prompt_tokens), known)


def resume(
    run: str | Path,
    *,
    engine: AnyEngine = None,
    optimizer: str | Proposer | TextualGradientDescent | None = None,
    budget: Budget | int | None = None,
    goal: float | None = None,
    ideas: int | None = None,
    prompt_tokens: int | None = None,
    confirm: bool | None = None,
    workers: int | str | Executor | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Go on with a run, killed, interrupted or finished.

    Args:
        run: Its directory.
        engine: Proposes from here on; None takes the last one.
        optimizer: Proposes from here on, as for `solve`; None takes the last one.
        budget: For the whole run, what was used before included; None takes the last one.
        goal: Stop once a feasible loss is at most this; None takes the last one.
        ideas, prompt_tokens, confirm: From here on, as in `RunOptions`; None takes the last one.
        workers: As for `solve`.
        progress: Called whenever something happened.

    Raises:
        LedgerError: There is no run, it is of an unknown format, or in use.
        UsageError: It was not started from a domain, or that domain is not installed.
    """
    directory = as_path(run, "run")
    header = read_header(directory)
    problem = problem_of(directory, header)
    chosen = choose_again(problem, header, directory, engine, optimizer, prompt_tokens=prompt_tokens)
    limits = {"budget": budget, "goal": goal}
    desk = {"ideas": ideas, "prompt_tokens": prompt_tokens, "confirm": confirm}
    changed = {**limits, **desk, "workers": workers, "progress": progress}
    return carry_out(problem, chosen, options_again(problem, directory, header, changed))


def branch(
    origin: str | Path,
    trial: int,
    *,
    engine: AnyEngine = None,
    optimizer: str | Proposer | TextualGradientDescent | None = None,
    **options: Unpack[RunKeywords],
) -> Result:
    """Begin a new run of the same problem from any value of another run, which stays as it is.

    Args:
        origin: The other run's directory.
        trial: Number of the trial whose value to start from.
        engine: As for `solve`.
        optimizer: As for `solve`.
        options: As for `solve`.

    Raises:
        LedgerError: There is no such run, or the new directory cannot be used.
        UsageError: There is no such trial, or the run was not started from a domain.
    """
    problem, came_from = branched(as_path(origin, "origin"), trial)
    known = options_for(problem, options)
    return carry_out(problem, choose(problem, engine, optimizer, prompt_tokens=known.prompt_tokens), known, came_from)


def options_for(problem: Problem, keywords: Mapping[str, Any]) -> RunOptions:
    """Make the options of a new run: those that are given, else the problem's, and one worker a core.

    Raises:
        UsageError: One of them cannot be used.
    """
    given = {name: value for name, value in keywords.items() if value is not None}
    options = RunOptions.of({"goal": problem.goal, "proposals": problem.proposals, "workers": cores(), **given})
    return replace(options, budget=problem.budget(options.budget)) if problem.budget else options


def options_again(
    problem: Problem, directory: Path, header: Mapping[str, Any], changed: Mapping[str, Any]
) -> RunOptions:
    """Make the options of a run that goes on: those it had, and the new ones that are given.

    Args:
        problem: The run's.
        directory: The run's.
        header: The facts of the run.
        changed: Budget, goal, ideas, prompt_tokens, confirm, workers and progress; None for what stays.

    Raises:
        UsageError: One of them cannot be used.
    """
    before = {name: header.get(name) for name in ("proposals", "seed", "keep_ties", "goal", *_OF_THE_DESK)}
    before["budget"] = Budget(**header["budget"])
    given = {name: value for name, value in changed.items() if value is not None}
    return options_for(problem, {**before, **given, "run": directory})


def carry_out(problem: Problem, chosen: Chosen, options: RunOptions, header: Mapping[str, Any] | None = None) -> Result:
    """Solve a problem, or go on where its run stopped, and leave the result files in the run's directory.

    Args:
        problem: What to solve.
        chosen: Who proposes.
        options: How the run goes, from `options_for` or `options_again`.
        header: Further facts to keep with the run.

    Raises:
        LedgerError: The directory cannot be used, or its run is of other settings.
        EngineError: The engine gave no reply after its retries; the run can be resumed.
    """
    directory = options.run
    facts = {
        **(header or {}),
        "domain": problem.domain,
        "config": dict(problem.config),
        "name": problem.name,
        "notes": list(problem.notes),
        "columns": list(problem.columns),
        "summary": problem.summary is not None,
        "rivals": problem.rivals,
        "engine": chosen.engine,
        "optimizer": chosen.name,
        "budget": asdict(options.budget),
        "goal": None if callable(options.goal) else options.goal,  # a function is given again by who resumes
    }
    try:
        result = _run(
            problem.loss, problem.start, chosen.proposer, options, problem.task, problem.insight, facts, problem.finish
        )
    except (UsageError, LedgerError, InvalidValue):
        raise  # it may be somebody else's run that is there: nothing of it is touched
    except TgsciError:
        if directory is not None and Ledger.exists(directory):
            _leave_files(problem, Result.load(directory, problem), directory)
        raise
    result.problem = problem
    if directory is not None:
        _leave_files(problem, result, directory)
    return result


def _run(
    loss: Loss,
    start: str | Sequence[str],
    proposer: Proposer,
    options: RunOptions,
    task: str,
    insight: Insight | None,
    header: Mapping[str, Any],
    finish: Callable[[Result, Finishing], None] | None,
) -> Result:
    """Search, finish, and return the result."""
    _check_facts(task, insight, header, finish)
    values = _checked_start(loss, start)
    most = options.budget.evaluations
    if most is not None and most < len(values):
        raise UsageError(f"{len(values)} start values do not fit into a budget of {most} evaluations")
    _check_prices(options.budget, proposer)
    measurers = Measurers(
        options.workers, loss.timeout, loss.threads
    )  # a cluster that cannot be reached is said before any work
    try:
        settings = {
            "fingerprint": loss.fingerprint,
            "careful": insight.careful.loss.fingerprint if insight and insight.careful else "",
            "start": values,
            **{name: getattr(options, name) for name in ("seed", "proposals", "keep_ties")},
        }
        desk = {name: getattr(options, name) for name in _OF_THE_DESK}
        facts = {**header, **desk, "loss": loss.name, "units": dict(loss.units), "task": task}
        ledger = _open(options.run, settings, facts)
    except BaseException:
        measurers.close()
        raise
    if not loss.threads:  # threads that wait cost nothing
        _note_idle(measurers.workers, options.proposals)
    stopped, result = "an error", None
    try:
        ledger.begin_session(proposer.name, " ".join(filter(None, (proposer.description, measurers.destination))))
        if measurers.destination:
            _note_destination(ledger, measurers.destination)
        search = Search(ledger, loss, proposer, values, options, task, insight)
        with interruptible(), measurers as executor:
            ended = search.until_stopped(executor)
            found = Result(ledger, loss=loss, stopped=ended, trials=search.trials)
            if finish is not None and found.best is not None:
                with recording(search.recorders.recorder(FINISH)):
                    finish(found, Finishing(found, executor, max(1, measurers.workers), search.say))
            search.report("done")
            stopped, result = ended, found
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
    # Interrupted between two steps, what this process knows may be less than what is recorded.
    return result or Result(ledger, loss=loss, stopped=stopped)


def _check_prices(budget: Budget, proposer: Proposer) -> None:
    """Refuse a budget in dollars for a model that is known to have no known price: the first call would end the run."""
    members = proposer.members if isinstance(proposer, Team) else (proposer,)
    for engine in [member.engine for member in members if member.engine is not None and budget.usd is not None]:
        tells = type(engine).price is not Engine.price  # any other tells with its replies
        if tells and engine.price(1_000, 1_000) is None:
            raise UsageError(
                f"a budget in US dollars cannot be kept: the price of {engine.name} is unknown. Give one in calls or "
                "tokens instead (--model-calls, --tokens)"
            )


def _check_facts(task: object, insight: object, header: object, finish: object) -> None:
    if not isinstance(task, str):
        raise UsageError(f"task must be text for a model, not {literal(task)}")
    if not isinstance(insight, Insight | None):
        raise UsageError(f"insight must be a tgsci.Insight, not {literal(insight)}")
    if not isinstance(header, Mapping):
        raise UsageError(f"header must be a table of facts to keep with the run, not {literal(header)}")
    if finish is not None and not callable(finish):
        raise UsageError(f"finish must be a function (result, finishing), not {literal(finish)}")
    try:
        json.dumps(dict(header))
    except (TypeError, ValueError) as error:
        raise UsageError(f"header must hold what JSON can: text, numbers, lists and tables ({error})") from None


def _checked_start(loss: Loss, start: str | Sequence[str]) -> list[str]:
    """Check the start values: each in its canonical form, and once."""
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
    """Make a new ledger, or open that of the run which is there, where it has the same settings."""
    full = {**header, **settings, "tgsci": __version__, "created_at": time.time()}
    if directory is None:
        return Ledger.in_memory(full)
    if not Ledger.exists(directory):
        return Ledger.create(directory, full)
    ledger = Ledger.open(directory, write=True)
    # What a run of an older version did not record is as it is now.
    there = {"keep_ties": False, "careful": settings["careful"], **ledger.header}
    different = [_difference(key, there.get(key), value) for key, value in settings.items() if there.get(key) != value]
    if different:
        ledger.close()
        raise LedgerError(
            f"{str(directory)!r} holds a run of other settings, so this one cannot go on in it: "
            + "; ".join(different)
            + ". Choose another directory."
        )
    for key in _CHANGING:
        if key in header and header[key] != there.get(key):
            ledger.set_header(key, header[key])
    return ledger


def _difference(setting: str, there: object, now: object) -> str:
    """Say how a setting of the run differs from that of the call."""
    words = differences(str(there), str(now))
    measured = {"fingerprint": "what is measured", "careful": "how leaders are measured with care"}
    if setting not in measured:
        return f"{setting}: {words}"
    code = (
        " (its code, or something that the code reads, is not what it was; begin the name of an attribute that only "
        "keeps notes with an underscore)"
    )
    return f"{measured[setting]}: {words}{code if _DIGEST.search(words) else ''}"


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


def _leave_files(problem: Problem, result: Result, directory: Path) -> None:
    """Write the domain's own files and the report. A full disk costs only these: everything measured is recorded."""

    def page(result: Result, directory: Path) -> Sequence[Path]:
        return [report.write(result, directory / report.FILE)]

    for write in (problem.export, page):
        try:
            result.files += write(result, directory) if write else []
        except OSError as error:
            result.unwritten.append(str(error.filename or "a result file"))
            logger.warning(
                "could not write %s: %s; nothing measured is lost, and `tgsci runs resume %s` writes the files again",
                error.filename or "a result file",
                error.strerror or error,
                directory,
            )


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
