"""Molecules for tgsci: SMILES as values, docking as a loss. Nothing heavy is imported before it is used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .domain import MoleculesDomain

if TYPE_CHECKING:
    from .docking import Docking, Settings, dock
    from .editor.rules import RuleEditor
    from .ligand import Ligand, prepare
    from .notebook import table
    from .objective import DockingLoss, Objective, Term, Transform
    from .output import contributions, svg
    from .output.tradeoff import plot_tradeoff
    from .pose import PoseReport, explain
    from .properties import alerts, qed_parts
    from .protein.targets import Target, target_names
    from .smiles import canonical
    from .view3d import view, view_trial

__all__ = [
    "Docking",
    "DockingLoss",
    "Ligand",
    "MoleculesDomain",
    "Objective",
    "PoseReport",
    "RuleEditor",
    "Settings",
    "Target",
    "Term",
    "Transform",
    "alerts",
    "canonical",
    "contributions",
    "dock",
    "domain",
    "explain",
    "plot_tradeoff",
    "prepare",
    "qed_parts",
    "svg",
    "table",
    "target_names",
    "view",
    "view_trial",
]

#: What the entry point names.
domain = MoleculesDomain()

_HOMES = {
    "docking": ("Docking", "Settings", "dock"),
    "ligand": ("Ligand", "prepare"),
    "objective": ("DockingLoss", "Objective", "Term", "Transform"),
    "notebook": ("table",),
    "output": ("contributions", "svg"),
    "output.tradeoff": ("plot_tradeoff",),
    "pose": ("PoseReport", "explain"),
    "properties": ("alerts", "qed_parts"),
    "editor.rules": ("RuleEditor",),
    "smiles": ("canonical",),
    "protein.targets": ("Target", "target_names"),
    "view3d": ("view", "view_trial"),
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
