"""What is wanted of a molecule: terms with transforms, hard limits, and objectives by name."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .loss import DockingLoss, Objective
    from .terms import Term
    from .transforms import Transform

__all__ = ["DockingLoss", "Objective", "Term", "Transform"]

_HOMES = {"DockingLoss": "loss", "Objective": "loss", "Term": "terms", "Transform": "transforms"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:  # lazily: what there is can be listed without RDKit
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
