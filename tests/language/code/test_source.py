"""Solutions as models write them: one canonical form, and a refusal that says what is wrong with the rest."""

from __future__ import annotations

import time

import pytest

from tgsci.errors import InvalidValue, UsageError
from tgsci_language.code.source import canonical, read_signature, skeleton

F = read_signature("def f(x, y=1) -> int")
CODE = "def f(x, y=1):\n    return x + y\n"


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        f"```python\n{CODE}```",
        f"Here it is:\n\n```py\n{CODE}```\nIt adds.",
        f"~~~\n{CODE}~~~",
        "  def f(x, y=1):   \n      return x + y  \n\n\n",
        "def f(x, y=1):\r\n    return x + y\r\n",
    ],
)
def test_one_solution_has_one_form(text: str) -> None:
    assert canonical(text, F) == CODE
    assert canonical(canonical(text, F), F) == CODE


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is no code"),
        ("def f(x, y=1:\n    pass", "this is no Python"),
        ("def f(x, y=1):\nreturn 1", "(line 2: 'return 1')"),
        ("def g(x, y): pass", "does not define f at its top level"),
        ("def f(x): pass", "does not take the arguments of def f(x, y=1)"),
        ("def f(x, y, z): pass", "does not take the arguments"),
        ("async def f(x, y=1): pass", "async"),
        ("class A:\n    def f(self, x, y=1): pass", "does not define f"),
        ("x" * 1_000_000, "1,000,000 characters"),
        ("f = 1\x00", "null bytes"),
        ("f = " + "(" * 10_000, "this is no Python"),
        ("f = " + "-" * 40_000 + "1", "nested too deeply"),
        ("f = " + "1+" * 20_000 + "1", "nested too deeply"),
        ("f = a" + ".b" * 20_000, "nested too deeply"),
    ],
)
def test_what_is_no_solution_is_refused_at_once(text: str, says: str) -> None:
    started = time.monotonic()
    with pytest.raises(InvalidValue) as refused:
        canonical(text, F)
    assert says in str(refused.value)
    assert len(str(refused.value)) < 400
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "text",
    ["def f(*all): pass", "def f(x, y=1, z=2): pass", "f = lambda x, y=1: x", "from math import f", "if 1:\n    f = 3",
     "try:\n    import f\nexcept ImportError:\n    f = None"],
)  # fmt: skip
def test_there_are_many_ways_to_define_a_function(text: str) -> None:
    assert canonical(text, F)


def test_a_method_is_looked_for_in_its_class() -> None:
    signature = read_signature("class Solution:\n    def two_sum(self, numbers, target):")
    assert (signature.called, signature.least, signature.most) == ("Solution().two_sum", 2, 2)
    assert canonical("class Solution:\n    def two_sum(self, numbers, target): pass", signature)
    with pytest.raises(InvalidValue, match="class Solution"):
        canonical("def two_sum(numbers, target): pass", signature)


@pytest.mark.parametrize("text", ["", "f(x)", "def f(x", "x = 1", "def f(x): pass\ndef g(x)"])
def test_a_signature_is_the_line_that_begins_a_function(text: str) -> None:
    with pytest.raises(UsageError, match="signature must be the line"):
        read_signature(text)


def test_the_kind_of_a_solution_is_what_it_is_built_of() -> None:
    assert skeleton(CODE) == "no loop"
    assert skeleton("def f(x, y=1):\n    return [a for b in x for a in sorted(b)]") == "2 nested loops; sorted"
    one = "import numpy as np\ndef f(x, y=1):\n    for i in x:\n        y += np.dot(i, i)\n    return y"
    other = "import numpy\ndef f(v, y=1):\n    s = 0\n    for e in v:\n        s = s + numpy.dot(e, e)\n    return s"
    assert skeleton(one) == skeleton(other) == "1 loop; numpy.dot"
    assert skeleton("def f(x, y=1):\n    return x and f(x - 1)") == "no loop; recursion"
    assert skeleton("not python (") == ""
