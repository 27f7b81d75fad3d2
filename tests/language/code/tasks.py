"""Tasks, solutions and engines that the tests of code share."""

from __future__ import annotations

from typing import Any

from tgsci_language import CodeTask

AREA = "def area(w, h):\n    return w * h\n"
WRONG_AREA = "def area(w, h):\n    return w + h\n"

#: A function that is slow and right, a faster one, and inputs on which that shows.
SLOW_SUM = """def total(values):
    found = 0.0
    for value in values:
        for power in (value, value):
            pass
        found += value * value
    return found
"""
FAST_SUM = "def total(values):\n    return sum([value * value for value in values])\n"
INPUTS = """
import random


def inputs(seed):
    r = random.Random(seed)
    return [([r.random() for _ in range(20000)],)]
"""


def area(**more: Any) -> CodeTask:
    """A task that any model solves."""
    settings: dict[str, Any] = {
        "signature": "def area(w, h)",
        "statement": "Compute the area of a rectangle.",
        "visible": ["area(2, 3) == 6", "area(1, 1) == 1", "area(0, 7) == 0"],
        "seconds": 1.0,
    }
    return CodeTask(**{**settings, **more})


def total(**more: Any) -> CodeTask:
    """A kernel to make faster."""
    settings: dict[str, Any] = {
        "signature": "def total(values)",
        "statement": "Sum the squares of numbers.",
        "visible": ["total([1.0, 2.0]) == 5.0", "total([]) == 0"],
        "start": SLOW_SUM,
        "inputs": INPUTS,
        "minimise": "time",
        "tolerance": 1e-9,
        "repeats": 2,
        "seconds": 2.0,
    }
    return CodeTask(**{**settings, **more})
