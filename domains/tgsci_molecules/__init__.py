"""Molecules for tgsci: SMILES as values, docking as a loss. Nothing heavy is imported before it is used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .domain import MoleculesDomain

if TYPE_CHECKING:
    from .docking import Docking, Settings, dock
    from .editor.rules import RuleEditor
    from .ligand import Ligand, prepare
    from .objective import DockingLoss
    from .output import svg
    from .properties import alerts, qed_parts
    from .protein.targets import Target, target_names
    from .smiles import canonical

__all__ = [
    "Docking",
    "DockingLoss",
    "Ligand",
    "MoleculesDomain",
    "RuleEditor",
    "Settings",
    "Target",
    "alerts",
    "canonical",
    "dock",
    "domain",
    "prepare",
    "qed_parts",
    "svg",
    "target_names",
]

#: What the entry point names.
domain = MoleculesDomain()

_HOMES = {
    "docking": ("Docking", "Settings", "dock"),
    "ligand": ("Ligand", "prepare"),
    "objective": ("DockingLoss",),
    "output": ("svg",),
    "properties": ("alerts", "qed_parts"),
    "editor.rules": ("RuleEditor",),
    "smiles": ("canonical",),
    "protein.targets": ("Target", "target_names"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            value = getattr(importlib.import_module(f".{module}", __name__), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
