"""A run as one HTML page that needs nothing else: no network, no other file, and not even its own script.

    from tgsci import report

    report.write(result, "report.html")

What models, files and values say is shown as text and never becomes part of the page: it is escaped in
`text`, pictures are images that cannot act, and the page's own policy forbids any script but ours.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..result import Result

#: The name under which a run keeps its report.
FILE = "report.html"

__all__ = ["FILE", "html", "write"]


def html(result: Result) -> str:
    """A run as a complete HTML page.

    Args:
        result: Of a run, finished or not. With its `problem`, values are drawn.
    """
    from .page import page

    return page(result)


def write(result: Result, path: str | Path) -> Path:
    """Write a run as an HTML page, at once or not at all.

    Args:
        result: Of a run, finished or not.
        path: The file; one that is there is replaced.

    Raises:
        OSError: It cannot be written.
    """
    path, text = Path(path), html(result)
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            os.chmod(temporary, 0o644)  # mkstemp's 0600 would lock colleagues out
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        error.filename, error.filename2 = str(path), None  # not the temporary one's
        raise
    return path
