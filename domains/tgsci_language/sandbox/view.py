"""What a candidate sees of this machine: Python with its standard library, and the packages that its task names."""

from __future__ import annotations

import os
import sys
import sysconfig
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tgsci.basics.texts import quote
from tgsci.errors import UsageError


def interpreter() -> str:
    """Find the Python that runs candidates: this one, outside of any virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable)


@cache
def seen_paths() -> tuple[list[str], list[str]]:
    """List what a candidate sees: Python with its standard library, and the system's shared libraries.

    Returns:
        Links, and files and directories.
    """
    python, library = interpreter(), sysconfig.get_path("stdlib")
    base = Path(sys.base_prefix)
    if str(base) in ("/usr", "/usr/local"):  # where much else is, too
        seen = [str(path) for path in sorted((base / "lib").glob("libpython*"))]
    else:
        seen = [f"{base}/lib"]  # shared libraries came with it
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    own = f"/usr/lib/{multiarch}"
    seen += [own if multiarch and os.path.isdir(own) else "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"]
    seen += [python, library, sysconfig.get_config_var("DESTSHARED") or library]
    links = [path for path in ("/lib", "/lib64") if os.path.islink(path)]
    seen += [path for path in ("/lib", "/lib64") if os.path.isdir(path) and path not in links]
    shown: list[str] = []
    for path in seen:
        if os.path.exists(path) and not any(path == each or path.startswith(f"{each}/") for each in shown):
            shown.append(path)
    return links, shown


def installed_packages() -> str:
    """Give the directory in the standard library that holds what else is installed."""
    return f"{sysconfig.get_path('stdlib')}/site-packages"


def files_of(name: str) -> list[Path]:
    """List what a package needs: itself, and the shared libraries that its wheel puts beside it."""
    path = package(name)
    return [each for each in (path, path.with_name(f"{name}.libs")) if each.exists()]


@cache
def package(name: str) -> Path:
    """Find where a package is installed.

    Raises:
        UsageError: It is not, or it is no package's name.
    """
    spec = find_spec(name) if name.isidentifier() else None
    if spec is None or not spec.origin or spec.origin in ("built-in", "frozen"):
        raise UsageError(f"the package {quote(name)}, which the candidate's code may use, is not installed here")
    origin = Path(spec.origin)
    return origin.parent if spec.submodule_search_locations else origin
