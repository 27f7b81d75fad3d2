"""The fluence optimiser beside pyRadPlan's, on pyRadPlan's TG-119 phantom: one matrix, one objective, one run.

    python benchmarks/bench_planner.py

And beside scipy's L-BFGS-B, which pyRadPlan calls, on a phantom as large as a patient's neck (`_large`).

Both sides have one BLAS thread and are counted in CPU seconds. The optimum is known from a plan of ours with a
certified gap of 1e-6; each side's time is that to 0.1% above it. Ours includes the proof: a plan is done when its own
certificate says so. Numba's compiled code is loaded before, as pyRadPlan's imports and set-up are.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from functools import cache

for library in ("OPENBLAS", "OMP", "MKL", "NUMBA"):  # before numpy is imported
    os.environ[f"{library}_NUM_THREADS"] = "1"

import _large  # noqa: E402
import numpy as np  # noqa: E402
from _peer import Benchmark, main  # noqa: E402
from _pyradplan import case, parameters, seconds_to  # noqa: E402

#: What 0.1% of the optimum is.
_LEVEL = 1e-3
_REPEATS = 9


def cold() -> float:
    """CPU of a plan from nothing to a certified 0.1%, as a share of pyRadPlan's to 0.1%."""
    ours, best = _cold()
    return ours / seconds_to(best * (1 + _LEVEL))


def cold_seconds() -> float:
    """CPU seconds of the same."""
    return _cold()[0]


def warm() -> float:
    """CPU of a plan after the core's weight was tripled, as a share of pyRadPlan's for the changed objective."""
    from tgsci_radiotherapy.planner import Planner

    planner = Planner(case())
    before = planner.solve(parameters())
    changed = parameters(Core=900.0)
    planner.solve(parameters(BODY=200.0), start=before)  # prepares `before` as a start, once for all that follow
    plan = planner.solve(changed, start=before)
    assert plan.gap <= _LEVEL
    best = planner.solve(changed, start=plan, gap=1e-6).bound
    return plan.seconds / seconds_to(best * (1 + _LEVEL), Core=900.0)


def gap() -> float:
    """Certified relative gap at the stop."""
    from tgsci_radiotherapy.planner import Planner

    return Planner(case()).solve(parameters()).gap


def optimum() -> float:
    """How far the optimum of a small case is from piqp's, relative."""
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), os.pardir, "tests", "radiotherapy"))
    from planning_problems import optimum, parameters, random_case

    from tgsci_radiotherapy.planner import Planner

    problem = random_case(1, beamlets=40, voxels=150)
    wanted = parameters(
        ("PTV", "squared_deviation", 50, 1000),
        ("OAR", "squared_overdose", 15, 300),
        ("OAR", "mean", None, 3),
        ("Body", "squared_overdose", 20, 100),
    )
    best, _ = optimum(problem, wanted)
    return abs(Planner(problem).solve(wanted, gap=1e-8).value / best - 1)


def bandwidth() -> float:
    """Bytes of the matrix over the time of a fused value and gradient, as a share of one core's read bandwidth."""
    from tgsci_radiotherapy.planner import Planner

    planner = Planner(case())
    matrix, terms = planner.matrix, planner.terms(parameters())
    x = planner.solve(parameters()).fluence * np.random.default_rng(0).uniform(0.7, 1.3, matrix.columns)
    read = _read_bandwidth()
    return matrix.nbytes / _quickest(lambda: matrix.value_gradient(terms, x)) / read


def pass_milliseconds() -> float:
    """Time of a fused value and gradient, ms."""
    from tgsci_radiotherapy.planner import Planner

    planner = Planner(case())
    terms = planner.terms(parameters())
    x = planner.solve(parameters()).fluence
    return 1000 * _quickest(lambda: planner.matrix.value_gradient(terms, x))


def sensitivities() -> float:
    """CPU of the sensitivities of four goals to all weights and doses after an edit, as a share of a cold solve's."""
    from tgsci_radiotherapy.goals import Metric
    from tgsci_radiotherapy.planner import Planner

    planner = Planner(case())
    figures = [("OuterTarget", "D95%"), ("OuterTarget", "D10%"), ("Core", "D10%"), ("Core", "D5%")]
    metrics = [(name, _Figure(Metric.parse(text), planner.case.grid.voxel_cc)) for name, text in figures]
    Planner(case()).solve(parameters())  # compiles, or loads what was compiled
    plan = planner.solve(parameters())
    edited = planner.solve(parameters(Core=900.0), start=plan)
    found = [planner.sensitivities(edited, metrics).seconds / plan.seconds for _ in range(2)]
    return found[-1]  # the first one compiles


def memory() -> float:
    """Peak memory of a process that reads the case, plans, and plans again from the first plan, MB."""
    from tgsci_radiotherapy.planner import Planner

    planner = Planner(case())
    planner.solve(parameters(Core=900.0), start=planner.solve(parameters()))
    return _peak()


def large_cold() -> float:
    """CPU seconds of a plan from nothing to a certified 0.1%, about 9,000 beamlets."""
    return _large_solved()[1].seconds


def large_share() -> float:
    """The same as a share of what scipy's L-BFGS-B takes to 0.1% above our bound."""
    _, plan = _large_solved()
    return plan.seconds / _large.scipy_seconds(plan.bound * (1 + _LEVEL))


def large_warm() -> float:
    """CPU seconds of a plan after an edit, from the plan before; the slowest of three edits."""
    planner, plan = _large_solved()
    wanted = _large.parameters()
    planner.solve(wanted.replaced(1, weight=501.0), start=plan)  # prepares `plan` as a start, once for all that follow
    found = [planner.solve(wanted.replaced(place, **fields), start=plan) for place, fields in _large.EDITS]
    assert all(edited.gap <= _LEVEL for edited in found)
    return max(edited.seconds for edited in found)


def large_memory() -> float:
    """Peak memory of a process that makes the phantom, plans, and plans again from the first plan, MB."""
    large_warm()
    return _peak()


class _Figure:
    """A metric with what it needs to know of the case."""

    def __init__(self, metric, voxel_cc) -> None:
        self.metric, self.voxel_cc = metric, voxel_cc

    def gradient(self, dose):
        return self.metric.gradient(dose, self.voxel_cc)


def _cold() -> tuple[float, float]:
    """CPU seconds of a cold solve, and the optimum."""
    from tgsci_radiotherapy.planner import Planner

    problem = case()
    Planner(problem).solve(parameters())  # compiles, or loads what was compiled
    planner = Planner(problem)
    plan = planner.solve(parameters())
    assert plan.gap <= _LEVEL
    return plan.seconds, planner.solve(parameters(), start=plan, gap=1e-6).bound


@cache
def _large_solved():
    """The planner of the large phantom, and its plan."""
    from tgsci_radiotherapy.planner import Planner

    Planner(case()).solve(parameters())  # compiles, or loads what was compiled
    planner = Planner(_large.case())
    plan = planner.solve(_large.parameters())
    assert plan.gap <= _LEVEL
    return planner, plan


def _peak() -> float:
    """Most memory that this process had so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _read_bandwidth() -> float:
    """Bytes a second that one core reads, by a sum over an array of 400 MB."""
    import numba

    @numba.njit(fastmath=True)
    def total(array):
        found = np.float32(0)
        for i in range(len(array)):
            found += array[i]
        return found

    array = np.ones(100_000_000, np.float32)
    total(array[:1000])
    return array.nbytes / _quickest(lambda: total(array))


def _quickest(work) -> float:
    """CPU seconds of the quickest of some repetitions: what the machine can do when nobody else is at it."""
    found = []
    for _ in range(_REPEATS):
        before = time.process_time()
        work()
        found.append(time.process_time() - before)
    return min(found)


_WHERE = "TG-119, 29M entries"
_LARGE = "neck phantom of 8,964 beamlets, 44M entries"
BENCHMARKS = (
    Benchmark(
        "planner.cold",
        f"cold solve to a certified 0.1%, CPU as a share of pyRadPlan's, {_WHERE}",
        "share",
        cold,
        at_most=1 / 6,
        rounds=1,
        beside="pyRadPlan",
    ),
    Benchmark("planner.cold-seconds", f"cold solve to a certified 0.1%, {_WHERE}", "CPU s", cold_seconds, rounds=3),
    Benchmark(
        "planner.warm",
        f"the same after one weight x3, from the plan before, {_WHERE}",
        "share",
        warm,
        at_most=1 / 20,
        rounds=1,
        beside="pyRadPlan",
    ),
    Benchmark("planner.gap", f"certified optimality gap at the stop, {_WHERE}", "", gap, at_most=1e-3, rounds=1),
    Benchmark(
        "planner.optimum",
        "a small case against piqp, relative difference of the optimum",
        "",
        optimum,
        at_most=1e-6,
        rounds=1,
        beside="piqp",
    ),
    Benchmark(
        "planner.bandwidth",
        f"one pass for value and gradient, share of a core's read bandwidth, {_WHERE}",
        "share",
        bandwidth,
        at_least=0.35,
        rounds=3,
    ),
    Benchmark("planner.pass", f"one pass for value and gradient, {_WHERE}", "ms", pass_milliseconds, rounds=3),
    Benchmark(
        "planner.sensitivities",
        f"sensitivities of 4 goals to all weights and doses after an edit, share of a cold solve, {_WHERE}",
        "share",
        sensitivities,
        at_most=0.10,
        rounds=3,
    ),
    Benchmark(
        "planner.large-cold", f"cold solve to a certified 0.1%, {_LARGE}", "CPU s", large_cold, at_most=28, rounds=1
    ),
    Benchmark(
        "planner.large-share",
        f"the same as a share of scipy's L-BFGS-B to 0.1%, {_LARGE}",
        "share",
        large_share,
        at_most=0.5,
        rounds=1,
        beside="scipy",
    ),
    Benchmark(
        "planner.large-warm",
        f"solve after an edit, the slowest of three, {_LARGE}",
        "CPU s",
        large_warm,
        at_most=8,
        rounds=1,
    ),
    Benchmark("planner.large-memory", f"peak memory of these, {_LARGE}", "MB", large_memory, at_most=4096, rounds=1),
    Benchmark("planner.memory", f"peak memory of a cold and a warm solve, {_WHERE}", "MB", memory, rounds=1),
)

if __name__ == "__main__":
    main(BENCHMARKS)
