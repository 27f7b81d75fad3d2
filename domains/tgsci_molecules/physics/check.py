"""The check on a finalist: geometry, strain, and whether the pose holds under a force field that is not Vina's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from rdkit import Chem

from tgsci.errors import MeasurementError

from ..failures import measuring
from ..pose.ligand import numbers_in
from ..target.targets import Target
from .geometry import faults
from .receptor import receptor
from .refine import POCKET, Refinement, refine_pose
from .strain import HIGH, checked, strain

_SHOWN = 4


@dataclass(frozen=True)
class Check:
    """The result of checking one pose.

    Args:
        verdict: The concerns in a line, or that nothing speaks against the pose; no proof that it is right.
        text: Some lines for the report.
        figures: "strain", "refined strain" and "refined interaction" (kcal/mol), and "refined RMSD" (Angstrom), as far
            as they could be computed.
        concerns: The arguments against the pose, in words.
        refined: The refined pose; None where no force field has parameters.
    """

    verdict: str
    text: str
    figures: Mapping[str, float]
    concerns: tuple[str, ...]
    refined: Refinement | None = field(default=None, repr=False)


def check(pose: Chem.Mol, target: Target, smiles: str = "") -> Check:
    """Check a pose: is it a possible molecule, is it strained, and does it hold when it may relax? Some seconds.

    What a force field cannot describe is a concern in the text, not an error: the docking itself stands.

    Args:
        pose: With all hydrogens, the heavy atoms first, in the frame of the target's receptor.
        target: The target that it was docked into.
        smiles: Canonical; atoms are numbered as in it, and as in the file of the pose where it is empty.
    """
    concerns: list[str] = []
    parts: list[str] = []
    figures: dict[str, float] = {}
    moved: Refinement | None = None
    try:
        with measuring("geometry"):
            mol = checked(pose)
            order = numbers_in(smiles, mol) if smiles else range(mol.GetNumHeavyAtoms())
            names = [f"{mol.GetAtomWithIdx(i).GetSymbol()}{place + 1}" for i, place in enumerate(order)]
            around = receptor(target).near(np.array(mol.GetConformer().GetPositions()), POCKET)
            wrong = faults(mol, around, names)
            concerns += wrong[:_SHOWN]
            if len(wrong) > _SHOWN:
                concerns.append(f"and {len(wrong) - _SHOWN} more faults of geometry")
            strained = strain(pose)
            if strained.total is not None:
                figures["strain"] = strained.total
                parts.append(strained.text())
                if strained.total > HIGH:
                    concerns.append(f"strain of {strained.total:.1f} kcal/mol, above {HIGH:g}")
            moved = refine_pose(pose, target)
    except MeasurementError as error:
        concerns.append(f"could not be checked further: {error}")
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
    verdict = "; ".join(concerns) or "nothing speaks against it"
    return Check(verdict, "\n".join([f"CHECK of the pose: {verdict}.", *parts]), figures, tuple(concerns), moved)
