"""Models at their desk against the rule editor, at equal evaluations and equal calls; and what the report is worth.

    python benchmarks/bench_models.py --engine openai/gpt-5 --tasks JAK2 --arms team rules --seeds 3

Every run is a directory below --work. The same command goes on where it was killed, and runs that are finished are
not run again, so it may be started as often as you like; started several times at once, each takes the runs that
nobody works on. After every run the table in WORK/MODELS.md is written anew; `tgsci runs compare WORK/F2-*` shows the
same runs with their curves, and each run has a report.html.

Any engine does, by the name that --engine takes elsewhere: a model as litellm writes it (openai/NAME with
OPENAI_API_BASE and OPENAI_API_KEY for a server of your own), replay:FILE, human. A run asks one question a round (and
once more where a reply cannot be used), whatever its arm: 100 evaluations at 4 a round are about 25 questions of at
most --prompt-tokens tokens. See how one looks, without asking it: tgsci molecules design ... --dry-run.

Tasks: F2, PPAR and JAK2 are DOCKSTRING's, from acetamide, one conformer. Any other objective is named as `tgsci
molecules objectives` lists it, any other target as `tgsci molecules targets` does (objective dockstring), and any other
problem, of whatever domain, by its job file: --tasks F2 ABL1 mine.toml.

Figures: `quick` is the best loss by the run's first measurements; `confirmed` is that of the best value measured with
care, as the domain says (molecules: the full docking setting); only that should be compared. Lower is better.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from model_views import REPORTS, seeing, target_names, telling_notes, withheld
from search_tasks import BAR, PUBLISHED, START, TASKS

if TYPE_CHECKING:
    from tgsci.feedback import Feedback
    from tgsci.runs.choose import Chosen
    from tgsci.runs.domain import Problem
    from tgsci.runs.result import Result
    from tgsci.search.trial import Trial, Trials

#: `run.py` runs what takes minutes and asks no model.
BENCHMARKS = ()
#: The table, in the directory of the runs.
TABLE = "MODELS.md"
#: What a capable model has to reach, median of at least 3 runs of 100 evaluations, confirmed; kcal/mol.
WANTED = {"F2": -10.3, "PPAR": -10.0, "JAK2": -9.8}
#: Times that a run is begun again after its engine failed.
TRIES = 3


@dataclass(frozen=True)
class Arm:
    """Who proposes, and what of the simulator's report a model sees.

    Args:
        optimizer: As `--optimizer` takes it.
        meaning: In words.
        pool: True where more ideas are asked for than are measured.
        report: A key of `REPORTS`; "" for all of it.
    """

    optimizer: str
    meaning: str
    pool: bool = True
    report: str = ""


ARMS = {
    "rules": Arm("rules", "the domain's rule editor; asks no model"),
    "tgd": Arm("tgd", "the model sees the best value with its report, five good ones and eight without success"),
    "desk": Arm("desk", "the model at its desk; as many ideas as are measured", pool=False),
    "desk-pool": Arm("desk", "the same with --ideas ideas a round, screened"),
    "team": Arm("team", "the same and the rule editor's ideas, in one pool"),
    "score-only": Arm("desk", "desk-pool, told losses alone: no report, no other figure, no contrast", report="score"),
    "other-report": Arm("desk", "desk-pool, each value with the report of another one", report="other"),
    "no-report": Arm("desk", "desk-pool, told everything but the reports: figures, contrasts", report="none"),
}
#: Names for several arms at once.
GROUPS = {"all": [*ARMS], "reports": ["desk-pool", "score-only", "other-report", "no-report"],
          "proposers": ["rules", "tgd", "desk", "desk-pool", "team"]}  # fmt: skip


# -- a run ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """One run of an arm on a task.

    Args:
        task: As it was typed.
        arm: A key of `ARMS`.
        seed: Of all randomness.
        named: False where the targets' names are withheld from the model.
    """

    task: str
    arm: str
    seed: int
    named: bool = True

    @property
    def title(self) -> str:
        """The task as the table calls it."""
        return Path(self.task).stem if self.task.endswith(".toml") else self.task

    @property
    def label(self) -> str:
        """The arm as the table calls it."""
        return self.arm if self.named else f"{self.arm}, names withheld"

    def directory(self, options: argparse.Namespace) -> Path:
        """Where it is kept: what is compared within one table is told apart by its name."""
        engine = "" if ARMS[self.arm].optimizer == "rules" else f"-{options.engine}"
        name = f"{self.title}-{self.arm}{'' if self.named else '-withheld'}{engine}-{options.evaluations}-{self.seed}"
        return Path(options.work) / re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:150]


def problem_of(task: str) -> Problem:
    """Build the problem of a task.

    Raises:
        UsageError: There is no such task.
    """
    from tgsci.runs.domain import Domains
    from tgsci.runs.job import read_job

    domains = Domains.installed()
    if task.endswith(".toml"):
        job = read_job(Path(task))
        return domains.load(job.domain).problem(job.table)
    from tgsci_molecules.objective.presets import PRESETS

    objective = TASKS.get(task.upper(), task)
    what = {"objective": objective} if objective in PRESETS else {"target": task}
    # Its leaders are confirmed at the end here, each arm's alike.
    return domains.load("molecules").problem({**what, "start": START, "conformers": 1, "finalists": 0})


def chosen(run: Run, problem: Problem, options: argparse.Namespace) -> Chosen:
    """Choose who proposes in a run."""
    from tgsci.runs.choose import Chosen, choose
    from tgsci.search.team import Team

    arm = ARMS[run.arm]
    if arm.optimizer == "rules":
        return choose(problem, "rules")
    engine = {"name": options.engine, **options.parameters} if options.parameters else options.engine
    views: list[Callable[[Trials], Trials]] = [REPORTS[arm.report]] if arm.report else []
    base = options.reports_of if arm.report else arm.optimizer
    if run.named and not views:
        return choose(problem, engine, base, prompt_tokens=options.prompt_tokens)
    alone = choose(problem, engine, "desk" if base == "team" else base, prompt_tokens=options.prompt_tokens)
    if not run.named:
        names, notes = target_names(problem.loss), telling_notes(problem.loss)
        views.append(partial(withheld, names=names, own=alone.proposer.name, notes=notes))
    proposer = seeing(alone.proposer, views)
    if base == "team":
        assert problem.rules is not None
        proposer = Team([proposer, problem.rules])
    return Chosen(proposer, None, alone.engine)


def carried_out(run: Run, options: argparse.Namespace, progress: Callable[[Any], None] | None = None) -> Result:
    """Begin a run, go on with it, or look at its end; its best value is confirmed."""
    from tgsci.runs.arms import ARM
    from tgsci.runs.run import carry_out, options_for
    from tgsci.search.options import Budget

    problem = replace(problem_of(run.task), goal=None, finish=partial(confirm, most=options.finalists))
    arm = ARMS[run.arm]
    settings = options_for(
        problem,
        {
            "budget": Budget(options.evaluations, model_calls=options.model_calls),
            "proposals": options.proposals,
            "seed": run.seed,
            "workers": options.workers,
            "ideas": options.ideas if arm.pool else options.proposals,
            "prompt_tokens": options.prompt_tokens,
            "confirm": options.confirm,
            "run": run.directory(options),
            "progress": progress,
        },
    )
    facts = {ARM: run.label, "benchmark": _conditions(run, options)}
    _check_conditions(run, options)
    return carry_out(problem, chosen(run, problem, options), settings, facts)


def _conditions(run: Run, options: argparse.Namespace) -> dict[str, Any]:
    """List what must be the same where a run goes on, and is not said by its directory or checked by its record."""
    names = ["confirm", "finalists"]
    if ARMS[run.arm].optimizer != "rules":
        names += ["prompt_tokens", "parameters", "model_calls"]
        names += ["ideas"] if ARMS[run.arm].pool else []
        names += ["reports_of"] if ARMS[run.arm].report else []
    return {name: getattr(options, name) for name in names}


def _check_conditions(run: Run, options: argparse.Namespace) -> None:
    """Refuse to go on with a run of other conditions.

    Raises:
        UsageError: Says which.
    """
    from tgsci.basics.texts import settings_differences
    from tgsci.errors import UsageError
    from tgsci.runs.directory import read_header
    from tgsci.search.ledger import Ledger

    directory = run.directory(options)
    if not Ledger.exists(directory):
        return
    there = read_header(directory).get("benchmark", {})
    found = settings_differences(there, _conditions(run, options), "the run", "this call")
    if found:
        raise UsageError(f"{directory} was begun otherwise ({'; '.join(found)}): choose another --work")


def confirm(result: Result, finishing: Any, most: int) -> None:
    """Measure the best values with care that were not confirmed in the search, as the domain says how."""
    careful = result.trials.insight.careful
    if careful is None:
        return
    todo = [t for t in result.trials.ranked(most) if t.first is None and t.number not in result.finals]
    for trial, outcome in finishing.each(partial(measured_with_care, careful.loss), todo, "confirming", timeout=3600):
        finishing.keep(trial, outcome if not isinstance(outcome, Exception) else _failed(outcome))


def measured_with_care(loss: Any, trial: Trial) -> Feedback:
    """Measure a trial's value by a careful loss, which may look at the first measurement."""
    feedback = loss.measure(trial.value)
    return loss.measure_again(trial.value, feedback, trial.feedback)


def _failed(error: Exception) -> Feedback:
    from tgsci.feedback import Feedback

    return Feedback.failed(str(error))


# -- what came of it -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What a run found.

    Args:
        run: Which.
        quick: The best loss by first measurements.
        confirmed: The best confirmed loss; None where nothing was confirmed.
        value: The best value.
        proposer: Who proposed it.
        evaluations, calls, tokens, confirmations: What was used.
        usd: Price of the calls; None where it is unknown.
        seconds: Wall time, s.
        stopped: Why it ended.
    """

    run: Run
    quick: float | None
    confirmed: float | None
    value: str
    proposer: str
    evaluations: int
    calls: int
    tokens: int
    confirmations: int
    usd: float | None
    seconds: float
    stopped: str

    @classmethod
    def of(cls, run: Run, result: Result) -> Outcome:
        """Read what came of a run."""
        from tgsci.runs.arms import winner

        first = [t.first if t.first is not None else t.feedback for t in result.trials if t.measured]
        spent, found = result.spent, leader(result)
        return cls(
            run,
            min((f.loss for f in first if f and f.measured and f.loss is not None and f.feasible), default=None),
            found[1] if found else None,
            found[0].value if found else result.best.value if result.best else "",
            (found[0].proposer if found[0].round else "start") if found else winner(result),
            spent.evaluations,
            spent.model_calls,
            spent.tokens_in + spent.tokens_out,
            spent.confirmations + len(result.finals),
            None if spent.unpriced_calls else spent.usd,
            spent.seconds,
            result.stopped,
        )


def leader(result: Result) -> tuple[Trial, float] | None:
    """Find the value with the best confirmed loss; None where nothing was confirmed."""
    confirmed = [
        (trial, measured.loss)
        for trial in result.trials
        if (measured := result.finals.get(trial.number) or (trial.feedback if trial.first else None))
        and measured.measured
        and measured.feasible
        and measured.loss is not None
    ]
    return min(confirmed, key=lambda pair: pair[1], default=None)


def page(outcomes: Sequence[Outcome], missing: Sequence[str], options: argparse.Namespace) -> str:
    """Write what was found: medians by arm and task, then every run."""
    import tgsci

    tasks = list(dict.fromkeys(o.run.title for o in outcomes))
    labels = list(dict.fromkeys(o.run.label for o in outcomes))
    pool = f"{options.ideas} ideas a round in the pool"
    lines = [
        "# Models at their desk",
        "",
        f"tgsci {tgsci.__version__}, engine {options.engine or 'none'}; {options.evaluations} evaluations a run, "
        f"{options.proposals} a round, {pool}. Median (best to worst; runs); lower is better.",
        "",
        f"| confirmed loss | {' | '.join(tasks)} | best proposed by | calls | tokens | USD |",
        f"|---|{'---|' * (len(tasks) + 4)}",
    ]
    for label in labels:
        mine = [o for o in outcomes if o.run.label == label]
        cells = [spread([o.confirmed for o in mine if o.run.title == task]) for task in tasks]
        usd = [o.usd for o in mine if o.usd is not None]
        costs = [_middle([o.calls for o in mine]), _middle([o.tokens for o in mine])]
        price = f"{median(usd):.2f}" if len(usd) == len(mine) else "unknown"
        lines.append(f"| {label} | {' | '.join([*cells, _counted(o.proposer for o in mine), *costs, price])} |")
    lines += ["", f"| quick loss | {' | '.join(tasks)} |", f"|---|{'---|' * len(tasks)}"]
    for label in labels:
        found = [spread([o.quick for o in outcomes if (o.run.label, o.run.title) == (label, task)]) for task in tasks]
        lines.append(f"| {label} | {' | '.join(found)} |")
    known = [task for task in tasks if task in BAR]
    if known and options.evaluations == 100:
        for name, row in PUBLISHED.items():
            cells = [f"{row[task]:.2f}" if task in row else "" for task in tasks]
            lines.append(f"| {name} (published, median of 3) | {' | '.join(cells)} |")
    lines += ["", *verdicts(outcomes, tasks, options), "", *_each(outcomes)]
    if missing:
        lines += ["", f"Not there yet: {', '.join(missing)}."]
    arms = [f"- {name}: {ARMS[name].meaning}" for name in dict.fromkeys(o.run.arm for o in outcomes)]
    return "\n".join([*lines, "", "The arms:", "", *arms, ""])


def verdicts(outcomes: Sequence[Outcome], tasks: Sequence[str], options: argparse.Namespace) -> list[str]:
    """Say in words what the medians say, and nothing where there are too few runs."""

    confirmed = {o.run.title for o in outcomes if o.confirmed is not None}

    def middle(label: str, task: str) -> float | None:
        mine = [o for o in outcomes if (o.run.label, o.run.title) == (label, task)]
        found = [o.confirmed if task in confirmed else o.quick for o in mine]
        there = [loss for loss in found if loss is not None]
        return median(there) if len(there) >= 3 else None

    unconfirmed = [task for task in tasks if task not in confirmed]
    lines = [f"- {task}: nothing was confirmed; quick losses are compared." for task in unconfirmed]
    claims = len(lines)
    pairs = [("team", "rules"), ("desk-pool", "tgd"), *(("desk-pool", each) for each in GROUPS["reports"][1:])]
    for first, second in pairs:
        for task in tasks:
            one, other = middle(first, task), middle(second, task)
            if one is not None and other is not None:
                how = "better than" if one < other else "NOT better than"
                lines.append(f"- {task}: {first} ({one:.2f}) is {how} {second} ({other:.2f}).")
    for task in tasks:
        found = middle("team", task)
        if task in WANTED and found is not None and options.evaluations == 100:
            how = "reaches" if found <= WANTED[task] else "MISSES"
            lines.append(f"- {task}: team {how} {WANTED[task]:.1f} (median {found:.2f}).")
    return lines if len(lines) > claims else [*lines, "Fewer than 3 runs of an arm: nothing is claimed."]


def spread(found: Sequence[float | None]) -> str:
    """Write the median with the range and how many runs; "" where there is none."""
    there = [loss for loss in found if loss is not None]
    if not there:
        return "none confirmed" if found else ""
    return f"{median(there):.2f} ({min(there):.2f} to {max(there):.2f}; {len(there)})"


def _each(outcomes: Sequence[Outcome]) -> list[str]:
    titles = [
        "task",
        "arm",
        "seed",
        "quick",
        "confirmed",
        "evaluations",
        "confirmations",
        "calls",
        "proposed by",
        "value",
        "stopped",
    ]
    lines = [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
    for o in sorted(outcomes, key=lambda o: (o.run.title, o.run.label, o.run.seed)):
        losses = ["" if loss is None else f"{loss:.2f}" for loss in (o.quick, o.confirmed)]
        value = f"`{_cell(o.value)}`" if "\n" not in o.value else f"{len(o.value.splitlines())} lines"
        cells = [o.run.title, o.run.label, str(o.run.seed), *losses, str(o.evaluations), str(o.confirmations)]
        lines.append(f"| {' | '.join([*cells, str(o.calls), _cell(o.proposer), value, _cell(o.stopped)])} |")
    return lines


def _cell(text: str) -> str:
    """Put a text of others into a cell: one line, nothing that ends the cell, bounded."""
    line = " ".join(text.split()).replace("|", "/").replace("`", "'")
    return line if len(line) <= 200 else f"{line[:199]}…"


def _middle(figures: Sequence[int]) -> str:
    return f"{median(figures):,.0f}"


def _counted(names: Any) -> str:
    return ", ".join(f"{_cell(name)} {n}" for name, n in Counter(name for name in names if name).most_common())


# -- the command line ----------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for and write the table; 0 where every run is finished, 1 where one is not."""
    options = parsed(arguments)
    runs = [
        Run(task, arm, seed, named)
        for seed in options.seeds  # seed by seed: a table of few seeds is soon there
        for task in options.tasks
        for named in options.names
        for arm in options.arms
        if named or ARMS[arm].optimizer != "rules"  # rules read no names
    ]
    print(f"{len(runs)} runs of {options.evaluations} evaluations below {options.work}", flush=True)
    outcomes: dict[Run, Outcome] = {}
    faults: dict[Run, str] = {}
    for _ in range(TRIES):
        left = [run for run in runs if run not in outcomes]
        if faults and left:
            print(f"{len(left)} runs are left; once more in {options.pause:g} s", flush=True)
            time.sleep(options.pause)
        silent = False
        for run in left:
            if silent and ARMS[run.arm].optimizer != "rules":
                continue
            faults.pop(run, None)
            outcome = attempt(run, options)
            if isinstance(outcome, Outcome):
                outcomes[run] = outcome
                write(options, runs, outcomes)
            else:
                faults[run] = outcome
                print(f"{_name(run)}: {outcome}", file=sys.stderr, flush=True)
                silent = not any(o.calls for o in outcomes.values())  # it has never answered: no use to ask for each
    if outcomes:
        print(f"\n{(options.work / TABLE).read_text(encoding='utf-8')}\nwrote {options.work / TABLE}")
    if len(outcomes) < len(runs):
        print("not every run is finished; the same command goes on", file=sys.stderr)
    return 0 if len(outcomes) == len(runs) else 1


def attempt(run: Run, options: argparse.Namespace) -> Outcome | str:
    """Carry a run out; why it is not finished where its engine failed or another process works on it.

    Raises:
        SystemExit: It was interrupted from the keyboard, or cannot be run at all.
    """
    from tgsci.errors import TgsciError, UsageError

    began = time.perf_counter()
    try:
        result = carried_out(run, options, Told(run) if options.verbose else None)
    except UsageError as error:
        raise SystemExit(f"{_name(run)}: {error}") from None
    except TgsciError as error:
        return str(error)
    if result.stopped == "interrupted":
        raise SystemExit("interrupted; the same command goes on")
    outcome = Outcome.of(run, result)
    losses = [f"{name} {loss:.2f}" for name, loss in (("quick", outcome.quick), ("confirmed", outcome.confirmed))
              if loss is not None]  # fmt: skip
    print(f"{_name(run)}: {', '.join(losses) or 'nothing measured'}, {outcome.calls} calls, by {outcome.proposer}  "
          f"{_cell(outcome.value)}  {time.perf_counter() - began:.0f} s", flush=True)  # fmt: skip
    return outcome


class Told:
    """Prints a line whenever a run found something better.

    Args:
        run: Which.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.best = run, -1

    def __call__(self, progress: Any) -> None:
        best = progress.trials.best
        if best is not None and best.number != self.best:
            self.best = best.number
            done = f"{progress.spent.evaluations}/{progress.budget.evaluations}"
            print(f"  {_name(self.run)} [{done}] {best.loss:.3f} {_cell(best.value)}", flush=True)


def write(options: argparse.Namespace, runs: Sequence[Run], outcomes: Mapping[Run, Outcome]) -> None:
    """Write the table, whole or not at all."""
    from tgsci.basics.files import write_atomically

    there = [outcomes[run] for run in runs if run in outcomes]
    missing = [_name(run) for run in runs if run not in outcomes]
    write_atomically(options.work / TABLE, page(there, missing, options))


def _name(run: Run) -> str:
    return f"{run.title} {run.label} seed {run.seed}"


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line, and refuse what cannot be run before anything is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=_arms_in_words()
    )
    add = parser.add_argument
    add("--engine", help="who is asked, as --engine elsewhere; not needed for the arm rules alone")
    add("--parameter", action="append", default=[], metavar="KEY=VALUE",
        help="a sampling parameter of the engine: temperature=0.7; may be repeated")  # fmt: skip
    add("--tasks", nargs="+", default=list(TASKS), metavar="TASK",
        help="F2, PPAR, JAK2, an objective, a target, or a job file (default F2 PPAR JAK2)")  # fmt: skip
    add("--arms", nargs="+", default=["rules", "tgd", "team"], metavar="ARM",
        help="see below (default rules tgd team); all, proposers and reports stand for several")  # fmt: skip
    add("--reports-of", choices=("desk", "team"), default="desk",
        help="whose report the arms on reports change: desk-pool's, or the team's (%(default)s)")  # fmt: skip
    add("--target-names", nargs="+", choices=("named", "withheld"), default=["named"],
        help="whether the model is told which targets they are; the names of residues stay (%(default)s)")  # fmt: skip
    add("--seeds", type=int, default=3, help="how many runs of each arm (%(default)s)")
    add("--first-seed", type=int, default=0, help="the seed of the first of them (%(default)s)")
    add("--evaluations", type=int, default=100, help="of each run (%(default)s)")
    add("--model-calls", type=int, help="most questions of each run (default: as many as the evaluations need)")
    add("--proposals", type=int, default=4, help="measured a round (%(default)s)")
    add("--ideas", type=int, default=12, help="asked for a round where there is a pool (%(default)s)")
    add("--prompt-tokens", type=int, default=8000, help="longest prompt from the desk (%(default)s)")
    add("--confirm", action=argparse.BooleanOptionalAction, default=True,
        help="confirm leaders inside the run; else only the best at its end (default: --confirm)")  # fmt: skip
    add("--finalists", type=int, default=1, help="of the best so many are confirmed at the end (%(default)s)")
    add("--workers", type=int, default=2, help="processes that measure (%(default)s)")
    add("--pause", type=float, default=30.0, help="s before a run whose engine failed is begun again (%(default)s)")
    add("--work", type=Path, default=Path("model-runs"), help="directory of the runs (%(default)s)")
    add("--verbose", action="store_true", help="print every new best value")
    options = parser.parse_args(arguments)
    options.arms = list(dict.fromkeys(arm for name in options.arms for arm in GROUPS.get(name, [name])))
    if unknown := [name for name in options.arms if name not in ARMS]:
        parser.error(f"no arm {unknown[0]}; there are {', '.join(ARMS)}, and {', '.join(GROUPS)} for several")
    options.names = [name == "named" for name in dict.fromkeys(options.target_names)]
    options.parameters = dict(_parameter(parser, text) for text in options.parameter)
    for name in ("seeds", "evaluations", "model_calls", "proposals", "ideas", "workers", "finalists"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1")
    options.seeds = list(range(options.first_seed, options.first_seed + options.seeds))
    if any(ARMS[arm].optimizer != "rules" for arm in options.arms):
        if not options.engine:
            parser.error(f"the arms {', '.join(options.arms)} ask a model: name it with --engine")
        _check_engine(parser, options)
    for task in options.tasks:
        _check_task(parser, task, options)
    return options


def _check_engine(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    from tgsci.engine import get_engine
    from tgsci.errors import TgsciError

    try:
        get_engine(options.engine, **options.parameters).check()
    except TgsciError as error:
        parser.error(f"--engine {options.engine}: {error}")


def _check_task(parser: argparse.ArgumentParser, task: str, options: argparse.Namespace) -> None:
    """Build each problem once before any work: what is mistyped is said now and not after a night."""
    from tgsci.errors import TgsciError
    from tgsci.runs.choose import available

    try:
        problem = problem_of(task)
    except TgsciError as error:
        parser.error(f"--tasks {task}: {error}")
    there = available(problem)
    for arm in options.arms:
        needed = options.reports_of if ARMS[arm].report else ARMS[arm].optimizer
        if needed not in there:
            parser.error(f"--tasks {task}: the arm {arm} needs the optimizer {needed!r}; there are {', '.join(there)}")
    if False in options.names and not target_names(problem.loss):
        parser.error(f"--tasks {task}: it has no targets whose names could be withheld")


def _parameter(parser: argparse.ArgumentParser, text: str) -> tuple[str, Any]:
    import json

    key, equals, value = text.partition("=")
    if not equals or not key:
        parser.error(f"--parameter takes KEY=VALUE, not {text!r}")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _arms_in_words() -> str:
    width = max(map(len, ARMS))
    return "\n".join(["arms:", *(f"  {name:<{width}}  {arm.meaning}" for name, arm in ARMS.items())])


if __name__ == "__main__":
    sys.exit(main())
