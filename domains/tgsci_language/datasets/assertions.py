"""Tests that are published as assert statements, turned into calls and what is to be true of the answers.

The calls go into the sandbox; the statement is worked out here, on the answers that came back, so that what is expected
never is where a candidate could read it. Nothing of a file is executed here: a small part of Python's expressions is
understood, whatever else a test holds is left as a script (`sandbox/scripts.py`).
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..sandbox.calls import Call

#: The name by which a published check calls the function.
CANDIDATE = "candidate"
_NAME = re.compile(r"\bcandidate\b(?=\s*\()")
_LARGEST_POWER = 4096
_LONGEST_REPEAT = 1_000_000


class NoLiteral(ValueError):
    """An expression that is more than what is understood here."""


@dataclass(frozen=True)
class Assertion:
    """One assert statement.

    Args:
        text: The statement's expression, with the function under its own name.
        calls: The calls in it, in order.
        expression: The same with an `Answer` in place of each call.
    """

    text: str
    calls: tuple[Call, ...]
    expression: ast.expr = field(compare=False, repr=False)

    @property
    def expected(self) -> Any:
        """The value that the only call must return.

        Raises:
            NoLiteral: The statement is not of the form `f(...) == value`.
        """
        node = self.expression
        if (
            isinstance(node, ast.Compare)
            and len(node.ops) == 1
            and isinstance(node.ops[0], ast.Eq | ast.Is)
            and isinstance(node.left, Answer)
            and not answers(node.comparators[0])
        ):
            return evaluate(node.comparators[0])
        if isinstance(node, Answer) or (isinstance(node, ast.UnaryOp) and isinstance(node.operand, Answer)):
            raise NoLiteral("it asks whether the answer is true, which many values are")
        raise NoLiteral("it is not of the form f(...) == value")

    def holds(self, values: Sequence[Any]) -> bool:
        """Tell whether the statement is true of the values that the calls returned.

        Raises:
            Exception: It cannot be worked out on these values, as it could not be in the published script: a `len` of
                a number, say. The test has failed then.
        """
        return bool(evaluate(self.expression, values))


class Answer(ast.expr):
    """Stands in an expression for what the call of that number returned."""

    _fields = ("number",)

    def __init__(self, number: int = 0) -> None:
        super().__init__()
        self.number = number


def read_assertions(source: str, names: Sequence[str]) -> tuple[list[Assertion], list[str]]:
    """Read the assert statements of a published test.

    Args:
        source: A module of assert statements, or one that defines `check(candidate)` with them in it.
        names: What the function is called in them, beside `candidate`.

    Returns:
        Those that are calls with given arguments, and a script of what is left: of all the statements where they
        depend on each other; no script where nothing is left.

    Raises:
        SyntaxError: It is no Python.
    """
    module = ast.parse(source)
    check = next((node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "check"), None)
    body: list[ast.stmt] = check.body if check else module.body
    called = {CANDIDATE, *names}
    lines = source.split("\n")
    found, left = [], []
    for statement in body:
        if _says_nothing(statement, called):
            continue
        try:
            found.append(_assertion(statement, called, _text(statement, lines, names)))
        except NoLiteral:
            left.append(statement)
    if not any(isinstance(each, ast.Assert | ast.For | ast.While | ast.With | ast.Try) for each in left):
        return found, []
    if any(not isinstance(each, ast.Assert | ast.For | ast.Import | ast.ImportFrom | ast.Assign) for each in left):
        return [], [source]
    if check:
        check.body = left
    else:
        module.body = left
    return found, [ast.unparse(ast.fix_missing_locations(module))]


def split_script(script: str, count: int) -> tuple[str, str]:
    """Take the first assert statements of a script that has nothing but such.

    Args:
        script: As `read_assertions` left it.
        count: How many.

    Returns:
        A script of these, and one of the rest; "" for one that would be empty, and for the first where the script has
        other statements.
    """
    module = ast.parse(script)
    check = next((node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "check"), None)
    holder: ast.Module | ast.FunctionDef = check or module
    body = list(holder.body)
    if count < 1 or not all(isinstance(each, ast.Assert) for each in body):
        return "", script
    parts = []
    for part in (body[:count], body[count:]):
        holder.body = list[ast.stmt](part) or [ast.Pass()]
        parts.append(ast.unparse(module) if part else "")
    return parts[0], parts[1]


def read_assertion(text: str, names: Sequence[str]) -> Assertion:
    """Read one assert statement, with or without the word.

    Raises:
        NoLiteral: It is none, or more than is understood here.
    """
    source = text if text.lstrip().startswith("assert") else f"assert {text}"
    try:
        (statement,) = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NoLiteral("it is no assert statement") from None
    return _assertion(statement, {CANDIDATE, *names}, _text(statement, source.split("\n"), names))


def answers(node: ast.AST) -> list[Answer]:
    """Find the answers that an expression depends on."""
    return [each for each in ast.walk(node) if isinstance(each, Answer)]


def _says_nothing(statement: ast.stmt, names: set[str]) -> bool:
    """Tell docstrings, prints and `assert True` apart from tests."""
    if isinstance(statement, ast.Pass | ast.Expr):
        return not any(isinstance(each, ast.Name) and each.id in names for each in ast.walk(statement))
    return isinstance(statement, ast.Assert) and isinstance(statement.test, ast.Constant) and bool(statement.test.value)


def _text(statement: ast.stmt, lines: Sequence[str], names: Sequence[str]) -> str:
    """Give the expression of an assert statement as it is written, with the function under its own name."""
    if not isinstance(statement, ast.Assert):
        return ""
    test = statement.test
    line = lines[test.lineno - 1] if test.lineno == test.end_lineno and test.lineno <= len(lines) else ""
    text = line[test.col_offset : test.end_col_offset] if line.isascii() else ""
    return _NAME.sub(names[0], text or ast.unparse(test)) if names else text or ast.unparse(test)


def _assertion(statement: ast.stmt, called: set[str], text: str) -> Assertion:
    if not isinstance(statement, ast.Assert):
        raise NoLiteral("it is no assert statement")
    calls: list[Call] = []
    expression = _Calls(called, calls).visit(statement.test)
    if not calls:
        raise NoLiteral("it calls nothing")
    _check(expression)
    return Assertion(text, tuple(calls), expression)


class _Calls(ast.NodeTransformer):
    """Replaces the calls of the function, the innermost arguments of which are values."""

    def __init__(self, names: set[str], calls: list[Call]) -> None:
        self.names, self.calls = names, calls

    def visit_Call(self, node: ast.Call) -> ast.AST:  # the name that ast calls
        if ast.unparse(node.func) not in self.names:
            return self.generic_visit(node)
        if any(isinstance(each, ast.Starred) for each in node.args) or any(each.arg is None for each in node.keywords):
            raise NoLiteral("arguments with a star")
        arguments = tuple(evaluate(each) for each in node.args)
        keywords = {str(each.arg): evaluate(each.value) for each in node.keywords}
        self.calls.append(Call(arguments, keywords))
        return Answer(len(self.calls) - 1)


_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not, ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many, ast.Add: operator.add, ast.Sub: operator.sub,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: lambda one, other: _remainder(one, other),
    ast.Mult: lambda one, other: _product(one, other), ast.Pow: lambda one, other: _power(one, other),
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_,
}  # fmt: skip
#: What an assert statement may call around the function. Each takes a time that grows with its arguments alone.
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (abs, all, any, bool, complex, dict, float, frozenset, int, len, list, max, min, round)},
    **{f.__name__: f for f in (set, sorted, sum, tuple)},
    "math.isclose": math.isclose, "math.sqrt": math.sqrt, "math.floor": math.floor, "isclose": math.isclose,
    "bytes.fromhex": bytes.fromhex,
}  # fmt: skip
_CONSTANTS = {"math.inf": math.inf, "math.pi": math.pi, "math.e": math.e, "math.nan": math.nan, "inf": math.inf}
_SEQUENCES: dict[type[ast.AST], Callable[[Any], Any]] = {ast.List: list, ast.Tuple: tuple, ast.Set: set}


def _check(node: ast.expr) -> None:
    """Refuse an expression that has more in it than `evaluate` understands, without working it out."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and ast.unparse(each.func) not in _FUNCTIONS:
            raise NoLiteral(f"it calls {ast.unparse(each.func)}")
        if isinstance(each, ast.Name | ast.Attribute) and not _known(each):
            raise NoLiteral(f"it depends on {ast.unparse(each)}")
        if not isinstance(each, _UNDERSTOOD):
            raise NoLiteral(f"it has a {type(each).__name__}")


def _known(node: ast.Name | ast.Attribute) -> bool:
    name = ast.unparse(node)
    return name in _FUNCTIONS or name in _CONSTANTS or name in ("math", "bytes")


_UNDERSTOOD = (
    Answer, ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Compare, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp,
    ast.BinOp, ast.Call, ast.keyword, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Load, *_OPERATORS,
)  # fmt: skip


def evaluate(node: ast.expr, values: Sequence[Any] = ()) -> Any:
    """Work out an expression of literals, arithmetic, comparisons and a few functions.

    Args:
        node: The expression.
        values: What each `Answer` in it is.

    Raises:
        NoLiteral: It has something else in it.
        Exception: As Python raises it for such values.
    """

    def value(node: ast.expr | None) -> Any:
        match node:
            case None:
                return None
            case Answer():
                return values[node.number]
            case ast.Constant():
                return node.value
            case ast.List() | ast.Tuple() | ast.Set():  # long lists of numbers are common
                items = [each.value if type(each) is ast.Constant else value(each) for each in node.elts]
                return _SEQUENCES[type(node)](items)
            case ast.Dict() if None not in node.keys:
                return {value(key): value(item) for key, item in zip(node.keys, node.values, strict=True)}
            case ast.UnaryOp() if type(node.op) in _OPERATORS:
                return _OPERATORS[type(node.op)](value(node.operand))
            case ast.BinOp() if type(node.op) in _OPERATORS:
                return _OPERATORS[type(node.op)](value(node.left), value(node.right))
            case ast.BoolOp():
                return _any_or_all(node, value)
            case ast.Compare():
                return _compare(node, value)
            case ast.Subscript(slice=ast.Slice() as part):
                return value(node.value)[slice(value(part.lower), value(part.upper), value(part.step))]
            case ast.Subscript():
                return value(node.value)[value(node.slice)]
            case ast.Name() | ast.Attribute() if ast.unparse(node) in _CONSTANTS:
                return _CONSTANTS[ast.unparse(node)]
            case ast.Call() if ast.unparse(node.func) in _FUNCTIONS:
                keywords = {str(each.arg): value(each.value) for each in node.keywords}
                return _FUNCTIONS[ast.unparse(node.func)](*map(value, node.args), **keywords)
        raise NoLiteral(f"it has a {type(node).__name__}")

    return value(node)


def _any_or_all(node: ast.BoolOp, value: Callable[[ast.expr], Any]) -> Any:
    found: Any = None
    for each in node.values:
        found = value(each)
        if bool(found) == isinstance(node.op, ast.Or):
            break
    return found


def _compare(node: ast.Compare, value: Callable[[ast.expr], Any]) -> Any:
    left, found = value(node.left), True
    for how, each in zip(node.ops, node.comparators, strict=True):
        right = value(each)
        found = _OPERATORS[type(how)](left, right)
        if not found:
            return found
        left = right
    return found


def _product(one: Any, other: Any) -> Any:
    """Multiply, where neither a text nor a number grows out of bounds."""
    for times, thing in ((one, other), (other, one)):
        if isinstance(times, int) and isinstance(thing, str | bytes | list | tuple):
            if times * len(thing) > _LONGEST_REPEAT:
                raise NoLiteral("it repeats something too often")
            return times * thing
    return one * other


def _power(one: Any, other: Any) -> Any:
    if isinstance(one, int) and isinstance(other, int) and one.bit_length() * max(0, other) > _LARGEST_POWER:
        raise NoLiteral("it has a power too large")
    return one**other


def _remainder(one: Any, other: Any) -> Any:
    if isinstance(one, str | bytes):
        raise NoLiteral("it formats a text")
    return one % other


def call_text(call: Call, name: str, most: int = 200) -> str:
    """Write a call as Python does, cut to so many characters."""
    try:
        parts = [*map(repr, call.arguments), *(f"{key}={value!r}" for key, value in call.keywords.items())]
    except ValueError:  # a whole number of more digits than Python writes
        parts = ["..."]
    text = f"{name}({', '.join(parts)})"
    return text if len(text) <= most else f"{text[: most - 4]}...)"
