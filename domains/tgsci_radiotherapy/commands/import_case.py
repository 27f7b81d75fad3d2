"""`tgsci radiotherapy import`: a case from DICOM, matRad, OpenKBP or pyRadPlan, checked and kept as one file."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from tgsci.basics.files import writable
from tgsci.basics.texts import quote, shell_word
from tgsci.cli.command import command, option, options
from tgsci.errors import UsageError

from ..notice import NOTICE

_structure = partial(option, section="Structures")
_beam = partial(option, section="Beams and grids")
_source = partial(option, section="What is read")


@command(
    "import",
    epilog="Example: tgsci radiotherapy import dicom-folder head.zarr --prescription PTV_70=70 --fractions 35 --beams "
    f"0,51,103,154,206,257,309. Exit code: 0 done, 1 failed, 2 bad input (nothing was written). {NOTICE}",
)
@click.argument("source", metavar="SRC", help="a DICOM folder, a matRad .mat, an OpenKBP folder, or tg119")
@click.argument("path", metavar="CASE.zarr", type=Path, help="the file to write")
@option("--kind", type=click.Choice(("dicom", "matrad", "openkbp", "pyradplan")), help="what SRC is (recognised)")
@option("--force", is_flag=True, help="replace CASE.zarr where it is there")
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
        help="target, oar, external or ignore, where the source is wrong; repeat",
    ),
    _structure("--only", multiple=True, metavar="NAME", help="take this structure and no other; repeat"),
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
    _source("--position", metavar="POSITION", help="how the patient lies, where no file says it: HFS, HFP, FFS ..."),
    _source("--fill-gaps", is_flag=True, help="interpolate across gaps where CT slices are, or may be, missing"),
    _source("--hu-table", metavar="FILE", help="CSV of HU and electron or mass density, in place of the default"),
    _source("--hu-offset", type=float, metavar="HU", help="added to the image, HU: -1024 for a lost intercept"),
)  # fmt: skip
def import_case(
    source: str,
    path: Path,
    kind: str | None,
    force: bool,
    name: str | None,
    structures: dict[str, Any],
    beams: dict[str, Any],
    files: dict[str, Any],
) -> int:
    """Read a case from DICOM, matRad, OpenKBP or pyRadPlan and keep it as one file.

    Its dose-influence matrix is calculated where the source has none; it is checked, and written as CASE.zarr. No
    name, number or date of a patient is kept.
    """
    from .cases import show_case

    wanted = {"name": name or path.stem, **_structures(structures), **_beams(beams), **_files(**files)}
    if path.suffix != ".zarr":
        raise UsageError(f"the case is kept as a .zarr file: name it {quote(path.name + '.zarr')}")
    writable(path, force=force)

    from ..case import save
    from ..importers import read

    case = read(source, kind, say=lambda line: print(f"{line} ...", file=sys.stderr), **wanted)
    print(f"writing {path} ...", file=sys.stderr)
    save(case, path, overwrite=force)
    show_case(case)
    print(f"{_megabytes(path):.1f} MB in {path}; next: tgsci radiotherapy plan --case {shell_word(path)} --goals SHEET")
    print(NOTICE)
    return 0


def _structures(typed: dict[str, Any]) -> dict[str, Any]:
    """Turn the options on structures into keywords of `importers.read`."""
    keywords = dict(typed)
    if "prescriptions" in keywords:
        pairs = _pairs(keywords["prescriptions"], "GY")
        keywords["prescriptions"] = {name: _number(value, f"--prescription {name}") for name, value in pairs}
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
