"""The name of a change: a matched pair of groups, so that equal changes on different molecules have equal names.

As in matched molecular pairs (Hussain and Rea 2010): both molecules are cut at one or two acyclic single bonds, and
where what is left over is the same, what was cut out is the change. An atom that changed inside a ring system, which no
cut isolates, is found by laying the ring systems onto each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import combinations

from rdkit import Chem, rdBase

from ..molecule.smiles import MAX_HEAVY_ATOMS, MAX_LENGTH, parse
from .family import ring_atoms

#: The change from one stereoisomer to another, or from an open centre to a set one.
OTHER_STEREO = "other stereochemistry"
#: A group of more heavy atoms than this is no change but another molecule.
_LARGEST = 12
#: A change of so few atoms at one bond is looked at no further.
_SMALL = 2
#: Bonds that are cut in pairs, at most: a long chain has hundreds of pairs.
_BONDS = 12
#: Atoms that may change at once inside rings.
_ATOMS = 2
#: Ways to lay one molecule onto the other that are looked at.
_WAYS = 64


@lru_cache(maxsize=8192)
def change(parent: str, child: str) -> str:
    """Name the change from one molecule to another: "H to F on an aromatic ring (end)", "*c1ccc(*)cc1 to *c1ccc(*)nc1".

    Args:
        parent: A SMILES.
        child: Another.

    Returns:
        "" where too much has changed, or one of them is no molecule.
    """
    if max(len(parent), len(child)) > MAX_LENGTH:
        return ""
    mols = [parse(text) for text in (parent, child)]
    if any(mol is None or not 0 < mol.GetNumAtoms() <= MAX_HEAVY_ATOMS for mol in mols):
        return ""
    try:
        with rdBase.BlockLogs():
            before, after = (Chem.MolToSmiles(mol) for mol in mols)
            if before == after:
                return ""
            flat = [Chem.MolToSmiles(mol, isomericSmiles=False) for mol in mols]
            return OTHER_STEREO if flat[0] == flat[1] else _change(before, after)
    except (RuntimeError, ValueError):  # RDKit's own are of these kinds
        return ""


def _change(before: str, after: str) -> str:
    """Name the smallest change: of a group at one bond, of atoms in rings, or of what lies between two bonds."""
    group = _group_changed(_single_cuts(before), _single_cuts(after))
    if group and group[0] <= _SMALL:
        return group[1]
    found = [each for each in (group, _atoms_changed(before, after)) if each]
    if not found or min(found)[0] > _SMALL + _ATOMS:
        between = _group_changed(_double_cuts(before), _double_cuts(after))
        found += [between] if between else []
    return min(found, default=(0, ""))[1]


def _group_changed(first: Mapping[str, str], second: Mapping[str, str]) -> tuple[int, str] | None:
    """Find the smallest group that changed where all else stayed: its heavy atoms before and after, and its name."""
    found = []
    for rest in first.keys() & second.keys():
        sizes = [_size(cuts[rest]) for cuts in (first, second)]
        if max(sizes) <= _LARGEST:
            found.append((sum(sizes), first[rest], second[rest], rest))
    if not found:
        return None
    size, here, there, rest = min(found)
    return size, _name(here, there, rest)


@lru_cache(maxsize=4096)
def _size(group: str) -> int:
    """Count the heavy atoms of a group; the attachment points are none."""
    return int(sum(atom.GetAtomicNum() > 1 for atom in Chem.MolFromSmiles(group).GetAtoms()))


@lru_cache(maxsize=512)
def _single_cuts(smiles: str) -> Mapping[str, str]:
    """Cut a molecule at each bond to a hydrogen and each acyclic single bond; see `_smallest`."""
    mol = Chem.MolFromSmiles(smiles)
    return _smallest([*_hydrogens(mol), *_single(mol)])


@lru_cache(maxsize=512)
def _double_cuts(smiles: str) -> Mapping[str, str]:
    """Cut a molecule at each two acyclic single bonds; see `_smallest`."""
    return _smallest(_double(Chem.MolFromSmiles(smiles)))


def _smallest(cuts: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Keep for each rest of a molecule the smallest group that was cut out; both have `*` where they were joined."""
    kept: dict[str, str] = {}
    for rest, group in cuts:
        if rest not in kept or (_size(group), group) < (_size(kept[rest]), kept[rest]):
            kept[rest] = group
    return kept


def _hydrogens(mol: Chem.Mol) -> Iterator[tuple[str, str]]:
    """Cut off one hydrogen of each atom that has one."""
    seen: set[int] = set()
    ranks = list(Chem.CanonicalRankAtoms(mol, breakTies=False))
    for atom in mol.GetAtoms():
        if not atom.GetTotalNumHs() or ranks[atom.GetIdx()] in seen:
            continue
        seen.add(ranks[atom.GetIdx()])
        rest = Chem.RWMol(mol)
        bearer = rest.GetAtomWithIdx(atom.GetIdx())
        if bearer.GetNumExplicitHs():
            bearer.SetNumExplicitHs(bearer.GetNumExplicitHs() - 1)
        rest.AddBond(atom.GetIdx(), rest.AddAtom(Chem.Atom(0)), Chem.BondType.SINGLE)
        yield _spelled(rest.GetMol()), "[H]*"


def _single(mol: Chem.Mol) -> Iterator[tuple[str, str]]:
    """Cut each acyclic single bond; either side may be the group."""
    for bond in _acyclic(mol):
        pieces = _pieces(mol, (bond,))
        if len(pieces) == 2:
            yield pieces[0], pieces[1]
            yield pieces[1], pieces[0]


def _double(mol: Chem.Mol) -> Iterator[tuple[str, str]]:
    """Cut two acyclic single bonds; the piece between them is the group."""
    inner = [n for n in _acyclic(mol) if all(atom.GetDegree() > 1 for atom in _ends(mol.GetBondWithIdx(n)))]
    for both in combinations(inner[:_BONDS], 2):
        pieces = _pieces(mol, both)
        middle = [piece for piece in pieces if piece.count("*") == 2]
        if len(pieces) == 3 and len(middle) == 1:
            yield ".".join(sorted(piece for piece in pieces if piece is not middle[0])), middle[0]


def _acyclic(mol: Chem.Mol) -> list[int]:
    return [
        bond.GetIdx() for bond in mol.GetBonds() if bond.GetBondType() == Chem.BondType.SINGLE and not bond.IsInRing()
    ]


def _ends(bond: Chem.Bond) -> tuple[Chem.Atom, Chem.Atom]:
    return bond.GetBeginAtom(), bond.GetEndAtom()


def _pieces(mol: Chem.Mol, bonds: tuple[int, ...]) -> list[str]:
    cut = Chem.FragmentOnBonds(mol, bonds, dummyLabels=[(0, 0)] * len(bonds))
    return [str(Chem.MolToSmiles(piece)) for piece in Chem.GetMolFrags(cut, asMols=True, sanitizeFrags=False)]


def _spelled(mol: Chem.Mol) -> str:
    Chem.SanitizeMol(mol)
    return str(Chem.MolToSmiles(mol))


def _name(here: str, there: str, rest: str) -> str:
    """Name a change of groups; with one attachment point also what bears them."""
    words = f"{_group(here)} to {_group(there)}" if here != there else f"{_group(here)} turned round"
    return words if "." in rest else f"{words} on {_bearer(rest)}"


def _group(smiles: str) -> str:
    """Write a group without its attachment point where a reader sees it anyway."""
    return {"[H]*": "H", "*[H]": "H"}.get(smiles) or (smiles[1:] if smiles[1:].isalpha() else smiles)


def _bearer(rest: str) -> str:
    """Say in general words what a group is bound to: an aromatic ring in the middle, a nitrogen, a chain."""
    mol = Chem.MolFromSmiles(rest)
    (point,) = (atom for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0)
    (atom,) = point.GetNeighbors()
    if not atom.IsInRing():
        return {"C": "a chain carbon", "N": "a nitrogen", "O": "an oxygen"}.get(atom.GetSymbol(), "a chain atom")
    ring = "an aromatic ring" if atom.GetIsAromatic() else "a ring"
    element = "" if atom.GetSymbol() == "C" else f" {atom.GetSymbol()} of"
    return f"{'the' if element else ''}{element} {ring} ({_place(mol, atom.GetIdx())})".strip()


def _place(mol: Chem.Mol, atom: int) -> str:
    """Tell where in the molecule a ring system is: alone, at an end or in the middle."""
    systems = ring_atoms(mol)
    mine = next(system for system in systems if atom in system)
    others = set().union(*systems) - mine
    if not others:
        return "the only one"
    ways = 0
    for begin in sorted(mine):
        for neighbour in mol.GetAtomWithIdx(begin).GetNeighbors():
            if neighbour.GetIdx() not in mine and _leads_to(mol, neighbour.GetIdx(), mine, others):
                ways += 1
    return "end" if ways == 1 else "middle"


def _leads_to(mol: Chem.Mol, start: int, without: set[int], goal: set[int]) -> bool:
    ahead, seen = [start], set(without)
    while ahead:
        at = ahead.pop()
        if at in goal:
            return True
        seen.add(at)
        ahead += [n.GetIdx() for n in mol.GetAtomWithIdx(at).GetNeighbors() if n.GetIdx() not in seen]
    return False


def _atoms_changed(before: str, after: str) -> tuple[int, str] | None:
    """Name the ring atoms that changed where all else is the same: "CH to N in an aromatic ring (middle)".

    Returns:
        How many atoms they are, before and after; and the name.
    """
    first, second = Chem.MolFromSmiles(before), Chem.MolFromSmiles(after)
    if first.GetNumAtoms() != second.GetNumAtoms() or first.GetNumBonds() != second.GetNumBonds():
        return None
    parameters = Chem.AdjustQueryParameters.NoAdjustments()
    parameters.makeAtomsGeneric = parameters.makeBondsGeneric = True
    ways = second.GetSubstructMatches(Chem.AdjustQueryProperties(first, parameters), uniquify=False, maxMatches=_WAYS)
    best: list[tuple[str, str, int]] | None = None
    for way in ways:
        changed = []
        for here, there in enumerate(way):
            a, b = first.GetAtomWithIdx(here), second.GetAtomWithIdx(there)
            if a.GetAtomicNum() != b.GetAtomicNum() or a.GetIsAromatic() != b.GetIsAromatic():
                changed.append((_atom(a), _atom(b), here))
        if best is None or len(changed) < len(best):
            best = changed
    if not best or len(best) > _ATOMS or not all(first.GetAtomWithIdx(i).IsInRing() for _, _, i in best):
        return None
    words = ", ".join(sorted(f"{a} to {b}" for a, b, _ in best))
    atom = first.GetAtomWithIdx(best[0][2])
    ring = "an aromatic ring" if atom.GetIsAromatic() else "a ring"
    return 2 * len(best), f"{words} in {ring} ({_place(first, atom.GetIdx())})"


def _atom(atom: Chem.Atom) -> str:
    hydrogens = atom.GetTotalNumHs()
    return f"{atom.GetSymbol()}{'H' if hydrogens else ''}{hydrogens if hydrogens > 1 else ''}"
