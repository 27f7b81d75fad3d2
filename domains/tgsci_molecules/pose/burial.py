"""How deep each atom of a pose lies in the protein."""

from __future__ import annotations

import math

import numpy as np

from .geometry import distances_between, heavy_neighbours
from .ligand import Posed
from .receptor import Receptor
from .terms import Floats

#: Radius of water, Angstrom, and how many points stand for the surface of an atom.
_WATER, _POINTS = 1.4, 96


def burial(ligand: Posed, receptor: Receptor) -> Floats:
    """Of each heavy atom, the share of its water-accessible surface (Shrake and Rupley 1973) that the protein covers.

    An atom that the molecule itself covers takes the mean of its neighbours.
    """
    count = ligand.heavy
    radii = ligand.kinds.radius + _WATER
    centers = ligand.xyz[:count]
    points = centers[:, None, :] + radii[:, None, None] * _sphere()[None, :, :]
    flat = points.reshape(-1, 3)
    own = distances_between(flat, centers) < radii[None, :] - 1e-6
    own[np.arange(len(flat)), np.repeat(np.arange(count), _POINTS)] = False
    free = ~own.any(axis=1)
    nearby = receptor.tree.query_ball_point(centers, 8.0)
    near = np.array(sorted({index for each in nearby for index in each}), np.intp)
    covered = np.zeros(len(flat), bool)
    if len(near):
        outer = receptor.kinds.radius[near] + _WATER
        exposed = np.flatnonzero(free)
        covered[exposed] = (distances_between(flat[exposed], receptor.xyz[near]) < outer[None, :]).any(axis=1)
    open_points = free.reshape(count, _POINTS).sum(axis=1)
    share = covered.reshape(count, _POINTS).sum(axis=1) / np.maximum(open_points, 1)
    hidden = open_points < 3
    for atom in np.flatnonzero(hidden).tolist():
        around = [n for n in heavy_neighbours(ligand.mol, atom) if not hidden[n]]
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
