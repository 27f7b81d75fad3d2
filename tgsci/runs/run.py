"""Runs: a domain's problem solved in a directory, taken up again from there, and begun anew from one of its trials."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, LedgerError, TgsciError, UsageError
from ..files import as_path
from ..optimizer import TextualGradientDescent
from ..search.ledger import DATABASE, Ledger
from ..search.loop import Budget, Progress, minimize
from ..search.proposer import Proposer
from ..show import report
from .choose import AnyEngine, Chosen, choose
from .domain import Domains, Problem
from .result import Result

logger = logging.getLogger("tgsci")


def solve(
    problem: Problem,
    *,
    engine: AnyEngine = None,
    optimizer: str | Proposer | TextualGradientDescent | None = None,
    budget: Budget | int = 60,
    goal: float | None = None,
    proposals: int | None = None,
    seed: int = 0,
    workers: int | str | Executor | None = None,
    run: str | Path | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Solve a domain's problem, and leave its result files and `report.html` in the run's directory.

    A file that cannot be written is logged and listed in `result.unwritten`, not raised: the run is complete and its
    result is returned. The files are also written where an engine fails in the middle.

    Args:
        problem: From `Domain.problem`.
        engine: Proposes: a model name, any callable, or `{"name": ..., "temperature": ...}`. None takes the
            environment's TGSCI_ENGINE, else the domain's rule editor; "rules" is always the rule editor.
        optimizer: Who proposes: "rules", one of `problem.optimizers`, or with an engine "tgd" (it writes values;
            the default with one) or "menu" (it chooses from the domain's options); or a `Proposer` of your own.
        budget: When to stop; a number means evaluations.
        goal: Stop once a feasible loss is at most this; None takes the problem's.
        proposals: Values a round; None takes the problem's.
        seed: All randomness comes from it.
        workers: Processes that measure, "dask://HOST:PORT" for a cluster, or an executor; None takes one a core.
        run: Directory to keep the run in; None keeps it in memory.
        progress: Called whenever something happened.

    Raises:
        UsageError: A bad argument; nothing was started.
        LedgerError: The directory cannot be used.
        EngineError: The engine gave no reply after its retries; the run can be resumed.
    """
    if not isinstance(problem, Problem):
        raise UsageError(f"solve() takes a domain's Problem, not {problem!r}; for a loss of your own use minimize()")
    return carry_out(
        problem,
        choose(problem, engine, optimizer),
        budget=budget,
        goal=goal,
        proposals=proposals,
        seed=seed,
        workers=workers,
        run=run,
        progress=progress,
    )


def carry_out(
    problem: Problem,
    chosen: Chosen,
    *,
    budget: Budget | int = 60,
    goal: float | None = None,
    proposals: int | None = None,
    seed: int = 0,
    workers: int | str | Executor | None = None,
    run: str | Path | None = None,
    progress: Callable[[Progress], None] | None = None,
    header: Mapping[str, Any] | None = None,
) -> Result:
    """`solve`, with the proposer that was chosen already and facts to keep with the run."""
    directory = None if run is None else as_path(run, "run")
    budget = budget if isinstance(budget, Budget) else Budget(evaluations=budget)
    goal = problem.goal if goal is None else goal
    proposals = problem.proposals if proposals is None else proposals
    facts = {
        **(header or {}),
        "domain": problem.domain,
        "config": dict(problem.config),
        "name": problem.name,
        "notes": list(problem.notes),
        "columns": list(problem.columns),
        "engine": chosen.engine,
        "optimizer": chosen.name,
        "budget": asdict(budget),
        "goal": goal,
    }
    try:
        result = minimize(
            problem.loss,
            problem.start,
            chosen.optimizer,
            budget=budget,
            goal=goal,
            proposals=proposals,
            seed=seed,
            workers=cores() if workers is None else workers,
            run=directory,
            task=problem.task,
            progress=progress,
            header=facts,
            finish=problem.finish,
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


def _leave_files(problem: Problem, result: Result, directory: Path) -> None:
    """The domain's own files, and the report. A full disk costs these: everything measured is recorded."""

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


def resume(
    run: str | Path,
    *,
    engine: AnyEngine = None,
    optimizer: str | Proposer | TextualGradientDescent | None = None,
    budget: Budget | int | None = None,
    goal: float | None = None,
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
        workers: Processes that measure, "dask://HOST:PORT" for a cluster, or an executor; None takes one a core.
        progress: Called whenever something happened.

    Raises:
        LedgerError: There is no run, it is of another format, or in use.
        UsageError: It was not started from a domain, or that domain is not installed.
    """
    directory = as_path(run, "run")
    header = read_header(directory)
    problem = problem_of(directory, header)
    return carry_on(
        directory,
        problem,
        choose_again(problem, header, directory, engine, optimizer),
        header,
        budget=budget,
        goal=goal,
        workers=workers,
        progress=progress,
    )


def carry_on(
    directory: Path,
    problem: Problem,
    chosen: Chosen,
    header: Mapping[str, Any],
    *,
    budget: Budget | int | None = None,
    goal: float | None = None,
    workers: int | str | Executor | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Result:
    """`resume`, with everything read and chosen already."""
    return carry_out(
        problem,
        chosen,
        budget=Budget(**header["budget"]) if budget is None else budget,
        goal=header.get("goal") if goal is None else goal,
        proposals=header["proposals"],
        seed=header["seed"],
        workers=workers,
        run=directory,
        progress=progress,
    )


def branch(
    origin: str | Path,
    trial: int,
    *,
    run: str | Path | None = None,
    engine: AnyEngine = None,
    optimizer: str | Proposer | TextualGradientDescent | None = None,
    budget: Budget | int = 60,
    goal: float | None = None,
    proposals: int | None = None,
    seed: int = 0,
    workers: int | str | Executor | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Begin a new run of the same problem from any value of another run, which stays as it is.

    Args:
        origin: The other run's directory.
        trial: Number of the trial whose value to start from.
        run: Directory of the new run; None keeps it in memory.
        engine: As for `solve`; so are all others.
        optimizer: Who proposes.
        budget: When to stop; a number means evaluations.
        goal: Stop once a feasible loss is at most this; None takes the problem's.
        proposals: Values a round; None takes the problem's.
        seed: All randomness comes from it.
        workers: Where to measure.
        progress: Called whenever something happened.

    Raises:
        LedgerError: There is no such run, or the new directory cannot be used.
        UsageError: There is no such trial, or the run was not started from a domain.
    """
    problem, came_from = branched(as_path(origin, "origin"), trial)
    return carry_out(
        problem,
        choose(problem, engine, optimizer),
        budget=budget,
        goal=goal,
        proposals=proposals,
        seed=seed,
        workers=workers,
        run=run,
        progress=progress,
        header=came_from,
    )


def branched(origin: Path, number: int) -> tuple[Problem, dict[str, Any]]:
    """The problem of a run, started from one of its trials; and what the new run keeps of where it came from."""
    result = Result.load(origin)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(result.trials):
        raise UsageError(f"there is no trial {number!r}; the run has 0 to {len(result.trials) - 1}")
    trial = result.trials[number]
    if not trial.value:
        raise UsageError(f"trial {number} holds no value to start from: {trial.decision}")
    problem = replace(problem_of(origin, result.header), start=[trial.value])
    kept = {"run": str(origin), "trial": number, "value": trial.value, "loss": trial.loss if trial.measured else None}
    return problem, {"branched_from": kept}


def read_header(run: str | Path) -> dict[str, Any]:
    """The facts that a run was begun with.

    Raises:
        LedgerError: There is no run, or it is of another format.
    """
    with Ledger.open(as_path(run, "run")) as ledger:
        return ledger.header


def problem_of(run: Path, header: Mapping[str, Any]) -> Problem:
    """The problem that a run is about, started from where the run was started.

    Raises:
        UsageError: It was not started from a domain, or that domain is not installed.
    """
    if not header.get("domain"):
        raise UsageError(
            f"{str(run)!r} was started from Python with minimize(); call minimize(..., run={str(run)!r}) again"
        )
    problem = Domains.installed().load(header["domain"]).problem(header["config"])
    start = header.get("start")
    return replace(problem, start=list(start)) if start else problem


def choose_again(
    problem: Problem,
    header: Mapping[str, Any],
    run: Path,
    engine: AnyEngine = None,
    optimizer: str | Proposer | TextualGradientDescent | None = None,
) -> Chosen:
    """Who proposes in a run that goes on: what is asked for now, else who did before.

    Raises:
        UsageError: Who did before has no name.
    """
    if optimizer is None and engine is not None:
        before = header.get("optimizer")
        return choose(problem, engine, "menu" if before == "menu" and engine != "rules" else None)
    if engine is not None or not isinstance(optimizer, str | None):
        return choose(problem, engine, optimizer)
    before = header.get("engine")
    if optimizer is not None:  # with the engine of before, where it is one that asks
        return choose(problem, None if before == "rules" or optimizer not in ("tgd", "menu") else before, optimizer)
    if before is None:
        raise UsageError(
            f"{str(run)!r} was started with an engine or optimizer that has no name; "
            "give one, or engine 'rules' for the rule editor"
        )
    name = header.get("optimizer")
    return choose(problem, None if before == "rules" and name not in (None, "rules") else before, name)


def load(run: str | Path) -> Result:
    """Look at a run in a directory, finished or not; values are drawn if its domain is installed."""
    result = Result.load(run)
    domain = str(result.header.get("domain", ""))
    domains = Domains.installed()
    if domain in domains.entries:
        try:
            result.problem = domains.load(domain).problem(result.header["config"])
        except (UsageError, ImportError):
            result.problem = None  # still a table and a plot, without pictures
    return result


def new_directory(problem: Problem, root: str | Path = "runs") -> Path:
    """Make a fresh directory for a run, named after the problem and the time.

    Runs that are started in the same second, a cluster's array job for instance, each get their own.

    Raises:
        LedgerError: It cannot be made.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", problem.name or problem.domain or "run").strip("-.")[:60]
    stem = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    number = 1
    while True:
        path = Path(root) / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            number += 1
        except OSError as error:
            raise LedgerError(f"cannot write a run into {str(path)!r}: {error.strerror or error}") from None


def find_runs(root: str | Path = "runs") -> list[Path]:
    """The runs below a directory, oldest first.

    Raises:
        LedgerError: There is no such directory.
    """
    if not Path(root).is_dir():
        raise LedgerError(f"there is no directory {str(root)!r}")
    found = [path.parent for path in Path(root).rglob(DATABASE)]
    return sorted(found, key=lambda path: (path / DATABASE).stat().st_mtime)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
