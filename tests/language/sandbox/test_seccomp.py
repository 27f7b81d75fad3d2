from struct import iter_unpack

import pytest

from tgsci_language.sandbox import seccomp


@pytest.mark.parametrize("forks", [True, False])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_jump_stays_inside_and_the_last_step_returns(monkeypatch, machine, forks):
    monkeypatch.setattr(seccomp.platform, "machine", lambda: machine)
    seccomp.program.cache_clear()
    steps = list(iter_unpack("<HBBI", seccomp.program(forks=forks)))
    seccomp.program.cache_clear()
    assert 10 < len(steps) < 256
    for place, (code, yes, no, _) in enumerate(steps):
        assert place + 1 + max(yes, no) < len(steps) or code == 0x06
    assert steps[-1][0] == 0x06


def run_filter(steps, machine, number, argument=0):
    """Run a filter as the kernel does, on one call."""
    words = {0: number, 4: machine, 16: argument}
    held, place = 0, 0
    while True:
        code, yes, no, value = steps[place]
        if code == 0x06:
            return value
        if code == 0x20:
            held, place = words[value], place + 1
            continue
        true = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[code]
        place += 1 + (yes if true else no)


def test_calls_are_refused_or_allowed_as_meant(monkeypatch):
    monkeypatch.setattr(seccomp.platform, "machine", lambda: "x86_64")
    seccomp.program.cache_clear()
    filters = {forks: list(iter_unpack("<HBBI", seccomp.program(forks=forks))) for forks in (True, False)}
    seccomp.program.cache_clear()
    x86, allow, kill = 0xC000003E, 0x7FFF0000, 0x80000000
    for forks, steps in filters.items():
        assert run_filter(steps, x86, 1) == allow  # write
        assert run_filter(steps, 0x40000003, 1) == kill  # the 32-bit calls
        assert run_filter(steps, x86, 0x40000001) == kill  # the x32 calls
        for number in (101, 272, 165, 319, 425, 29):  # ptrace, unshare, mount, memfd_create, io_uring_setup, shmget
            assert run_filter(steps, x86, number) == 0x50001
        assert [run_filter(steps, x86, 41, family) for family in (1, 2, 10, 16, 40)] == [allow] * 3 + [0x5000D] * 2
        assert run_filter(steps, x86, 56, 0x3D0F00) == allow  # a thread
        assert run_filter(steps, x86, 56, 0x10000011) == 0x50001  # a new user namespace
        assert run_filter(steps, x86, 56, 17) == (allow if forks else 0x50001)
        assert run_filter(steps, x86, 57) == (allow if forks else 0x50001)
        assert run_filter(steps, x86, 435) == 0x50026


def test_an_unknown_machine_has_no_filter(monkeypatch):
    monkeypatch.setattr(seccomp.platform, "machine", lambda: "riscv64")
    seccomp.program.cache_clear()
    assert seccomp.program(forks=True) == b""
    seccomp.program.cache_clear()
