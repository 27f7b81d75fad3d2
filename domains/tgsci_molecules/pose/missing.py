"""How far a pose is from a contact that it does not make."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .contacts import Contacts
from .geometry import CONTACT, HYDROGEN_BOND, SALT_BRIDGE, STACKING, distances_between
from .terms import Floats


def missing(contacts: Contacts) -> dict[str, tuple[float, float, float, float]]:
    """By residue, the Angstrom still missing to a hydrogen bond, salt bridge, aromatic and plain contact.

    A bond to a metal counts as a salt bridge, a cation on or under a ring as an aromatic contact. Where the ligand has
    no such group yet, its nearest atom counts, and at least one more bond (1.5 A).
    """
    ligand, receptor = contacts.ligand, contacts.receptor
    heavy = ligand.xyz[: ligand.heavy]
    whole = distances_between(heavy, receptor.xyz)
    columns, count = receptor.residue[receptor.heavy], len(receptor.labels)
    takers, givers = receptor.acceptors[receptor.heavy], receptor.donors[receptor.heavy]
    plain = _least(whole, columns, count)
    gives = _least(whole[[p.atom for p in ligand.donors]][:, takers], columns[takers], count)
    takes = _least(whole[[p.atom for p in ligand.acceptors]][:, givers], columns[givers], count)
    any_polar = _least(whole[:, takers | givers], columns[takers | givers], count)
    bonded = {b.residue for b in contacts.hbonds}
    bridged = {t.residue for t in (*contacts.salt_bridges, *contacts.metals)}
    stacked_on = {a.residue for a in contacts.aromatic}
    charged = np.full(len(plain), math.inf)
    any_charged = np.full(len(plain), math.inf)
    for charge in receptor.charges:
        where = receptor.atoms.xyz[list(charge.atoms)]
        r = charge.residue
        any_charged[r] = min(any_charged[r], float(distances_between(heavy, where).min()))
        for sign, group in ligand.charges:
            if sign == -charge.sign:
                charged[r] = min(charged[r], float(distances_between(ligand.xyz[list(group)], where).min()))
    stacked = np.full(len(plain), math.inf)
    any_ring = np.full(len(plain), math.inf)
    for ring in receptor.rings:
        r = ring.residue
        any_ring[r] = min(any_ring[r], float(distances_between(heavy, ring.center[None]).min()))
        centers = [mine.center for mine in ligand.rings]
        centers += [ligand.xyz[list(group)].mean(axis=0) for sign, group in ligand.charges if sign > 0]
        for center in centers:
            stacked[r] = min(stacked[r], float(np.linalg.norm(center - ring.center)))
    for charge in receptor.charges:
        if charge.sign > 0 and charge.atoms[0] not in receptor.metals:
            r, middle = charge.residue, receptor.atoms.xyz[list(charge.atoms)].mean(axis=0)
            any_ring[r] = min(any_ring[r], float(distances_between(heavy, middle[None]).min()))
            for mine in ligand.rings:
                stacked[r] = min(stacked[r], float(np.linalg.norm(mine.center - middle)))
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
