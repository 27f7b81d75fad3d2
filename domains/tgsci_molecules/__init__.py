"""Molecules for tgsci: SMILES as values, docking as a loss. Nothing heavy is imported before it is used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .plugin import MoleculesDomain

if TYPE_CHECKING:
    from .docking.ligand import Ligand, prepare
    from .docking.vina import Docking, Settings, dock
    from .editor.rules import RuleEditor
    from .molecule.properties import alerts, qed_parts
    from .molecule.smiles import canonical
    from .objective import DockingLoss, Objective, Term, Transform
    from .pose import PoseReport, explain
    from .target.targets import Target, target_names
    from .views import contributions, svg
    from .views.notebook import table
    from .views.tradeoff import plot_tradeoff
    from .views.view3d import view, view_trial

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
    "docking.vina": ("Docking", "Settings", "dock"),
    "docking.ligand": ("Ligand", "prepare"),
    "objective": ("DockingLoss", "Objective", "Term", "Transform"),
    "views.notebook": ("table",),
    "views": ("contributions", "svg"),
    "views.tradeoff": ("plot_tradeoff",),
    "pose": ("PoseReport", "explain"),
    "molecule.properties": ("alerts", "qed_parts"),
    "editor.rules": ("RuleEditor",),
    "molecule.smiles": ("canonical",),
    "target.targets": ("Target", "target_names"),
    "views.view3d": ("view", "view_trial"),
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
