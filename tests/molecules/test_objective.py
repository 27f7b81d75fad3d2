"""The docking loss as an optimizer and a chemist see it."""

from __future__ import annotations

import math
import pickle

import pytest
from rdkit import Chem
from tgsci_molecules import DockingLoss, Settings, alerts, qed_parts
from tgsci_molecules.properties import PROPERTIES, out_of_range, properties_of

from tgsci.errors import UsageError
from tgsci.feedback import Feedback
from tgsci.variable import Variable

QUICK = Settings(exhaustiveness=1, max_evals=3_000, conformers=1)
NITRO = "Cc1ccc([N+](=O)[O-])cc1"


@pytest.fixture(scope="module")
def loss() -> DockingLoss:
    return DockingLoss("ABL1", QUICK)


@pytest.fixture(scope="module")
def feedback(loss: DockingLoss) -> Feedback:
    return loss.measure(loss.validate("CC(O)Cc1ccc([N+](=O)[O-])cc1"))


def test_the_loss_is_vina_plus_ten_times_one_minus_qed(feedback: Feedback) -> None:
    assert feedback.loss == pytest.approx(feedback.metrics["vina"] + 10 * (1 - feedback.metrics["QED"]))


def test_every_metric_has_a_unit_and_every_figure_is_finite(loss: DockingLoss, feedback: Feedback) -> None:
    assert set(feedback.metrics) == set(loss.units) == {"vina", "LE", *PROPERTIES}
    assert all(math.isfinite(figure) for figure in feedback.metrics.values())
    assert (loss.units["vina"], loss.units["MW"], loss.units["TPSA"], loss.units["QED"]) == (
        "kcal/mol",
        "g/mol",
        "A^2",
        "",
    )


def test_the_report_says_what_costs_and_what_would_help(feedback: Feedback) -> None:
    text = feedback.text
    assert f"LOSS {feedback.loss:.2f} = vina" in text
    assert "kcal/mol" in text
    assert "One rotatable bond less" in text
    assert "STEREO undefined: stereocentre C1" in text
    assert "BRENK nitro_group: O=[N+][O-] at N8, O9, O10" in text
    assert "would help; ideal, QED would be" in text


def test_the_pose_comes_as_an_artifact(feedback: Feedback) -> None:
    sdf = feedback.artifacts["pose.sdf"]
    assert isinstance(sdf, str)
    assert sdf.endswith("$$$$\n")
    assert "<loss>" in sdf


def test_what_cannot_be_measured_is_feedback_and_no_score(loss: DockingLoss) -> None:
    failed = loss.measure(loss.validate("C1=C2CC1C2"))
    assert failed.loss is not None
    assert math.isnan(failed.loss)
    assert failed.error
    assert failed.error.startswith("embedding: ")


def test_it_is_a_text_gradient(loss: DockingLoss) -> None:
    smiles = Variable("Cc1ccccc1", role_description="a molecule")
    loss(smiles).backward()
    assert smiles.get_gradient_text().startswith("LOSS ")
    bad = Variable("C1CC", role_description="a molecule")
    assert math.isnan(loss(bad).item())


def test_it_travels_and_its_fingerprint_knows_its_weight(loss: DockingLoss) -> None:
    assert pickle.loads(pickle.dumps(loss)).fingerprint == loss.fingerprint  # noqa: S301
    assert DockingLoss("ABL1", QUICK, qed_weight=5).fingerprint != loss.fingerprint
    for weight in (-1.0, math.nan, math.inf, True, "10"):
        with pytest.raises(UsageError, match="qed_weight"):
            DockingLoss("ABL1", QUICK, weight)  # type: ignore[arg-type]


@pytest.mark.parametrize("smiles", ["C", "c1ccccc1", NITRO, "CC(=O)Oc1ccccc1C(=O)O", "O=C(O)CCCCCCCCCCCCCCCCC"])
def test_the_parts_of_qed_multiply_to_qed(smiles: str) -> None:
    mol = Chem.MolFromSmiles(smiles)
    parts = qed_parts(mol)
    assert len(parts) == 8
    assert [p.gain for p in parts] == sorted((p.gain for p in parts), reverse=True)
    qed = properties_of(mol)["QED"]
    product = math.prod((qed + part.gain) / qed for part in parts)
    assert qed * product == pytest.approx(0.948, abs=0.001)  # all parts at their best: the largest QED there is


def test_the_direction_of_a_part_is_the_one_that_raises_qed() -> None:
    small = {part.name: part.wish for part in qed_parts(Chem.MolFromSmiles("CC"))}
    large = {part.name: part.wish for part in qed_parts(Chem.MolFromSmiles("CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"))}
    assert small["molecular weight"] == "higher"
    assert large["molecular weight"] == large["cLogP"] == large["rotatable bonds"] == "lower"


def test_alerts_point_at_their_atoms() -> None:
    found = alerts(Chem.MolFromSmiles(NITRO))
    assert ("BRENK", "nitro_group", (5, 6, 7)) in [(a.catalog, a.name, a.atoms) for a in found]
    assert [a.catalog for a in alerts(Chem.MolFromSmiles("O=C1NC(=S)SC1=Cc1ccccc1"))].count("PAINS") >= 1
    assert alerts(Chem.MolFromSmiles("Cc1ccccc1")) == []


def test_figures_out_of_the_usual_range_are_named() -> None:
    assert out_of_range(properties_of(Chem.MolFromSmiles("Cc1ccccc1"))) == []
    words = " ".join(out_of_range(properties_of(Chem.MolFromSmiles("CCCCCCCCCCCCCCCCCCCCCC"))))
    assert "cLogP" in words
    assert "rotatable bonds" in words


def test_an_imine_is_the_same_molecule_after_docking() -> None:
    feedback = DockingLoss("F2").measure("Cc1cccc(C(=N)c2ccccc2)c1")
    assert feedback.measured, feedback.error


def test_an_amidine_that_is_docked_as_a_cation_has_no_open_isomers() -> None:
    assert "STEREO" not in DockingLoss("F2").measure("N=C(N)c1ccccc1").text


def test_no_alerts_are_never_too_few() -> None:
    parts = {part.name: part for part in qed_parts(Chem.MolFromSmiles("CC(=O)NCc1ccccc1"))}
    alerts_of_qed = parts["structural alerts (QED's own list)"]
    assert alerts_of_qed.figure == 0
    assert alerts_of_qed.gain == 0
