"""Cases that tests plan on: one of two minutes of thought, calculated in a moment, and one for pencil and paper."""

from __future__ import annotations

from functools import cache
from math import pi

import numpy as np

from tgsci_radiotherapy.case.beams import Setup
from tgsci_radiotherapy.case.model import Beam, Case, Dij, Grid, Structure, own_rows


def small_setup() -> Setup:
    """What `small_case` is calculated from."""
    grid = Grid((11, 25, 25), (4.0, 4.0, 4.0), (-20.0, -48.0, -48.0))
    z, y, x = np.meshgrid(*grid.axes(), indexing="ij")
    body = (np.hypot(x, y) <= 46.0) & (abs(z) <= 20.0)
    target = (np.hypot(x, y + 4.0) <= 11.0) & (abs(z) <= 6.0)
    core = (np.hypot(x, y - 12.0) <= 7.0) & (abs(z) <= 10.0)
    ct = np.where(body, 0, -1000).astype(np.int16)
    return Setup(
        name="small",
        ct=ct,
        ct_grid=grid,
        grid=grid,
        structures=(
            Structure("PTV", "target", _voxels(target), pi * 1.1**2 * 1.2, 50.0),
            Structure("Core", "oar", _voxels(core), pi * 0.7**2 * 2.0),
            Structure("Body", "external", _voxels(body), pi * 4.6**2 * 4.4),
        ),
        beams=(Beam(0.0), Beam(120.0), Beam(240.0)),
        fractions=25,
        provenance={"source": "test phantom"},
    )


def _voxels(mask: np.ndarray) -> np.ndarray:
    return np.flatnonzero(mask).astype(np.int32)


@cache
def small_case() -> Case:
    """A cylinder of water 9 cm wide with three beams: about 80 beamlets, 4,600 rows.

    PTV (50 Gy in 25 fractions), an OAR "Core" that touches and overlaps it, and the Body. Do not write into its arrays.
    """
    return small_setup().case()


def tiny_case() -> Case:
    """Twelve voxels in a row of 3 x 4, four beamlets, every figure short enough for pencil and paper.

    PTV voxels 0-3 (10 Gy in 5 fractions), OAR 3-6 (3 is the PTV's), Body 0-11. Beamlet j gives 2 Gy to its own voxel
    and 1 Gy to the next one in the list 0, 2, 4, 6 -> 1, 3, 5, 7; voxels 8-11 get nothing.
    """
    grid = Grid((1, 3, 4), (10.0, 10.0, 10.0))
    structures = (
        Structure("PTV", "target", np.arange(4, dtype=np.int32), 4.0, 10.0),
        Structure("OAR", "oar", np.arange(3, 7, dtype=np.int32), 4.0),
        Structure("Body", "external", np.arange(12, dtype=np.int32), 12.0),
    )
    voxels, owners = own_rows(structures, grid)
    lengths = [1 if v < 8 else 0 for v in voxels]
    dij = Dij(
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        columns=np.array([v // 2 for v in voxels if v < 8], np.uint16),
        values=np.array([2.0 - v % 2 for v in voxels if v < 8], np.float32),
        beamlets=4,
        beams=np.zeros(4, np.int16),
    )
    return Case("tiny", grid, structures, dij, voxels, owners, 5, beams=(Beam(0.0),))
