"""Real docking: known drugs score as they should, repeatably, and what is no binding mode is no score."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from rdkit import Chem
from tgsci_molecules import Docking, Settings, Target, canonical, dock
from tgsci_molecules.docking import fingerprint

from tgsci.errors import InvalidValue, MeasurementError, UsageError
from tgsci.workers import WorkerPool

DASATINIB = "Cc1nc(Nc2ncc(s2)C(=O)Nc2c(C)cccc2Cl)cc(n1)N1CCN(CCO)CC1"
IMATINIB = "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1"
QUICK = Settings(exhaustiveness=2, max_evals=5_000, conformers=1)


@pytest.fixture(scope="module")
def dasatinib() -> Docking:
    return dock(DASATINIB, "ABL1")


def test_drugs_of_abl1_score_as_measured_elsewhere(dasatinib: Docking) -> None:
    assert -11.0 < dasatinib.score < -9.3
    assert -11.3 < dock(IMATINIB, "ABL1").score < -9.3


def test_the_score_is_contacts_and_torsions(dasatinib: Docking) -> None:
    assert dasatinib.inter + dasatinib.torsion_penalty == pytest.approx(dasatinib.score, abs=2e-3)
    assert dasatinib.score == min(dasatinib.scores)
    assert len(dasatinib.scores) == dasatinib.settings.conformers


def test_the_same_seed_gives_the_same_score_whatever_was_docked_between(dasatinib: Docking) -> None:
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


def test_docking_prints_nothing_and_threads_do_not_mix(capfd: pytest.CaptureFixture[str]) -> None:
    molecules = ["Cc1ccccc1", "CC(=O)Nc1ccc(O)cc1", "CCCCO"]
    alone = [dock(smiles, "ABL1", QUICK).score for smiles in molecules]
    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(lambda smiles: dock(smiles, "ABL1", QUICK).score, molecules))
    assert together == alone
    assert capfd.readouterr() == ("", "")


def test_a_worker_process_gives_the_same_score(dasatinib: Docking) -> None:
    with WorkerPool(1) as pool:
        assert pool.submit(dock, DASATINIB, Target("ABL1"), Settings()).result().score == dasatinib.score


def test_stereo_written_in_the_smiles_is_docked() -> None:
    for smiles in ("C[C@H](O)c1ccccc1", "C[C@@H](O)c1ccccc1", "F/C=C\\c1ccccc1"):
        found = dock(smiles, "ABL1", QUICK)
        mol = Chem.RemoveHs(found.pose)
        Chem.AssignStereochemistryFrom3D(mol)
        assert Chem.MolToSmiles(mol) == canonical(smiles)


def test_where_nothing_binds_there_is_no_score() -> None:
    target = Target("ABL1")
    far = replace(target)
    object.__setattr__(far, "center", (500.0, 500.0, 500.0))
    with pytest.raises(MeasurementError, match=r"no binding mode|no pose"):
        dock("c1ccccc1", far, QUICK)


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
    assert all(name in base for name in ("vina 1.", "meeko 0.", "rdkit 20", "dimorphite-dl 2."))
