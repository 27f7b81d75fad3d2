"""Plans until all goals of a sheet are met: the rule editor beside Optuna's TPE and random plans.

    python benchmarks/bench_plans.py [--seeds 5] [--most 8] [--cases cshape,prostate]

The start, one plan a round and the planner are the same for all. The start is that of `data/plans`, an objective or two
for each structure, as a beginner writes them: what the goals themselves suggest meets most of them at once. Met are the
goals of the sheet; what it implies is measured and does not count. The rule editor has no randomness; the others have a
median over seeds, and a run that does not get there within `--most` plans counts as that many. With `python
benchmarks/run.py plans` each figure is a row: the rule editor's plans, and what part of the baselines' they are.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from _peer import Benchmark

#: Case, sheet, and the most plans that the rule editor may need.
TASKS = {"cshape": ("tg119-harder", 8), "prostate": ("prostate-70.2", 6)}
SEEDS, MOST = 5, 8
#: Where the starts are.
PLANS = Path(__file__).resolve().parents[1] / "data" / "plans"


def plans(case: str, optimizer: str, seed: int, most: int = MOST) -> int:
    """Plans, the start included, until all goals are met; `most` where they are not within so many."""
    from tgsci.feedback import Feedback
    from tgsci.runs.run import minimize
    from tgsci_radiotherapy import domain
    from tgsci_radiotherapy.loss import PlanLoss
    from tgsci_radiotherapy.loss.scoring import loss as score

    class WithoutPage(PlanLoss):
        """The same figures without sensitivities and page, which the baselines do not look at."""

        def evaluate(self, value: str) -> Feedback:
            results = self.results(self.start.parse(value, self.case))
            met = sum(r.met for r in results if not r.goal.implied)
            return Feedback(score(results), "goals only", {"goals met": float(met)})

    sheet, _ = TASKS[case]
    start = (PLANS / f"{case}.json").read_text(encoding="utf-8")
    problem = domain.problem({"case": case, "goals": sheet, "start": start})
    rules = optimizer == "rules"
    loss: Any = problem.loss if rules else WithoutPage(case, sheet, start)
    asked = sum(not goal.implied for goal in loss.bound.goals)
    proposer: Any = problem.rules if rules else problem.optimizers[optimizer]

    def done(feedback: Feedback) -> bool:
        return feedback.metrics["goals met"] >= asked

    result = minimize(loss, list(problem.start), proposer, budget=most, proposals=1, seed=seed, goal=done)
    met = [t.number for t in result.trials if t.measured and t.feedback and done(t.feedback)]
    return min(len([t for t in result.trials if t.feedback and t.number <= met[0]]), most) if met else most


def rules(case: str) -> float:
    """Plans of the rule editor."""
    return float(plans(case, "rules", 0))


def share(case: str, optimizer: str) -> float:
    """The rule editor's plans as a part of a baseline's median."""
    return rules(case) / median(plans(case, optimizer, seed) for seed in range(SEEDS))


def _benchmarks() -> list[Benchmark]:
    found = []
    for case, (sheet, most) in TASKS.items():
        what = f"plans until all goals of {sheet} are met, {case}"
        found.append(Benchmark(f"plans.{case}", what, "plans", partial(rules, case), at_most=most, rounds=1))
        for name, said in (("optuna", "Optuna TPE's"), ("random", "random plans'")):
            found.append(
                Benchmark(
                    f"plans.{case}-{name}",
                    f"the same as a part of {said} median over {SEEDS} seeds, at most {MOST} each",
                    "share",
                    partial(share, case, name),
                    at_most=0.99,
                    rounds=1,
                    beside=said.removesuffix("'s").removesuffix("'"),
                )
            )
    return found


BENCHMARKS = _benchmarks()


def _table(cases: Sequence[str], seeds: int, most: int) -> None:
    print("| case | goals | proposer | plans by seed | median |\n|---|---|---|---|---|")
    for case in cases:
        for optimizer in ("rules", "optuna", "random"):
            found = [plans(case, optimizer, seed, most) for seed in range(1 if optimizer == "rules" else seeds)]
            shown = ", ".join(f"{n}" if n < most else f">= {n}" for n in found)
            print(f"| {case} | {TASKS[case][0]} | {optimizer} | {shown} | {median(found):g} |", flush=True)


if __name__ == "__main__":
    import sys

    if any(word in ("--side", "--peer") for word in sys.argv):
        from _peer import main

        main(BENCHMARKS)
    else:
        parser = argparse.ArgumentParser(description="Plans until all goals are met.")
        parser.add_argument("--seeds", type=int, default=SEEDS)
        parser.add_argument("--most", type=int, default=MOST, help="plans of a run, at most")
        parser.add_argument("--cases", default=",".join(TASKS))
        options = parser.parse_args()
        _table(options.cases.split(","), options.seeds, options.most)
