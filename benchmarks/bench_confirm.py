"""Second looks at a docking: a child in its parent's pose, and a leader confirmed with care; CPU against docking.

Analogues of one molecule, each docked into a target and an off-target at the default setting, maps computed before.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from _peer import Benchmark, main

PARENT = "Cc1ccc(NC(=O)c2ccccc2)cc1-c1ccncc1"
CHILDREN = (
    "Cc1ccc(NC(=O)c2ccc(F)cc2)cc1-c1ccncc1",
    "Cc1ccc(NC(=O)c2cccc(N3CCOCC3)c2)cc1-c1ccncc1",
    "Cc1ccc(NC(=O)c2ccncc2)cc1-c1ccncc1",
    "Cc1ccc(NC(=O)C2CCCC2)cc1-c1ccncc1",
)


def parent_pose() -> float:
    """CPU of looking at a child in its parent's pose, as a share of docking it."""
    objective = _objective()
    parent = objective.measure(PARENT)
    docking = looking = 0.0
    for child in CHILDREN:
        feedback, seconds = _timed(objective.measure, child)
        docking += seconds
        looking += _timed(objective.reconsider, child, feedback, parent)[1]
    return looking / docking


def careful() -> float:
    """CPU of confirming a leader, in dockings at the setting of the search."""
    from tgsci_molecules.objective.careful import careful

    objective = _objective()
    confirmed = careful(objective).loss
    first = again = 0.0
    for child in CHILDREN:
        feedback, seconds = _timed(objective.measure, child)
        first += seconds
        second, seconds = _timed(confirmed.measure, child)
        again += seconds + _timed(confirmed.reconsider, child, second, feedback)[1]
    return again / first


def _objective() -> Any:
    """The objective of a target and an off-target, with its maps computed and no cache on the disk."""
    os.environ["TGSCI_CACHE"] = ""
    from tgsci_molecules import Objective
    from tgsci_molecules.objective.presets import PRESETS

    form = PRESETS["dockstring-jak2"]
    objective = Objective(form.targets, form.terms)
    objective.measure("Cc1ccccc1")
    return objective


def _timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    started = time.process_time()
    result = function(*arguments)
    return result, time.process_time() - started


BENCHMARKS = [
    Benchmark(
        "confirm.parent",
        "a child looked at in its parent's pose, against docking it",
        "of the CPU time",
        parent_pose,
        at_most=0.25,
        rounds=1,
    ),
    Benchmark(
        "confirm.careful",
        "a leader confirmed with care in a target and an off-target",
        "dockings",
        careful,
        at_most=6.0,
        rounds=1,
    ),
]

if __name__ == "__main__":
    main(BENCHMARKS)
