"""CPU time of the import, in a fresh process."""

from __future__ import annotations

import time

from _peer import Benchmark, main


def ours() -> float:
    started = time.process_time()
    import tgsci  # noqa: F401

    return time.process_time() - started


def peer() -> float:
    started = time.process_time()
    import textgrad  # noqa: F401

    return time.process_time() - started


BENCHMARKS = [
    Benchmark("import", "import of the package", "s CPU", ours, peer, at_most=0.25, ratio=1 / 15, rounds=7),
]

if __name__ == "__main__":
    main(BENCHMARKS)
