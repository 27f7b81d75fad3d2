"""A child against its parent: the pose, its groups, its contacts, and what the parent's pose would give."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from rdkit import Chem

from tgsci.feedback import Feedback
from tgsci.search.trial import State, Trial, Trials
from tgsci_molecules import DockingLoss, Objective, Settings, explain
from tgsci_molecules.insight.contrast import advice, contrast
from tgsci_molecules.objective.presets import PRESETS
from tgsci_molecules.objective.revisit import PLACED
from tgsci_molecules.pose.place import place

QUICK = Settings(exhaustiveness=4, max_evals=4_000, conformers=1)
PARENT, CHILD = "CC(=O)Nc1ccc(O)cc1", "CC(=O)Nc1ccc(O)c(F)c1"


@cache
def loss() -> Objective:
    return DockingLoss("ABL1", QUICK)


@cache
def measured(value: str) -> Feedback:
    return loss().measure(loss().validate(value))


def trial(number: int, value: str, feedback: Feedback | None = None, **fields: object) -> Trial:
    return Trial(number, number, value, state=State.REJECTED, feedback=feedback or measured(value), **fields)  # type: ignore[arg-type]


def placed(value: str, onto: str) -> Feedback:
    return loss().reconsider(value, measured(value), measured(onto))


def moved(feedback: Feedback, rotation: np.ndarray, shift: tuple[float, float, float]) -> Feedback:
    """Move the pose of a measurement as a whole, about its own middle."""
    mol = Chem.MolFromMolBlock(str(feedback.artifacts["pose.sdf"]), removeHs=False)
    xyz = mol.GetConformer().GetPositions()
    middle = xyz.mean(axis=0)
    mol.GetConformer().SetPositions((xyz - middle) @ rotation.T + middle + np.array(shift))
    return replace(feedback, artifacts={**feedback.artifacts, "pose.sdf": Chem.MolToMolBlock(mol)})


def words(parent: Trial, child: Trial) -> str:
    return contrast(loss(), parent, child)


def test_a_pose_that_stayed_is_kept_whatever_symmetry_does() -> None:
    said = words(trial(0, PARENT), trial(1, PARENT))
    assert said.splitlines()[0] == "pose kept (0.0 A)"
    ring_turned = trial(1, "Cc1ccccc1")
    assert "pose kept (0.0 A)" in words(ring_turned, ring_turned)


def test_a_pose_that_moved_is_shifted_and_one_that_turned_over_is_flipped() -> None:
    parent = trial(0, PARENT)
    shifted = moved(measured(PARENT), np.eye(3), (3.0, 0.0, 0.0))
    assert words(parent, trial(1, PARENT, shifted)).startswith("pose shifted 3.0 A")
    xyz = Chem.MolFromMolBlock(str(measured(PARENT).artifacts["pose.sdf"])).GetConformer().GetPositions()
    across = np.linalg.svd(xyz - xyz.mean(axis=0))[2][1]
    over = 2 * np.outer(across, across) - np.eye(3)  # half a turn: the ends change places
    assert words(parent, trial(1, PARENT, moved(measured(PARENT), over, (0.0, 0.0, 0.0)))).startswith("pose flipped (")


def test_the_parents_pose_is_told_with_its_figure() -> None:
    feedback = placed(CHILD, PARENT)
    table = json.loads(str(feedback.artifacts[PLACED]))["ABL1"]

    def said(child: Feedback = feedback, **figures: float | None) -> str:
        changed = {**child.artifacts, PLACED: json.dumps({"ABL1": {**table, **figures}})}
        after = replace(child, artifacts=changed)
        return words(trial(0, PARENT), trial(1, CHILD, after, parent=0)).splitlines()[0]

    assert "missed its parent's pose: -9.0 there (docked -8.0)" in said(placed=-9.0, docked=-8.0)
    assert "missed its parent's pose: -9.0 there (it does not fit by docking)" in said(placed=-9.0, docked=None)
    assert "in its parent's pose -9.04, which counts (docked -9.02)" in said(placed=-9.04, docked=-9.02)
    assert "parent's pose" not in said(placed=-8.0, docked=-9.0), "docking found that pose itself"
    elsewhere = moved(feedback, np.eye(3), (3.0, 0.0, 0.0))
    assert "in its parent's pose -8.0 (docked -9.0)" in said(elsewhere, placed=-8.0, docked=-9.0)


def test_a_contact_whose_atoms_stayed_is_neither_gained_nor_lost() -> None:
    with_bond, without = measured(PARENT), measured(PARENT)
    table = json.loads(str(with_bond.artifacts["pose.json"]))
    bond = {"atom": 2, "residue": "Met318", "role": "acceptor"}
    bonded, free = (
        replace(without, artifacts={**without.artifacts, "pose.json": json.dumps({**table, "hbonds": bonds})})
        for bonds in ([bond], [])
    )
    for parent, child, word in ((free, bonded, "gained"), (bonded, free, "lost")):
        assert word not in words(trial(0, PARENT, parent), trial(1, PARENT, child))
        away = moved(child, np.eye(3), (0.8, 0.0, 0.0))
        assert f"{word} hydrogen bond Met318" in words(trial(0, PARENT, parent), trial(1, PARENT, away))


def test_an_amine_in_place_of_an_amide_gains_its_salt_bridge() -> None:
    amide, amine = "NC(=O)c1ccccc1", "NCc1ccccc1"
    table = json.loads(str(measured(amine).artifacts["pose.json"]))
    bridged = json.dumps({**table, "hbonds": [], "salt_bridges": [{"atom": 0, "residue": "Asp994"}]})
    pose = place(amine, Chem.MolFromMolBlock(str(measured(amide).artifacts["pose.sdf"])), loss().target, QUICK, None)
    assert pose is not None
    there = {"pose.json": bridged, "pose.sdf": Chem.MolToMolBlock(pose.pose)}
    child = replace(measured(amine), artifacts={**measured(amine).artifacts, **there})
    assert "gained salt bridge Asp994" in words(trial(0, amide), trial(1, amine, child))


def test_a_careful_figure_keeps_what_the_first_one_found_in_the_parents_pose() -> None:
    better = {"ABL1": {"placed": -9.0, "docked": -8.0, "same": False}}
    first = placed(CHILD, PARENT)
    first = replace(first, artifacts={**first.artifacts, PLACED: json.dumps(better)})
    careful = loss().reconsider(CHILD, measured(CHILD), measured(CHILD))
    assert "its parent's pose" in words(trial(0, PARENT), trial(1, CHILD, careful, first=first))
    assert "its parent's pose" not in words(trial(0, PARENT), trial(1, CHILD, careful))


def test_contacts_are_balanced_and_new_groups_have_a_place() -> None:
    said = words(trial(0, PARENT), trial(1, CHILD, placed(CHILD, PARENT)))
    second = said.splitlines()[1]
    assert "contacts of the common part -" in second
    assert ", new part " in second
    assert "new F in " in second
    back = words(trial(0, CHILD), trial(1, PARENT, placed(PARENT, CHILD)))
    assert ", part lost " in back


def test_of_another_molecule_is_said_what_it_holds_and_nothing_of_what_is_gone() -> None:
    said = words(trial(0, "C1CCCC1"), trial(1, PARENT))
    first, *second = said.splitlines()
    assert first == "little in common with its parent"
    assert all(line.startswith("with ") for line in second)
    back = words(trial(0, PARENT), trial(1, "C1CCCC1"))
    assert back == first, "it holds by no contact of direction"


def test_advice_to_grow_is_held_against_what_came() -> None:
    parent = measured(PARENT)
    report = json.loads(str(parent.artifacts["pose.json"]))
    row = {"atom": 6, "character": "lipophilic", "substituents": [["fluoro", -0.01], ["ethyl", -2.0]]}

    def after(**fields: object) -> str:
        table = {**report, "growth": [{**row, **fields}]}
        advised = replace(parent, artifacts={**parent.artifacts, "pose.json": json.dumps(table)})
        child = replace(measured(CHILD), artifacts=dict(moved_child().artifacts))
        return words(trial(0, PARENT, advised), trial(1, CHILD, child)).splitlines()[0]

    for number in range(Chem.MolFromSmiles(PARENT).GetNumAtoms()):
        row["atom"] = number
        if "grown at" in after():
            break
    assert f"grown at C{row['atom'] + 1} as the report advised (fluoro -0.0 promised, -" in after()
    assert "came: it came true)" in after()
    assert "(the best group -9.0 promised, -" in after(substituents=[["ethyl", -9.0]])
    assert "it did not come true)" in after(substituents=[["ethyl", -9.0]])
    assert "where the report saw no room" in after(character="closed")
    assert "where the report saw no gain" in after(substituents=[])
    followed = [after(), after(), after(substituents=[["ethyl", -9.0]]), after(character="closed"), ""]
    trials = Trials([replace(trial(0, PARENT), number=n, contrast=text) for n, text in enumerate(followed)])
    assert advice(trials) == (
        "The reports' advice to grow (GROWTH) was followed 3 times: it came true 2 times, earned less than promised 1, "
        "and the pose did not stay 0."
    )
    assert advice(Trials([trial(0, PARENT)])) == ""


@cache
def moved_child() -> Feedback:
    """The child as it lies in its parent's pose, whatever docking found."""
    pose = Chem.MolFromMolBlock(str(measured(PARENT).artifacts["pose.sdf"]), removeHs=False)
    docking = place(CHILD, pose, loss().target, QUICK, None)
    assert docking is not None
    table = json.dumps(explain(docking, loss().target).as_dict())
    return Feedback(0.0, artifacts={"pose.sdf": docking.sdf(), "pose.json": table})


def test_an_open_stereocentre_is_told_as_it_was_docked() -> None:
    child = "CC(O)c1ccccc1"
    said = words(trial(0, "CCc1ccccc1"), trial(1, child))
    isomer = said.partition(";")[0].removeprefix("docked as ")
    assert isomer in ("C[C@H](O)c1ccccc1", "C[C@@H](O)c1ccccc1")
    assert f">  <isomer>\n{isomer}\n" in str(measured(child).artifacts["pose.sdf"])


@pytest.mark.parametrize(
    "artifacts",
    [
        {},
        {"pose.sdf": b"\xff", "pose.json": "{}"},
        {"pose.sdf": "x", "pose.json": "[]"},
        {"pose.sdf": "x", "pose.json": json.dumps({"smiles": CHILD, "atoms": 3})},
        {"pose.json": "not JSON"},
    ],
)
def test_where_there_is_no_usable_pose_nothing_is_said(artifacts: dict[str, str | bytes]) -> None:
    odd = Feedback(-1.0, metrics=measured(CHILD).metrics, artifacts=artifacts)
    assert words(trial(0, PARENT), trial(1, CHILD, odd)) == ""
    assert words(trial(0, CHILD, odd), trial(1, PARENT)) == ""
    assert words(trial(0, PARENT), trial(1, CHILD, Feedback.failed("no pose"))) == ""
    assert words(trial(0, PARENT), Trial(1, 1, CHILD)) == ""


@pytest.mark.slow
def test_several_targets_tell_of_the_one_that_decides_first() -> None:
    form = PRESETS["dockstring-jak2"]
    objective = Objective(form.targets, form.terms, settings=replace(QUICK, exhaustiveness=2))
    before, after = (Trial(n, n, value, feedback=objective.measure(value)) for n, value in enumerate((PARENT, CHILD)))
    first, second = contrast(objective, before, after).splitlines()
    assert first.startswith("JAK2: ")
    assert "; LCK: pose " in second
