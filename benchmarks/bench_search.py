"""The rule editor against a graph GA, random edits and the published figures on DOCKSTRING's tasks.

    python benchmarks/bench_search.py [--tasks F2,PPAR,JAK2] [--seeds 5] [--optimizers rules,ga,random] [--workers 2]

Every run has 100 evaluations at the fast setting (one conformer), from one small molecule. Its leaders are docked
again at the full setting (exhaustiveness 8, uncapped, the target's whole box) and the best of them counts. A run is a
directory under `--work`: what is finished is not done again, what was interrupted goes on. All of it takes hours, so
`python benchmarks/run.py` leaves it out.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from search_tasks import BAR, PUBLISHED, START, TASKS, objective, optimizers

#: `run.py` runs what takes minutes.
BENCHMARKS = ()


@dataclass(frozen=True)
class Finalist:
    """A leader of a run.

    Args:
        value: Canonical SMILES.
        fast: Its loss in the run.
        full: Its loss at the full setting; None where that was not measured.
    """

    value: str
    fast: float
    full: float | None


@dataclass(frozen=True)
class Outcome:
    """What a run found."""

    task: str
    optimizer: str
    seed: int
    finalists: list[Finalist]

    @property
    def fast(self) -> float:
        """The best loss at the fast setting."""
        return min(f.fast for f in self.finalists)

    @property
    def full(self) -> float | None:
        """The best loss at the full setting."""
        return min((f.full for f in self.finalists if f.full is not None), default=None)


def search(task: str, name: str, seed: int, options: argparse.Namespace) -> Any:
    """One run; goes on where it stopped, and returns at once where it is finished."""
    from tgsci.runs.run import minimize

    return minimize(
        objective(task),
        START,
        optimizers()[name](),
        budget=options.evaluations,
        proposals=options.proposals,
        seed=seed,
        workers=options.workers,
        run=options.work / f"{task}-{name}-{seed}",
    )


def finalists(task: str, trials: Any, options: argparse.Namespace) -> list[Finalist]:
    """The leaders of a run, docked again at the full setting."""
    from tgsci_molecules.editor.predictor import finalists as leaders_of

    loss = objective(task)
    leaders = leaders_of(trials, options.finalists)
    if options.fast_only:
        return [Finalist(t.value, t.loss, None) for t in leaders]
    with ProcessPoolExecutor(options.workers) as pool:
        jobs = {(t.value, i): pool.submit(full_score, t.value, loss.targets[i].name)
                for t in leaders for i in range(len(loss.targets))}  # fmt: skip
        scores = {key: job.result() for key, job in jobs.items()}
    return [
        Finalist(t.value, t.loss, full_loss(loss, t.value, [scores[t.value, i] for i in range(len(loss.targets))]))
        for t in leaders
    ]


def full_score(smiles: str, target: str) -> float | None:
    """Vina's score at the full setting, kcal/mol, from the cache where it is there; None where docking failed."""
    from tgsci.errors import MeasurementError
    from tgsci_molecules.docking.vina import Settings, dock
    from tgsci_molecules.target.targets import Target

    where = Target(target)
    try:
        return float(dock(smiles, where, Settings.full(where)).score)
    except MeasurementError as error:
        print(f"{smiles} in {target}: {error}", file=sys.stderr)
        return None


def full_loss(loss: Any, smiles: str, scores: Sequence[float | None]) -> float | None:
    """The loss with these scores in the objective's targets."""
    from rdkit import Chem

    if any(score is None for score in scores):
        return None
    names = ["vina"] if len(scores) == 1 else [f"{target.name} vina" for target in loss.targets]
    calculated = loss.calculated(Chem.MolFromSmiles(smiles))
    return float(loss.combine({**calculated, **dict(zip(names, scores, strict=True))}))


def table(outcomes: Sequence[Outcome], options: argparse.Namespace) -> str:
    """Medians over the seeds, the published figures beside them."""
    tasks = options.tasks
    lines = [
        f"| after {options.evaluations} evaluations | {' | '.join(tasks)} |",
        f"|---|{'---|' * len(tasks)}",
    ]
    for name in options.optimizers:
        for setting in ("full", "fast"):
            cells = []
            for task in tasks:
                found = [getattr(o, setting) for o in outcomes if (o.task, o.optimizer) == (task, name)]
                cells.append(_spread([x for x in found if x is not None]))
            lines.append(f"| {name}, {setting} setting | {' | '.join(cells)} |")
    for name, row in PUBLISHED.items():
        lines.append(f"| {name} (published, median of 3) | {' | '.join(f'{row[task]:.2f}' for task in tasks)} |")
    verdicts = [f"{task} {_verdict(task, outcomes)}" for task in tasks]
    return "\n".join([*lines, "", f"rules against the best published: {'; '.join(verdicts)}."])


def _verdict(task: str, outcomes: Sequence[Outcome]) -> str:
    found = [o.full for o in outcomes if (o.task, o.optimizer) == (task, "rules") and o.full is not None]
    if len(found) < 5:
        return f"not claimed on {len(found)} seeds"
    return f"{'pass' if median(found) < BAR[task] else 'MISSED'} ({median(found):.2f} against {BAR[task]:.2f})"


def _spread(losses: Sequence[float]) -> str:
    if not losses:
        return ""
    return f"{median(losses):.2f} ({min(losses):.2f} to {max(losses):.2f}; {len(losses)} seeds)"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", default=",".join(TASKS), help="of F2, PPAR, JAK2")
    parser.add_argument("--optimizers", default="rules,ga,random", help="of rules, ga, random")
    parser.add_argument("--seeds", default="5", help="how many, or which ones: 0,3,4")
    parser.add_argument("--evaluations", type=int, default=100, help="of each run (%(default)s)")
    parser.add_argument("--proposals", type=int, default=4, help="a round (%(default)s)")
    parser.add_argument("--finalists", type=int, default=2, help="docked again at the full setting (%(default)s)")
    parser.add_argument("--fast-only", action="store_true", help="dock nothing again")
    parser.add_argument("--workers", type=int, default=2, help="processes (%(default)s)")
    parser.add_argument("--work", type=Path, default=Path("search-runs"), help="directory of the runs (%(default)s)")
    options = parser.parse_args()
    options.tasks, options.optimizers = options.tasks.split(","), options.optimizers.split(",")
    seeds = [int(s) for s in options.seeds.split(",")] if "," in options.seeds else list(range(int(options.seeds)))
    if unknown := [n for n in options.tasks if n not in TASKS]:
        parser.error(f"no task {unknown[0]}; there are {', '.join(TASKS)}")
    if unknown := [n for n in options.optimizers if n not in optimizers()]:
        parser.error(f"no optimizer {unknown[0]}; there are {', '.join(optimizers())}")
    outcomes: list[Outcome] = []
    for seed in seeds:  # seed by seed: a table of few seeds is soon there
        for task in options.tasks:
            for name in options.optimizers:
                started = time.perf_counter()
                result = search(task, name, seed, options)
                if result.stopped == "interrupted":
                    sys.exit("interrupted; the same command goes on")
                outcomes.append(Outcome(task, name, seed, finalists(task, result.trials, options)))
                o = outcomes[-1]
                full = "" if o.full is None else f", full {o.full:.2f}"
                taken = time.perf_counter() - started
                print(f"{task} {name} seed {seed}: fast {o.fast:.2f}{full}  {o.finalists[0].value}  {taken:.0f} s",
                      flush=True)  # fmt: skip
    print()
    print(table(outcomes, options))


if __name__ == "__main__":
    main()
