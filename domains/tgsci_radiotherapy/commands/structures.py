"""`tgsci radiotherapy structures`: structures made from structures (rings, margins), listed or written as RTSTRUCT."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tgsci.basics.files import writable
from tgsci.basics.texts import quote, visible
from tgsci.cli.command import command, option
from tgsci.errors import UsageError
from tgsci.show.tables import print_table

from ..names import LONGEST, clean, find, folded
from ..notice import NOTICE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..case.model import Case, Grid
    from ..importers.dicom.structure_writer import Drawing, StructureSet

    Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class _Source:
    """Structures as masks: their grid, what each is, and where new ones may be written to."""

    grid: Grid
    kinds: Mapping[str, str]
    masks: Any
    notes: Sequence[str]
    beside: StructureSet | str


@command(
    "structures",
    epilog='Example: tgsci radiotherapy structures DICOM --make "Ring70=ring(PTV70, 3 mm, 13 mm)" --make "PTV56_opt='
    f'PTV56 - (PTV63 + 5 mm)" --out new.dcm. Exit code: 0 done, 2 bad input (nothing was written). {NOTICE}',
)
@click.argument("source", metavar="SRC", help="a DICOM folder, or a case: built-in, or a .zarr file")
@option(
    "--make",
    "makes",
    multiple=True,
    metavar="NAME=REGION",
    help="a new structure: A - B, A | B, A & B, A + 5 mm, A - 3 mm, ring(A, 3 mm, 13 mm), parentheses; repeat",
)
@option("--out", type=Path, metavar="FILE.dcm", help="write an RTSTRUCT: the structures there are, and the new ones")
@option("--only-made", is_flag=True, help="write the new structures alone")
@option("--series", type=int, metavar="N", help="which CT series of a DICOM folder, from 1")
@option("--structure-set", type=int, metavar="N", help="which structure set, from 1")
@option("--force", is_flag=True, help="replace FILE.dcm where it is there")
def structures(
    source: str,
    makes: tuple[str, ...],
    out: Path | None,
    only_made: bool,
    series: int | None,
    structure_set: int | None,
    force: bool,
) -> int:
    """List structures, make new ones from them (rings, margins, differences), and write them as RTSTRUCT.

    From a DICOM folder the file has the scan's patient, frame of reference and slices; from a case, which keeps no
    patient, it is anonymous. Margins are Euclidean, on the voxels of the CT or of the case's dose grid.
    """
    if out is not None:
        writable(out, force=force)
    if only_made and not makes:
        raise UsageError("--only-made goes with --make")
    wanted = [_wanted(text) for text in makes]
    opened = _open(source, {"series": series, "structure_set": structure_set})
    made = list(_make(wanted, opened))
    for note in opened.notes:
        print(f"- {visible(note)}")
    voxel = opened.grid.voxel_cc
    rows = [[name, kind, f"{opened.masks(name).sum() * voxel:.1f}", ""] for name, kind in opened.kinds.items()]
    rows += [[one.name, "new", f"{one.mask.sum() * voxel:.1f}", one.how] for one in made]
    print_table(("structure", "type", "volume (cc)", "made from"), rows, left=("structure", "type", "made from"))
    if out is not None:
        _write(out, made, opened, only_made)
    print(NOTICE)
    return 0


def _write(out: Path, made: Sequence[Drawing], opened: _Source, only_made: bool) -> None:
    from dataclasses import replace

    from ..importers.dicom.structure_writer import Drawing, write_structures

    beside, drawings = opened.beside, list(made)
    if isinstance(beside, str):
        kept = {} if only_made else opened.kinds
        drawings = [*(Drawing(name, kind, opened.masks(name)) for name, kind in kept.items()), *made]
    elif only_made:
        beside = replace(beside, data=_emptied(beside.data))
    if not drawings:
        raise UsageError("there is nothing new to write; say what to make with --make NAME=REGION")
    write_structures(out, drawings, opened.grid, beside)
    print(f"wrote {out}: closed planar contours, holes as keyholes", file=sys.stderr)
    if isinstance(beside, str):
        print("a case keeps no patient: the file is anonymous, in a frame of reference of its own", file=sys.stderr)


def _emptied(data: Any) -> Any:
    """Copy a structure set without its structures."""
    from copy import copy

    out = copy(data)
    out.StructureSetROISequence, out.ROIContourSequence, out.RTROIObservationsSequence = [], [], []
    return out


def _wanted(text: str) -> tuple[str, str]:
    """Split NAME=REGION."""
    name, sign, region = (part.strip() for part in text.partition("="))
    if not sign or not name or not region:
        raise UsageError(f'{quote(text)} must be NAME=REGION, such as "Ring=ring(PTV, 3 mm, 13 mm)"')
    if clean(name) != name:
        raise UsageError(f"{quote(name)} is no name for a structure: 1 to {LONGEST} letters, digits, spaces or _+-.^~")
    return name, region


def _open(source: str, choice: Mapping[str, int | None]) -> _Source:
    """Open a case, or the structure set of a DICOM folder."""
    path = Path(source)
    if not path.is_dir() or path.suffix == ".zarr":
        if any(choice.values()):
            raise UsageError("--series and --structure-set are for a DICOM folder")
        from ..case.library import open_case

        return _of_case(open_case(source))
    from ..importers import Options, kind_of
    from ..importers.dicom.structure_writer import open_structures

    if kind_of(path) != "dicom":
        raise UsageError(f"{quote(source, 200)} is no DICOM folder; import it, and give the case")
    options = Options.of({name: number for name, number in choice.items() if number is not None})
    found = open_structures(path, options, lambda line: print(f"{line} ...", file=sys.stderr))
    regions = {one.name: one for one in found.regions if not one.mask.empty}
    kinds = {name: one.type for name, one in regions.items() if one.type != "density"}
    return _Source(found.grid, kinds, lambda name: regions[name].mask.full(found.grid.shape), found.notes, found)


def _of_case(case: Case) -> _Source:
    from ..importers.dicom.origin import frame_of_case

    kinds = {one.name: one.type for one in case.structures}
    return _Source(case.grid, kinds, case.mask, (), frame_of_case(case))


def _make(wanted: Sequence[tuple[str, str]], opened: _Source) -> Iterator[Drawing]:
    """Make the new structures, in their order; a later one may name an earlier one."""
    from ..case import regions
    from ..importers.dicom.structure_writer import Drawing

    made: dict[str, Bools] = {}

    def named(name: str) -> str:
        return name if name in (regions.TARGETS, regions.EXTERNAL) else find(name, [*opened.kinds, *made])

    def masks(name: str) -> Bools:
        if name in made:
            return made[name]
        if name in opened.kinds:
            return opened.masks(name)  # type: ignore[no-any-return]
        kind = "target" if name == regions.TARGETS else "external"
        parts = [opened.masks(one) for one, what in opened.kinds.items() if what == kind]
        if not parts:
            raise UsageError(f"there is no {kind} for {name}")
        whole: Bools = sum(parts[1:], parts[0])
        return whole

    for name, text in wanted:
        if folded(name) in {folded(other) for other in (*opened.kinds, *made)}:
            raise UsageError(f"there is a structure {name} already; give the new one another name")
        region = regions.parse(text).renamed(named)
        mask = region.mask(masks, opened.grid.spacing)
        if not mask.any():
            raise UsageError(f"{name} = {region} is empty: it has no voxel")
        made[name] = mask
        yield Drawing(name, _kind(region, opened.kinds), mask, str(region))


def _kind(region: Any, kinds: Mapping[str, str]) -> str:
    """Tell whether what is made is a part of a target; all else helps the planner."""
    while region.kind in ("without", "overlap") or (region.kind == "margin" and region.mm[0] < 0):
        region = region.parts[0]
    return "target" if region.kind == "name" and kinds.get(region.name) == "target" else "made"
