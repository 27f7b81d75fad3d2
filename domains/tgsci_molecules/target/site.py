"""Where a box lies in the receptor: in solvent every molecule would score 0."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tgsci.errors import UsageError

#: How far a receptor's atom may lie outside the box and still be felt by a ligand in it, Angstrom.
REACH = 4.0


def positions(receptor: Path, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Read the positions of the atoms in a pdbqt file, Angstrom.

    Args:
        receptor: The file.
        name: The target's, for messages.

    Raises:
        UsageError: The file has no atoms, or no numbers where its positions belong.
    """
    lines = receptor.read_text(encoding="utf-8", errors="replace").splitlines()
    atoms = [line for line in lines if line.startswith(("ATOM  ", "HETATM"))]
    try:
        coordinates = np.asarray([[float(line[n : n + 8]) for n in (30, 38, 46)] for line in atoms])
    except ValueError:
        raise UsageError(f"the receptor of {name} has atoms without coordinates; prepare the target again") from None
    if not atoms or not np.isfinite(coordinates).all():
        raise UsageError(f"the receptor of {name} has no atoms with coordinates; prepare the target again")
    return coordinates


def check_site(receptor: Path, name: str, center: Sequence[float], edges: Sequence[float]) -> None:
    """Refuse a box that has no receptor around it.

    Args:
        receptor: The receptor's pdbqt file.
        name: The target's, for messages.
        center: The centre of the box, Angstrom.
        edges: The edges of the box, Angstrom.

    Raises:
        UsageError: The box lies in solvent.
    """
    offsets = np.abs(positions(receptor, name) - np.asarray(center))
    if not (offsets <= np.asarray(edges) / 2 + REACH).all(axis=1).any():
        nearest = float(np.linalg.norm(offsets, axis=1).min())
        raise UsageError(
            f"the box of {name} lies in solvent: its centre {tuple(center)} is {nearest:.0f} Angstrom away from the "
            "nearest atom of the protein. Give the centre in the frame of the receptor's file, or take the box from a "
            "ligand: tgsci molecules prepare --ligand"
        )
