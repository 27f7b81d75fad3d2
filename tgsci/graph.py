"""A computation graph as a picture: what was computed from what, and which feedback came back.

Nothing is needed to draw it: the layout is in `graph_layout`, and Graphviz' own text is there as `source`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from .errors import UsageError
from .graph_layout import layout

if TYPE_CHECKING:
    from .variable import Variable

#: Variables drawn; of a larger graph the nearest to the output.
MOST = 200

_COLUMNS = 38  # of text in a box, in the width of a Latin letter
_LINES = 4  # of a value or of the feedback to it
_TOOLTIP = 2000  # characters
_LETTER, _LEADING, _MARGIN = 7.0, 15, 10  # px, at 11 px of a monospaced font
_WIDTH = round(_COLUMNS * _LETTER) + 2 * _MARGIN

#: Fill and outline of a box.
_COLOURS = {
    "parameter": ("#e8f5ec", "#2f855a"),
    "output": ("#fff6e5", "#c05621"),
    "constant": ("#f6f7f9", "#a0aec0"),
    "computed": ("#eef4fc", "#4a6fa5"),
}

# Scoped to the picture: inline in a notebook, its style would reach every other picture on the page.
_STYLE = """\
.tgsci-graph text { font: 11px 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1a202c; white-space: pre }
.tgsci-graph .role { font: bold 11px 'DejaVu Sans', system-ui, sans-serif }
.tgsci-graph .loss { font-weight: bold; fill: #9c4221 }
.tgsci-graph .gradient { fill: #276749; font-style: italic }
.tgsci-graph .note { fill: #4a5568 }
.tgsci-graph .edge { fill: none; stroke: #718096; stroke-width: 1.3 }"""


@dataclass(frozen=True)
class Node:
    """A variable as it is drawn. All texts are printable, on one line each, and short.

    Args:
        kind: "parameter" (can be optimised), "constant" (cannot), "computed", or "output".
        role: What it is for.
        loss: The measured loss, "" where it is none.
        value: The start of its value, wrapped.
        gradients: The start of the feedback to it, wrapped; empty where it is not shown.
        tooltip: More of the value.
        predecessors: Positions of the nodes it was computed from.
    """

    kind: str
    role: list[str]
    loss: str
    value: list[str]
    gradients: list[str]
    tooltip: str
    predecessors: tuple[int, ...]

    @property
    def lines(self) -> list[tuple[str, str]]:
        """What stands in its box: pairs of a style and a line."""
        return [
            *(("role", line) for line in self.role),
            *([("loss", self.loss)] if self.loss else []),
            *(("value", line) for line in self.value),
            *(("gradient", line) for line in self.gradients),
        ]


class Graph:
    """A computation graph. Shows itself in Jupyter; `.save("graph.svg")` elsewhere; `print` gives text.

    Args:
        nodes: The output first; each before what it was computed from.
        left_out: Variables that are too far from the output to be drawn.
    """

    def __init__(self, nodes: Sequence[Node], left_out: int = 0) -> None:
        self.nodes = list(nodes)
        self.left_out = left_out

    @classmethod
    def of(cls, root: Variable, print_gradients: bool = False) -> Graph:
        """The graph of everything that `root` was computed from.

        Args:
            root: The output, a loss for example.
            print_gradients: Show each variable's feedback too.

        Raises:
            GraphError: The graph has a cycle.
        """
        from .variable import topological

        found = topological(root)
        distance = {root: 0}
        for variable in reversed(found):
            for predecessor in variable.predecessors:
                distance[predecessor] = max(distance.get(predecessor, 0), distance[variable] + 1)
        shown = sorted(found, key=distance.__getitem__)[:MOST]
        position = {variable: i for i, variable in enumerate(shown)}
        nodes = [
            _node(
                variable,
                variable is root,
                tuple(position[p] for p in variable.predecessors if p in position),
                print_gradients,
            )
            for variable in shown
        ]
        return cls(nodes, len(found) - len(shown))

    @property
    def source(self) -> str:
        """The graph in Graphviz' DOT language."""
        rows = [
            "digraph tgsci {",
            '  node [shape=box, style="rounded,filled", fontname="monospace", fontsize=10];',
        ]
        for i, node in enumerate(self.nodes):
            fill, line = _COLOURS[node.kind]
            # \l ends a line and sets it flush left.
            label = "".join(_dot(text) + r"\l" for _, text in node.lines)
            rows.append(f'  n{i} [label="{label}", fillcolor="{fill}", color="{line}"];')
        rows += [f"  n{p} -> n{i};" for i, node in enumerate(self.nodes) for p in node.predecessors]
        if self.left_out:
            rows.append(f'  label="{self._note()}";')
        return "\n".join([*rows, "}"]) + "\n"

    @property
    def svg(self) -> str:
        """The graph as an SVG image."""
        heights = [_LEADING * len(node.lines) + 2 * _MARGIN for node in self.nodes]
        plan = layout([node.predecessors for node in self.nodes], [(_WIDTH, h) for h in heights])
        width, height = plan.width, plan.height
        if self.left_out:
            width, height = max(width, _LETTER * len(self._note()) + 40), height + 30
        rows = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="tgsci-graph" width="{width:.0f}" '
            f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
            'role="img" aria-label="computation graph">',
            f"<style>{_STYLE}</style>",
            '<defs><marker id="tgsci-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#718096"/>'
            "</marker></defs>",
            f'<rect width="{width:.0f}" height="{height:.0f}" fill="white"/>',
        ]
        rows += [f'<path class="edge" d="{_curve(p, plan.down)}" marker-end="url(#tgsci-arrow)"/>' for p in plan.edges]
        for node, (x, y), h in zip(self.nodes, plan.corners, heights, strict=True):
            rows += _box(node, x, y, h)
        if self.left_out:
            rows.append(f'<text class="note" x="20" y="{height - 14:.0f}">{self._note()}</text>')
        return "\n".join([*rows, "</svg>"]) + "\n"

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> Path:
        """Write the picture.

        Args:
            path: Ends in `.svg`, or `.dot` for Graphviz.

        Raises:
            UsageError: Another ending, or the file cannot be written.
        """
        path = Path(path)
        if path.suffix not in (".svg", ".dot"):
            raise UsageError(f"a graph is saved as .svg or .dot, not as {path.name!r}")
        try:
            path.write_text(self.svg if path.suffix == ".svg" else self.source, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write {str(path)!r}: {error.strerror}") from None
        return path

    def __str__(self) -> str:
        rows = []
        for i, node in enumerate(self.nodes):
            text = " ".join([f"[{i}]", " ".join(node.role) + ":", *filter(None, [node.loss]), *node.value[:1]])
            sources = ", ".join(f"[{p}]" for p in node.predecessors)
            rows.append(f"{text}  <- {sources}" if sources else text)
            rows += [f"      {line}" for line in node.gradients]
        return "\n".join([*rows, self._note()] if self.left_out else rows)

    def __repr__(self) -> str:
        return f"Graph({len(self.nodes)} variables)"

    def _note(self) -> str:
        return f"{self.left_out} more variables, further from the output, are not shown."


def _node(variable: Variable, output: bool, predecessors: tuple[int, ...], print_gradients: bool) -> Node:
    kind = "output" if output else "constant" if not variable.requires_grad else "computed"
    if variable.requires_grad and not variable.predecessors:
        kind = "parameter"
    loss = ""
    if variable.feedback is not None and variable.feedback.loss is not None:
        loss = f"loss {variable.feedback.loss:.6g}" if variable.feedback.measured else "not measured"
    gradients: list[str] = []
    if print_gradients and variable.gradients:
        gradients = _wrap("↩ " + " ".join(g.value[:_TOOLTIP] for g in variable.gradients[:_LINES]), _LINES)
    return Node(
        kind,
        _wrap(variable.role_description, 2) or ["(no role)"],
        loss,
        _wrap(variable.text[:_TOOLTIP], _LINES),
        gradients,
        _printable(variable.text[:_TOOLTIP]),
        predecessors,
    )


def _box(node: Node, x: float, y: float, height: float) -> list[str]:
    fill, line = _COLOURS[node.kind]
    dashes = ' stroke-dasharray="4 3"' if node.kind == "constant" else ""
    rows = [
        f'<g transform="translate({x:.1f},{y:.1f})"><title>{escape(node.tooltip)}</title>',
        f'<rect width="{_WIDTH}" height="{height}" rx="7" fill="{fill}" stroke="{line}" stroke-width="1.3"{dashes}/>',
        # An inner image cuts off what a wider font than ours would draw past the box.
        f'<svg width="{_WIDTH}" height="{height}">',
    ]
    for i, (style, text) in enumerate(node.lines):
        rows.append(f'<text class="{style}" x="{_MARGIN}" y="{_MARGIN + 11 + i * _LEADING}">{escape(text)}</text>')
    return [*rows, "</svg></g>"]


def _curve(points: Sequence[tuple[float, float]], down: bool) -> str:
    """A smooth line through points that leaves and arrives along the graph's direction."""
    path = [f"M{points[0][0]:.1f},{points[0][1]:.1f}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        across, along = (x + to_x) / 2, (y + to_y) / 2
        bend = (x, along, to_x, along) if down else (across, y, across, to_y)
        path.append("C{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}".format(*bend, to_x, to_y))
    return " ".join(path)


def _printable(text: str) -> str:
    """Text on one line, without anything that XML forbids or that a viewer would obey."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _columns(character: str) -> int:
    """How wide a character is in a monospaced font, in Latin letters."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _wrap(text: str, most: int) -> list[str]:
    """The text's start in at most so many lines that fit into a box; the last one shows a cut."""
    rest = list(_printable(text))
    lines: list[str] = []
    while rest and len(lines) < most:
        room, end = _COLUMNS, 0
        while end < len(rest) and (room := room - _columns(rest[end])) >= 0:
            end += 1
        if end < len(rest):
            if len(lines) + 1 == most:
                lines.append("".join(rest[: end - 1]).rstrip() + "…")
                return lines
            # At a blank, where there is one late enough: SMILES and JSON have none.
            blank = next((i for i in range(end, _COLUMNS // 2, -1) if rest[i] == " "), end)
            end = max(1, blank)
        lines.append("".join(rest[:end]).strip())
        rest = list("".join(rest[end:]).lstrip())
    return lines


def _dot(text: str) -> str:
    """A text inside a quoted DOT string, where a backslash begins an escape of Graphviz' own."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
