"""From an image with structures to a case: settle names and types, lay the dose grid, compute the dose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tgsci.basics.texts import shell_word
from tgsci.errors import UsageError

from ..case.checks import check
from ..case.model import Beam, Case, Dij, Grid, Structure, Type, own_rows
from ..names import clean
from . import pyradplan
from .anatomy import Anatomy, settle
from .hu_table import Table, in_words, table_of
from .masks import resample, same
from .options import Options
from .patient import Patient, meant
from .position import at_patient

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Floats, Rows
    from .patient import Image

#: Largest dose grid, voxels.
MOST_DOSE_VOXELS = 40_000_000
#: Most characters of notes that a case keeps: some of each of the most structures.
_LONGEST_NOTES = 50_000
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
    patient: Patient,
    options: Options,
    say: Callable[[str], None],
    source_dij: SourceDij | None = None,
    settled: Callable[[Patient, Anatomy], None] | None = None,
) -> Case:
    """Make a case of a patient: decide on structures, lay the dose grid, compute the dose.

    Args:
        patient: As a reader made it.
        options: A person's decisions.
        say: Called with notes and before long steps.
        source_dij: The source's own dose-influence matrix; None: it is computed.
        settled: Called once it is clear what the structures are, before any dose is computed.

    Raises:
        UsageError: Something is missing or wrong; it says what to do.
    """
    for note in patient.notes:
        say(note)
    anatomy = settle(patient, options)
    if settled is not None:
        settled(patient, anatomy)
    if anatomy.faults:
        raise UsageError(anatomy.faults[0])
    notes = list(anatomy.notes)
    options = at_patient(options, patient.position)
    if patient.position != "HFS":
        turned = ", ".join(f"{gantry:g}" for gantry, _ in options.angles())
        couch = f", couch {options.angles()[0][1]:g}" if options.angles()[0][1] else ""
        notes.append(
            f"the patient lies {patient.position}: the beams' angles are the machine's, and are kept as those of a "
            f"patient lying head first and supine: gantry {turned}{couch}"
        )
    table = table_of(options)
    if table and source_dij is not None:
        raise UsageError(
            "--hu-table is for a dose that is computed, and the source brings its own dose-influence matrix; compute "
            "it again with --engine builtin, or leave --hu-table"
        )
    fractions = options.fractions or patient.fractions
    if not fractions:
        raise UsageError("the number of fractions is not in the source; say it with --fractions N")
    grid = source_dij.grid if source_dij is not None else _grid(patient, anatomy, options)
    structures = _structures(anatomy, patient, grid, options, notes)
    hu, image_grid = _image(anatomy)
    voxels, owners = own_rows(structures, grid)
    if source_dij is not None:
        rows, factor = source_dij.row_of(voxels), fractions * source_dij.factor
        dij = pyradplan.by_rows(source_dij.matrix, rows, source_dij.beam_of, factor)
        beams, engine, modality = source_dij.beams, source_dij.engine, source_dij.modality
    else:
        dij, beams, engine = _influence(
            hu, image_grid, anatomy, grid, structures, voxels, fractions, options, table, say
        )
        modality = options.modality
    reference = _reference(patient, structures, grid, voxels, fractions, notes) if options.reference else None
    for note in notes:
        say(note)
    provenance = {**patient.provenance, "dose engine": engine, "dose grid": str(grid)}
    if options.hu_offset:
        provenance["image"] = f"{options.hu_offset:+g} HU added"
    if table:
        provenance["HU table"] = in_words(table)
    if patient.notes:
        provenance["read"] = "\n".join(patient.notes)[:_LONGEST_NOTES]
    if notes:
        provenance["notes"] = "\n".join(notes)[:_LONGEST_NOTES]
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
        hu_table=table,
    )
    check(case)
    return case


def _grid(patient: Patient, anatomy: Anatomy, options: Options) -> Grid:
    """Lay the dose grid around patient and matter, its first voxel on one of the image's."""
    image, mask = anatomy.grid, anatomy.seen
    steps = image.spacing if options.grid_mm is None and patient.own_grid else options.spacing()
    origin = tuple(o + s * c for o, s, c in zip(image.origin, image.spacing, mask.corner, strict=True))
    lengths = [(n - 1) * s for n, s in zip(mask.inside.shape, image.spacing, strict=True)]
    shape = tuple(int(np.ceil(length / step - 1e-6)) + 1 for length, step in zip(lengths, steps, strict=True))
    if float(np.prod([float(n) for n in shape])) > MOST_DOSE_VOXELS:
        raise UsageError(f"a dose grid of {shape[::-1]} voxels is too large; take a coarser one with --grid")
    return Grid(shape, steps, origin)  # type: ignore[arg-type]


def _structures(
    anatomy: Anatomy, patient: Patient, grid: Grid, options: Options, notes: list[str]
) -> tuple[Structure, ...]:
    """Put the structures on the dose grid, in the order in which overlaps are resolved."""
    made: dict[str, Structure] = {}
    for one in anatomy.regions:
        voxels = one.mask.voxels(anatomy.grid, grid)
        if not len(voxels):
            raise UsageError(
                f"{one.name} ({one.mask.count * anatomy.grid.voxel_cc:.2g} cc) vanishes on the dose grid of {grid}; "
                f"take a finer one with --grid, or leave it out with --type {shell_word(one.name + '=ignore')}"
            )
        volume = one.volume_cc if one.volume_cc is not None else one.mask.count * anatomy.grid.voxel_cc
        made[one.name] = Structure(one.name, cast(Type, one.type), voxels, float(volume), one.prescription)
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
    wanted = [meant(name, made, patient.originals) for name in options.order]
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


def _image(anatomy: Anatomy) -> tuple[Image, Grid]:
    """Cut the image to patient and matter, with some air around."""
    grid, mask = anatomy.grid, anatomy.seen
    margin = [int(np.ceil(10.0 / s)) if axis else 0 for axis, s in enumerate(grid.spacing)]
    first = [max(0, c - m) for c, m in zip(mask.corner, margin, strict=True)]
    last = [min(n, c + d + m) for n, c, d, m in zip(grid.shape, mask.corner, mask.inside.shape, margin, strict=True)]
    hu = np.ascontiguousarray(anatomy.hu[tuple(slice(a, b) for a, b in zip(first, last, strict=True))])
    origin = tuple(o + s * a for o, s, a in zip(grid.origin, grid.spacing, first, strict=True))
    return hu, Grid(hu.shape, grid.spacing, origin)  # type: ignore[arg-type]


def _influence(
    hu: Image,
    image_grid: Grid,
    anatomy: Anatomy,
    grid: Grid,
    structures: tuple[Structure, ...],
    voxels: Rows,
    fractions: int,
    options: Options,
    table: Table,
    say: Callable[[str], None],
) -> tuple[Dij, tuple[Beam, ...], str]:
    """Compute the dose-influence matrix with the engine that is wanted and installed."""
    if options.engine == "pyradplan" or (options.engine == "auto" and pyradplan.available()):
        on_grid = hu if same(image_grid, grid) else resample(hu, image_grid, grid, outside=-1000.0)
        seen = np.unique(np.concatenate([anatomy.seen.voxels(anatomy.grid, grid), voxels]))
        emptied = np.full(grid.size, -1000, np.int16)
        emptied[seen] = np.rint(on_grid.reshape(-1)[seen])
        target = np.unique(np.concatenate([s.voxels for s in structures if s.type == "target"]))
        cube = emptied.reshape(grid.shape)
        return pyradplan.influence(cube, grid, voxels, target, fractions, options, say, seen, table)
    return _built_in(hu, image_grid, grid, structures, fractions, options, table, say)


def _built_in(
    hu: Image,
    image_grid: Grid,
    grid: Grid,
    structures: tuple[Structure, ...],
    fractions: int,
    options: Options,
    table: Table,
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
    setup = Setup("case", hu, image_grid, grid, structures, beams, fractions, hu_table=table)
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
