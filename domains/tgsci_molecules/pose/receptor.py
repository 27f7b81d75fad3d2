"""A receptor as contacts need it: residues with their labels, charged groups, aromatic rings, what can bond.

The built-in receptors are raw: odd residue names, cofactors, metals, blank chains, two residues with one number.
So groups are found by their bonds, never by the residue's name, and a residue is a run of lines in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from tgsci.errors import UsageError

from ..protein.targets import Target
from .atoms import METALS, Atoms, read_pdbqt
from .probes import Probes
from .terms import Flags, Floats, Kinds

#: A ring whose atoms stray further than this from its plane is not aromatic, Angstrom.
_FLAT = 0.25


@dataclass(frozen=True)
class Ring:
    """An aromatic ring.

    Args:
        atoms: Indices.
        residue: Index of its residue; -1 for a ligand's.
        center: Angstrom.
        normal: Of length 1.
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
        atoms: As Vina sees them; its bonds are used for chemistry too.
        residue: Of each atom, the index into `labels`.
        labels: As people write them: "Met318"; two residues may have one label.
    """

    atoms: Atoms
    residue: NDArray[np.intp]
    labels: tuple[str, ...]
    heavy: NDArray[np.intp] = field(init=False, repr=False)
    #: Of the heavy atoms.
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
        """Of the heavy atoms."""
        return cKDTree(self.xyz)

    @cached_property
    def probes(self) -> Probes:
        """The energies of probe atoms around this receptor; they are computed where they are asked for."""
        return Probes(self.xyz, self.kinds)

    @cached_property
    def acceptors(self) -> Flags:
        """Of all atoms: what takes a hydrogen bond for a chemist.

        Vina's acceptors, and ring nitrogens without a hydrogen: these files type histidine's as no acceptor.
        """
        found = self.atoms.kinds.acceptor.copy()
        for ring in self.rings:
            for i in ring.atoms:
                if self.atoms.types[i] == "N" and len(self.atoms.neighbours[i]) == 2:
                    found[i] = True
        return found

    @cached_property
    def donors(self) -> Flags:
        """Of all atoms: bears a polar hydrogen. Metals are not among them."""
        found = self.atoms.kinds.donor.copy()
        found[[i for i, element in enumerate(self.atoms.elements) if element in METALS]] = False
        return found

    @cached_property
    def metals(self) -> tuple[int, ...]:
        return tuple(i for i, element in enumerate(self.atoms.elements) if element in METALS)

    @cached_property
    def rings(self) -> tuple[Ring, ...]:
        """The aromatic rings of residues and cofactors."""
        atoms = self.atoms
        found = []
        for ring in _cycles(atoms):
            points = atoms.xyz[list(ring)]
            center = points.mean(axis=0)
            normal = np.linalg.svd(points - center)[2][2]
            if np.abs((points - center) @ normal).max() <= _FLAT:
                found.append(Ring(ring, int(self.residue[ring[0]]), center, normal))
        return tuple(found)

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
        for ring in self.rings:
            # Tools that add hydrogens by rote put both on every histidine: only the name says that somebody meant it.
            if len(ring.atoms) == 5 and atoms.residues[ring.atoms[0]][0] == "HIP":
                protonated = tuple(i for i in ring.atoms if atoms.elements[i] == "N" and atoms.hydrogens(i))
                if len(protonated) == 2:
                    yield +1, protonated


def receptor_of(target: Target) -> Receptor:
    """The typed receptor of a target; each is read once in a process.

    Raises:
        UsageError: Its file cannot be read, or has an atom that Vina does not know.
    """
    return _receptor(target)


@lru_cache(maxsize=64)
def _receptor(target: Target) -> Receptor:
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
    return Receptor(atoms, np.cumsum(residue), tuple(labels))


def _starts(atoms: Atoms) -> list[int]:
    """The indices at which a residue begins: another name or number, or the name of a heavy atom once more."""
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
    """Rings of five or six atoms that look aromatic: at least three are of type A, the others nitrogen."""
    usable = {
        i: [n for n in atoms.neighbours[i] if _aromatic(atoms.types[n])]
        for i in range(len(atoms))
        if _aromatic(atoms.types[i])
    }
    found: dict[frozenset[int], tuple[int, ...]] = {}
    for start in usable:
        if atoms.types[start] != "A":
            continue
        for cycle in _paths(usable, (start,)):
            if sum(atoms.types[i] == "A" for i in cycle) >= 3:
                found.setdefault(frozenset(cycle), cycle)
    return list(found.values())


def _aromatic(kind: str) -> bool:
    return kind in ("A", "N", "NA")


def _paths(neighbours: dict[int, list[int]], path: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for following in neighbours[path[-1]]:
        if following == path[0] and len(path) in (5, 6):
            yield tuple(path)
        elif following not in path and len(path) < 6:
            yield from _paths(neighbours, (*path, following))
