"""The picture and the notebook page of a pose: they stand in a page, and nothing in them runs."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from tgsci_molecules import Settings, Target, dock
from tgsci_molecules.pose import PoseReport, atom_colours, explain, svg
from tgsci_molecules.pose.drawing import FULL


@pytest.fixture(scope="module")
def report() -> PoseReport:
    quick = Settings(exhaustiveness=1, max_evals=3_000, conformers=1)
    return explain(dock("Cc1ccc(Cl)cc1NC(C)=O", "ABL1", quick), Target("ABL1"))


def test_atoms_are_coloured_by_what_they_bring(report: PoseReport) -> None:
    atoms = tuple(replace(a, energy=e) for a, e in zip(report.atoms[:4], (-2.0, -FULL / 2, 0.0, 1.0), strict=True))
    good, fair, nothing, bad = atom_colours(replace(report, atoms=atoms)).values()
    assert good[2] > good[0]  # blue
    assert nothing == (1.0, 1.0, 1.0)
    assert bad[0] > bad[2]  # orange
    assert good[0] < fair[0] < 1.0


def test_the_picture_numbers_atoms_and_marks_where_to_grow(report: PoseReport) -> None:
    picture = svg(report, 500, 300)
    root = ET.fromstring(picture)
    assert root.tag.endswith("svg")
    useful = [g for g in report.growth if g.character not in ("closed", "solvent")]
    titles = re.findall(r"<title>([A-Z][a-z]?)(\d+): ", picture)
    assert [int(number) - 1 for _, number in titles] == [g.atom for g in useful[:6]]
    for figure in re.findall(r'(?:x1|y1|x2|y2)="([^"]+)"', picture):
        assert 0 <= float(figure) <= 500


def test_one_atom_and_a_chain_are_drawn_too(report: PoseReport) -> None:
    quick = Settings(exhaustiveness=1, max_evals=1_000, conformers=1)
    for smiles in ("CCO", "C#N"):
        assert ET.fromstring(svg(explain(dock(smiles, "ABL1", quick), Target("ABL1")))).tag.endswith("svg")


def test_the_notebook_page_escapes_what_it_shows(report: PoseReport) -> None:
    hostile = replace(report, target="<script>alert(1)</script>", numbering="<img src=x onerror=alert(1)>")
    page = hostile._repr_html_()
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert "<svg" in page
    assert "GROWTH" in page
