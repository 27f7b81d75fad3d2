"""A case from masks and a dose-influence matrix over the whole grid, from whatever program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.errors import UsageError

from ..names import clean
from .checks import check
from .model import Beam, Case, Dij, Grid, Structure, Type, own_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class StructureMask:
    """A structure as a mask on the dose grid.

    Args:
        name: Any text; `names.clean` is applied.
        type: target, oar or external.
        mask: On the dose grid, (z, y, x): bool, or numbers of which those above 0.5 count (a coverage from 0 to 1).
        prescription: Of a target, total Gy.
        volume_cc: As drawn, cm^3; None where only the mask is known.
    """

    name: str
    type: Type
    mask: ArrayLike
    prescription: float | None = None
    volume_cc: float | None = None


def build_case(
    name: str,
    grid: Grid,
    drawn: Sequence[StructureMask],
    dij: Any,
    *,
    fractions: int,
    beam_of_beamlet: ArrayLike | None = None,
    beams: Sequence[Beam] = (),
    ct: NDArray[np.number] | None = None,
    ct_grid: Grid | None = None,
    modality: str = "photons",
    provenance: Mapping[str, str] | None = None,
    reference: ArrayLike | None = None,
    keep_order: bool = False,
    scale: float = 1.0,
) -> Case:
    """Build a case and check it; only the voxels of structures get a row.

    Overlaps are resolved by the order of the structures: targets by falling prescription, then organs at risk in the
    order given, then the external; with `keep_order` in the order given.

    Args:
        name: Of the case; cleaned.
        grid: Dose grid.
        drawn: The structures.
        dij: Influence over *all* voxels of the grid, row i being flat index i in C order (z, y, x): a scipy sparse
            matrix of shape (grid.size, beamlets), or a `Dij` with grid.size rows. Total Gy after `scale`.
        fractions: Number of fractions.
        beam_of_beamlet: Beam of each beamlet, from 0; None for what a `Dij` says, else all of one beam.
        beams: The beams' angles.
        ct: Hounsfield units, (z, y, x); rounded to int16.
        ct_grid: Grid of the image; None for the dose grid.
        modality: photons or protons.
        provenance: For people; its texts are cut to 500 characters. Never put identifiers of patients in.
        reference: A dose to compare with, total Gy, (z, y, x) on the dose grid.
        keep_order: True to resolve overlaps in the order given.
        scale: Factor on the dij: the number of fractions where it is per fraction.

    Raises:
        UsageError: A mask on another grid, or any fault of `check`.
    """
    ordered = list(drawn) if keep_order else sorted(drawn, key=_place)
    structures = tuple(_structure(one, grid) for one in ordered)
    voxels, owners = own_rows(structures, grid)
    case = Case(
        name=clean(name) or "case",
        grid=grid,
        structures=structures,
        dij=_compact(dij, voxels, grid, beam_of_beamlet, scale),
        voxels=voxels,
        owners=owners,
        fractions=fractions,
        ct=None if ct is None else np.clip(np.rint(np.asarray(ct)), -32768, 32767).astype(np.int16),
        ct_grid=None if ct is None else ct_grid or grid,
        beams=tuple(beams),
        modality=modality,
        provenance={clean(key): str(value)[:500] for key, value in (provenance or {}).items()},
        reference=None if reference is None else _by_row(reference, grid, voxels),
    )
    check(case)
    return case


def _place(one: StructureMask) -> tuple[int, float]:
    rank = {"target": 0, "oar": 1}.get(one.type, 2)
    return rank, -(one.prescription or 0.0) if rank == 0 else 0.0


def _structure(one: StructureMask, grid: Grid) -> Structure:
    name = clean(one.name)
    mask = _on_grid(one.mask, grid, f"the mask of {name}")
    if mask.dtype != bool:
        mask = mask > 0.5
    voxels = np.flatnonzero(mask).astype(np.int32)
    volume = len(voxels) * grid.voxel_cc if one.volume_cc is None else float(one.volume_cc)
    prescription = None if one.prescription is None else float(one.prescription)
    return Structure(name, one.type, voxels, volume, prescription)


def _on_grid(array: ArrayLike, grid: Grid, what: str) -> NDArray[Any]:
    values = np.asarray(array)
    if values.shape != tuple(grid.shape):
        raise UsageError(
            f"{what} has {' x '.join(str(n) for n in values.shape)} voxels, the dose grid has "
            f"{' x '.join(str(n) for n in grid.shape)} (z, y, x); resample it to the dose grid"
        )
    return values


def _by_row(dose: ArrayLike, grid: Grid, voxels: NDArray[np.int32]) -> NDArray[np.float32]:
    return _on_grid(dose, grid, "the reference dose").reshape(-1)[voxels].astype(np.float32)


def _compact(dij: Any, voxels: NDArray[np.int32], grid: Grid, beam_of_beamlet: ArrayLike | None, scale: float) -> Dij:
    """Keep the rows of `voxels`, in their order."""
    from scipy import sparse

    from .quantise import quantise

    if isinstance(dij, Dij):
        beam_of_beamlet = dij.beams if beam_of_beamlet is None else beam_of_beamlet
        columns = dij.columns.astype(np.int32 if dij.beamlets < 2**31 else np.int64)
        matrix = sparse.csr_array((dij.values, columns, dij.starts), shape=(dij.rows, dij.beamlets))
    elif sparse.issparse(dij):
        matrix = sparse.csr_array(dij)
    else:
        raise UsageError("the dij must be a scipy sparse matrix, voxels by beamlets, or a Dij")
    if matrix.shape[0] != grid.size:
        turned = "; it is beamlets by voxels: transpose it" if matrix.shape[1] == grid.size else ""
        raise UsageError(
            f"the dij has {matrix.shape[0]} rows and the dose grid {grid.size} voxels; give a row for each{turned}"
        )
    kept = matrix[voxels]
    kept.sum_duplicates()
    beamlets = int(kept.shape[1])
    beams = np.zeros(beamlets, np.int16) if beam_of_beamlet is None else np.asarray(beam_of_beamlet, np.int16)
    values = np.asarray(kept.data, np.float32) if scale == 1.0 else (kept.data * scale).astype(np.float32)
    starts = kept.indptr.astype(np.int64)
    if not np.isfinite(values).all() or (len(values) and values.min() < 0):
        raise UsageError("the dij has entries that are negative or not finite; compute it again")
    return Dij(
        starts,
        kept.indices.astype(np.uint16 if beamlets < 65_536 else np.uint32),
        quantise(starts, values),
        beamlets,
        beams,
    )
