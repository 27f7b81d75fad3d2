"""`tgsci radiotherapy plan`: tune a plan until it meets a sheet of clinical goals, or show which exclude each other."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import Any

from tgsci.cli.main import add_run_options, run_problem
from tgsci.errors import LedgerError, UsageError

from ..job import EVALUATIONS, KEYS
from .extra import needs_extra
from .shared import Commands

#: Keys of the table that options are called after.
_SIMPLE = ("case", "goals", "protocol", "gap")


def add_plan(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `plan`: tune a plan to a sheet of goals."""
    parser = commands.add_parser(
        "plan",
        help="tune a plan until it meets a sheet of clinical goals",
        description="Tune a plan: solve it, read its goals and what its weights and doses do to them, change these, "
        "and solve it again, until all goals are met or nothing helps any more. Every plan, its reason and its page "
        "are kept in the run's directory, with the best plan's files. Research tool: not for clinical use.",
        epilog="Exit code: 0 done (all goals met or not), 1 failed or a file is missing, 2 bad input (nothing was "
        "started), 130 interrupted.",
    )
    parser.add_argument("--case", required=True, metavar="NAME", help="see: tgsci radiotherapy cases; or a .zarr file")
    parser.add_argument(
        "--goals", required=True, metavar="SHEET", help="see: tgsci radiotherapy goals; or a .toml file"
    )
    parser.add_argument(
        "--start", metavar="FILE", help="parameters to start from: a .json file, or another run's plan.json"
    )
    parser.add_argument(
        "--prescription", action="append", metavar="TARGET=GY", help="total Gy in place of the case's: PTV=50; repeat"
    )
    parser.add_argument(
        "--protocol",
        metavar="NAME",
        help="textgrad-paper: weights only, all 100 at the start, D95%% scaled to the prescription, 10 iterations",
    )
    parser.add_argument("--gap", type=float, metavar="G", help="relative optimality gap of every plan (0.001)")
    parser.add_argument(
        "--plan-seconds", dest="plan_seconds", type=float, metavar="S", help="longest that one plan may take (300)"
    )
    add_run_options(parser)
    parser.set_defaults(run=needs_extra(run_plan))


def run_plan(arguments: argparse.Namespace) -> int:
    """Build the problem that the command line describes, run it, and show its goals.

    Raises:
        UsageError: Bad input; nothing was started.
    """
    from tgsci.runs import run as runs

    from .. import domain

    problem = domain.problem(_config(arguments))
    if not any(getattr(arguments, limit) is not None for limit in ("evals", "seconds", "usd", "model_calls")):
        arguments.evals = _evaluations(problem.config["protocol"])
    if arguments.workers is None and arguments.executor is None:  # a plan uses all cores: more processes would idle
        arguments.workers = min(runs.cores(), arguments.proposals or problem.proposals)
    made = not arguments.directory
    directory = runs.new_directory(problem) if made else Path(arguments.directory).expanduser()
    try:
        code = run_problem(problem, argparse.Namespace(**{**vars(arguments), "directory": str(directory)}))
    except BaseException:
        if made:
            with contextlib.suppress(OSError):  # only where nothing was begun in it
                directory.rmdir()
                directory.parent.rmdir()
        raise
    print(f"\n{summary(directory)}")
    return code


def summary(directory: Path) -> str:
    """The best plan's goals, what could not be met together, and what that is worth, as a run ends with it.

    Args:
        directory: The run's.
    """
    from tgsci.runs.result import Result

    from ..notice import NOTICE
    from ..views.conflicts import account
    from ..views.export import best_plan
    from ..views.tables import goal_table

    try:
        result = Result.load(directory)
    except LedgerError as error:
        return str(error)
    lines = [goal_table(result.best)] if result.best else ["No plan could be measured."]
    conflicts = account(result.trials)
    lines += ["", conflicts] if conflicts else []
    best = best_plan(result)
    lines += ["", f"With the patient shifted (robustness.txt): {best.robustness.summary()}."] if best else []
    return "\n".join([*lines, "", NOTICE])


def _config(arguments: argparse.Namespace) -> dict[str, Any]:
    """The table of a job file that says the same as the options."""
    config = {key: getattr(arguments, key) for key in _SIMPLE if getattr(arguments, key) is not None}
    if arguments.start is not None:
        config["start"] = arguments.start
    if arguments.plan_seconds is not None:
        config["seconds"] = arguments.plan_seconds
    if arguments.prescription:
        config["prescription"] = read_prescription(arguments.prescription)
    assert set(config) <= set(KEYS)
    return config


def read_prescription(texts: list[str]) -> dict[str, float]:
    """The table that texts such as PTV=50 stand for.

    Raises:
        UsageError: One is none, or names a target twice.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, sign, dose = text.rpartition("=")
        try:
            gray = float(dose.strip().removesuffix("Gy"))
        except ValueError:
            gray = float("nan")
        if not sign or not name.strip() or gray != gray:
            raise UsageError(f"--prescription {text!r} must be a target, = and total Gy: PTV=50")
        if name.strip() in found:
            raise UsageError(f"--prescription gives {name.strip()!r} twice")
        found[name.strip()] = gray
    return found


def _evaluations(protocol: str) -> int:
    """How many plans to make: the start and the protocol's iterations, or the usual number."""
    from ..loss.protocol import PROTOCOLS

    iterations = PROTOCOLS[protocol].iterations
    return EVALUATIONS if iterations is None else iterations + 1
