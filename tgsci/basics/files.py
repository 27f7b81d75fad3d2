"""Files that are whole or not there at all, where they may be written, and the cache with the names of its files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from pathlib import Path

from ..errors import UsageError
from .texts import literal, visible

#: The environment variable that names the directory of the cache; empty for none.
CACHE_VARIABLE = "TGSCI_CACHE"


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace a file by a complete new one, text as UTF-8; a reader never sees half of it.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file under another name, beside its place; it takes the place once it is complete.

    Yields:
        The path to write to, of an empty file.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=_beside(path), dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            os.chmod(temporary, 0o644)  # mkstemp's 0600 would lock colleagues out
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        error.filename, error.filename2 = str(path), None  # the name a person knows, not the temporary one
        raise


def _beside(path: Path) -> str:
    """Begin a hidden name; the whole one must not get too long for the file system."""
    return f".{path.name[:60]}."


def as_path(path: object, what: str) -> Path:
    """Take a path that somebody gave from Python.

    Raises:
        UsageError: It is neither text nor a path; names the argument.
    """
    if not isinstance(path, str | os.PathLike):
        raise UsageError(f"{what} must be a directory's path, not {literal(path)}")
    return Path(path)


def writable(path: Path, *, force: bool = False) -> Path:
    """Check that a file can be written, before the work that fills it starts.

    Args:
        path: The file.
        force: Whether it may be there already.

    Raises:
        UsageError: It is there, its directory is not, or no file can be made in that.
    """
    where = visible(str(path))
    try:
        there = path.exists()
    except OSError as error:
        raise UsageError(f"{where[:200]} cannot be written: {error.strerror}; give another name") from None
    if there and not force:
        raise UsageError(f"{where} exists already; give another name, or --force to replace it")
    if path.is_dir() and path.suffix != ".zarr":  # a zarr store may be a directory
        raise UsageError(f"{where} is a directory; name a file")
    if not path.parent.is_dir():
        raise UsageError(f"there is no directory {visible(str(path.parent))} to write {visible(path.name)} into")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"cannot write into {visible(str(path.parent))}: no permission")
    try:  # permission alone says little: /proc, a share or a full disk may take no file all the same
        handle, temporary = tempfile.mkstemp(prefix=_beside(path), dir=path.parent)
        os.close(handle)
        os.unlink(temporary)
    except OSError as error:
        raise UsageError(
            f"cannot write {visible(path.name)} into the directory {visible(str(path.parent))}: no file can be made "
            f"there ({error.strerror}); give another place"
        ) from None
    return path


def cache_directory() -> Path | None:
    """Find the directory of this user's cache: TGSCI_CACHE, or the system's own place; None for no cache."""
    directory = os.environ.get(CACHE_VARIABLE)
    if directory == "":
        return None
    if directory is not None:
        return Path(directory).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("tgsci", appauthor=False)


def digest(*parts: str | bytes, size: int = 16) -> str:
    """Name what was made from some parts: other parts, or the same ones split elsewhere, give another name.

    Args:
        parts: Texts and bytes, in their order.
        size: Bytes of the digest; its hexadecimal text is twice as long.
    """
    found = blake2b(digest_size=size)
    for part in parts:
        content = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        found.update(len(content).to_bytes(8, "big"))
        found.update(content)
    return found.hexdigest()


@cache
def source_digest(*paths: Path) -> str:
    """Name the source code in some files and directories: what other code made is not used again.

    Args:
        paths: Python files, and directories of them (all below counts).
    """
    parts: list[str | bytes] = []
    for path in paths:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            name = file.relative_to(path).as_posix() if path.is_dir() else file.name
            parts += [name, file.read_bytes()]
    return digest(*parts, size=8)
