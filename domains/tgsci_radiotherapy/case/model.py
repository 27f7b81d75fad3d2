"""A case: the patient on a grid, the structures, and how much dose each beamlet gives to each voxel.

Arrays are in C order (z, y, x): z to the head, y to the back, x to the patient's left, as DICOM's LPS axes for a
patient lying head first and supine. Lengths are mm. Doses are total Gy, all fractions together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from tgsci.errors import UsageError

from ..names import find
from . import regions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Rows = NDArray[np.int32]

Type = Literal["target", "oar", "external"]

#: Regions whose voxels a case remembers; the oldest are forgotten.
_REMEMBERED = 64


@dataclass(frozen=True)
class Grid:
    """A regular grid of voxels.

    Args:
        shape: Voxels along (z, y, x).
        spacing: Distance of voxel centres along (z, y, x), mm.
        origin: Centre of voxel [0, 0, 0], (z, y, x), mm.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def size(self) -> int:
        """How many voxels there are."""
        return int(np.prod(self.shape))

    @property
    def voxel_cc(self) -> float:
        """Volume of a voxel, cm^3."""
        return float(np.prod(self.spacing)) / 1000.0

    def axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Find the coordinates of the voxel centres along z, y and x, mm."""
        z, y, x = (
            o + s * np.arange(n, dtype=np.float64)
            for o, s, n in zip(self.origin, self.spacing, self.shape, strict=True)
        )
        return z, y, x

    def points(self, voxels: NDArray[np.integer]) -> NDArray[np.float64]:
        """Find the centres of voxels, given by flat index: shape (n, 3), (z, y, x), mm."""
        indices = np.stack(np.unravel_index(voxels, self.shape), axis=1)
        centres: NDArray[np.float64] = np.asarray(self.origin) + indices * np.asarray(self.spacing)
        return centres

    def __str__(self) -> str:
        z, y, x = self.spacing
        return f"{x:g} x {y:g} x {z:g} mm"


@dataclass(frozen=True)
class Structure:
    """A region of interest.

    Args:
        name: As `names.clean` leaves it; unique in a case.
        type: target, oar, or external (the body's outline).
        voxels: Flat indices into the dose grid, ascending, int32; all of the structure, overlaps included.
        volume_cc: Volume as drawn, cm^3; where it is not known, that of the voxels.
        prescription: Total dose prescribed to a target, Gy; None for others.
    """

    name: str
    type: Type
    voxels: Rows
    volume_cc: float
    prescription: float | None = None


@dataclass(frozen=True)
class Dij:
    """The dose-influence matrix, by rows (CSR): total Gy of a voxel for one unit of a beamlet's fluence.

    Args:
        starts: Where each row begins, int64, one more than there are rows.
        columns: Beamlet of each entry, uint16 (uint32 from 65,536 beamlets on).
        values: Gy a unit of fluence, float32; quantised in a finished case, see `quantise`.
        beamlets: Number of columns.
        beams: Beam of each beamlet, int16.
    """

    starts: NDArray[np.int64]
    columns: NDArray[np.uint16] | NDArray[np.uint32]
    values: Floats
    beamlets: int
    beams: NDArray[np.int16]

    @property
    def rows(self) -> int:
        """Number of voxels that have a row."""
        return len(self.starts) - 1

    @property
    def nonzeros(self) -> int:
        """Number of entries."""
        return len(self.values)


@dataclass(frozen=True)
class Beam:
    """A beam's directions: gantry and couch angle, degrees (IEC 61217)."""

    gantry: float
    couch: float = 0.0


@dataclass(frozen=True)
class Case:
    """A patient or phantom, ready to plan.

    Rows of `dij` are the voxels of all structures, owner after owner: `structures` stands in the order in which
    overlaps are resolved, and a voxel of several structures is owned by the first of them. Objectives see a
    structure's own voxels; goals and dose-volume histograms see all of it. Where a structure's name is asked for, a
    region may stand (`regions`): both see all voxels of a region.

    Args:
        name: Short, from `names.clean`.
        grid: Dose grid.
        structures: The first owns what it shares with later ones.
        dij: Dose influence; row i is voxel `voxels[i]`.
        voxels: Flat index of each row's voxel in the dose grid, int32.
        owners: Place in `structures` of each row's owner, int16, ascending.
        fractions: Number of fractions.
        ct: Hounsfield units, int16, (z, y, x) on `ct_grid`; None where there is no image.
        ct_grid: Grid of the image.
        beams: The beams.
        modality: "photons" or "protons".
        provenance: Where it comes from and how it was made, for people; no identifiers of patients.
        reference: A dose to compare with, total Gy for each row; from an RTDOSE, say.
        origin: Check sums of what the source's files say of the scan and the patient ("frame", "patient", "plan"), cut
            so short that they tell two patients apart and lead to neither; empty where the source has none.
        hu_table: Points (HU, electron density relative to water) of the table of the user's by which the image was
            made into densities; empty: the default of `case.beams`.
    """

    name: str
    grid: Grid
    structures: tuple[Structure, ...]
    dij: Dij
    voxels: Rows
    owners: NDArray[np.int16]
    fractions: int
    ct: NDArray[np.int16] | None = None
    ct_grid: Grid | None = None
    beams: tuple[Beam, ...] = ()
    modality: str = "photons"
    provenance: Mapping[str, str] = field(default_factory=dict)
    reference: Floats | None = None
    origin: Mapping[str, str] = field(default_factory=dict)
    hu_table: tuple[tuple[float, float], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The structures' names, in order."""
        return tuple(s.name for s in self.structures)

    @property
    def targets(self) -> tuple[Structure, ...]:
        """The targets, the highest prescription first."""
        return tuple(sorted((s for s in self.structures if s.type == "target"), key=lambda s: -(s.prescription or 0.0)))

    @property
    def outlines(self) -> tuple[Structure, ...]:
        """The body's outlines, in order: one, as a rule."""
        return tuple(s for s in self.structures if s.type == "external")

    @property
    def prescription(self) -> float:
        """Highest prescription, total Gy."""
        return max((s.prescription for s in self.structures if s.prescription), default=0.0)

    def structure(self, name: str) -> Structure:
        """Find the structure of that name; case, spaces and punctuation do not count.

        A region is made one: its name is the canonical text, its voxels are those that have a dose, its type is target
        where it is a part of targets, oar else, and its prescription is theirs.

        Raises:
            UsageError: The case has no such structure, or the region cannot be read; says which are near.
        """
        for structure in self.structures:
            if structure.name == name:
                return structure
        if name in self._regions:
            return self._regions[name]
        try:
            found = find(name, self.names)
        except UsageError:
            if not regions.looks_like_region(name) and name not in (regions.TARGETS, regions.EXTERNAL):
                raise
            return self._region(regions.parse(name))
        return next(s for s in self.structures if s.name == found)

    def own(self, name: str) -> slice | Rows:
        """Find the rows that objectives see: those that a structure owns, or all rows of a region, ascending."""
        structure = self.structure(name)
        if structure.name not in self.names:
            return self.rows(structure.name)
        place = self.names.index(structure.name)
        first, last = np.searchsorted(self.owners, [place, place + 1])
        return slice(int(first), int(last))

    def count_own(self, name: str) -> int:
        """Count the rows that objectives on a structure or a region see."""
        rows = self.own(name)
        return rows.stop - rows.start if isinstance(rows, slice) else len(rows)

    def rows(self, name: str) -> Rows:
        """Find the rows of all voxels of a structure or region, ascending: what goals and histograms see."""
        structure = self.structure(name)
        if structure.name not in self._rows:
            if len(self._rows) >= _REMEMBERED + len(self.structures):
                self._rows.pop(next(iter(self._rows)))
            self._rows[structure.name] = np.sort(self._row_of[structure.voxels]).astype(np.int32)
        return self._rows[structure.name]

    def mask(self, name: str) -> NDArray[np.bool_]:
        """Give the mask of a structure or region on the dose grid, (z, y, x)."""
        mask = np.zeros(self.grid.size, bool)
        mask[self.structure(name).voxels] = True
        return mask.reshape(self.grid.shape)

    def _region(self, region: regions.Region) -> Structure:
        """Make a structure of a region; names are spelled as the case has them.

        Raises:
            UsageError: The case has no structure of that name; says which are near.
        """
        region = region.renamed(self._name_in_region)
        name = str(region)
        if region.kind == "name" and region.name in self.names:
            return self.structure(region.name)
        if name not in self._regions:
            while len(self._regions) >= _REMEMBERED:
                self._regions.pop(next(iter(self._regions)))
            mask = region.mask(self._named_mask, self.grid.spacing)
            voxels = np.flatnonzero(mask.reshape(-1) & (self._row_of >= 0)).astype(np.int32)
            kind, prescription = self._kind_of(region)
            self._regions[name] = Structure(name, kind, voxels, len(voxels) * self.grid.voxel_cc, prescription)
        return self._regions[name]

    def _name_in_region(self, name: str) -> str:
        return name if name in (regions.TARGETS, regions.EXTERNAL) else find(name, self.names)

    def _named_mask(self, name: str) -> NDArray[np.bool_]:
        if name not in (regions.TARGETS, regions.EXTERNAL):
            return self.mask(name)
        kind = "target" if name == regions.TARGETS else "external"
        mask = np.zeros(self.grid.size, bool)
        for structure in self.structures:
            if structure.type == kind:
                mask[structure.voxels] = True
        return mask.reshape(self.grid.shape)

    def _kind_of(self, region: regions.Region) -> tuple[Type, float | None]:
        """Tell what a region is, and the dose prescribed to it: only a part of targets is a target."""
        if region.kind == "name":
            if region.name == regions.TARGETS:
                return "target", min((s.prescription for s in self.targets if s.prescription), default=None)
            if region.name == regions.EXTERNAL:
                return "external", None
            structure = self.structure(region.name)
            return structure.type, structure.prescription
        kinds = [self._kind_of(part) for part in region.parts]
        doses = [dose for kind, dose in kinds if kind == "target" and dose]
        if region.kind == "without" or (region.kind == "margin" and region.mm[0] < 0):
            return ("target", kinds[0][1]) if kinds[0][0] == "target" else ("oar", None)
        if region.kind == "overlap" and any(kind == "target" for kind, _ in kinds):
            return "target", max(doses, default=None)
        if region.kind == "union" and all(kind == "target" for kind, _ in kinds):
            return "target", min(doses, default=None)
        return "oar", None

    @cached_property
    def _row_of(self) -> Rows:
        rows = np.full(self.grid.size, -1, np.int32)
        rows[self.voxels] = np.arange(len(self.voxels), dtype=np.int32)
        return rows

    @cached_property
    def _rows(self) -> dict[str, Rows]:
        return {}

    @cached_property
    def _regions(self) -> dict[str, Structure]:
        return {}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over everything that changes a dose or a goal: two cases of one fingerprint give the same figures.

        The dij counts as it is saved (see `quantise`): a case and what is read from its file have one fingerprint.
        """
        from hashlib import sha256

        from .quantise import encode

        grid = [[float(n) for n in part] for part in (self.grid.shape, self.grid.spacing, self.grid.origin)]
        digest = sha256(repr((grid, int(self.fractions), self.modality, int(self.dij.beamlets))).encode())
        for structure in self.structures:
            prescription = None if structure.prescription is None else float(structure.prescription)
            description = (structure.name, structure.type, prescription, round(float(structure.volume_cc), 6))
            digest.update(repr(description).encode())
            digest.update(np.ascontiguousarray(structure.voxels, np.int32).data)
        codes, maxima = encode(self.dij.starts, self.dij.values)
        for array in (self.dij.starts, self.dij.columns, codes, maxima, self.voxels, self.owners):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def cube(self, dose: NDArray[np.floating]) -> Floats:
        """Lay a dose by row onto the dose grid, (z, y, x); 0 where no structure is."""
        cube = np.zeros(self.grid.size, np.float32)
        cube[self.voxels] = dose
        return cube.reshape(self.grid.shape)

    def by_row(self, cube: NDArray[np.floating]) -> Floats:
        """Take a dose on the dose grid, (z, y, x), by row."""
        return np.asarray(cube, np.float32).reshape(-1)[self.voxels]


def own_rows(structures: Sequence[Structure], grid: Grid) -> tuple[Rows, NDArray[np.int16]]:
    """Find the voxels that have a row, and who owns each: owner after owner, ascending within one.

    Returns:
        Flat voxel index of each row, and the place of its owner in `structures`.

    Raises:
        UsageError: A structure lies outside the grid.
    """
    taken = np.zeros(grid.size, bool)
    voxels, owners = [np.zeros(0, np.int32)], [np.zeros(0, np.int16)]
    for place, structure in enumerate(structures):
        v = np.asarray(structure.voxels, np.int64)
        if len(v) and (v[0] < 0 or v[-1] >= grid.size):
            raise UsageError(f"{structure.name} has voxels outside the dose grid of {grid.shape}")
        own = v[~taken[v]]
        taken[own] = True
        voxels.append(own.astype(np.int32))
        owners.append(np.full(len(own), place, np.int16))
    return np.concatenate(voxels), np.concatenate(owners)
