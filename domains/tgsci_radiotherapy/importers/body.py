"""The body, where nobody drew it: found in the CT, without couch and masks, with airways and thin tissue.

All distances are in mm, whatever the voxels are. What is denser than lung is tissue or something that the patient lies
on. A couch is a run of matter of one thickness at one height on both sides of the patient: it goes, first. Then what is
thinner than 5 mm is set aside (opening), and the patient is the largest piece of what is left, with other pieces that
are as thick as a limb. Thin parts come back where they are tissue: near the patient, or small (the wall before an
airway, an ear); long thin sheets, as masks and couches have them, do not. At last each slice is filled: lungs, airways
and bowel gas are in the body.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import UsageError

from ..case.model import Grid
from .masks import Mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .patient import Image

    Bools = NDArray[np.bool_]

#: Tissue is denser than this, air and lung are not, HU.
TISSUE = -350
#: Radius of the opening, mm: what is thinner than twice this may be a mask or the shell of a couch.
_THIN = 2.5
#: How far from thick tissue thin matter is tissue in any case, and how long a thin piece in a slice may be, mm.
_NEAR, _LONGEST = 4.0, 60.0
#: A piece beside the largest is part of the patient if it is so thick, mm, and has this share of the volume.
_LIMB, _LEAST = 30.0, 0.02
#: Thickest couch, narrowest part of it that must stand out on either side of the patient, and how even it is, mm.
_COUCH, _BESIDE, _EVEN = 60.0, 30.0, 2.0
#: Thickest one that the patient touches, mm: thicker slabs beside a body are shoulders or arms.
_TOUCHED = 30.0
#: Share of the columns that a patient lies on in which the couch is seen below, and the height of all its layers, mm.
_UNDER, _STACK = 0.8, 80.0
#: Share of the slices that a couch is seen in; arms beside a patient are not as low and thick everywhere.
_MOST_OF = 0.6
#: Most layers of a couch that are taken off: cover, foam and shells.
_LAYERS = 4


def body_of(hu: Image, grid: Grid) -> Mask:
    """Find the body in a CT.

    Args:
        hu: Hounsfield units, (z, y, x), y to the patient's back.
        grid: Of the image.

    Raises:
        UsageError: The CT has no tissue.
    """
    box = Mask.of(hu > TISSUE)
    if box.empty:
        raise UsageError("the image holds no tissue (nothing is denser than lung); is it in Hounsfield units?")
    spacing = grid.spacing
    tissue = _without_couch(box.inside, spacing)
    thick = _opened(tissue, spacing)
    core = _patient(thick, spacing)
    if not core.any():
        core = tissue
    found = _with_thin(core, tissue, thick, spacing)
    return Mask.of(Mask(box.corner, filled(found)).full(grid.shape))


def filled(body: Bools) -> Bools:
    """Fill the holes of each slice, (z, y, x)."""
    from scipy import ndimage

    return np.stack([ndimage.binary_fill_holes(one) for one in body])


def _without_couch(tissue: Bools, spacing: tuple[float, float, float]) -> Bools:
    """Take off the couch, layer after layer: what lies lowest at the same height in most slices."""
    out = tissue.copy()
    filled_slices = max(1, int(np.count_nonzero(tissue.any(axis=(1, 2)))))
    for _ in range(_LAYERS):
        layers = [_layer(one, spacing[1], spacing[2]) for one in out]
        levels = [layer.bottom for layer in layers if layer is not None]
        if len(levels) < _MOST_OF * filled_slices:
            break
        usual = float(np.median(levels))
        for one, layer in zip(out, layers, strict=True):
            if layer is not None and abs(layer.bottom - usual) * spacing[1] <= 2 * _EVEN:
                one[(np.arange(len(one))[:, None] >= layer.top) & layer.under] = False
    return out


@dataclass(frozen=True)
class _Layer:
    """The lowest layer of a couch in a slice: its lower edge, its upper edge by column, and the columns it has."""

    bottom: int
    top: NDArray[np.int64]
    under: Bools


def _layer(tissue: Bools, dy: float, dx: float) -> _Layer | None:
    """Find the lowest layer of a couch in a slice.

    In each column the run of matter that lies lowest is looked at. Where runs have one lower edge and one thickness, on
    both sides of a patient or on their own below one, they are the couch, and so is what lies as low between them.
    """
    rows = len(tissue)
    columns = np.flatnonzero(tissue.any(axis=0))
    upward = tissue[::-1, columns]
    below = upward.argmax(axis=0)
    solid = upward | (np.arange(rows)[:, None] < below)
    height = np.where(solid.all(axis=0), rows, (~solid).argmax(axis=0)) - below
    bottom = rows - below
    thin = height * dy <= _COUCH
    if not thin.any():
        return None
    level = int(np.bincount(bottom[thin]).argmax())
    even = max(1, round(_EVEN / dy))
    couch = thin & (np.abs(bottom - level) <= even)
    couch &= np.abs(height - np.median(height[couch])) <= even
    if not couch.any():
        return None
    at, top = columns[couch], (bottom - height)[couch]
    between = ~couch & (columns > at.min()) & (columns < at.max())
    lying = columns[between]
    if len(lying):
        # Under a patient, too, a couch has its own lower edge; limbs and the wings of a mask are at the sides only.
        if float(np.mean(np.abs(bottom[between] - level) <= even)) < _UNDER:
            return None
        if float(np.median(height[couch])) * dy > _TOUCHED or not _bare(tissue, at, level, dy):
            return None
        narrow = min(int(np.count_nonzero(at < lying.min())), int(np.count_nonzero(at > lying.max())))
    elif tissue[: int(top.min())].any() and (_bare(tissue, at, level, dy) or _free(tissue, at, top, level)):
        narrow = len(at) // 2
    else:
        return None  # nothing lies on it, or it is the wall of a hollow: this is no couch
    if narrow * dx < _BESIDE:
        return None
    every = np.arange(tissue.shape[1])
    edge = np.rint(np.interp(every, at, top)).astype(np.int64)
    return _Layer(level, edge, (every >= at.min()) & (every <= at.max()))


def _bare(tissue: Bools, at: NDArray[np.int64], level: int, dy: float) -> bool:
    """Tell whether a couch stands out on both sides; the wall behind a lung has the chest above its ends."""
    above = tissue[: max(0, level - round(_STACK / dy))]
    return not above[:, [int(at.min()), int(at.max())]].any()


def _free(tissue: Bools, at: NDArray[np.int64], top: NDArray[np.int64], level: int) -> bool:
    """Tell whether a layer ends in air on both sides, or at the border of the image."""
    beside = [column for column in (int(at.min()) - 1, int(at.max()) + 1) if 0 <= column < tissue.shape[1]]
    return not tissue[int(top.min()) : level, beside].any()


def _opened(tissue: Bools, spacing: tuple[float, float, float]) -> Bools:
    """Remove what is thinner than twice `_THIN` in a slice, on pixels fine enough to tell."""
    from scipy.ndimage import distance_transform_edt

    ky, kx = (max(1, int(np.ceil(step / 1.25))) for step in spacing[1:])
    step = (spacing[1] / ky, spacing[2] / kx)
    # A centre is half a pixel further from the next one outside than from the edge.
    half = min(step) / 2
    out = np.zeros_like(tissue)
    for k, one in enumerate(tissue):
        if not one.any():
            continue
        fine = np.pad(one.repeat(ky, axis=0).repeat(kx, axis=1), 1)
        eroded = distance_transform_edt(fine, step) - half >= _THIN - half
        if eroded.any():
            grown = distance_transform_edt(~eroded, step) <= _THIN - half + 1e-6
            shape = one.shape
            part = grown[1:-1, 1:-1].reshape(shape[0], ky, shape[1], kx)
            out[k] = one & part.any(axis=(1, 3))
    return out


def _patient(thick: Bools, spacing: tuple[float, float, float]) -> Bools:
    """Keep the largest piece, and those that are as thick as a limb."""
    from scipy import ndimage

    labels, count = ndimage.label(thick)
    if not count:
        return thick
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest = int(np.argmax(sizes))
    kept = [largest]
    boxes = ndimage.find_objects(labels)
    for number in np.flatnonzero(sizes >= _LEAST * sizes[largest]):
        if number == largest:
            continue
        piece = np.pad(labels[boxes[number - 1]] == number, ((0, 0), (1, 1), (1, 1)))
        if max(float(ndimage.distance_transform_edt(one, spacing[1:]).max()) for one in piece) >= _LIMB / 2:
            kept.append(int(number))
    return np.isin(labels, kept)


def _with_thin(core: Bools, tissue: Bools, thick: Bools, spacing: tuple[float, float, float]) -> Bools:
    """Give the patient its thin parts back: what is near, and small pieces that hang on it."""
    from scipy import ndimage

    out = core.copy()
    eight = np.ones((3, 3), bool)
    for k, one in enumerate(core):
        loose = tissue[k] & ~thick[k]
        if not one.any() or not loose.any():
            continue
        near = ndimage.distance_transform_edt(~one, spacing[1:]) <= _NEAR
        out[k] |= loose & near
        labels, count = ndimage.label(loose & ~near, eight)
        if not count:
            continue
        touched = ndimage.binary_dilation(out[k], eight)
        for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
            size = max((rows.stop - rows.start) * spacing[1], (columns.stop - columns.start) * spacing[2])
            piece = labels[rows, columns] == number
            if size <= _LONGEST and touched[rows, columns][piece].any():
                out[k][rows, columns] |= piece
    return out
