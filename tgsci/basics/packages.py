"""Which modules are installed, and in which version; the others are the user's own and may change at any time."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any


@cache
def installed(module: str | None) -> str | None:
    """Tell a module's name and version where it is Python's own or installed; None for one of the user's own."""
    name = module or "builtins"
    top = name.partition(".")[0]
    if top != "__main__" and top in sys.stdlib_module_names:
        return name
    if top != __name__.partition(".")[0] and not {"site-packages", "dist-packages"} & set(Path(_origin(top)).parts):
        return None
    from importlib import metadata  # a quarter of the time that `import tgsci` takes

    version = getattr(sys.modules.get(top), "__version__", "")
    with contextlib.suppress(metadata.PackageNotFoundError):
        version = metadata.version(top)
    return f"{name} {version}".rstrip()


def _origin(module: str) -> str:
    """Find the file of a module; "" where there is none."""
    found: Any = sys.modules.get(module)
    if found is None:
        try:
            found = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            return ""
    return str(getattr(found, "__file__", None) or getattr(found, "origin", None) or "")


def source_of(module: str) -> str:
    """Tell a module of the user's own by its name and a digest of its file."""
    try:
        return f"{module} {sha256(Path(_origin(module)).read_bytes()).hexdigest()[:16]}"
    except OSError:
        return module
