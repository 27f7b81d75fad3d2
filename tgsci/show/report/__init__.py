"""A run as one HTML page that needs nothing else: no network, no other file, and not even its own script.

    from tgsci.show import report

    report.write(result, "report.html")

What models, files and values say is shown as text and never becomes part of the page: it is escaped in
`text`, pictures are images that cannot act, and the page's own policy forbids any script but ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...basics.files import write_atomically
from .section import Section

if TYPE_CHECKING:
    from ...runs.result import Result

#: The name under which a run keeps its report.
FILE = "report.html"

__all__ = ["FILE", "Section", "html", "write"]


def html(result: Result) -> str:
    """Make a complete HTML page of a run.

    Args:
        result: Of a run, finished or not. With its `problem`, values are drawn.
    """
    from .page import render

    return render(result)


def write(result: Result, path: str | Path) -> Path:
    """Write a run as an HTML page, whole or not at all.

    Args:
        result: Of a run, finished or not.
        path: The file; one that is there is replaced.

    Raises:
        OSError: It cannot be written.
    """
    write_atomically(Path(path), html(result))
    return Path(path)
