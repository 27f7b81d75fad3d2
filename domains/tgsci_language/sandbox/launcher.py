"""Runs a command in sandlock and ends whatever is left of it: `python launcher.py DIRECTORY POLICY COMMAND...`.

sandlock makes no process namespace, so a process may leave its group and its parent. Orphans come to this process, and
when tgsci ends, however it ends, this one is told and ends them. A script of its own: it imports nothing of tgsci.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from contextlib import suppress

_SET_PARENT_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36
#: How often what is left is looked for.
_ROUNDS = 50


def main(directory: str, policy: str, command: list[str]) -> int:
    """Run a command.

    Args:
        directory: Where sandlock is installed.
        policy: The arguments of `sandlock.Sandbox`, as JSON.
        command: What to run.

    Returns:
        Its exit code.
    """
    prctl = ctypes.CDLL(None).prctl
    prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: _leave())
    prctl(_SET_PARENT_DEATH_SIGNAL, int(signal.SIGTERM), 0, 0, 0)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        sys.path.append(directory)
        import sandlock

        os._exit(sandlock.Sandbox(**json.loads(policy)).run_interactive(command) & 0xFF)
    _, status = os.waitpid(child, 0)
    _end(os.getpid())
    return os.waitstatus_to_exitcode(status) & 0xFF


def _leave() -> None:
    _end(os.getpid())
    os._exit(1)


def _end(pid: int) -> None:
    """End all processes below one, again and again while there are new ones."""
    for _ in range(_ROUNDS):
        below = _children(pid)
        for each in below:  # grows meanwhile
            below += _children(each)
        for each in below:
            with suppress(OSError):
                os.kill(each, signal.SIGKILL)
        with suppress(OSError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not below:
            return


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                found += map(int, file.read().split())
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
