from __future__ import annotations

import math
import re
import time
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsci.errors import GraphError, UsageError
from tgsci.feedback import Feedback
from tgsci.graph import MOST, Graph
from tgsci.graph_layout import layout
from tgsci.variable import Variable

SVG = "{http://www.w3.org/2000/svg}"


def drawn(graph: Graph) -> ElementTree.Element:
    root = ElementTree.fromstring(graph.svg)
    assert root.tag == f"{SVG}svg"
    return root


def boxes(graph: Graph) -> list[ElementTree.Element]:
    return drawn(graph).findall(f"{SVG}g")


def edges(graph: Graph) -> list[ElementTree.Element]:
    return drawn(graph).findall(f"{SVG}path")


def words(element: ElementTree.Element) -> str:
    return "\n".join(text.text or "" for text in element.iter(f"{SVG}text"))


def chain(length: int) -> Variable:
    last = Variable("0", role_description="step 0")
    for i in range(1, length):
        last = Variable(str(i), predecessors=[last], role_description=f"step {i}")
    return last


def design() -> Variable:
    """A molecule in two losses, one of them through a model's answer."""
    molecule = Variable("CCO", role_description="molecule")
    system = Variable("Be brief.", requires_grad=False, role_description="system prompt")
    answer = Variable("CCN", predecessors=[system, molecule], role_description="answer")
    docking = Variable("pocket is empty", predecessors=[answer], role_description="docking")
    docking.feedback = Feedback(-7.25)
    strain = Variable("no pose", predecessors=[answer], role_description="strain")
    strain.feedback = Feedback(math.nan)
    molecule.add_gradient("fill the pocket")
    return Variable("both", predecessors=[docking, strain, molecule], role_description="sum")


def test_every_variable_is_a_box_and_every_use_an_arrow() -> None:
    graph = design().generate_graph()
    assert len(boxes(graph)) == 6
    assert len(edges(graph)) == 7
    assert all(edge.get("marker-end") for edge in edges(graph))
    text = "\n".join(map(words, boxes(graph)))
    for expected in ("molecule", "CCO", "Be brief.", "loss -7.25", "not measured", "pocket is empty"):
        assert expected in text
    assert graph._repr_svg_() == graph.svg


def test_feedback_is_shown_where_asked_for() -> None:
    assert "fill the pocket" not in design().generate_graph().svg
    graph = design().generate_graph(print_gradients=True)
    assert "fill the pocket" in graph.svg
    assert "fill the pocket" in graph.source
    assert "fill the pocket" in str(graph)


def test_the_outline_names_each_variable_and_where_it_came_from() -> None:
    rows = str(Graph.of(design())).splitlines()
    assert rows[0].startswith("[0] sum: both  <- ")
    assert sum("<-" in row for row in rows) == 4
    assert sum(row.count("[") - 1 for row in rows) == 7


def test_one_variable() -> None:
    graph = Graph.of(Variable("CCO"))
    assert len(boxes(graph)) == 1
    assert not edges(graph)
    assert "(no role)" in words(boxes(graph)[0])
    assert repr(graph) == "Graph(1 variables)"


def test_an_image_and_an_empty_value() -> None:
    image = Variable(b"\x89PNG", requires_grad=False, role_description="plot")
    graph = Graph.of(Variable("", predecessors=[image], role_description="answer"))
    assert "[image, 4 bytes]" in graph.svg


def test_a_cycle_is_said() -> None:
    a = Variable("a")
    a.predecessors = (Variable("b", predecessors=[a]),)
    with pytest.raises(GraphError, match="cycle"):
        Graph.of(a)


# -- hostile text ------------------------------------------------------------------------------------

HOSTILE = '</text></svg><script>alert("&amp;")</script> \x1b[2J \x00 \ud800 \uffff \u202e ]]> <!-- \\N \\" \\'


def test_hostile_text_stays_text() -> None:
    variable = Variable(HOSTILE, role_description=HOSTILE)
    variable.add_gradient(HOSTILE)
    graph = Graph.of(variable, print_gradients=True)
    root = drawn(graph)
    assert not list(root.iter(f"{SVG}script"))
    assert not list(root.iter("script"))
    assert '<script>alert("&amp;")</script>' in "".join(root.itertext())
    graph.svg.encode("utf-8")
    for forbidden in "\x1b\x00\uffff\u202e":
        assert forbidden not in graph.svg + graph.source + str(graph)


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_gives_xml_and_dot(value: str, role: str) -> None:
    variable = Variable(value, role_description=role)
    variable.add_gradient(value)
    graph = Graph.of(Variable(role, predecessors=[variable], role_description=value), print_gradients=True)
    assert len(boxes(graph)) == 2
    graph.source.encode("utf-8")
    # Outside quoted strings, in which a backslash takes the next character with it, DOT is all ours.
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', graph.source)
    assert re.fullmatch(r"[\w\s\[\]{}=,;>-]*", bare.replace('""', ""))
    assert bare.count("n1 -> n0;") == 1
    lines = str(graph).split("\n")
    assert all(line.isprintable() for line in lines)
    assert [line[:4] for line in lines if line.startswith("[")] == ["[0] ", "[1] "]


def test_backslashes_are_not_escapes_of_graphviz() -> None:
    assert r"C\\C=C/C \\N\l" in Graph.of(Variable(r"C\C=C/C \N")).source


@pytest.mark.parametrize("value", ["C" * 100_000, "word " * 20_000, "字" * 50_000, "e\u0301" * 50_000])
def test_text_is_bounded_and_fits_its_box(value: str) -> None:
    graph = Graph.of(Variable(value, role_description=value))
    assert len(graph.svg.encode()) < 20_000
    lines = words(boxes(graph)[0]).splitlines()
    assert len(lines) == 6
    assert all(len(line.encode("utf-16-le")) < 200 for line in lines)
    assert lines[-1].endswith("…")


def test_a_wide_script_takes_two_columns_a_character() -> None:
    lines = words(boxes(Graph.of(Variable("字" * 40)))[0]).splitlines()
    assert [len(line) for line in lines[1:]] == [19, 19, 2]


# -- size --------------------------------------------------------------------------------------------


def test_a_long_chain_shows_its_end_and_says_what_is_left_out() -> None:
    graph = Graph.of(chain(300))
    assert len(boxes(graph)) == MOST == 200
    assert len(edges(graph)) == 199
    assert "step 299" in graph.svg
    assert "step 100" in graph.svg
    assert "step 99<" not in graph.svg
    for text in (graph.svg, graph.source, str(graph)):
        assert "100 more variables" in text


def test_the_note_on_what_is_left_out_is_inside_the_picture() -> None:
    root = drawn(Graph.of(chain(300)))
    note = root.find(f"{SVG}text")
    assert note is not None
    assert note.text
    assert float(root.get("width", 0)) > 6.7 * len(note.text) + float(note.get("x", 0))
    assert float(root.get("height", 0)) > float(note.get("y", 0))


def test_five_thousand_variables_do_not_recurse() -> None:
    assert Graph.of(chain(5000)).left_out == 4800


def test_a_dense_graph_is_drawn_in_reasonable_time() -> None:
    layers: list[list[Variable]] = [[Variable(str(i)) for i in range(14)]]
    for _ in range(13):
        layers.append([Variable("x", predecessors=[v for layer in layers for v in layer]) for _ in range(14)])
    graph = Graph.of(Variable("end", predecessors=layers[-1]))
    started = time.perf_counter()
    assert len(edges(graph)) > 10_000
    assert time.perf_counter() - started < 20


def test_the_order_is_the_same_every_time() -> None:
    assert Graph.of(design(), True).svg == Graph.of(design(), True).svg


# -- layout ------------------------------------------------------------------------------------------


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[list[int]], list[tuple[float, float]]]:
    n = draw(st.integers(1, 25))
    sources: list[list[int]] = [[] for _ in range(n)]
    for i in range(1, n):
        for near in draw(st.sets(st.integers(0, i - 1), min_size=1, max_size=3)):
            sources[near].append(i)
    sizes = draw(st.lists(st.tuples(st.floats(20, 300), st.floats(20, 200)), min_size=n, max_size=n))
    return sources, sizes


@given(graphs())
def test_boxes_do_not_overlap_and_everything_is_in_the_picture(
    graph: tuple[list[list[int]], list[tuple[float, float]]],
) -> None:
    sources, sizes = graph
    plan = layout(sources, sizes)
    placed = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(plan.corners, sizes, strict=True)]
    for i, a in enumerate(placed):
        assert min(a[0], a[1]) >= 0
        assert a[2] <= plan.width
        assert a[3] <= plan.height
        for b in placed[:i]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    assert len(plan.edges) == sum(map(len, sources))
    forward = 1 if plan.down else 0
    for line in plan.edges:
        assert all(here[forward] <= there[forward] for here, there in pairwise(line))
        assert all(0 <= x <= plan.width and 0 <= y <= plan.height for x, y in line)


def test_a_line_goes_around_the_boxes_between() -> None:
    plan = layout([[1, 2], [2], []], [(100.0, 40.0)] * 3)
    (x, y), width, height = plan.corners[1], 100.0, 40.0
    direct = next(line for line in plan.edges if len(line) > 2)
    assert all(not (x < px < x + width and y <= py <= y + height) for px, py in direct)


# -- files -------------------------------------------------------------------------------------------


def test_save(tmp_path: Path) -> None:
    graph = Graph.of(design())
    assert graph.save(tmp_path / "g.svg").read_text(encoding="utf-8") == graph.svg
    assert graph.save(str(tmp_path / "g.dot")).read_text(encoding="utf-8") == graph.source
    for name in ("g.png", "g", "g.svg.exe"):
        with pytest.raises(UsageError, match=r"\.svg or \.dot"):
            graph.save(tmp_path / name)
    with pytest.raises(UsageError, match="cannot write"):
        graph.save(tmp_path / "no" / "g.svg")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["g.dot", "g.svg"]
