"""MATLAB's .mat files, of MATLAB 5 to 7.3, read without trusting them: sizes first, links and damage found."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tgsci.basics.texts import visible
from tgsci.errors import UsageError

#: Largest content that is read, bytes unpacked.
_LARGEST = 12_000_000_000


def load_mat(path: Path, label: str, wanted: Sequence[str]) -> dict[str, Any]:
    """Read the variables of a .mat file.

    Args:
        path: The file.
        label: Its name for messages.
        wanted: Names of the variables; others are not read.

    Raises:
        UsageError: The file is damaged, unpacks to too much, has its content elsewhere, or is no .mat file.
    """
    import warnings

    from pymatreader import read_mat

    _check_size(path, label)
    if _lacks_checksums(path):
        _try_out(path, label, wanted)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dict(read_mat(path, variable_names=list(wanted)))
    except Exception as error:  # scipy and h5py raise whatever a broken file makes them stumble over
        why = visible(str(error)[:160])
        raise UsageError(f"{label} is no readable .mat file ({type(error).__name__}: {why}); save it again") from error


def _lacks_checksums(path: Path) -> bool:
    """Tell whether a MATLAB 5 file has variables that are not packed, and so have no checksum."""
    with path.open("rb") as file:
        head = file.read(136)
    order = "<" if head[126:128] == b"IM" else ">"
    return head[:10] == b"MATLAB 5.0" and int(np.frombuffer(head[128:132], f"{order}u4")[0]) != 15


def _try_out(path: Path, label: str, wanted: Sequence[str]) -> None:
    """Read a file in a process of its own first: scipy crashes on some damage that a checksum would have found.

    Raises:
        UsageError: The process died.
    """
    import subprocess
    import sys

    code = "import sys, pymatreader; pymatreader.read_mat(sys.argv[1], variable_names=sys.argv[2:])"
    done = subprocess.run([sys.executable, "-c", code, str(path), *wanted], capture_output=True, check=False)
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
