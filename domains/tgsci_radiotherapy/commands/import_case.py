"""`tgsci radiotherapy import`: a case from DICOM, matRad, OpenKBP or pyRadPlan, checked and kept as one file."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tgsci.basics.files import writable
from tgsci.basics.texts import quote, shell_word, visible
from tgsci.cli.command import command, option, options
from tgsci.errors import UsageError

from ..importers.position import POSITIONS
from ..notice import NOTICE

if TYPE_CHECKING:
    from ..importers.anatomy import Anatomy
    from ..importers.patient import Patient

_structure = partial(option, section="Structures")
_beam = partial(option, section="Beams and grids")
_source = partial(option, section="What is read")


@command(
    "import",
    epilog="Example: tgsci radiotherapy import dicom-folder head.zarr --prescription PTV_70=70 --fractions 35 --beams "
    f"0,51,103,154,206,257,309. Exit code: 0 done, 1 failed, 2 bad input (nothing was written). {NOTICE}",
)
@click.argument("source", metavar="SRC", help="a DICOM folder, a matRad .mat, an OpenKBP folder, or tg119")
@click.argument("path", metavar="[CASE.zarr]", type=Path, required=False, help="the file to write; none to look only")
@option("--kind", type=click.Choice(("dicom", "matrad", "openkbp", "pyradplan")), help="what SRC is (recognised)")
@option("--force", is_flag=True, help="replace CASE.zarr where it is there")
@option(
    "--look",
    metavar="[FILE]",
    is_flag=False,
    flag_value="",
    help="draw the structures on slices, into .png, .pdf, .svg, or .html with all notes (.html and .png, beside CASE)",
)
@option("--name", metavar="NAME", help="of the case (that of CASE.zarr); never a patient's")
@options(
    "structures",
    _structure(
        "--prescription",
        "prescriptions",
        multiple=True,
        metavar="NAME=GY",
        help="total dose of a target, Gy: PTV=50; repeat for more",
    ),
    _structure("--fractions", type=int, metavar="N", help="number of fractions"),
    _structure(
        "--type",
        "types",
        multiple=True,
        metavar="NAME=TYPE",
        help="target, oar, external, bolus, support (a couch) or ignore, where the source is wrong; repeat",
    ),
    _structure("--only", multiple=True, metavar="NAME", help="take this structure and no other; repeat"),
    _structure("--crop", multiple=True, metavar="NAME", help="cut this structure to the external; repeat"),
    _structure(
        "--density",
        "densities",
        multiple=True,
        metavar="NAME=D",
        help="electron density relative to water in place of the CT's there, or ct for the CT's own; repeat",
    ),
    _structure("--order", multiple=True, metavar="NAME", help="this one owns overlaps, the first first; repeat"),
)
@options(
    "beams",
    _beam(
        "--beams",
        "gantry",
        metavar="DEGREES",
        help="gantry angles, degrees: 0,40,80 (nine; two lateral ones for protons)",
    ),
    _beam("--couch", metavar="DEGREES", help="one couch angle, or as many as gantry angles, degrees (0)"),
    _beam("--bixel", "bixel_mm", type=float, metavar="MM", help="width of a beamlet, mm (5)"),
    _beam("--grid", "grid_mm", metavar="MM", help="spacing of the dose grid, mm: 3, or x,y,z: 3,3,2.5 (3)"),
    _beam("--cutoff", "cutoff_mm", type=float, metavar="MM", help="lateral end of a photon beamlet, mm"),
    _beam("--modality", type=click.Choice(("photons", "protons")), help="photons, or protons (needs tgsci[dose])"),
    _beam(
        "--engine",
        type=click.Choice(("auto", "pyradplan", "builtin")),
        help="what calculates the dose (pyRadPlan if installed)",
    ),
    _beam("--rbe", type=float, metavar="F", help="RBE of protons (1.1)"),
)
@options(
    "files",
    _source("--series", type=int, metavar="N", help="which CT series of a DICOM folder, from 1"),
    _source("--structure-set", type=int, metavar="N", help="which structure set, from 1"),
    _source("--no-reference", is_flag=True, help="leave out the dose that comes with the source"),
    _source("--plan", type=int, metavar="N", help="which RTPLAN, counted from 1, where there are several"),
    _source("--dose", type=int, metavar="N", help="which RTDOSE, counted from 1, where there are several"),
    _source(
        "--position",
        type=click.Choice(POSITIONS, case_sensitive=False),
        metavar="POSITION",
        help="how the patient lies, where no file says it: HFS, HFP, FFS ...",
    ),
    _source("--any-frame", is_flag=True, help="take files together though their frames of reference differ"),
    _source("--fill-gaps", is_flag=True, help="interpolate across gaps where CT slices are, or may be, missing"),
    _source("--hu-table", metavar="FILE", help="CSV of HU and electron or mass density, in place of the default"),
    _source("--hu-offset", type=float, metavar="HU", help="added to the image, HU: -1024 for a lost intercept"),
)  # fmt: skip
def import_case(
    source: str,
    path: Path | None,
    kind: str | None,
    force: bool,
    look: str | None,
    name: str | None,
    structures: dict[str, Any],
    beams: dict[str, Any],
    files: dict[str, Any],
) -> int:
    """Read a case from DICOM, matRad, OpenKBP or pyRadPlan and keep it as one file.

    Its dose-influence matrix is calculated where the source has none; it is checked, and written as CASE.zarr. No
    name, number or date of a patient is kept. With --look alone the structures are drawn, and nothing is calculated.
    """
    if path is None and look is None:
        raise UsageError("name the file to write, CASE.zarr, or a picture with --look")
    given = name or (path.stem if path is not None else None)
    wanted = {**({"name": given} if given else {}), **_structures(structures), **_beams(beams), **_files(**files)}
    pictures = [] if look is None else _pictures(look, path, force)
    if path is None:
        return _look_only(source, kind, wanted, pictures)
    if path.suffix != ".zarr":
        raise UsageError(f"the case is kept as a .zarr file: name it {quote(path.name + '.zarr')}")
    writable(path, force=force)

    from ..case import save
    from ..importers import read
    from .cases import show_case

    case = read(source, kind, say=_say, settled=partial(_draw, pictures) if pictures else None, **wanted)
    print(f"writing {path} ...", file=sys.stderr)
    save(case, path, overwrite=force)
    show_case(case)
    print(f"{_megabytes(path):.1f} MB in {path}; next: tgsci radiotherapy plan --case {shell_word(path)} --goals SHEET")
    print(NOTICE)
    return 0


def _say(line: str) -> None:
    """Print a step that is under way ("reading contours ..."), or a note, which is complete."""
    first = line.partition(" ")[0]
    under_way = first.islower() and first.endswith("ing")
    print(f"{line} ..." if under_way else f"note: {line}", file=sys.stderr)


def _look_only(source: str, kind: str | None, wanted: dict[str, Any], pictures: list[Path]) -> int:
    """Draw the structures as an import would take them, and say what it would change."""
    from ..importers import Options, read_patient
    from ..importers.anatomy import settle

    chosen = Options.of(wanted)
    patient, _ = read_patient(source, kind, chosen, _say)
    anatomy = settle(patient, chosen)
    for line in (*patient.notes, *anatomy.notes):
        print(f"- {visible(line)}")
    for line in anatomy.faults:
        print(f"before a plan can be made: {visible(line)}")
    _draw(pictures, patient, anatomy)
    print(NOTICE)
    return 0


def _pictures(look: str, path: Path | None, force: bool) -> list[Path]:
    """Name the files to draw, before anything is read."""
    from ..views.look import KINDS

    where = Path(look) if look else (path.parent if path is not None else Path())
    stem = f"{path.stem}-structures" if path is not None else "structures"
    if where.is_dir() or not where.suffix:
        where.mkdir(parents=True, exist_ok=True)
        files = [where / f"{stem}.html", where / f"{stem}.png"]
    else:
        files = [where]
    for file in files:
        if file.suffix.casefold() not in KINDS:
            raise UsageError(f"--look writes {', '.join(KINDS)}, or into a folder; not {quote(file.name)}")
        writable(file, force=force)
    return files


def _draw(pictures: list[Path], patient: Patient, anatomy: Anatomy) -> None:
    from ..views.look import write_look

    for file in pictures:
        write_look(file, patient, anatomy)
        print(f"drawn: {file}", file=sys.stderr)


def _structures(typed: dict[str, Any]) -> dict[str, Any]:
    """Turn the options on structures into keywords of `importers.read`."""
    keywords = dict(typed)
    if "prescriptions" in keywords:
        pairs = _pairs(keywords["prescriptions"], "GY")
        keywords["prescriptions"] = {name: _number(value, f"--prescription {name}") for name, value in pairs}
    if "densities" in keywords:
        keywords["densities"] = {
            name: value if value.casefold() == "ct" else _number(value, f"--density {name}")
            for name, value in _pairs(keywords["densities"], "D")
        }
    if "types" in keywords:
        keywords["types"] = dict(_pairs(keywords["types"], "TYPE"))
    return keywords


def _beams(typed: dict[str, Any]) -> dict[str, Any]:
    """Turn the options on beams and grids into keywords of `importers.read`."""
    keywords = dict(typed)
    for key, name in (("gantry", "--beams"), ("couch", "--couch"), ("grid_mm", "--grid")):
        if key in keywords:
            keywords[key] = _numbers(keywords[key], name)
    if len(keywords.get("grid_mm", ())) == 1:
        (keywords["grid_mm"],) = keywords["grid_mm"]
    return keywords


def _files(no_reference: bool, **typed: Any) -> dict[str, Any]:
    """Turn the options on what is read into keywords of `importers.read`."""
    return {**typed, "reference": False} if no_reference else typed


def _pairs(texts: Sequence[str], what: str) -> list[tuple[str, str]]:
    pairs = []
    for text in texts:
        name, sign, value = text.rpartition("=")
        if not sign or not name.strip() or not value.strip():
            raise UsageError(f"{quote(text)} must be NAME={what}")
        pairs.append((name.strip(), value.strip()))
    return pairs


def _numbers(text: str, option: str) -> tuple[float, ...]:
    return tuple(_number(part, option) for part in re.split(r"[,\s]+", text.strip(", ")))


def _number(text: str, option: str) -> float:
    try:
        return float(text.removesuffix("Gy").strip())
    except ValueError:
        raise UsageError(f"{option}: {quote(text)} is no number") from None


def _megabytes(path: Path) -> float:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6
