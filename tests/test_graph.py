"""The computation graph: its DOT text holds whatever stands in the variables; Graphviz, where it is there, draws it."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsci.errors import GraphError, UsageError
from tgsci.feedback import Feedback
from tgsci.graph import MOST, MOST_ARROWS, Graph, levels
from tgsci.variable import Variable

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


def boxes(graph: Graph) -> list[str]:
    return re.findall(r'^  n\d+ \[label="(.*?)", tooltip=', graph.source, re.MULTILINE)


def arrows(graph: Graph) -> list[str]:
    return re.findall(r"^  (n\d+ -> n\d+);$", graph.source, re.MULTILINE)


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
    assert len(arrows(graph)) == 7
    for expected in ("molecule", "CCO", "Be brief.", "loss -7.25", "not measured", "pocket is empty"):
        assert expected in "".join(boxes(graph))


def test_feedback_is_shown_where_asked_for() -> None:
    assert "fill the pocket" not in design().generate_graph().source
    graph = design().generate_graph(print_gradients=True)
    assert "fill the pocket" in graph.source
    assert "fill the pocket" in str(graph)


def test_the_outline_names_each_variable_and_where_it_came_from() -> None:
    rows = str(Graph(design())).splitlines()
    assert rows[0].startswith("[0] sum: both  <- ")
    assert sum("<-" in row for row in rows) == 4
    assert sum(row.count("[") - 1 for row in rows) == 7


def test_one_variable() -> None:
    graph = Graph(Variable("CCO"))
    assert len(boxes(graph)) == 1
    assert not arrows(graph)
    assert "(no role)" in boxes(graph)[0]
    assert repr(graph) == "Graph(1 variables)"


def test_an_image_and_an_empty_value() -> None:
    image = Variable(b"\x89PNG", requires_grad=False, role_description="plot")
    assert "[image, 4 bytes]" in Graph(Variable("", predecessors=[image], role_description="answer")).source


def test_a_cycle_is_said() -> None:
    a = Variable("a")
    a.predecessors = (Variable("b", predecessors=[a]),)
    with pytest.raises(GraphError, match="cycle"):
        Graph(a)


def test_levels_are_the_longest_distance_from_the_output() -> None:
    a = Variable("a")
    b = Variable("b", predecessors=[a])
    c = Variable("c", predecessors=[a, b])
    assert levels(c) == [[c], [b], [a]]
    assert levels(c, lambda variable: variable is not b) == [[c], [a]]


# -- hostile text ------------------------------------------------------------------------------------

HOSTILE = '</text></svg><script>alert("&amp;")</script> \x1b[2J \x00 \ud800 \uffff \u202e ]]> <!-- \\N \\" \\'


@needs_dot
def test_hostile_text_stays_text() -> None:
    variable = Variable(HOSTILE, role_description=HOSTILE)
    variable.add_gradient(HOSTILE)
    graph = Graph(variable, print_gradients=True)
    svg = graph.pipe("svg").decode()
    assert "<script>" not in svg
    assert "&lt;script&gt;alert" in svg
    for forbidden in "\x1b\x00\uffff\u202e":
        assert forbidden not in graph.source + str(graph)


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_gives_dot(value: str, role: str) -> None:
    variable = Variable(value, role_description=role)
    variable.add_gradient(value)
    graph = Graph(Variable(role, predecessors=[variable], role_description=value), print_gradients=True)
    assert len(boxes(graph)) == 2
    graph.source.encode("utf-8")
    # Outside quoted strings, in which a backslash takes the next character with it, DOT is all ours.
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', graph.source)
    assert re.fullmatch(r"[\w\s\[\]{}=,;.>-]*", bare.replace('""', ""))
    assert bare.count("n1 -> n0;") == 1
    lines = str(graph).split("\n")
    assert all(line.isprintable() for line in lines)
    assert [line[:4] for line in lines if line.startswith("[")] == ["[0] ", "[1] "]


def test_neither_backslashes_nor_entities_are_graphviz_own() -> None:
    label = boxes(Graph(Variable(r"C\C=C/C \N &lt;")))[0]
    assert label == r"(no role)\lC\\C=C/C \\N &amp;lt;\l"


@pytest.mark.parametrize("value", ["C" * 100_000, "word " * 20_000, "字" * 50_000, "e\u0301" * 50_000])
def test_text_is_bounded(value: str) -> None:
    graph = Graph(Variable(value, role_description=value))
    assert len(graph.source.encode()) < 20_000
    lines = boxes(graph)[0].split(r"\l")[:-1]
    assert len(lines) == 6
    assert max(map(len, lines)) <= 38
    assert lines[-1].endswith("…")


# -- size --------------------------------------------------------------------------------------------


def test_a_long_chain_shows_its_end_and_says_what_is_left_out() -> None:
    graph = Graph(chain(300))
    assert len(boxes(graph)) == MOST == 200
    assert len(arrows(graph)) == 199
    assert "step 299" in graph.source
    assert "step 100" in graph.source
    assert r"step 99\l" not in graph.source
    for text in (graph.source, str(graph)):
        assert "100 more variables" in text


def test_five_thousand_variables_do_not_recurse() -> None:
    assert Graph(chain(5000)).left_out == 4800


def test_a_dense_graph_shows_what_can_be_drawn() -> None:
    layers: list[list[Variable]] = [[Variable(str(i)) for i in range(14)]]
    for _ in range(13):
        layers.append([Variable("x", predecessors=[v for layer in layers for v in layer]) for _ in range(14)])
    graph = Graph(Variable("end", predecessors=layers[-1]))
    assert 100 < len(arrows(graph)) <= MOST_ARROWS
    assert graph.left_out > 100


def test_the_order_is_the_same_every_time() -> None:
    assert Graph(design(), True).source == Graph(design(), True).source


# -- drawing -----------------------------------------------------------------------------------------


@needs_dot
def test_it_is_drawn_as_textgrads_graph_is(tmp_path: Path) -> None:
    graph = design().generate_graph()
    path = graph.render(tmp_path / "loss", format="svg")
    assert path == str(tmp_path / "loss.svg")
    assert "molecule" in Path(path).read_text(encoding="utf-8")
    assert (tmp_path / "loss").read_text(encoding="utf-8") == graph.source
    graph.format = "png"
    assert graph.render("loss.gv", directory=tmp_path, cleanup=True) == str(tmp_path / "loss.gv.png")
    svg = graph._repr_svg_()
    assert svg
    assert graph._repr_mimebundle_() == {"text/plain": str(graph), "image/svg+xml": svg}
    assert graph.pipe("png").startswith(b"\x89PNG")


def test_save(tmp_path: Path) -> None:
    graph = Graph(design())
    for name in ("g.dot", "g.gv"):
        assert graph.save(tmp_path / name).read_text(encoding="utf-8") == graph.source
    for name in ("g.gif", "g", "g.svg.exe"):
        with pytest.raises(UsageError, match=r"\.gv or \.dot"):
            graph.save(tmp_path / name)
    with pytest.raises(UsageError, match="cannot write"):
        graph.save(tmp_path / "no" / "g.dot")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["g.dot", "g.gv"]


@needs_dot
def test_an_image_is_saved(tmp_path: Path) -> None:
    assert "molecule" in Graph(design()).save(tmp_path / "g.svg").read_text(encoding="utf-8")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["g.svg"]


def test_without_the_program_the_text_is_still_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    graph = Graph(design())
    with pytest.raises(UsageError, match=r"apt install graphviz.*graph\.source"):
        graph.render(tmp_path / "g")
    assert graph._repr_svg_() is None
    assert graph._repr_mimebundle_() == {"text/plain": str(graph)}
    assert graph.save(tmp_path / "g.dot").read_text(encoding="utf-8") == graph.source


def test_without_the_package_the_text_is_still_there() -> None:
    code = (
        "import sys; sys.modules['graphviz'] = None; import tgsci; g = tgsci.Variable('x').generate_graph(); "
        "print(g.source)\ntry: g.render()\nexcept tgsci.UsageError as e: print(e)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "digraph" in done.stdout
    assert "pip install graphviz" in done.stdout
