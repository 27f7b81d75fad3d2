"""Where the boxes of a layered graph go: rows by distance to the output, few crossings, short lines.

The usual four steps (Sugiyama, Tagawa and Toda 1981): rows, helpers where a line passes a row, order within
rows by the mean of neighbours, then positions as near to the neighbours' as the boxes' sizes allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_GAP_BETWEEN = 26.0  # px between boxes of a row
_GAP_ROWS = 48.0  # px between rows
_BORDER = 20.0  # px around the picture
_SWEEPS = 6
#: With more helpers than this, lines run straight behind the boxes instead.
_MOST_HELPERS = 3000


@dataclass(frozen=True)
class Plan:
    """A finished layout, in px from the top left corner.

    Args:
        corners: Top left corner of each box.
        edges: Points of each line, from a box to the one computed from it, a line an edge.
        down: The output is at the bottom; else at the right.
        width: Of the picture.
        height: Of the picture.
    """

    corners: list[tuple[float, float]]
    edges: list[list[tuple[float, float]]]
    down: bool
    width: float
    height: float


def layout(sources: Sequence[Sequence[int]], sizes: Sequence[tuple[float, float]]) -> Plan:
    """Lay a graph out.

    Args:
        sources: For each box the boxes that it was computed from. The output comes first, and every box
            before its sources.
        sizes: Width and height of each box, px.
    """
    level = [0] * len(sources)
    for i, found in enumerate(sources):
        for source in found:
            level[source] = max(level[source], level[i] + 1)
    rows: list[list[int]] = [[] for _ in range(max(level) + 1)]
    for i, row in enumerate(level):
        rows[row].append(i)
    # Down while it is no wider than tall: pages scroll down, and a batch of samples is one wide row.
    down = max(map(len, rows)) <= len(rows)
    across = [w if down else h for w, h in sizes]
    along = [h if down else w for w, h in sizes]

    chains = _chains(sources, level, rows, across)
    nearer: list[list[int]] = [[] for _ in across]
    further: list[list[int]] = [[] for _ in across]
    for chain in chains:
        for far, near in pairwise(chain):
            nearer[far].append(near)
            further[near].append(far)
    centres = _positions(rows, nearer, further, across)

    # Along the graph: each row as thick as its thickest box, the output's last.
    thick = [max((along[i] for i in row if i < len(sizes)), default=0.0) for row in rows]
    begin = [0.0] * len(rows)
    position = _BORDER
    for r in reversed(range(len(rows))):
        begin[r] = position
        position += thick[r] + _GAP_ROWS
    total = position - _GAP_ROWS + _BORDER

    def point(across_: float, along_: float) -> tuple[float, float]:
        return (across_, along_) if down else (along_, across_)

    corners = []
    for i, own in enumerate(along):
        start = begin[level[i]] + (thick[level[i]] - own) / 2
        corners.append(point(centres[i] - across[i] / 2, start))
    edges = []
    for chain in chains:
        far, *helpers, near = chain
        inset = (thick[level[far]] - along[far]) / 2
        line = [point(centres[far], begin[level[far]] + inset + along[far])]
        for step, helper in enumerate(helpers, 1):
            r = level[far] - step
            line += [point(centres[helper], begin[r]), point(centres[helper], begin[r] + thick[r])]
        inset = (thick[level[near]] - along[near]) / 2
        line.append(point(centres[near], begin[level[near]] + inset))
        edges.append(line)
    spread = max(c + a / 2 for c, a in zip(centres, across, strict=True)) + _BORDER
    return Plan(corners, edges, down, *point(spread, total))


def _chains(
    sources: Sequence[Sequence[int]], level: Sequence[int], rows: list[list[int]], across: list[float]
) -> list[list[int]]:
    """Each edge as the boxes and helpers it goes through, from source to result.

    A helper is a narrow empty box that keeps a line's way through a row free; it is added to `rows` and
    `across`.
    """
    edges = [(source, i) for i, found in enumerate(sources) for source in found]
    if sum(level[far] - level[near] - 1 for far, near in edges) > _MOST_HELPERS:
        return [[far, near] for far, near in edges]
    chains = []
    for far, near in edges:
        chain = [far]
        for r in range(level[far] - 1, level[near], -1):
            chain.append(len(across))
            rows[r].append(len(across))
            across.append(0.0)
        chains.append([*chain, near])
    return chains


def _positions(
    rows: list[list[int]], nearer: list[list[int]], further: list[list[int]], across: Sequence[float]
) -> list[float]:
    """The centre of each box across the graph; the smallest edge is at the border."""
    centres = [0.0] * len(across)
    for row in rows:
        _place(row, [0.0] * len(row), across, centres)
    for sweep in range(2 * _SWEEPS):
        neighbours = (nearer, further)[sweep % 2]
        for row in rows[1:] if sweep % 2 == 0 else rows[-2::-1]:
            wanted = {
                i: sum(centres[j] for j in neighbours[i]) / len(neighbours[i]) if neighbours[i] else centres[i]
                for i in row
            }
            if sweep < _SWEEPS:  # then the order stays, and only distances are evened out
                row.sort(key=wanted.__getitem__)
            _place(row, [wanted[i] for i in row], across, centres)
    least = min(c - a / 2 for c, a in zip(centres, across, strict=True))
    return [c - least + _BORDER for c in centres]


def _place(row: Sequence[int], wanted: Sequence[float], across: Sequence[float], centres: list[float]) -> None:
    """Put a row's boxes, in their order, as near to where they want to be as their sizes allow.

    Least squares under fixed distances is isotonic regression: boxes that collide are pooled into blocks
    that move together (pool adjacent violators).
    """
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + (across[left] + across[right]) / 2 + _GAP_BETWEEN)
    blocks: list[tuple[float, int]] = []  # sum of the wanted positions in a block, and its length
    for want, offset in zip(wanted, offsets, strict=True):
        total, count = want - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / count:
            before, length = blocks.pop()
            total, count = total + before, count + length
        blocks.append((total, count))
    shifts = [total / count for total, count in blocks for _ in range(count)]
    for i, shift, offset in zip(row, shifts, offsets, strict=True):
        centres[i] = shift + offset
