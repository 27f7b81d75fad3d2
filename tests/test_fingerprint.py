"""Fingerprints: a measurement is used again only where everything that made it is the same."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import enum
import functools
import itertools
import operator
import random
import re
import string
import sys
import threading
import types
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import interpolate, sparse, spatial, stats

import tgsci as tg
from tgsci.engines.scripted import Scripted
from tgsci.fingerprint import function_identity, setting_of


class Length(tg.Loss):
    def __init__(self, name="length", target=0, options=(), path=None):
        self.name, self.target, self.options, self.path = name, target, options, path
        self._cache = {}

    def evaluate(self, value):
        return tg.Feedback(abs(len(value) - self.target))


def made_with(n):
    return lambda value: len(value) * n


def power(value, n):
    return len(value) ** n


class Callable:
    def __init__(self, n):
        self.n = n

    def __call__(self, value):
        return self.n

    def method(self, value):
        return self.n


def strict(value):
    return value.strip()


def lax(value):
    return value


def knot(n):
    def count(value):
        return count(value[:n]) if value else 0

    return count


@dataclass
class Box:
    size: float
    center: tuple[float, ...] = (0.0, 0.0, 0.0)


DIFFERENT = [
    *[
        Length(options=setting)
        for setting in (
            np.int64(1),
            np.int64(2),
            np.int32(1),
            np.float32(1),
            np.float32(2),
            np.array([1, 2]),
            np.array([1, 3]),
            np.array([[1, 2]]),
            np.array(["a", None], dtype=object),
            np.array(["b", None], dtype=object),
            np.float32,
            np.float64,
            Box(1.0),
            Box(2.0),
            Box(1.0, (0.0, 0.0, 1.0)),
            [Box(1.0)],
            strict,
            lax,
            len,
            partial(power, n=2),
            partial(power, n=3),
            made_with(2),
            made_with(3),
            made_with(strict),
            made_with(lax),
            knot(1),
            knot(2),
            Callable(1),
            Callable(2),
            Callable(1).method,
            Callable(2).method,
        )
    ],
    tg.FunctionLoss(power, validate=strict),
    tg.FunctionLoss(power, validate=lax),
    tg.FunctionLoss(knot(1)),
    tg.FunctionLoss(knot(2)),
    Length(),
    Length("other"),
    Length(target=1),
    Length(options=(1, 2)),
    Length(options=(1, 3)),
    Length(options={"box": 20}),
    Length(options={"box": 22}),
    Length(path=Path("a.pdb")),
    Length(path=Path("b.pdb")),
    2 * Length(),
    3 * Length(),
    Length() + Length(target=1),
    Length().limit("length", high=1),
    Length().limit("length", high=2),
    Length().limit("length", low=2),
    tg.FunctionLoss(lambda v: len(v)),
    tg.FunctionLoss(lambda v: len(v) + 1),
    tg.FunctionLoss(lambda v: len(v) + 2),
    tg.FunctionLoss(made_with(2)),
    tg.FunctionLoss(made_with(3)),
    tg.FunctionLoss(power),
    tg.FunctionLoss(partial(power, n=2)),
    tg.FunctionLoss(partial(power, n=3)),
    tg.FunctionLoss(Callable(1)),
    tg.FunctionLoss(Callable(2)),
    tg.FunctionLoss(Callable(1).method),
    tg.FunctionLoss(Callable(2).method),
    tg.FunctionLoss(len),
    tg.FunctionLoss(len, name="size"),
]


def test_other_settings_have_another_fingerprint():
    fingerprints = [loss.fingerprint for loss in DIFFERENT]
    assert len(set(fingerprints)) == len(fingerprints)
    assert not any(" at 0x" in fingerprint for fingerprint in fingerprints)


class Room:
    def __init__(self, size):
        enlarge(self, size)


def enlarge(room, size):
    room.size = size


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Box, Room, Callable])
def test_two_objects_of_one_class_count_both(kind):
    """What the class's own `__init__` assigns is no state, whichever object is written first."""

    def of(first, second):
        one, other = kind(first), kind(second)
        return [Length(options=[one, other]).fingerprint, tg.as_loss(lambda v: (one, other)).fingerprint]

    assert of(1, 2) == of(1, 2)
    for changed in (of(1, 3), of(3, 2)):
        assert not set(changed) & set(of(1, 2))


def test_the_same_settings_have_the_same_fingerprint_and_measuring_changes_nothing():
    loss = Length(options={"b": [1], "a": {2}})
    before = loss.fingerprint
    loss._cache["x"] = 1
    assert loss.fingerprint == before == Length(options={"b": [1], "a": {2}}).fingerprint


def test_a_setting_that_holds_itself_has_a_fingerprint():
    loss = Length(options={"box": 20})
    loss.options["self"], loss.method = loss, loss.validate
    again = Length(options={"box": 20})
    again.options["self"], again.method = again, again.validate
    assert loss.fingerprint == again.fingerprint
    again.options["box"] = 22
    assert loss.fingerprint != again.fingerprint


def test_a_judge_that_was_asked_is_still_the_same_setting():
    engine = Scripted(["4", "5"])
    loss = Length(options=engine)
    before = loss.fingerprint
    engine("how good?")
    assert loss.fingerprint == before != Length(options=Scripted(["4"], name="another")).fingerprint


def test_equal_settings_of_other_identity_have_the_same_fingerprint():
    def made():
        array = np.array(["".join(("a", "b")), 1.5], dtype=object)
        return Length(options=[np.arange(3), array, Box(1.0), made_with(2), knot(3), Callable(1)], path=np.int64(7))

    assert made().fingerprint == made().fingerprint


def test_a_lambdas_fingerprint_is_its_own_and_not_its_line():
    """`minimize(lambda v: ..., budget=20)` run again with budget=30 goes on with the same run."""
    a, _ = tg.FunctionLoss(lambda v: len(v) * 7), "budget=20"
    b, _ = tg.FunctionLoss(lambda v: len(v) * 7), "budget=30, and something else on this line"
    assert a.fingerprint == b.fingerprint


def test_a_fingerprint_is_the_same_in_every_process(script):
    code = """
        import tgsci as tg
        class L(tg.Loss):
            def __init__(self): self.tags = {"a", "b", "c", "d"}
            def evaluate(self, value): return tg.Feedback(0.0)
        print(L().fingerprint, tg.FunctionLoss(lambda v: sum(x in {"a", "b", "c"} for x in v)).fingerprint)
    """
    assert script(code, PYTHONHASHSEED="1") == script(code, PYTHONHASHSEED="2")


# -- what code reads ---------------------------------------------------------------------------------


def script(code: str) -> types.SimpleNamespace:
    """A user's module: its names, as if it had been written anew."""
    names = {"__name__": "users_script"}
    exec(code, names)  # noqa: S102
    return types.SimpleNamespace(**names)


READING = {
    "a global": ("TARGET = {}\ndef loss(v): return len(v) - TARGET", 1, 2),
    "a helper": ("def helper(v): return len(v) * {}\ndef loss(v): return helper(v)", 1, 2),
    "a helper's global": (
        "N = {}\ndef helper(v): return N\ndef other(v): return helper(v)\ndef loss(v): return other(v)",
        1,
        2,
    ),
    "a helper in a comprehension": ("N = {}\ndef loss(v): return sum(N for c in v)", 1, 2),
    "a global of an inner function": ("N = {}\ndef loss(v):\n  def inner(): return N\n  return inner()", 1, 2),
    "a table of globals": ("T = {{'a': {}}}\ndef loss(v): return T['a']", 1, 2),
    "a class attribute": ("class Settings:\n  target = {}\ndef loss(v): return Settings.target", 1, 2),
    "a class's method": ("class Maker:\n  def size(self): return {}\ndef loss(v): return Maker().size()", 1, 2),
    "an inherited method": (
        "class Base:\n  def size(self): return {}\nclass Maker(Base): pass\ndef loss(v): return Maker().size()",
        1,
        2,
    ),
    "a static method": ("class M:\n  @staticmethod\n  def f(): return {}\ndef loss(v): return M.f()", 1, 2),
    "a property": ("class M:\n  @property\n  def f(self): return {}\ndef loss(v): return M().f", 1, 2),
    "an object's attribute": ("class O: pass\no = O(); o.size = {}\ndef loss(v): return o.size", 1, 2),
    "a default": ("def helper(v, n={}): return n\ndef loss(v): return helper(v)", 1, 2),
    "a keyword default": ("def helper(v, *, n={}): return n\ndef loss(v): return helper(v)", 1, 2),
}


@pytest.mark.parametrize(("code", "first", "second"), READING.values(), ids=READING)
def test_another_value_of_what_the_code_reads_is_another_measure(code, first, second):
    def of(number):
        return tg.as_loss(script(code.format(number)).loss).fingerprint

    assert of(first) == of(first)
    assert of(first) != of(second)


def test_a_changed_global_is_noticed_in_the_same_process():
    names = script("TARGET = 1\ndef helper(v): return TARGET\ndef loss(v): return helper(v)")
    loss = tg.as_loss(names.loss)
    before = loss.fingerprint
    names.loss.__globals__["TARGET"] = 2
    assert loss.fingerprint != before
    names.loss.__globals__["TARGET"] = 1
    assert loss.fingerprint == before


def test_a_global_that_is_not_read_does_not_count():
    names = script("BUDGET = 1\ndef loss(v): return len(v)")
    before = tg.as_loss(names.loss).fingerprint
    names.loss.__globals__["BUDGET"] = 2
    assert tg.as_loss(names.loss).fingerprint == before


def test_a_users_module_counts_by_what_is_read_of_it(tmp_path, monkeypatch):
    (tmp_path / "my_settings.py").write_text("TARGET = 1\nOTHER = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    loss = tg.as_loss(script("import my_settings\ndef loss(v): return my_settings.TARGET").loss)
    before = loss.fingerprint
    sys.modules["my_settings"].OTHER = 2
    assert loss.fingerprint == before
    sys.modules["my_settings"].TARGET = 2
    assert loss.fingerprint != before


def test_a_users_module_imported_by_the_function_counts_by_its_source(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    code = "def loss(v):\n  import my_helpers\n  return my_helpers.f(v)"
    found = []
    for number in (1, 2, 1):
        (tmp_path / "my_helpers.py").write_text(f"def f(v): return {number}\n")
        found.append(tg.as_loss(script(code).loss).fingerprint)
    assert found[0] == found[2] != found[1]


def test_an_installed_package_counts_by_its_version():
    def loss(value):
        return float(np.mean([len(value)]))

    assert f"numpy {np.__version__}" in function_identity(loss)
    assert len(function_identity(loss)) < 2000


@pytest.mark.slow
def test_a_module_that_reads_itself_and_a_deep_chain_of_helpers_end():
    code = "def a(v): return b(v)\ndef b(v): return a(v)\ndef loss(v): return a(v)"
    assert tg.as_loss(script(code).loss).fingerprint == tg.as_loss(script(code).loss).fingerprint
    chain = "\n".join(f"def f{i}(v): return f{i + 1}(v) + f{i + 2}(v)" for i in range(300))
    deep = script(f"{chain}\ndef f300(v): return 1\ndef f301(v): return 2\ndef loss(v): return f0(v)")
    assert tg.as_loss(deep.loss).fingerprint


def test_an_objects_own_class_counts_with_its_code():
    def made(number):
        code = "import tgsci\nclass L(tgsci.Loss):\n  def evaluate(self, value): return tgsci.Feedback({})"
        return script(code.format(number)).L()

    assert made(1).fingerprint == made(1).fingerprint != made(2).fingerprint
    assert made(1).fingerprint.startswith("users_script.L")


def test_the_class_of_a_loss_counts_with_its_helpers_and_not_with_flags_of_the_moment():
    code = """
import tgsci
READY = {}
def helper(value): return {}
class L(tgsci.Loss):
    def evaluate(self, value):
        return tgsci.Feedback(helper(value) if READY else 0)
"""

    def of(ready, number):
        return script(code.format(ready, number)).L().fingerprint

    assert of(True, 1) == of(False, 1) != of(True, 2)


def test_the_closure_of_a_class_within_a_function_counts():
    def made(target):
        class Own(tg.Loss):
            def evaluate(self, value):
                return tg.Feedback(abs(len(value) - target))

        return Own()

    assert made(1).fingerprint == made(1).fingerprint != made(2).fingerprint


def test_a_loss_within_a_loss_counts_with_its_settings():
    assert Length(options=[Length(target=1)]).fingerprint != Length(options=[Length(target=2)]).fingerprint


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@dataclass(frozen=True)
class Settings:
    size: float


class Slotted:
    __slots__ = ("size",)

    def __init__(self, size):
        self.size = size


def scaled(by):
    def decorate(function):
        @functools.wraps(function)
        def scaling(value):
            return by * function(value)

        return scaling

    @decorate
    def length(value):
        return len(value)

    return length


def with_attribute(target):
    def loss(value):
        return abs(len(value) - loss.target)

    loss.target = target
    return loss


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Colour.RED, Colour.BLUE),
        (decimal.Decimal("0.1"), decimal.Decimal("0.2")),
        (datetime.date(2026, 1, 1), datetime.date(2026, 1, 2)),
        (re.compile("a"), re.compile("b")),
        (range(3), range(4)),
        (1 + 2j, 1 + 3j),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 3]})),
        (pd.Series([1.0]), pd.Series([2.0])),
        (Settings(1.0), Settings(2.0)),
        (types.SimpleNamespace(a=1), types.SimpleNamespace(a=2)),
        (collections.deque([1]), collections.deque([2])),
        (array.array("d", [1.0]), array.array("d", [2.0])),
        (Slotted(1), Slotted(2)),
        (scaled(2), scaled(3)),
        (bytearray(b"a"), bytearray(b"b")),
        (np.vectorize(lambda v: v), np.vectorize(lambda v: v + 1)),
        (np.poly1d([1, 2]), np.poly1d([1, 3])),
        (functools.cache(lambda v: len(v)), functools.cache(lambda v: 2 * len(v))),
        (tg.get_engine("gpt-4o", temperature=0), tg.get_engine("gpt-4o", temperature=1)),
        (memoryview(b"a"), memoryview(b"b")),
        (pd.Index([1]), pd.Index([2])),
        (pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-02")),
        (operator.itemgetter(1), operator.itemgetter(2)),
        (operator.methodcaller("count", "a"), operator.methodcaller("count", "b")),
        (string.Template("$a"), string.Template("$b")),
        (interpolate.CubicSpline([1, 2, 3], [1, 2, 3]), interpolate.CubicSpline([1, 2, 3], [1, 2, 9])),
        (sparse.csr_matrix([[1]]), sparse.csr_matrix([[2]])),
        (stats.norm(0, 1), stats.norm(0, 2)),
        (spatial.cKDTree([[1, 2]]), spatial.cKDTree([[1, 3]])),
        ("abc".count, "abd".count),
        ({"a": 1.0}.get, {"a": 2.0}.get),
        (np.add.reduce, np.multiply.reduce),
        (with_attribute(1), with_attribute(2)),
    ],
)
def test_settings_of_every_kind_count(one, other):
    assert setting_of(one) is not None
    assert Length(options=one).fingerprint != Length(options=other).fingerprint
    assert " at 0x" not in Length(options=one).fingerprint


def test_an_attribute_of_a_helper_counts():
    loss = tg.as_loss(lambda value: with_settings(value))
    before = loss.fingerprint
    try:
        with_settings.target = 9
        assert loss.fingerprint != before
    finally:
        with_settings.target = 3
    assert loss.fingerprint == before


def with_settings(value):
    return abs(len(value) - with_settings.target)


with_settings.target = 3


# -- state -------------------------------------------------------------------------------------------


class Counting(tg.Loss):
    """Keeps all kinds of notes on what it measured."""

    name = "counting"
    total = 0

    def __init__(self, target=3):
        self.target = target
        self.calls, self.log, self.seen, self.kinds, self.last, self.scores = 0, [], {}, {}, None, []
        self.counter = Counter()
        self.fitted = 0

    def fit(self, number):
        self.fitted = number
        return self

    def evaluate(self, value):
        self.calls += 1
        self.log.append(value)
        self.seen[value] = self.seen.get(value, 0) + 1
        self.kinds.setdefault(len(value), []).append(value)
        type(self).total += 1
        self.scores += [len(value)]
        self.counter.note(value)
        self.remember(value)
        return tg.Feedback(abs(len(value) - self.target))

    def remember(self, value):
        self.last = value


class Counter:
    def __init__(self):
        self.noted = []

    def note(self, value):
        self.noted.append(value)


def test_a_loss_that_keeps_notes_is_the_same_loss_afterwards():
    loss = Counting()
    before = loss.fingerprint
    for value in ("a", "bb", "a"):
        loss.measure(value)
    assert loss.calls == 3
    assert loss.fingerprint == before == Counting().fingerprint
    loss.target = 4
    assert loss.fingerprint != before


@pytest.mark.parametrize(
    ("used", "use"),
    [
        (random.Random(0), lambda used: used.random()),
        (np.random.default_rng(0), lambda used: used.random()),
        (itertools.count(), next),
        (iter([1, 2, 3]), next),
        (threading.Lock(), lambda used: used.acquire()),
    ],
)
def test_what_changes_whenever_it_is_used_is_no_setting(used, use):
    loss = Length(options=used)
    before = loss.fingerprint
    use(used)
    assert loss.fingerprint == before


def test_what_is_set_before_measuring_is_a_setting():
    assert Counting().fit(1).fingerprint != Counting().fit(2).fingerprint


NOTES: list[str] = []
TABLE: dict[str, int] = {}
NUMBER = 0
NUMBERS = itertools.count()


def noting(value, seen=[]):  # noqa: B006
    global NUMBER
    NUMBER += 1
    NOTES.append(value)
    TABLE[value] = next(NUMBERS)
    seen.append(value)
    noting.calls = getattr(noting, "calls", 0) + 1
    return len(value)


def wrapper(value):
    return noting(value) + 0 * len(NOTES)


def counting_closure():
    calls, log = 0, []

    def loss(value):
        nonlocal calls
        calls += 1
        log.append(value)
        return len(value)

    return loss


def helper(value):
    return [*value]


def changing_what_a_helper_made(value):
    helper(value).sort()
    return len(value)


def test_a_helper_whose_result_is_changed_is_read_all_the_same():
    before = function_identity(changing_what_a_helper_made)
    try:
        globals()["helper"] = lambda value: [value]
        assert function_identity(changing_what_a_helper_made) != before
    finally:
        globals()["helper"] = HELPER


HELPER = helper


@pytest.mark.parametrize("function", [noting, wrapper, counting_closure(), lambda v: NOTES.append(v) or len(v)])
def test_a_function_that_keeps_notes_is_the_same_loss_afterwards(function):
    loss = tg.as_loss(function)
    before = loss.fingerprint
    loss.measure("abc")
    loss.measure("ab")
    assert loss.fingerprint == before


class Tally:
    def __init__(self):
        self.target = 0

    def note(self):
        self.target += 1


def test_what_one_class_counts_hides_no_setting_of_another():
    class Own(tg.Loss):
        def __init__(self, target):
            self.target, self.tally = target, Tally()

        def evaluate(self, value):
            Tally().note()
            self.tally.note()
            return tg.Feedback(abs(len(value) - self.target))

    loss = Own(1)
    before = loss.fingerprint
    loss.measure("a")
    assert loss.fingerprint == before != Own(2).fingerprint


def test_a_default_that_one_function_changes_is_a_setting_of_another():
    def of(limit):
        code = f"""
def note(value, limit=[]): limit.append(value)
def size(value, limit={limit}): return min(len(value), limit)
def loss(value):
    note(value)
    return size(value)
"""
        return tg.as_loss(script(code).loss).fingerprint

    assert of(1) == of(1) != of(2)


def test_a_local_name_hides_no_setting():
    """What a function makes itself and changes is nothing outside of it, of whatever name."""

    def made(target):
        class Own(tg.Loss):
            def __init__(self):
                self.target = target

            def evaluate(self, value):
                box = types.SimpleNamespace()
                box.target = [value]
                box.target.append(value)
                return tg.Feedback(self.target)

        return Own()

    assert made(1).fingerprint != made(2).fingerprint


def judged_by(judge):
    return lambda value: float(len(judge(tg.Variable(value)).value))


def test_a_judge_that_a_loss_uses_counts_with_its_instruction_and_its_engine():
    def of(instruction, **parameters):
        return tg.as_loss(judged_by(tg.TextLoss(instruction, engine=tg.get_engine("gpt-4o", **parameters)))).fingerprint

    found = [of("Is it exact?"), of("Is it short?"), of("Is it exact?", temperature=0), of("Is it exact?", seed=1)]
    assert len(set(found)) == 4
    assert of("Is it short?") == found[1]


def test_a_prompt_that_a_loss_uses_counts_by_its_text_and_not_by_its_gradients():
    prompt = tg.Variable("Answer.", role_description="system prompt")
    loss = tg.as_loss(lambda value: float(len(value + prompt.value)))
    before = loss.fingerprint
    prompt.add_gradient("be brief")
    assert loss.fingerprint == before
    prompt.set_value("Answer briefly.")
    assert loss.fingerprint != before
