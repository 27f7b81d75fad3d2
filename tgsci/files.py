"""Files that are whole or not there at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .errors import UsageError


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace a file by a complete new one, text as UTF-8; a reader never sees half of it.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(handle, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode("utf-8"))
            os.chmod(temporary, 0o644)  # mkstemp's 0600 would lock colleagues out
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        error.filename, error.filename2 = str(path), None  # the name a person knows, not the temporary one
        raise


def as_path(path: object, what: str) -> Path:
    """A path that somebody gave from Python.

    Raises:
        UsageError: It is neither text nor a path; names the argument.
    """
    if not isinstance(path, str | os.PathLike):
        raise UsageError(f"{what} must be a directory's path, not {path!r}")
    return Path(path)
