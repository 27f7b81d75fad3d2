"""Cases: the model, the check, the file, and the built-in ones."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .model import Beam, Case, Dij, Grid, Structure

if TYPE_CHECKING:
    from .build import StructureMask, build_case
    from .checks import check
    from .library import case_names, open_case
    from .store import load, save

__all__ = [
    "Beam",
    "Case",
    "Dij",
    "Grid",
    "Structure",
    "StructureMask",
    "build_case",
    "case_names",
    "check",
    "load",
    "open_case",
    "save",
]

_HOMES = {
    "build": ("StructureMask", "build_case"),
    "checks": ("check",),
    "library": ("case_names", "open_case"),
    "store": ("load", "save"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            value = getattr(importlib.import_module(f".{module}", __name__), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
