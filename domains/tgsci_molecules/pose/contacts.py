"""What a docked molecule touches: hydrogen bonds, salt bridges, metals, aromatic rings, clashes, burial.

Limits: a hydrogen bond has its heavy atoms within 3.5 A, the hydrogen within 2.7 A of the acceptor and an angle of
120 degrees or more at the hydrogen (McDonald and Thornton 1994, with 0.2 A for docking); where the hydrogen can turn,
the angle at the donor decides. A salt bridge is 4.0 A (Barlow and Thornton 1983), a metal bond 2.8 A. Rings touch
within 5.5 A of their centres, 6.0 A at an edge or under a cation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from .ligand import Polar, Posed
from .receptor import Receptor, Ring
from .terms import Floats

HYDROGEN_BOND, SALT_BRIDGE, METAL_BOND, STACKING, EDGE, CONTACT = 3.5, 4.0, 2.8, 5.5, 6.0, 4.5
HALOGEN_BOND = 3.5
_TO_HYDROGEN, _STRAIGHT = 2.7, 120.0
#: At a donor whose hydrogens turn, between its bond and the acceptor; a tetrahedron's 109 degrees, give or take.
_TURNING = (70.0, 150.0)
_AT_ACCEPTOR = 90.0
#: A probe of water on every atom, this many points.
_WATER, _POINTS = 1.4, 96
_SAME_POLARITY = 3.2


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
        atoms: Of the ligand's ring or cation.
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
        kind: "clash", "two acceptors" or "two donors"; Vina does not see the latter two.
        distance: To the nearest atom of the residue that is meant, Angstrom.
    """

    atom: int
    residue: str
    energy: float
    kind: str
    distance: float


@dataclass(frozen=True)
class Unsatisfied:
    """A buried donor or acceptor without a partner.

    Args:
        role: "donor" or "acceptor".
        burial: Share of its surface that the protein covers.
        nearest: Residue of the nearest atom that could be its partner, "" where there is none within 6 A.
        nearest_atom: That atom's name in the receptor's file.
        distance: To it, Angstrom; within 3.5 the direction is wrong.
    """

    atom: int
    role: str
    burial: float
    nearest: str
    nearest_atom: str
    distance: float | None


class Contacts:
    """All contacts of one pose; made once, read many times."""

    def __init__(self, ligand: Posed, receptor: Receptor) -> None:
        self.ligand, self.receptor = ligand, receptor
        self.reached = self._near()
        self.hbonds = sorted(self._hydrogen_bonds(), key=lambda b: (b.distance, b.atom))
        self.salt_bridges = sorted(self._salt_bridges(), key=lambda t: (t.distance, t.atom))
        self.metals = sorted(self._metal_bonds(), key=lambda t: (t.distance, t.atom))
        self.aromatic = _nearest_of_each(self._aromatic())
        self.halogen_bonds = sorted(self._halogen_bonds(), key=lambda h: (h.distance, h.atom))

    def _near(self) -> NDArray[np.intp]:
        """The receptor's heavy atoms within 7 A of the ligand's."""
        near = self.receptor.tree.query_ball_point(self.ligand.xyz[: self.ligand.heavy], 7.0)
        found = sorted({index for each in near for index in each})
        reached: NDArray[np.intp] = self.receptor.heavy[np.array(found, np.intp)]
        return reached

    def _label(self, atom: int) -> str:
        return self.receptor.labels[int(self.receptor.residue[atom])]

    def _number(self, atom: int) -> int:
        return self.ligand.to_smiles[atom]

    def _hydrogen_bonds(self) -> Iterator[HBond]:
        ligand, receptor = self.ligand, self.receptor
        xyz, other = ligand.xyz, receptor.atoms.xyz
        acceptors = [i for i in self.reached.tolist() if receptor.acceptors[i]]
        donors = [i for i in self.reached.tolist() if receptor.donors[i]]
        for polar in ligand.donors:
            back = _heavy_neighbours(ligand.mol, polar.atom)
            hydrogens = xyz[list(polar.hydrogens)]
            for i in acceptors:
                distance = float(np.linalg.norm(xyz[polar.atom] - other[i]))
                if distance > HYDROGEN_BOND or not self._open(i, xyz[polar.atom]):
                    continue
                angle = _bond_angle(xyz[polar.atom], hydrogens, xyz[back], other[i], polar.turns)
                if angle is not False:
                    yield HBond(
                        self._number(polar.atom), "donor", self._label(i), receptor.atoms.names[i], distance, angle
                    )
        for polar in ligand.acceptors:
            back = _heavy_neighbours(ligand.mol, polar.atom)
            for i in donors:
                distance = float(np.linalg.norm(xyz[polar.atom] - other[i]))
                if distance > HYDROGEN_BOND or not _faces(xyz[polar.atom], xyz[back], other[i]):
                    continue
                bonded = receptor.atoms.neighbours[i]
                heavy = [n for n in bonded if receptor.atoms.elements[n] != "H"]
                hydrogens = other[receptor.atoms.hydrogens(i)]
                turns = len(heavy) == 1 and (receptor.atoms.elements[i] == "O" or len(hydrogens) == 3)
                angle = _bond_angle(other[i], hydrogens, other[heavy], xyz[polar.atom], turns)
                if angle is not False:
                    yield HBond(
                        self._number(polar.atom), "acceptor", self._label(i), receptor.atoms.names[i], distance, angle
                    )

    def _open(self, acceptor: int, donor: Floats) -> bool:
        atoms = self.receptor.atoms
        heavy = [n for n in atoms.neighbours[acceptor] if atoms.elements[n] != "H"]
        return _faces(atoms.xyz[acceptor], atoms.xyz[heavy], donor)

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

    def _nearest(self, group: tuple[int, ...], others: tuple[int, ...]) -> Touch:
        distances = _distances(self.ligand.xyz[list(group)], self.receptor.atoms.xyz[list(others)])
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
                distance, kind = _stacking(ring, other)
                if kind:
                    yield Aromatic(atoms, receptor.labels[other.residue], distance, kind)
            for charge in receptor.charges:
                if charge.sign > 0 and receptor.atoms.elements[charge.atoms[0]] == "N":
                    center = receptor.atoms.xyz[list(charge.atoms)].mean(axis=0)
                    if _above(ring, center):
                        distance = float(np.linalg.norm(ring.center - center))
                        yield Aromatic(atoms, receptor.labels[charge.residue], distance, "ring on cation")
        for sign, group in ligand.charges:
            center = ligand.xyz[list(group)].mean(axis=0)
            for other in receptor.rings:
                if sign > 0 and _above(other, center):
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
                    angle = _angle(carbon, here, receptor.atoms.xyz[i])
                    if angle >= 150.0:
                        number = self._number(atom.GetIdx())
                        yield HalogenBond(number, self._label(i), receptor.atoms.names[i], distance, angle)

    def repulsive(self, energies: Floats, least: float = 0.1) -> list[Repulsive]:
        """Clashes by Vina's energies (heavy ligand atoms times heavy receptor atoms), and like beside like.

        Args:
            energies: kcal/mol.
            least: A pair of atom and residue below this is no clash, kcal/mol.
        """
        ligand, receptor = self.ligand, self.receptor
        residues = receptor.residue[receptor.heavy]
        found = []
        for atom in np.flatnonzero((energies > 0).any(axis=1)).tolist():
            sums = np.bincount(residues, energies[atom], len(receptor.labels))
            for residue in np.flatnonzero(sums > least).tolist():
                where = receptor.xyz[residues == residue]
                nearest = float(_distances(ligand.xyz[[atom]], where).min())
                label = receptor.labels[residue]
                found.append(Repulsive(self._number(atom), label, float(sums[residue]), "clash", nearest))
        found += self._like_beside_like(energies)
        return sorted(found, key=lambda r: (-r.energy, r.distance))

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
                    if distance <= _SAME_POLARITY:
                        energy = float(energies[atom, columns[i]])
                        yield Repulsive(self._number(atom), self._label(i), energy, kind, distance)

    def unsatisfied(self, burial: Floats, least: float = 0.75) -> list[Unsatisfied]:
        """Donors and acceptors that the protein covers and nothing answers.

        Args:
            burial: Of the heavy atoms, 0 to 1.
            least: Below this, water can reach the atom.
        """
        ligand, receptor = self.ligand, self.receptor
        answered = _internal(ligand) | {b.atom for b in self.hbonds}
        answered |= {t.atom for t in (*self.salt_bridges, *self.metals)}
        for _, group in ligand.charges:  # a charge that is answered is answered for all atoms that share it
            shared = {self._number(atom) for atom in group}
            answered |= shared if shared & answered else set()
        found = []
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
                distances = _distances(ligand.xyz[[polar.atom]], receptor.atoms.xyz[near])[0] if near else np.empty(0)
                closest = int(distances.argmin()) if len(distances) and distances.min() <= 6.0 else None
                found.append(
                    Unsatisfied(
                        number,
                        role,
                        float(burial[polar.atom]),
                        self._label(near[closest]) if closest is not None else "",
                        receptor.atoms.names[near[closest]] if closest is not None else "",
                        float(distances[closest]) if closest is not None else None,
                    )
                )
        return sorted(found, key=lambda u: (-u.burial, u.atom))

    def missing(self) -> dict[str, tuple[float, float, float, float]]:
        """By residue, the Angstrom still missing to a hydrogen bond, salt bridge, aromatic and plain contact.

        Where the ligand has no such group yet, its nearest atom counts, and at least one more bond (1.5 A).
        """
        ligand, receptor = self.ligand, self.receptor
        heavy = ligand.xyz[: ligand.heavy]
        whole = _distances(heavy, receptor.xyz)
        columns, count = receptor.residue[receptor.heavy], len(receptor.labels)
        takers, givers = receptor.acceptors[receptor.heavy], receptor.donors[receptor.heavy]
        plain = _least(whole, columns, count)
        gives = _least(whole[[p.atom for p in ligand.donors]][:, takers], columns[takers], count)
        takes = _least(whole[[p.atom for p in ligand.acceptors]][:, givers], columns[givers], count)
        any_polar = _least(whole[:, takers | givers], columns[takers | givers], count)
        bonded, bridged = {b.residue for b in self.hbonds}, {t.residue for t in self.salt_bridges}
        stacked_on = {a.residue for a in self.aromatic}
        charged = np.full(len(plain), math.inf)
        any_charged = np.full(len(plain), math.inf)
        for charge in receptor.charges:
            where = receptor.atoms.xyz[list(charge.atoms)]
            r = charge.residue
            any_charged[r] = min(any_charged[r], float(_distances(heavy, where).min()))
            for sign, group in ligand.charges:
                if sign == -charge.sign:
                    charged[r] = min(charged[r], float(_distances(ligand.xyz[list(group)], where).min()))
        stacked = np.full(len(plain), math.inf)
        any_ring = np.full(len(plain), math.inf)
        for ring in receptor.rings:
            r = ring.residue
            any_ring[r] = min(any_ring[r], float(_distances(heavy, ring.center[None]).min()))
            for mine in ligand.rings:
                stacked[r] = min(stacked[r], float(np.linalg.norm(mine.center - ring.center)))
        found: dict[str, tuple[float, float, float, float]] = {}
        for r, label in enumerate(receptor.labels):
            figures = (
                _gap(label in bonded, min(gives[r], takes[r]), any_polar[r], HYDROGEN_BOND),
                _gap(label in bridged, charged[r], any_charged[r], SALT_BRIDGE),
                _gap(label in stacked_on, stacked[r], any_ring[r], STACKING),
                max(0.0, float(plain[r]) - CONTACT),
            )
            before = found.get(label)
            found[label] = figures if before is None else tuple(map(_smaller, figures, before))  # type: ignore[assignment]
        return found


def _nearest_of_each(found: Iterable[Aromatic]) -> list[Aromatic]:
    """The nearest contact of each ring with each residue: a heme has four rings, tryptophan two."""
    kept: dict[tuple[tuple[int, ...], str], Aromatic] = {}
    for contact in sorted(found, key=lambda a: (a.distance, a.atoms)):
        kept.setdefault((contact.atoms, contact.residue), contact)
    return list(kept.values())


def burial(ligand: Posed, receptor: Receptor) -> Floats:
    """Of each heavy atom, the share of its water-accessible surface (Shrake and Rupley 1973) that the protein covers.

    An atom that the molecule itself covers takes the mean of its neighbours.
    """
    count = ligand.heavy
    radii = ligand.kinds.radius + _WATER
    centers = ligand.xyz[:count]
    points = centers[:, None, :] + radii[:, None, None] * _sphere()[None, :, :]
    flat = points.reshape(-1, 3)
    own = _distances(flat, centers) < radii[None, :] - 1e-6
    own[np.arange(len(flat)), np.repeat(np.arange(count), _POINTS)] = False
    free = ~own.any(axis=1)
    nearby = receptor.tree.query_ball_point(centers, 8.0)
    near = np.array(sorted({index for each in nearby for index in each}), np.intp)
    covered = np.zeros(len(flat), bool)
    if len(near):
        outer = receptor.kinds.radius[near] + _WATER
        exposed = np.flatnonzero(free)
        covered[exposed] = (_distances(flat[exposed], receptor.xyz[near]) < outer[None, :]).any(axis=1)
    open_points = free.reshape(count, _POINTS).sum(axis=1)
    share = covered.reshape(count, _POINTS).sum(axis=1) / np.maximum(open_points, 1)
    hidden = open_points < 3
    for atom in np.flatnonzero(hidden).tolist():
        around = [n for n in _heavy_neighbours(ligand.mol, atom) if not hidden[n]]
        share[atom] = float(share[around].mean()) if around else 1.0
    result: Floats = share
    return result


def _sphere() -> Floats:
    """Points spread evenly on a unit sphere (a golden spiral)."""
    steps = np.arange(_POINTS) + 0.5
    z = 1.0 - 2.0 * steps / _POINTS
    turn = steps * math.pi * (3.0 - math.sqrt(5.0))
    flat = np.sqrt(1.0 - z * z)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)


def _distances(first: Floats, second: Floats) -> Floats:
    squared = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)[None, :] - 2.0 * first @ second.T
    distances: Floats = np.sqrt(np.maximum(squared, 0.0))
    return distances


def _angle(first: Floats, middle: Floats, last: Floats) -> float:
    a, b = first - middle, last - middle
    cosine = float(a @ b) / (float(np.linalg.norm(a)) * float(np.linalg.norm(b)))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def _bond_angle(donor: Floats, hydrogens: Floats, back: Floats, acceptor: Floats, turns: bool) -> float | bool | None:
    """The best angle at a hydrogen, None where the hydrogen can turn to the acceptor, False where there is no bond."""
    if turns:
        low, high = _TURNING
        return None if len(back) and low <= _angle(back[0], donor, acceptor) <= high else False
    best: float | bool = False
    for hydrogen in hydrogens:
        angle = _angle(donor, hydrogen, acceptor)
        if np.linalg.norm(hydrogen - acceptor) <= _TO_HYDROGEN and angle >= _STRAIGHT and angle > best:
            best = angle
    return best


def _faces(acceptor: Floats, back: Floats, donor: Floats) -> bool:
    """The donor comes from where the lone pairs are, not from behind the acceptor."""
    return all(_angle(each, acceptor, donor) >= _AT_ACCEPTOR for each in back)


def _stacking(first: Ring, second: Ring) -> tuple[float, str]:
    between = second.center - first.center
    distance = float(np.linalg.norm(between))
    if distance > EDGE:
        return distance, ""
    angle = math.degrees(math.acos(min(1.0, abs(float(first.normal @ second.normal)))))
    if angle >= 60.0:
        return distance, "edge-to-face"
    if distance > STACKING:
        return distance, ""
    return distance, "face-to-face" if angle <= 30.0 else "tilted"


def _above(ring: Ring, point: Floats) -> bool:
    between = point - ring.center
    distance = float(np.linalg.norm(between))
    return 0.0 < distance <= EDGE and abs(float(ring.normal @ between)) / distance >= math.cos(math.radians(45.0))


def _heavy_neighbours(mol: Chem.Mol, atom: int) -> list[int]:
    return [n.GetIdx() for n in mol.GetAtomWithIdx(atom).GetNeighbors() if n.GetAtomicNum() > 1]


def _internal(ligand: Posed) -> set[int]:
    """Donors and acceptors that the molecule's own hydrogen bonds answer, four bonds apart or more."""
    apart = Chem.GetDistanceMatrix(ligand.mol)
    found: set[int] = set()
    for donor in ligand.donors:
        for acceptor in ligand.acceptors:
            if apart[donor.atom, acceptor.atom] < 4 or not _answers(ligand, donor, acceptor.atom):
                continue
            found |= {ligand.to_smiles[donor.atom], ligand.to_smiles[acceptor.atom]}
    return found


def _answers(ligand: Posed, donor: Polar, acceptor: int) -> bool:
    xyz = ligand.xyz
    if donor.turns:
        return float(np.linalg.norm(xyz[donor.atom] - xyz[acceptor])) <= 3.0
    return any(
        float(np.linalg.norm(xyz[h] - xyz[acceptor])) <= 2.4 and _angle(xyz[donor.atom], xyz[h], xyz[acceptor]) >= 110.0
        for h in donor.hydrogens
    )


def _least(distances: Floats, residues: NDArray[np.intp], count: int) -> Floats:
    """The smallest distance to each residue; infinite where there is none."""
    result = np.full(count, math.inf)
    if distances.size:
        np.minimum.at(result, residues, distances.min(axis=0))
    return result


def _gap(made: bool, distance: float, nearest: float, limit: float) -> float:
    if made:
        return 0.0
    if math.isfinite(distance):
        return max(0.1, float(distance) - limit)  # near enough, but not in the right direction
    return max(1.5, float(nearest) - limit) if math.isfinite(nearest) else math.nan


def _smaller(first: float, second: float) -> float:
    return min(first, second) if not math.isnan(first + second) else second if math.isnan(first) else first
