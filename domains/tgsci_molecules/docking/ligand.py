"""From a SMILES to what Vina docks: protonate, embed, relax, type. Each stage fails with its own name."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from tgsci.basics.texts import quote
from tgsci.errors import MeasurementError

from ..failures import calling
from ..molecule.protonation import open_in_water, protonate
from ..molecule.smiles import molecule, stereo_in_words

#: Atoms from which on a ring takes several shapes; docking does not change them.
LARGE_RING = 8
#: Conformers of a large ring that are made for each one that is docked.
_SHAPES_TRIED = 4
#: Rings that differ by less than this have the same shape, Angstrom.
_SAME_SHAPE = 0.3
#: Longest wall time that finding the shapes of a molecule may take, all its forms and conformers together, s; drugs
#: need well under 1 s.
EMBED_SECONDS = 30.0
_RELAX_STEPS = 1000


class Clock:
    """The time that is left for finding the shapes of one molecule."""

    def __init__(self) -> None:
        self.seconds = EMBED_SECONDS
        self._end = time.monotonic() + self.seconds

    @property
    def up(self) -> bool:
        """True where no time is left."""
        return time.monotonic() >= self._end

    def left(self, smiles: str) -> int:
        """Count the whole seconds that are left, at least 1: RDKit takes no others.

        Args:
            smiles: What is embedded, for the message.

        Raises:
            MeasurementError: The time is up.
        """
        if self.up:
            raise MeasurementError(
                f"embedding: no three-dimensional shape of {quote(smiles)} was found in {self.seconds:g} s; its rings "
                "or stereocentres are probably too strained"
            )
        return max(1, int(self._end - time.monotonic()))


@dataclass(frozen=True)
class Ligand:
    """A molecule ready for docking.

    Args:
        smiles: The canonical SMILES that was prepared.
        docked_smiles: The form that is docked: protonated at pH 7.4, every stereocentre set.
        undefined: The stereocentres that `smiles` leaves open, in words; one isomer was picked.
        pdbqt: The ligand for Vina, with meeko's remarks for the way back.
        torsions: Rotatable bonds that Vina turns.
        extent: Largest distance between two heavy atoms of the starting conformer, Angstrom.
    """

    smiles: str
    docked_smiles: str
    undefined: tuple[str, ...]
    pdbqt: str
    torsions: int
    extent: float


def prepare(smiles: str, seed: int = 1, form: str | None = None) -> Ligand:
    """Prepare a molecule for docking. The same arguments give the same ligand.

    Args:
        smiles: Canonical, from `canonical()`.
        seed: The seed of the starting conformer (docking keeps its rings), and of the isomer where stereo is open.
        form: The protonated form to dock as SMILES; the most probable at pH 7.4 where None.

    Raises:
        MeasurementError: A stage failed; the message names it.
    """
    form = protonate(smiles) if form is None else form
    return ready(smiles, form, [_embed_and_relax(form, seed)])[0]


def prepare_all(
    smiles: str, form: str, seed: int, conformers: int, ring_conformers: int, clock: Clock | None = None
) -> list[Ligand]:
    """Prepare a form of a molecule in several starting conformers.

    Docking turns bonds but keeps rings. Where a ring of 8 or more atoms could take many shapes, the starting
    conformers are those of lowest energy that differ in a ring; else each is embedded with a seed of its own.

    Args:
        smiles: Canonical, from `canonical()`.
        form: The protonated form to dock.
        seed: The seed of the first conformer.
        conformers: How many conformers.
        ring_conformers: How many conformers, at least, where there is such a ring.
        clock: The time for it; a new one where None.

    Raises:
        MeasurementError: A stage failed; the message names it.
    """
    clock = clock or Clock()
    if large_ring(molecule(form)):
        return ready(smiles, form, ring_shapes(form, seed, max(conformers, ring_conformers), clock))
    return ready(smiles, form, [_embed_and_relax(form, seed + n, clock) for n in range(conformers)])


def large_ring(mol: Chem.Mol) -> int:
    """Count the atoms of the largest ring, where it has 8 or more (docking does not change its shape); else 0."""
    largest = max(map(len, mol.GetRingInfo().AtomRings()), default=0)
    return largest if largest >= LARGE_RING else 0


def ring_shapes(smiles: str, seed: int, count: int, clock: Clock | None = None) -> list[Chem.Mol]:
    """Find conformers of low energy that differ in the shape of their large rings, the lowest first.

    Args:
        smiles: The protonated form.
        seed: The seed of the embedding.
        count: How many, at most; a stiff ring has fewer.
        clock: The time for it; a new one where None.

    Raises:
        MeasurementError: There is no such conformer, or no force field for the molecule.
    """
    clock = clock or Clock()
    pool = Chem.AddHs(molecule(smiles))
    parameters = rdDistGeom.ETKDGv3()  # with its torsions for macrocycles (Wang 2020)
    parameters.randomSeed = seed
    parameters.timeout = clock.left(smiles)
    parameters.useRandomCoords = True
    with rdBase.BlockLogs(), calling("embedding"):
        rdDistGeom.EmbedMultipleConfs(pool, _SHAPES_TRIED * count, parameters)
    ids = [conformer.GetId() for conformer in pool.GetConformers()]  # what it returns counts those that it gave up
    if not ids:
        clock.left(smiles)  # where the time is up, that is the reason
        raise _shapeless(smiles)
    with rdBase.BlockLogs(), calling("force field"):
        if rdForceFieldHelpers.MMFFHasAllMoleculeParams(pool):
            relaxed = rdForceFieldHelpers.MMFFOptimizeMoleculeConfs(pool, 1, _RELAX_STEPS, "MMFF94s")
        elif rdForceFieldHelpers.UFFHasAllMoleculeParams(pool):
            relaxed = rdForceFieldHelpers.UFFOptimizeMoleculeConfs(pool, 1, _RELAX_STEPS)
        else:
            raise _fieldless()
    energies = dict(zip(ids, (energy for _, energy in relaxed), strict=True))
    rings = sorted({i for ring in pool.GetRingInfo().AtomRings() if len(ring) >= LARGE_RING for i in ring})
    chosen: list[int] = []
    for candidate in sorted(ids, key=lambda n: (energies[n], n)):
        same = (_ring_distance(pool, rings, candidate, other) < _SAME_SHAPE for other in chosen)
        if len(chosen) < count and not any(same):
            chosen.append(candidate)
    return [Chem.Mol(pool, confId=number) for number in chosen]


def _embed_and_relax(form: str, seed: int, clock: Clock | None = None) -> Chem.Mol:
    conformer = embed(form, seed, clock)
    relax(conformer)
    return conformer


def ready(smiles: str, form: str, conformers: Sequence[Chem.Mol]) -> list[Ligand]:
    """Write each conformer of a form of a molecule as Vina reads it.

    Args:
        smiles: Canonical, from `canonical()`.
        form: The protonated form.
        conformers: With all hydrogens; where they lie does not matter.

    Raises:
        MeasurementError: Meeko has no type for an atom.
    """
    undefined = tuple(stereo_in_words(molecule(smiles), open_in_water(smiles)))
    ligands = []
    for conformer in conformers:
        pdbqt = write_pdbqt(conformer)
        torsions = sum(line.startswith("BRANCH") for line in pdbqt.splitlines())
        isomer = isomer_in_space(conformer)
        docked = next((text for text in (smiles, form) if text == isomer), isomer)  # these carry their molecule
        ligands.append(Ligand(smiles, docked, undefined, pdbqt, torsions, _extent(conformer)))
    return ligands


def _ring_distance(mol: Chem.Mol, atoms: Sequence[int], first: int, second: int) -> float:
    """Compute the root-mean-square difference of distances between ring atoms, Angstrom; mirror images are alike."""
    a, b = (mol.GetConformer(n).GetPositions()[atoms] for n in (first, second))
    apart = [np.linalg.norm(x[:, None] - x[None], axis=-1) for x in (a, b)]
    return float(np.sqrt(np.mean((apart[0] - apart[1]) ** 2)))


def embed(smiles: str, seed: int, clock: Clock | None = None) -> Chem.Mol:
    """Make one three-dimensional conformer with all hydrogens, by ETKDGv3.

    Args:
        smiles: The protonated form.
        seed: The seed of the embedding.
        clock: The time for it; a new one where None.

    Raises:
        MeasurementError: No conformer exists (a strained or impossible ring), or none was made in time.
    """
    clock = clock or Clock()
    mol = Chem.AddHs(molecule(smiles))
    parameters = rdDistGeom.ETKDGv3()
    parameters.randomSeed = seed
    for parameters.useRandomCoords in (False, True):
        parameters.timeout = clock.left(smiles)
        with rdBase.BlockLogs(), calling("embedding"):
            made = rdDistGeom.EmbedMolecule(mol, parameters) >= 0
        if made:
            return mol
    clock.left(smiles)  # where the time is up, that is the reason
    raise _shapeless(smiles)


def _shapeless(smiles: str) -> MeasurementError:
    return MeasurementError(
        f"embedding: no three-dimensional shape was found for {quote(smiles)}; "
        "its rings or stereocentres are probably too strained"
    )


def relax(mol: Chem.Mol) -> None:
    """Relax the conformer in place with MMFF94s, or with UFF where MMFF94s has no parameters.

    Raises:
        MeasurementError: Neither force field knows the molecule.
    """
    with rdBase.BlockLogs(), calling("force field"):
        if rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
            rdForceFieldHelpers.MMFFOptimizeMolecule(mol, mmffVariant="MMFF94s", maxIters=_RELAX_STEPS)
        elif rdForceFieldHelpers.UFFHasAllMoleculeParams(mol):
            rdForceFieldHelpers.UFFOptimizeMolecule(mol, maxIters=_RELAX_STEPS)
        else:
            raise _fieldless()


def _fieldless() -> MeasurementError:
    return MeasurementError("force field: neither MMFF94s nor UFF has parameters for this molecule")


def write_pdbqt(mol: Chem.Mol) -> str:
    """Write atom types and torsions as pdbqt, by meeko.

    Raises:
        MeasurementError: An atom without a type.
    """
    from meeko import MoleculePreparation, PDBQTWriterLegacy

    with rdBase.BlockLogs(), calling("atom typing: meeko refuses the molecule"):
        # Flexible macrocycles are cut open and badly closed again: rings of 7 lose 3 kcal/mol.
        setups = MoleculePreparation(rigid_macrocycles=True).prepare(mol)
        pdbqt, ok, reason = PDBQTWriterLegacy.write_string(setups[0])
    if not ok:
        reason = str(reason).strip().partition("\n")[0]
        raise MeasurementError(f"atom typing: meeko cannot write the molecule ({reason})")
    return str(pdbqt)


def isomer_in_space(conformer: Chem.Mol) -> str:
    """Write the SMILES of a conformer with the stereo that it has in space."""
    mol = Chem.Mol(conformer)
    with calling("stereochemistry of the conformer"):
        Chem.AssignStereochemistryFrom3D(mol)
        for atom in mol.GetAtoms():
            if atom.GetSymbol() == "N" and atom.GetTotalNumHs(includeNeighbors=True):
                atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)  # its proton comes and goes
        return str(Chem.MolToSmiles(Chem.RemoveHs(mol)))


def _extent(mol: Chem.Mol) -> float:
    return float(Chem.Get3DDistanceMatrix(Chem.RemoveHs(mol)).max())
