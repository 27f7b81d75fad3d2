import time

from tgsci.errors import UsageError
from tgsci_language.sandbox import selftest
from tgsci_language.sandbox.selftest import report, try_out


def test_every_claim_is_tried_and_holds_in_a_safe_layer(safe):
    held, failed = try_out(safe)
    assert (len(held), failed) == (11, [])


def test_it_is_quick():
    started = time.monotonic()
    assert all(sound for sound, _ in report())
    assert time.monotonic() - started < 30  # 0.6 s on a machine that does nothing else


def test_it_finds_what_resource_limits_alone_let_through(local):
    held, failed = try_out(local)
    assert {"no network", "files of this machine unreadable", "nothing written outside"} <= set(failed)
    assert {"no environment", "memory limited", "time limited", "output limited"} <= set(held)


def test_a_machine_without_a_sandbox_is_told_what_to_install(monkeypatch):
    def none():
        raise UsageError("no sandbox for code that a model wrote; install bubblewrap")

    monkeypatch.setattr(selftest, "best", none)
    assert list(report()) == [(True, "sandbox: no sandbox for code that a model wrote; install bubblewrap")]
