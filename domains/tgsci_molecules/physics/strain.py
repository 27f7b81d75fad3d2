"""Ligand strain: what a molecule pays to take the shape of its pose, by MMFF94s.

Gas-phase electrostatics would let a free zwitterion fold onto itself and make every pose of it look strained, so the
charges see a dielectric that grows with the distance.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from tgsci.errors import MeasurementError

from ..failures import calling
from .mmff import Dielectric, typed

if TYPE_CHECKING:
    from ..docking.vina import Docking

#: The solvent, as far as there is one.
SOLVENT = Dielectric(4.0, distance=True)
FORCE_FIELD = f"MMFF94s with a distance-dependent dielectric ({SOLVENT}, in place of water)"
CONFORMERS = 50
#: Conformers of the figure that every trial of a search has: 0.2 to 1 CPU s, and within 0.5 kcal/mol of the careful one
#: for 5 drugs docked into ABL1.
TRIAL_CONFORMERS = 6
#: How far a heavy atom may relax from its place in the pose before it counts as moved, Angstrom: docking keeps bond
#: lengths, angles and rings of its starting conformer, and those errors are not strain. With 0.5 the figures are those
#: of poses refined in their pockets (medians of 16 drugs 10.1 and 9.6 kcal/mol); with 0.3 they are 12.5.
TOLERANCE = 0.5
#: Total strain of 16 approved drugs, docked into their targets at the fast setting: median 10 kcal/mol (quartiles 5.5
#: and 11.7), one in ten above 14, the highest (dabigatran) 21. Crystal poses of drugs usually have less, 2 to 8.
USUAL, HIGH = 12.0, 15.0
#: The same for the local part: median 3.7, three in four below 4.8, one in ten above 7.6.
_USUAL_LOCAL, _HIGH_LOCAL = 5.0, 8.0
_SPRING = 100.0  # kcal/mol/Angstrom^2 beyond the tolerance
_SEED = 1
#: Steps for all conformers, and for the best few of them. For 9 of 10 drugs that finds the lowest that finishing all 50
#: finds, in nine tenths of the time (1 to 5 CPU s); erlotinib's is 1.2 kcal/mol above it.
_COARSE, _FINE = 300, 2000
_FINISHED = 8
#: Longest time for finding conformers, s; they take 0.2 to 2.
_SECONDS = 120


@dataclass(frozen=True)
class Strain:
    """The strain of the ligand in a pose.

    Args:
        local: Against the nearest minimum of the free molecule, kcal/mol.
        total: Against the lowest conformer that a search finds, kcal/mol; None where none was made.
        conformers: How many conformers the search tried.
        seconds: Wall time, s.
        force_field: The force field, in words.
    """

    local: float
    total: float | None
    conformers: int
    seconds: float
    force_field: str = FORCE_FIELD

    def text(self) -> str:
        """Write some lines for the report."""
        against = "" if self.total is None else f", {self.total:.1f} above the lowest of {self.conformers} conformers"
        return (
            f"STRAIN {self.local:.1f} kcal/mol above the nearest minimum{against}: {verdict(self)}.\n"
            f"  {self.force_field}; the pose may relax by {TOLERANCE:g} A first. No entropy, no explicit water."
        )


def strain(pose: Chem.Mol, conformers: int = CONFORMERS) -> Strain:
    """Compute the strain of a pose. The same pose gives the same figures.

    Args:
        pose: With all hydrogens and one conformer.
        conformers: How many conformers to search; 0 for the local strain only, which is 30 times quicker.

    Raises:
        MeasurementError: Neither MMFF94 nor UFF has parameters, or hydrogens or the conformer are missing.
    """
    started = time.perf_counter()
    mol = checked(pose)
    field_of, name = _field(mol)
    with rdBase.BlockLogs(), calling("strain"):
        bound = _relax_in_place(mol, field_of)
        nearest = _minimise(mol, field_of)
        lowest = nearest
        tried = 0
        if conformers:
            energies = _search(mol, field_of, conformers)
            tried = len(energies)
            lowest = min([nearest, *energies])
    return Strain(
        local=max(0.0, bound - nearest),
        total=max(0.0, bound - lowest) if conformers else None,
        conformers=tried,
        seconds=time.perf_counter() - started,
        force_field=name,
    )


#: Makes the force field of a molecule for the conformer that it has.
_FieldOf = Callable[[Chem.Mol], Any]


def _field(mol: Chem.Mol) -> tuple[_FieldOf, str]:
    """Choose the force field: MMFF94s, or UFF where that has no parameters, as in the preparation for docking.

    Raises:
        MeasurementError: Neither has parameters.
    """
    try:
        properties = typed(mol, SOLVENT)
    except MeasurementError:
        with rdBase.BlockLogs():
            if not rdForceFieldHelpers.UFFHasAllMoleculeParams(mol):
                raise
        return rdForceFieldHelpers.UFFGetMoleculeForceField, "UFF (MMFF94 has no parameters), without charges"
    return lambda each: rdForceFieldHelpers.MMFFGetMoleculeForceField(each, properties), FORCE_FIELD


def strain_of(docking: Docking) -> float:
    """Compute the total strain of a docked pose from few conformers, kcal/mol: the metric `strain`.

    Raises:
        MeasurementError: The strain could not be computed.
    """
    total = strain(docking.pose, TRIAL_CONFORMERS).total
    assert total is not None  # a search was asked for
    return round(total, 3)


def checked(pose: Chem.Mol) -> Chem.Mol:
    """Check a pose and copy it: with one conformer, every hydrogen, and the stereo that it has in space.

    Raises:
        MeasurementError: Hydrogens or the conformer are missing.
    """
    if not pose.GetNumConformers() or not pose.GetConformer().Is3D():
        raise MeasurementError("pose: it has no three-dimensional coordinates")
    if any(atom.GetNumImplicitHs() or atom.GetNumExplicitHs() for atom in pose.GetAtoms()):
        raise MeasurementError("pose: hydrogens are missing; a pose of docking has them all")
    mol = Chem.Mol(pose, confId=pose.GetConformer().GetId())
    # RDKit pickles coordinates in single precision: a pose from another process must not end elsewhere.
    single = np.array(mol.GetConformer().GetPositions()).astype(np.float32)
    mol.GetConformer().SetPositions(single.astype(np.float64))
    Chem.AssignStereochemistryFrom3D(mol)
    return mol


def _relax_in_place(mol: Chem.Mol, field_of: _FieldOf) -> float:
    """Relax bonds and angles with the heavy atoms in place, and give the energy; moves `mol` there."""
    field = field_of(mol)
    field.Initialize()
    hold = field.MMFFAddPositionConstraint  # a harmonic one, the same for any force field
    for atom in mol.GetAtoms():
        if atom.GetAtomicNum() > 1:
            hold(atom.GetIdx(), TOLERANCE, _SPRING)
    field.Minimize(maxIts=_FINE)
    return float(field_of(mol).CalcEnergy())


def _minimise(mol: Chem.Mol, field_of: _FieldOf) -> float:
    """Minimise `mol` in place, and give the energy."""
    field = field_of(mol)
    field.Initialize()
    field.Minimize(maxIts=_FINE)
    return float(field.CalcEnergy())


def _search(mol: Chem.Mol, field_of: _FieldOf, conformers: int) -> list[float]:
    """Compute the energies of conformers: all are coarsely minimised, the best of them to the end."""
    parameters = rdDistGeom.ETKDGv3()
    parameters.randomSeed = _SEED
    parameters.timeout = _SECONDS
    free = Chem.Mol(mol)
    started = time.perf_counter()
    rdDistGeom.EmbedMultipleConfs(free, conformers, parameters)
    if not free.GetNumConformers():
        if time.perf_counter() - started >= _SECONDS:
            raise MeasurementError(f"strain: no conformers of this molecule in {_SECONDS} s", transient=True)
        return []  # a cage: the pose's own minimum is all there is
    field = field_of(free)
    field.Initialize()
    coarse = [energy for _, energy in rdForceFieldHelpers.OptimizeMoleculeConfs(free, field, 1, _COARSE)]
    ids = [conformer.GetId() for conformer in free.GetConformers()]
    order = sorted(range(len(ids)), key=coarse.__getitem__)
    for n in order[_FINISHED:]:
        free.RemoveConformer(ids[n])
    kept = sorted(order[:_FINISHED])
    finished = [energy for _, energy in rdForceFieldHelpers.OptimizeMoleculeConfs(free, field, 1, _FINE)]
    for n, energy in zip(kept, finished, strict=True):
        coarse[n] = energy
    return coarse


def verdict(strain: Strain) -> str:
    """Judge a strain by what docked drugs have."""
    figure, usual, high = (
        (strain.local, _USUAL_LOCAL, _HIGH_LOCAL) if strain.total is None else (strain.total, USUAL, HIGH)
    )
    if figure <= usual:
        return f"usual for a docked drug (most are below {usual:g})"
    if figure <= high:
        return f"more than most docked drugs have ({usual:g}), less than is alarming ({high:g})"
    return f"high: nine docked drugs in ten have less than {high:g}, so the true pose is probably another"
