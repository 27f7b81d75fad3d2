"""A patient that is there as arrays already: an image and masks, from NIfTI files, say, or made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import UsageError

from ..case.model import Grid
from .hounsfield import check_units, limited
from .options import Options
from .patient import MOST_STRUCTURES, MOST_VOXELS, Drawn, Mask, Patient, guessed_type, unique_names

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def patient_of(hu: ArrayLike, grid: Grid, masks: Mapping[str, ArrayLike], options: Options) -> Patient:
    """A patient from arrays (z, y, x): z to the head, y to the back, x to the patient's left.

    Args:
        hu: Hounsfield units.
        grid: Of the image and the masks.
        masks: By name: true, or above 0.5, inside. What a structure is, its name says (PTV, BODY), or `options.types`.
        options: `hu_offset`, `types`.

    Raises:
        UsageError: A mask is on another grid, or the image is not in Hounsfield units.
    """
    values = np.asarray(hu, np.float32)
    if values.shape != tuple(grid.shape) or values.size > MOST_VOXELS:
        raise UsageError(f"the image has {values.shape} voxels and its grid {tuple(grid.shape)}; they must agree")
    if not np.isfinite(values).all():
        raise UsageError("the image has voxels that are no numbers; -1000 is air")
    if len(masks) > MOST_STRUCTURES:
        raise UsageError(f"{len(masks)} structures; at most {MOST_STRUCTURES} are taken")
    names, notes = unique_names(masks)
    drawn = []
    for name, mask in zip(names, masks.values(), strict=True):
        inside = np.asarray(mask)
        if inside.shape != values.shape:
            raise UsageError(f"the mask of {name} has {inside.shape} voxels, the image {values.shape}; resample it")
        drawn.append(Drawn(name, guessed_type(name), Mask.of(inside if inside.dtype == bool else inside > 0.5)))
    body = next((s for s in drawn if s.type == "external" and not s.mask.empty), None)
    values = values + np.float32(options.hu_offset)
    check_units(values, body.mask if body is not None else None)
    provenance = {"source": f"arrays: an image of {grid}, {len(drawn)} structures"}
    if notes:
        provenance["read"] = "; ".join(notes)[:2000]
    return Patient("arrays", limited(values, 0.0), grid, tuple(drawn), provenance=provenance)
