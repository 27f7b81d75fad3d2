"""The part that two molecules have in common, atom by atom, in every way that symmetry allows.

Analogues are close, so that no search for the largest common part is needed (which takes seconds where a ring of five
became one of six): from the atoms whose surroundings are most alike, the part grows along the bonds, the likest
neighbours first. It takes milliseconds, and no clock decides what is found.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from .smiles import parse

#: Fewer common atoms than this say nothing of a pose.
LEAST = 6
#: How many bonds around an atom its surroundings are compared, and from how many pairs of atoms a part is grown.
_RADIUS, _SEEDS = 6, 12
#: Ways to lay one molecule onto the other that are looked at.
_WAYS = 200

#: Pairs of atom indices: in the first molecule, in the second.
Pairs = tuple[tuple[int, int], ...]


def common_part(first: Chem.Mol, second: Chem.Mol) -> tuple[Pairs, ...]:
    """Find the common part of two molecules: atoms of any element, rings whole or not at all, in one piece.

    Of the ways to lay one onto the other those count where most atoms are alike.

    Args:
        first: Without hydrogens.
        second: The same.

    Returns:
        Each way as pairs of atoms, in the order of the first molecule's; nothing where fewer than 6 atoms are common.
    """
    written = [Chem.MolToSmiles(mol) for mol in (first, second)]
    orders = [_order(mol) for mol in (first, second)]
    return tuple(
        tuple(sorted((orders[0][here], orders[1][there]) for here, there in pairs)) for pairs in _of_smiles(*written)
    )


def connected(mol: Chem.Mol, atoms: set[int]) -> list[set[int]]:
    """Split some atoms of a molecule into connected pieces, that of the first atom first."""
    pieces, left = [], set(atoms)
    while left:
        ahead = [min(left)]
        piece: set[int] = set()
        while ahead:
            atom = ahead.pop()
            if atom in left:
                left.discard(atom)
                piece.add(atom)
                ahead += [n.GetIdx() for n in mol.GetAtomWithIdx(atom).GetNeighbors()]
        pieces.append(piece)
    return pieces


def _order(mol: Chem.Mol) -> tuple[int, ...]:
    """Get the atoms in the order in which RDKit just wrote them."""
    order = mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"]
    return tuple(int(i) for i in order)


@lru_cache(maxsize=1024)
def _of_smiles(first: str, second: str) -> tuple[Pairs, ...]:
    here, there = parse(first), parse(second)
    if here is None or there is None or min(here.GetNumAtoms(), there.GetNumAtoms()) < LEAST:
        return ()
    likeness = _likeness(here, there)
    best: Pairs = ()
    rank = (0, 0.0)
    for seed in _seeds(likeness):
        if seed in best:
            continue
        pairs = _whole_rings(here, there, _grown(here, there, seed, likeness))
        if (len(pairs), _alike(here, there, pairs)) > rank:
            best, rank = pairs, (len(pairs), _alike(here, there, pairs))
    return _ways(here, there, best) if len(best) >= LEAST else ()


def _likeness(first: Chem.Mol, second: Chem.Mol) -> NDArray[np.float64]:
    """Compare the surroundings of each two atoms: the further out they are the same, the higher."""
    likeness = np.zeros((first.GetNumAtoms(), second.GetNumAtoms()))
    for exact, weight in ((True, 2.0), (False, 1.0)):
        one, other = (np.array(_surroundings(mol, exact)) for mol in (first, second))
        likeness += weight * (one[:, None, :] == other[None, :, :]).sum(axis=2)
    return likeness


def _surroundings(mol: Chem.Mol, exact: bool) -> list[list[int]]:
    """Number the surroundings of each atom up to 0, 1, 2 ... bonds away, by elements or by shape alone."""
    atoms = list(mol.GetAtoms())
    level = [
        hash((atom.IsInRing(), atom.GetDegree(), *((atom.GetAtomicNum(), atom.GetIsAromatic()) if exact else ())))
        for atom in atoms
    ]
    levels = [level]
    for _ in range(_RADIUS):
        level = [
            hash((level[atom.GetIdx()], *sorted(level[n.GetIdx()] for n in atom.GetNeighbors()))) for atom in atoms
        ]
        levels.append(level)
    return [list(each) for each in zip(*levels, strict=True)]


def _seeds(likeness: NDArray[np.float64]) -> list[tuple[int, int]]:
    order = np.argsort(-likeness, axis=None, kind="stable")[:_SEEDS]
    return [(int(i) // likeness.shape[1], int(i) % likeness.shape[1]) for i in order]


def _grown(first: Chem.Mol, second: Chem.Mol, seed: tuple[int, int], likeness: NDArray[np.float64]) -> dict[int, int]:
    """Grow a common part from two atoms, the likest neighbours first; bonds lie on bonds, rings on rings."""
    mapped: dict[int, int] = {}
    back: dict[int, int] = {}
    queue = [(0.0, *seed)]
    while queue:
        _, here, there = heapq.heappop(queue)
        if here in mapped or there in back or not _fits(first, second, here, there, mapped, back):
            continue
        mapped[here], back[there] = there, here
        for a in first.GetAtomWithIdx(here).GetNeighbors():
            for b in second.GetAtomWithIdx(there).GetNeighbors():
                if a.GetIdx() not in mapped and b.GetIdx() not in back:
                    heapq.heappush(queue, (-float(likeness[a.GetIdx(), b.GetIdx()]), a.GetIdx(), b.GetIdx()))
    return mapped


def _fits(
    first: Chem.Mol, second: Chem.Mol, here: int, there: int, mapped: dict[int, int], back: dict[int, int]
) -> bool:
    a, b = first.GetAtomWithIdx(here), second.GetAtomWithIdx(there)
    if a.IsInRing() != b.IsInRing():
        return False
    near = {mapped[n.GetIdx()] for n in a.GetNeighbors() if n.GetIdx() in mapped}
    return near == {n.GetIdx() for n in b.GetNeighbors() if n.GetIdx() in back}


def _whole_rings(first: Chem.Mol, second: Chem.Mol, mapped: dict[int, int]) -> Pairs:
    """Leave out the atoms of rings that are not common as a whole, and all but the largest piece of what is left."""
    kept = dict(mapped)
    while True:
        there = set(kept.values())
        partial = {
            here
            for here, other in kept.items()
            if not _in_whole_ring(first, here, set(kept)) or not _in_whole_ring(second, other, there)
        }
        if not partial:
            break
        kept = {here: other for here, other in kept.items() if here not in partial}
    pieces = connected(first, set(kept))
    largest = max(pieces, key=lambda piece: (len(piece), -min(piece)), default=set())
    return tuple(sorted((here, other) for here, other in kept.items() if here in largest))


def _in_whole_ring(mol: Chem.Mol, atom: int, atoms: set[int]) -> bool:
    """Tell whether an atom is in no ring, or in one that is among the atoms as a whole."""
    rings = mol.GetRingInfo()
    return not rings.NumAtomRings(atom) or any(atom in ring and atoms.issuperset(ring) for ring in rings.AtomRings())


def _alike(first: Chem.Mol, second: Chem.Mol, pairs: Pairs) -> float:
    """Count the atoms that are alike: by element, and less by whether they are aromatic and how they are bonded."""
    total = 0.0
    for here, there in pairs:
        a, b = first.GetAtomWithIdx(here), second.GetAtomWithIdx(there)
        total += 1.0 * (a.GetAtomicNum() == b.GetAtomicNum())
        total += 0.5 * (a.GetIsAromatic() == b.GetIsAromatic()) + 0.25 * (a.GetDegree() == b.GetDegree())
    return total


def _ways(first: Chem.Mol, second: Chem.Mol, pairs: Pairs) -> tuple[Pairs, ...]:
    """Lay the common part onto itself in every way that its shape allows, and keep those where most atoms are alike.

    Elements do not count for the shape: a ring where a carbon became nitrogen fits in two ways.
    """
    part = _shape(second, [there for _, there in pairs])
    ways = [
        tuple((here, there) for (here, _), there in zip(pairs, match, strict=True))
        for match in second.GetSubstructMatches(part, uniquify=False, maxMatches=_WAYS)
    ]
    alike = [_alike(first, second, way) if _rings_fit(first, second, way) else -1.0 for way in (pairs, *ways)]
    most = max(alike)
    return tuple(sorted({way for way, like in zip((pairs, *ways), alike, strict=True) if like == most}))


def _rings_fit(first: Chem.Mol, second: Chem.Mol, pairs: Pairs) -> bool:
    return all(first.GetAtomWithIdx(a).IsInRing() == second.GetAtomWithIdx(b).IsInRing() for a, b in pairs)


def _shape(mol: Chem.Mol, atoms: Sequence[int]) -> Chem.Mol:
    """Make a query of some atoms of a molecule and the bonds between them, whatever their elements and orders."""
    part = Chem.RWMol()
    for _ in atoms:
        part.AddAtom(Chem.AtomFromSmarts("*"))
    places = {atom: n for n, atom in enumerate(atoms)}
    for bond in mol.GetBonds():
        ends = [places.get(i, -1) for i in (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())]
        if min(ends) >= 0:
            part.AddBond(*ends, Chem.BondType.SINGLE)
    parameters = Chem.AdjustQueryParameters.NoAdjustments()
    parameters.makeBondsGeneric = True
    return Chem.AdjustQueryProperties(part.GetMol(), parameters)
