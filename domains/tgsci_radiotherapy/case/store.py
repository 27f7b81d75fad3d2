"""A case in one file: a zarr 3 store in a zip, compressed by zstd, with a SHA-256 over everything.

The dij is kept by row: lengths of the rows, differences of neighbouring columns (nearly always 1), and doses as 16-bit
shares of the row's largest (see `quantise`). Rows and owners follow from the structures and are not kept. What is read
comes from anywhere: `archive` looks at names, types, shapes and sizes before anything is unpacked, the sum is compared,
and `check` has the last word.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.basics.files import replacing
from tgsci.errors import UsageError

from .archive import FORMAT, Archive, chunk_shape, path_text, refuse, short
from .checks import check
from .model import Beam, Case, Dij, Grid, Structure, own_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]


def save(case: Case, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a case into one file: all of it, or nothing.

    `load` gives the same case: the same fingerprint, and the same doses if the dij is quantised, as it is in every case
    that this package makes; if not, doses differ by at most 1/131070 of each row's largest entry.

    Args:
        case: Checked before it is written.
        path: Of the file; usually ends in .zarr.
        overwrite: True to replace a file that is there.

    Returns:
        The path.

    Raises:
        UsageError: The case has faults, a file is there, or it cannot be written.
    """
    where = Path(path)
    if "\0" in str(where):
        raise UsageError(f"{path_text(where)} is no name for a file; choose another name")
    check(case)
    if where.is_dir() or (where.exists() and not overwrite):
        what = "is a directory" if where.is_dir() else "exists"
        hint = "" if where.is_dir() else ", or say that it is to be overwritten"
        raise UsageError(f"{path_text(where)} {what}; choose another name{hint}")
    arrays = _arrays(case)
    about = _about(case)
    try:
        with replacing(where) as temporary:
            _write(temporary, arrays, {"tgsci_case": FORMAT, "case": about, "sha256": _digest(about, arrays)})
    except OSError as error:
        raise UsageError(f"{path_text(where)} cannot be written: {error.strerror or error}") from error
    return where


def load(path: str | os.PathLike[str]) -> Case:
    """Read a case that `save` wrote.

    Raises:
        UsageError: No such file, not a case, of a newer version, damaged, or a case that cannot be planned.
    """
    where = Path(path)
    try:
        archive = Archive(where)
    except FileNotFoundError:
        raise UsageError(f"no file {path_text(where)}") from None
    except OSError as error:
        raise UsageError(f"{path_text(where)} cannot be read: {error.strerror or error}") from error
    about = archive.about
    try:
        case, arrays = _case(archive)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, IndexError) as error:
        why = short(f"{type(error).__name__}: {error}", 120)
        raise refuse(where, f"its description is not one of a case ({why})") from error
    if _digest(about, arrays) != archive.sha256:
        raise refuse(where, "its contents do not have the SHA-256 that was saved with them: it is damaged")
    check(case)
    return case


def _arrays(case: Case) -> Arrays:
    """Pack everything of a case that is an array."""
    from .quantise import encode

    dij = case.dij
    codes, maxima = encode(dij.starts, dij.values)
    empty = np.zeros(0, np.int32)
    arrays: Arrays = {
        "lengths": np.diff(dij.starts).astype(np.uint32),
        "columns": np.diff(dij.columns, prepend=dij.columns.dtype.type(0)),
        "codes": codes,
        "maxima": maxima,
        "beams": np.asarray(dij.beams, np.int16),
        "voxels": np.diff(np.concatenate([empty, *(s.voxels for s in case.structures)]), prepend=np.int32(0)),
    }
    if case.ct is not None:
        arrays["ct"] = np.asarray(case.ct, np.int16)
    if case.reference is not None:
        arrays["reference"] = np.asarray(case.reference, np.float32)
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _about(case: Case) -> dict[str, Any]:
    """Describe everything else, as JSON has it."""
    return {
        "name": case.name,
        "fractions": int(case.fractions),
        "modality": case.modality,
        "beamlets": int(case.dij.beamlets),
        "grid": _grid(case.grid),
        "ct_grid": None if case.ct_grid is None or case.ct is None else _grid(case.ct_grid),
        "beams": [[float(b.gantry), float(b.couch)] for b in case.beams],
        "structures": [
            {
                "name": s.name,
                "type": s.type,
                "prescription": None if s.prescription is None else float(s.prescription),
                "volume_cc": float(s.volume_cc),
                "voxels": len(s.voxels),
            }
            for s in case.structures
        ],
        "provenance": {str(key): str(value) for key, value in case.provenance.items()},
        "origin": {str(key): str(value) for key, value in case.origin.items()},
        "hu_table": [[float(hu), float(density)] for hu, density in case.hu_table],
    }


def _grid(grid: Grid) -> dict[str, list[float]]:
    return {
        "shape": [int(n) for n in grid.shape],
        "spacing": [float(s) for s in grid.spacing],
        "origin": [float(o) for o in grid.origin],
    }


def _digest(about: Mapping[str, Any], arrays: Arrays) -> str:
    digest = sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape}".encode())
        digest.update(arrays[name].data)
    return digest.hexdigest()


def _write(path: Path, arrays: Arrays, attributes: dict[str, Any]) -> None:
    import zarr
    from zarr.codecs import BloscCodec
    from zarr.storage import ZipStore

    with ZipStore(path, mode="w") as store:
        group = zarr.create_group(store, zarr_format=3, attributes=attributes)
        for name, array in arrays.items():
            packed = BloscCodec(typesize=array.itemsize, cname="zstd", clevel=2, shuffle="shuffle")
            group.create_array(name, data=array, chunks=chunk_shape(array.shape), compressors=packed, fill_value=0)


def _case(archive: Archive) -> tuple[Case, Arrays]:
    """Unpack the case of an archive; its packed arrays come along for the sum."""
    about = archive.about
    grid = archive.grid("grid")
    ct_grid = None if about["ct_grid"] is None else archive.grid("ct_grid")
    counts = [archive.whole(s["voxels"], grid.size, "voxels of a structure") for s in about["structures"]]
    beamlets = archive.whole(about["beamlets"], archive.most, "beamlets")
    arrays = {"voxels": archive.array("voxels", np.int32, (sum(counts),))}
    voxels = np.cumsum(arrays["voxels"], dtype=np.int32)
    structures = []
    for item, stop, count in zip(about["structures"], np.cumsum(counts), counts, strict=True):
        dose = item["prescription"]
        prescription = None if dose is None else float(dose)
        part = voxels[stop - count : stop]
        structures.append(Structure(str(item["name"]), item["type"], part, float(item["volume_cc"]), prescription))
        if count and (part[0] < 0 or part[-1] >= grid.size or (np.diff(part.astype(np.int64)) <= 0).any()):
            raise ValueError("voxels of a structure outside the grid")
    rows, owners = own_rows(structures, grid)
    arrays["lengths"] = archive.array("lengths", np.uint32, (len(rows),))
    starts = np.concatenate([[0], np.cumsum(arrays["lengths"], dtype=np.int64)]).astype(np.int64)
    entries = archive.whole(int(starts[-1]), archive.most, "entries of the dij")
    index = np.uint16 if beamlets < 65_536 else np.uint32
    arrays["columns"] = archive.array("columns", index, (entries,))
    arrays["codes"] = archive.array("codes", np.uint16, (entries,))
    arrays["maxima"] = archive.array("maxima", np.float32, (len(rows),))
    arrays["beams"] = archive.array("beams", np.int16, (beamlets,))
    if ct_grid is not None:
        arrays["ct"] = archive.array("ct", np.int16, ct_grid.shape)
    if archive.has("reference"):
        arrays["reference"] = archive.array("reference", np.float32, (len(rows),))
    from .quantise import decode

    columns: Any = np.cumsum(arrays["columns"], dtype=index)
    values = decode(starts, arrays["codes"], arrays["maxima"])
    case = Case(
        name=str(about["name"]),
        grid=grid,
        structures=tuple(structures),
        dij=Dij(starts, columns, values, beamlets, arrays["beams"]),
        voxels=rows,
        owners=owners,
        fractions=archive.whole(about["fractions"], 1000, "fractions"),
        ct=arrays.get("ct"),
        ct_grid=ct_grid,
        beams=tuple(Beam(float(gantry), float(couch)) for gantry, couch in about["beams"]),
        modality=str(about["modality"]),
        provenance={str(key): str(value) for key, value in dict(about["provenance"]).items()},
        reference=arrays.get("reference"),
        # Cases of earlier versions have neither.
        origin={str(key): str(value) for key, value in dict(about.get("origin", {})).items()},
        hu_table=tuple((float(hu), float(density)) for hu, density in about.get("hu_table", [])),
    )
    return case, arrays
