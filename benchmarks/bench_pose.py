"""The page about a docked pose: the CPU time of `explain` for a drug in a kinase, docked before.

The first page in a receptor also reads and types the protein and maps its pocket; the others find both done.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from statistics import median

from _peer import Benchmark, main

DASATINIB = "Cc1nc(Nc2ncc(s2)C(=O)Nc2c(C)cccc2Cl)cc(n1)N1CCN(CCO)CC1"
PAGES = 20


def first_page(explained: Callable[[], float]) -> float:
    return explained()


def later_page(explained: Callable[[], float]) -> float:
    explained()
    return median(explained() for _ in range(PAGES))


def measured(pages: Callable[[Callable[[], float]], float]) -> float:
    from tgsci_molecules import Target, dock
    from tgsci_molecules.pose import explain

    target = Target("ABL1")
    docking = dock(DASATINIB, target)
    _ = docking.pose

    def explained() -> float:
        started = time.process_time()
        explain(docking, target).text()
        return (time.process_time() - started) * 1e3

    return pages(explained)


BENCHMARKS = [
    Benchmark(
        "pose.first", "the first page about a pose in a receptor", "ms CPU", partial(measured, first_page), at_most=600
    ),
    Benchmark("pose.later", "every later one", "ms CPU", partial(measured, later_page), at_most=150),
]

if __name__ == "__main__":
    main(BENCHMARKS)
