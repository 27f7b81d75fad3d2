"""The check on a finalist: geometry, strain, and whether the pose holds under a force field that is not Vina's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tgsci.errors import MeasurementError

from ..docking import Docking
from ..pose.ligand import posed
from ..protein.targets import Target
from .geometry import faults
from .receptor import receptor
from .refine import POCKET, Refined, refine
from .strain import HIGH, Strain, checked, strain

#: What each figure of a check is measured in.
UNITS: Mapping[str, str] = {
    "strain": "kcal/mol",
    "refined strain": "kcal/mol",
    "refined interaction": "kcal/mol",
    "refined RMSD": "Angstrom",
}
_SHOWN = 4


@dataclass(frozen=True)
class Check:
    """What was found about one pose.

    Args:
        passed: True where nothing speaks against the pose; no proof that it is right.
        text: Some lines for the report.
        figures: The figures of `UNITS` that could be computed.
        concerns: What speaks against the pose, in words.
        refined: The refined pose; None where no force field has parameters.
    """

    passed: bool
    text: str
    figures: Mapping[str, float]
    concerns: tuple[str, ...]
    refined: Refined | None = field(default=None, repr=False)


def check(docking: Docking, target: Target) -> Check:
    """Check a docked pose: is it a possible molecule, strained, and does it hold when it may relax? Some seconds.

    What a force field cannot describe is a concern in the text, not an error: the docking itself stands. Atoms are
    numbered as in the mapped SMILES of the page about the pose.

    Args:
        docking: Its best pose.
        target: Where it was docked.
    """
    concerns: list[str] = []
    parts: list[str] = []
    figures: dict[str, float] = {}
    found: Strain | None = None
    moved: Refined | None = None
    try:
        ligand = posed(docking.ligand.smiles, checked(docking.pose), docking.ligand.pdbqt)
        names = [f"{ligand.mol.GetAtomWithIdx(i).GetSymbol()}{place + 1}" for i, place in enumerate(ligand.to_smiles)]
        around = receptor(target).near(np.array(ligand.mol.GetConformer().GetPositions()), POCKET)
        wrong = faults(ligand.mol, around, names)
        concerns += wrong[:_SHOWN]
        if len(wrong) > _SHOWN:
            concerns.append(f"and {len(wrong) - _SHOWN} more faults of geometry")
        found = strain(docking.pose)
        moved = refine(docking, target)
    except MeasurementError as error:
        concerns.append(f"could not be checked further: {error}")
    if found is not None and found.total is not None:
        figures["strain"] = found.total
        parts.append(found.text())
        if found.total > HIGH:
            concerns.append(f"strain of {found.total:.1f} kcal/mol, above {HIGH:g}")
    if moved is not None:
        figures |= {
            "refined strain": moved.strain,
            "refined interaction": moved.interaction,
            "refined RMSD": moved.rmsd,
        }
        parts.append(moved.text())
        if not moved.held:
            concerns.append(f"the pose moved by {moved.rmsd:.2f} A when it was refined")
        if moved.interaction >= 0:
            concerns.append(f"no attraction is left after refinement ({moved.interaction:+.1f} kcal/mol)")
    head = f"CHECK of the pose: {'; '.join(concerns) if concerns else 'nothing speaks against it'}."
    return Check(not concerns, "\n".join([head, *parts]), figures, tuple(concerns), moved)
