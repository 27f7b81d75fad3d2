"""What a function's code does with names, read from its bytecode: a lambda has no source of its own.

Instructions differ between versions of Python; `tests/basics/test_bytecode.py` says what must hold with a new one.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType

#: Methods that change what they are called on.
_CHANGING = {
    *("add", "append", "appendleft", "clear", "difference_update", "discard", "extend", "extendleft", "fill", "insert"),
    *("intersection_update", "move_to_end", "pop", "popitem", "popleft", "put", "put_nowait", "remove", "reverse"),
    *("rotate", "setdefault", "sort", "subtract", "symmetric_difference_update", "update", "write", "writelines"),
}


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """The names that a function's code uses.

    Args:
        names: Every name in it: globals, attributes, modules.
        chains: The globals that it reads, each with the attributes that it takes of them: ("settings", "TARGET").
        imports: The modules that it imports while it runs.
        changes: The globals, closure variables and attributes that it assigns or changes in place, by name; a
            parameter as "name=", an attribute of the first parameter (of a method's `self`) as ".name".
    """

    names: set[str]
    chains: list[tuple[str, ...]]
    imports: list[str]
    changes: set[str]


@lru_cache(maxsize=4096)
def facts_of(function: CodeType) -> CodeFacts:
    """Read the code of a function, and of the functions within it."""
    names: set[str] = set()
    chains: list[tuple[str, ...]] = []
    imports: list[str] = []
    changes: set[str] = set()
    for code in _codes(function):
        names.update(code.co_names)
        chain: list[str] = []
        # An expression and what it begins with have one place: in `self.seen[value]` that is `self` and `self.seen`.
        places: dict[object, list[dis.Instruction]] = {}
        for step in dis.get_instructions(code):
            name, argument = step.opname, step.argval
            attribute = name in ("LOAD_ATTR", "LOAD_METHOD")
            if chain and attribute:
                chain.append(argument)
            else:
                chains += [tuple(chain)] * bool(chain)
                chain = [argument] if name in ("LOAD_GLOBAL", "LOAD_NAME") else []
            if name == "IMPORT_NAME" and argument:
                imports.append(argument)
            before = places.setdefault(step.positions and (step.positions.lineno, step.positions.col_offset), [])
            if name in ("STORE_GLOBAL", "DELETE_GLOBAL") or (
                name == "STORE_DEREF" and argument in function.co_freevars
            ):
                changes.add(argument)
            elif name in ("STORE_ATTR", "DELETE_ATTR"):
                reached = [each for each in before if each.positions != step.positions]  # `+=` reads it first
                changes.update(_changed([*reached, step], code, function))
            elif name in ("STORE_SUBSCR", "DELETE_SUBSCR") or (attribute and argument in _CHANGING):
                changes.update(_changed(before, code, function))
            if name.startswith(("LOAD_", "CALL")):
                before.append(step)
    return CodeFacts(names, list(dict.fromkeys(chains)), list(dict.fromkeys(imports)), changes)


def _changed(steps: Sequence[dis.Instruction], code: CodeType, function: CodeType) -> Iterator[str]:
    """Name what an instruction changes: the last attribute, else the variable. What the function made itself has none.

    Args:
        steps: What was loaded and called to reach it, in order.
        code: Where the instruction stands.
        function: The whole function.
    """
    chain: list[dis.Instruction] = []
    for step in steps:
        if not step.opname.startswith("CALL"):
            chain.append(step)
        elif chain and chain[-1].argval != "type":  # of `self.kinds.get(key)` a part may be changed, of `made()` none
            chain.pop()
    if not chain:
        return
    root, parameters = chain[0], code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if root.opname.startswith("LOAD_FAST"):
        if len(chain) == 1 and root.argval in parameters:
            yield f"{root.argval}="
        elif len(chain) > 1 and root.argval in parameters[:1]:
            yield f"{'.' if len(chain) == 2 else ''}{chain[-1].argval}"
    elif root.opname in ("LOAD_GLOBAL", "LOAD_NAME") or (
        root.opname == "LOAD_DEREF" and (len(chain) > 1 or root.argval in function.co_freevars)
    ):
        yield chain[-1].argval


def _codes(code: CodeType) -> Iterator[CodeType]:
    """List a function's code and that of the functions within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
