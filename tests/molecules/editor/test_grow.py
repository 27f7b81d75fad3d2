"""Edits that the pose asks for: they answer what its page says, at the atoms it names."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

pytest.importorskip("rdkit")

from rdkit import Chem

from tests.molecules.searches import DOCKING, DRUG, trial
from tgsci.feedback import Feedback
from tgsci.search.trial import State, Trial, Trials
from tgsci_molecules.editor.candidates import Candidate
from tgsci_molecules.editor.grow import FRAGMENTS, edits_from_pose, fitting
from tgsci_molecules.editor.predictor import VECTOR_BONUS, Predictor, is_pose_edit
from tgsci_molecules.editor.rules import RuleEditor
from tgsci_molecules.editor.transformations import TRANSFORMATIONS

PARENT = "Cc1ccc(C(=O)Nc2cccnc2)cc1"
VECTOR = {
    "atom": 0,
    "reach": 5.1,
    "volume": 36.0,
    "character": "lipophilic",
    "energy": -0.5,
    "residues": ["Phe382", "Leu370"],
    "fits": "a ring",
}


def posed(pose: Any, smiles: str = PARENT) -> Trial:
    content = pose if isinstance(pose, str | bytes) else json.dumps({"smiles": smiles, **pose})
    feedback = Feedback(-7.0, metrics={"vina": -8.0, "QED": 0.8}, artifacts={"pose.json": content})
    return Trial(0, 0, smiles, state=State.ACCEPTED, feedback=feedback)


def test_the_library_is_in_order() -> None:
    assert len({f.name for f in FRAGMENTS}) == len({f.smiles for f in FRAGMENTS}) == len(FRAGMENTS) >= 80
    for f in FRAGMENTS:
        assert set(f.characters) <= {"lipophilic", "donor", "acceptor", "solvent"}
        assert Chem.MolFromSmiles(f"c1ccccc1-{f.smiles}") is not None
        donors = Chem.MolFromSmiles(f"c1ccccc1-{f.smiles}").HasSubstructMatch(Chem.MolFromSmarts("[#7,#8;!H0]"))
        assert donors == ("donor" in f.characters), f.name


def test_what_is_grown_fits_the_room() -> None:
    names = [f.name for f in fitting(5.1, 36.0, "lipophilic")]
    assert "phenyl" in names
    assert "benzyl" not in names
    assert "morpholin-4-yl" not in names
    assert [f.name for f in fitting(2.0, 6.0, "lipophilic")][-1] in ("chloro", "fluoro", "methyl")
    assert all("donor" in f.characters for f in fitting(6.0, 60.0, "donor"))
    assert fitting(0.5, 4.0, "lipophilic") == []


def test_a_growth_vector_is_filled_at_its_atom_and_quoted() -> None:
    found = edits_from_pose(posed({"growth": [VECTOR]}))
    phenyl = next(s for s in found if s.step == "grow phenyl at atom 1")
    assert phenyl.smiles == Chem.CanonSmiles("O=C(Nc1cccnc1)c1ccc(Cc2ccccc2)cc1")
    assert phenyl.atoms == (0,)
    assert "C1-H points 5.1 A into a lipophilic pocket lined by Phe382, Leu370" in phenyl.evidence
    assert all(is_pose_edit(s.step) for s in found)
    assert not any(is_pose_edit(t.name) for t in TRANSFORMATIONS)


def test_what_the_page_tried_is_taken_at_its_word() -> None:
    tried = [["phenyl", 2.0], ["methoxy", -1.3], ["chloro", -0.1], ["nonsense", -9.0], "x", ["fluoro", None]]
    found = edits_from_pose(posed({"growth": [{**VECTOR, "substituents": tried}]}))
    steps = [s.step for s in found]
    assert steps[0] == "grow methoxy at atom 1"
    assert "methoxy could earn -1.3 kcal/mol" in found[0].evidence
    assert "grow phenyl at atom 1" not in steps
    assert "grow chloro at atom 1" not in steps


def test_an_atom_without_hydrogen_is_not_grown() -> None:
    assert edits_from_pose(posed({"growth": [{**VECTOR, "atom": 1}]})) == ()


def test_a_group_that_earns_nothing_is_dropped_or_swapped() -> None:
    parent = Chem.CanonSmiles("O=C(Nc1ccc(N2CCOCC2)cc1)c1ccccc1")
    mol = Chem.MolFromSmiles(parent)
    (match,) = mol.GetSubstructMatches(Chem.MolFromSmarts("N1CCOCC1"))
    found = edits_from_pose(posed({"fragments": [{"atoms": list(match), "energy": -0.2}]}, parent))
    assert Chem.CanonSmiles("O=C(Nc1ccccc1)c1ccccc1") in [s.smiles for s in found]
    assert Chem.CanonSmiles("COc1ccc(NC(=O)c2ccccc2)cc1") in [s.smiles for s in found]
    assert "earns -0.2 kcal/mol with 6 heavy atoms" in found[0].evidence
    assert edits_from_pose(posed({"fragments": [{"atoms": list(match), "energy": -3.0}]}, parent)) == ()


def test_a_buried_polar_atom_without_a_partner_loses_its_polarity() -> None:
    mol = Chem.MolFromSmiles(PARENT)
    nitrogen = next(a.GetIdx() for a in mol.GetAtoms() if a.GetSymbol() == "N" and a.GetIsAromatic())
    found = edits_from_pose(posed({"unsatisfied": [{"atom": nitrogen, "role": "acceptor", "burial": 0.9}]}))
    phenyl = next(s for s in found if s.smiles == Chem.CanonSmiles("Cc1ccc(C(=O)Nc2ccccc2)cc1"))
    assert phenyl.step == f"ring N to CH at atom {nitrogen + 1}"
    assert f"N{nitrogen + 1} is a buried acceptor without a partner" in phenyl.evidence
    assert all(nitrogen in s.atoms for s in found)


def test_a_clash_is_relieved() -> None:
    found = edits_from_pose(posed({"repulsive": [{"atom": 0, "residue": "Thr315", "energy": 0.8}]}))
    assert [s.step for s in found] == ["drop at atom 1", "swap for fluoro at atom 1"]
    assert "C1 clashes with Thr315 (+0.8 kcal/mol)" in found[0].evidence


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        "null",
        "[" * 100_000,
        b"\xff\xfe",
        json.dumps({"smiles": "CCO", "growth": [VECTOR]}),
        json.dumps({"smiles": None, "growth": [VECTOR]}),
        json.dumps({"smiles": PARENT, "growth": 3, "fragments": "x", "unsatisfied": {}, "repulsive": [1]}),
        json.dumps({"smiles": PARENT, "growth": [{"atom": 99}, {"atom": -1}, {"atom": True}, {"atom": "0"}, []]}),
        json.dumps({"smiles": PARENT, "growth": [{"atom": 0, "reach": "far", "volume": None, "residues": 7}]}),
        json.dumps({"smiles": PARENT, "fragments": [{"atoms": [0, 99]}, {"atoms": []}, {"atoms": "01"}]}),
    ],
)
def test_a_page_that_makes_no_sense_is_ignored(content: str | bytes) -> None:
    assert edits_from_pose(posed(content)) == ()


@pytest.mark.slow
def test_the_editor_proposes_them_with_the_evidence_and_without_a_pose_goes_on_as_ever() -> None:
    trials = Trials([posed({"growth": [VECTOR]})], DOCKING)
    proposals = RuleEditor(pose_edits=20).ask(trials, 12, random.Random(0))
    grown = [p for p in proposals if is_pose_edit(p.edit)]
    assert grown
    assert any("C1-H points 5.1 A" in p.reason for p in grown)
    assert not any(is_pose_edit(p.edit) for p in RuleEditor(pose_edits=0).ask(trials, 12, random.Random(0)))
    assert len(RuleEditor().ask(Trials([trial(0, PARENT, DRUG)], DRUG), 4, random.Random(0))) == 4


@pytest.mark.parametrize(("grown", "other", "least", "most"), [(-1, 1, 0.9, 1.0), (1, -1, 0.0, 0.1), (0, 0, 0.0, 0.0)])
def test_growth_is_favoured_as_far_as_it_proved_right(grown: int, other: int, least: float, most: float) -> None:
    trials = [trial(0, PARENT, DOCKING)]
    start = trials[0].loss
    for i in range(12 if grown else 0):
        change, edit = (grown, "grow phenyl at atom 1") if i % 2 else (other, "aryl H to F")
        feedback = Feedback(start + change, metrics={"vina": -8.0, "QED": 0.8})
        trials.append(Trial(i + 1, i + 1, "C" * (i + 3), parent=0, edit=edit, feedback=feedback))
    predictor = Predictor(Trials(trials, DOCKING))
    merit = predictor.merit(Candidate("CCO", trials[0], ("x",), ("CCO",), "the pose says so")) / (
        VECTOR_BONUS * predictor.unit
    )
    assert least - 1e-9 <= merit <= most + 1e-9
    assert predictor.merit(Candidate("CCO", trials[0], ("x",), ("CCO",))) == 0.0
