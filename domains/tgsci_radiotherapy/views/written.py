"""Files to be written: checked before the work, replacing nothing which nobody asked to be replaced; CSV."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tgsci.errors import UsageError
from tgsci.texts import visible


def writable(path: Path, *, force: bool = False) -> Path:
    """A file to be written, before the work that fills it starts.

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
    if path.is_dir() and path.suffix != ".zarr":
        raise UsageError(f"{where} is a directory; name a file")
    if not path.parent.is_dir():
        raise UsageError(f"there is no directory {visible(str(path.parent))} to write {visible(path.name)} into")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"cannot write into {visible(str(path.parent))}: no permission")
    try:  # permission alone says little: /proc, a share or a full disk may take no file all the same
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        os.unlink(temporary)
    except OSError as error:
        raise UsageError(
            f"cannot write {visible(path.name)} into the directory {visible(str(path.parent))}: no file can be made "
            f"there ({error.strerror}); give another place"
        ) from None
    return path


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows as CSV; a cell that a spreadsheet would run as a formula begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([cell(word) for word in row])
    return text.getvalue()


def cell(text: str) -> str:
    """A text as a spreadsheet shows it: on one line, and never run."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not line.startswith(("=", "+", "-", "@")):
        return line
    try:
        float(line)
    except ValueError:
        return f"'{line}"
    return line
