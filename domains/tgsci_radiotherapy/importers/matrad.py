"""matRad's .mat files, of MATLAB 5 to 7.3: ct, cst, and where they are there dij, pln and stf.

matRad counts from 1 and stores a cube as (y, x, z), column after column, so that voxel number n, from 0, is row
n % Ny of column n // Ny % Nx of slice n // (Ny Nx). Its dose influence is that of one fraction. In cst the lower
"Priority" owns overlaps, which is the order that is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.basics.texts import quote, visible
from tgsci.errors import UsageError

from ..case.model import Beam, Grid, Type
from .assemble import SourceDij
from .masks import Mask
from .mat_file import load_mat
from .options import Options
from .patient import MOST_STRUCTURES, MOST_VOXELS, Patient, Region, cut_off, guess_type, hounsfield, unique_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WANTED = ("ct", "cst", "dij", "pln", "stf", "resultGUI")
_TYPES: dict[str, Type] = {"TARGET": "target", "OAR": "oar", "EXTERNAL": "external"}


def read_matrad(path: Path, options: Options, say: Callable[[str], None]) -> tuple[Patient, SourceDij | None]:
    """Read a patient from a matRad file, and its dose-influence matrix if it has one.

    Args:
        path: The file.
        options: `hu_offset`; and `gantry`, which asks for a computed matrix instead of the file's.
        say: Called before long steps.

    Raises:
        UsageError: The file is no matRad file, damaged, or larger than can be handled.
    """
    label = visible(path.name[:80])
    if path.stat().st_size > 50_000_000:
        say(f"reading {path.stat().st_size / 1e6:.0f} MB")
    content = load_mat(path, label, _WANTED)
    ct, cst = content.get("ct"), content.get("cst")
    if not isinstance(ct, dict) or cst is None or len(cst) == 0:
        raise UsageError(
            f"{label} holds no ct and cst; save matRad's variables ct, cst, and better pln, stf and dij too"
        )
    try:
        return _patient(content, ct, cst, options)
    except UsageError:
        raise
    except Exception as error:  # a field of another shape than matRad's own: any of a dozen errors, one meaning
        why = visible(str(error)[:160])
        raise UsageError(
            f"{label} is not laid out as matRad does it ({type(error).__name__}: {why}); save it again with matRad"
        ) from error


def _patient(
    content: dict[str, Any], ct: dict[str, Any], cst: Any, options: Options
) -> tuple[Patient, SourceDij | None]:
    info = ct.get("dicomInfo")
    position = str(info.get("PatientPosition", "HFS")) if isinstance(info, dict) else "HFS"
    if position.upper() not in ("HFS", "[]", ""):
        raise UsageError(f"the patient lies {quote(position, 8)}; only HFS (head first, supine) is read")
    pln = content.get("pln")
    pln = pln if isinstance(pln, dict) else {}
    dij = content.get("dij")
    dij = dij if isinstance(dij, dict) else {}
    values, grid, image_notes, notes = _cube(ct, dij)
    fractions = _number(pln.get("numOfFractions"))
    drawn, of_structures = _structures(_rows(cst), grid)
    notes += of_structures
    hu = hounsfield(values, drawn, options)
    notes += cut_off(values, options)
    asked = options.gantry or options.engine != "auto" or options.grid_mm is not None
    mode = str(pln.get("radiationMode", "photons")).casefold()
    source_dij = None
    if dij and not asked:
        matrix, own = _matrix(dij, grid)
        beam_of, beams = _beams(dij, pln, content.get("stf"), int(matrix.shape[1]))
        if mode not in ("photons", "protons"):
            raise UsageError(
                f"the file's dose influence is for {quote(mode, 20)}, and photons and protons are read; --engine "
                "builtin computes one of photons on its image and structures"
            )
        rbe = (_number(dij.get("RBE")) or options.rbe) if mode == "protons" else 1.0
        made = f"matRad, {mode}" + (f", RBE {rbe:g}" if mode == "protons" else "")
        source_dij = SourceDij(own, matrix, partial(_matrad_rows, grid=own), beam_of, beams, rbe, mode, made)
    provenance = {"source": f"matRad: ct of {grid}, {len(drawn)} structures", **image_notes}
    dose = None
    if options.reference and fractions and mode == "photons":
        dose = _dose(content.get("resultGUI"), drawn, grid, int(fractions), notes)
    if dose is not None:
        provenance["reference dose"] = "resultGUI.physicalDose, times the number of fractions"
    return Patient(
        "matrad",
        hu,
        grid,
        drawn,
        fractions=int(fractions) if fractions else None,
        ordered=True,
        reference=None if dose is None else (dose, grid),
        provenance=provenance,
        notes=tuple(notes),
    ), source_dij


def _cube(ct: dict[str, Any], dij: dict[str, Any]) -> tuple[NDArray[np.float32], Grid, dict[str, str], list[str]]:
    """Read the image as (z, y, x), its grid, and what to say about it."""
    provenance, notes = {}, []
    cubes = ct.get("cubeHU")
    if _first(cubes) is None:
        cubes = ct.get("cube")
        if _first(cubes) is None:
            raise UsageError("the ct has no cubeHU; save the file with matRad 2.1 or later")
        # Relative electron density or stopping power: HU / 1000 + 1 up to bone.
        provenance["image"] = "Hounsfield units from relative densities, as 1000 (density - 1)"
    if isinstance(cubes, list | tuple) and len(cubes) > 1:
        notes.append(f"the ct has {len(cubes)} scenarios (phases); the image, structures and dij of the first are read")
    cube = np.asarray(_first(cubes))
    if cube.dtype.kind not in "iuf" or not (np.abs(cube) < 1e6).all():
        raise UsageError("the ct has voxels that are no Hounsfield units; it is damaged: save it again")
    cube = (np.asarray(cube, np.float64) - 1.0) * 1000.0 if provenance else cube
    cube = np.asarray(cube, np.float32)
    if cube.ndim != 3 or cube.size > MOST_VOXELS:
        raise UsageError(
            f"the ct has {cube.shape} voxels; a volume of at most {MOST_VOXELS / 1e6:,.0f} million is read"
        )
    ny, nx, nz = cube.shape
    grid = _image_grid((nz, ny, nx), ct, dij)
    return np.ascontiguousarray(cube.transpose(2, 0, 1)), grid, provenance, notes


def _image_grid(shape: tuple[int, int, int], ct: dict[str, Any], dij: dict[str, Any]) -> Grid:
    """Find where the image lies: as ct says, else as the dij says of it, else as the file that it came from.

    Without any of these only the dose that is computed matters, and the place is matRad's own habit: coordinates are
    resolution times number, from 1.
    """
    of_dij = dij.get("ctGrid")
    of_dij = of_dij if isinstance(of_dij, dict) and _dimensions(of_dij) == shape else {}
    resolution = ct.get("resolution") or of_dij.get("resolution") or {}
    if _has_axes(ct, shape):
        return _grid(shape, resolution, ct)
    if _has_axes(of_dij, shape):
        return _grid(shape, resolution, of_dij)
    grid = _grid(shape, resolution, {})
    dose_grid = dij.get("doseGrid")
    info = ct.get("dicomInfo")
    if isinstance(dose_grid, dict) and _has_axes(dose_grid, _dimensions(dose_grid)):
        # matRad lays the first voxel of the dose grid onto the image's.
        origin = _grid(_dimensions(dose_grid), dose_grid.get("resolution") or {}, dose_grid).origin
        return Grid(shape, grid.spacing, origin)
    first = np.asarray(info.get("ImagePositionPatient", []) if isinstance(info, dict) else [], np.float64).reshape(-1)
    if len(first) == 3 and np.isfinite(first).all():
        return Grid(shape, grid.spacing, (float(first[2]), float(first[1]), float(first[0])))
    return grid


def _dimensions(grid: dict[str, Any]) -> tuple[int, int, int]:
    """Read the voxels of a grid of matRad's along (z, y, x)."""
    said = grid.get("dimensions")
    if said is None:
        nz, ny, nx = (len(_axis(grid, name)) for name in "zyx")
    else:
        ny, nx, nz = (int(n) for n in np.asarray(said).reshape(-1))
    return nz, ny, nx


def _axis(axes: dict[str, Any], name: str) -> NDArray[np.float64]:
    return np.atleast_1d(np.asarray(axes.get(name, []), np.float64).squeeze())


def _has_axes(axes: dict[str, Any], shape: tuple[int, int, int]) -> bool:
    return all(len(_axis(axes, name)) == n > 0 for name, n in zip("zyx", shape, strict=True))


def _grid(shape: tuple[int, int, int], resolution: dict[str, Any], axes: dict[str, Any]) -> Grid:
    """Read a grid of matRad's: resolution.x, .y, .z and where they are there the coordinates x, y, z."""
    spacing, origin = [], []
    for name, n in zip("zyx", shape, strict=True):
        centres = _axis(axes, name)
        step = _number(resolution.get(name))
        if step is None and len(centres) == n > 1:
            step = float(centres[-1] - centres[0]) / (n - 1)
        if step is None or not 0.05 <= step <= 50:
            said = "missing" if resolution.get(name) is None else visible(str(resolution.get(name))[:20])
            raise UsageError(f"the resolution along {name} is {said}; mm are needed, in resolution.{name}")
        if len(centres) == n:
            if n > 1 and np.abs(np.diff(centres) - step).max() > 0.02 * step:
                raise UsageError(f"the coordinates along {name} do not rise in even steps of {step:g} mm")
            origin.append(float(centres[0]))
        else:
            origin.append(step)
        spacing.append(step)
    return Grid(shape, (spacing[0], spacing[1], spacing[2]), (origin[0], origin[1], origin[2]))


def _rows(cst: Any) -> list[list[Any]]:
    """List the lines of cst: a cell array of N x 6, as lists, or column after column in one list (7.3, or N = 1)."""
    if isinstance(cst[0], list | tuple | np.ndarray) and len(cst[0]) >= 5:
        return [list(line) for line in cst]
    columns = 6 if len(cst) % 6 == 0 else 5
    count = len(cst) // columns
    if count * columns != len(cst) or not count:
        raise UsageError(f"cst has {len(cst)} cells, which make no lines of 6; save it again with matRad")
    return [[cst[c * count + r] for c in range(columns)] for r in range(count)]


def _structures(lines: Sequence[list[Any]], grid: Grid) -> tuple[tuple[Region, ...], list[str]]:
    """Read the structures by priority, and notes."""
    if len(lines) > MOST_STRUCTURES:
        raise UsageError(f"cst has {len(lines)} structures; at most {MOST_STRUCTURES} are read")
    names, notes = unique_names(line[1] for line in lines)
    drawn = []
    for place, (line, name) in enumerate(zip(lines, names, strict=True)):
        type_name = str(line[2]).upper()
        if type_name not in _TYPES:
            notes.append(f"{name} ({visible(type_name[:16]).lower()}) is left out")
            continue
        kind = _TYPES[type_name]
        if kind == "oar" and guess_type(name) == "external":
            kind = "external"
        dose = _prescription(line[5]) if kind == "target" and len(line) > 5 else None
        if dose:
            notes.append(f"the prescription of {name}, {dose:g} Gy, is its objective's dose")
        priority = _number(line[4].get("Priority")) if isinstance(line[4], dict) else None
        order = (priority if priority is not None else np.inf, place)
        drawn.append((order, Region(name, kind, _mask(line[3], name, grid), prescription=dose)))
    return tuple(one for _, one in sorted(drawn, key=lambda pair: pair[0])), notes


def _mask(voxels: Any, name: str, grid: Grid) -> Mask:
    """Read a structure's voxels: their numbers, from 1, or a cube that is 1 inside."""
    array = np.asarray(_first(voxels) if isinstance(voxels, list) else voxels, np.float64)
    nz, ny, nx = grid.shape
    if array.shape == (ny, nx, nz) and ((array == 0) | (array == 1)).all():
        return Mask.of(array.transpose(2, 0, 1) > 0)
    listed = array.reshape(-1)
    inside = np.zeros(grid.size, bool)
    if len(listed):
        if not np.isfinite(listed).all() or (listed != np.floor(listed)).any():
            raise UsageError(f"{name} lists voxels that are no whole numbers")
        if listed.min() < 1 or listed.max() > grid.size:
            raise UsageError(
                f"{name} lists voxels from {listed.min():.0f} to {listed.max():.0f}, and the ct has 1 to {grid.size}; "
                "it was made for another image"
            )
        inside[listed.astype(np.int64) - 1] = True
    return Mask.of(inside.reshape(nz, nx, ny).transpose(0, 2, 1))


def _prescription(objectives: Any) -> float | None:
    """Take the dose of a target's squared deviation, total Gy; else of its underdosing, else of its minimum DVH."""
    doses: dict[str, list[float]] = {"deviation": [], "underdos": [], "mindvh": []}
    for one in _objectives(objectives):
        kind = str(one.get("className", one.get("type", ""))).casefold().replace(" ", "")
        dose = _number(_first(one.get("parameters", one.get("dose"))))
        if dose is not None and 0.5 <= dose <= 200:
            for word, found in doses.items():
                if word in kind:
                    found.append(dose)
    return next((max(found) for found in doses.values() if found), None)


def _objectives(cell: Any) -> Iterator[dict[str, Any]]:
    """List the objectives of a structure: a cell of structs, one struct, or an array of structs (a struct of lists)."""
    for one in cell if isinstance(cell, list) else [cell]:
        if not isinstance(one, dict):
            continue
        kinds = one.get("className", one.get("type"))
        if not isinstance(kinds, list):
            yield one
            continue
        for n in range(len(kinds)):
            yield {key: value[n] for key, value in one.items() if isinstance(value, list) and len(value) == len(kinds)}


def _dose(
    result: Any, drawn: Sequence[Region], grid: Grid, fractions: int, notes: list[str]
) -> NDArray[np.float32] | None:
    """Read the dose of matRad's own plan, total Gy on the image's grid, if it is near what is prescribed."""
    cube = _first(result.get("physicalDose")) if isinstance(result, dict) else None
    targets = [s for s in drawn if s.prescription and not s.mask.empty]
    nz, ny, nx = grid.shape
    if cube is None or np.shape(cube) != (ny, nx, nz) or not targets:
        return None
    dose = np.ascontiguousarray(np.asarray(cube, np.float32).transpose(2, 0, 1)) * np.float32(fractions)
    main = max(targets, key=lambda s: s.prescription or 0.0)
    mean = float(dose[main.mask.full(grid.shape)].mean())
    if not np.isfinite(dose).all() or not 0.5 <= mean / (main.prescription or 1.0) <= 1.5:
        notes.append(f"the file's own plan gives {main.name} {mean:.3g} Gy; it is not kept to compare with")
        return None
    return dose


def _matrix(dij: dict[str, Any], image: Grid) -> tuple[Any, Grid]:
    """Read the dose influence, sparse, matRad's voxels by beamlets, and its dose grid."""
    from scipy.sparse import csc_matrix, issparse

    matrix = _first(dij.get("physicalDose"))
    if isinstance(matrix, np.ndarray) and matrix.ndim == 2 and matrix.dtype.kind in "iuf":
        matrix = csc_matrix(matrix)
    if matrix is None or not issparse(matrix):
        raise UsageError("the dij holds no physicalDose, voxels by beamlets; compute it again with matRad")
    dose_grid = dij.get("doseGrid")
    if isinstance(dose_grid, dict):
        own = _grid(_dimensions(dose_grid), dose_grid.get("resolution") or {}, dose_grid)
        grid = _beside(own, dij.get("ctGrid"), image)
    else:
        grid = image
    if matrix.shape[0] != grid.size:
        raise UsageError(
            f"the dij has {matrix.shape[0]} rows and its dose grid {grid.size} voxels; they do not belong together"
        )
    return matrix, grid


def _beside(grid: Grid, of_image: Any, image: Grid) -> Grid:
    """Move a dose grid as the image was moved since the dij was computed: the dij says where the image lay."""
    if not isinstance(of_image, dict) or not _has_axes(of_image, image.shape):
        return grid
    was = [float(_axis(of_image, name)[0]) for name in "zyx"]
    z, y, x = (o + now - then for o, now, then in zip(grid.origin, image.origin, was, strict=True))
    return Grid(grid.shape, grid.spacing, (z, y, x))


def _matrad_rows(voxels: NDArray[np.integer], grid: Grid) -> NDArray[np.int64]:
    """Find matRad's number, from 0, of voxels given by flat index (z, y, x)."""
    z, y, x = np.unravel_index(np.asarray(voxels, np.int64), grid.shape)
    return np.asarray(y + grid.shape[1] * (x + grid.shape[2] * z), np.int64)


def _beams(
    dij: dict[str, Any], pln: dict[str, Any], stf: Any, beamlets: int
) -> tuple[NDArray[np.int16], tuple[Beam, ...]]:
    """Read the beam of each beamlet, from 0, and the beams' angles where the plan or the steering says them."""
    numbers = np.asarray(dij.get("beamNum", []), np.float64).reshape(-1)
    beam_of = (numbers - 1).astype(np.int16) if len(numbers) == beamlets else np.zeros(beamlets, np.int16)
    steering: dict[str, Any] = pln.get("propStf") or pln
    gantry = np.asarray(steering.get("gantryAngles", []), np.float64).reshape(-1)
    couch = np.asarray(steering.get("couchAngles", []), np.float64).reshape(-1)
    if isinstance(stf, dict) and not len(gantry):
        gantry = np.asarray(stf.get("gantryAngle", []), np.float64).reshape(-1)
        couch = np.asarray(stf.get("couchAngle", []), np.float64).reshape(-1)
    count = int(beam_of.max(initial=0)) + 1
    if len(gantry) != count:
        return beam_of, ()
    couch = couch if len(couch) == count else np.zeros(count)
    return beam_of, tuple(Beam(float(g) % 360, float(c) % 360) for g, c in zip(gantry, couch, strict=True))


def _first(cell: Any) -> Any:
    """Take the first scenario of a cell; anything else stays as it is."""
    while isinstance(cell, list | tuple):
        if not cell:
            return None
        cell = cell[0]
    return cell


def _number(value: Any) -> float | None:
    value = _first(value)
    if isinstance(value, bool) or value is None or isinstance(value, str | dict):
        return None
    array = np.asarray(value, np.float64).reshape(-1)
    return float(array[0]) if len(array) and np.isfinite(array[0]) else None
