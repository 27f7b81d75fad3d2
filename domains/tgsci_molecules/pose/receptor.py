"""A receptor as contacts need it: residues with their labels, charged groups, aromatic rings, what can bond.

The built-in receptors are raw: odd residue names, cofactors, metals, blank chains, two residues with one number, and
both hydrogens on nearly every histidine. So groups are found by their bonds, a residue is a run of lines in the file,
and only histidine is asked for its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from tgsci.errors import UsageError

from ..target.targets import Target
from .atoms import METALS, Atoms, read_pdbqt
from .probes import Probes
from .terms import Flags, Floats, Kinds

#: A ring whose atoms stray further than this from its plane is not aromatic, Angstrom.
_FLAT = 0.25
#: Longest bond between a metal and what binds to it, Angstrom.
METAL_BOND = 2.8
#: The nitrogen that bears the hydrogen of a neutral histidine, by the residue's name.
_TAUTOMERS = {"HIE": "NE2", "HSE": "NE2", "HID": "ND1", "HSD": "ND1"}


@dataclass(frozen=True)
class Ring:
    """An aromatic ring.

    Args:
        atoms: Indices.
        residue: Index of its residue; -1 for a ligand's.
        center: Angstrom.
        normal: The normal of its plane, of length 1.
    """

    atoms: tuple[int, ...]
    residue: int
    center: Floats
    normal: Floats


@dataclass(frozen=True)
class Charge:
    """A charged group of the protein, or a metal.

    Args:
        sign: +1 or -1.
        atoms: Indices of the atoms that share it.
        residue: Index of its residue.
    """

    sign: int
    atoms: tuple[int, ...]
    residue: int


@dataclass(frozen=True)
class Receptor:
    """A typed receptor.

    Args:
        atoms: The atoms as Vina sees them; its bonds are used for chemistry too.
        residue: The index into `labels`, for each atom.
        labels: The labels of residues, such as "Met318"; two residues may have one label.
        prepared: True where `tgsci molecules prepare` placed its hydrogens, not a rule for all residues.
    """

    atoms: Atoms
    residue: NDArray[np.intp]
    labels: tuple[str, ...]
    prepared: bool = False
    heavy: NDArray[np.intp] = field(init=False, repr=False)
    #: The positions of the heavy atoms, Angstrom.
    xyz: Floats = field(init=False, repr=False)
    kinds: Kinds = field(init=False, repr=False)

    def __post_init__(self) -> None:
        heavy = self.atoms.heavy
        for name, value in {
            "heavy": heavy,
            "xyz": self.atoms.xyz[heavy],
            "kinds": self.atoms.kinds.take(heavy),
        }.items():
            object.__setattr__(self, name, value)

    @cached_property
    def tree(self) -> cKDTree:
        """The heavy atoms, to look up neighbours."""
        return cKDTree(self.xyz)

    @cached_property
    def probes(self) -> Probes:
        """The energies of probe atoms around this receptor; they are computed where they are asked for."""
        return Probes(self.xyz, self.kinds)

    @cached_property
    def acceptors(self) -> Flags:
        """Which atoms take a hydrogen bond for a chemist, over all atoms.

        Vina's acceptors, ring nitrogens without a hydrogen, and the nitrogen of a histidine that has its hydrogen only
        by rote: that of HIE is on NE2, that of HID on ND1, and where the name does not say, it may be on either.
        """
        atoms = self.atoms
        flags = atoms.kinds.acceptor.copy()
        for ring in self.rings:
            for i in ring.atoms:
                if atoms.types[i] == "N" and len(atoms.neighbours[i]) == 2:
                    flags[i] = True
        for ring, nitrogens in self._imidazolium:
            if not self._is_meant(ring):
                true = _TAUTOMERS.get(atoms.residues[ring.atoms[0]][0])
                flags[[i for i in nitrogens if atoms.names[i] != true]] = True
        flags[self._on_metals] = False
        return flags

    @cached_property
    def donors(self) -> Flags:
        """Which atoms bear a polar hydrogen, over all atoms; metals and what is bound to them are not among them."""
        flags = self.atoms.kinds.donor.copy()
        flags[list(self.metals)] = False
        flags[self._on_metals] = False
        return flags

    @cached_property
    def _on_metals(self) -> list[int]:
        """Find the nitrogens whose lone pair a metal has."""
        atoms = self.atoms
        near = self.tree.query_ball_point(atoms.xyz[list(self.metals)], METAL_BOND) if self.metals else []
        bound = {int(self.heavy[row]) for rows in near for row in rows}
        return sorted(i for i in bound if atoms.elements[i] == "N")

    @cached_property
    def metals(self) -> tuple[int, ...]:
        return tuple(i for i, element in enumerate(self.atoms.elements) if element in METALS)

    @cached_property
    def rings(self) -> tuple[Ring, ...]:
        """The aromatic rings of residues and cofactors."""
        atoms = self.atoms
        aromatic = []
        for ring in _cycles(atoms):
            points = atoms.xyz[list(ring)]
            center = points.mean(axis=0)
            normal = np.linalg.svd(points - center)[2][2]
            if np.abs((points - center) @ normal).max() <= _FLAT:
                aromatic.append(Ring(ring, int(self.residue[ring[0]]), center, normal))
        return tuple(aromatic)

    @cached_property
    def charges(self) -> tuple[Charge, ...]:
        """Carboxylates, phosphates, sulfates, ammonium, guanidinium, protonated histidine, and metals."""
        return tuple(Charge(sign, group, int(self.residue[group[0]])) for sign, group in sorted(set(self._charged())))

    def _charged(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        atoms = self.atoms
        for i, element in enumerate(atoms.elements):
            around = atoms.neighbours[i]
            oxygens = tuple(n for n in around if atoms.elements[n] == "O" and len(atoms.neighbours[n]) == 1)
            nitrogens = tuple(n for n in around if atoms.elements[n] == "N")
            if len(oxygens) >= {"C": 2, "P": 2, "S": 3}.get(element, 9):
                yield -1, oxygens
            elif element == "C" and len(nitrogens) == 3 and len(around) == 3:
                yield +1, nitrogens
            elif element in METALS or (element == "N" and len(atoms.hydrogens(i)) == 3):
                yield +1, (i,)
        for ring, nitrogens in self._imidazolium:
            if self._is_meant(ring):
                yield +1, nitrogens

    @cached_property
    def _imidazolium(self) -> tuple[tuple[Ring, tuple[int, ...]], ...]:
        """Find the rings of five with a hydrogen on both nitrogens, and these nitrogens."""
        atoms = self.atoms
        rings_of_five = []
        for ring in self.rings:
            nitrogens = tuple(i for i in ring.atoms if atoms.elements[i] == "N" and atoms.hydrogens(i))
            if len(ring.atoms) == 5 and len(nitrogens) == 2:
                rings_of_five.append((ring, nitrogens))
        return tuple(rings_of_five)

    def _is_meant(self, ring: Ring) -> bool:
        """Tell whether both hydrogens of a histidine are there because it is charged."""
        return self.prepared or self.atoms.residues[ring.atoms[0]][0] == "HIP"


@lru_cache(maxsize=64)
def receptor_of(target: Target) -> Receptor:
    """Read and type the receptor of a target; each is read once in a process.

    Raises:
        UsageError: Its file cannot be read, or has an atom that Vina does not know.
    """
    try:
        text = target.receptor.read_text()
    except OSError as error:
        raise UsageError(f"the receptor of {target} cannot be read: {error.strerror}") from None
    atoms = read_pdbqt(text, f"the receptor of {target}")
    starts = _starts(atoms)
    labels = []
    for start in starts:
        name, number, chain = atoms.residues[start]
        labels.append(target.label(name, number, chain))
    residue = np.zeros(len(atoms), np.intp)
    residue[starts[1:]] = 1
    return Receptor(atoms, np.cumsum(residue), tuple(labels), prepared=target.directory is not None)


def _starts(atoms: Atoms) -> list[int]:
    """Find the indices at which a residue begins: another name or number, or the name of a heavy atom once more."""
    starts: list[int] = []
    seen: set[str] = set()
    previous = None
    for i, (residue, name, element) in enumerate(zip(atoms.residues, atoms.names, atoms.elements, strict=True)):
        if residue != previous or (element != "H" and name in seen):
            starts.append(i)
            seen = set()
        previous = residue
        if element != "H":
            seen.add(name)
    return starts


def _cycles(atoms: Atoms) -> list[tuple[int, ...]]:
    """Find rings of five or six atoms that look aromatic: at least three are of type A, the others nitrogen."""
    usable = {
        i: [n for n in atoms.neighbours[i] if _aromatic(atoms.types[n])]
        for i in range(len(atoms))
        if _aromatic(atoms.types[i])
    }
    cycles: dict[frozenset[int], tuple[int, ...]] = {}
    for start in usable:
        if atoms.types[start] != "A":
            continue
        for cycle in _paths(usable, (start,)):
            if sum(atoms.types[i] == "A" for i in cycle) >= 3:
                cycles.setdefault(frozenset(cycle), cycle)
    return list(cycles.values())


def _aromatic(kind: str) -> bool:
    return kind in ("A", "N", "NA")


def _paths(neighbours: dict[int, list[int]], path: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for following in neighbours[path[-1]]:
        if following == path[0] and len(path) in (5, 6):
            yield tuple(path)
        elif following not in path and len(path) < 6:
            yield from _paths(neighbours, (*path, following))
