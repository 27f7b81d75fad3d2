"""Objects of a task's own classes (a linked list, a tree) as plain values, and back.

Each object becomes a place in a table, with its class's name and its attributes, and a `Ref` where it stood: lists of
any length and rings pass. Outside of the sandbox they stay that way: nothing there is made from them.
"""

from __future__ import annotations

from .values import DEEPEST, BadValue, Ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Table = list[tuple[str, dict[str, Any]]]


def flatten(value: Any, classes: Mapping[str, type]) -> tuple[Any, Table]:
    """Replace the objects in a value.

    Args:
        value: Any.
        classes: The classes whose objects are replaced, by name; a class of the same name counts as well.

    Returns:
        The value with a `Ref` for each object, and the table of the objects.

    Raises:
        BadValue: It is nested too deeply.
    """
    objects: list[Any] = []
    places: dict[int, int] = {}

    def replace(one: Any) -> Any:
        if type(one).__name__ not in classes or not hasattr(one, "__dict__"):
            return None
        if id(one) not in places:
            places[id(one)] = len(objects)
            objects.append(one)
        return Ref(places[id(one)])

    root = _copy(value, replace, DEEPEST)
    table: Table = []
    for one in objects:  # grows meanwhile
        table.append((type(one).__name__, {name: _copy(each, replace, DEEPEST) for name, each in vars(one).items()}))
    return root, table


def restore(flat: Any, classes: Mapping[str, type]) -> Any:
    """Make a value from what `flatten` gave.

    Raises:
        BadValue: It has an object of another class.
    """
    root, table = flat
    for name, _ in table:
        if name not in classes:
            raise BadValue(f"it holds an object of the class {name}")
    objects: list[Any] = [object.__new__(classes[name]) for name, _ in table]

    def replace(one: Any) -> Any:
        return objects[one.place] if type(one) is Ref else None

    for one, (_, attributes) in zip(objects, table, strict=True):
        vars(one).update({name: _copy(each, replace, DEEPEST) for name, each in attributes.items()})
    return _copy(root, replace, DEEPEST)


def _copy(value: Any, replace: Callable[[Any], Any], depth: int) -> Any:
    """Copy containers of plain types, with some of what is in them replaced."""
    if depth == 0:
        raise BadValue(f"nested more than {DEEPEST} deep, or it holds itself")
    other = replace(value)
    if other is not None:
        return other
    kind = type(value)
    if kind in (list, tuple, set, frozenset):
        return kind(_copy(each, replace, depth - 1) for each in value)
    if kind is dict:
        return {_copy(key, replace, depth - 1): _copy(each, replace, depth - 1) for key, each in value.items()}
    return value
