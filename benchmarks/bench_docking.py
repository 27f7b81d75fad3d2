"""Docking 30 approved drugs into 6 targets at the default setting, beside DOCKSTRING's own route.

    python benchmarks/bench_docking.py [--quick]

DOCKSTRING runs as it is (`load_target(NAME).dock(SMILES, num_cpus=1)`: openbabel, Vina 1.1.2, exhaustiveness 8, its
box of 30 Angstrom) in a Python of its own: TGSCI_DOCKSTRING_PYTHON, or a virtual environment made once. It takes about
40 minutes of one core; each score is kept as it comes, and a later run measures only this side again. Both sides are
counted in CPU seconds, programs that they call included. `--quick` docks one small drug in each target.

The regret of a drug is its score here minus the better of the two scores, here and at DOCKSTRING's full exhaustiveness:
0 where this side found the better pose.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from statistics import mean
from typing import Any

from _dockstring import order, read
from _drugs import DRUGS
from _peer import Benchmark, main

DOCKSTRING = "dockstring==0.3.4"
#: What its wheel leaves to conda.
_WITH = ("openbabel-wheel==3.1.1.23", "rdkit>=2025.9.1", "numpy")
#: Drugs of one target for the workers: of similar size, so that the last one does not leave a worker alone for long.
_SHARED = 12
_KNOWN = 1_000


def throughput() -> float:
    """How many times the CPU seconds of this side DOCKSTRING needs, for the same drugs."""
    peer, ours = _peer_scores(), _dock_all()
    both = [key for key in ours if key in peer]
    return mean(peer[key]["cpu"] for key in both) / mean(ours[key]["cpu"] for key in both)


def cpu() -> float:
    """CPU seconds a ligand, its share of the maps included."""
    return mean(row["cpu"] for row in _own_scores().values())


def regret() -> float:
    """Mean regret, kcal/mol."""
    peer, ours = _peer_scores(), _own_scores()
    both = [key for key in ours if key in peer]
    return mean(max(0.0, ours[key]["score"] - peer[key]["score"]) for key in both)


def two_workers() -> float:
    """How many times faster two workers dock the same drugs than one."""
    os.environ["TGSCI_CACHE"] = ""
    return _wall(1) / _wall(2)


def warm_cache() -> float:
    """Measurements of known molecules, a second, by a loss whose results are in the cache."""
    with tempfile.TemporaryDirectory() as directory:
        os.environ["TGSCI_CACHE"] = directory
        from tgsci_molecules import DockingLoss, Settings
        from tgsci_molecules.docking import cache

        loss = DockingLoss("ABL1", Settings(exhaustiveness=1, max_evals=1_000, conformers=1))
        one = loss.measure(loss.validate("CC(=O)Nc1ccc(O)cc1"))
        # Chains with a group in every place: distinct molecules, all with the report and the pose of a real one.
        known = [f"{'C' * (n // 30)}N{'C' * (n % 30)}O" for n in range(30, 30 + _KNOWN)]
        for smiles in known:
            cache.feedback(loss.fingerprint, smiles, lambda: one)
        started = time.perf_counter()
        found = [loss.measure(smiles) for smiles in known]
        seconds = time.perf_counter() - started
        assert all(feedback == one for feedback in found), "the cache gave something else back"
    return _KNOWN / seconds


def _own_scores() -> dict[tuple[str, str], dict[str, Any]]:
    """What `throughput` found a moment ago with the same code and settings, else docked now."""
    path = _work() / "tgsci.json"
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["identity"] == _identity():
            return {(row["target"], row["name"]): row for row in kept["rows"]}
    return _dock_all()


def _dock_all() -> dict[tuple[str, str], dict[str, Any]]:
    """Each drug's score and CPU seconds; a target's maps are shared out over its drugs."""
    os.environ["TGSCI_CACHE"] = ""
    from tgsci_molecules import Settings, dock

    rows = []
    todo = order(_quick())
    smallest = Settings(exhaustiveness=1, max_evals=1, conformers=1)
    for target in DRUGS:
        names = [name for place, name in todo if place == target]
        before = time.process_time()
        dock("Cc1ccccc1", target, smallest)  # computes the maps
        maps = time.process_time() - before
        for name in names:
            before = time.process_time()
            score = dock(DRUGS[target][name], target).score
            seconds = time.process_time() - before + maps / len(names)
            rows.append({"target": target, "name": name, "score": score, "cpu": seconds})
    kept = {"identity": _identity(), "rows": rows}
    (_work() / "tgsci.json").write_text(json.dumps(kept), encoding="utf-8")
    return {(str(row["target"]), str(row["name"])): row for row in rows}


def _identity() -> str:
    from tgsci_molecules import Settings, Target
    from tgsci_molecules.docking.vina import fingerprint

    return f"{_quick()} {[fingerprint(Target(name), Settings()) for name in DRUGS]}"


def _wall(workers: int) -> float:
    """Seconds that so many workers take for the drugs of a target, once each has its maps."""
    from tgsci.compute.workers import WorkerPool
    from tgsci_molecules import Settings, dock

    drugs = [smiles for drugs in DRUGS.values() for smiles in drugs.values()]
    drugs = sorted(drugs, key=len)[-_SHARED:][::-1]
    with WorkerPool(workers) as pool:
        warm = [pool.submit(dock, drugs[0], "ABL1", Settings(conformers=1)) for _ in range(workers)]
        for future in warm:
            future.result()
        started = time.perf_counter()
        futures = [pool.submit(dock, smiles, "ABL1") for smiles in drugs]
        for future in futures:
            future.result()
        return time.perf_counter() - started


def _peer_scores() -> dict[tuple[str, str], dict[str, Any]]:
    """DOCKSTRING's score and CPU seconds of each drug; what is not known yet is docked now."""
    results = _work() / "dockstring.jsonl"
    wanted = order(_quick())
    if not set(wanted) <= {(row["target"], row["name"]) for row in read(results)}:
        command = [_python(), str(Path(__file__).with_name("_dockstring.py")), str(results)]
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        subprocess.run(command + ["--quick"] * _quick(), check=True, env=environment, stdout=subprocess.DEVNULL)
    found = {(row["target"], row["name"]): row for row in read(results) if row.get("score") is not None}
    return {key: found[key] for key in wanted if key in found}


def _python() -> str:
    """A Python that has DOCKSTRING: given, or made once."""
    if given := os.environ.get("TGSCI_DOCKSTRING_PYTHON"):
        return given
    directory = _work() / f"py{sys.version_info.major}.{sys.version_info.minor}"
    python, ready = directory / "bin" / "python", directory / "ready"
    if not ready.exists():
        print(f"setting up {DOCKSTRING} in {directory}", file=sys.stderr)
        venv.create(directory, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", DOCKSTRING, *_WITH], check=True)
        ready.touch()
    return str(python)


def _work() -> Path:
    """Where scores are kept between runs."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    directory = cache / "tgsci-benchmarks" / DOCKSTRING
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _quick() -> bool:
    return bool(os.environ.get("TGSCI_BENCH_QUICK"))


_DRUGS = "30 drugs, 6 targets"
BENCHMARKS = (
    Benchmark(
        "docking.throughput",
        f"docking, CPU a ligand: DOCKSTRING's over tgsci's, {_DRUGS}",
        "times",
        throughput,
        at_least=10.0,
        rounds=1,
        beside="DOCKSTRING",
    ),
    Benchmark("docking.cpu", f"docking at the default setting, {_DRUGS}", "CPU s a ligand", cpu, rounds=1),
    Benchmark(
        "docking.regret",
        f"mean regret against full exhaustiveness 8 in 30 A, {_DRUGS}",
        "kcal/mol",
        regret,
        at_most=0.35,
        rounds=1,
        beside="DOCKSTRING",
    ),
    Benchmark("docking.workers", "docking with two workers against one", "times", two_workers, at_least=1.8, rounds=1),
    Benchmark(
        "docking.cache", "known molecules from the cache", "molecules a second", warm_cache, at_least=2_000, rounds=3
    ),
)

if __name__ == "__main__":
    if "--quick" in sys.argv:
        sys.argv.remove("--quick")
        os.environ["TGSCI_BENCH_QUICK"] = "1"
    main(BENCHMARKS)
