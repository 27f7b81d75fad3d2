"""From an image with structures to a case: settle names and types, lay the dose grid, compute the dose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tgsci.errors import UsageError

from ..case.checks import check
from ..case.model import Beam, Case, Dij, Grid, Structure, Type, own_rows
from ..names import clean, find
from . import pyradplan
from .masks import resample, same
from .options import Options
from .patient import Patient, Region, body_of
from .position import at_patient

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Floats, Rows
    from .patient import Image

#: Largest dose grid, voxels.
MOST_DOSE_VOXELS = 40_000_000
#: Least share of a target inside the body: with less, it was drawn on another image.
_INSIDE = 0.5
#: Share of a target inside another from which on it lies in it: on a grid, edges never agree to the voxel.
_WITHIN = 0.95


@dataclass(frozen=True)
class SourceDij:
    """A dose-influence matrix that came with the source.

    Args:
        grid: Its dose grid.
        matrix: Sparse, voxels by beamlets.
        row_of: From voxels of the grid (flat indices) to the matrix's rows.
        beam_of: Beam of each beamlet.
        beams: The beams.
        factor: From the matrix's dose to Gy of one fraction: the RBE of protons.
        modality: "photons" or "protons".
        engine: What computed it, for people.
    """

    grid: Grid
    matrix: Any
    row_of: Callable[[NDArray[np.integer]], NDArray[np.integer]]
    beam_of: NDArray[np.number]
    beams: tuple[Beam, ...]
    factor: float
    modality: str
    engine: str


def assemble(
    patient: Patient, options: Options, say: Callable[[str], None], source_dij: SourceDij | None = None
) -> Case:
    """Make a case of a patient: decide on structures, lay the dose grid, compute the dose.

    Args:
        patient: As a reader made it.
        options: A person's decisions.
        say: Called with notes and before long steps.
        source_dij: The source's own dose-influence matrix; None: it is computed.

    Raises:
        UsageError: Something is missing or wrong; it says what to do.
    """
    for note in patient.notes:
        say(note)
    notes: list[str] = []
    options = at_patient(options, patient.position)
    if patient.position != "HFS":
        turned = ", ".join(f"{gantry:g}" for gantry, _ in options.angles())
        couch = f", couch {options.angles()[0][1]:g}" if options.angles()[0][1] else ""
        notes.append(
            f"the patient lies {patient.position}: the beams' angles are the machine's, and are kept as those of a "
            f"patient lying head first and supine: gantry {turned}{couch}"
        )
    fractions = options.fractions or patient.fractions
    drawn = _apply_decisions(patient, options)
    drawn, body = _with_body(drawn, patient, notes)
    _check_targets(drawn, patient)
    if not fractions:
        raise UsageError("the number of fractions is not in the source; say it with --fractions N")
    grid = source_dij.grid if source_dij is not None else _grid(patient, body, options)
    structures = _structures(drawn, body, patient, grid, options, notes)
    hu, image_grid = _image(patient, body)
    voxels, owners = own_rows(structures, grid)
    if source_dij is not None:
        rows, factor = source_dij.row_of(voxels), fractions * source_dij.factor
        dij = pyradplan.by_rows(source_dij.matrix, rows, source_dij.beam_of, factor)
        beams, engine, modality = source_dij.beams, source_dij.engine, source_dij.modality
    else:
        dij, beams, engine = _influence(hu, image_grid, grid, structures, voxels, fractions, options, say)
        modality = options.modality
    reference = _reference(patient, structures, grid, voxels, fractions, notes) if options.reference else None
    for note in notes:
        say(note)
    provenance = {**patient.provenance, "dose engine": engine, "dose grid": str(grid)}
    if options.hu_offset:
        provenance["image"] = f"{options.hu_offset:+g} HU added"
    if patient.notes:
        provenance["read"] = "; ".join(patient.notes)[:2000]
    if notes:
        provenance["notes"] = "; ".join(notes)
    name = clean(options.name or patient.name) or "case"
    case = Case(
        name=name,
        grid=grid,
        structures=structures,
        dij=dij,
        voxels=voxels,
        owners=owners,
        fractions=int(fractions),
        ct=hu,
        ct_grid=image_grid,
        beams=beams,
        modality=modality,
        provenance=provenance,
        reference=reference,
        origin=patient.origin,
    )
    check(case)
    return case


def _apply_decisions(patient: Patient, options: Options) -> list[Region]:
    """Apply a person's decisions to the structures: which, what type, what prescription."""
    names = [*(s.name for s in patient.structures), *patient.skipped]
    kinds = {find(name, names): kind for name, kind in options.types.items()}
    doses = {find(name, names): float(dose) for name, dose in options.prescriptions.items()}
    only = {find(name, names) for name in options.only}
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
        chosen.append(replace(structure, type=cast(Type, kind), prescription=dose))
    return chosen


def _with_body(drawn: list[Region], patient: Patient, notes: list[str]) -> tuple[list[Region], Region]:
    """Give the structures exactly one external, in last place; returned once more by itself."""
    outer = [s for s in drawn if s.type == "external" and not s.mask.empty]
    inner = [s for s in drawn if s.type != "external"]
    if not outer:
        mask = body_of(patient.hu) if patient.body_hint is None else patient.body_hint
        taken = {s.name for s in inner}
        body = Region("Body" if "Body" not in taken else "Body_CT", "external", mask)
        how = "found in the CT (denser than -350 HU, filled)" if patient.body_hint is None else "taken from the source"
        notes.append(f"no external is drawn; {body.name} was {how}")
    else:
        body = max(outer, key=lambda s: s.mask.count)
        rest = [s.name for s in outer if s is not body]
        if rest:
            notes.append(f"{len(outer)} externals: {body.name}, the largest, is kept and {', '.join(rest)} left out")
    return [*inner, body], body


def _check_targets(drawn: Sequence[Region], patient: Patient) -> None:
    targets = [s for s in drawn if s.type == "target"]
    names = ", ".join(s.name for s in drawn[:30])
    if not targets:
        raise UsageError(f"there is no target; say which structure is one with --type NAME=target. There are: {names}")
    for target in targets:
        if target.mask.empty and target.prescription:
            raise UsageError(f"the target {target.name} is empty: it has no contour that encloses a voxel of the image")
    if not any(t.prescription for t in targets):
        hints = "".join(f"; {hint}" for hint in patient.hints)
        raise UsageError(
            f"no target has a prescription; give it with --prescription NAME=GY, all fractions together. "
            f"Targets: {', '.join(t.name for t in targets[:30])}{hints}"
        )


def _grid(patient: Patient, body: Region, options: Options) -> Grid:
    """Lay the dose grid around the body, its first voxel on one of the image's."""
    image, mask = patient.grid, body.mask
    steps = image.spacing if options.grid_mm is None and patient.own_grid else options.spacing()
    origin = tuple(o + s * c for o, s, c in zip(image.origin, image.spacing, mask.corner, strict=True))
    lengths = [(n - 1) * s for n, s in zip(mask.inside.shape, image.spacing, strict=True)]
    shape = tuple(int(np.ceil(length / step - 1e-6)) + 1 for length, step in zip(lengths, steps, strict=True))
    if float(np.prod([float(n) for n in shape])) > MOST_DOSE_VOXELS:
        raise UsageError(f"a dose grid of {shape[::-1]} voxels is too large; take a coarser one with --grid")
    return Grid(shape, steps, origin)  # type: ignore[arg-type]


def _structures(
    drawn: Sequence[Region], body: Region, patient: Patient, grid: Grid, options: Options, notes: list[str]
) -> tuple[Structure, ...]:
    """Put the structures on the dose grid, in the order in which overlaps are resolved."""
    inside = np.zeros(grid.size, bool)
    inside[body.mask.voxels(patient.grid, grid)] = True
    made: dict[str, Structure] = {}
    for one in drawn:
        if one.mask.empty:
            notes.append(f"{one.name} is empty and left out")
            continue
        lost = 1.0 - one.mask.within(body.mask)
        if one.type == "target" and lost > 1 - _INSIDE:
            raise UsageError(
                f"{100 * lost:.0f}% of the target {one.name} lies outside {body.name}; were they drawn on this image?"
            )
        if lost == 1.0:
            notes.append(f"{one.name} lies outside {body.name} and is left out")
            continue
        if lost > 0.001:
            notes.append(f"{100 * lost:.1f}% of {one.name} lies outside {body.name} and is cut off")
        voxels = one.mask.voxels(patient.grid, grid)
        kept = voxels[inside[voxels]]
        if not len(kept):
            raise UsageError(
                f"{one.name} ({one.mask.count * patient.grid.voxel_cc:.2g} cc) vanishes on the dose grid of {grid}; "
                f"take a finer one with --grid, or leave it out with --type {one.name}=ignore"
            )
        volume = one.volume_cc if one.volume_cc is not None else one.mask.count * patient.grid.voxel_cc
        made[one.name] = Structure(one.name, one.type, kept, float(volume), one.prescription)
    return _in_order(_inherit_prescriptions(made, grid, notes), patient, grid, options, notes)


def _inherit_prescriptions(made: Mapping[str, Structure], grid: Grid, notes: list[str]) -> dict[str, Structure]:
    """Give a target without a prescription (a GTV, say) that of the target that it lies in.

    Raises:
        UsageError: A target without a prescription lies in no other target.
    """
    out = dict(made)
    prescribed = sorted((s for s in made.values() if s.prescription), key=lambda s: -(s.prescription or 0.0))
    for one in made.values():
        if one.type != "target" or one.prescription:
            continue
        for other in prescribed:
            within = np.zeros(grid.size, bool)
            within[other.voxels] = True
            if within[one.voxels].mean() >= _WITHIN:
                out[one.name] = replace(one, prescription=other.prescription)
                notes.append(f"{one.name} lies in {other.name} and has its prescription of {other.prescription:g} Gy")
                break
        else:
            raise UsageError(
                f"the target {one.name} has no prescription and lies in no target that has one; give it one with "
                f"--prescription {one.name}=GY, or say that it is none with --type {one.name}=oar, or =ignore"
            )
    return out


def _in_order(
    made: Mapping[str, Structure], patient: Patient, grid: Grid, options: Options, notes: list[str]
) -> tuple[Structure, ...]:
    """Order who owns overlaps: as a person says, else as the source says, else targets by prescription before organs.

    Of two targets with one prescription the larger owns: an objective on a PTV sees the CTV within.
    """
    wanted = [find(name, made) for name in options.order]
    rank = {name: place for place, name in enumerate(made)}
    kinds = {"target": 0, "oar": 1, "external": 2}

    def key(s: Structure) -> tuple[Any, ...]:
        first = wanted.index(s.name) if s.name in wanted else len(wanted)
        if patient.ordered:
            return (first, s.type == "external", rank[s.name])
        size = (-(s.prescription or 0.0), -len(s.voxels)) if s.type == "target" else (0.0, 0)
        return (first, kinds[s.type], *size, rank[s.name])

    ordered = tuple(sorted(made.values(), key=key))
    taken = np.zeros(grid.size, bool)
    hidden = []
    for structure in ordered[:-1]:
        if taken[structure.voxels].all():
            hidden.append(structure.name)
        taken[structure.voxels] = True
    if hidden:
        notes.append(
            f"{', '.join(hidden)}: all voxels belong to structures before; objectives there act on nothing, goals do "
            "(--order changes who owns overlaps)"
        )
    return ordered


def _image(patient: Patient, body: Region) -> tuple[Image, Grid]:
    """Cut the image to the body and empty it outside: the couch and whatever else stood there."""
    grid, corner, shape = patient.grid, body.mask.corner, body.mask.inside.shape
    margin = [int(np.ceil(10.0 / s)) if axis else 0 for axis, s in enumerate(grid.spacing)]
    first = [max(0, c - m) for c, m in zip(corner, margin, strict=True)]
    last = [min(n, c + d + m) for n, c, d, m in zip(grid.shape, corner, shape, margin, strict=True)]
    cut = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    inside = np.zeros([b - a for a, b in zip(first, last, strict=True)], bool)
    inside[tuple(slice(c - a, c - a + d) for c, a, d in zip(corner, first, shape, strict=True))] = body.mask.inside
    hu = np.where(inside, patient.hu[cut], np.int16(-1000)).astype(np.int16)
    origin = tuple(o + s * a for o, s, a in zip(grid.origin, grid.spacing, first, strict=True))
    return hu, Grid(hu.shape, grid.spacing, origin)  # type: ignore[arg-type]


def _influence(
    hu: Image,
    image_grid: Grid,
    grid: Grid,
    structures: tuple[Structure, ...],
    voxels: Rows,
    fractions: int,
    options: Options,
    say: Callable[[str], None],
) -> tuple[Dij, tuple[Beam, ...], str]:
    """Compute the dose-influence matrix with the engine that is wanted and installed."""
    if options.engine == "pyradplan" or (options.engine == "auto" and pyradplan.available()):
        on_grid = hu if same(image_grid, grid) else resample(hu, image_grid, grid, outside=-1000.0)
        body = np.zeros(grid.size, bool)
        body[structures[-1].voxels] = True
        emptied = np.where(body.reshape(grid.shape), on_grid, -1000.0).astype(np.int16)
        target = np.unique(np.concatenate([s.voxels for s in structures if s.type == "target"]))
        return pyradplan.influence(emptied, grid, voxels, target, fractions, options, say)
    return _built_in(hu, image_grid, grid, structures, fractions, options, say)


def _built_in(
    hu: Image,
    image_grid: Grid,
    grid: Grid,
    structures: tuple[Structure, ...],
    fractions: int,
    options: Options,
    say: Callable[[str], None],
) -> tuple[Dij, tuple[Beam, ...], str]:
    from ..case.beams.geometry import BIXEL, covering, points_of
    from ..case.beams.influence import Setup
    from ..case.beams.pencil import CUTOFF

    if options.modality != "photons":
        raise UsageError("protons need pyRadPlan's dose engine: pip install 'tgsci[dose]'")
    if options.bixel_mm != BIXEL or options.cutoff_mm not in (None, CUTOFF):
        raise UsageError(
            f"the built-in dose engine has beamlets of {BIXEL:g} mm and a lateral cutoff of {CUTOFF:g} mm; leave "
            "--bixel and --cutoff, or take pyRadPlan's engine: pip install 'tgsci[dose]'"
        )
    beams = tuple(Beam(gantry, couch) for gantry, couch in options.angles())
    aimed = points_of(grid, np.unique(np.concatenate([s.voxels for s in structures if s.type == "target"])))
    rows = len(np.unique(np.concatenate([s.voxels for s in structures])))
    pyradplan.check_size(grid, rows, len(covering(beams, aimed.mean(axis=0), aimed)), CUTOFF)
    say(f"computing the dose of {len(beams)} beams with the built-in pencil beam, on {grid}")
    setup = Setup("case", hu, image_grid, grid, structures, beams, fractions)
    engine = f"built-in analytic 6 MV pencil beam, {BIXEL:g} mm beamlets, lateral cutoff {CUTOFF:g} mm"
    return setup.dij(), beams, engine


def _reference(
    patient: Patient,
    structures: Sequence[Structure],
    grid: Grid,
    voxels: Rows,
    fractions: int,
    notes: list[str],
) -> Floats | None:
    """Take the source's dose on the rows of the case."""
    if patient.reference is None:
        return None
    dose, own = patient.reference
    covered = resample(np.ones(dose.shape, bool), own, grid, average=False).reshape(-1) > 0.5
    cube = resample(dose, own, grid, average=False).reshape(-1)
    main = max((s for s in structures if s.prescription), key=lambda s: s.prescription or 0.0)
    if not covered[main.voxels].all():
        raise UsageError(f"the dose that came along does not cover {main.name}; import without it (--no-reference)")
    mean, wanted = float(cube[main.voxels].mean()), float(main.prescription or 0.0)
    ratio = mean / wanted
    if not 0.3 <= ratio <= 3.0:
        guess = ""
        if fractions > 1 and 0.7 <= ratio * fractions <= 1.4:
            guess = "; it looks like the dose of one fraction"
        elif 70 <= ratio <= 140:
            guess = "; it looks like cGy"
        raise UsageError(
            f"the dose that came along gives {main.name} {mean:.3g} Gy on average, and {wanted:g} Gy are prescribed"
            f"{guess}. Import without it (--no-reference), or correct the prescription"
        )
    if not covered[voxels].all():
        share = 100 * float((~covered[voxels]).mean())
        notes.append(f"the dose that came along does not reach {share:.1f}% of the voxels; 0 there")
    return cube[voxels]
