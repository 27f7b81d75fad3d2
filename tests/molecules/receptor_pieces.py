"""The residues of a built-in receptor, to build proteins of in tests."""

from __future__ import annotations

from itertools import groupby

from tgsci_molecules import Target
from tgsci_molecules.preparation.repair import Residue
from tgsci_molecules.preparation.structures import SIDE_CHAINS
from tgsci_molecules.target.numbering import standard


def pieces(target: Target) -> list[Residue]:
    """The amino acids of a built-in receptor, heavy atoms only."""
    lines = [line for line in target.receptor.read_text().splitlines() if line.startswith(("ATOM", "HETATM"))]
    found = []
    for (name, chain, number), group in groupby(lines, key=lambda line: (line[17:20], line[21], line[22:27])):
        usual = standard(name)
        if usual not in SIDE_CHAINS:
            continue
        known = {"N", "CA", "C", "O", *SIDE_CHAINS[usual].split()}
        atoms = {line[12:16].strip(): (float(line[30:38]), float(line[38:46]), float(line[46:54])) for line in group}
        residue = Residue(usual, chain, number, {key: value for key, value in atoms.items() if key in known})
        if {"N", "CA", "C"} <= set(residue.atoms):
            found.append(residue)
    return found
