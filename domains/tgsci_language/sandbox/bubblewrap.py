"""Bubblewrap: new namespaces with nothing in them but Python."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tgsci.basics.texts import quote
from tgsci.errors import MeasurementError

from .layer import NOBODY, Layer, Pipes, Started
from .limits import Limits
from .seccomp import program
from .view import files_of, installed_packages, seen_paths
from .watcher import unwatch, watched

#: Where packages are mounted.
_PACKAGES = "/packages"


_ISOLATION = (
    *("--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"),
    *("--hostname", "sandbox"),
)


@dataclass(frozen=True)
class Bubblewrap(Layer):
    """Linux namespaces by bubblewrap: nothing of this machine but Python is there, no network, no other process."""

    path: str

    @property
    def name(self) -> str:  # type: ignore[override]
        return _said(self.path, "--version") or "bubblewrap"

    def start(self, limits: Limits, packages: Sequence[str]) -> Started:
        root = os.geteuid() == 0
        with Pipes() as pipes:
            command = [*watched(), self.path, *_ISOLATION, *_view(), *_packages_view(tuple(packages))]
            command += ["--perms", "1777", "--size", str(limits.disk_mb << 20), "--tmpfs", "/tmp", "--chdir", "/tmp"]
            command += ["--remount-ro", "/", "--info-fd", str(pipes.info[1])]
            rules = program(forks=limits.processes > 1)
            if rules:
                os.write(pipes.rules[1], rules)
                command += ["--seccomp", str(pipes.rules[0])]
            if root:
                # The kernel's limit of processes does not bind root. Another user is mapped into the namespace, and
                # the driver changes to it; --uid alone would only give root another name.
                command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
                command += ["--userns-block-fd", str(pipes.mapped[0])]
            else:
                command += ["--uid", str(NOBODY), "--gid", str(NOBODY)]
                command += ["--disable-userns"] if "--disable-userns" in _said(self.path, "--help") else []
            started = pipes.popen(command, [pipes.info[1], pipes.rules[0], pipes.mapped[0]])
            started.drop, started.paths, started.depth = root, [_PACKAGES] if packages else [], 1
            try:
                started.first = _first_process(pipes.info[0])
                if root:
                    for which in ("uid", "gid"):
                        Path(f"/proc/{started.first}/{which}_map").write_text(f"0 0 1\n{NOBODY} {NOBODY} 1\n")
                    os.write(pipes.mapped[1], b"1")
            except (OSError, ValueError) as error:
                raise _not_started(started, self.name, error) from None
        return started


@cache
def _view() -> tuple[str, ...]:
    """List the mounts for what a candidate sees."""
    links, shown = seen_paths()
    found = [word for path in links for word in ("--symlink", os.readlink(path), path)]
    found += [word for path in shown for word in _mount("--ro-bind", path, path)]
    installed = installed_packages()  # what else is installed is none of the standard library
    if os.path.isdir(installed):
        found += ["--perms", "0755", "--size", "4096", "--tmpfs", installed, "--remount-ro", installed]
    for device in ("null", "zero", "urandom", "random"):
        found += _mount("--dev-bind", f"/dev/{device}", f"/dev/{device}")
    return tuple(found)


def _mount(how: str, source: str, place: str) -> list[str]:
    """Mount a file or a directory; the directories above it would else be open to the user who makes them alone."""
    above = [str(path) for path in reversed(Path(place).parents)][1:]
    return [*(word for path in above for word in ("--perms", "0755", "--dir", path)), how, source, place]


@cache
def _packages_view(packages: tuple[str, ...]) -> tuple[str, ...]:
    """List what is mounted for some packages: themselves, and the shared libraries that wheels put beside them."""
    each = [file for name in packages for file in files_of(name)]
    return tuple(word for file in each for word in _mount("--ro-bind", str(file), f"{_PACKAGES}/{file.name}"))


@cache
def _said(path: str, option: str) -> str:
    done = subprocess.run([path, option], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def _first_process(info: int) -> int:
    """Read from bubblewrap which process is the first in the sandbox."""
    text = b""
    while b"}" not in text:
        piece = os.read(info, 4096)
        if not piece:
            raise ValueError("it ended before it began")
        text += piece
    return int(json.loads(text)["child-pid"])


def _not_started(started: Started, name: str, error: Exception) -> MeasurementError:
    """Say why a sandbox did not start, in the words of the program where it has some."""
    os.close(started.requests)
    os.close(started.replies)
    with contextlib.suppress(OSError):
        os.killpg(started.process.pid, signal.SIGKILL)  # what it started as well
    _, said = started.process.communicate()
    unwatch(started.process.pid)
    why = said.decode(errors="replace").strip() or str(error)
    return MeasurementError(f"{name} does not start: {quote(why, 200)}{_hint(why)}")


def _hint(why: str) -> str:
    if any(words in why for words in ("namespace", "uid map", "not permitted", "Permission denied")):
        return "; this system forbids user namespaces: see `sysctl user.max_user_namespaces` or the container's profile"
    return ""
