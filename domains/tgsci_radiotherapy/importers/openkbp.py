"""OpenKBP's patients (Babier et al., Med Phys 48:5549-5561, 2021): folders of sparse .csv files, one an array.

A file lists flat indices into an array of 128 x 128 x 128 voxels in C order, whose axes run to the patient's back, to
the left, and from head to feet; here z runs to the head, so the last axis is turned round and goes first. The CT is
HU + 1024, cut to 0..4095, and what is not listed is 0: air. The dose is total Gy in 35 fractions. A mask's file has no
values. There is no contour of the body and no dose-influence matrix; `possible_dose_mask.csv`, the voxels that may get
dose, is the body.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tgsci.basics.texts import visible
from tgsci.errors import UsageError

from ..case.model import Grid
from .masks import Mask
from .options import Options
from .patient import Patient, Region, guess_type, hounsfield, unique_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Voxels along each axis of every OpenKBP array.
SIDE = 128
FRACTIONS = 35
#: A file of all 2,097,152 voxels has some 40 MB.
_LARGEST = 200_000_000
#: Files that are no structure.
_OTHER = ("ct", "dose", "voxel_dimensions", "possible_dose_mask")
_MOST_FILES = 100


def read_openkbp(folder: Path, options: Options) -> Patient:
    """Read a patient of OpenKBP.

    Args:
        folder: With `ct.csv`, `voxel_dimensions.csv`, a file a structure, and for most patients `dose.csv`.
        options: `hu_offset`, `reference`.

    Raises:
        UsageError: A file is missing, damaged, or not of OpenKBP's form.
    """
    for needed in ("ct.csv", "voxel_dimensions.csv"):
        if not (folder / needed).is_file():
            raise UsageError(
                f"there is no {needed}; an OpenKBP folder holds ct.csv, voxel_dimensions.csv and structures"
            )
    grid = Grid((SIDE, SIDE, SIDE), _spacing(folder / "voxel_dimensions.csv"))
    values = _array(folder / "ct.csv") - np.float32(1024.0)
    possible = folder / "possible_dose_mask.csv"
    hint = Mask.of(_array(possible) > 0) if possible.is_file() else Mask.of(np.zeros(grid.shape, bool))
    hu = hounsfield(values, [Region("Body", "external", hint)], options)
    files = sorted(p for p in folder.iterdir() if p.suffix.casefold() == ".csv" and p.stem.casefold() not in _OTHER)
    if len(files) > _MOST_FILES:
        raise UsageError(f"{len(files)} .csv files; an OpenKBP folder has at most {_MOST_FILES}")
    names, notes = unique_names(path.stem for path in files)
    structures = []
    for path, name in zip(files, names, strict=True):
        try:
            listed = _array(path)
        except UsageError as error:
            raise UsageError(f"{error}; if it is no structure, take it out of the folder") from error
        if not np.isin(listed, (0, 1)).all():
            label = visible(path.name[:60])
            notes.append(f"{label} is left out: it holds values other than 0 and 1, and a structure's file has none")
            continue
        mask = Mask.of(listed > 0)
        kind = guess_type(name)
        structures.append(Region(name, kind, mask, prescription=_prescription(name) if kind == "target" else None))
    dose = _array(folder / "dose.csv") if options.reference and (folder / "dose.csv").is_file() else None
    known = re.fullmatch(r"pt_\d{1,4}", folder.absolute().name)
    provenance = {"source": f"OpenKBP, voxels of {grid}, {len(structures)} structures"}
    if dose is not None:
        provenance["reference dose"] = "dose.csv: the dose that was delivered, on the same voxels"
    return Patient(
        known.group() if known else "openkbp",
        hu,
        grid,
        tuple(structures),
        fractions=FRACTIONS,
        own_grid=True,
        reference=None if dose is None else (dose, grid),
        provenance=provenance,
        notes=tuple(notes),
        body_hint=None if hint.empty else hint,
    )


def _prescription(name: str) -> float | None:
    """Read total Gy from the name: PTV56, PTV63 and PTV70 are OpenKBP's targets."""
    figure = re.fullmatch(r"(?i)ptv[ _-]?(\d{2})", name)
    return float(figure[1]) if figure else None


def _spacing(path: Path) -> tuple[float, float, float]:
    """Read the voxel size (z, y, x), mm; the file has it by row, column and slice."""
    try:
        rows, columns, slices = (float(word) for word in _text(path).replace(",", " ").split())
    except ValueError as error:
        raise UsageError(f"{path.name} must hold three numbers, mm by row, column and slice") from error
    if not all(0.1 <= step <= 20 for step in (rows, columns, slices)):
        raise UsageError(f"{path.name} says voxels of {rows:g} x {columns:g} x {slices:g} mm; 0.1 to 20 are possible")
    return slices, rows, columns


def _array(path: Path) -> NDArray[np.float32]:
    """Read a file's array, (z, y, x); 1 where a mask lists a voxel, 0 where nothing is listed."""
    label = visible(path.name[:60])
    lines = _text(path).strip().splitlines()[1:]
    full = np.zeros(SIDE**3, np.float32)
    if lines:
        bare = "," not in lines[0] or not lines[0].split(",", 1)[1].strip()
        try:
            if bare:
                listed = np.array([line.partition(",")[0] for line in lines], np.float64)
                values = np.ones(len(lines))
            else:
                table = np.loadtxt(lines, delimiter=",", ndmin=2, comments=None)
                listed, values = table[:, 0], table[:, 1]
        except (ValueError, IndexError) as error:
            raise UsageError(f"{label} is damaged: {visible(str(error)[:120])}") from error
        voxels = listed.astype(np.int64)
        if (voxels != listed).any() or voxels.min() < 0 or voxels.max() >= SIDE**3:
            raise UsageError(f"{label} lists voxels outside of {SIDE} x {SIDE} x {SIDE}; is this an OpenKBP folder?")
        if not np.isfinite(values).all():
            raise UsageError(f"{label} has values that are no numbers")
        full[voxels] = values
    raw = full.reshape(SIDE, SIDE, SIDE)
    return np.ascontiguousarray(raw.transpose(2, 0, 1)[::-1])


def _text(path: Path) -> str:
    if path.stat().st_size > _LARGEST:
        raise UsageError(
            f"{visible(path.name[:60])} has {path.stat().st_size / 1e6:.0f} MB; too large for OpenKBP's arrays"
        )
    return path.read_text("ascii", errors="replace")
