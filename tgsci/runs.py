"""Runs: a domain's problem solved in a directory, and taken up again from there."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import report
from .domain import Domains, Problem
from .engine import as_engine, get_engine
from .errors import LedgerError, UsageError
from .functions import EngineLike
from .ledger import DATABASE, Ledger
from .optimizer import TGD, Optimizer
from .result import Result
from .search import Budget, Progress, minimize

logger = logging.getLogger("tgsci")

#: Names the engine where none is given; without it the domain's rule editor proposes.
ENGINE_VARIABLE = "TGSCI_ENGINE"


def solve(
    problem: Problem,
    *,
    engine: EngineLike | Mapping[str, Any] = None,
    budget: Budget | int = 60,
    goal: float | None = None,
    proposals: int = 4,
    seed: int = 0,
    workers: int | Executor | None = None,
    run: str | Path | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Solve a domain's problem, and leave its result files and `report.html` in the run's directory.

    A file that cannot be written is logged, not raised: the run is complete and its result is returned.

    Args:
        problem: From `Domain.problem`.
        engine: Proposes: a model name, any callable, or `{"name": ..., "temperature": ...}`. None takes the
            environment's TGSCI_ENGINE, else the domain's rule editor; "rules" is always the rule editor.
        budget: When to stop; a number means evaluations.
        goal: Stop once a feasible loss is at most this.
        proposals: Values a round.
        seed: All randomness comes from it.
        workers: Processes that measure, or an executor; None takes one a core.
        run: Directory to keep the run in; None keeps it in memory.
        progress: Called whenever something happened.

    Raises:
        UsageError: A bad argument; nothing was started.
        LedgerError: The directory cannot be used.
        EngineError: The engine gave no reply after its retries; the run can be resumed.
    """
    recorded = _engine_record(engine)
    budget = budget if isinstance(budget, Budget) else Budget(evaluations=budget)
    header = {
        "domain": problem.domain,
        "config": dict(problem.config),
        "name": problem.name,
        "columns": list(problem.columns),
        "engine": recorded,
        "budget": asdict(budget),
        "goal": goal,
    }
    result = minimize(
        problem.loss,
        problem.start,
        choose_optimizer(problem, engine),
        budget=budget,
        goal=goal,
        proposals=proposals,
        seed=seed,
        workers=cores() if workers is None else workers,
        run=run,
        task=problem.task,
        progress=progress,
        header=header,
    )
    result.problem = problem
    if run is not None:
        _leave_files(problem, result, Path(run))
    return result


def _leave_files(problem: Problem, result: Result, directory: Path) -> None:
    """The domain's own files, and the report. A full disk costs these: everything measured is recorded."""

    def page(result: Result, directory: Path) -> Sequence[Path]:
        return [report.write(result, directory / report.FILE)]

    for write in (problem.export, page):
        try:
            result.files += write(result, directory) if write else []
        except OSError as error:
            logger.warning(
                "could not write %s: %s; nothing measured is lost, and `tgsci runs resume %s` writes the files again",
                error.filename or "a result file",
                error.strerror or error,
                directory,
            )


def resume(
    run: str | Path,
    *,
    engine: EngineLike | Mapping[str, Any] = None,
    budget: Budget | int | None = None,
    workers: int | Executor | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Go on with a run, killed, interrupted or finished.

    Args:
        run: Its directory.
        engine: Proposes from here on; None takes the last one.
        budget: For the whole run, what was used before included; None takes the last one.
        workers: Processes that measure, or an executor; None takes one a core.
        progress: Called whenever something happened.

    Raises:
        LedgerError: There is no run, it is of another format, or in use.
        UsageError: It was not started from a domain, or that domain is not installed.
    """
    with Ledger.open(Path(run)) as ledger:
        header = ledger.header
    if not header.get("domain"):
        raise UsageError(
            f"{str(run)!r} was started from Python with minimize(); call minimize(..., run={str(run)!r}) again"
        )
    problem = Domains.installed().load(header["domain"]).problem(header["config"])
    if engine is None:
        engine = header.get("engine")
        if engine is None:
            raise UsageError(
                f"{str(run)!r} was started with an engine that has no name; give one, or 'rules' for the rule editor"
            )
    return solve(
        problem,
        engine=engine,
        budget=Budget(**header["budget"]) if budget is None else budget,
        goal=header.get("goal"),
        proposals=header["proposals"],
        seed=header["seed"],
        workers=workers,
        run=run,
        progress=progress,
    )


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


def choose_optimizer(problem: Problem, engine: EngineLike | Mapping[str, Any] = None) -> Optimizer:
    """Who proposes: the engine given, else TGSCI_ENGINE's, else the domain's rule editor."""
    if engine is None:
        engine = _default_engine()
    if isinstance(engine, Mapping):
        name = engine.get("name")
        if not isinstance(name, str) or (name == "rules" and len(engine) > 1):
            raise UsageError(f"[engine] needs a name, and 'rules' takes no parameters; there is {dict(engine)!r}")
        if len(engine) == 1:
            engine = name
    if engine == "rules":
        return problem.rules
    if isinstance(engine, Mapping):
        parameters = dict(engine)
        return TGD(engine=get_engine(str(parameters.pop("name", "")), **parameters))
    return TGD(engine=as_engine(engine))


def _default_engine() -> str:
    """The engine of a run that names none."""
    return os.environ.get(ENGINE_VARIABLE, "").strip() or "rules"


def _engine_record(engine: EngineLike | Mapping[str, Any]) -> Any:
    """What to keep of the engine so that a resumed run finds it again; None where it has no name."""
    if engine is None:
        return _default_engine()
    if isinstance(engine, Mapping):
        from .engines.litellm import secrets_in

        secret = secrets_in(engine)
        if secret:
            raise UsageError(f"{secret[0]!r} does not belong in a job or a run's record: put it in the environment")
        return dict(engine)
    return engine if isinstance(engine, str) else None


def new_directory(problem: Problem, root: str | Path = "runs") -> Path:
    """A fresh directory for a run, named after the problem and the time."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", problem.name or problem.domain or "run").strip("-.")[:60]
    stem = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    candidates = [Path(root) / stem, *(Path(root) / f"{stem}-{i}" for i in range(2, 1000))]
    return next(path for path in candidates if not path.exists())


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
