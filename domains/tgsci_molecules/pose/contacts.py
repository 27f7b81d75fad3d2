"""What a docked molecule touches: hydrogen bonds, salt bridges, metals, aromatic rings, clashes; and what it misses."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .geometry import (
    CONTACT,
    HALOGEN_BOND,
    HYDROGEN_BOND,
    SALT_BRIDGE,
    SAME_POLARITY,
    STACKING,
    angle_at,
    bond_angle,
    distances_between,
    heavy_neighbours,
    is_above,
    is_faced,
    stacked_as,
    turned_to,
)
from .ligand import Polar, PosedLigand
from .receptor import METAL_BOND, Receptor
from .terms import Floats

#: What lacks to a contact whose groups are near enough, but from the wrong side, Angstrom.
WRONG_DIRECTION = 0.1
#: What lacks to a contact by a group of the ligand that it does not have, Angstrom: more than at any place in a box, or
#: a search would gain by taking a group away that lies badly.
NO_GROUP = 20.0


@dataclass(frozen=True)
class HBond:
    """A hydrogen bond; `atom` counts from 0 in the SMILES, distances are Angstrom between heavy atoms.

    Args:
        role: What the ligand does: "donor" or "acceptor".
        receptor_atom: Its name in the receptor's file.
        angle: At the hydrogen, degrees; None where the hydrogen can turn.
    """

    atom: int
    role: str
    residue: str
    receptor_atom: str
    distance: float
    angle: float | None


@dataclass(frozen=True)
class Touch:
    """A salt bridge or a bond to a metal: the nearest atoms of the two groups, Angstrom."""

    atom: int
    residue: str
    receptor_atom: str
    distance: float


@dataclass(frozen=True)
class HalogenBond:
    """A C-X ... O or N contact nearly in line.

    Args:
        angle: C-X ... acceptor, degrees.
    """

    atom: int
    residue: str
    receptor_atom: str
    distance: float
    angle: float


@dataclass(frozen=True)
class Aromatic:
    """Two rings, or a ring and a cation.

    Args:
        atoms: The atoms of the ligand's ring or cation.
        distance: Between the centres, Angstrom.
        kind: "face-to-face", "edge-to-face", "tilted", "cation on ring" (the ligand's cation) or "ring on cation".
    """

    atoms: tuple[int, ...]
    residue: str
    distance: float
    kind: str


@dataclass(frozen=True)
class Repulsive:
    """An atom that a residue pushes away.

    Args:
        energy: Vina's, kcal/mol.
        receptor_atom: The atom of the residue that is meant, the nearest one for a clash.
        kind: "clash", "two acceptors" or "two donors"; Vina does not see the latter two.
        distance: The distance to that atom, Angstrom.
    """

    atom: int
    residue: str
    receptor_atom: str
    energy: float
    kind: str
    distance: float


@dataclass(frozen=True)
class UnsatisfiedAtom:
    """A buried donor or acceptor without a partner.

    Args:
        role: "donor" or "acceptor".
        charge: The charge of the group that it belongs to, +1, -1 or 0; a charge without a partner costs most.
        burial: Share of its surface that the protein covers.
        nearest: Residue of the nearest atom that could be its partner, "" where there is none within 6 A.
        nearest_atom: That atom's name in the receptor's file.
        distance: The distance to it, Angstrom; within 3.5 the direction is wrong.
    """

    atom: int
    role: str
    charge: int
    burial: float
    nearest: str
    nearest_atom: str
    distance: float | None


class Contacts:
    """All contacts of one pose; made once, read many times."""

    def __init__(self, ligand: PosedLigand, receptor: Receptor) -> None:
        self.ligand, self.receptor = ligand, receptor
        self.reached = self._near()
        # A histidine that may give or take makes one bond, not two.
        bonds = {(b.atom, b.residue, b.receptor_atom): b for b in self._hydrogen_bonds()}
        self.hbonds = sorted(bonds.values(), key=lambda b: (b.distance, b.atom))
        self.salt_bridges = sorted(self._salt_bridges(), key=lambda t: (t.distance, t.atom))
        self.metals = sorted(self._metal_bonds(), key=lambda t: (t.distance, t.atom))
        self.aromatic = _nearest_of_each(self._aromatic())
        self.halogen_bonds = sorted(self._halogen_bonds(), key=lambda h: (h.distance, h.atom))

    def _near(self) -> NDArray[np.intp]:
        """Find the receptor's heavy atoms within 7 A of the ligand's."""
        near = self.receptor.tree.query_ball_point(self.ligand.xyz[: self.ligand.heavy], 7.0)
        indices = sorted({index for each in near for index in each})
        reached: NDArray[np.intp] = self.receptor.heavy[np.array(indices, np.intp)]
        return reached

    def _label(self, atom: int) -> str:
        return self.receptor.labels[int(self.receptor.residue[atom])]

    def _number(self, atom: int) -> int:
        return self.ligand.to_smiles[atom]

    def _hydrogen_bonds(self) -> Iterator[HBond]:
        """Find the hydrogen bonds that the ligand takes, then those that it gives."""
        ligand, atoms = self.ligand, self.receptor.atoms
        for role, polars, partners in (
            ("acceptor", ligand.acceptors, self.receptor.donors),
            ("donor", ligand.donors, self.receptor.acceptors),
        ):
            near = [i for i in self.reached.tolist() if partners[i]]
            for polar in polars:
                distances = distances_between(ligand.xyz[[polar.atom]], atoms.xyz[near])[0]
                for i, distance in zip(near, distances.tolist(), strict=True):
                    if distance > HYDROGEN_BOND:
                        continue
                    made, angle = self._as_acceptor(polar, i) if role == "acceptor" else self._as_donor(polar, i)
                    if made:
                        yield HBond(self._number(polar.atom), role, self._label(i), atoms.names[i], distance, angle)

    def _as_donor(self, donor: Polar, acceptor: int) -> tuple[bool, float | None]:
        """Tell whether the ligand's donor makes this bond, and its angle where the hydrogen cannot turn."""
        xyz, atoms = self.ligand.xyz, self.receptor.atoms
        if not is_faced(atoms.xyz[acceptor], atoms.xyz[atoms.heavy_neighbours(acceptor)], xyz[donor.atom]):
            return False, None
        if donor.turns:
            back = heavy_neighbours(self.ligand.mol, donor.atom)
            return turned_to(xyz[donor.atom], xyz[back], atoms.xyz[acceptor]), None
        angle = bond_angle(xyz[donor.atom], xyz[list(donor.hydrogens)], atoms.xyz[acceptor])
        return angle is not None, angle

    def _as_acceptor(self, acceptor: Polar, donor: int) -> tuple[bool, float | None]:
        """Do as `_as_donor` where the protein gives the hydrogen."""
        here, atoms = self.ligand.xyz[acceptor.atom], self.receptor.atoms
        back = heavy_neighbours(self.ligand.mol, acceptor.atom)
        if not is_faced(here, self.ligand.xyz[back], atoms.xyz[donor]):
            return False, None
        heavy, hydrogens = atoms.heavy_neighbours(donor), atoms.hydrogens(donor)
        if len(heavy) == 1 and (atoms.elements[donor] == "O" or len(hydrogens) == 3):
            return turned_to(atoms.xyz[donor], atoms.xyz[heavy], here), None
        angle = bond_angle(atoms.xyz[donor], atoms.xyz[hydrogens], here)
        return angle is not None, angle

    def _salt_bridges(self) -> Iterator[Touch]:
        for sign, group in self.ligand.charges:
            for charge in self.receptor.charges:
                if charge.sign == -sign and self.receptor.atoms.elements[charge.atoms[0]] in ("N", "O"):
                    touch = self._nearest(group, charge.atoms)
                    if touch.distance <= SALT_BRIDGE:
                        yield touch

    def _metal_bonds(self) -> Iterator[Touch]:
        givers = tuple(
            a.GetIdx()
            for a in self.ligand.mol.GetAtoms()
            if (a.GetSymbol() in ("N", "O") or (a.GetSymbol() == "S" and a.GetDegree() <= 2))
            and a.GetFormalCharge() <= 0
        )
        for metal in self.receptor.metals:
            for atom in givers:
                touch = self._nearest((atom,), (metal,))
                if touch.distance <= METAL_BOND:
                    yield touch

    def _nearest(self, group: Sequence[int], others: Sequence[int]) -> Touch:
        distances = distances_between(self.ligand.xyz[list(group)], self.receptor.atoms.xyz[list(others)])
        row, column = np.unravel_index(int(distances.argmin()), distances.shape)
        atom, other = group[int(row)], others[int(column)]
        return Touch(
            self._number(atom), self._label(other), self.receptor.atoms.names[other], float(distances[row, column])
        )

    def _aromatic(self) -> Iterator[Aromatic]:
        receptor, ligand = self.receptor, self.ligand
        for ring in ligand.rings:
            atoms = tuple(sorted(self._number(i) for i in ring.atoms))
            for other in receptor.rings:
                distance, kind = stacked_as(ring, other)
                if kind:
                    yield Aromatic(atoms, receptor.labels[other.residue], distance, kind)
            for charge in receptor.charges:
                if charge.sign > 0 and receptor.atoms.elements[charge.atoms[0]] == "N":
                    center = receptor.atoms.xyz[list(charge.atoms)].mean(axis=0)
                    if is_above(ring, center):
                        distance = float(np.linalg.norm(ring.center - center))
                        yield Aromatic(atoms, receptor.labels[charge.residue], distance, "ring on cation")
        for sign, group in ligand.charges:
            center = ligand.xyz[list(group)].mean(axis=0)
            for other in receptor.rings:
                if sign > 0 and is_above(other, center):
                    distance = float(np.linalg.norm(other.center - center))
                    atoms = tuple(sorted(self._number(i) for i in group))
                    yield Aromatic(atoms, receptor.labels[other.residue], distance, "cation on ring")

    def _halogen_bonds(self) -> Iterator[HalogenBond]:
        receptor, xyz = self.receptor, self.ligand.xyz
        acceptors = [i for i in self.reached.tolist() if receptor.acceptors[i]]
        for atom in self.ligand.mol.GetAtoms():
            if atom.GetSymbol() not in ("Cl", "Br", "I"):
                continue
            here, carbon = xyz[atom.GetIdx()], xyz[atom.GetNeighbors()[0].GetIdx()]
            for i in acceptors:
                distance = float(np.linalg.norm(here - receptor.atoms.xyz[i]))
                if distance <= HALOGEN_BOND:
                    angle = angle_at(carbon, here, receptor.atoms.xyz[i])
                    if angle >= 150.0:
                        number = self._number(atom.GetIdx())
                        yield HalogenBond(number, self._label(i), receptor.atoms.names[i], distance, angle)

    def repulsive(self, energies: Floats, least: float = 0.1) -> list[Repulsive]:
        """Find clashes by Vina's energies (heavy ligand atoms times heavy receptor atoms), and like beside like.

        Args:
            energies: kcal/mol.
            least: A pair of atom and residue below this is no clash, kcal/mol.
        """
        receptor = self.receptor
        residues = receptor.residue[receptor.heavy]
        pushes = []
        for atom in np.flatnonzero((energies > 0).any(axis=1)).tolist():
            sums = np.bincount(residues, energies[atom], len(receptor.labels))
            for residue in np.flatnonzero(sums > least).tolist():
                touch = self._nearest((atom,), receptor.heavy[residues == residue].tolist())
                pushes.append(
                    Repulsive(
                        touch.atom, touch.residue, touch.receptor_atom, float(sums[residue]), "clash", touch.distance
                    )
                )
        pushes += self._like_beside_like(energies)
        return sorted(pushes, key=lambda r: (-r.energy, r.distance))

    def _like_beside_like(self, energies: Floats) -> Iterator[Repulsive]:
        ligand, receptor = self.ligand, self.receptor
        giving, taking = {p.atom for p in ligand.donors}, {p.atom for p in ligand.acceptors if not p.weak}
        columns = {int(index): column for column, index in enumerate(receptor.heavy)}
        for kind, mine in (("two acceptors", taking - giving), ("two donors", giving - taking)):
            accept = kind == "two acceptors"
            for i in self.reached.tolist():
                wanted, other = receptor.acceptors[i], receptor.donors[i]
                if (not wanted or other) if accept else (not other or wanted):
                    continue
                for atom in sorted(mine):
                    distance = float(np.linalg.norm(ligand.xyz[atom] - receptor.atoms.xyz[i]))
                    if distance <= SAME_POLARITY:
                        energy = float(energies[atom, columns[i]])
                        name = receptor.atoms.names[i]
                        yield Repulsive(self._number(atom), self._label(i), name, energy, kind, distance)

    def unsatisfied(self, burial: Floats, least: float = 0.75) -> list[UnsatisfiedAtom]:
        """Find donors and acceptors that the protein covers and that have no partner.

        Args:
            burial: The burial of each heavy atom, 0 to 1.
            least: Below this, water can reach the atom.
        """
        ligand, receptor = self.ligand, self.receptor
        answered = _internal(ligand) | {b.atom for b in self.hbonds}
        answered |= {t.atom for t in (*self.salt_bridges, *self.metals)}
        charge_of = {self._number(atom): sign for sign, group in ligand.charges for atom in group}
        for _, group in ligand.charges:  # a charge that is answered is answered for all atoms that share it
            shared = {self._number(atom) for atom in group}
            answered |= shared if shared & answered else set()
        lonely = []
        for role, polars, partners in (
            ("donor", ligand.donors, receptor.acceptors),
            ("acceptor", ligand.acceptors, receptor.donors),
        ):
            near = [i for i in self.reached.tolist() if partners[i]]
            for polar in polars:
                number = self._number(polar.atom)
                if polar.weak or burial[polar.atom] < least or number in answered:
                    continue
                answered.add(number)  # a hydroxyl is one case, not two
                distances = (
                    distances_between(ligand.xyz[[polar.atom]], receptor.atoms.xyz[near])[0] if near else np.empty(0)
                )
                closest = int(distances.argmin()) if len(distances) and distances.min() <= 6.0 else None
                lonely.append(
                    UnsatisfiedAtom(
                        number,
                        role,
                        charge_of.get(number, 0),
                        float(burial[polar.atom]),
                        self._label(near[closest]) if closest is not None else "",
                        receptor.atoms.names[near[closest]] if closest is not None else "",
                        float(distances[closest]) if closest is not None else None,
                    )
                )
        return sorted(lonely, key=lambda u: (not u.charge, -u.burial, u.atom))


def _nearest_of_each(contacts: Iterable[Aromatic]) -> list[Aromatic]:
    """Keep the nearest contact of each ring system with each residue: a heme has four rings, indole two."""
    kept: list[Aromatic] = []
    for contact in sorted(contacts, key=lambda a: (a.distance, a.atoms)):
        if not any(each.residue == contact.residue and set(each.atoms) & set(contact.atoms) for each in kept):
            kept.append(contact)
    return kept


def _internal(ligand: PosedLigand) -> set[int]:
    """Find donors and acceptors that the molecule's own hydrogen bonds answer, four bonds apart or more."""
    answered: set[int] = set()
    for donor in ligand.donors:
        for acceptor in ligand.acceptors:
            if ligand.bonds[donor.atom, acceptor.atom] < 4 or not _answers(ligand, donor, acceptor.atom):
                continue
            answered |= {ligand.to_smiles[donor.atom], ligand.to_smiles[acceptor.atom]}
    return answered


def _answers(ligand: PosedLigand, donor: Polar, acceptor: int) -> bool:
    xyz = ligand.xyz
    if donor.turns:
        return float(np.linalg.norm(xyz[donor.atom] - xyz[acceptor])) <= 3.0
    return any(
        float(np.linalg.norm(xyz[h] - xyz[acceptor])) <= 2.4
        and angle_at(xyz[donor.atom], xyz[h], xyz[acceptor]) >= 110.0
        for h in donor.hydrogens
    )


def missing(
    contacts: Contacts, partners: Collection[int] | None = None, role: str = ""
) -> dict[str, tuple[float, float, float, float]]:
    """Measure by residue what lacks to a hydrogen bond, salt bridge, aromatic and plain contact, Angstrom.

    A bond to a metal counts as a salt bridge, a cation on or under a ring as an aromatic contact. Where the ligand has
    no such group yet, its nearest atom counts, and at least one more bond (1.5 A).

    Args:
        contacts: Those of the pose.
        partners: Atoms of the SMILES that count, at least one; all where None.
        role: What the ligand is in a hydrogen bond: "donor", "acceptor", or "" for either.
    """
    ligand, receptor = contacts.ligand, contacts.receptor
    mine = {i for i, number in enumerate(ligand.to_smiles) if partners is None or number in partners}
    numbers = {ligand.to_smiles[i] for i in mine}
    heavy = ligand.xyz[sorted(mine)]
    whole = distances_between(heavy, receptor.xyz)
    columns, count = receptor.residue[receptor.heavy], len(receptor.labels)
    takers, givers = receptor.acceptors[receptor.heavy], receptor.donors[receptor.heavy]
    plain = _least(whole, columns, count)
    donors = [p.atom for p in ligand.donors if p.atom in mine and role != "acceptor"]
    acceptors = [p.atom for p in ligand.acceptors if p.atom in mine and role != "donor"]
    gives = _least(distances_between(ligand.xyz[donors], receptor.xyz[takers]), columns[takers], count)
    takes = _least(distances_between(ligand.xyz[acceptors], receptor.xyz[givers]), columns[givers], count)
    any_polar = _least(whole[:, takers | givers], columns[takers | givers], count)
    bonded = {b.residue for b in contacts.hbonds if b.atom in numbers and role in ("", b.role)}
    bridged = {t.residue for t in (*contacts.salt_bridges, *contacts.metals) if t.atom in numbers}
    stacked_on = {a.residue for a in contacts.aromatic if numbers & set(a.atoms)}
    charges = [(sign, group) for sign, group in ligand.charges if mine & set(group)]
    rings = [ring for ring in ligand.rings if mine & set(ring.atoms)]
    charged = np.full(len(plain), math.inf)
    any_charged = np.full(len(plain), math.inf)
    for charge in receptor.charges:
        where = receptor.atoms.xyz[list(charge.atoms)]
        r = charge.residue
        any_charged[r] = min(any_charged[r], float(distances_between(heavy, where).min()))
        for sign, group in charges:
            if sign == -charge.sign:
                charged[r] = min(charged[r], float(distances_between(ligand.xyz[list(group)], where).min()))
    stacked = np.full(len(plain), math.inf)
    any_ring = np.full(len(plain), math.inf)
    for ring in receptor.rings:
        r = ring.residue
        any_ring[r] = min(any_ring[r], float(distances_between(heavy, ring.center[None]).min()))
        centers = [own.center for own in rings]
        centers += [ligand.xyz[list(group)].mean(axis=0) for sign, group in charges if sign > 0]
        for center in centers:
            stacked[r] = min(stacked[r], float(np.linalg.norm(center - ring.center)))
    for charge in receptor.charges:
        if charge.sign > 0 and charge.atoms[0] not in receptor.metals:
            r, middle = charge.residue, receptor.atoms.xyz[list(charge.atoms)].mean(axis=0)
            any_ring[r] = min(any_ring[r], float(distances_between(heavy, middle[None]).min()))
            for own in rings:
                stacked[r] = min(stacked[r], float(np.linalg.norm(own.center - middle)))
    by_label: dict[str, tuple[float, float, float, float]] = {}
    for r, label in enumerate(receptor.labels):
        figures = (
            _gap(label in bonded, min(gives[r], takes[r]), any_polar[r], HYDROGEN_BOND),
            _gap(label in bridged, charged[r], any_charged[r], SALT_BRIDGE),
            _gap(label in stacked_on, stacked[r], any_ring[r], STACKING),
            max(0.0, float(plain[r]) - CONTACT),
        )
        before = by_label.get(label)
        by_label[label] = figures if before is None else tuple(map(_smaller, figures, before))  # type: ignore[assignment]
    return by_label


def _least(distances: Floats, residues: NDArray[np.intp], count: int) -> Floats:
    """Find the smallest distance to each residue; infinite where there is none."""
    result = np.full(count, math.inf)
    if distances.size:
        np.minimum.at(result, residues, distances.min(axis=0))
    return result


def _gap(made: bool, distance: float, nearest: float, limit: float) -> float:
    if made:
        return 0.0
    if math.isfinite(distance):
        return max(WRONG_DIRECTION, float(distance) - limit)
    return max(1.5, float(nearest) - limit) if math.isfinite(nearest) else math.nan


def _smaller(first: float, second: float) -> float:
    return min(first, second) if not math.isnan(first + second) else second if math.isnan(first) else first
