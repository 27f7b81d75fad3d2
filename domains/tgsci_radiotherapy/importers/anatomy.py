"""What a patient's structures are, on the image's grid: types, the body, matter outside of it, densities.

Nothing of it changes in silence. Structures are kept whole, inside the body or not; what is added, left out, cut on
request or overridden becomes a note with its volume in cm^3, and the notes stay with the case.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from tgsci.basics.texts import shell_word
from tgsci.errors import UsageError

from ..case.model import Grid
from .body import TISSUE, body_of, filled
from .hu_table import Table, table_of
from .masks import Mask
from .options import Options
from .patient import HIGHEST, LOWEST, Kind, Patient, Region, guess_type, meant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .patient import Image

    Bools = NDArray[np.bool_]

#: Least share of a target inside the body, and of a structure on tissue: with less, it was drawn on something else.
_INSIDE = 0.5
#: Share of all other structures that the outline of a body holds, where its type is another.
_HOLDS = 0.95
#: What a body that was drawn may leave out of the image without a look at what it is, as a share of its volume; and
#: the voxels on which that look is taken, mm.
_PART, _COARSE = 0.02, 4.0
#: Where no matter is, HU.
_AIR = -1000


@dataclass(frozen=True)
class Anatomy:
    """A patient's structures as they are taken, and the image that beams see.

    Args:
        grid: Of image and masks.
        regions: Targets, organs, and the external in last place; each whole.
        matter: Bolus and supports outside of the body.
        hu: The image, int16, (z, y, x), with densities overridden and air around patient and matter.
        seen: Box of the image in which there is a patient or matter.
        notes: What was added, left out, cut or overridden, a sentence each.
        faults: Why no plan can be made: no target, none with a dose, or one beside the body.
    """

    grid: Grid
    regions: tuple[Region, ...]
    matter: tuple[Region, ...]
    hu: Image
    seen: Mask
    notes: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def body(self) -> Region:
        """The external."""
        return self.regions[-1]


def settle(patient: Patient, options: Options) -> Anatomy:
    """Decide what each structure is, find the body, and make the image that beams see.

    Raises:
        UsageError: An option names no structure, or asks for what cannot be.
    """
    notes: list[str] = []
    chosen = _decide(patient, options)
    matter = [s for s in chosen if s.type in ("bolus", "support") and not s.mask.empty]
    dense = [s for s in chosen if s.density is not None and not s.mask.empty]
    drawn = [s for s in chosen if s.type in ("target", "oar", "external")]
    drawn, body, found = _with_body(drawn, patient, notes)
    faults = tuple(_faults(drawn, patient, body))
    wanted = {_meant(name, patient) for name in (*options.types, *options.only, *options.prescriptions)}
    if found:  # what was drawn on tissue is the patient's
        wanted |= {s.name for s in drawn if not s.mask.empty and _on_tissue(s, patient)}
    cut = {_meant(name, patient) for name in options.crop}
    inner = _inside([s for s in drawn if s.type != "external"], body, cut, wanted, patient.grid, notes, note=not found)
    if found:
        body = _grown(body, inner, patient.grid, notes)
    for one in matter:
        notes.append(f"{one.name} ({one.type}, {_cc(one.mask, patient.grid)}) is kept: matter that beams pass")
    taken = {s.name for s in (*inner, *matter, body)}
    hu = _override(
        patient.hu, [s for s in dense if s.type == "density" or s.name in taken], patient.grid, notes, table_of(options)
    )
    hu = _with_bolus(hu, [s for s in matter if s.type == "bolus" and s.density is None], patient.grid, notes)
    seen = _union([body, *inner, *matter], patient.grid)
    if found and patient.body_hint is not None:
        _see_tissue(seen, patient, body, notes)
    hu = _emptied(hu, seen, body, patient.grid, notes, found=found)
    return Anatomy(patient.grid, (*inner, body), tuple(matter), hu, Mask.of(seen), tuple(notes), faults)


def _meant(name: str, patient: Patient) -> str:
    return meant(name, [*(s.name for s in patient.structures), *patient.skipped], patient.originals)


def _decide(patient: Patient, options: Options) -> list[Region]:
    """Apply a person's decisions to the structures: which, what type, what prescription, what density."""
    kinds = {_meant(name, patient): kind for name, kind in options.types.items()}
    doses = {_meant(name, patient): float(dose) for name, dose in options.prescriptions.items()}
    densities = {_meant(name, patient): density for name, density in options.densities.items()}
    only = {_meant(name, patient) for name in options.only}
    chosen = []
    for structure in patient.structures:
        kind = kinds.get(structure.name, structure.type)
        if kind == "ignore" or (only and structure.name not in only and kind != "external"):
            continue
        if structure.name in doses and kind != "target":
            if structure.name in kinds:
                raise UsageError(f"{structure.name} has a prescription, but its type is {kind}; only targets have one")
            kind = "target"
        dose = doses.get(structure.name, structure.prescription) if kind == "target" else None
        density = densities.get(structure.name, structure.density)
        said = structure.said or structure.name in kinds
        chosen.append(
            replace(
                structure,
                type=cast(Kind, kind),
                prescription=dose,
                density=None if density is None or density == "ct" else float(density),
                said=said,
            )
        )
    return chosen


def _with_body(drawn: list[Region], patient: Patient, notes: list[str]) -> tuple[list[Region], Region, bool]:
    """Give the structures exactly one external, in last place; returned once more, and whether it was found."""
    outer = [s for s in drawn if s.type == "external" and not s.mask.empty]
    inner = [s for s in drawn if s.type != "external"]
    if not outer and (outline := _outline_by_name(inner)) is not None:
        inner = [s for s in inner if s is not outline]
        notes.append(f"no structure is an external by its type; {outline.name} holds the others and is taken for it")
        outer = [replace(outline, type="external")]
    if outer:
        body = max(outer, key=lambda s: s.mask.count)
        for other in (s for s in outer if s is not body):
            size = _cc(other.mask, patient.grid)
            if not other.said and other.mask.count < body.mask.count / 2:
                inner.append(replace(other, type="oar"))
                notes.append(f"{body.name} is the external; {other.name} ({size}) is kept as an organ")
            else:
                notes.append(f"two externals: {body.name}, the largest, is kept and {other.name} ({size}) left out")
        return [*inner, body], body, False
    taken = {s.name.casefold() for s in inner}
    name = next(n for n in ("Body", "Body_CT", "Body_found", "Outline_found") if n.casefold() not in taken)
    if patient.body_hint is not None:
        mask, how = patient.body_hint, "is the source's own"
        whole = filled(mask.inside)
        if (added := int(np.count_nonzero(whole) - mask.count)) > 0:
            how += f", with {added * patient.grid.voxel_cc:.1f} cc of holes filled"
        mask = Mask.of(Mask(mask.corner, whole).full(patient.grid.shape))
    else:
        mask, how = body_of(patient.hu, patient.grid), f"was found in the CT (denser than {TISSUE} HU, filled)"
    notes.append(f"no external is drawn; {name} {how}: {_cc(mask, patient.grid)}")
    body = Region(name, "external", mask)
    return [*inner, body], body, True


def _outline_by_name(inner: Sequence[Region]) -> Region | None:
    """Find an organ that has the name of an outline and holds all the others."""
    for one in sorted(inner, key=lambda s: -s.mask.count):
        if one.type != "oar" or guess_type(one.name) != "external" or one.mask.empty:
            continue
        others = [s for s in inner if s is not one and not s.mask.empty]
        if others and all(s.mask.within(one.mask) >= _HOLDS for s in others):
            return one
    return None


def _faults(drawn: Sequence[Region], patient: Patient, body: Region) -> Iterator[str]:
    """Find why no plan can be made, a sentence each."""
    targets = [s for s in drawn if s.type == "target"]
    if not targets:
        names = ", ".join(s.name for s in drawn[:30])
        yield f"there is no target; say which structure is one with --type NAME=target. There are: {names}"
        return
    for target in targets:
        if target.mask.empty and target.prescription:
            yield f"the target {target.name} is empty: it has no contour that encloses a voxel of the image"
    if not any(t.prescription for t in targets):
        hints = "".join(f"; {hint}" for hint in patient.hints)
        yield (
            f"no target has a prescription; give it with --prescription NAME=GY, all fractions together. "
            f"Targets: {', '.join(t.name for t in targets[:30])}{hints}"
        )
    for target in targets:
        lost = 1.0 - target.mask.within(body.mask)
        if not target.mask.empty and lost > 1 - _INSIDE:
            yield (
                f"{100 * lost:.0f}% of the target {target.name} lies outside {body.name}; were they drawn on this "
                "image?"
            )


def _inside(
    inner: Sequence[Region],
    body: Region,
    cut: set[str],
    wanted: set[str],
    grid: Grid,
    notes: list[str],
    *,
    note: bool,
) -> list[Region]:
    """Take the structures whole, those to be cropped without what lies outside the body."""
    kept, beyond = [], []
    for one in inner:
        if one.mask.empty:
            drawn = f" ({one.volume_cc:.2g} cc as drawn) holds no voxel centre of the image" if one.volume_cc else ""
            notes.append(f"{one.name}{drawn or ' is empty'} and is left out")
            continue
        share = 1.0 - one.mask.within(body.mask)
        size = f"{share * one.mask.count * grid.voxel_cc:.1f} cc"
        if one.name in cut and share:
            rest = Mask.of(one.mask.full(grid.shape) & body.mask.full(grid.shape))
            if rest.empty:
                raise UsageError(f"nothing of {one.name} lies in {body.name}; leave it out in place of --crop")
            notes.append(f"{one.name} is cut to {body.name}: {size} ({100 * share:.1f}%) are gone")
            kept.append(replace(one, mask=rest, volume_cc=None))
        elif share == 1.0 and one.name not in wanted:
            word = shell_word(f"{one.name}={one.type}")
            notes.append(f"{one.name} ({size}) lies outside {body.name} and is left out; --type {word} keeps it")
        else:
            beyond += [f"{one.name} {size} ({100 * share:.1f}%)"] if share else []
            kept.append(one)
    if beyond and note:
        notes.append(
            f"beyond {body.name}, and kept whole with the image there: {', '.join(beyond)}; --crop NAME cuts one to it"
        )
    return kept


def _on_tissue(one: Region, patient: Patient) -> bool:
    return float((patient.hu[one.mask.box][one.mask.inside] > TISSUE).mean()) > _INSIDE


def _grown(body: Region, inner: Sequence[Region], grid: Grid, notes: list[str]) -> Region:
    """Let a body that was found hold all structures."""
    full = body.mask.full(grid.shape)
    before = int(np.count_nonzero(full))
    parts = []
    for one in inner:
        share = 1.0 - one.mask.within(body.mask)
        if share:
            parts.append(f"{one.name} {share * one.mask.count * grid.voxel_cc:.1f} cc")
            one.mask.add_to(full)
    if not parts:
        return body
    full = filled(full)
    added = (int(np.count_nonzero(full)) - before) * grid.voxel_cc
    notes.append(f"{body.name} was enlarged by {added:.1f} cc to hold all structures: {', '.join(parts)}")
    return replace(body, mask=Mask.of(full))


def _override(hu: Image, dense: Sequence[Region], grid: Grid, notes: list[str], table: Table) -> Image:
    """Set densities that override the image; where two overlap, that of the smaller structure counts."""
    if not dense:
        return hu
    out = hu.copy()
    for one in sorted(dense, key=lambda s: -s.mask.count):
        value = hounsfield_of(float(one.density or 0.0), table)
        box = one.mask.box
        there = float(hu[box][one.mask.inside].mean())
        out[box][one.mask.inside] = value
        notes.append(
            f"{one.name} ({_cc(one.mask, grid)}) has the density {one.density:g} of water: {value} HU in place of "
            f"{there:.0f} HU on average; --density {shell_word(one.name + '=ct')} keeps the CT's"
        )
    return out


def _with_bolus(hu: Image, boluses: Sequence[Region], grid: Grid, notes: list[str]) -> Image:
    """Make a bolus of which the image shows nothing water."""
    out = hu
    for one in boluses:
        box, inside = one.mask.box, one.mask.inside
        empty = inside & (hu[box] <= TISSUE)
        if np.count_nonzero(empty) > one.mask.count / 2:
            out = out.copy() if out is hu else out
            out[box][empty] = 0
            notes.append(
                f"the CT shows nothing of {one.name}: {np.count_nonzero(empty) * grid.voxel_cc:.1f} cc are made water; "
                f"--density {shell_word(one.name + '=1.1')} sets another density"
            )
    return out


def hounsfield_of(density: float, table: Table = ()) -> int:
    """Find the Hounsfield units that stand for an electron density relative to water, in a table or the default."""
    from ..case.beams import electron_density

    units = np.arange(LOWEST, HIGHEST + 1)
    return int(units[int(np.argmin(np.abs(electron_density(units, table).astype(np.float64) - density)))])


def _union(regions: Sequence[Region], grid: Grid) -> Bools:
    full = np.zeros(grid.shape, bool)
    for one in regions:
        one.mask.add_to(full)
    return full


def _see_tissue(seen: Bools, patient: Patient, body: Region, notes: list[str]) -> None:
    """Keep the image where tissue is, though the source's body leaves it out: beams pass it."""
    before = int(np.count_nonzero(seen))
    body_of(patient.hu, patient.grid).add_to(seen)
    added = (int(np.count_nonzero(seen)) - before) * patient.grid.voxel_cc
    if added >= 0.05:
        notes.append(f"the image is kept beyond {body.name} where tissue is: {added:.1f} cc, through which beams pass")


def _emptied(hu: Image, seen: Bools, body: Region, grid: Grid, notes: list[str], *, found: bool) -> Image:
    """Make everything air that is neither patient nor matter that was kept."""
    gone = int(np.count_nonzero((hu > TISSUE) & ~seen)) * grid.voxel_cc
    if gone >= 0.05:
        notes.append(f"{gone:.1f} cc of the image outside {body.name}, denser than {TISSUE} HU, are made air")
    if not found and gone >= _PART * _volume(body.mask, grid) and (part := _patient_cc(hu, seen, grid)) >= gone / 4:
        notes.append(
            f"about {part:.0f} cc of that look like tissue and not like a couch or a mask: a bolus, or a part of the "
            f"body that {body.name} leaves out? --type {shell_word(body.name + '=ignore')} finds the body in the CT"
        )
    return np.where(seen, hu, np.int16(_AIR)).astype(np.int16)


def _patient_cc(hu: Image, seen: Bools, grid: Grid) -> float:
    """Find how much of what is not seen is body, on voxels coarse enough to tell at once."""
    steps = [max(1, round(_COARSE / one)) for one in grid.spacing]
    every = tuple(slice(None, None, step) for step in steps)
    part = hu[every]
    spacing = tuple(step * one for step, one in zip(steps, grid.spacing, strict=True))
    coarse = Grid(part.shape, spacing, grid.origin)  # type: ignore[arg-type]
    missed = body_of(part, coarse).full(coarse.shape) & ~seen[every] & (part > TISSUE)
    return int(np.count_nonzero(missed)) * coarse.voxel_cc


def _volume(mask: Mask, grid: Grid) -> float:
    return mask.count * grid.voxel_cc


def _cc(mask: Mask, grid: Grid) -> str:
    return f"{_volume(mask, grid):.1f} cc"
