"""matRad's .mat files, of MATLAB 5 to 7.3: ct, cst, and where they are there dij, pln and stf.

matRad counts from 1 and stores a cube as (y, x, z), column after column, so that voxel number n, from 0, is row
n % Ny of column n // Ny % Nx of slice n // (Ny Nx). Its dose influence is that of one fraction. In cst the lower
"Priority" owns overlaps, which is the order that is kept.
"""

from __future__ import annotations

import zlib
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
from .options import Options
from .patient import MOST_STRUCTURES, MOST_VOXELS, Patient, Region, guess_type, hounsfield, unique_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WANTED = ("ct", "cst", "dij", "pln", "stf")
#: Largest content that is read, bytes unpacked.
_LARGEST = 12_000_000_000
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
    _check_size(path, label)
    if path.stat().st_size > 50_000_000:
        say(f"reading {path.stat().st_size / 1e6:.0f} MB")
    content = _load(path, label)
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
    values, grid, image_notes = _cube(ct)
    pln = content.get("pln")
    pln = pln if isinstance(pln, dict) else {}
    fractions = _number(pln.get("numOfFractions"))
    drawn, notes = _structures(_rows(cst), grid)
    hu = hounsfield(values, drawn, options)
    dij = content.get("dij")
    asked = options.gantry or options.engine != "auto" or options.grid_mm is not None
    source_dij = None
    if isinstance(dij, dict) and not asked:
        matrix, own = _matrix(dij, grid)
        beam_of, beams = _beams(dij, pln, content.get("stf"), int(matrix.shape[1]))
        mode = str(pln.get("radiationMode", "photons")).casefold()
        if mode not in ("photons", "protons"):
            raise UsageError(f"the plan is for {quote(mode, 20)}; photons and protons are read")
        rbe = (_number(dij.get("RBE")) or options.rbe) if mode == "protons" else 1.0
        made = f"matRad, {mode}" + (f", RBE {rbe:g}" if mode == "protons" else "")
        source_dij = SourceDij(own, matrix, partial(_matrad_rows, grid=own), beam_of, beams, rbe, mode, made)

    provenance = {"source": f"matRad: ct of {grid}, {len(drawn)} structures", **image_notes}
    return Patient(
        "matrad",
        hu,
        grid,
        drawn,
        fractions=int(fractions) if fractions else None,
        ordered=True,
        provenance=provenance,
        notes=tuple(notes),
    ), source_dij


def _cube(ct: dict[str, Any]) -> tuple[NDArray[np.float32], Grid, dict[str, str]]:
    """Read the image as (z, y, x), its grid, and what to say about it."""
    notes = {}
    cube = _first(ct.get("cubeHU"))
    if cube is None:
        cube = _first(ct.get("cube"))
        if cube is None:
            raise UsageError("the ct has no cubeHU; save the file with matRad 2.1 or later")
        # Relative electron density or stopping power: HU / 1000 + 1 up to bone.
        cube = (np.asarray(cube, np.float64) - 1.0) * 1000.0
        notes["image"] = "Hounsfield units from relative densities, as 1000 (density - 1)"
    cube = np.asarray(cube)
    if cube.dtype.kind not in "iuf" or not (np.abs(cube) < 1e6).all():
        raise UsageError("the ct has voxels that are no Hounsfield units; it is damaged: save it again")
    cube = np.asarray(cube, np.float32)
    if cube.ndim != 3 or cube.size > MOST_VOXELS:
        raise UsageError(
            f"the ct has {cube.shape} voxels; a volume of at most {MOST_VOXELS / 1e6:,.0f} million is read"
        )
    resolution = ct.get("resolution") or {}
    ny, nx, nz = cube.shape
    grid = _grid((nz, ny, nx), resolution, ct)
    return np.ascontiguousarray(cube.transpose(2, 0, 1)), grid, notes


def _grid(shape: tuple[int, int, int], resolution: dict[str, Any], axes: dict[str, Any]) -> Grid:
    """Read a grid of matRad's: resolution.x, .y, .z and where they are there the coordinates x, y, z."""
    spacing, origin = [], []
    for name, n in zip("zyx", shape, strict=True):
        step = _number(resolution.get(name))
        if step is None or not 0.05 <= step <= 50:
            raise UsageError(f"the resolution along {name} is {visible(str(resolution.get(name))[:20])}; mm are needed")
        centres = np.atleast_1d(np.asarray(axes.get(name, []), np.float64).squeeze())
        if len(centres) == n:
            if n > 1 and np.abs(np.diff(centres) - step).max() > 0.02 * step:
                raise UsageError(f"the coordinates along {name} do not rise in even steps of {step:g} mm")
            origin.append(float(centres[0]))
        else:
            origin.append(step)  # matRad's own habit: coordinates are resolution times number, from 1
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
    listed = np.asarray(_first(voxels) if isinstance(voxels, list) else voxels, np.float64).reshape(-1)
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
    nz, ny, nx = grid.shape
    return Mask.of(inside.reshape(nz, nx, ny).transpose(0, 2, 1))


def _prescription(objectives: Any) -> float | None:
    """Take the reference dose of a target's squared deviation, total Gy as matRad has it, for its prescription."""
    doses = []
    for one in objectives if isinstance(objectives, list) else [objectives]:
        if not isinstance(one, dict):
            continue
        kind = str(one.get("className", one.get("type", ""))).casefold()
        if "deviation" not in kind:
            continue
        dose = _number(_first(one.get("parameters", one.get("dose"))))
        if dose is not None and 0.5 <= dose <= 200:
            doses.append(dose)
    return max(doses, default=None)


def _matrix(dij: dict[str, Any], image: Grid) -> tuple[Any, Grid]:
    """Read the dose influence, sparse, matRad's voxels by beamlets, and its dose grid."""
    from scipy.sparse import issparse

    matrix = _first(dij.get("physicalDose"))
    if matrix is None or not issparse(matrix):
        raise UsageError("the dij holds no sparse physicalDose; compute the dose influence again with matRad")
    dose_grid = dij.get("doseGrid")
    if isinstance(dose_grid, dict):
        ny, nx, nz = (int(n) for n in np.asarray(dose_grid["dimensions"]).reshape(-1))
        grid = _grid((nz, ny, nx), dose_grid["resolution"], dose_grid)
    else:
        grid = image
    if matrix.shape[0] != grid.size:
        raise UsageError(
            f"the dij has {matrix.shape[0]} rows and its dose grid {grid.size} voxels; they do not belong together"
        )
    return matrix, grid


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


def _load(path: Path, label: str) -> dict[str, Any]:
    import warnings

    from pymatreader import read_mat

    if _lacks_checksums(path):
        _try_out(path, label)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dict(read_mat(path, variable_names=list(_WANTED)))
    except Exception as error:  # scipy and h5py raise whatever a broken file makes them stumble over
        why = visible(str(error)[:160])
        raise UsageError(f"{label} is no readable .mat file ({type(error).__name__}: {why}); save it again") from error


def _lacks_checksums(path: Path) -> bool:
    """Tell whether a MATLAB 5 file has variables that are not packed, and so have no checksum."""
    with path.open("rb") as file:
        head = file.read(136)
    order = "<" if head[126:128] == b"IM" else ">"
    return head[:10] == b"MATLAB 5.0" and int(np.frombuffer(head[128:132], f"{order}u4")[0]) != 15


def _try_out(path: Path, label: str) -> None:
    """Read a file in a process of its own first: scipy crashes on some damage that a checksum would have found.

    Raises:
        UsageError: The process died.
    """
    import subprocess
    import sys

    code = "import sys, pymatreader; pymatreader.read_mat(sys.argv[1], variable_names=sys.argv[2:])"
    done = subprocess.run([sys.executable, "-c", code, str(path), *_WANTED], capture_output=True, check=False)
    if done.returncode < 0:
        raise UsageError(f"{label} is damaged: the process that read it died; save it again")


def _check_size(path: Path, label: str) -> None:
    """Refuse a file whose content, unpacked, is too large, or lies elsewhere, before anything is unpacked.

    Raises:
        UsageError: The file unpacks to too much, has its content elsewhere, or is no .mat file.
    """
    with path.open("rb") as file:
        head = file.read(128)
    try:
        if head[:19] == b"MATLAB 7.3 MAT-file" or head[:8] == b"\x89HDF\r\n\x1a\n":
            size = sum(_hdf5_sizes(path))
        elif head[:6] == b"MATLAB":
            size = sum(_mat5_sizes(path))
        else:
            raise UsageError(f"{label} is no .mat file of MATLAB 5 or later")
    except (OSError, ValueError, KeyError, RuntimeError, zlib.error) as error:
        raise UsageError(f"{label} is damaged or cut short ({visible(str(error)[:120])}); save it again") from error
    if size > _LARGEST:
        raise UsageError(
            f"{label} unpacks to {size / 1e9:.0f} GB, more than {_LARGEST / 1e9:g}; save ct, cst, pln and dij alone"
        )


def _mat5_sizes(path: Path) -> Iterator[int]:
    """Read how many bytes each variable of a MATLAB 5 file has, unpacked: it stands at the beginning of each.

    Raises:
        ValueError: The file is truncated.
    """
    with path.open("rb") as file:
        head = file.read(128)
        length = file.seek(0, 2)
        if length < 128:
            raise ValueError(f"truncated: it has {length} bytes, and its header alone has 128")
        if length < 136:
            raise ValueError(f"truncated: it has {length} bytes, its header and no variable")
        file.seek(128)
        word = np.dtype("<u4" if head[126:128] == b"IM" else ">u4")
        while len(tag := file.read(8)) == 8:
            kind, size = (int(v) for v in np.frombuffer(tag, word))
            start = file.tell()
            if kind == 15:  # miCOMPRESSED
                inner = zlib.decompressobj().decompress(file.read(min(size, 65_536)), 8)
                if len(inner) < 8:
                    raise ValueError("a compressed variable is cut short")
                yield int(np.frombuffer(inner, word)[1])
            else:
                yield size
            file.seek(start + size)
        if tag or start + size > length:
            raise ValueError("the last variable is cut short")


def _hdf5_sizes(path: Path) -> Iterator[int]:
    """Read how many bytes each array of a MATLAB 7.3 file has.

    Raises:
        ValueError: An array or a group lies outside of the file.
    """
    import h5py

    with h5py.File(path, "r") as file:
        todo, seen = [file], set()
        while todo:
            group = todo.pop()
            for key in group:
                if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                    raise ValueError("it links to something outside of itself")
                item = group[key]
                if isinstance(item, h5py.Group):
                    place = h5py.h5o.get_info(item.id).addr
                    if place in seen:
                        raise ValueError("a group of it contains itself")
                    seen.add(place)
                    todo.append(item)
                elif isinstance(item, h5py.Dataset):
                    if item.external or item.is_virtual:
                        raise ValueError("an array of it lies in another file")
                    yield int(item.size or 0) * int(item.dtype.itemsize)
