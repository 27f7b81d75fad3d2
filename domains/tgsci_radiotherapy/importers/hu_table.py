"""A scanner's own table from Hounsfield units to densities, as a CSV file.

    HU,electron density
    -1000,0
    0,1
    1000,1.52

The first line says what the second column is: electron density relative to water, or mass density in g/cm3. The
calculation needs the first; mass densities are converted by the electrons per gram of tissues (Z/A of NIST's tables of
X-ray mass attenuation coefficients, ICRU-44 materials: water 0.55508, skeletal muscle 0.55000 at 1.05 g/cm3, cortical
bone 0.51478 at 1.92 g/cm3), by a straight line from muscle to bone and as muscle or bone beyond. Metals have fewer
electrons per gram than bone: a table in electron density says these better.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from tgsci.basics.texts import quote, visible
from tgsci.errors import UsageError

from ..case.checks import MOST_POINTS
from .options import Options

Table = tuple[tuple[float, float], ...]

_LONGEST = 100_000
_ELECTRON = ("red", "ed", "rhoe", "electrondensity", "relativeelectrondensity", "relelectrondensity", "edw")
_MASS = ("density", "rho", "physicaldensity")
#: Densities of muscle and cortical bone, g/cm3, and their electrons per gram relative to water's.
_TISSUES, _ELECTRONS = (1.05, 1.92), (0.55000 / 0.55508, 0.51478 / 0.55508)
#: Densest that a table may say, electrons relative to water (gold has 14) and g/cm3.
_DENSEST = {"electron": 15.0, "mass": 20.0}


def read_hu_table(path: Path) -> Table:
    """Read a table of HU and electron density relative to water.

    Raises:
        UsageError: No such file, no table, HU that do not rise, densities that fall, or figures that are none of a CT;
            says the line.
    """
    label = visible(path.name[:60])
    kind, rows = _rows(path, label)
    hu, density = (np.array([row[k] for row in rows]) for k in (0, 1))
    for n in np.flatnonzero(np.diff(hu) <= 0):
        raise UsageError(f"{label}: HU must rise from line to line, and {hu[n + 1]:g} follows {hu[n]:g}")
    for n in np.flatnonzero(np.diff(density) < 0):
        raise UsageError(
            f"{label}: densities must not fall as HU rise; {density[n + 1]:g} at {hu[n + 1]:g} HU follows "
            f"{density[n]:g}"
        )
    if density[0] < 0 or density[-1] > _DENSEST[kind]:
        wrong = density[0] if density[0] < 0 else density[-1]
        raise UsageError(f"{label}: a density of {wrong:g}; 0 to {_DENSEST[kind]:g} are possible")
    if hu[0] < -2048 or hu[-1] > 70_000:
        raise UsageError(f"{label}: {hu[0] if hu[0] < -2048 else hu[-1]:g} is no number of Hounsfield units")
    if hu[0] > -800 or hu[-1] < 800:
        raise UsageError(
            f"{label}: the table goes from {hu[0]:g} to {hu[-1]:g} HU; it must reach from air (-800 or less) to bone "
            "(800 or more)"
        )
    water = float(np.interp(0.0, hu, density))
    if not 0.9 <= water <= 1.1:
        shifted = 0.9 <= float(np.interp(1000.0, hu, density)) <= 1.1
        hint = "; its HU seem to be counted from air, with water at 1000" if shifted else ""
        raise UsageError(f"{label}: the density at 0 HU is {water:.3g}, and water's is 1{hint}")
    electrons = density * np.interp(density, _TISSUES, _ELECTRONS) if kind == "mass" else density
    return tuple((float(h), round(float(d), 6)) for h, d in zip(hu, electrons, strict=True))


def table_of(options: Options) -> Table:
    """Read the table that a person wants; empty for the default.

    Raises:
        UsageError: It cannot be used; says why.
    """
    if options.hu_table is None:
        return ()
    if options.modality == "protons":
        raise UsageError("--hu-table gives electron densities, for photons; protons need stopping powers: leave it")
    return read_hu_table(Path(options.hu_table))


def in_words(table: Table) -> str:
    """Say a table for people, on one line."""
    points = ", ".join(f"{hu:g}: {density:g}" for hu, density in table[:12])
    return f"{len(table)} points of the user's table, HU: electron density relative to water: {points}" + (
        ", ..." if len(table) > 12 else ""
    )


def _rows(path: Path, label: str) -> tuple[str, list[tuple[float, float]]]:
    """Read the kind of density, and the lines as numbers."""
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST + 1)
    except OSError as error:
        raise UsageError(f"the HU table {quote(path, 200)} cannot be read: {error.strerror or error}") from None
    if len(content) > _LONGEST:
        raise UsageError(f"{label} is longer than {_LONGEST:,} bytes; a HU table is not")
    lines = [line.strip() for line in content.decode("utf-8-sig", "replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    delimiter = next((d for d in (";", "\t", ",") if lines and d in lines[0]), None)
    cells = [line.split() if delimiter is None else next(csv.reader([line], delimiter=delimiter)) for line in lines]
    kind = _kind(cells[0]) if cells and len(cells[0]) == 2 else None
    if kind is None:
        raise UsageError(
            f"{label} must begin with a line that says what its two columns are: HU,electron density (relative to "
            "water), or HU,mass density (g/cm3)"
        )
    if not 2 <= len(cells) - 1 <= MOST_POINTS:
        raise UsageError(f"{label} has {len(cells) - 1} points; 2 to {MOST_POINTS} are read")
    rows = []
    for number, row in enumerate(cells[1:], start=2):
        try:
            hu, density = (float(cell.replace(",", ".")) for cell in row)
        except ValueError:
            raise UsageError(
                f"{label}, line {number}: {quote(' '.join(row), 40)} is no pair of HU and density"
            ) from None
        if not np.isfinite([hu, density]).all():
            raise UsageError(f"{label}, line {number}: {quote(' '.join(row), 40)} is no pair of numbers")
        rows.append((hu, density))
    return kind, rows


def _kind(heading: list[str]) -> str | None:
    first, second = (re.sub(r"[^a-z0-9]", "", cell.casefold()) for cell in heading)
    if first not in ("hu", "ctnumber", "hounsfield", "hounsfieldunits", "ct", "huvalue"):
        return None
    if second.startswith(_ELECTRON) or "electron" in second:
        return "electron"
    return "mass" if second in _MASS or "mass" in second or "gcm3" in second else None
