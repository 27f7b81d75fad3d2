"""Plots as files, .png or .svg by their names; checked before the work, written after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tgsci.errors import UsageError
from tgsci.files import write_atomically
from tgsci.texts import visible

from .written import writable

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ..case.model import Case
    from ..goals import BoundSheet

_KINDS = (".png", ".svg")


def check_figures(wanted: Mapping[str, Path | None], *, force: bool = False) -> dict[str, Path]:
    """The files that are wanted, known to be writable.

    Args:
        wanted: File by the plot's name, "dvh" or "wash"; None for none.
        force: Whether files may be there already.

    Raises:
        UsageError: One is there, cannot be written, or is neither .png nor .svg.
    """
    found = {}
    for name, path in wanted.items():
        if path is None:
            continue
        if path.suffix.lower() not in _KINDS:
            raise UsageError(f"--{name} writes a .png or .svg file, not {visible(path.name)}")
        found[name] = writable(path, force=force)
    return found


def write_figures(
    files: Mapping[str, Path],
    case: Case,
    doses: Mapping[str, NDArray[np.floating]],
    goals: BoundSheet | None = None,
    title: str = "",
) -> Iterator[str]:
    """Draw and write plots.

    Args:
        files: By "dvh" (all doses) or "wash" (the first one).
        case: What the doses are of.
        doses: Total Gy by row, by the plan's name.
        goals: Marked in the histograms.
        title: Of the plots.

    Yields:
        A line a file, once it is written.
    """
    from .plots import dose_wash, dvh_figure

    for name, path in files.items():
        label, first = next(iter(doses.items()))
        figure = (
            dvh_figure(case, doses, goals, title=title or f"{case.name}: {', '.join(doses)}")
            if name == "dvh"
            else dose_wash(case, first, title=title or f"{case.name}: {label}")
        )
        write_atomically(path, content(figure, path))
        yield f"wrote {path}"


def content(figure: Figure, path: Path) -> bytes:
    """A figure as the content of a file of that name."""
    from .style import png, svg

    return svg(figure).encode() if path.suffix.lower() == ".svg" else png(figure)
