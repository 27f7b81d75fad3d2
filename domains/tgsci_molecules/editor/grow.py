"""Edits that the docked pose asks for: grow where there is room, drop what earns nothing, satisfy or bury.

All of it is read from the trial's `pose.json`: growth vectors with the room in front of them, what each fragment
earns, buried polar atoms without a partner, atoms that clash. Each edit says what it answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from rdkit import Chem

from tgsci.search.trial import Trial

from ..molecule.smiles import Molecule, atom_name
from ..tables import read_table
from .candidates import molecule_of
from .transformations import BY_NAME, apply_to, attached, changed, finish, origins

#: A pose.json of more characters than this is no report about a drug.
_LONGEST = 1_000_000
_LONGEST_SMILES = 1000
#: Growth vectors that are looked at, the most promising first.
_VECTORS = 6
#: Fragments that are tried on each.
_TRIED = 8
#: A bond between heavy atoms with what it reaches past its end, and one more bond along a chain, Angstrom.
_FIRST_BOND, _BOND = 1.5, 1.1
#: Room that the centre of a fragment's heavy atom has to move in, Angstrom^3; the report gives the room of centres.
_ATOM_VOLUME = 5.0
#: What a fragment may exceed the reach by, Angstrom: side chains and poses give a little.
_SLACK = 0.7
#: A substituent that the report says would earn this much is worth a try, kcal/mol.
_WORTH_A_TRY = -0.2
#: A fragment that earns less than this per heavy atom does not pay its way, kcal/mol.
_POOR = -0.15
#: Atoms of a group that may be dropped or swapped as a whole.
_LARGEST_GROUP = 12


@dataclass(frozen=True)
class Fragment:
    """A group that may be grown.

    Args:
        name: A chemist's name of it.
        smiles: The SMILES; its first atom is bonded.
        characters: What the group is good for, of `_CHARACTERS`; the first counts most.
    """

    name: str
    smiles: str
    characters: tuple[str, ...]

    @property
    def size(self) -> int:
        """Heavy atoms."""
        return _size_and_reach(self.smiles)[0]

    @property
    def reach(self) -> float:
        """How far it goes from the atom that it is bonded to, Angstrom."""
        return _size_and_reach(self.smiles)[1]


@cache
def _size_and_reach(smiles: str) -> tuple[int, float]:
    mol = Chem.MolFromSmiles(f"*-{smiles}")
    bonds = max(int(d) for d in Chem.GetDistanceMatrix(mol)[1])
    return mol.GetNumAtoms() - 1, _FIRST_BOND + _BOND * bonds


_CHARACTERS = ("lipophilic", "donor", "acceptor", "solvent")


def fragment(row: Mapping[str, str]) -> Fragment:
    """Make the fragment of a row of `fragments.tsv`.

    Raises:
        ValueError: RDKit cannot read its SMILES, or it has no character or an unknown one.
    """
    characters = tuple(row["characters"].split(";"))
    if Chem.MolFromSmiles(f"*-{row['smiles']}") is None:
        raise ValueError(f"{row['smiles']!r} is no SMILES that can be bonded by its first atom")
    if not set(characters) <= set(_CHARACTERS):
        raise ValueError(f"no character {row['characters']!r}; there are {', '.join(_CHARACTERS)}")
    return Fragment(row["name"], row["smiles"], characters)


#: What may be grown or put in the place of another group; `fragments.tsv` beside this file.
FRAGMENTS: tuple[Fragment, ...] = tuple(read_table(Path(__file__).with_name("fragments.tsv"), fragment))


@dataclass(frozen=True)
class PoseEdit:
    """An edit that the pose asks for.

    Args:
        smiles: The product, canonical.
        step: Name of the edit; it names the atom by its number in the report about the pose.
        evidence: The finding in the pose that it answers.
        atoms: Indices of the parent's atoms that it removes or binds anew.
    """

    smiles: Molecule
    step: str
    evidence: str
    atoms: tuple[int, ...]


def edits_from_pose(trial: Trial) -> tuple[PoseEdit, ...]:
    """List the edits that a trial's pose asks for, the most promising kinds first; none without a pose.json."""
    if trial.feedback is None or "pose.json" not in trial.feedback.artifacts:
        return ()
    content = trial.feedback.artifacts["pose.json"]
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    parent = molecule_of(trial.value)
    return _edits_for(parent, text) if parent is not None else ()


@lru_cache(maxsize=1024)
def _edits_for(parent: Molecule, text: str) -> tuple[PoseEdit, ...]:
    pose = _pose(text)
    smiles = pose.get("smiles") if pose is not None else None
    if pose is None or not isinstance(smiles, str) or len(smiles) > _LONGEST_SMILES or molecule_of(smiles) != parent:
        return ()
    mol = parent.mol if smiles == parent else Chem.MolFromSmiles(smiles)
    edits: dict[str, PoseEdit] = {}
    for make in (_grow, _relieve, _satisfy, _trim):
        for edit in make(mol, parent, pose):
            edits.setdefault(edit.smiles, edit)
    return tuple(edits.values())


# -- growth -----------------------------------------------------------------------------------------


def _grow(mol: Chem.Mol, parent: Molecule, pose: Mapping[str, Any]) -> Iterator[PoseEdit]:
    """Grow fragments that fill the room along the growth vectors."""
    vectors = [v for v in _entries(pose, "growth", mol) if mol.GetAtomWithIdx(v["atom"]).GetTotalNumHs() > 0]
    done: dict[tuple[int, str], None] = {}
    for vector in vectors:
        atom, character = vector["atom"], str(vector.get("character", ""))
        if len(done) >= _VECTORS:
            return
        if (atom, character) in done:
            continue
        done[atom, character] = None
        tried = _substituent_energies(vector)
        fits = fitting(_number(vector, "reach", 0.0), _number(vector, "volume", 0.0), character)
        known = [f for f in FRAGMENTS if tried.get(f.name, 0.0) <= _WORTH_A_TRY]
        for fragment in dict.fromkeys([*known, *(f for f in fits[:_TRIED] if f.name not in tried)]):
            if not _bondable(mol.GetAtomWithIdx(atom), fragment):
                continue
            product = finish(attached(mol, atom, fragment.smiles), parent)
            if product is None:
                continue
            energy = tried.get(fragment.name)
            worth = f"fits {fragment.name}" if energy is None else f"{fragment.name} could earn {energy:+.1f} kcal/mol"
            step = f"grow {fragment.name} at atom {atom + 1}"
            yield PoseEdit(product, step, f"{_room(mol, vector)}, {worth}", (atom,))


def _substituent_energies(vector: Mapping[str, Any]) -> dict[str, float]:
    """Read what substituents would earn at this place, by the report, kcal/mol."""
    entries = vector.get("substituents")
    return {
        str(e[0]): float(e[1])
        for e in (entries[:50] if isinstance(entries, list) else [])
        if isinstance(e, list) and len(e) == 2 and isinstance(e[1], int | float) and not isinstance(e[1], bool)
    }


def fitting(reach: float, volume: float, character: str) -> list[Fragment]:
    """List the fragments that go into a room, those that fill it best first.

    Args:
        reach: Free room along the vector, Angstrom.
        volume: The volume of the room, Angstrom^3.
        character: What the room wants: "lipophilic", "donor", "acceptor", "polar", "solvent".
    """
    fits = [
        f for f in FRAGMENTS if (f.reach <= reach + _SLACK and f.size * _ATOM_VOLUME <= volume and _suits(f, character))
    ]
    return sorted(fits, key=lambda f: (-f.size + 3 * (f.characters[0] != character), f.name))


def _suits(fragment: Fragment, character: str) -> bool:
    if character == "polar":
        return "donor" in fragment.characters or "acceptor" in fragment.characters
    return character in fragment.characters


def _bondable(atom: Chem.Atom, fragment: Fragment) -> bool:
    """Refuse a heteroatom on a heteroatom, and an acyl group on an amide nitrogen."""
    return atom.GetAtomicNum() == 6 or fragment.smiles[0] in "Cc"


def _room(mol: Chem.Mol, vector: Mapping[str, Any]) -> str:
    character = str(vector.get("character", ""))
    lined = _listed(vector.get("residues"))
    where = {
        "solvent": "out into solvent",
        "lipophilic": "into a lipophilic pocket",
        "donor": "at an acceptor of the protein",
        "acceptor": "at a donor of the protein",
        "polar": "into a polar pocket",
    }.get(character, "into free room")
    by = f" lined by {lined}" if character in ("lipophilic", "polar") else f" ({lined})"
    return (
        f"{atom_name(mol, vector['atom'])}-H points {_number(vector, 'reach', 0.0):.1f} A {where}{by if lined else ''}"
    )


# -- what does not pay ------------------------------------------------------------------------------


def _trim(mol: Chem.Mol, parent: Molecule, pose: Mapping[str, Any]) -> Iterator[PoseEdit]:
    """Drop terminal groups that earn little for their atoms, or swap them for smaller ones."""
    for entry in _group_entries(pose, mol):
        atoms, energy = entry["atoms"], _number(entry, "energy", 0.0)
        if len(atoms) > _LARGEST_GROUP or energy / len(atoms) < _POOR:
            continue
        bond = _single_bond_out(mol, atoms)
        if bond is None:
            continue
        stays, goes = bond
        evidence = (
            f"the group at {atom_name(mol, goes)} earns {energy:+.1f} kcal/mol with {len(atoms)} heavy atoms "
            f"({energy / len(atoms):+.2f} each)"
        )
        for name, fragment in (("", ""), ("methyl", "C"), ("hydroxyl", "O"), ("fluoro", "F"), ("methoxy", "OC")):
            product = finish(_swap(mol, atoms, stays, fragment), parent)
            if product is not None:
                step = f"swap the group for {name} at atom {goes + 1}" if name else f"drop the group at atom {goes + 1}"
                yield PoseEdit(product, step, evidence, tuple(sorted({*atoms, stays})))


def _relieve(mol: Chem.Mol, parent: Molecule, pose: Mapping[str, Any]) -> Iterator[PoseEdit]:
    """Drop terminal atoms that clash with the protein, or put fluorine in their place."""
    for entry in _entries(pose, "repulsive", mol):
        atom = mol.GetAtomWithIdx(entry["atom"])
        if atom.GetDegree() != 1 or atom.GetBonds()[0].GetBondType() != Chem.BondType.SINGLE:
            continue
        stays = atom.GetNeighbors()[0].GetIdx()
        evidence = (
            f"{atom_name(mol, entry['atom'])} clashes with {str(entry.get('residue', 'the protein'))[:20]} "
            f"({_number(entry, 'energy', 0.0):+.1f} kcal/mol)"
        )
        for step, fragment in (("drop", ""), ("swap for fluoro", "F")):
            product = finish(_swap(mol, [entry["atom"]], stays, fragment), parent)
            if product is not None:
                yield PoseEdit(product, f"{step} at atom {entry['atom'] + 1}", evidence, (stays, entry["atom"]))


#: What takes the polarity of an atom away, or its hydrogen.
_LESS_POLAR = (
    "ring N to CH",
    "azole N to CH",
    "swap ring N with the next CH",
    "azole N-methylation",
    "N-methylation",
    "O-methylation",
    "hydroxyl to F",
    "remove hydroxyl",
    "remove amino",
    "ether O to CH2",
    "amine NH to CH2",
    "amine NH to O",
    "C=O to CH2",
    "remove nitrile",
)


def _satisfy(mol: Chem.Mol, parent: Molecule, pose: Mapping[str, Any]) -> Iterator[PoseEdit]:
    """Take the polarity away from buried polar atoms without a partner."""
    lonely = _entries(pose, "unsatisfied", mol)[:3]
    if not lonely or Chem.MolToSmiles(mol, canonical=False) != parent:
        return  # the atoms are traced in the canonical order
    for name in _LESS_POLAR:
        transformation = BY_NAME[name]
        for product in apply_to(transformation, parent.mol, parent):
            atoms = changed(parent, product, origins(transformation, parent, product))
            for entry in lonely:
                if entry["atom"] in atoms:
                    role = str(entry.get("role", "polar atom"))[:20]
                    evidence = f"{atom_name(mol, entry['atom'])} is a buried {role} without a partner"
                    yield PoseEdit(product, f"{name} at atom {entry['atom'] + 1}", evidence, atoms)
                    break


# -- molecules --------------------------------------------------------------------------------------


def _swap(mol: Chem.Mol, atoms: Sequence[int], stays: int, fragment: str) -> Chem.Mol:
    """Replace the group `atoms`, bonded to `stays`, by a fragment; by hydrogen where that is ""."""
    product = Chem.RWMol(attached(mol, stays, fragment) if fragment else mol)
    site = product.GetAtomWithIdx(stays)
    if not fragment and site.GetNoImplicit():
        site.SetNumExplicitHs(site.GetNumExplicitHs() + 1)
    if fragment and mol.GetAtomWithIdx(stays).GetNumExplicitHs():  # `attached` took a hydrogen that stays
        site.SetNumExplicitHs(mol.GetAtomWithIdx(stays).GetNumExplicitHs())
    site.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    for index in sorted(atoms, reverse=True):
        product.RemoveAtom(index)
    return product.GetMol()


def _single_bond_out(mol: Chem.Mol, atoms: Sequence[int]) -> tuple[int, int] | None:
    """Find the only bond between a group and the rest: the atom that stays and the one that goes."""
    inside = set(atoms)
    out = [
        (other, index, bond)
        for index in atoms
        for bond in mol.GetAtomWithIdx(index).GetBonds()
        if (other := bond.GetOtherAtomIdx(index)) not in inside
    ]
    if len(out) != 1 or out[0][2].GetBondType() != Chem.BondType.SINGLE or len(inside) >= mol.GetNumAtoms() - 4:
        return None
    return out[0][0], out[0][1]


# -- reading ----------------------------------------------------------------------------------------


def _pose(text: str) -> Mapping[str, Any] | None:
    if len(text) > _LONGEST:
        return None
    try:
        pose = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return pose if isinstance(pose, dict) else None


def _entries(pose: Mapping[str, Any], name: str, mol: Chem.Mol) -> list[dict[str, Any]]:
    """List the entries of a list of the report that name an atom of the molecule."""
    entries = pose.get(name)
    if not isinstance(entries, list):
        return []
    return [e for e in entries[:200] if isinstance(e, dict) and _is_atom(e.get("atom"), mol)]


def _group_entries(pose: Mapping[str, Any], mol: Chem.Mol) -> list[dict[str, Any]]:
    entries = pose.get("fragments")
    return [
        e
        for e in (entries[:200] if isinstance(entries, list) else [])
        if isinstance(e, dict)
        and isinstance(e.get("atoms"), list)
        and e["atoms"]
        and all(_is_atom(i, mol) for i in e["atoms"])
    ]


def _is_atom(value: object, mol: Chem.Mol) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < mol.GetNumAtoms()


def _number(entry: Mapping[str, Any], name: str, default: float) -> float:
    value = entry.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6
    return float(value) if is_number else default  # type: ignore[arg-type]


def _listed(names: object) -> str:
    residues = [str(n)[:20] for n in names[:4]] if isinstance(names, list) else []
    return ", ".join(residues)
