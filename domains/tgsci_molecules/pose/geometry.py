"""Distances and angles, and what of them counts as a contact.

Limits: a hydrogen bond has its heavy atoms within 3.5 A, the hydrogen within 2.7 A of the acceptor and an angle of
120 degrees or more at the hydrogen (McDonald and Thornton 1994, with 0.2 A for docking); where the hydrogen can turn,
the angle at the donor decides. A salt bridge is 4.0 A (Barlow and Thornton 1983). Rings touch within 5.5 A of their
centres, 6.0 A at an edge or under a cation.
"""

from __future__ import annotations

import math

import numpy as np
from rdkit import Chem

from .receptor import Ring
from .terms import Floats

HYDROGEN_BOND, SALT_BRIDGE, STACKING, EDGE, CONTACT = 3.5, 4.0, 5.5, 6.0, 4.5
HALOGEN_BOND, SAME_POLARITY = 3.5, 3.2
_TO_HYDROGEN, _STRAIGHT = 2.7, 120.0
#: At a donor whose hydrogens turn, between its bond and the acceptor; a tetrahedron's 109 degrees, give or take.
_TURNING = (70.0, 150.0)
_AT_ACCEPTOR = 90.0


def distances_between(first: Floats, second: Floats) -> Floats:
    squared = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)[None, :] - 2.0 * first @ second.T
    distances: Floats = np.sqrt(np.maximum(squared, 0.0))
    return distances


def angle_at(first: Floats, middle: Floats, last: Floats) -> float:
    a, b = first - middle, last - middle
    cosine = float(a @ b) / (float(np.linalg.norm(a)) * float(np.linalg.norm(b)))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def turned_to(donor: Floats, back: Floats, acceptor: Floats) -> bool:
    """Tell whether a hydrogen that turns about the bond from `back` to the donor can point at the acceptor."""
    low, high = _TURNING
    return bool(len(back)) and low <= angle_at(back[0], donor, acceptor) <= high


def bond_angle(donor: Floats, hydrogens: Floats, acceptor: Floats) -> float | None:
    """Find the best angle at a hydrogen that stays where it is; None where none of them makes the bond."""
    angles = [angle_at(donor, h, acceptor) for h in hydrogens if np.linalg.norm(h - acceptor) <= _TO_HYDROGEN]
    return max((angle for angle in angles if angle >= _STRAIGHT), default=None)


def is_faced(acceptor: Floats, back: Floats, donor: Floats) -> bool:
    """Tell whether the donor comes from where the lone pairs are, not from behind the acceptor."""
    return all(angle_at(each, acceptor, donor) >= _AT_ACCEPTOR for each in back)


def stacked_as(first: Ring, second: Ring) -> tuple[float, str]:
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


def is_above(ring: Ring, point: Floats) -> bool:
    between = point - ring.center
    distance = float(np.linalg.norm(between))
    return 0.0 < distance <= EDGE and abs(float(ring.normal @ between)) / distance >= math.cos(math.radians(45.0))


def heavy_neighbours(mol: Chem.Mol, atom: int) -> list[int]:
    return [n.GetIdx() for n in mol.GetAtomWithIdx(atom).GetNeighbors() if n.GetAtomicNum() > 1]
