"""The part that two molecules have in common, atom by atom, in every way that symmetry allows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rdkit import Chem, rdBase
from rdkit.Chem import rdFMCS

from .smiles import parse

#: Longest that the common part is looked for, s; drugs take 3 ms, and 0.4 s where two rings are hard to tell apart.
SECONDS = 2
#: Fewer common atoms than this say nothing of a pose.
LEAST = 6
#: Ways to lay one molecule onto the other that are looked at.
_PLACES, _WAYS = 8, 200

#: Pairs of atom indices: in the first molecule, in the second.
Pairs = tuple[tuple[int, int], ...]


def common_part(first: Chem.Mol, second: Chem.Mol) -> tuple[Pairs, ...]:
    """Find the common part of two molecules: atoms of any element, rings whole or not at all, in one piece.

    Of the ways to lay one onto the other those count where most atoms are alike. The search has a time limit, and what
    it has not finished by then does not count: what comes back never depends on the speed of the machine.

    Args:
        first: Without hydrogens.
        second: The same.

    Returns:
        Each way as pairs of atoms, in the order of the first molecule's; nothing where fewer than 6 atoms are common.
    """
    return _common(Chem.MolToSmiles(first), Chem.MolToSmiles(second), _order(first), _order(second))


def _order(mol: Chem.Mol) -> tuple[int, ...]:
    """Get the atoms in the order in which RDKit just wrote them."""
    order = mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"]
    return tuple(int(i) for i in order)


def _common(first: str, second: str, first_order: Sequence[int], second_order: Sequence[int]) -> tuple[Pairs, ...]:
    """Translate the common part of two SMILES to the atoms of the molecules that they were written from."""
    return tuple(
        tuple(sorted((first_order[a], second_order[b]) for a, b in pairs)) for pairs in _of_smiles(first, second)
    )


@lru_cache(maxsize=1024)
def _of_smiles(first: str, second: str) -> tuple[Pairs, ...]:
    one, other = parse(first), parse(second)
    if one is None or other is None or min(one.GetNumAtoms(), other.GetNumAtoms()) < LEAST:
        return ()
    with rdBase.BlockLogs():
        try:
            found = rdFMCS.FindMCS([one, other], _parameters())
        except (RuntimeError, ValueError):
            return ()
    if found.canceled or found.numAtoms < LEAST:
        return ()
    query = Chem.AdjustQueryProperties(Chem.MolFromSmarts(found.smartsString), _any_atoms())
    ways = [
        tuple(zip(here, there, strict=True))
        for here in one.GetSubstructMatches(query, maxMatches=_PLACES)
        for there in other.GetSubstructMatches(query, uniquify=False, maxMatches=_WAYS)
    ]
    likeness = [_likeness(one, other, pairs) for pairs in ways]
    best = max(likeness, default=0.0)
    whole = {_whole_rings(one, other, pairs) for pairs, like in zip(ways, likeness, strict=True) if like == best}
    most = max(map(len, whole), default=0)
    return tuple(sorted(pairs for pairs in whole if len(pairs) == most >= LEAST))


def _parameters() -> rdFMCS.MCSParameters:
    parameters = rdFMCS.MCSParameters()
    parameters.AtomTyper = rdFMCS.AtomCompare.CompareAny
    parameters.BondTyper = rdFMCS.BondCompare.CompareAny
    parameters.AtomCompareParameters.RingMatchesRingOnly = True
    # Whole rings only would be asked for here, but that takes seconds where a ring of 5 became one of 6.
    parameters.BondCompareParameters.RingMatchesRingOnly = True
    parameters.Timeout = SECONDS
    return parameters


def _any_atoms() -> Chem.AdjustQueryParameters:
    """Forget the elements: with them, a ring where a carbon became nitrogen fits in one of two ways only."""
    parameters = Chem.AdjustQueryParameters.NoAdjustments()
    parameters.makeAtomsGeneric = parameters.makeBondsGeneric = True
    return parameters


def _likeness(first: Chem.Mol, second: Chem.Mol, pairs: Pairs) -> float:
    """Count the atoms that are alike: by element, and less by whether they are aromatic and how they are bonded."""
    total = 0.0
    for here, there in pairs:
        a, b = first.GetAtomWithIdx(here), second.GetAtomWithIdx(there)
        total += 1.0 * (a.GetAtomicNum() == b.GetAtomicNum())
        total += 0.5 * (a.GetIsAromatic() == b.GetIsAromatic()) + 0.25 * (a.GetDegree() == b.GetDegree())
    return total


def _whole_rings(first: Chem.Mol, second: Chem.Mol, pairs: Pairs) -> Pairs:
    """Leave out the atoms of rings that are not common as a whole, and all but the largest piece of what is left."""
    kept = dict(pairs)
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
    largest = max(pieces, key=lambda piece: (len(piece), [-i for i in sorted(piece)]), default=set())
    return tuple(sorted((here, other) for here, other in kept.items() if here in largest))


def _in_whole_ring(mol: Chem.Mol, atom: int, atoms: set[int]) -> bool:
    """Tell whether an atom is in no ring, or in one that is among the atoms as a whole."""
    rings = mol.GetRingInfo()
    return not rings.NumAtomRings(atom) or any(atom in ring and atoms.issuperset(ring) for ring in rings.AtomRings())


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
