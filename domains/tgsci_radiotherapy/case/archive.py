"""Check a case's file before it is trusted: members, types, shapes and sizes, before anything is unpacked."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.basics.texts import visible
from tgsci.errors import UsageError

from .model import Grid

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

#: Version of the file's layout; a file of a later one is refused.
FORMAT = 1
#: Elements of a chunk: some megabytes, so that a case has a few dozen.
CHUNK = 2**22
#: Largest description that is parsed, bytes.
_MOST_JSON = 2**20
#: Most members of the zip.
_MOST_MEMBERS = 20_000
#: Elements of an array that a file of any size may claim: 256^3 voxels of water pack into almost nothing.
_GRANTED = 2**24
#: Elements that it may claim for each of its bytes: no dij packs into less than a thousandth.
_PACKED = 1000
_MEMBER = re.compile(r"zarr\.json|[a-z]{1,20}/(zarr\.json|c(/[0-9]{1,9}){1,3})")
_TYPES = {"int16", "int32", "uint16", "uint32", "float32"}


def chunk_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Choose the chunks of a saved array: whole slices along the first axis, at most `CHUNK` elements."""
    slab = max(1, int(np.prod(shape[1:], dtype=np.int64)))
    return (max(1, min(shape[0], CHUNK // slab)), *(max(1, n) for n in shape[1:]))


def refuse(path: Path, why: str) -> UsageError:
    """Make the error that says why a file is not read."""
    return UsageError(f"{path_text(path)} cannot be read as a case: {why}; import or calculate it again")


class Archive:
    """A case's file, open for reading; its list of members and its description are checked.

    Args:
        path: Of the file.

    Raises:
        OSError: The file cannot be opened.
        UsageError: The file is no case.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if "\0" in str(path):
            raise FileNotFoundError(str(path))
        if path.is_dir():
            raise refuse(path, "it is a directory; a case is one file")
        self._size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
        if start[:4] != b"PK\x03\x04":
            what = "it is empty" if not self._size else "it is no zarr store in a zip file"
            raise refuse(path, what)
        with self._naming_the_file("it is truncated or damaged"), zipfile.ZipFile(path) as members:
            self._members(members)
            root = self._json(members, "zarr.json")
            self._described = {
                name[: -len("/zarr.json")]: self._json(members, name)
                for name in members.namelist()
                if name.endswith("/zarr.json")
            }
        if root.get("node_type") != "group" or root.get("zarr_format") != 3:
            raise refuse(path, "it is no group of zarr format 3")
        attributes = root.get("attributes")
        if not isinstance(attributes, dict) or "tgsci_case" not in attributes:
            raise refuse(path, "it is a zarr store of something else")
        version = attributes["tgsci_case"]
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise refuse(path, "its version is no number")
        if version > FORMAT:
            raise UsageError(
                f"{path_text(path)} was written by a newer tgsci (layout {version}, this one reads up to "
                f"{FORMAT}); update tgsci"
            )
        about, digest = attributes.get("case"), attributes.get("sha256")
        if not isinstance(about, dict) or not isinstance(digest, str):
            raise refuse(path, "it has no description of a case")
        self.about: dict[str, Any] = about
        self.sha256 = digest
        #: Most elements that an array of it may claim to have.
        self.most = min(2**31 - 1, _GRANTED + _PACKED * self._size)

    def has(self, name: str) -> bool:
        """Tell whether the file has an array of that name."""
        return name in self._described

    def whole(self, value: object, most: int, what: str) -> int:
        """Read a count from the description.

        Raises:
            UsageError: Not a whole number from 0 to `most`.
        """
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise refuse(self.path, f"it claims {short(value)} {what}; 0 to {most} are possible")
        return value

    def grid(self, key: str) -> Grid:
        """Read a grid from the description.

        Raises:
            UsageError: Not a grid, or a larger one than can be.
        """
        description = self.about[key]
        shape = [self.whole(n, self.most, "voxels along an axis") for n in description["shape"]]
        self.whole(prod(shape), self.most, "voxels")
        spacing, origin = ([float(n) for n in description[part]] for part in ("spacing", "origin"))
        figures = [*spacing, *origin]
        if not len(shape) == len(spacing) == len(origin) == 3 or not all(map(isfinite, figures)) or min(spacing) <= 0:
            raise refuse(self.path, "its grid is none")
        return Grid(
            (shape[0], shape[1], shape[2]), (spacing[0], spacing[1], spacing[2]), (origin[0], origin[1], origin[2])
        )

    def array(self, name: str, dtype: DTypeLike, shape: tuple[int, ...]) -> NDArray[Any]:
        """Read one array, of the type and shape that it must have.

        Raises:
            UsageError: The array is missing, or has another type or shape.
        """
        self.whole(prod(shape), self.most, f"elements of {name!r}")
        wanted = np.dtype(dtype)
        description = self._described.get(name)
        if description is None:
            raise refuse(self.path, f"the array {name!r} is missing")
        if description.get("data_type") != wanted.name or description.get("shape") != list(shape):
            actual = f"{short(description.get('data_type'))} of shape {short(description.get('shape'))}"
            raise refuse(self.path, f"the array {name!r} is {actual} instead of {wanted.name} of {list(shape)}")
        blocks = chunk_shape(shape)
        if not _as_written(description, blocks):
            raise refuse(self.path, f"the array {name!r} is packed in a way that tgsci does not write")
        self._check_chunks(name, prod(blocks) * wanted.itemsize)
        return self._unpack(name)

    def _unpack(self, name: str) -> NDArray[Any]:
        import zarr
        from zarr.storage import ZipStore

        with self._naming_the_file(f"the array {name!r} cannot be unpacked"), ZipStore(self.path, mode="r") as store:
            return np.asarray(zarr.open_array(store, path=name, mode="r", zarr_format=3)[...])

    def _check_chunks(self, name: str, size: int) -> None:
        """Refuse chunks whose header claims to unpack to more than a chunk: memory is taken by what it claims."""
        with self._naming_the_file(f"the array {name!r} cannot be unpacked"), zipfile.ZipFile(self.path) as members:
            for info in members.infolist():
                if not info.filename.startswith(f"{name}/c"):
                    continue
                with members.open(info) as chunk:
                    header = chunk.read(16)
                if len(header) < 16 or int.from_bytes(header[4:8], "little") > size:
                    raise refuse(self.path, f"a part of the array {name!r} claims to be larger than it can be")

    @contextmanager
    def _naming_the_file(self, what: str) -> Iterator[None]:
        """Turn whatever zipfile, numcodecs or zarr raise over a damaged file into one error that names the file."""
        try:
            yield
        except UsageError:
            raise
        except Exception as error:
            raise refuse(self.path, f"{what} ({short(error)})") from error

    def _members(self, members: zipfile.ZipFile) -> None:
        infos = members.infolist()
        if len(infos) > _MOST_MEMBERS:
            raise refuse(self.path, f"it has {len(infos)} members")
        names = set()
        for info in infos:
            if not _MEMBER.fullmatch(info.filename) or info.filename in names:
                raise refuse(self.path, f"it has a member {short(info.filename)!r} that does not belong there")
            names.add(info.filename)
            if info.compress_type != zipfile.ZIP_STORED or info.file_size > self._size or info.flag_bits & 1:
                raise refuse(self.path, f"its member {short(info.filename)!r} is packed or encrypted once more")
        if "zarr.json" not in names:
            raise refuse(self.path, "it is a zip file of something else")

    def _json(self, members: zipfile.ZipFile, name: str) -> dict[str, Any]:
        info = members.getinfo(name)
        if info.file_size > _MOST_JSON:
            raise refuse(self.path, f"its description {name} has {info.file_size} bytes")
        try:
            content = json.loads(members.read(info).decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise refuse(self.path, f"its description {name} is no JSON") from error
        if not isinstance(content, dict):
            raise refuse(self.path, f"its description {name} is no JSON object")
        return content


def _as_written(description: dict[str, Any], blocks: tuple[int, ...]) -> bool:
    """Tell whether an array is chunked and packed as `store.save` does: nothing else is handed to a codec."""
    try:
        grid, codecs = description["chunk_grid"], description["codecs"]
        return bool(
            description["node_type"] == "array"
            and description["zarr_format"] == 3
            and description["data_type"] in _TYPES
            and description["fill_value"] == 0
            and grid["name"] == "regular"
            and grid["configuration"]["chunk_shape"] == list(blocks)
            and description["chunk_key_encoding"] == {"name": "default", "configuration": {"separator": "/"}}
            and [codec["name"] for codec in codecs] == ["bytes", "blosc"]
            and codecs[1]["configuration"]["cname"] == "zstd"
            and not description.get("storage_transformers")
        )
    except (KeyError, TypeError, IndexError):
        return False


def path_text(path: Path) -> str:
    """Write a path for a message: harmless, and cut in its middle if it is long."""
    text = visible(str(path))
    return text if len(text) <= 200 else f"{text[:100]}...{text[-97:]}"


def short(what: object, limit: int = 80) -> str:
    """Write something from a file on one line of a message: harmless, and cut at its end if it is long."""
    text = visible(str(what)).replace("\n", " ")
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
