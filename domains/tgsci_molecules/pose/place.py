"""Place a molecule on the pose of a related one: the common part lies where it lay, the rest grows from there.

Docking searches anew for each molecule, and misses a pose now and then. Where a molecule differs from its parent by a
group, the parent's pose is the first that a chemist would look at.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers, rdMolAlign
from rdkit.Geometry import Point3D

from tgsci.errors import MeasurementError

from ..docking.ligand import Ligand, isomer_in_space, ready
from ..docking.vina import Docking, Settings, relax
from ..failures import measuring
from ..molecule.common import Pairs, common_part
from ..molecule.isomers import Form, forms
from ..molecule.smiles import Molecule, molecule
from ..target.targets import Target
from .ligand import posed
from .receptor import receptor_of
from .terms import Floats, dampen, pair_energies

#: Conformers that are grown on a pose in all, and those that differ by nothing but the seed.
_TRIES, _SEEDS = 4, 2
#: How often one embedding begins anew: a count bounds it, for a clock would let the load of a machine decide a score.
_EMBED_TRIES = 8
#: Forms of a molecule that are tried, and that are looked at for the one that a pose of its own shows.
_FORMS, _LOOKED_AT = 2, 32
#: Above this energy there is no room for what was grown, and below the other all of it found room, kcal/mol. Of 14
#: children that were relaxed from above the first, one scored better than by docking: too few for what it costs.
_HOPELESS, _ROOMY = 10.0, -4.0
#: A child of which no more than this share is common has no pose of its parent to lie in: what grows decides.
_LEAST_SHARE = 0.5
#: The pull on a common atom towards its place, kcal/mol/A^2, and how far it may stray for nothing, Angstrom.
_PULL, _SLACK = 50.0, 0.2
#: Common atoms that lie further off their places than this have another shape, Angstrom.
_ASTRAY = 1.5
_RELAX_STEPS = 100


@dataclass(frozen=True)
class _Placed:
    """A conformer on a pose, not relaxed yet, with what it costs where it lies, kcal/mol."""

    form: Form
    ligand: Ligand
    energy: float


def place(smiles: str, onto: Chem.Mol, target: Target, settings: Settings, docked: Docking | None) -> Docking | None:
    """Find the score of a molecule in the pose of a related one. The same arguments give the same result.

    Args:
        smiles: Canonical.
        onto: The other's pose in this target, with hydrogens or without. Where it is the same molecule, its pose is
            relaxed as it is.
        target: The target.
        settings: The settings of the docking that it is compared with.
        docked: That docking, whose box is used again; None where it found nothing.

    Returns:
        None where they have too little in common, or there is no room for the molecule in that pose.
    """
    try:
        with rdBase.BlockLogs(), measuring("placing"):
            placed = min(_conformers(smiles, onto, target, settings), key=lambda each: each.energy, default=None)
        if placed is None or placed.energy > _HOPELESS:
            return None
        return relax(placed.ligand, placed.form, target, settings, docked.edges if docked else None)
    except (MeasurementError, ValueError, RuntimeError):  # of what RDKit, meeko and Vina raise: one molecule's fault
        return None


def _conformers(smiles: str, onto: Chem.Mol, target: Target, settings: Settings) -> Iterator[_Placed]:
    """Lay forms of the molecule onto the pose in the ways that symmetry allows."""
    if not onto.GetNumConformers() or not onto.GetConformer().Is3D():
        return
    bare = Chem.RemoveHs(onto)
    alike = bare.GetNumAtoms() == molecule(smiles).GetNumAtoms()
    tried = list(itertools.islice(_forms(smiles, settings), _LOOKED_AT if alike else _FORMS))
    if any(_flat(molecule(form.smiles)) == _flat(bare) for form in tried):
        lying = Chem.AddHs(onto, addCoords=True)
        spelled = isomer_in_space(lying)
        own = next((form for form in tried if Chem.MolToSmiles(molecule(form.smiles)) == spelled), None)
        if own or _is_isomer_of(lying, molecule(smiles)):
            yield _placed(smiles, own or Form(Molecule(spelled)), lying, target)
            return
    for form in tried[:_FORMS]:
        try:
            yield from _laid(smiles, form, bare, target, settings.seed)
        except (MeasurementError, ValueError, RuntimeError):  # of what RDKit and meeko raise: this form's fault
            continue


def _is_isomer_of(conformer: Chem.Mol, mol: Chem.Mol) -> bool:
    """Tell whether the stereo of a conformer is that of a molecule, wherever the molecule says it."""
    in_space = Chem.Mol(conformer)
    Chem.AssignStereochemistryFrom3D(in_space)
    return bool(in_space.HasSubstructMatch(mol, useChirality=True))


def _flat(mol: Chem.Mol) -> str:
    return str(Chem.MolToSmiles(mol, isomericSmiles=False))


def _forms(smiles: str, settings: Settings) -> Iterator[Form]:
    return itertools.chain.from_iterable(forms(smiles, settings.isomers, settings.tautomers, settings.states))


def _laid(smiles: str, form: Form, bare: Chem.Mol, target: Target, seed: int) -> Iterator[_Placed]:
    """Grow conformers of a form on a pose, in the ways that symmetry allows."""
    mol = molecule(form.smiles)
    ways = [way for way in _different(mol, common_part(bare, mol)) if len(way) > _LEAST_SHARE * mol.GetNumAtoms()]
    places = bare.GetConformer().GetPositions()
    best = math.inf
    for number in range(min(_TRIES, max(len(ways), _SEEDS)) if ways else 0):
        if number >= len(ways) and best < _ROOMY:
            return  # another conformer of what grows there is not worth its time
        grown = _grown(mol, ways[number % len(ways)], places, seed + number)
        if grown is not None:
            placed = _placed(smiles, form, grown, target)
            best = min(best, placed.energy)
            yield placed


def _placed(smiles: str, form: Form, conformer: Chem.Mol, target: Target) -> _Placed:
    (ligand,) = ready(smiles, form.smiles, [conformer])
    return _Placed(form, ligand, _energy(ligand, conformer, target))


def _different(mol: Chem.Mol, ways: Sequence[Pairs]) -> list[Pairs]:
    """Keep one of the ways that only symmetry of the molecule itself tells apart."""
    ranks = list(Chem.CanonicalRankAtoms(mol, breakTies=False))
    seen: dict[tuple[int, ...], Pairs] = {}
    for pairs in ways:
        seen.setdefault(tuple(ranks[there] for _, there in pairs), pairs)
    return list(seen.values())


def _grown(mol: Chem.Mol, pairs: Pairs, places: Floats, seed: int) -> Chem.Mol | None:
    """Embed a molecule with its common atoms at their places, and relax it there; None where it has no such shape."""
    grown = Chem.AddHs(mol)
    parameters = rdDistGeom.ETKDGv3()
    parameters.randomSeed = seed
    parameters.maxIterations = _EMBED_TRIES
    parameters.SetCoordMap({there: Point3D(*places[here].tolist()) for here, there in pairs})
    # Not from random coordinates: with most atoms given, that fails for three molecules of four.
    if rdDistGeom.EmbedMolecule(grown, parameters) < 0:
        parameters.ignoreSmoothingFailures = True  # where an element changed, the given distances are a little off
        if rdDistGeom.EmbedMolecule(grown, parameters) < 0:
            # Stiff cores of many stereocentres embed only freely: their shape is the parent's anyway.
            parameters.SetCoordMap({})
            parameters.useRandomCoords = True
            if rdDistGeom.EmbedMolecule(grown, parameters) < 0:
                return None
    template = Chem.Mol(grown)
    for here, there in pairs:
        template.GetConformer().SetAtomPosition(there, Point3D(*places[here].tolist()))
    rdMolAlign.AlignMol(grown, template, atomMap=[(there, there) for _, there in pairs])
    field = _force_field(grown)
    if field is None:
        return None
    for here, there in pairs:
        point = field.AddExtraPoint(*places[here].tolist(), fixed=True) - 1
        field.AddDistanceConstraint(point, there, 0.0, _SLACK, _PULL)
    field.Initialize()
    field.Minimize(maxIts=_RELAX_STEPS)
    there = grown.GetConformer().GetPositions()
    apart = np.array([there[atom] - places[here] for here, atom in pairs])
    lies = float(np.sqrt((apart**2).sum(axis=1).mean())) <= _ASTRAY
    return grown if lies and _is_isomer_of(grown, mol) else None


def _force_field(mol: Chem.Mol) -> rdForceFieldHelpers.ForceField | None:
    properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(mol, mmffVariant="MMFF94s")
    if properties is not None:
        return rdForceFieldHelpers.MMFFGetMoleculeForceField(mol, properties)
    if rdForceFieldHelpers.UFFHasAllMoleculeParams(mol):
        return rdForceFieldHelpers.UFFGetMoleculeForceField(mol)
    return None


def _energy(ligand: Ligand, conformer: Chem.Mol, target: Target) -> float:
    """Compute Vina's energy with the receptor where a conformer lies, kcal/mol."""
    lying = posed(ligand.smiles, conformer, ligand.pdbqt)
    receptor = receptor_of(target)
    near = sorted({i for each in receptor.tree.query_ball_point(lying.xyz[: lying.heavy], 8.0) for i in each})
    if not near:
        return 0.0
    rows = np.array(near, np.intp)
    pairs = pair_energies(lying.xyz[: lying.heavy], lying.kinds, receptor.xyz[rows], receptor.kinds.take(rows))
    return float(dampen(pairs).sum())
