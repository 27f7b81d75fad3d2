"""What every reader hands over: an image in Hounsfield units and structures on its grid."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from tgsci.errors import UsageError

from ..case.model import Grid, Type
from ..names import LONGEST, as_written, clean, find, folded
from .masks import Mask
from .options import Options

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ..case.model import Floats

    Bools = NDArray[np.bool_]
    Image = NDArray[np.int16]

#: Most structures and largest image that are taken: bounds against damaged and hostile files, far above real ones.
MOST_STRUCTURES = 300
MOST_VOXELS = 400_000_000

_TARGET = re.compile(r"(?i)(i?gtv|i?ctv|itv|ptv|target|outertarget|tumou?r)(?![a-z]{3})(?!.*(ring|shell|avoid|margin))")
_EXTERNAL = re.compile(r"(?i)(body|external|skin|patient( ?outline)?|outer ?contour|whole ?body)([ _-]*\d*)?$")
#: Densest that air around a patient can be, lightest and heaviest that the body as a whole can be, HU.
_AIR, _LIGHTEST, _HEAVIEST = -700.0, -600.0, 700.0
LOWEST, HIGHEST = -1024, 3071

#: What a structure is in an import: those of a case; matter outside of the body that beams pass; a density alone.
Kind = Literal["target", "oar", "external", "bolus", "support", "density"]


@dataclass(frozen=True)
class Region:
    """A structure as its source has it.

    Args:
        name: As `names.clean` leaves it; unique in a patient.
        type: What it is. Of a bolus or support the image is kept though it lies outside the body; of a "density" only
            that matters.
        mask: Its voxels of the image.
        volume_cc: Volume as drawn, cm^3; None where only voxels are known.
        prescription: Total Gy, of a target.
        density: Electron density relative to water that overrides the image, where the source says so.
        said: Whether the source says what it is; else its name does.
    """

    name: str
    type: Kind
    mask: Mask
    volume_cc: float | None = None
    prescription: float | None = None
    density: float | None = None
    said: bool = False


@dataclass(frozen=True)
class Patient:
    """An image with structures, ready for a dose engine.

    Args:
        name: Of the case, where the options have none.
        hu: Hounsfield units, int16, (z, y, x).
        grid: Of the image and the masks.
        structures: In the source's order.
        fractions: Where the source says.
        own_grid: Whether the dose grid should be the image's, since the structures exist on that only.
        ordered: Whether the source itself says who owns overlaps: then its order is kept.
        reference: A dose to compare with, total Gy, and its grid.
        provenance: Where it comes from, for people; no identifiers.
        notes: What was left out, renamed or guessed, a sentence each.
        hints: Sentences that help with what the source does not say (a likely prescription, say).
        skipped: Names of structures that the source has and that were not read, as the options wanted.
        body_hint: Where the source says that the patient is, without an outline that somebody drew (OpenKBP's
            `possible_dose_mask`); it is the body where no external is drawn.
        originals: Names as the source has them by the names here, where they differ.
        position: How the patient lies in the machine, as DICOM's Patient Position says: HFS, FFP and so on. Image and
            structures are along the patient's own axes in any case; beam angles are the machine's.
        origin: Check sums that tell scans and patients apart and name nobody, see `case.model.Case.origin`.
    """

    name: str
    hu: Image
    grid: Grid
    structures: tuple[Region, ...]
    fractions: int | None = None
    own_grid: bool = False
    ordered: bool = False
    reference: tuple[Floats, Grid] | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    body_hint: Mask | None = None
    originals: Mapping[str, str] = field(default_factory=dict)
    position: str = "HFS"
    origin: Mapping[str, str] = field(default_factory=dict)


def guess_type(name: str) -> Type:
    """Guess what a structure is by its name: the field's usual ones (TG-263)."""
    if _EXTERNAL.match(name):
        return "external"
    return "target" if _TARGET.match(name) else "oar"


def unique_names(originals: Iterable[object], fallback: str = "ROI") -> tuple[list[str], list[str]]:
    """Clean names, and make those different that two structures share.

    Returns:
        The names, and a sentence for each that two share, and one about all that are spelled otherwise now.
    """
    names: list[str] = []
    taken: dict[str, int] = {}
    notes, changed = [], []
    for number, one in enumerate(originals, start=1):
        name = clean(one) or f"{fallback}_{number}"
        base, count = name, 1
        while folded(name) in taken:
            count += 1
            name = f"{base[: LONGEST - len(str(count)) - 1]}_{count}"
        if count > 1:
            notes.append(f"two structures are called {base}; the later one is now {name}")
        if name != " ".join(str(one).split()):
            changed.append(f"{as_written(one)} is now {name}")
        taken[folded(name)] = number
        names.append(name)
    if changed:
        notes.append(f"names: {', '.join(changed)}")
    return names, notes


def meant(name: str, names: Iterable[str], originals: Mapping[str, str]) -> str:
    """Find the structure that a person means, by its name here or as its source has it.

    Args:
        name: As a person typed it.
        names: Of all structures.
        originals: By name, as the source has them.

    Raises:
        UsageError: No structure is meant, or more than one.
    """
    names = list(names)
    exact = [here for here in names if " ".join(originals.get(here, here).split()) == " ".join(name.split())]
    return exact[0] if len(exact) == 1 and name not in names else find(name, names)


def hounsfield(values: NDArray[np.number], structures: Sequence[Region], options: Options) -> Image:
    """Make an image of what a source has: whole Hounsfield units, padding and metal cut to what 12 bits can say.

    Args:
        values: As the source has them, (z, y, x).
        structures: With the largest external, if one is drawn, the body; without, the image's border stands for air.
        options: `hu_offset` is added.

    Raises:
        UsageError: Air or tissue is not where it belongs; says what was found and which offset would mend it.
    """
    externals = [s.mask for s in structures if s.type == "external" and not s.mask.empty]
    shifted = values + np.float32(options.hu_offset)
    _check_units(shifted, max(externals, key=lambda mask: mask.count, default=None))
    return np.asarray(np.clip(np.rint(np.asarray(shifted, np.float32)), LOWEST, HIGHEST), np.int16)


def cut_off(values: NDArray[np.number], options: Options) -> list[str]:
    """Say how many voxels `hounsfield` cuts to the highest value that is kept, if any."""
    count = int(np.count_nonzero(values + np.float32(options.hu_offset) > HIGHEST))
    return [f"{count:,} voxels above {HIGHEST} HU (metal?) are cut to that"] if count else []


def _check_units(hu: NDArray[np.number], body: Mask | None) -> None:
    """Refuse an image whose air and tissue are not where they belong.

    Args:
        hu: As read, before anything is cut off, (z, y, x).
        body: The external; None: the image's border stands for air.

    Raises:
        UsageError: The image is not in Hounsfield units; says what was found and which offset would mend it.
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
    """Find the offset that brings air near -1000 and tissue near 0, if one of the usual mistakes was made; else 0."""
    for offset in (-1024.0, -1000.0, 1024.0, 1000.0):
        good_air = air is None or -1100 <= air + offset <= -900 or (offset > 0 and air + offset < -900)
        good_tissue = tissue is None or -300 <= tissue + offset <= 300
        if good_air and good_tissue and (air is not None or tissue is not None):
            return offset
    return 0.0


def patient_of(hu: ArrayLike, grid: Grid, masks: Mapping[str, ArrayLike], options: Options) -> Patient:
    """Make a patient from arrays (z, y, x): z to the head, y to the back, x to the patient's left.

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
        drawn.append(Region(name, guess_type(name), Mask.of(inside if inside.dtype == bool else inside > 0.5)))
    image = hounsfield(values, drawn, options)
    provenance = {"source": f"arrays: an image of {grid}, {len(drawn)} structures"}
    originals = {name: str(one) for name, one in zip(names, masks, strict=True) if name != str(one)}
    return Patient("arrays", image, grid, tuple(drawn), provenance=provenance, notes=tuple(notes), originals=originals)
