"""Trials a second, each committed to disk before it is acted upon. TextGrad keeps no record of a run."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from _peer import Benchmark, main

TRIALS = 2_000


def search() -> float:
    """A whole `minimize()` with a run directory, a loss that costs nothing and a rule editor."""
    import tgsci as tg

    class Next(tg.Proposer):
        """Proposes the next numbers."""

        name = "next"

        def ask(self, trials: Any, n: int, rng: random.Random) -> list[Any]:
            return [tg.Proposal(str(len(trials) + i), "the next number", len(trials) - 1) for i in range(n)]

    started = time.perf_counter()
    result = tg.minimize(float, "0", Next(), budget=TRIALS, run=Path("run"))
    taken = time.perf_counter() - started
    assert len(result.trials) == TRIALS
    return TRIALS / taken


def ledger() -> float:
    """The ledger alone: a proposal, its measurement and the decision on it are three commits."""
    import tgsci as tg

    book = tg.Ledger.create(Path("run"), {})
    book.begin_session("benchmark")
    feedback = tg.Feedback(1.0, "a report of one line", {"metric": 1.0})
    started = time.perf_counter()
    for number in range(TRIALS):
        trial = tg.Trial(number, number, str(number), "a reason")
        book.add_trials([trial])
        book.add_measurement(number, feedback, 0.0)
        book.decide([trial])
    taken = time.perf_counter() - started
    book.close()
    return TRIALS / taken


BENCHMARKS = [
    Benchmark("ledger.search", "trials of minimize(), committed", "1/s", search, at_least=1_000),
    Benchmark("ledger.raw", "trials written to the ledger alone, committed", "1/s", ledger, at_least=1_000),
]

if __name__ == "__main__":
    main(BENCHMARKS)
