"""The sandbox: candidates a second, and what one costs beside a plain start of Python in the same run.

A candidate is a function of one line with three tests, in a process and namespaces of its own.
"""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from _peer import Benchmark, main

CANDIDATES = 60
SOURCE = "def solve(n):\n    return n + 1\n"


def candidate() -> None:
    from tgsci_language.sandbox.calls import call

    outcome = call(SOURCE, "solve", [(1,), (2,), (3,)])
    assert [each.value for each in outcome.calls] == [2, 3, 4]


def a_second() -> float:
    """Two at a time, as on two cores."""
    candidate()  # the layer is chosen once a process
    started = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: candidate(), range(CANDIDATES)))
    return CANDIDATES / (time.perf_counter() - started)


def beside_python() -> float:
    """One after the other, in turn with `python -I -c 0`; the share of the medians."""
    from tgsci_language.sandbox.view import interpreter

    candidate()
    ours, plain = [], []
    for _ in range(CANDIDATES // 3):
        started = time.perf_counter()
        candidate()
        middle = time.perf_counter()
        subprocess.run([interpreter(), "-I", "-c", "0"], check=True)
        ours.append(middle - started)
        plain.append(time.perf_counter() - middle)
    return median(ours) / median(plain)


BENCHMARKS = [
    Benchmark("sandbox.rate", "candidates in the sandbox, 2 at a time", "1/s", a_second, at_least=25),
    Benchmark(
        "sandbox.start", "one candidate in the sandbox, in starts of plain Python", "starts", beside_python, at_most=4
    ),
]

if __name__ == "__main__":
    main(BENCHMARKS)
