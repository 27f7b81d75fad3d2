"""A computation graph: the order in which it is walked, and its picture.

The picture is text in Graphviz' DOT language. The package `graphviz` and the program `dot` turn it into an image.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import GraphError, UsageError

if TYPE_CHECKING:
    from .variable import Variable

#: Variables and arrows drawn, at most; of a larger graph what is nearest to the output.
MOST, MOST_ARROWS = 200, 800

_COLUMNS, _LINES = 38, 4  # of a value, or of the feedback to it, in a box
_TOOLTIP = 2000  # characters
_IMAGES = (".svg", ".png", ".pdf")

#: Fill and outline of a box.
_COLOURS = {
    "parameter": ("#e8f5ec", "#2f855a"),
    "output": ("#fff6e5", "#c05621"),
    "constant": ("#f6f7f9", "#a0aec0"),
    "computed": ("#eef4fc", "#4a6fa5"),
}


def topological(root: Variable) -> list[Variable]:
    """List every variable that `root` was computed from, each after all its predecessors; deterministic.

    Raises:
        GraphError: The graph has a cycle.
    """
    order: list[Variable] = []
    done: dict[Variable, bool] = {}  # False while its predecessors are being visited
    stack: list[tuple[Variable, int]] = [(root, 0)]
    while stack:
        variable, position = stack.pop()
        if position == 0:
            if variable in done:
                continue
            done[variable] = False
        if position == len(variable.predecessors):
            done[variable] = True
            order.append(variable)
            continue
        stack.append((variable, position + 1))
        predecessor = variable.predecessors[position]
        if done.get(predecessor) is False:
            raise GraphError(f"the graph has a cycle through {predecessor.role_description or predecessor.text[:60]!r}")
        if predecessor not in done:
            stack.append((predecessor, 0))
    return order


def levels(root: Variable, enters: Callable[[Variable], bool] = lambda variable: True) -> list[list[Variable]]:
    """Group the variables that `root` was computed from by their longest distance from it, the root first.

    Args:
        root: The output.
        enters: False for a variable that is left out, with whatever is reached only through it.

    Raises:
        GraphError: The graph has a cycle.
    """
    distance: dict[Variable, int] = {root: 0}
    found: list[list[Variable]] = []
    for variable in reversed(topological(root)):
        if variable not in distance or not enters(variable):
            continue
        depth = distance[variable]
        while len(found) <= depth:
            found.append([])
        found[depth].append(variable)
        for predecessor in variable.predecessors:
            distance[predecessor] = max(distance.get(predecessor, 0), depth + 1)
    for level in found:
        level.reverse()  # back to the order in which the graph was built
    return found


class Graph:
    """A computation graph as a picture: shows itself in Jupyter, `render()` draws it, `print` gives text.

    Args:
        root: The output, a loss for example.
        print_gradients: Show each variable's feedback too.

    Raises:
        GraphError: The graph has a cycle.
    """

    def __init__(self, root: Variable, print_gradients: bool = False) -> None:
        found = [variable for level in levels(root) for variable in level]
        place = {variable: i for i, variable in enumerate(_nearest(found))}
        #: What `render` and `view` draw where they are told nothing else.
        self.format = "pdf"
        #: Variables that are too far from the output to be shown.
        self.left_out = len(found) - len(place)
        boxes: list[str] = []
        arrows: list[str] = []
        self._outline: list[str] = []
        for variable, i in place.items():
            sources = [place[p] for p in variable.predecessors if p in place]
            role, value, gradients = _lines(variable, print_gradients)
            kind = "output" if variable is root else _kind(variable)
            boxes.append(_box(i, kind, [*role, *value, *gradients], variable))
            arrows += [f"  n{source} -> n{i};" for source in sources]
            comes_from = f"  <- {', '.join(f'[{source}]' for source in sources)}" if sources else ""
            self._outline += [f"[{i}] {' '.join(role)}: {' '.join(value[:2])}{comes_from}"]
            self._outline += [f"      {line}" for line in gradients]
        note = f"{self.left_out} more variables, further from the output, are not shown."
        if self.left_out:
            self._outline.append(note)
        #: The graph in Graphviz' DOT language.
        self.source = "\n".join(
            [
                "digraph tgsci {",
                '  node [shape=box, style="rounded,filled", fontname="monospace", fontsize=10];',
                # Graphviz' own effort is bounded: a dense graph would keep it busy for minutes.
                "  graph [nslimit=2, nslimit1=2, mclimit=0.2];",
                *boxes,
                *arrows,
                *([f'  label="{note}";'] if self.left_out else []),
                "}\n",
            ]
        )

    def render(self, filename: str | Path | None = None, **options: Any) -> str:
        """Draw the graph into a file, as TextGrad's `generate_graph().render()` does.

        Args:
            filename: Where the DOT text goes; the image goes beside it, with the format's ending added.
            options: As `graphviz.Digraph.render` takes them: `format="png"`, `directory`, `cleanup`, ...

        Returns:
            The image's path.

        Raises:
            UsageError: The package `graphviz` or the program `dot` is missing; says how to install it.
        """
        return str(self._drawn("render", filename, **{"format": self.format, **options}))

    def view(self, filename: str | Path | None = None, **options: Any) -> str:
        """`render`, and open the image in the system's viewer."""
        return self.render(filename, **options, view=True)

    def pipe(self, format: str = "svg") -> bytes:
        """Draw the graph as an image: "svg", "png", "pdf", ...

        Raises:
            UsageError: The package `graphviz` or the program `dot` is missing; says how to install it.
        """
        return bytes(self._drawn("pipe", format=format))

    def save(self, filename: str | Path = "graph.gv") -> Path:
        """Write the graph into a file.

        Args:
            filename: Ends in .gv or .dot for the DOT text; in .svg, .png or .pdf for an image.

        Raises:
            UsageError: Another ending, the file cannot be written, or an image is asked for without Graphviz.
        """
        path = Path(filename)
        if path.suffix not in (".gv", ".dot", *_IMAGES):
            raise UsageError(f"a graph is saved as .gv or .dot (text), .svg, .png or .pdf, not as {path.name!r}")
        content = self.pipe(path.suffix[1:]) if path.suffix in _IMAGES else self.source.encode()
        try:
            path.write_bytes(content)
        except OSError as error:
            raise UsageError(f"cannot write {str(path)!r}: {error.strerror}") from None
        return path

    def _drawn(self, how: str, *args: Any, **options: Any) -> Any:
        try:
            import graphviz
        except ImportError:
            raise UsageError(
                "drawing a graph needs the package graphviz: pip install graphviz. "
                "Without it the DOT text is there: print(graph.source), graph.save('graph.dot')"
            ) from None
        try:
            return getattr(graphviz.Source(self.source, filename="graph.gv"), how)(*args, **options)
        except graphviz.ExecutableNotFound:
            raise UsageError(
                "drawing a graph needs Graphviz' program dot on the path: apt install graphviz, brew install graphviz, "
                "conda install graphviz. Without it the DOT text is there: print(graph.source), graph.save('graph.dot')"
            ) from None

    def _repr_svg_(self) -> str | None:
        try:
            return self.pipe("svg").decode()
        except UsageError:  # Jupyter shows the text instead
            return None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Jupyter's representations: the picture where it can be drawn, and text."""
        svg = self._repr_svg_()
        return {"text/plain": str(self), **({"image/svg+xml": svg} if svg else {})}

    def __str__(self) -> str:
        return "\n".join(self._outline)

    def __repr__(self) -> str:
        return f"Graph({self.source.count('[label=')} variables)"


def _nearest(found: Sequence[Variable]) -> list[Variable]:
    """Take the first variables of a list that starts at the output: so many that their arrows can be drawn."""
    uses: Counter[Variable] = Counter()
    drawn = 0
    for i, variable in enumerate(found[:MOST]):
        drawn += uses[variable]
        if drawn > MOST_ARROWS:
            return list(found[:i])
        uses.update(variable.predecessors)
    return list(found[:MOST])


def _kind(variable: Variable) -> str:
    if not variable.requires_grad:
        return "constant"
    return "computed" if variable.predecessors else "parameter"


def _lines(variable: Variable, print_gradients: bool) -> tuple[list[str], list[str], list[str]]:
    """Write what stands in a variable's box: its role, its loss and value, the feedback to it."""
    value = _wrap(variable.text[:_TOOLTIP], _LINES)
    feedback = variable.feedback
    if feedback is not None and feedback.loss is not None:
        value.insert(0, f"loss {feedback.loss:.6g}" if feedback.measured else "not measured")
    gradients: list[str] = []
    if print_gradients and variable.gradients:
        gradients = _wrap("↩ " + " ".join(g.value[:_TOOLTIP] for g in variable.gradients[:_LINES]), _LINES)
    return _wrap(variable.role_description, 2) or ["(no role)"], value, gradients


def _box(number: int, kind: str, lines: list[str], variable: Variable) -> str:
    fill, outline = _COLOURS[kind]
    label = "".join(_quoted(line) + r"\l" for line in lines)  # \l ends a line and sets it flush left
    tooltip = _quoted(_printable(variable.text[:_TOOLTIP]))
    return f'  n{number} [label="{label}", tooltip="{tooltip}", fillcolor="{fill}", color="{outline}"];'


def _printable(text: str) -> str:
    """Text on one line, without anything that a viewer would obey."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _wrap(text: str, most: int) -> list[str]:
    """Fold the beginning of a text into at most so many lines; the last one shows a cut."""
    return textwrap.wrap(_printable(text[:_TOOLTIP]), _COLUMNS, max_lines=most, placeholder="…", break_on_hyphens=False)


def _quoted(text: str) -> str:
    """Escape a text for a quoted DOT string, where a backslash begins an escape and an ampersand an entity."""
    return text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
