"""What every reader hands over: an image and structures on its grid, before there is a dose-influence matrix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..case.model import Grid, Type
from ..names import LONGEST, clean, folded
from .resample import resample, same

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Floats

    Bools = NDArray[np.bool_]
    Image = NDArray[np.int16]

#: Most structures and largest image that are taken: bounds against damaged and hostile files, far above real ones.
MOST_STRUCTURES = 300
MOST_VOXELS = 400_000_000

_TARGET = re.compile(r"(?i)(i?gtv|i?ctv|itv|ptv|target|outertarget|tumou?r)(?![a-z]{3})(?!.*(ring|shell|avoid|margin))")
_EXTERNAL = re.compile(r"(?i)(body|external|skin|patient( ?outline)?|outer ?contour|whole ?body)([ _-]*\d*)?$")


@dataclass(frozen=True)
class Mask:
    """Voxels of an image that belong to a structure: a box of them, since most structures are small.

    Args:
        corner: Index (z, y, x) of the box's first voxel.
        inside: The box, (z, y, x).
    """

    corner: tuple[int, int, int]
    inside: Bools

    @classmethod
    def of(cls, full: Bools) -> Mask:
        """Of an array over the whole image."""
        spans = []
        for axis in range(3):
            hit = np.flatnonzero(full.any(axis=tuple(a for a in range(3) if a != axis)))
            spans.append((int(hit[0]), int(hit[-1]) + 1) if len(hit) else (0, 0))
        (z, z1), (y, y1), (x, x1) = spans
        return cls((z, y, x), np.ascontiguousarray(full[z:z1, y:y1, x:x1]))

    @property
    def empty(self) -> bool:
        """Whether there is no voxel."""
        return not self.inside.any()

    @property
    def count(self) -> int:
        """Number of voxels."""
        return int(np.count_nonzero(self.inside))

    def full(self, shape: tuple[int, int, int]) -> Bools:
        """As an array over the whole image."""
        out = np.zeros(shape, bool)
        z, y, x = self.corner
        dz, dy, dx = self.inside.shape
        out[z : z + dz, y : y + dy, x : x + dx] = self.inside
        return out

    def within(self, other: Mask) -> float:
        """Share of its voxels that are the other's too; both are of one image."""
        mine, theirs = [], []
        for a, b, n, m in zip(self.corner, other.corner, self.inside.shape, other.inside.shape, strict=True):
            low, high = max(a, b), min(a + n, b + m)
            mine.append(slice(low - a, max(high - a, low - a)))
            theirs.append(slice(low - b, max(high - b, low - b)))
        both = self.inside[tuple(mine)] & other.inside[tuple(theirs)]
        return float(np.count_nonzero(both)) / max(self.count, 1)

    def voxels(self, image: Grid, grid: Grid) -> NDArray[np.int32]:
        """Flat indices, ascending, of the voxels of `grid` of which at least half is inside."""
        if self.empty:
            return np.zeros(0, np.int32)
        if same(image, grid):
            return np.flatnonzero(self.full(grid.shape)).astype(np.int32)
        # One empty voxel around the box: the edge of a structure is an edge, not the end of the image.
        z, y, x = (o + s * (c - 1) for o, s, c in zip(image.origin, image.spacing, self.corner, strict=True))
        inside = np.pad(self.inside, 1)
        box = Grid((inside.shape[0], inside.shape[1], inside.shape[2]), image.spacing, (z, y, x))
        first, last = _box(box, grid)
        if any(a >= b for a, b in zip(first, last, strict=True)):
            return np.zeros(0, np.int32)
        window = Grid(
            tuple(b - a for a, b in zip(first, last, strict=True)),  # type: ignore[arg-type]
            grid.spacing,
            tuple(o + s * a for o, s, a in zip(grid.origin, grid.spacing, first, strict=True)),  # type: ignore[arg-type]
        )
        hit = resample(inside, box, window) >= 0.5 - 1e-6
        full = np.zeros(grid.shape, bool)
        full[first[0] : last[0], first[1] : last[1], first[2] : last[2]] = hit
        return np.flatnonzero(full).astype(np.int32)


def _box(inner: Grid, outer: Grid) -> tuple[list[int], list[int]]:
    """First and one past the last voxel of `outer` that `inner` touches, along each axis."""
    first, last = [], []
    for axis in range(3):
        low = inner.origin[axis] - inner.spacing[axis] / 2 - outer.origin[axis]
        high = low + inner.shape[axis] * inner.spacing[axis]
        first.append(max(0, int(np.floor(low / outer.spacing[axis]))))
        last.append(min(outer.shape[axis], int(np.ceil(high / outer.spacing[axis])) + 1))
    return first, last


@dataclass(frozen=True)
class Drawn:
    """A structure as its source has it.

    Args:
        name: As `names.clean` leaves it; unique in a patient.
        type: What it is.
        mask: Its voxels of the image.
        volume_cc: Volume as drawn, cm^3; None where only voxels are known.
        prescription: Total Gy, of a target.
    """

    name: str
    type: Type
    mask: Mask
    volume_cc: float | None = None
    prescription: float | None = None


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
        hints: Sentences that help with what the source does not say (a likely prescription, say).
        skipped: Names of structures that the source has and that were not read, as the options wanted.
    """

    name: str
    hu: Image
    grid: Grid
    structures: tuple[Drawn, ...]
    fractions: int | None = None
    own_grid: bool = False
    ordered: bool = False
    reference: tuple[Floats, Grid] | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)
    hints: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def guessed_type(name: str) -> Type:
    """What a structure is, by its name: the field's usual ones (TG-263)."""
    if _EXTERNAL.match(name):
        return "external"
    return "target" if _TARGET.match(name) else "oar"


def unique_names(said: Iterable[object], fallback: str = "ROI") -> tuple[list[str], list[str]]:
    """Names that are clean and different from each other, spelling apart.

    Returns:
        The names, and a sentence for each that had to be changed to be different.
    """
    names: list[str] = []
    taken: dict[str, int] = {}
    notes = []
    for number, one in enumerate(said, start=1):
        name = clean(one) or f"{fallback}_{number}"
        base, count = name, 1
        while folded(name) in taken:
            count += 1
            name = f"{base[: LONGEST - len(str(count)) - 1]}_{count}"
        if count > 1:
            notes.append(f"two structures are called {base}; the later one is now {name}")
        taken[folded(name)] = number
        names.append(name)
    return names, notes
