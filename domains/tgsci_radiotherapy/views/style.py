"""How the plots of plans look: one colour a structure, readable for the colour-blind, on paper and on a projector."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from ..notice import NOTICE

if TYPE_CHECKING:
    from ..case.model import Case

#: Colours that stay apart for the colour-blind: those of Okabe and Ito, then darker ones of Tol.
_TARGETS = ("#d55e00", "#cc79a7", "#882255", "#aa4499")
_ORGANS = ("#0072b2", "#009e73", "#56b4e9", "#332288", "#999933", "#e69f00", "#117733", "#661100", "#44aa99", "#6f4e9c")
_EXTERNAL = "#6b7280"
INK, QUIET, GRID = "#1f2933", "#5f6b7a", "#d9dee4"


def colours(case: Case, regions: Iterable[str] = ()) -> dict[str, str]:
    """Choose a colour for each structure of a case: warm ones for targets, grey for the body.

    Args:
        case: Its structures in their order; the same case always gets the same colours.
        regions: What is made of structures, and gets the colours that are left.
    """
    drawn = [(structure.name, structure.type) for structure in case.structures]
    return colours_of([*drawn, *((name, "oar") for name in regions if name not in case.names)])


def colours_of(kinds: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Choose a colour for each structure, by name.

    Args:
        kinds: Name of each and what it is, in their order.
    """
    chosen: dict[str, str] = {}
    numbers = {"target": 0, "oar": 0}
    for name, kind in kinds:
        if kind not in numbers:
            chosen[name] = _EXTERNAL
            continue
        palette = _TARGETS if kind == "target" else _ORGANS
        chosen[name] = palette[numbers[kind] % len(palette)]
        numbers[kind] += 1
    return chosen


def caption(figure: Figure, parts: Iterable[str], width: int = 150) -> None:
    """Write below a plot what it rests on, and that it is not for clinical use."""
    text = "  ·  ".join([*(part for part in parts if part), NOTICE])
    lines = textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)
    figure.supxlabel(lines, fontsize=7.5, color=QUIET, x=0.01, ha="left")
