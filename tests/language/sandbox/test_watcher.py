"""The watcher: what a killed process leaves in its sandboxes is ended."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tgsci_language.sandbox.watcher import unwatch, watched

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="this system has no /proc")

HOST = """
import subprocess, sys, time
sys.path += {path!r}
from tgsci_language.sandbox.watcher import unwatch, watched
started = subprocess.Popen([*watched(), sys.executable, "-c", "print(1, flush=True); import time; time.sleep(60)"],
                           stdout=subprocess.PIPE, start_new_session=True)
started.stdout.readline()
if {leave}:
    unwatch(started.pid)
print(started.pid, flush=True)
time.sleep(60)
"""


def killed_host(leave):
    """Kill a process that has started a watched one; give the number of that one."""
    code = HOST.format(path=sys.path, leave=leave)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as host:
        pid = int(host.stdout.readline())
        host.kill()
    return pid


def running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_is_watched_ends_with_a_process_that_is_killed():
    pid = killed_host(leave=False)
    deadline = time.monotonic() + 20
    while running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not running(pid)


def test_what_was_taken_back_is_left_alone():
    pid = killed_host(leave=True)
    time.sleep(0.3)
    assert running(pid)
    os.kill(pid, signal.SIGKILL)


def test_nothing_starts_for_a_process_that_has_ended():
    *shell, told = watched()
    gone = told.replace(str(os.getpid()), "999999999")
    done = subprocess.run([*shell, gone, "/bin/echo", "started"], capture_output=True, text=True, check=False)
    assert done.returncode
    assert not done.stdout


def test_a_watcher_that_was_ended_is_replaced():
    told = watched()[-1]
    readers = subprocess.run(["/bin/sh", "-c", "readlink $0", told], capture_output=True, text=True, check=True).stdout
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/fd/0") == readers.strip() and int(pid) != os.getpid():
                os.kill(int(pid), signal.SIGKILL)
        except OSError:
            continue
    time.sleep(0.1)
    done = subprocess.run([*watched(), "/bin/echo", "started"], capture_output=True, text=True, check=True, timeout=20)
    assert done.stdout == "started\n"
    unwatch(1)  # a number that it never takes
