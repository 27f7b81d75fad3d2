"""Sheets and cases for the tests of goals."""

from __future__ import annotations

import numpy as np

from tgsci_radiotherapy.case.model import Case, Dij, Grid, Structure, own_rows
from tgsci_radiotherapy.goals import Sheet, parse_sheet


def case_of(*structures: tuple[str, str, float | None], fractions: int = 25, empty: str = "") -> Case:
    """A case with structures of 20 voxels each (0.027 cc): name, type, prescription."""
    grid = Grid((20 * len(structures), 1, 1), (3.0, 3.0, 3.0))
    found = tuple(
        Structure(name, kind, np.arange(20 * i, 20 * i + (0 if name == empty else 20), dtype=np.int32), 0.54, dose)  # type: ignore[arg-type]
        for i, (name, kind, dose) in enumerate(structures)
    )
    voxels, owners = own_rows(found, grid)
    starts, values = np.zeros(len(voxels) + 1, np.int64), np.zeros(0, np.float32)
    dij = Dij(starts, np.zeros(0, np.uint16), values, 1, np.zeros(1, np.int16))
    return Case("mine", grid, found, dij, voxels, owners, fractions)


CSHAPE = case_of(("PTV", "target", 50.0), ("Core", "oar", None), ("Body", "external", None))


def sheet(*goals: str, more: str = "\n[prescription]\nPTV = 50") -> Sheet:
    """A sheet of these goals and nothing else: none that it would imply."""
    return parse_sheet(f"implied = false\ngoals = {list(goals)!r}\n{more}".replace("'", '"'), "mine")
