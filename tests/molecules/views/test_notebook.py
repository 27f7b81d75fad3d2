"""In Jupyter: a table with structures, the score against QED, a pose that can be turned. Nothing of it can act."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

import pytest
from rdkit import Chem

import tgsci as tg
import tgsci_molecules
from tgsci.errors import UsageError
from tgsci.feedback import Feedback
from tgsci.search.trial import State, Trial, Trials
from tgsci_molecules import Settings, Target, dock, plot_tradeoff, table, view, view_trial

QUICK = {"exhaustiveness": 1, "max_evals": 1_000, "conformers": 1, "isomers": 1, "box": 14.0}
HOSTILE = "<script>alert(1)</script>\"'"


@pytest.fixture(scope="module")
def result() -> Any:
    start = ["Cc1ccccc1C(N)=O", "Nc1ncccn1", "c1ccc2[nH]ccc2c1", "O=C1NCCc2ccccc21", "Cc1cc(C)[nH]n1"]
    problem = tgsci_molecules.domain.problem({"target": "ABL1", "start": start, "finalists": 0, **QUICK})
    return tg.solve(problem, optimizer="random", budget=7, seed=1, workers=1)


class Tags(HTMLParser):
    """Which elements stand in a page, with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def with_trial(result: Any, trial: Trial) -> Any:
    """The result with one more trial, as a hostile model or file would write it."""
    copy = tg.Result.__new__(tg.Result)
    copy.__dict__.update(vars(result))
    copy.trials = Trials([*result.trials, trial], result.trials.loss)
    return copy


# -- the table -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_table_shows_structures_and_figures_with_units(result: Any) -> None:
    shown = table(result, top=3)
    page = Tags(shown._repr_html_())
    pictures = [attributes["src"] for tag, attributes in page.found if tag == "img"]
    assert len(pictures) == 3
    assert all(str(source).startswith("data:image/svg+xml,") for source in pictures)
    assert "vina (kcal/mol)" in page.text
    assert next(a["data-v"] for tag, a in page.found if tag == "td" and "data-v" in a) == str(result.best.number)


def test_the_frame_has_the_same_figures_as_numbers(result: Any) -> None:
    frame = table(result).frame
    ranked = result.trials.ranked()
    assert frame["number"].tolist() == [trial.number for trial in ranked]
    assert frame["smiles"].map(Chem.MolFromSmiles).notna().all()
    vina = [trial.feedback.metrics["vina"] for trial in ranked]
    assert frame["vina (kcal/mol)"].tolist() == pytest.approx(vina, abs=5e-4)


def test_columns_can_be_chosen_and_a_wrong_one_is_named(result: Any) -> None:
    assert table(result, columns=["QED", "TPSA"]).frame.columns.tolist() == [
        "number",
        "smiles",
        "QED",
        "TPSA (A^2)",
        "reason",
    ]
    with pytest.raises(UsageError, match=r"no column 'potency'; there are: .*vina"):
        table(result, columns=["potency"])


def test_a_hostile_trial_is_text_in_the_table(result: Any) -> None:
    feedback = Feedback(-99.0, HOSTILE, {"vina": -99.0})
    trial = Trial(len(result.trials), 9, HOSTILE, reason=HOSTILE, state=State.ACCEPTED, feedback=feedback)
    page = Tags(table(with_trial(result, trial), top=2)._repr_html_())
    assert not [tag for tag, _ in page.found if tag == "script"]
    assert page.text.count(HOSTILE) >= 2


def test_an_empty_run_has_an_empty_table(result: Any) -> None:
    empty = with_trial(result, Trial(0, 0, "C"))
    empty.trials, empty.finals = Trials([], result.trials.loss), {}
    assert len(table(empty).frame) == 0
    assert "<table>" in table(empty)._repr_html_()


# -- the plot --------------------------------------------------------------------------------------------


def marked(figure: Any, label: str) -> list[tuple[float, float]]:
    axes = figure.axes[0]
    lines = [line for line in axes.get_lines() if line.get_label() == label]
    return [tuple(point) for point in lines[0].get_xydata()] if lines else []


def test_nothing_beats_what_stands_on_the_front(result: Any) -> None:
    figure = plot_tradeoff(result)
    front = marked(figure, "Pareto front")
    points = [(t.feedback.metrics["vina"], t.feedback.metrics["QED"]) for t in result.trials if t.measured]
    beaten = {p for p in points for q in points if q != p and q[0] <= p[0] and q[1] >= p[1]}
    assert set(front) == set(points) - beaten
    assert figure.axes[0].get_xlabel() == "vina (kcal/mol), lower is better"
    assert figure.axes[0].get_ylabel() == "QED, higher is better"
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_a_molecule_outside_a_limit_is_not_on_the_front(result: Any) -> None:
    outside = Feedback(-99.0, "", {"vina": -99.0, "QED": 1.0}, {"MW <= 300": 5.0})
    trial = Trial(len(result.trials), 1, "CCC", state=State.REJECTED, feedback=outside)
    assert (-99.0, 1.0) not in marked(plot_tradeoff(with_trial(result, trial)), "Pareto front")


def test_a_figure_that_no_molecule_has_is_named(result: Any) -> None:
    with pytest.raises(UsageError, match=r"both 'vina' and 'IC50'; there are: .*QED"):
        plot_tradeoff(result, y="IC50")


# -- the pose ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_pose_stands_in_its_pocket(result: Any) -> None:
    shown = view_trial(result)
    page = shown._repr_html_()
    assert f"trial {result.best.number}" in page
    models = re.findall(r'addModel\((".*?"),"(\w+)"\)', page)
    assert [kind for _, kind in models] == ["pdb", "pdb", "sdf"]
    pocket, pose = json.loads(models[1][0]), json.loads(models[2][0])
    assert "THR" in pocket
    ligand = Chem.MolFromMolBlock(pose)
    assert ligand.GetNumHeavyAtoms() == Chem.MolFromSmiles(result.best.value).GetNumHeavyAtoms()
    assert ligand.GetConformer().Is3D()


def test_what_is_loaded_from_where_is_said_where_it_does_not_load(result: Any) -> None:
    page = Tags(view_trial(result)._repr_html_())
    assert "cdn.jsdelivr.net" in page.text
    assert not [a for tag, a in page.found if tag == "script" and a.get("src")]
    own = view_trial(result, script="https://intranet.example/3Dmol-min.js")._repr_html_()
    assert "https://intranet.example/3Dmol-min.js" in own
    assert "jsdelivr" not in own
    with pytest.raises(UsageError, match="address"):
        view_trial(result, script="x');alert(1);//")


@pytest.mark.slow
def test_the_contacts_of_a_pose_are_drawn_between_the_right_atoms() -> None:
    docking = dock("Cc1ccc(NC(=O)c2ccncc2)cc1", "ABL1", Settings(exhaustiveness=2, max_evals=3_000, conformers=1))
    shown = view(docking)
    from tgsci_molecules.pose import explain

    said = explain(docking, Target("ABL1"))
    assert len(shown.contacts) == len(said.hbonds) + len(said.salt_bridges)
    for contact in shown.contacts:
        (a, b) = contact.ends
        assert sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5 == pytest.approx(contact.distance, abs=0.02)


def test_a_page_of_its_own_is_written(result: Any, tmp_path: Any) -> None:
    path = view_trial(result).write(tmp_path / "pose.html")
    assert path.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"number": 999}, "there is no trial 999; the run has 0 to"),
        ({"number": -1}, "there is no trial -1"),
        ({"target": "JAK2"}, "no pose for 'JAK2'.*ABL1"),
    ],
)
def test_what_is_not_there_is_said(result: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        view_trial(result, **arguments)


def test_a_failed_trial_has_no_pose(result: Any) -> None:
    trial = Trial(len(result.trials), 1, "CCC", state=State.FAILED, feedback=Feedback.failed("embedding"))
    with pytest.raises(UsageError, match="was not docked"):
        view_trial(with_trial(result, trial), trial.number)


def test_pictures_of_the_table_are_whole_svgs(result: Any) -> None:
    page = Tags(table(result, top=1)._repr_html_())
    (source,) = [str(a["src"]) for tag, a in page.found if tag == "img"]
    assert ET.fromstring(unquote(source.partition(",")[2])).tag.endswith("svg")
