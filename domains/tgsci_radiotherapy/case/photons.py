"""A case from an image and structures, with photon beams of the built-in pencil beam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import UsageError

from .model import Beam, Case, Dij, Grid, Structure, Type, own_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Setup:
    """Everything that a photon case is calculated from; `case` calculates it.

    Args:
        name: Of the case.
        ct: Hounsfield units, int16, (z, y, x).
        ct_grid: Grid of the image.
        grid: Dose grid.
        structures: In the order in which overlaps are resolved.
        beams: Their angles.
        fractions: Number of fractions.
        isocentre: (x, y, z), mm; None for the mean of all targets' voxels.
        provenance: For people.
    """

    name: str
    ct: NDArray[np.int16]
    ct_grid: Grid
    grid: Grid
    structures: tuple[Structure, ...]
    beams: tuple[Beam, ...]
    fractions: int
    isocentre: tuple[float, float, float] | None = None
    provenance: Mapping[str, str] | None = None

    def case(self) -> Case:
        """The case, with its dij.

        Raises:
            UsageError: No target, or none that a field covers.
        """
        voxels, owners = own_rows(self.structures, self.grid)
        centre = " ".join(f"{c:g}" for c in self.centre())
        return Case(
            name=self.name,
            grid=self.grid,
            structures=self.structures,
            dij=self.dij(),
            voxels=voxels,
            owners=owners,
            fractions=self.fractions,
            ct=self.ct,
            ct_grid=self.ct_grid,
            beams=self.beams,
            modality="photons",
            provenance={**(self.provenance or {}), "isocentre": f"{centre} mm (x, y, z)"},
        )

    def centre(self) -> tuple[float, float, float]:
        """The isocentre, (x, y, z), mm.

        Raises:
            UsageError: None is given, and there is no target.
        """
        if self.isocentre is not None:
            return self.isocentre
        x, y, z = np.round(self._target().mean(axis=0), 3)
        return float(x), float(y), float(z)

    def _target(self) -> NDArray[np.float64]:
        """Centres of all targets' voxels, (n, 3), (x, y, z), mm."""
        from .beams.geometry import points_of

        targets = [s.voxels for s in self.structures if s.type == "target"]
        if not any(len(v) for v in targets):
            raise UsageError(f"{self.name} has no target with a voxel on the dose grid; beams need one to aim at")
        return points_of(self.grid, np.unique(np.concatenate(targets)))

    def dij(self, shift: Sequence[float] = (0.0, 0.0, 0.0)) -> Dij:
        """The dose influence, the patient moved by `shift`, (x, y, z), mm; the beams and bixels stay.

        Raises:
            UsageError: No target, or none that a field covers.
        """
        from .beams.geometry import covering, points_of
        from .beams.influence import influence

        centre = self.centre()
        bixels = covering(self.beams, centre, self._target())
        voxels, _ = own_rows(self.structures, self.grid)
        # Moving the patient by s is the same as moving source and isocentre by -s.
        moved = np.asarray(centre, np.float64) - np.asarray(shift, np.float64)
        rows = points_of(self.grid, voxels)
        return influence(self.ct, self.ct_grid, self.beams, moved.tolist(), bixels, rows, self.fractions)


def structure(
    name: str,
    kind: Type,
    mask: NDArray[np.bool_],
    grid: Grid,
    volume_cc: float | None = None,
    prescription: float | None = None,
) -> Structure:
    """A structure from a mask on the dose grid, (z, y, x)."""
    voxels = np.flatnonzero(mask).astype(np.int32)
    volume = len(voxels) * grid.voxel_cc if volume_cc is None else volume_cc
    return Structure(name, kind, voxels, volume, prescription)
