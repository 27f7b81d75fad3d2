"""Two sides, one run: tgsci and a peer answer the same question in turn, each in a process of its own.

Only the standard library is imported here: the peer's Python runs this file too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PEER = "textgrad==0.1.8"
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Benchmark:
    """One claim, and how it is measured.

    Args:
        name: Names it on the command line; `bench_NAME.py` holds it.
        what: What is measured, in words.
        unit: Unit of the figure.
        ours: Measures tgsci once, in a fresh process, and returns the figure.
        peer: The same for TextGrad; None where it has nothing of the kind, or where `ours` compares by itself.
        at_most: The figure may not be larger.
        at_least: The figure may not be smaller.
        ratio: The figure may be at most this share of the peer's.
        rounds: How often each side is measured, in turn.
        beside: Whom the figure compares with, where `ours` measures both sides.
    """

    name: str
    what: str
    unit: str
    ours: Callable[[], float]
    peer: Callable[[], float] | None = None
    at_most: float | None = None
    at_least: float | None = None
    ratio: float | None = None
    rounds: int = 5
    beside: str = ""

    @property
    def against(self) -> str:
        """Whose figures stand beside these; "" for nobody's."""
        return "TextGrad" if self.peer else self.beside


@dataclass(frozen=True)
class Outcome:
    """What a benchmark found."""

    benchmark: Benchmark
    ours: list[float]
    peer: list[float]

    @property
    def share(self) -> float | None:
        """tgsci's median as a share of the peer's."""
        return median(self.ours) / median(self.peer) if self.peer else None

    @property
    def passed(self) -> bool:
        wanted, figure = self.benchmark, median(self.ours)
        return not (
            (wanted.at_most is not None and figure > wanted.at_most)
            or (wanted.at_least is not None and figure < wanted.at_least)
            or (wanted.ratio is not None and self.share is not None and self.share > wanted.ratio)
        )

    def row(self) -> str:
        """One line of the Markdown table."""
        wanted, targets = self.benchmark, []
        if wanted.at_most is not None:
            targets.append(f"<= {_figure(wanted.at_most)}")
        if wanted.at_least is not None:
            targets.append(f">= {_figure(wanted.at_least)}")
        if wanted.ratio is not None:
            targets.append(f"ratio <= {wanted.ratio:.3f}")
        verdict = ("pass" if self.passed else "**MISSED**") if targets else ""
        share = "" if self.share is None else f"{self.share:.3f}"
        sides = [_spread(self.ours), wanted.against, _spread(self.peer)]
        cells = [wanted.what, wanted.unit, *sides, share, ", ".join(targets), verdict]
        return f"| {' | '.join(cells)} |"


HEADER = (
    "| what | unit | tgsci: median (min to max) | peer | the peer's | ratio | target | |\n"
    "|---|---|---|---|---|---|---|---|"
)


def measure(benchmark: Benchmark, peer_python: str) -> Outcome:
    """Measure both sides in turn: A B A B ..."""
    ours, peer = [], []
    for _ in range(benchmark.rounds):
        ours.append(_once(benchmark, "ours", sys.executable))
        if benchmark.peer:
            peer.append(_once(benchmark, "peer", peer_python))
    return Outcome(benchmark, ours, peer)


def main(benchmarks: Sequence[Benchmark]) -> None:
    """The command line of one benchmark file; exits with 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=benchmarks[0].what)
    parser.add_argument("--peer", help="a Python that has the peer; else one is set up in the cache directory")
    parser.add_argument("--side", choices=["ours", "peer"], help=argparse.SUPPRESS)
    parser.add_argument("--name", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        (benchmark,) = [b for b in benchmarks if b.name == options.name]
        print(json.dumps(getattr(benchmark, options.side)()))
        return
    peer_python = find_peer(options.peer)
    print(HEADER)
    outcomes = []
    for benchmark in benchmarks:
        outcomes.append(measure(benchmark, peer_python))
        print(outcomes[-1].row(), flush=True)
    sys.exit(0 if all(outcome.passed for outcome in outcomes) else 1)


def find_peer(given: str | None) -> str:
    """The peer's Python: given, or TGSCI_PEER_PYTHON, or a virtual environment made for it once."""
    if given or os.environ.get("TGSCI_PEER_PYTHON"):
        return given or os.environ["TGSCI_PEER_PYTHON"]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    directory = cache / "tgsci-benchmarks" / f"{PEER}-py{sys.version_info.major}.{sys.version_info.minor}"
    python = directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = directory / "ready"
    if not ready.exists():
        print(f"setting up {PEER} in {directory}", file=sys.stderr)
        venv.create(directory, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER], check=True)
        ready.touch()
    return str(python)


def _once(benchmark: Benchmark, side: str, python: str) -> float:
    """One measurement, in a fresh process and an empty directory (TextGrad writes ./logs)."""
    script = _ROOT / "benchmarks" / f"bench_{benchmark.name.split('.')[0]}.py"
    # Neither side may look a host up for prices: that would measure the network.
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    if side == "ours":
        environment["PYTHONPATH"] = str(_ROOT)
    else:
        environment.pop("PYTHONPATH", None)
    with tempfile.TemporaryDirectory() as directory:
        command = [python, str(script), "--side", side, "--name", benchmark.name]
        done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{benchmark.name}, {side}:\n{done.stderr}")
    return float(done.stdout.splitlines()[-1])


def _spread(figures: Sequence[float]) -> str:
    if not figures:
        return ""
    low, middle, high = min(figures), median(figures), max(figures)
    if low == high:
        return _figure(middle)
    return f"{_figure(middle)} ({_figure(low)} to {_figure(high)})"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
