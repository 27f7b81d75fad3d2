"""From a SMILES to what Vina docks: protonate, embed, relax, type. Each stage fails with its own name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from tgsci.errors import MeasurementError

from .smiles import molecule, shown, undefined_stereo

PH = 7.4
#: Longest wall time that one embedding may take, s; drugs need well under 1 s.
EMBED_SECONDS = 30
_RELAX_STEPS = 1000
_CATION = "[+]"
#: A ring nitrogen or phenol without its proton; the second ammonium of a 1,2-diamine.
_DOUBTFUL_CHARGE = "[$([n-]),$([O-]c),$([N+;X4;!H0]CC[N+;X4;!H0])]"


@dataclass(frozen=True)
class Ligand:
    """A molecule ready for docking.

    Args:
        smiles: As it was given.
        docked_smiles: As it is docked: protonated at pH 7.4, every stereocentre set.
        undefined: The stereocentres that `smiles` leaves open, in words; one isomer was picked.
        pdbqt: For Vina, with meeko's remarks for the way back.
        torsions: Rotatable bonds that Vina turns.
        extent: Largest distance between two heavy atoms of the starting conformer, Angstrom.
    """

    smiles: str
    docked_smiles: str
    undefined: tuple[str, ...]
    pdbqt: str
    torsions: int
    extent: float


def prepare(smiles: str, seed: int = 1) -> Ligand:
    """Prepare a molecule for docking. The same SMILES and seed give the same ligand.

    Args:
        smiles: Canonical, from `canonical()`.
        seed: Of the starting conformer (rings keep it), and of the isomer where stereo is undefined.

    Raises:
        MeasurementError: A stage failed; the message names it.
    """
    original = molecule(smiles)
    protonated = protonate(smiles)
    conformer = embed(protonated, seed)
    relax(conformer)
    pdbqt = write_pdbqt(conformer)
    return Ligand(
        smiles=smiles,
        docked_smiles=_isomer(conformer),
        undefined=_undefined(original, molecule(protonated)),
        pdbqt=pdbqt,
        torsions=sum(line.startswith("BRANCH") for line in pdbqt.splitlines()),
        extent=_extent(conformer),
    )


def protonate(smiles: str) -> str:
    """The protonation state at pH 7.4, by dimorphite-dl.

    The most probable one, except where dimorphite-dl itself is undecided: its classes for phenols and
    ring N-H span six pKa units around 7 and would make paracetamol (pKa 9.4) a phenolate, and it treats
    the two nitrogens of a piperazine as if the other were not there. There the state without the
    doubtful charges is taken.

    Raises:
        MeasurementError: None was found, or one that is not the same molecule.
    """
    from dimorphite_dl import protonate_smiles

    with rdBase.BlockLogs():
        # A list: a bare string that happens to name a file would be read as one.
        likeliest: Sequence[str] = protonate_smiles([smiles], ph_min=PH, ph_max=PH, max_variants=1)
        possible: Sequence[str] = protonate_smiles([smiles], ph_min=PH, ph_max=PH, max_variants=128)
    if not likeliest or not possible:
        raise MeasurementError(f"protonation: dimorphite-dl has no state of {shown(smiles)} at pH {PH}")
    cations = _count(likeliest[0], _CATION)

    def doubt(state: str) -> tuple[int, int]:
        return _count(state, _DOUBTFUL_CHARGE), abs(_count(state, _CATION) - cations)

    chosen = min((*likeliest, *possible), key=doubt)
    if _skeleton(chosen) != _skeleton(smiles):
        raise MeasurementError(f"protonation: dimorphite-dl made another molecule of {shown(smiles)}: {shown(chosen)}")
    return chosen


def embed(smiles: str, seed: int) -> Chem.Mol:
    """One three-dimensional conformer with all hydrogens, by ETKDGv3.

    Raises:
        MeasurementError: There is none (a strained or impossible ring), or not in `EMBED_SECONDS`.
    """
    mol = Chem.AddHs(molecule(smiles))
    parameters = rdDistGeom.ETKDGv3()
    parameters.randomSeed = seed
    parameters.timeout = EMBED_SECONDS
    with rdBase.BlockLogs():
        failed = rdDistGeom.EmbedMolecule(mol, parameters) < 0
        if failed:
            parameters.useRandomCoords = True
            failed = rdDistGeom.EmbedMolecule(mol, parameters) < 0
    if failed:
        raise MeasurementError(
            f"embedding: no three-dimensional shape was found for {shown(smiles)}; "
            "its rings or stereocentres are probably too strained"
        )
    return mol


def relax(mol: Chem.Mol) -> None:
    """Relax the conformer in place with MMFF94s, or with UFF where MMFF94s has no parameters.

    Raises:
        MeasurementError: Neither force field knows the molecule.
    """
    with rdBase.BlockLogs():
        if rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
            rdForceFieldHelpers.MMFFOptimizeMolecule(mol, mmffVariant="MMFF94s", maxIters=_RELAX_STEPS)
        elif rdForceFieldHelpers.UFFHasAllMoleculeParams(mol):
            rdForceFieldHelpers.UFFOptimizeMolecule(mol, maxIters=_RELAX_STEPS)
        else:
            raise MeasurementError("force field: neither MMFF94s nor UFF has parameters for this molecule")


def write_pdbqt(mol: Chem.Mol) -> str:
    """Atom types and torsions, by meeko.

    Raises:
        MeasurementError: An atom without a type.
    """
    from meeko import MoleculePreparation, PDBQTWriterLegacy

    with rdBase.BlockLogs():
        try:
            # Flexible macrocycles are cut open and badly closed again: rings of 7 lose 3 kcal/mol.
            setups = MoleculePreparation(rigid_macrocycles=True).prepare(mol)
        except (RuntimeError, ValueError) as error:
            raise MeasurementError(f"atom typing: meeko refuses the molecule ({_first_line(error)})") from error
        pdbqt, ok, reason = PDBQTWriterLegacy.write_string(setups[0])
    if not ok:
        raise MeasurementError(f"atom typing: meeko cannot write the molecule ({_first_line(reason)})")
    return str(pdbqt)


def _undefined(original: Chem.Mol, protonated: Chem.Mol) -> tuple[str, ...]:
    """What the molecule leaves open and its docked form does too: an amidine's C=N has no isomers once charged."""
    named = undefined_stereo(original)
    if not any(name.startswith("double bond") for name in undefined_stereo(protonated)):
        named = [name for name in named if not name.startswith("double bond")]
    return tuple(named)


def _isomer(conformer: Chem.Mol) -> str:
    """The SMILES of a conformer with the stereo that it has in space."""
    mol = Chem.Mol(conformer)
    Chem.AssignStereochemistryFrom3D(mol)
    for atom in mol.GetAtoms():
        if atom.GetSymbol() == "N" and atom.GetTotalNumHs(includeNeighbors=True):
            atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)  # its proton comes and goes
    return str(Chem.MolToSmiles(Chem.RemoveHs(mol)))


def _count(smiles: str, smarts: str) -> int:
    return len(molecule(smiles).GetSubstructMatches(_pattern(smarts)))


@cache
def _pattern(smarts: str) -> Chem.Mol:
    return Chem.MolFromSmarts(smarts)


def _skeleton(smiles: str) -> tuple[tuple[str, ...], int]:
    """What protonation must not change: the heavy atoms and the bonds between them."""
    mol = molecule(smiles)
    return tuple(sorted(atom.GetSymbol() for atom in mol.GetAtoms())), mol.GetNumBonds()


def _extent(mol: Chem.Mol) -> float:
    return float(Chem.Get3DDistanceMatrix(Chem.RemoveHs(mol)).max())


def _first_line(message: object) -> str:
    return str(message).strip().partition("\n")[0]
