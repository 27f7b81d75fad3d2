"""The family of a molecule: its ring systems with their linkers, whatever the atoms, under a short stable name."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from rdkit import Chem, rdBase
from rdkit.Chem.Scaffolds import MurckoScaffold

from ..molecule.smiles import parse

#: The family of molecules without a ring, and that of what is no molecule.
ACYCLIC, NO_MOLECULE = "acyclic", "no molecule"
#: Digits of the suffix that tells families with the same rings apart: one clash in 10,000 pairs.
_DIGITS = 3
_ALPHABET = "bcdfghjkmnpqrstvwxyz"


@lru_cache(maxsize=4096)
def family(value: str) -> str:
    """Name the generic ring system of a molecule: "6-5/6 kqm" is a six-ring, a linker and a fused 5/6 system.

    Ring sizes of a fused, bridged or spiro system stand between slashes; the suffix is made from the scaffold (Bemis
    and Murcko 1996, every atom a carbon, every bond single), so that it is the same in every run. A molecule whose
    scaffold is a single ring has the ring's size alone.

    Args:
        value: A SMILES.
    """
    generic = generic_scaffold(value)
    if generic is None:
        return NO_MOLECULE
    if not generic:
        return ACYCLIC
    systems = sorted(ring_systems(Chem.MolFromSmiles(generic)), key=lambda sizes: (len(sizes), sizes))
    rings = "-".join("/".join(map(str, sizes)) for sizes in systems)
    return rings if rings.isdigit() else f"{rings} {_suffix(generic)}"


def generic_scaffold(value: str) -> str | None:
    """Reduce a molecule to its rings and linkers, all carbon: a SMILES; "" without a ring, None for no molecule.

    Unlike RDKit's, without the atoms that a double bond ties to the scaffold: a lactam is of its ring's family.
    """
    mol = parse(value)
    if mol is None or mol.GetNumAtoms() == 0:
        return None
    try:
        with rdBase.BlockLogs():
            plain = MurckoScaffold.MakeScaffoldGeneric(_flat(mol))
            core = MurckoScaffold.GetScaffoldForMol(plain)
            return str(Chem.MolToSmiles(core)) if core.GetNumAtoms() else ""
    except ValueError:  # RDKit's own are of this kind
        return None


def ring_systems(mol: Chem.Mol) -> list[tuple[int, ...]]:
    """List the ring systems of a molecule, rings that share an atom, each as the sorted sizes of its rings."""
    rings = mol.GetRingInfo().AtomRings()
    return [tuple(sorted(len(ring) for ring in rings if system.issuperset(ring))) for system in ring_atoms(mol)]


def ring_atoms(mol: Chem.Mol) -> list[set[int]]:
    """List the atoms of each ring system of a molecule."""
    systems: list[set[int]] = []
    for ring in map(set, mol.GetRingInfo().AtomRings()):
        joined = [system for system in systems if system & ring]
        systems = [*(system for system in systems if not system & ring), ring.union(*joined)]
    return systems


def _flat(mol: Chem.Mol) -> Chem.Mol:
    """Take stereochemistry off: generic atoms have none."""
    flat = Chem.Mol(mol)
    Chem.RemoveStereochemistry(flat)
    return flat


def _suffix(generic: str) -> str:
    number = int.from_bytes(hashlib.sha256(generic.encode()).digest()[:8])
    letters = []
    for _ in range(_DIGITS):
        number, digit = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return "".join(letters)
