"""Ionisation: the sites of a molecule that gain or lose a proton in water, each with its pKa.

The classes stand in `ionisation.tsv`, what their neighbours do to them in `substituents.tsv`, each with the compounds
that its figure was measured on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rdkit import Chem

from ..tables import read_table

#: Carbons between an amine and a group that still shifts it, and what a shift keeps of itself at each.
_REACH, _KEPT = 3, 0.5
#: Of the groups of an amine, fluorine apart, those from the third on count half: triethanolamine has 7.8.
_WHOLE = 2
#: What an acid's, base's or ring's own rows are called in the tables.
_BASE, _ACID = "base", "acid"


@dataclass(frozen=True, slots=True)
class Site:
    """An atom that may gain or lose a proton.

    Args:
        atom: Its index.
        acid: True where it loses one (and is charged without it), False where it gains one.
        pka: Of the acid, or of the base's charged form, with every other site neutral.
        name: The class, in words.
    """

    atom: int
    acid: bool
    pka: float
    name: str


@dataclass(frozen=True, slots=True)
class _Class:
    name: str
    kind: str
    pattern: Chem.Mol
    pka: float
    rule: str


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    pattern: Chem.Mol
    shifts: tuple[float, ...]


def sites(mol: Chem.Mol) -> list[Site]:
    """Find the sites of a molecule.

    Args:
        mol: Without explicit hydrogens. An atom that carries a charge is no site: a charge that is written is meant.

    Returns:
        The sites by the index of their atom; an atom may be an acid and a base.
    """
    found: list[Site] = []
    taken: dict[str, set[int]] = {_BASE: set(), _ACID: set()}
    for row in _classes():
        side = _ACID if row.kind.endswith(_ACID) else _BASE
        for match in mol.GetSubstructMatches(row.pattern, maxMatches=1000):
            atom = match[0]
            if atom in taken[side] or mol.GetAtomWithIdx(atom).GetFormalCharge():
                continue
            taken[side].add(atom)
            if row.kind in taken:
                found.append(Site(atom, side == _ACID, row.pka + _shift(mol, atom, row.rule), row.name))
    return sorted(found, key=lambda site: (site.atom, site.acid))


def _shift(mol: Chem.Mol, atom: int, rule: str) -> float:
    """Sum what the neighbours of a site do to its pKa."""
    if rule == "amine":
        return _amine_shift(mol, atom)
    if rule == "phenol":
        carbon = next(n for n in mol.GetAtomWithIdx(atom).GetNeighbors() if n.GetIsAromatic())
        return _ring_shift(mol, carbon.GetIdx(), rule)
    return _ring_shift(mol, atom, rule) if rule else 0.0


def _amine_shift(mol: Chem.Mol, atom: int) -> float:
    """Sum the decrements of the groups within reach along chains and rings of saturated carbon.

    A group that is near on two ways, as the oxygen of morpholine, counts twice.
    """
    ways: dict[int, list[int]] = {}
    for carbon in mol.GetAtomWithIdx(atom).GetNeighbors():
        for other, distance in _along(mol, [atom, carbon.GetIdx()]):
            ways.setdefault(other, []).append(distance)
    whole, others = 0.0, []
    for other, distances in ways.items():
        group = _group_at(mol, other, "amine")
        for distance in [d for d in distances if d < _REACH] or distances[:1]:
            if group is not None:
                shift = group.shifts[0] * _KEPT ** (distance - 1)
                if mol.GetAtomWithIdx(other).GetAtomicNum() == 9:
                    whole += shift
                else:
                    others.append(shift)
    others.sort()
    return whole + sum(others[:_WHOLE]) + 0.5 * sum(others[_WHOLE:])


def _along(mol: Chem.Mol, path: list[int]) -> Iterator[tuple[int, int]]:
    """Find the atoms that hang on saturated carbons, with the number of these between them and the path's start."""
    for neighbour in mol.GetAtomWithIdx(path[-1]).GetNeighbors():
        index = neighbour.GetIdx()
        if index in path:
            continue
        if _saturated_carbon(neighbour):
            if len(path) <= _REACH:
                yield from _along(mol, [*path, index])
        else:
            yield index, len(path) - 1


def _saturated_carbon(atom: Chem.Atom) -> bool:
    return bool(atom.GetAtomicNum() == 6 and atom.GetHybridization() == Chem.HybridizationType.SP3)


def _ring_shift(mol: Chem.Mol, centre: int, rule: str) -> float:
    """Sum the shifts of the groups on the ring of an aromatic atom, each by its place in the ring.

    Of several amino groups of one kind in ortho position one counts, as 2,6-diaminopyridine (6.1) shows.
    """
    size = 5 if rule == "imidazole" else 6
    ring = next((r for r in mol.GetRingInfo().AtomRings() if centre in r and len(r) == size), None)
    if ring is None:
        return 0.0
    start, total = ring.index(centre), 0.0
    ortho: set[str] = set()
    for offset in range(1, size):
        atom = mol.GetAtomWithIdx(ring[(start + offset) % size])
        place = min(offset, size - offset)
        if rule == "imidazole":
            place = _place_in_imidazole(mol, ring, start, offset)
        for neighbour in atom.GetNeighbors():
            index = neighbour.GetIdx()
            if index in ring or mol.GetBondBetweenAtoms(atom.GetIdx(), index).GetIsAromatic():
                continue
            group = _group_at(mol, index, rule)
            if group is None or (place == 1 and rule == "pyridine" and "amino" in group.name and ortho):
                continue
            if place == 1 and "amino" in group.name:
                ortho.add(group.name)
            total += group.shifts[place - 1]
    return total


def _place_in_imidazole(mol: Chem.Mol, ring: Sequence[int], start: int, offset: int) -> int:
    """Number the place of an atom: 1 for C2, 2 for C4 and C5, 3 for the other N."""
    if mol.GetAtomWithIdx(ring[(start + offset) % 5]).GetAtomicNum() == 7:
        return 3
    beside = {ring[(start + offset + step) % 5] for step in (-1, 1)}
    return 1 if all(mol.GetAtomWithIdx(index).GetAtomicNum() == 7 for index in beside) else 2


def _group_at(mol: Chem.Mol, atom: int, rule: str) -> _Group | None:
    """Find the group whose first atom this is."""
    for group in _groups()[rule]:
        if any(match[0] == atom for match in mol.GetSubstructMatches(group.pattern, maxMatches=1000)):
            return group
    return None


@cache
def _classes() -> tuple[_Class, ...]:
    return tuple(read_table(Path(__file__).with_name("ionisation.tsv"), _class))


@cache
def _groups() -> Mapping[str, tuple[_Group, ...]]:
    rows = read_table(Path(__file__).with_name("substituents.tsv"), lambda row: (row["rule"], _group(row)))
    return {rule: tuple(group for name, group in rows if name == rule) for rule in {name for name, _ in rows}}


def _class(row: Mapping[str, str]) -> _Class:
    kind = row["kind"]
    if kind not in (_BASE, _ACID, f"no {_BASE}", f"no {_ACID}"):
        raise ValueError(f"the kind is base, acid, no base or no acid, not {kind!r}")
    pka = float(row["pka"]) if not kind.startswith("no ") else float("nan")
    return _Class(row["class"], kind, _pattern(row["smarts"]), pka, row["rule"])


def _group(row: Mapping[str, str]) -> _Group:
    return _Group(row["group"], _pattern(row["smarts"]), tuple(float(row[n] or "nan") for n in ("1", "2", "3")))


def _pattern(smarts: str) -> Chem.Mol:
    pattern = Chem.MolFromSmarts(smarts)
    if pattern is None:
        raise ValueError(f"no SMARTS: {smarts!r}")
    return pattern
