"""The molecules domain: what it offers to the core. Imports quickly; RDKit comes with the first problem."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from tgsci.domain import Domain, Problem
from tgsci.errors import InvalidValue, UsageError

from .keys import KEYS, SETTINGS

_COLUMNS = ("vina", "QED", "MW", "cLogP", "SA")


class MoleculesDomain(Domain):
    """Design of small molecules: dock, read the report, change the SMILES."""

    name = "molecules"
    summary = "design small molecules that bind a protein and look like drugs (RDKit, AutoDock Vina)"

    def problem(self, config: Mapping[str, Any]) -> Problem:
        """Dock to a target, from one molecule or several.

        Args:
            config: See `KEYS`; `target` and `start` must be there.

        Raises:
            UsageError: An unknown key, a missing one or a bad value.
        """
        from .docking import Settings
        from .editor.rules import RuleEditor
        from .objective import DockingLoss
        from .output import export, svg

        _check_keys(config)
        settings = Settings(**{field: config[key] for key, field in SETTINGS.items() if key in config})
        loss = DockingLoss(config["target"], settings, config.get("qed_weight", 10.0))
        start = _start(config["start"])
        return Problem(
            loss=loss,
            start=start,
            rules=RuleEditor(),
            task=_task(loss),
            domain=self.name,
            name=loss.target.name,
            config={
                "target": loss.target.name,
                "start": start,
                "qed_weight": loss.qed_weight,
                **{key: getattr(settings, field) for key, field in SETTINGS.items()},
            },
            columns=_COLUMNS,
            draw=svg,
            export=export,
        )

    def add_commands(self, commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        from .commands import COMMANDS

        for add in COMMANDS:
            add(commands)


def _check_keys(config: Mapping[str, Any]) -> None:
    for key in config:
        if key not in KEYS:
            near = difflib.get_close_matches(str(key)[:40], KEYS, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise UsageError(f"unknown key {str(key)[:40]!r}; {hint}There are: {', '.join(KEYS)}")
    for key in ("target", "start"):
        if key not in config:
            raise UsageError(f"the key {key!r} is missing: {KEYS[key]}")
    if not isinstance(config["target"], str):
        raise UsageError(f"target must be {KEYS['target']}, not {config['target']!r}")


def _start(value: object) -> list[str]:
    from .smiles import canonical

    smiles: Sequence[object] = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    if not smiles or not all(isinstance(s, str) for s in smiles):
        raise UsageError(f"start must be {KEYS['start']}")
    found: dict[str, None] = {}
    for number, text in enumerate(smiles, 1):
        try:
            found[canonical(str(text))] = None
        except InvalidValue as error:
            raise UsageError(f"start molecule {number}: {error}") from None
    return list(found)


def _task(loss: Any) -> str:
    from .smiles import ELEMENTS, MAX_HEAVY_ATOMS, MAX_ROTATABLE_BONDS

    return (
        f"Design a small molecule that binds the protein {loss.target.name} (gene name) and looks like an oral "
        "drug. A value is one SMILES string of one molecule: no salt or solvent, no name, no remarks.\n"
        f"The loss is vina + {loss.qed_weight:g} x (1 - QED), lower is better: vina is the docking score in kcal/mol, "
        "QED is drug-likeness from 0 to 1. Adding atoms only for a better docking "
        "score costs QED; differences below 0.5 kcal/mol are noise of the search.\n"
        f"A valid molecule uses only {' '.join(ELEMENTS)}, has at most {MAX_HEAVY_ATOMS} heavy atoms and "
        f"{MAX_ROTATABLE_BONDS} rotatable bonds, no radicals, isotopes or metals; write stereocentres with @ and @@. "
        "Write the neutral form; docking protonates it at pH 7.4.\n"
        "In your reason, quote the figure of the report that the change answers (an alert, a part of QED, the price "
        "of rotatable bonds), then say which atoms you change and which figure should move, and which way."
    )
