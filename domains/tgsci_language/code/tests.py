"""Tests of a function: a call, and what it must give. They are data, and are never run as code."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tgsci.basics import checks
from tgsci.basics.texts import literal, quote
from tgsci.errors import UsageError

from ..datasets.assertions import Assertion, NoLiteral, read_assertion

#: What a test may be written as, for messages.
FORMS = (
    "a text such as 'f([1, 2], 3) == [3, 5]' or 'abs(f(2) - 1.41) < 0.01' ('f(1)' alone: the reference says what it "
    "must give), or a table with arguments and expected (or raises)"
)
#: Characters of a test, at most: what is larger comes from a generator of inputs.
_LONGEST = 1_000_000


class _Unknown:
    """Stands for what a test does not say: the reference gives it."""

    def __repr__(self) -> str:
        return "what the reference gives"


UNKNOWN = _Unknown()


@dataclass(frozen=True)
class Test:
    """One call of the function, and what it must give.

    Args:
        arguments: By position.
        keywords: By name.
        expected: What must come back; `UNKNOWN` where the reference says it.
        raises: The name of the exception that must be raised in place of a result; "" for none.
        loose: A list stands for a tuple and an array as well: TOML can write no other sequence.
        condition: What must be true of the result, where that is not one value.
    """

    __test__ = False  # pytest would take the name for a test of ours

    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any] = field(default_factory=dict)
    expected: Any = UNKNOWN
    raises: str = ""
    loose: bool = False
    condition: Assertion | None = None

    @property
    def open(self) -> bool:
        """True where it does not say what must come back."""
        return self.expected is UNKNOWN and not self.raises and self.condition is None

    def call(self, name: str, most: int = 200) -> str:
        """Write the call as Python does, cut to so many characters."""
        parts = [*map(shown, self.arguments), *(f"{key}={shown(value)}" for key, value in self.keywords.items())]
        text = f"{name}({', '.join(parts)})"
        return text if len(text) <= most else f"{text[: most - 4]}...)"

    def shown_expected(self, most: int = 200) -> str:
        """Write what must come back as Python does, cut; "" where the test does not say it."""
        if self.raises:
            return f"raises {self.raises}"
        if self.condition is not None:
            return self.condition.text[:most]
        return "" if self.expected is UNKNOWN else shown(self.expected, most)

    @property
    def key(self) -> str:
        """The call as a text that equal calls share."""
        return repr((self.arguments, sorted(self.keywords.items())))


def read_test(given: object, name: str, where: str) -> Test:
    """Read a test as people write it.

    Args:
        given: See `FORMS`.
        name: Of the function: the last part of "Solution().two_sum".
        where: What the test is called in messages: "visible test 3".

    Raises:
        UsageError: It is none, or it holds something else than literals.
    """
    if isinstance(given, Mapping):
        return _from_table(given, where)
    if not isinstance(given, str):
        raise UsageError(f"{where} must be {FORMS}; not {literal(given)}")
    if len(given) > _LONGEST:
        raise UsageError(f"{where} has {len(given):,} characters: more than {_LONGEST:,} belong in the key 'inputs'")
    try:
        return _call_and_result(given, name, where)
    except UsageError:
        condition = _condition(given, name)
        if condition is None:
            raise
        return condition


def _condition(given: str, name: str) -> Test | None:
    """Read a statement about the result of one call: "len(f(3)) == 2"; None where it is none."""
    try:
        found = read_assertion(given.strip(), [name])
    except (NoLiteral, RecursionError):
        return None
    if len(found.calls) != 1:
        return None
    return Test(found.calls[0].arguments, found.calls[0].keywords, condition=found)


def _call_and_result(given: str, name: str, where: str) -> Test:
    text = given.strip().removeprefix("assert ").strip()
    try:
        expression = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"{where} is no Python expression ({_reason(error)}): {quote(given)}; write {FORMS}") from None
    call, expected = _sides(expression, where, given)
    called = ast.unparse(call.func) if isinstance(call, ast.Call) else ""
    if not isinstance(call, ast.Call) or called.rpartition(".")[2] not in (name, "candidate"):
        raise UsageError(f"{where} must call {name}(...), and it is {quote(given)}; write {FORMS}")
    if any(isinstance(each, ast.Starred) for each in call.args) or any(each.arg is None for each in call.keywords):
        raise UsageError(f"{where} must name every argument, without * and **: {quote(given)}")
    return Test(
        tuple(_value(argument, where, given) for argument in call.args),
        {str(each.arg): _value(each.value, where, given) for each in call.keywords},
        UNKNOWN if expected is None else _value(expected, where, given),
    )


def _from_table(table: Mapping[str, Any], where: str) -> Test:
    checks.keys(table, ("arguments", "keywords", "expected", "raises"), where)
    arguments, keywords = table.get("arguments", []), table.get("keywords", {})
    if not isinstance(arguments, list):
        raise UsageError(f"arguments of {where} must be a list of the function's arguments, not {literal(arguments)}")
    if not isinstance(keywords, Mapping):
        raise UsageError(f"keywords of {where} must be a table of arguments by name, not {literal(keywords)}")
    raises = checks.text("raises", table["raises"], "the name of an exception: ValueError") if "raises" in table else ""
    if raises and "expected" in table:
        raise UsageError(f"{where} has expected and raises: give one of them")
    return Test(tuple(arguments), dict(keywords), table.get("expected", UNKNOWN), raises, loose=True)


def _sides(expression: ast.expr, where: str, given: str) -> tuple[ast.expr, ast.expr | None]:
    """Take the call of a test, and what it must give."""
    if isinstance(expression, ast.UnaryOp) and isinstance(expression.op, ast.Not):
        return expression.operand, ast.Constant(False)
    if not isinstance(expression, ast.Compare):
        return expression, None
    if len(expression.ops) != 1 or not isinstance(expression.ops[0], ast.Eq | ast.Is):
        raise UsageError(f"{where} must compare once, with ==: {quote(given)}")
    return expression.left, expression.comparators[0]


def _value(node: ast.expr, where: str, given: str) -> Any:
    """Read a literal; the floats inf and nan as well, as `float('inf')` or `inf`."""
    try:
        return ast.literal_eval(_Floats().visit(node))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        part = ast.unparse(node) if not isinstance(error, RecursionError) else given
        raise UsageError(
            f"{where} must hold literals only (numbers, text, lists, tuples, tables, sets, None), not {quote(part)}; "
            "inputs that are made by code belong in the key 'inputs'"
        ) from None


class _Floats(ast.NodeTransformer):
    """Replaces the ways to write infinity and nan by their values, as `literal_eval` knows none."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        text = ast.unparse(node).replace('"', "'").lower()
        found = {"float('inf')": math.inf, "float('-inf')": -math.inf, "float('nan')": math.nan}.get(text)
        return node if found is None else ast.Constant(found)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        found = {"inf": math.inf, "nan": math.nan}.get(node.id)
        return node if found is None else ast.Constant(found)


def _reason(error: BaseException) -> str:
    return error.msg if isinstance(error, SyntaxError) else type(error).__name__


def shown(value: object, most: int = 200) -> str:
    """Write a value as Python does, cut to so many characters; what is printable stays as it is."""
    try:
        text = repr(value)
    except (ValueError, RecursionError) as error:  # an integer of too many digits, a list in itself
        text = f"<{type(value).__name__}: {error}>"
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def read_tests(given: Sequence[object], name: str, what: str) -> list[Test]:
    """Read a list of tests; see `read_test`."""
    return [read_test(each, name, f"{what} test {number}") for number, each in enumerate(given, 1)]


@dataclass(frozen=True)
class TestSet:
    """Tests that say what they must give.

    Args:
        tests: Those that the task lists.
        inputs: Those that its generator made.
        kind: "visible" or "hidden".
    """

    __test__ = False

    tests: Sequence[Test]
    inputs: Sequence[Test]
    kind: str = "visible"

    @property
    def measured(self) -> Sequence[Test]:
        """The calls whose time, memory or figure counts: the generator's, or where there is none the listed ones."""
        return self.inputs or self.tests

    @property
    def label(self) -> str:
        """What one of the measured calls is called."""
        return self.input_label if self.inputs else self.test_label

    @property
    def test_label(self) -> str:
        """What a listed test is called, before its number."""
        return "test" if self.kind == "visible" else f"{self.kind} test"

    @property
    def input_label(self) -> str:
        """What a generated one is called, before its number."""
        return "input" if self.kind == "visible" else f"{self.kind} input"

    def __len__(self) -> int:
        return len(self.tests) + len(self.inputs)
