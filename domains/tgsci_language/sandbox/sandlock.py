"""Sandlock: Landlock and a filter of system calls, where user namespaces are forbidden."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from .layer import NOBODY, Layer, Pipes, Started
from .limits import Limits
from .view import files_of, interpreter, seen_paths


@dataclass(frozen=True)
class Sandlock(Layer):
    """Landlock and a filter of system calls by sandlock, for systems that forbid user namespaces.

    Files of this machine cannot be read or listed, but a path can be tried for whether it exists.
    """

    directory: str

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"sandlock {version('sandlock')}"

    def start(self, limits: Limits, packages: Sequence[str]) -> Started:
        root = os.geteuid() == 0
        drop = root and _open_to_all(interpreter())
        directory = tempfile.TemporaryDirectory(prefix="tgsci-candidate-", ignore_cleanup_errors=True)
        if drop:
            os.chown(directory.name, NOBODY, NOBODY)
        links, shown = seen_paths()
        own = [each for name in packages for each in files_of(name)]
        beside = Path(directory.name) / ".packages"  # Python lists the directory of what it imports
        beside.mkdir()
        for each in own:
            (beside / each.name).symlink_to(each)
        policy: dict[str, object] = {
            "fs_readable": [*shown, *links, *map(str, own), "/dev/null", "/dev/zero", "/dev/urandom"],
            "fs_writable": [directory.name],
            "clean_env": True,
            "cwd": directory.name,
            "no_coredump": True,
            "max_processes": limits.processes,
            "max_open_files": limits.files,
            "extra_deny_syscalls": ["memfd_create", "shmget", "msgget", "semget"],
        }
        if limits.processes > 1:  # one alone gets a MemoryError by the kernel's limit; sandlock would end it
            policy["max_memory"] = limits.memory_mb << 20
        if root and not drop:  # another user could not read Python: root under another name, without its rights
            policy |= {"uid": NOBODY, "gid": NOBODY}
        script = str(Path(__file__).with_name("launcher.py"))
        launcher = [interpreter(), "-I", "-S", "-B", "-W", "ignore", script, self.directory, json.dumps(policy)]
        with Pipes() as pipes:
            started = pipes.popen(launcher, [], cwd=directory.name, standard=True)
        started.directory, started.drop, started.paths = directory, drop, [str(beside)] if packages else []
        started.depth = 2  # the launcher, and sandlock's own
        return started


def _open_to_all(path: str) -> bool:
    """Tell whether every user can reach a file."""
    return all(each.stat().st_mode & 0o001 for each in (Path(path), *Path(path).parents) if each.is_dir())
