"""Conformers of small molecules, and poses that are moved."""

from __future__ import annotations

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from tgsci_molecules.physics.mmff import typed
from tgsci_molecules.physics.strain import SOLVENT


def shifted(mol: Chem.Mol, by: tuple[float, float, float]) -> Chem.Mol:
    moved = Chem.Mol(mol)
    moved.GetConformer().SetPositions(mol.GetConformer().GetPositions() + np.array(by))
    return moved


def embedded(smiles: str, relaxed: bool = True) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=5) == 0
    if relaxed:
        rdForceFieldHelpers.MMFFGetMoleculeForceField(mol, typed(mol, SOLVENT)).Minimize(maxIts=5_000)
    return mol
