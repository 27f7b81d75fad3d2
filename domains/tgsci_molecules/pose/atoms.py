"""Atoms of a pdbqt as Vina 1.2 types them: by the bonds it sees, which are not always a chemist's.

Vina knows no bonds from the file. It finds them by distance, and misses the longest edge of a three-membered
ring; whoever wants its energies back must do the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from tgsci.errors import UsageError

from .terms import Flags, Floats, Kinds

#: By AutoDock type: element, Vina's radius and the covalent radius, Angstrom.
_TYPES: dict[str, tuple[str, float, float]] = {
    "C": ("C", 1.9, 0.77),
    "A": ("C", 1.9, 0.77),
    "N": ("N", 1.8, 0.75),
    "NA": ("N", 1.8, 0.75),
    "NS": ("N", 1.8, 0.75),
    "O": ("O", 1.7, 0.73),
    "OA": ("O", 1.7, 0.73),
    "OS": ("O", 1.7, 0.73),
    "S": ("S", 2.0, 1.02),
    "SA": ("S", 2.0, 1.02),
    "Se": ("S", 2.0, 1.02),
    "P": ("P", 2.1, 1.06),
    "F": ("F", 1.5, 0.71),
    "Cl": ("Cl", 1.8, 0.99),
    "Br": ("Br", 2.0, 1.14),
    "I": ("I", 2.2, 1.33),
    "Si": ("Si", 2.2, 1.11),
    "H": ("H", 0.0, 0.37),
    "HD": ("H", 0.0, 0.37),
    "Mg": ("Mg", 1.2, 1.30),
    "Mn": ("Mn", 1.2, 1.39),
    "Zn": ("Zn", 1.2, 1.31),
    "Ca": ("Ca", 1.2, 1.74),
    "Fe": ("Fe", 1.2, 1.25),
    # Metals that AutoDock has no type for; Vina gives all of them one radius.
    **{metal: (metal, 1.2, 1.75) for metal in ("Cu", "Na", "K", "Hg", "Co", "U", "Cd", "Ni")},
}
METALS = frozenset({"Mg", "Mn", "Zn", "Ca", "Fe", "Cu", "Na", "K", "Hg", "Co", "U", "Cd", "Ni"})
_HALOGENS = frozenset({"F", "Cl", "Br", "I"})
#: Vina's tolerance on a bond length, and the largest covalent radius it looks for.
_TOLERANCE, _LARGEST = 1.1, 1.74


@dataclass(frozen=True)
class Atoms:
    """The atoms of a pdbqt, hydrogens included, with the bonds and kinds that Vina gives them.

    Args:
        names: The atoms' names in the file.
        residues: Name, number (with its insertion code) and chain of each atom's residue.
        serials: The file's own numbers.
        xyz: Angstrom.
        types: AutoDock's.
        elements: Chemical symbols.
        neighbours: The indices of the bonded atoms, as Vina sees them.
        kinds: Vina's kinds of the atoms; meaningless for hydrogens, which Vina leaves out.
    """

    names: tuple[str, ...]
    residues: tuple[tuple[str, str, str], ...]
    serials: tuple[int, ...]
    xyz: Floats
    types: tuple[str, ...]
    elements: tuple[str, ...]
    neighbours: tuple[tuple[int, ...], ...]
    kinds: Kinds

    def __len__(self) -> int:
        return len(self.names)

    @property
    def heavy(self) -> NDArray[np.intp]:
        """The indices of the atoms that are no hydrogens."""
        return np.flatnonzero([element != "H" for element in self.elements])

    def heavy_neighbours(self, index: int) -> list[int]:
        """Find the bonded atoms that are no hydrogens."""
        return [n for n in self.neighbours[index] if self.elements[n] != "H"]

    def hydrogens(self, index: int) -> list[int]:
        """Find the polar hydrogens on an atom."""
        return [n for n in self.neighbours[index] if self.types[n] == "HD"]


def read_pdbqt(text: str, source: str) -> Atoms:
    """Read the atoms of the first model in a pdbqt, receptor or ligand.

    Args:
        text: The text of the file.
        source: The file's name in an error.

    Raises:
        UsageError: A line that is no atom, or an atom type that Vina does not know.
    """
    lines, groups, axes = _lines(text)
    if not lines:
        raise UsageError(f"{source} has no atoms")
    try:
        xyz = np.array([[float(line[begin : begin + 8]) for begin in (30, 38, 46)] for line in lines])
        serials = tuple(int(line[6:11]) for line in lines)
    except ValueError:
        raise UsageError(f"{source} is no pdbqt file: an atom has no coordinates in columns 31 to 54") from None
    types = tuple(_known(line[77:79].strip(), line, source) for line in lines)
    index = {serial: n for n, serial in enumerate(serials)} if axes else {}
    neighbours = _bonds(xyz, types, groups, [(index[a], index[b]) for a, b in axes])
    return Atoms(
        names=tuple(line[12:16].strip() for line in lines),
        residues=tuple((line[17:20].strip(), line[22:27].strip(), line[21].strip()) for line in lines),
        serials=serials,
        xyz=xyz,
        types=types,
        elements=tuple(_TYPES[kind][0] for kind in types),
        neighbours=neighbours,
        kinds=_kinds(types, neighbours),
    )


def _lines(text: str) -> tuple[list[str], list[int], list[tuple[int, int]]]:
    """Read the lines of atoms, the rigid group of each, and the serials of the axes that groups turn about."""
    lines: list[str] = []
    groups: list[int] = []
    axes: list[tuple[int, int]] = []
    stack = [0]
    for line in text.splitlines():
        if line.startswith(("ATOM", "HETATM")):
            lines.append(line)
            groups.append(stack[-1])
        elif line.startswith("BRANCH"):
            begin, end = line.split()[1:3]
            axes.append((int(begin), int(end)))
            stack.append(len(axes))
        elif line.startswith("ENDBRANCH"):
            stack.pop()
        elif line.startswith("ENDMDL"):
            break
    return lines, groups, axes


def _known(kind: str, line: str, source: str) -> str:
    kind = kind if len(kind) < 2 or kind in _TYPES else kind.capitalize()  # some tools write CL for Cl
    if kind not in _TYPES:
        raise UsageError(f"{source}: Vina has no atom type {kind[:4]!r} (atom {line[6:27].strip()!r})")
    return kind


def _bonds(
    xyz: Floats, types: Sequence[str], groups: Sequence[int], axes: Sequence[tuple[int, int]]
) -> tuple[tuple[int, ...], ...]:
    """Find bonds as Vina does: closer than 1.1 times the covalent radii, and no third atom closer to both.

    Only atoms that cannot move against each other count: of one rigid group, or on an axis.
    """
    radius = np.array([_TYPES[kind][2] for kind in types])
    near: list[dict[int, float]] = [{} for _ in types]
    rigid = _rigid_pairs(groups, axes)
    reach = _TOLERANCE * (radius.max() + _LARGEST)
    pairs = cKDTree(xyz).query_pairs(reach, output_type="ndarray")
    squared = ((xyz[pairs[:, 0]] - xyz[pairs[:, 1]]) ** 2).sum(axis=1)
    # A third atom between two bonded ones is at most a bond away from either.
    longest = _TOLERANCE * 2 * radius.max()
    for (i, j), r2 in zip(pairs[squared < longest**2].tolist(), squared[squared < longest**2].tolist(), strict=True):
        if rigid is None or (i, j) in rigid:
            near[i][j] = near[j][i] = r2
    bonded: list[list[int]] = [[] for _ in types]
    for i, neighbours in enumerate(near):
        for j, r2 in neighbours.items():
            if j < i or r2 >= (_TOLERANCE * (radius[i] + radius[j])) ** 2:
                continue
            if not any(r < r2 and near[j].get(k, r2) < r2 for k, r in neighbours.items() if k != j):
                bonded[i].append(j)
                bonded[j].append(i)
    return tuple(tuple(sorted(each)) for each in bonded)


def _rigid_pairs(groups: Sequence[int], axes: Sequence[tuple[int, int]]) -> set[tuple[int, int]] | None:
    """Find the pairs of atoms whose distance is fixed; None where all are."""
    if not axes:
        return None
    members: dict[int, list[int]] = {}
    for atom, group in enumerate(groups):
        members.setdefault(group, []).append(atom)
    rigid = {(i, j) for same in members.values() for i in same for j in same}
    for begin, end in axes:
        for atom in members[groups[end]]:
            rigid |= {(begin, atom), (atom, begin)}
        for atom in members[groups[begin]]:
            rigid |= {(end, atom), (atom, end)}
    return rigid


def _kinds(types: Sequence[str], neighbours: Sequence[Sequence[int]]) -> Kinds:
    count = len(types)
    hydrophobic: Flags = np.zeros(count, bool)
    donor: Flags = np.zeros(count, bool)
    acceptor: Flags = np.zeros(count, bool)
    for i, kind in enumerate(types):
        element = _TYPES[kind][0]
        if element == "C":
            hydrophobic[i] = all(_TYPES[types[n]][0] in ("C", "H") for n in neighbours[i])
        elif element in ("N", "O"):
            donor[i] = any(types[n] == "HD" for n in neighbours[i])
            acceptor[i] = kind in ("NA", "OA")
        else:
            hydrophobic[i] = element in _HALOGENS
            donor[i] = element in METALS
    return Kinds(np.array([_TYPES[kind][1] for kind in types]), hydrophobic, donor, acceptor)
