"""Real docking: known drugs score as they should, repeatably, and what is no binding mode is no score."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from rdkit import Chem

from tgsci.compute.workers import WorkerPool
from tgsci.errors import InvalidValue, MeasurementError, UsageError
from tgsci_molecules import Docking, Settings, Target, canonical, dock, explain
from tgsci_molecules.docking.vina import fingerprint, known
from tgsci_molecules.target.site import positions

DASATINIB = "Cc1nc(Nc2ncc(s2)C(=O)Nc2c(C)cccc2Cl)cc(n1)N1CCN(CCO)CC1"
IMATINIB = "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1"
QUICK = Settings(exhaustiveness=2, max_evals=5_000, conformers=1)


@pytest.fixture(scope="module")
def dasatinib() -> Docking:
    return dock(DASATINIB, "ABL1")


@pytest.mark.slow
def test_drugs_of_abl1_score_as_measured_elsewhere(dasatinib: Docking) -> None:
    assert -11.0 < dasatinib.score < -9.3
    assert -11.3 < dock(IMATINIB, "ABL1").score < -9.3


def test_the_score_is_contacts_and_torsions(dasatinib: Docking) -> None:
    assert dasatinib.inter + dasatinib.torsion_penalty == pytest.approx(dasatinib.score, abs=2e-3)
    assert dasatinib.score == min(dasatinib.scores)
    assert len(dasatinib.scores) == dasatinib.settings.conformers


@pytest.mark.slow
def test_the_same_seed_gives_the_same_score_whatever_was_docked_between(
    dasatinib: Docking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TGSCI_CACHE", "")
    again = dock(DASATINIB, Target("ABL1"), Settings())
    assert again.score == dasatinib.score
    assert np.array_equal(again.pose.GetConformer().GetPositions(), dasatinib.pose.GetConformer().GetPositions())


def test_the_pose_lies_in_the_pocket_and_is_the_molecule(dasatinib: Docking) -> None:
    record = next(Chem.ForwardSDMolSupplier(BytesIO(dasatinib.sdf({"note": "x"}).encode()), removeHs=False))
    assert Chem.CanonSmiles(Chem.MolToSmiles(Chem.RemoveHs(record))) == canonical(dasatinib.ligand.docked_smiles)
    assert record.GetProp("smiles") == canonical(DASATINIB)
    assert record.GetProp("note") == "x"
    assert float(record.GetProp("vina_kcal_per_mol")) == dasatinib.score
    offset = np.abs(record.GetConformer().GetPositions() - Target("ABL1").center)
    heavy = [a.GetIdx() for a in record.GetAtoms() if a.GetAtomicNum() > 1]
    assert offset[heavy].max() <= dasatinib.box / 2 + 0.5


def test_docking_prints_nothing_and_threads_do_not_mix(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TGSCI_CACHE", "")
    molecules = ["Cc1ccccc1", "CC(=O)Nc1ccc(O)cc1", "CCCCO"]
    alone = [dock(smiles, "ABL1", QUICK).score for smiles in molecules]
    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(lambda smiles: dock(smiles, "ABL1", QUICK).score, molecules))
    assert together == alone
    assert capfd.readouterr() == ("", "")


def test_a_worker_process_gives_the_same_score(dasatinib: Docking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGSCI_CACHE", "")
    with WorkerPool(1) as pool:
        assert pool.submit(dock, DASATINIB, Target("ABL1"), Settings()).result().score == dasatinib.score


def test_stereo_written_in_the_smiles_is_docked() -> None:
    for smiles in ("C[C@H](O)c1ccccc1", "C[C@@H](O)c1ccccc1", "F/C=C\\c1ccccc1"):
        found = dock(smiles, "ABL1", QUICK)
        mol = Chem.RemoveHs(found.pose)
        Chem.AssignStereochemistryFrom3D(mol)
        assert Chem.MolToSmiles(mol) == canonical(smiles)


def placed(center: tuple[float, float, float], box: tuple[float, float, float] | None = None) -> Target:
    target = replace(Target("ABL1"))
    object.__setattr__(target, "center", center)
    object.__setattr__(target, "box", box or target.box)
    return target


def test_a_box_in_solvent_is_an_error_and_says_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"lies in solvent.*809 Angstrom.*prepare --ligand"):
        dock("c1ccccc1", placed((500.0, 500.0, 500.0)), QUICK)


def test_hardly_any_contact_is_no_score() -> None:
    atoms = positions(Target("ABL1").receptor, "ABL1")
    outermost = atoms[atoms[:, 0].argmin()]
    beside = placed((float(outermost[0]) - 8.9, float(outermost[1]), float(outermost[2])), (10.0, 10.0, 10.0))
    with pytest.raises(MeasurementError, match=r"no binding mode|no pose"):
        dock("C", beside, Settings(1, 500, 10.0, 1))


@pytest.mark.slow
def test_a_ligand_that_does_not_fit_into_the_box_is_no_score() -> None:
    small = placed(Target("ABL1").center, (5.0, 5.0, 5.0))
    with pytest.raises(MeasurementError, match=r"no pose|out of the box|does not fit"):
        dock(DASATINIB, small, replace(QUICK, exhaustiveness=1, max_evals=500))


@pytest.mark.slow
def test_the_box_is_never_larger_than_the_targets_own() -> None:
    small = placed(Target("ABL1").center, (18.0, 30.0, 20.0))
    assert dock("Cc1ccccc1", small, QUICK).edges == (18.0, 22.0, 20.0)
    assert dock("Cc1ccccc1", small, replace(QUICK, whole_box=True)).edges == (18.0, 30.0, 20.0)
    assert dock("Cc1ccccc1", "ABL1", QUICK).box == 22.0


@pytest.mark.slow
def test_the_full_setting_is_vinas_own(capfd: pytest.CaptureFixture[str]) -> None:
    full = Settings.full(Target("DRD2"), Settings(seed=7))
    assert (full.exhaustiveness, full.max_evals, full.whole_box, full.seed) == (8, 0, True, 7)
    assert not full.capped
    found = dock("Cc1ccccc1", "DRD2", replace(full, exhaustiveness=1, max_evals=500, conformers=1))
    assert found.edges == Target("DRD2").box == (30.0, 30.0, 32.0)
    assert capfd.readouterr() == ("", "")  # Vina warns of its size


def test_open_stereo_is_docked_as_both_isomers_and_said() -> None:
    found = dock("CC(O)c1ccccc1", "ABL1", QUICK)
    assert [form.label for form in found.forms] == ["(S)", "(R)"]
    assert found.possible == 2
    assert found.score == min(form.score for form in found.forms)
    best, other = sorted(found.forms, key=lambda form: form.score)
    assert f"The best form counts: {best.label} {best.score:.2f} kcal/mol; {other.label} {other.score:.2f}." in (
        found.remarks
    )
    assert "Stereo undefined: stereocentre C2. Docked: both isomers" in " ".join(found.remarks)
    assert dock("C[C@H](O)c1ccccc1", "ABL1", QUICK).remarks == []
    alone = dock("CC(O)c1ccccc1", "ABL1", replace(QUICK, isomers=1))
    assert len(alone.scores) == 1
    assert "Docked: 1 of up to 2 isomers" in " ".join(alone.remarks)
    either = dock("CC=CC(=O)Nc1ccccc1", "ABL1", QUICK)
    assert "Stereo undefined: double bond C2=C3. Docked: both isomers" in " ".join(either.remarks)


def test_an_imine_with_a_hydrogen_is_docked_without_a_word_about_isomers() -> None:
    found = dock("Cc1cccc(C(=N)c2ccccc2)c1", "ABL1", QUICK)
    assert found.score < -5
    assert found.possible == 1
    assert found.remarks == []
    assert "[H]/N=C" in found.ligand.docked_smiles
    assert Chem.AddHs(found.pose).GetNumAtoms() == found.pose.GetNumAtoms()  # its hydrogen has a place


def test_isomers_that_cannot_be_are_not_docked() -> None:
    found = dock("CC1(C)C2CCC1(C)C(=O)C2", "ABL1", replace(QUICK, isomers=4))  # camphor: 2 of 4 exist
    assert len(found.forms) == 2
    assert len(set(found.isomers)) == 2
    assert "Docked: 2 of up to 4 isomers" in " ".join(found.remarks)


def test_tautomers_and_states_are_docked_where_asked_for() -> None:
    found = dock("O=c1cccc[nH]1", "ABL1", replace(QUICK, tautomers=2))
    assert [form.label for form in found.forms] == ["", "tautomer Oc1ccccn1"]
    found = dock("CCCN1CCOCC1", "ABL1", replace(QUICK, states=3))
    assert sorted(form.label for form in found.forms) == ["", "neutral, 28% at pH 7.4"]
    assert "as written" in " ".join(found.remarks)


@pytest.mark.slow
def test_a_macrocycle_is_docked_from_several_ring_shapes() -> None:
    found = dock("C1CCN(C1)CCOc1ccc2Nc3nccc(n3)-c3cccc(c3)COC/C=C/COCc1c2", "JAK2", replace(QUICK, ring_conformers=2))
    assert len(found.scores) == 2
    assert found.score < -6
    assert "best of 2 ring shapes." in found.search
    page = explain(found, Target("JAK2")).text()
    assert "The bonds of the ring of 18 atoms are not among them" in page
    assert f"DOCKED AS {found.ligand.docked_smiles}\n" in page


@pytest.mark.slow
def test_three_targets_keep_their_maps() -> None:
    targets = ["ABL1", "LCK", "EGFR"]
    for target in targets:
        dock("Cc1ccccc1", target, replace(QUICK, seed=5))
    started = time.process_time()
    for target in targets:
        dock("Cc1ccccc1F", target, replace(QUICK, seed=5, exhaustiveness=1, max_evals=500))
    assert time.process_time() - started < 1.5  # computing the maps of one takes 1 s


@pytest.mark.slow
def test_what_was_docked_before_comes_from_the_cache_and_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    first = dock("CC(O)Cc1ccccc1F", "ABL1", QUICK)
    again = dock("OC(C)Cc1ccccc1F", "ABL1", QUICK)
    assert again.known
    assert not first.known
    assert known(canonical("OC(C)Cc1ccccc1F"), Target("ABL1"), QUICK)
    assert replace(again, known=False) == first
    assert again.sdf() == first.sdf()
    assert dock("CC(O)Cc1ccccc1F", "ABL1", replace(QUICK, seed=2)).known is False
    monkeypatch.setenv("TGSCI_CACHE", "")
    fresh = dock("CC(O)Cc1ccccc1F", "ABL1", QUICK)
    assert not fresh.known
    assert fresh.pose_pdbqt == first.pose_pdbqt


def test_bad_input_is_refused_before_docking() -> None:
    with pytest.raises(InvalidValue):
        dock("C1CC", "ABL1")
    with pytest.raises(UsageError):
        dock("CCO", "ABL9")


@pytest.mark.parametrize(
    "bad", [{"exhaustiveness": 0}, {"exhaustiveness": True}, {"box": 5.0}, {"box": float("nan")}, {"seed": 0}]
)
def test_settings_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(bad))):
        Settings(**bad)  # type: ignore[arg-type]


def test_the_fingerprint_changes_with_whatever_changes_a_score() -> None:
    base = fingerprint(Target("ABL1"), Settings())
    others = [
        fingerprint(Target("EGFR"), Settings()),
        *(fingerprint(Target("ABL1"), s) for s in (Settings(seed=2), Settings(box=24.0), Settings(max_evals=1000))),
    ]
    assert len({base, *others}) == 5
    assert all(name in base for name in ("vina 1.", "meeko 0.", "rdkit 20"))
