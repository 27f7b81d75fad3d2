"""Where the molecule could grow: the room along each hydrogen, what lines it, and what would fit; unfilled pockets.

Real substituents are put in place of the hydrogen; the room beyond is walked on a lattice, from the hydrogen outwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize
from scipy import ndimage
from scipy.spatial import cKDTree

from ..molecule.smiles import molecule
from .contacts import HBond
from .ligand import PosedLigand
from .probes import MAPPED, SPACING
from .receptor import Receptor
from .substituents import ACCEPTORS, APART, DONORS, ISOSTERES, SUBSTITUENTS, fitted
from .terms import Flags, Floats

#: What `Growth.fits` says where there is room, but no group tried is worth its atoms.
NOTHING = "room, but none of the groups tried earns much"
#: The next atoms of a chain lie within this of the first one's, Angstrom.
_NEXT = 4.5
#: Smaller than this, an unfilled place is a gap that every pose has, cubic Angstrom (of the centre of an atom).
_SMALLEST = {"lipophilic": 8.0, "donor": 4.0, "acceptor": 4.0}
#: A hydrogen bond is worth this in Vina; less than half of it and a polar atom is no better than carbon.
_POLAR_GAIN = 0.25
_POLAR = -0.6
_LIPOPHILIC = -0.3
#: A substituent is worth naming from this on, kcal/mol for each of its heavy atoms.
_WORTH = -0.25
#: How far from its atom a growth vector is followed, Angstrom, and how wide its cone opens to either side.
REACH = 7.0
_OPENING = math.cos(math.radians(55.0))
#: How far ahead of its atom a hydrogen points, and how near a residue lies that it points at, Angstrom.
_AHEAD, _POINTED = 4.0, 3.5
#: A probe atom feels welcome below this, kcal/mol.
_FREE = 0.5
#: Receptor atoms within 6 A of a point that lies in a pocket; fewer, and it lies in water.
_POCKET = 14


class Room:
    """The lattice around a pose: where a probe can be, what it feels, how far the molecule is."""

    def __init__(self, ligand: PosedLigand, receptor: Receptor) -> None:
        self.ligand, self.receptor = ligand, receptor
        heavy = ligand.xyz[: ligand.heavy]
        self.low = np.floor((heavy.min(axis=0) - REACH) / SPACING).astype(np.intp)
        high = np.ceil((heavy.max(axis=0) + REACH) / SPACING).astype(np.intp)
        values = receptor.probes.region(self.low, high, heavy, REACH)
        self.energies, count = values[:-1], values[-1]
        self.ligand_tree = cKDTree(heavy)
        free = self.energies.min(axis=0) <= _FREE
        self.own = np.zeros(free.shape)
        self.own[free] = self.ligand_tree.query(self.points(np.argwhere(free)), distance_upper_bound=REACH)[0]
        self.free: Flags = free & (self.own <= REACH)
        self.pocket: Flags = self.free & (count >= _POCKET)

    def points(self, places: NDArray[np.intp]) -> Floats:
        xyz: Floats = (places + self.low) * SPACING
        return xyz

    def around(self, atom: int, direction: Floats) -> tuple[NDArray[np.intp], Floats, Flags, tuple[slice, ...]]:
        """Cut out the cone of a vector: lattice indices, distances from the atom, and which points it holds."""
        origin = self.ligand.xyz[atom]
        middle = np.rint(origin / SPACING).astype(np.intp) - self.low
        half = int(REACH / SPACING)
        begin = np.maximum(middle - half, 0)
        end = np.minimum(middle + half + 1, self.free.shape)
        window = tuple(slice(a, b) for a, b in zip(begin.tolist(), end.tolist(), strict=True))
        axes = [
            (np.arange(a, b) + low) * SPACING - o for a, b, low, o in zip(begin, end, self.low, origin, strict=True)
        ]
        x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
        distance = np.sqrt(x * x + y * y + z * z)
        ahead = x * direction[0] + y * direction[1] + z * direction[2]
        inside = (ahead >= _OPENING * distance) & (distance <= REACH) & (distance >= 1.0)
        return begin, distance, inside, window

    def lining(self, xyz: Floats, most: int = 4) -> tuple[str, ...]:
        """Find the residues within 4.5 A of these points, the one that touches most of them first."""
        receptor = self.receptor
        touched: dict[str, int] = {}
        for near in receptor.tree.query_ball_point(xyz[:: max(1, len(xyz) // 60)], 4.5):
            for residue in sorted({int(receptor.residue[receptor.heavy[i]]) for i in near}):
                touched[receptor.labels[residue]] = touched.get(receptor.labels[residue], 0) + 1
        return tuple(sorted(touched, key=lambda label: (-touched[label], label))[:most])


@dataclass(frozen=True)
class Growth:
    """A hydrogen that could be replaced; `atom` bears it and counts from 0 in the SMILES.

    Args:
        reach: The distance that the pocket goes on along it, Angstrom from the atom; 0 where nothing fits.
        volume: The part of the pocket that a new atom's centre can reach from there, cubic Angstrom.
        character: "lipophilic", "donor", "acceptor", "polar", "solvent" or "closed".
        energy: The energy of the best probe atom there, kcal/mol.
        residues: The residues that line it, nearest first.
        fits: What fits, in words: the substituents worth naming with their energies, kcal/mol, the lowest first.
        substituents: All that fit, as figures, the best for its size first.
        partner: The residue that the best polar probe would bond to, "" if none.
        toward: The residue that the hydrogen points at, "" where none is near.
        hydrogens: How many hydrogens the atom bears; this is the one with most room.
        isomer: Where a group in its place makes a stereocentre: the SMILES of the product, with `*` for the group.
    """

    atom: int
    reach: float
    volume: float
    character: str
    energy: float
    residues: tuple[str, ...]
    fits: str
    substituents: tuple[tuple[str, float], ...]
    partner: str
    toward: str = ""
    hydrogens: int = 1
    isomer: str = ""


@dataclass(frozen=True)
class Pocket:
    """A place near the molecule that it does not fill.

    Args:
        character: Which probe likes it best: "lipophilic", "donor" or "acceptor".
        volume: The volume of the places where that probe is welcome, cubic Angstrom.
        distance: The distance from the nearest atom of the ligand, Angstrom.
        atom: That atom.
        residues: The residues that line it.
        energy: The energy of the best probe atom, kcal/mol.
    """

    character: str
    volume: float
    distance: float
    atom: int
    residues: tuple[str, ...]
    energy: float


def growth_vectors(room: Room, smiles: str, hbonds: Sequence[HBond]) -> list[Growth]:
    """Find where the molecule could grow: one vector for each atom with a hydrogen, the most promising first.

    A hydrogen that makes a hydrogen bond is kept, and one that protonation added is not there to replace.
    """
    ligand, mol = room.ligand, molecule(smiles)
    bonded = {b.atom for b in hbonds if b.role == "donor"}
    best: dict[int, Growth] = {}
    for atom in ligand.mol.GetAtoms():
        number = ligand.to_smiles[atom.GetIdx()] if atom.GetAtomicNum() > 1 else -1
        if (
            number < 0
            or number in bonded
            or atom.GetFormalCharge() > 0
            or not mol.GetAtomWithIdx(number).GetTotalNumHs()
        ):
            continue
        hydrogens = [n.GetIdx() for n in atom.GetNeighbors() if n.GetAtomicNum() == 1]
        growths = {hydrogen: _growth(room, atom.GetIdx(), hydrogen) for hydrogen in hydrogens}
        if growths:
            chosen = min(hydrogens, key=lambda hydrogen: _promise(growths[hydrogen]))
            best[number] = replace(
                growths[chosen],
                toward=_toward(room, atom.GetIdx(), chosen),
                hydrogens=len(hydrogens),
                isomer=_isomer(ligand.mol, atom, chosen) if growths[chosen].substituents else "",
            )
    return sorted(best.values(), key=lambda g: (_promise(g), g.atom))


def _toward(room: Room, atom: int, hydrogen: int) -> str:
    """Name the residue that a hydrogen points at."""
    origin = room.ligand.xyz[atom]
    direction = room.ligand.xyz[hydrogen] - origin
    point = origin + direction * (_AHEAD / float(np.linalg.norm(direction)))
    distance, nearest = room.receptor.tree.query(point)
    if distance > _POINTED:
        return ""
    return room.receptor.labels[int(room.receptor.residue[room.receptor.heavy[int(nearest)]])]


def _isomer(mol: Chem.Mol, atom: Chem.Atom, hydrogen: int) -> str:
    """Write the product of putting a group in place of a hydrogen, with its stereo; "" where it makes no centre."""
    if atom.GetHybridization() != Chem.HybridizationType.SP3 or atom.GetSymbol() != "C" or atom.GetDegree() < 4:
        return ""
    product = Chem.RWMol(mol)
    product.GetAtomWithIdx(hydrogen).SetAtomicNum(0)
    product.GetAtomWithIdx(hydrogen).SetNoImplicit(True)
    made = product.GetMol()
    with rdBase.BlockLogs():
        Chem.SanitizeMol(made)
        Chem.AssignStereochemistryFrom3D(made)
        if made.GetAtomWithIdx(atom.GetIdx()).GetChiralTag() == Chem.ChiralType.CHI_UNSPECIFIED:
            return ""
        return str(Chem.MolToSmiles(rdMolStandardize.Uncharger().uncharge(Chem.RemoveHs(made))))


def pockets(room: Room, most: int = 3) -> list[Pocket]:
    """Find the unfilled places that begin next to the molecule and go on to 6.5 A from it, the best first.

    Lipophilic ones of 8 cubic Angstrom or more, and polar ones of 4 or more.
    """
    ligand, unfilled = room.ligand, []
    for n, character in enumerate(MAPPED):
        limit = _LIPOPHILIC - 0.1 if character == "lipophilic" else _POLAR - 0.1
        usable = room.pocket & (room.own >= APART) & (room.own <= 6.5) & (room.energies[n] <= limit)
        if character != "lipophilic":
            usable &= room.energies[n] <= room.energies[0] - _POLAR_GAIN
        parts, count = ndimage.label(usable)
        sizes = np.bincount(parts.ravel(), minlength=count + 1)
        for part in range(1, count + 1):
            volume = float(sizes[part]) * SPACING**3
            if volume < _SMALLEST[character]:
                continue
            places = np.argwhere(parts == part)
            energies = room.energies[n][tuple(places.T)]
            xyz = room.points(places)
            distance, nearest = room.ligand_tree.query(xyz)
            closest = int(distance.argmin())
            if distance[closest] > (4.5 if character == "lipophilic" else 3.6):
                continue  # behind a wall, or further than one polar group goes
            unfilled.append(
                Pocket(
                    character,
                    volume,
                    float(distance[closest]),
                    ligand.to_smiles[int(nearest[closest])],
                    room.lining(xyz),
                    float(energies.min()),
                )
            )
    unfilled.sort(key=lambda p: (p.energy * min(p.volume, 60.0) ** 0.5, p.atom))
    return unfilled[:most]


def _growth(room: Room, atom: int, hydrogen: int) -> Growth:
    number = room.ligand.to_smiles[atom]
    scores = fitted(room.ligand, room.receptor, atom, hydrogen)
    if not scores:
        return Growth(number, 0.0, 0.0, "closed", 0.0, (), "no room: nothing fits", (), "")
    ranked = tuple(sorted(scores.items(), key=lambda item: (_worth(*item), item[0])))
    origin = room.ligand.xyz[atom]
    direction = (room.ligand.xyz[hydrogen] - origin) / np.linalg.norm(room.ligand.xyz[hydrogen] - origin)
    begin, distance, inside, window = room.around(atom, direction)
    # Beyond the first atom the molecule itself is a wall.
    clear = (room.own[window] >= np.minimum(APART, distance - 0.3)) & inside & room.free[window]
    reached = _reachable(clear, distance)
    in_pocket = reached & room.pocket[window]
    places = np.argwhere(in_pocket) + begin
    xyz = room.points(places)
    energies = room.energies[(slice(None), *places.T)]
    close = distance[in_pocket] <= _NEXT
    best = [float(e[close].min()) if close.any() else 0.0 for e in energies]
    character, energy = _character(best, ranked)
    partner = ""
    if character in ("donor", "acceptor"):
        n = MAPPED.index(character)
        partner = partner_of(room.receptor, xyz[close][int(energies[n][close].argmin())], character)
    return Growth(
        atom=number,
        reach=float(distance[in_pocket].max(initial=0.0)),
        volume=float(in_pocket.sum()) * SPACING**3,
        character=character,
        energy=energy,
        residues=room.lining(xyz),
        fits=_fits(ranked, character, partner),
        substituents=ranked,
        partner=partner,
    )


def _reachable(clear: Flags, distance: Floats) -> Flags:
    """Find the points that a growing chain can reach: in one piece with those one bond from the atom."""
    parts, _ = ndimage.label(clear)
    begin = clear & (distance <= 2.0)
    reached = np.unique(parts[begin])
    in_reach: Flags = np.isin(parts, reached[reached > 0])
    return in_reach


def _character(best: Sequence[float], ranked: Sequence[tuple[str, float]]) -> tuple[str, float]:
    lipophilic, donor, acceptor = best
    polar = min(donor, acceptor)
    if polar <= _POLAR and polar <= lipophilic - _POLAR_GAIN:
        both = abs(donor - acceptor) < 0.1
        return ("polar" if both else "donor" if donor < acceptor else "acceptor"), polar
    if lipophilic <= _LIPOPHILIC or any(_worth(*each) < 0 for each in ranked):
        return "lipophilic", lipophilic
    return "solvent", lipophilic


def partner_of(receptor: Receptor, point: Floats, character: str) -> str:
    """Find the atom that answers a polar probe: its residue and name."""
    wanted = receptor.acceptors if character == "donor" else receptor.donors
    near = [int(receptor.heavy[i]) for i in receptor.tree.query_ball_point(point, 3.6)]
    usable = [i for i in near if wanted[i] or (character == "acceptor" and i in receptor.metals)]
    if not usable:
        return ""
    nearest = min(usable, key=lambda i: (float(np.linalg.norm(receptor.atoms.xyz[i] - point)), i))
    return f"{receptor.labels[receptor.residue[nearest]]} {receptor.atoms.names[nearest]}"


def _worth(name: str, energy: float) -> float:
    """Compute what a substituent brings beyond what atoms bring that only lie on the surface, kcal/mol."""
    return energy - _WORTH * len(SUBSTITUENTS[name])


def _fits(ranked: Sequence[tuple[str, float]], character: str, partner: str) -> str:
    named = _worth_naming(ranked)
    words = ", ".join(f"{name} {energy:+.1f}" for name, energy in sorted(named, key=lambda each: each[1]))
    if partner:
        bond = f"{'a donor' if character == 'donor' else 'an acceptor'} towards {partner}"
        if not {name for name, _ in named} & (DONORS if character == "donor" else ACCEPTORS):
            bond += " (none of the groups tried reaches it)"
        return f"{bond}; {words}" if words else bond
    if words:
        return words
    if character == "solvent":
        return "solvent: no gain expected, use it for solubility"
    return NOTHING


def _worth_naming(ranked: Sequence[tuple[str, float]], most: int = 4) -> list[tuple[str, float]]:
    """Choose those worth naming; no polar group where its isostere does as well, as Vina does not charge for water."""
    energies = dict(ranked)
    answered = [e for e in ranked if energies.get(ISOSTERES.get(e[0], ""), 0.0) > e[1] or e[0] not in ISOSTERES]
    return [each for each in answered if _worth(*each) < 0][:most]


def _promise(growth: Growth) -> float:
    """Compute what the best substituent brings beyond its size, kcal/mol."""
    if growth.character in ("solvent", "closed"):
        return 1.0 + (growth.character == "closed")
    best = min(_worth(*each) for each in growth.substituents)
    return min(best, 0.0) + 0.1 * min(growth.energy, 0.0)
