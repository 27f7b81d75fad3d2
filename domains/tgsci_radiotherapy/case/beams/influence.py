"""The dose-influence matrix of photon beams in a patient, by the analytic pencil beam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import UsageError

from ..model import Beam, Case, Dij, Grid, Structure, own_rows
from .geometry import BIXEL, SAD, Bixels, axes, covering, points_of, project
from .pencil import CUTOFF, pencil

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Hounsfield units above this count as this: they are metal or a fault of the image, not tissue.
HIGHEST_HU = 3000.0


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
        hu_table: Points (HU, electron density relative to water); empty: the default of `electron_density`.
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
    hu_table: tuple[tuple[float, float], ...] = ()

    def case(self) -> Case:
        """Calculate the case, with its dij.

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
            hu_table=self.hu_table,
        )

    def centre(self) -> tuple[float, float, float]:
        """Find the isocentre, (x, y, z), mm.

        Raises:
            UsageError: None is given, and there is no target.
        """
        if self.isocentre is not None:
            return self.isocentre
        x, y, z = np.round(self._target().mean(axis=0), 3)
        return float(x), float(y), float(z)

    def _target(self) -> NDArray[np.float64]:
        """Centres of all targets' voxels, (n, 3), (x, y, z), mm."""
        targets = [s.voxels for s in self.structures if s.type == "target"]
        if not any(len(v) for v in targets):
            raise UsageError(f"{self.name} has no target with a voxel on the dose grid; beams need one to aim at")
        return points_of(self.grid, np.unique(np.concatenate(targets)))

    def dij(self, shift: Sequence[float] = (0.0, 0.0, 0.0), density: float = 1.0) -> Dij:
        """Calculate the dose influence, also for a patient who lies or is denser than the image says; the bixels stay.

        Args:
            shift: How far the patient is moved, (x, y, z), mm.
            density: What every electron density is multiplied by.

        Raises:
            UsageError: No target, or none that a field covers.
        """
        centre = self.centre()
        bixels = covering(self.beams, centre, self._target())
        voxels, _ = own_rows(self.structures, self.grid)
        # Moving the patient by s is the same as moving source and isocentre by -s.
        moved = np.asarray(centre, np.float64) - np.asarray(shift, np.float64)
        rows = points_of(self.grid, voxels)
        return influence(
            self.ct,
            self.ct_grid,
            self.beams,
            moved.tolist(),
            bixels,
            rows,
            self.fractions,
            density=density,
            hu_table=self.hu_table,
        )


def influence(
    ct: NDArray[np.number],
    ct_grid: Grid,
    beams: Sequence[Beam],
    isocentre: Sequence[float],
    bixels: Bixels,
    points: NDArray[np.float64],
    fractions: int = 1,
    cutoff: float = CUTOFF,
    density: float = 1.0,
    hu_table: Sequence[tuple[float, float]] = (),
) -> Dij:
    """Calculate the dose of each bixel to each point, by the analytic 6 MV pencil beam.

    Args:
        ct: Hounsfield units, (z, y, x); around the image is nothing.
        ct_grid: Grid of the image.
        beams: Their angles.
        isocentre: (x, y, z), mm.
        bixels: Of these beams.
        points: (rows, 3), (x, y, z), mm; row i of the result is point i.
        fractions: Doses are those of so many fractions.
        cutoff: Lateral, mm in the plane of the isocentre.
        density: What every electron density is multiplied by.
        hu_table: As for `electron_density`.

    Returns:
        Total Gy for one unit of fluence, quantised as it would be saved; a unit gives 1 Gy per fraction under the
        reference of `pencil`.
    """
    from ..quantise import quantise
    from . import kernels

    if bixels.lookup.shape[0] != len(beams):
        raise ValueError(f"bixels of {bixels.lookup.shape[0]} beams with {len(beams)} beams")
    densities = electron_density(ct, hu_table) * np.float32(density)
    spacing, origin = (np.array(of[::-1], np.float64) for of in (ct_grid.spacing, ct_grid.origin))
    reach_x, reach_y = abs(bixels.first_x) + cutoff, abs(bixels.first_y) + cutoff
    x, y, magnified = (np.empty((len(beams), len(points))) for _ in range(3))
    depth = np.empty((len(beams), len(points)), np.float32)
    for b, beam in enumerate(beams):
        seen = axes(beam, isocentre)
        x[b], y[b], t = project(points, seen)
        magnified[b] = SAD / t
        reached = (np.abs(x[b]) < reach_x) & (np.abs(y[b]) < reach_y)
        depth[b] = kernels.depths(points, reached, seen.source, densities, spacing, origin)
    beamlets = len(bixels)
    shape = (bixels.lookup, bixels.first_x, bixels.first_y, BIXEL, cutoff)
    starts = kernels.count(x, y, *shape)
    columns = np.empty(starts[-1], np.uint16 if beamlets < 65_536 else np.uint32)
    values = np.empty(starts[-1], np.float32)
    tables = pencil(cutoff)
    model = (tables.weights, tables.sigmas, kernels.ERF, float(fractions))
    kernels.fill(x, y, magnified, depth, *shape, *model, starts, columns, values)
    return Dij(starts, columns, quantise(starts, values), beamlets, bixels.beams)


def electron_density(hu: NDArray[np.number], table: Sequence[tuple[float, float]] = ()) -> NDArray[np.float32]:
    """Convert Hounsfield units to electron density relative to water.

    Straight lines between the points of a table. The default is after S. J. Thomas (Relative electron density
    calibration of CT scanners for radiotherapy treatment planning, Br J Radiol 72:781-786, 1999): 1 + HU / 1000 up to
    water, 1 + HU / 1950 from 100 HU on. His first line goes on to 100 HU and leaves a step of 0.05 there; a line from
    water to the second branch takes its place, so that noise in soft tissue does not make it two tissues.

    Args:
        hu: Hounsfield units, any shape.
        table: Points (HU, electron density relative to water), HU rising; beyond its ends the density stays. Empty: the
            default.

    Returns:
        0 for air, 1 for water, about 1.5 for dense bone.
    """
    points = table or (
        (-1000.0, 0.0), (0.0, 1.0), (100.0, 1.0 + 100.0 / 1950.0), (HIGHEST_HU, 1.0 + HIGHEST_HU / 1950.0),
    )  # fmt: skip
    table_hu, table_density = np.array(points, np.float64).T
    density: NDArray[np.float64] = np.interp(np.asarray(hu, np.float64), table_hu, table_density)
    return density.astype(np.float32)
