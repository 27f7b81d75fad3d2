"""`tgsci radiotherapy plan`: tune a plan until it meets a sheet of clinical goals, or show which exclude each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tgsci.cli.command import command, option, options
from tgsci.cli.run import RunArguments, exit_code, run_options, run_problem
from tgsci.errors import UsageError
from tgsci.runs.domain import Domains

from ..job import EVALUATIONS
from ..notice import NOTICE

if TYPE_CHECKING:
    from tgsci.runs.result import Result


@command(
    "plan",
    epilog="Exit code: 0 done (all goals met or not), 1 failed or a file is missing, 2 bad input (nothing was "
    "started), 130 interrupted.",
)
@options(
    "table",
    option("--case", required=True, metavar="NAME", help="see: tgsci radiotherapy cases; or a .zarr file"),
    option("--goals", required=True, metavar="SHEET", help="see: tgsci radiotherapy goals; or a .toml file"),
    option("--start", metavar="FILE", help="parameters to start from: a .json file, or another run's plan.json"),
    option(
        "--prescription", multiple=True, metavar="TARGET=GY", help="total Gy in place of the case's: PTV=50; repeat"
    ),
    option(
        "--protocol",
        metavar="NAME",
        help="textgrad-paper: weights only, all 100 at the start, D95% scaled to the prescription, 10 iterations",
    ),
    option(
        "--implied/--no-implied",
        default=None,
        help="with or without the goals that clinics mean and sheets do not say (with): upper side of targets, hot "
        "spots outside, fall-off, conformity",
    ),
    option("--gap", type=float, metavar="G", help="relative optimality gap of every plan (0.001)"),
    option("--plan-seconds", type=float, metavar="S", help="longest that one plan may take, s (300)"),
)
@run_options
def plan(table: dict[str, Any], run: RunArguments) -> int:
    """Tune a plan until it meets a sheet of clinical goals, then on, as low as achievable.

    Solve it, read its goals and what its weights and doses do to them, change these, and solve it again; once all
    goals are met organs and conformity go on by priority, until nothing helps any more. Every plan, its reason and
    its page are kept in the run's directory, with the best plan's files. Research tool: not for clinical use.
    """
    from tgsci.runs.run import cores

    if "plan_seconds" in table:
        table["seconds"] = table.pop("plan_seconds")
    if "prescription" in table:
        table["prescription"] = read_prescription(table["prescription"])
    problem = Domains.installed().load("radiotherapy").problem(table)
    if not run.limits:
        run = replace(run, evals=_evaluations(problem.config["protocol"]))
    if run.workers is None and run.executor is None:  # a plan uses all cores: more processes would idle
        run = replace(run, workers=min(cores(), run.proposals or problem.proposals))
    result = run_problem(problem, run)
    print(f"\n{summary(result)}")
    return exit_code(result)


def summary(result: Result) -> str:
    """Write what a run ends with: the best plan's goals, the nearest other plan, which goals exclude each other.

    The plan's robustness comes last.

    Args:
        result: The run's result.
    """
    from ..views.conflicts import account
    from ..views.export import best_plan
    from ..views.over_plans import near_miss
    from ..views.tables import goal_table

    lines = [goal_table(result.best)] if result.best else ["No plan could be measured."]
    near = near_miss(result.trials)
    lines += ["", near[1]] if near else []
    best = best_plan(result)
    conflicts = account(result.trials, best.answers(result.trials) if best else ())
    lines += ["", conflicts] if conflicts else []
    lines += ["", f"With the patient shifted or denser (robustness.txt): {best.robustness.summary()}."] if best else []
    return "\n".join([*lines, "", NOTICE])


def read_prescription(texts: list[str]) -> dict[str, float]:
    """Read prescriptions such as PTV=50 as a table of target and total Gy.

    Raises:
        UsageError: A text is no prescription, or names a target twice.
    """
    prescription: dict[str, float] = {}
    for text in texts:
        name, sign, dose = text.rpartition("=")
        try:
            gray = float(dose.strip().removesuffix("Gy"))
        except ValueError:
            gray = float("nan")
        if not sign or not name.strip() or gray != gray:
            raise UsageError(f"--prescription {text!r} must be a target, = and total Gy: PTV=50")
        if name.strip() in prescription:
            raise UsageError(f"--prescription gives {name.strip()!r} twice")
        prescription[name.strip()] = gray
    return prescription


def _evaluations(protocol: str) -> int:
    """Choose how many plans to make: the start and the protocol's iterations, or the usual number."""
    from ..loss.protocol import PROTOCOLS

    iterations = PROTOCOLS[protocol].iterations
    return EVALUATIONS if iterations is None else iterations + 1
