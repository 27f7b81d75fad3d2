"""The types that EvalPlus's inputs of MBPP have in Python and cannot have in JSON.

JSON has no tuples, sets or complex numbers, so the published file holds lists and texts in their place; which task
takes what is known by its number only (evalplus/data/mbpp.py, MBPP+ v0.1 and v0.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def typed(task: str, arguments: Sequence[Any]) -> list[Any]:
    """Give the arguments of a call the types that the task's function takes.

    Args:
        task: The number of the task, as text: "2".
        arguments: As the file has them.

    Raises:
        TypeError, ValueError, IndexError, AttributeError: They are not what this task takes.
    """
    change = _CHANGES.get(task)
    return list(change(list(arguments)) if change else arguments)


def _tuples(many: Any) -> list[Any]:
    return [tuple(each) for each in many]


def _deep(value: Any) -> Any:
    return tuple(map(_deep, value)) if isinstance(value, list) else value


def _first(given: list[Any]) -> list[Any]:
    return [tuple(given[0]), *given[1:]]


def _tuples_in_first(given: list[Any]) -> list[Any]:
    return [_tuples(given[0]), *given[1:]]


def _sets(given: list[Any]) -> list[Any]:
    return [[set(each) if isinstance(each, list) and each else {} for each in given[0]]]


def _table(given: list[Any]) -> list[Any]:
    return [{key: tuple(value) for key, value in given[0].items()}, *given[1:]]


def _mixed(given: list[Any]) -> list[Any]:
    return [tuple(tuple(each) if isinstance(each, list) else each for each in given[0])]


_Change = Callable[[list[Any]], Sequence[Any]]
_GROUPS: tuple[tuple[str, _Change], ...] = (
    ("2 116 132 143 222 261 273 394 399 421 424 429 470 560 579 596 616 630 726 740 744 809", _tuples),
    ("63 64 70 94 120 237 272 299 400 409 417 438 473 614 780", lambda given: [_tuples(each) for each in given]),
    ("75 413 444 753", _tuples_in_first),
    ("106 750", lambda given: [given[0], tuple(given[1])]),
    ("115", _sets),
    ("124", lambda given: [float(given[0]), complex(given[1])]),
    ("250 307 405 446 617 720 763 808", _first),
    ("252", lambda given: [complex(given[0])]),
    ("259 401 445", lambda given: [tuple(_tuples(each)) for each in given]),
    ("278", _mixed),
    ("580 615 791", lambda given: [_deep(each) for each in given]),
    ("722", _table),
)
_CHANGES: dict[str, _Change] = {task: change for tasks, change in _GROUPS for task in tasks.split()}
