"""`tgsci radiotherapy import`: a case from DICOM, matRad, OpenKBP or pyRadPlan, checked and kept as one file."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tgsci.errors import UsageError

from ..notice import NOTICE
from ..words import quoted, shown
from .extra import needs_extra
from .shared import Commands

_KINDS = ("dicom", "matrad", "openkbp", "pyradplan")


def add_import(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `import`: a case from another program."""
    parser = commands.add_parser(
        "import",
        help="read a case from DICOM, matRad, OpenKBP or pyRadPlan and keep it as one file",
        description="Read a case, calculate its dose-influence matrix where the source has none, check it, and write "
        "it as CASE.zarr. No name, number or date of a patient is kept.",
        epilog="Example: tgsci radiotherapy import dicom-folder head.zarr --prescription PTV_70=70 --fractions 35 "
        f"--beams 0,51,103,154,206,257,309. Exit code: 0 done, 1 failed, 2 bad input (nothing was written). {NOTICE}",
    )
    parser.add_argument("source", metavar="SRC", help="a DICOM folder, a matRad .mat, an OpenKBP folder, or tg119")
    parser.add_argument("case", type=Path, metavar="CASE.zarr", help="the file to write")
    parser.add_argument("--kind", choices=_KINDS, help="what SRC is (recognised)")
    parser.add_argument("--force", action="store_true", help="replace CASE.zarr where it is there")
    parser.add_argument("--name", metavar="NAME", help="of the case (that of CASE.zarr); never a patient's")
    what = parser.add_argument_group("structures")
    what.add_argument(
        "--prescription", action="append", metavar="NAME=GY", help="total dose of a target: PTV=50; repeat for more"
    )
    what.add_argument("--fractions", type=int, metavar="N", help="number of fractions")
    what.add_argument(
        "--type", dest="types", action="append", metavar="NAME=TYPE",
        help="target, oar, external or ignore, where the source is wrong; repeat",
    )  # fmt: skip
    what.add_argument("--only", action="append", metavar="NAME", help="take this structure and no other; repeat")
    what.add_argument(
        "--order", action="append", metavar="NAME", help="this one owns overlaps, the first first; repeat"
    )
    beams = parser.add_argument_group("beams and grids")
    beams.add_argument("--beams", metavar="DEGREES", help="gantry angles: 0,40,80 (nine; two lateral ones for protons)")
    beams.add_argument("--couch", metavar="DEGREES", help="one couch angle, or as many as gantry angles (0)")
    beams.add_argument("--bixel", dest="bixel_mm", type=float, metavar="MM", help="width of a beamlet (5)")
    beams.add_argument("--grid", metavar="MM", help="spacing of the dose grid: 3, or x,y,z: 3,3,2.5 (3)")
    beams.add_argument("--cutoff", dest="cutoff_mm", type=float, metavar="MM", help="lateral end of a photon beamlet")
    beams.add_argument("--modality", choices=("photons", "protons"), help="photons, or protons (needs tgsci[dose])")
    beams.add_argument(
        "--engine", choices=("auto", "pyradplan", "builtin"), help="what calculates the dose (pyRadPlan if installed)"
    )
    beams.add_argument("--rbe", type=float, metavar="F", help="RBE of protons (1.1)")
    files = parser.add_argument_group("what is read")
    files.add_argument("--series", type=int, metavar="N", help="which CT series of a DICOM folder, from 1")
    files.add_argument("--structure-set", type=int, metavar="N", help="which structure set, from 1")
    files.add_argument("--no-reference", action="store_true", help="leave out the dose that comes with the source")
    files.add_argument("--hu-offset", type=float, metavar="HU", help="added to the image: -1024 for a lost intercept")
    parser.set_defaults(run=needs_extra(run_import))


def run_import(arguments: argparse.Namespace) -> int:
    """Read, check and keep the case that the command line names; then say what it holds.

    Raises:
        UsageError: Bad input; nothing was written.
    """
    from tgsci.files import writable

    from .cases import show_case

    options = _options(arguments)
    path = arguments.case
    if path.suffix != ".zarr":
        raise UsageError(f"the case is kept as a .zarr file: name it {shown(path.name + '.zarr')}")
    writable(path, force=arguments.force)

    from ..case import save
    from ..importers import read

    case = read(arguments.source, arguments.kind, say=lambda line: print(f"{line} ...", file=sys.stderr), **options)
    print(f"writing {path} ...", file=sys.stderr)
    save(case, path, overwrite=arguments.force)
    show_case(case)
    print(f"{_megabytes(path):.1f} MB in {path}; next: tgsci radiotherapy plan --case {quoted(path)} --goals SHEET")
    print(NOTICE)
    return 0


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the command line says, as the keywords of `sources.read`."""
    plain = ("fractions", "only", "order", "bixel_mm", "cutoff_mm", "modality", "engine", "rbe", "series",
             "structure_set", "hu_offset")  # fmt: skip
    found = {key: getattr(arguments, key) for key in plain if getattr(arguments, key) is not None}
    found["name"] = arguments.name or arguments.case.stem
    if arguments.prescription:
        found["prescriptions"] = {
            name: _number(value, f"--prescription {name}") for name, value in _pairs(arguments.prescription, "GY")
        }
    if arguments.types:
        found["types"] = dict(_pairs(arguments.types, "TYPE"))
    if arguments.beams is not None:
        found["gantry"] = _numbers(arguments.beams, "--beams")
    if arguments.couch is not None:
        found["couch"] = _numbers(arguments.couch, "--couch")
    if arguments.grid is not None:
        steps = _numbers(arguments.grid, "--grid")
        found["grid_mm"] = steps[0] if len(steps) == 1 else steps
    if arguments.no_reference:
        found["reference"] = False
    return found


def _pairs(texts: Sequence[str], what: str) -> list[tuple[str, str]]:
    found = []
    for text in texts:
        name, sign, value = text.rpartition("=")
        if not sign or not name.strip() or not value.strip():
            raise UsageError(f"{shown(text)} must be NAME={what}")
        found.append((name.strip(), value.strip()))
    return found


def _numbers(text: str, option: str) -> tuple[float, ...]:
    return tuple(_number(part, option) for part in re.split(r"[,\s]+", text.strip(", ")))


def _number(text: str, option: str) -> float:
    try:
        return float(text.removesuffix("Gy").strip())
    except ValueError:
        raise UsageError(f"{option}: {shown(text)} is no number") from None


def _megabytes(path: Path) -> float:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6
