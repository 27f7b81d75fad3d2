"""Every speed that tgsci claims, beside its peer, in one run: `python benchmarks/run.py [NAME...] [--peer PYTHON]`.

NAME is that of a file (`import` for bench_import.py). With no name all are run and RESULTS.md is written. The core has
TextGrad as its peer, docking DOCKSTRING (see bench_docking.py), planning pyRadPlan (bench_planner.py). What takes
hours is run by hand and has a page of its own, SEARCH.md: see bench_search.py. Exits with 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from _peer import HEADER, PEER, find_peer, measure
from bench_docking import DOCKSTRING

HERE = Path(__file__).resolve().parent
SEARCH = "What a search finds in 100 evaluations, beside published figures: [SEARCH.md](SEARCH.md)."


def main() -> None:
    names = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    parser = argparse.ArgumentParser(description="Run the benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all where none is given")
    parser.add_argument("--peer", help="a Python that has the peer; else one is set up in the cache directory")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in names]:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(names)}")
    peer_python = find_peer(options.peer)
    print(HEADER, flush=True)
    outcomes = []
    for name in options.names or names:
        for benchmark in importlib.import_module(f"bench_{name}").BENCHMARKS:
            outcomes.append(measure(benchmark, peer_python))
            print(outcomes[-1].row(), flush=True)
    if not options.names:
        (HERE / "RESULTS.md").write_text(_page([outcome.row() for outcome in outcomes]), encoding="utf-8")
    sys.exit(0 if all(outcome.passed for outcome in outcomes) else 1)


def _page(rows: list[str]) -> str:
    sys.path.insert(0, str(HERE.parent))
    import tgsci

    machine = f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()})"
    return "\n".join(
        [
            "# Results",
            "",
            f"`python benchmarks/run.py`, {datetime.now(UTC):%Y-%m-%d}: tgsci {tgsci.__version__}, Python "
            f"{platform.python_version()}, {machine}. The peers are {PEER}, {DOCKSTRING} and pyRadPlan 0.5.",
            "TextGrad runs in turn with tgsci in the same run; DOCKSTRING docks once, its figures are kept, and the "
            "row says how the two compare, as it does for pyRadPlan, which optimises the same matrix for the same "
            "objective. A cell is the median of its repetitions. Absolute times differ between machines, ratios less "
            "so.",
            *(["", SEARCH] if (HERE / "SEARCH.md").exists() else []),
            "",
            HEADER,
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    main()
