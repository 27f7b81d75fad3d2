"""Whether an image is in Hounsfield units, and where the body ends if nobody drew it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tgsci.errors import UsageError

from .patient import Mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .patient import Bools, Image

#: Above this is tissue, below air or lung, HU; lungs are filled afterwards.
_TISSUE = -350
#: Air around a patient is nowhere denser, tissue as a whole nowhere lighter or heavier, HU.
_AIR, _LIGHTEST, _HEAVIEST = -700.0, -600.0, 700.0
LOWEST, HIGHEST = -1024, 3071


def limited(values: NDArray[np.number], offset: float) -> Image:
    """Hounsfield units with an offset added, whole, padding and metal cut to what a scanner of 12 bits can say."""
    whole = np.rint(np.asarray(values, np.float32) + np.float32(offset))
    return np.asarray(np.clip(whole, LOWEST, HIGHEST), np.int16)


def check_units(hu: NDArray[np.number], body: Mask | None) -> None:
    """Refuse an image whose air and tissue are not where they belong.

    Args:
        hu: As read, before anything is cut off, (z, y, x).
        body: The external; None: the image's border stands for air.

    Raises:
        UsageError: It says what was found and which offset would mend it.
    """
    thin = hu[:: max(1, len(hu) // 40)]
    if body is None:
        border = np.zeros(hu.shape[1:], bool)
        border[:2] = border[-2:] = border[:, :2] = border[:, -2:] = True
        outside, inside = thin[:, border], None
    else:
        full = body.full((hu.shape[0], hu.shape[1], hu.shape[2]))[:: max(1, len(hu) // 40)]
        outside, inside = thin[~full], thin[full]
    air = float(np.median(outside)) if outside.size > 100 else None
    tissue = float(np.median(inside)) if inside is not None and inside.size else None
    wrong_air = air is not None and air > _AIR
    wrong_tissue = tissue is not None and not _LIGHTEST <= tissue <= _HEAVIEST
    if not wrong_air and not wrong_tissue:
        return
    found = " and ".join(
        f"{what} reads {value:.0f} HU" for what, value in (("air", air), ("the body", tissue)) if value is not None
    )
    offset = _offset(air, tissue)
    if offset:
        cause = "its rescale intercept was lost" if offset < 0 else "its rescale intercept was applied twice"
        advice = f"probably {cause}: import it with --hu-offset {offset:.0f} if that is so"
    else:
        advice = "air is -1000 HU and tissue near 0; is this a CT, and are the contours drawn on it?"
    raise UsageError(f"the image is not in Hounsfield units: {found}; {advice}")


def _offset(air: float | None, tissue: float | None) -> float:
    """What brings air near -1000 and tissue near 0, if that is one of the usual mistakes; 0 if not."""
    for offset in (-1024.0, -1000.0, 1024.0, 1000.0):
        good_air = air is None or -1100 <= air + offset <= -900 or (offset > 0 and air + offset < -900)
        good_tissue = tissue is None or -300 <= tissue + offset <= 300
        if good_air and good_tissue and (air is not None or tissue is not None):
            return offset
    return 0.0


def body_of(hu: Image) -> Mask:
    """The largest piece of tissue of a CT, slice by slice without holes: an external that nobody drew.

    Raises:
        UsageError: There is no tissue.
    """
    from scipy import ndimage

    # Opened by a voxel or two, so that a couch that touches the back hangs on by less than the body does.
    tissue = ndimage.binary_opening(hu > _TISSUE, np.ones((1, 3, 3), bool), iterations=2)
    labels, count = ndimage.label(tissue)
    if not count:
        raise UsageError("the image holds no tissue (nothing is denser than lung); is it in Hounsfield units?")
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest: Bools = labels == int(np.argmax(sizes))
    for k in range(len(largest)):
        largest[k] = ndimage.binary_fill_holes(largest[k])
    return Mask.of(largest)
