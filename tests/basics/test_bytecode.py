"""Bytecode: which names a function's code reads and changes."""

from __future__ import annotations

import pytest

from tgsci.basics.bytecode import facts_of


def facts(source: str):
    names: dict = {}
    exec(source, names)  # noqa: S102
    return facts_of(names["f"].__code__)


@pytest.mark.parametrize(
    ("statement", "changed"),
    [
        ("self.calls += 1", {".calls"}),
        ("self.last = value", {".last"}),
        ("self.seen[value] = value", {".seen"}),
        ("self.log.append(value)", {".log"}),
        ("self.kinds.setdefault(value, []).append(value)", {".kinds"}),
        ("self.counter.total += 1", {"total"}),
        ("type(self).total += 1", {"total"}),
        ("del self.seen[value]", {".seen"}),
        ("NOTES.append(value)", {"NOTES"}),
        ("TABLE[value] = 1", {"TABLE"}),
        ("global NUMBER; NUMBER = 1", {"NUMBER"}),
        ("value.append(1)", {"value="}),
        ("[NOTES.append(v) for v in value]", {"NOTES"}),
        ("box = [value]; box.append(1)", set()),
        ("box = Box(); box.target = value", set()),
        ("made(value).sort()", set()),
        ("return self.target + NUMBER", set()),
    ],
)
def test_what_code_changes(statement, changed):
    assert facts(f"def f(self, value):\n    {statement}").changes == changed


def test_what_an_inner_function_changes_outside_of_both():
    source = "def outer():\n  n = m = 0\n  def f():\n    nonlocal n\n    n += 1\n    return m\n  return f\nf = outer()"
    assert facts(source).changes == {"n"}


def test_what_code_reads():
    found = facts("def f(v):\n  import json\n  return [settings.TARGET.low for _ in helper(v)]")
    assert ("settings", "TARGET", "low") in found.chains
    assert ("helper",) in found.chains
    assert found.imports == ["json"]
    assert {"settings", "TARGET", "low", "helper", "json"} <= found.names
