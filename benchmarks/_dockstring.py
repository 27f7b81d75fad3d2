"""DOCKSTRING's own route, in a Python of its own: openbabel, which it needs, and vina abort in one process.

Run by the peer's Python: `python _dockstring.py RESULTS.jsonl [--quick]`. One line a ligand is appended as soon as it
is docked, and what the file already holds is not docked again: this route takes minutes of CPU for a large ligand.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

from _drugs import DRUGS, QUICK


def main() -> None:
    """Dock what is missing, small ligands first and the targets in turn."""
    results = Path(sys.argv[1])
    done = {(row["target"], row["name"]) for row in read(results)}
    # Its own calls are to `obabel`, which stands beside this Python.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    from dockstring import load_target

    for target, name in order("--quick" in sys.argv):
        if (target, name) in done:
            continue
        before, started = cpu_seconds(), time.perf_counter()
        row: dict[str, object] = {"target": target, "name": name}
        try:
            row["score"] = load_target(target).dock(DRUGS[target][name], num_cpus=1)[0]
        except Exception as error:  # whatever it is, the next ligand is docked
            row["error"] = f"{type(error).__name__}: {error}"[:300]
        row |= {"cpu": cpu_seconds() - before, "wall": time.perf_counter() - started}
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def order(quick: bool = False) -> list[tuple[str, str]]:
    """Target and name of each ligand, the short ones first."""
    if quick:
        return list(QUICK.items())
    ranked = [sorted(drugs, key=lambda name: len(drugs[name])) for drugs in DRUGS.values()]
    return [(target, ranks[n]) for n in range(5) for target, ranks in zip(DRUGS, ranked, strict=True)]


def read(results: Path) -> list[dict[str, object]]:
    """The lines of a file of results; none where it is not there."""
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]


def cpu_seconds() -> float:
    """Of this process and of the programs that it ran to their end, s."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
