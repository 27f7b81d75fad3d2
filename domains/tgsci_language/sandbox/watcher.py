"""A process beside this one that outlives it for a moment, and ends the sandboxes that it leaves.

Bubblewrap ends with the process that started it, but what it has just started in the new namespaces does not yet: where
this process is killed in those milliseconds, that one would wait for ever. Nothing in this process can end it then.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import threading
from contextlib import suppress

#: Reads "begin GROUP" and "end GROUP"; at the end of its input the process groups that are left are killed.
_SCRIPT = """
left=
while read -r how group; do
    case $group in '' | *[!0-9]* | 0* | 1) continue ;; esac
    rest=
    for each in $left; do
        [ "$each" = "-$group" ] || rest="$rest $each"
    done
    left=$rest
    [ "$how" = end ] || left="$left -$group"
done
[ -z "$left" ] || kill -s KILL -- $left
"""
_lock = threading.Lock()
#: By the process that started them.
_watchers: dict[int, subprocess.Popen[bytes]] = {}


def watched() -> list[str]:
    """Begin a command that has its process group killed when this process ends, however it ends.

    The command itself says so before it starts anything, and starts nothing where this process has ended already. On a
    system without /proc there is no such beginning.
    """
    if not os.path.isdir("/proc/self/fd"):
        return []
    with _lock:
        # By this path, and not as a descriptor that the candidate would get as well.
        told = f"/proc/{os.getpid()}/fd/{_watcher()}"
    return ["/bin/sh", "-c", 'echo "begin $$" >"$0" && unset PWD && exec "$@"', told]


def unwatch(group: int) -> None:
    """Leave a process group alone: it has ended, and its number may be another's soon."""
    with _lock, suppress(OSError):  # without the watcher there is nothing to tell
        os.write(_watcher(), f"end {group}\n".encode())


def _watcher() -> int:
    """Give the descriptor that the watcher reads from; a process that was copied from this one has its own watcher."""
    process = _watchers.get(os.getpid())
    if process is None or process.poll() is not None:
        process = _watchers[os.getpid()] = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            start_new_session=True,
        )
        atexit.register(_leave, process)
    assert process.stdin is not None
    return process.stdin.fileno()


def _leave(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError, subprocess.TimeoutExpired):
        assert process.stdin is not None
        process.stdin.close()
        process.wait(1.0)
