"""The docking loss as an optimizer and a chemist see it."""

from __future__ import annotations

import json
import math
import pickle
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem

from tests.molecules.parses import counted
from tgsci.errors import UsageError
from tgsci.feedback import Feedback
from tgsci.variable import Variable
from tgsci_molecules import DockingLoss, Objective, Settings, Target, Term, Transform, alerts, dock, qed_parts
from tgsci_molecules.docking.vina import Docking, DoesNotFit
from tgsci_molecules.molecule.properties import PROPERTIES, above_usual, properties_of
from tgsci_molecules.molecule.smiles import canonical
from tgsci_molecules.objective import loss as loss_module
from tgsci_molecules.objective.finalists import in_full
from tgsci_molecules.objective.presets import PRESETS

#: A small box: its maps take a fraction of a second.
QUICK = Settings(exhaustiveness=1, max_evals=3_000, conformers=1, box=14.0)
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
    assert set(feedback.metrics) == set(loss.units) == {"vina", "LE", "alerts", *PROPERTIES}
    assert all(math.isfinite(figure) for figure in feedback.metrics.values())
    assert (loss.units["vina"], loss.units["MW"], loss.units["TPSA"], loss.units["QED"]) == (
        "kcal/mol",
        "g/mol",
        "A^2",
        "",
    )


def test_ligand_efficiency_is_positive_as_chemists_write_it(feedback: Feedback) -> None:
    assert feedback.metrics["LE"] == -feedback.metrics["vina"] / 13 > 0


def test_the_report_says_what_costs_and_what_would_help(feedback: Feedback) -> None:
    text = feedback.text
    assert f"LOSS {feedback.loss:.2f} = the sum of these costs; lower is better:" in text
    assert f"  vina {feedback.metrics['vina']:.2f} kcal/mol = {feedback.metrics['vina']:+.2f}" in text
    assert f"-> (1 - {feedback.metrics['QED']:.3f}) x 10 = " in text
    assert "POSE in ABL1" in text
    assert text.count("One rotatable bond less") <= 1
    assert "Stereo undefined: stereocentre C2" in text
    assert "what costs most, and QED if it alone were ideal\n  structural alerts" in text
    assert "HARD LIMIT" not in text
    assert "  QED's own alerts: nitro (" in text


def test_the_report_prices_single_changes_in_qed_and_in_the_loss(feedback: Feedback) -> None:
    (line,) = (line for line in feedback.text.splitlines() if line.startswith("  price in QED of one change alone: "))
    price, loss = map(float, re.findall(r"one aromatic ring more ([+-][0-9.]+) \(loss ([+-][0-9.]+)\)", line)[0])
    assert price != 0
    assert loss == pytest.approx(-10 * price, abs=0.06)


def test_the_report_and_the_pose_say_which_stereoisomer_the_figures_belong_to(feedback: Feedback) -> None:
    (line,) = (line for line in feedback.text.splitlines() if line.startswith("THE FORM that counts is "))
    isomer = line.removeprefix("THE FORM that counts is ").partition(";")[0]
    assert Chem.CanonSmiles(isomer, useChiral=0) == Chem.CanonSmiles("CC(O)Cc1ccc([N+](=O)[O-])cc1")
    assert isomer.count("@") in (1, 2)
    assert f">  <isomer>\n{isomer}\n" in feedback.artifacts["pose.sdf"]


def test_atoms_carry_the_numbers_of_the_smiles_that_is_printed(feedback: Feedback) -> None:
    numbered = next(line for line in feedback.text.splitlines() if line.startswith("ATOMS")).split()[-1]
    mol = Chem.MolFromSmiles(numbered)
    alert = next(line for line in feedback.text.splitlines() if "BRENK nitro_group" in line)
    named = alert.rstrip(".").partition(" at ")[2].split(", ")
    symbols = {atom.GetAtomMapNum(): atom.GetSymbol() for atom in mol.GetAtoms()}
    assert sorted(symbols[int(name[1:])] for name in named) == ["N", "O", "O"]
    assert all(symbols[int(name[1:])] == name[0] for name in named)


def test_the_pose_comes_as_an_artifact(feedback: Feedback) -> None:
    sdf = feedback.artifacts["pose.sdf"]
    assert isinstance(sdf, str)
    assert sdf.endswith("$$$$\n")
    assert "<loss>" in sdf
    page = json.loads(feedback.artifacts["pose.json"])
    assert page["smiles"] == "CC(O)Cc1ccc([N+](=O)[O-])cc1"
    assert len(page["atoms"]) == 13


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


@pytest.mark.slow
@pytest.mark.parametrize(("smiles", "most"), [("CC(N)=O", 2), ("CC(=O)Nc1ccc(O)cc1", 3), ("OC(=O)c1ccccc1", 3)])
def test_a_value_is_parsed_twice_from_its_validation_to_its_report(
    monkeypatch: pytest.MonkeyPatch, smiles: str, most: int
) -> None:
    monkeypatch.setenv("TGSCI_CACHE", "")
    smiles = canonical(smiles)
    docking = Settings(exhaustiveness=1, max_evals=500, conformers=2)
    objective = Objective(["CA2", "ABL1"], keep=["C=O"], limits={"MW": (0, 500)}, settings=docking).refusing([smiles])
    with counted() as texts:
        value = objective.validate(str(smiles))
        assert objective.measure(value).measured
    # As it is written, and with its chemistry; then the form that it has in water, where that is another.
    assert texts.count(smiles) == 2
    assert len(texts) <= most
    elsewhere = pickle.loads(pickle.dumps(value))  # noqa: S301  # as a worker process gets it
    with counted() as texts:
        assert objective.measure(elsewhere).measured
    assert texts.count(smiles) == 1


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
    assert above_usual(properties_of(Chem.MolFromSmiles("Cc1ccccc1"))) == []
    words = " ".join(above_usual(properties_of(Chem.MolFromSmiles("CCCCCCCCCCCCCCCCCCCCCC"))))
    assert "cLogP" in words
    assert "rotatable bonds" in words


def test_an_imine_is_the_same_molecule_after_docking() -> None:
    feedback = DockingLoss("ABL1", QUICK).measure("Cc1cccc(C(=N)c2ccccc2)c1")
    assert feedback.measured, feedback.error


def test_an_amidine_that_is_docked_as_a_cation_has_no_open_isomers() -> None:
    assert "Stereo undefined" not in DockingLoss("ABL1", QUICK).measure("N=C(N)c1ccccc1").text


def test_no_alerts_are_never_too_few() -> None:
    parts = {part.name: part for part in qed_parts(Chem.MolFromSmiles("CC(=O)NCc1ccccc1"))}
    alerts_of_qed = parts["structural alerts (QED's own list)"]
    assert alerts_of_qed.figure == 0
    assert alerts_of_qed.gain == 0


# -- objectives of one's own ---------------------------------------------------------------------------

TINY = Settings(exhaustiveness=1, max_evals=1_000, conformers=1, isomers=1, box=14.0)
PHENYLPYRIMIDINE = "Nc1nccc(-c2ccccc2)n1"


@pytest.fixture(scope="module")
def several() -> Objective:
    """Two targets, every kind of term and limit."""
    return Objective(
        ["JAK2", "LCK"],
        [
            Term("vina", Transform("reverse_sigmoid", low=-11, high=-5, k=0.25), weight=2),
            Term("LCK vina", Transform("sigmoid", low=-10, high=-4, k=0.25)),
            Term("selectivity", Transform("left_step", low=5)),
            Term("max LE", Transform("sigmoid", low=0.1, high=0.5), name="efficiency"),
            Term("QED"),
            Term("similarity"),
            Term("matches", Transform("right_step", high=1), smarts="[nX2]", name="ring N"),
            Term("alerts", Transform("exponential_decay", k=0.5)),
            Term("strain", Transform("reverse_sigmoid", low=0, high=30)),
        ],
        aggregate="geometric_mean",
        limits={"MW": (200, 400), "LCK vina": ">= -4", "ring sizes": (5, 6), "cLogP": "<= 1"},
        keep=[("[NX3]c1ncccn1", "aminopyrimidine")],
        avoid=[("c-c", "biaryl")],
        core="Nc1nccc([*:1])n1",
        reference="Nc1ncccn1",
        alerts=["PAINS"],
        contacts=["hbond Leu932", "contact Val863"],
        settings=TINY,
    )


@pytest.fixture(scope="module")
def measured(several: Objective) -> Feedback:
    return several.measure(several.validate(PHENYLPYRIMIDINE))


@pytest.mark.slow
def test_the_loss_follows_from_the_metrics_alone(several: Objective, measured: Feedback) -> None:
    assert measured.measured, measured.error
    assert several.combine(measured.metrics) == measured.loss
    mol = Chem.MolFromSmiles(PHENYLPYRIMIDINE)
    parts = {name: measured.metrics[name] for name in several.simulated} | several.calculated(mol)
    assert several.combine(parts) == measured.loss
    assert several.simulated == ("JAK2 vina", "LCK vina", "JAK2 strain")
    kept = json.loads(json.dumps(dict(measured.metrics)))
    assert several.combine(kept) == measured.loss


drawn = st.fixed_dictionaries(
    {
        "JAK2 vina": st.floats(-15, 5),
        "LCK vina": st.floats(-15, 5),
        "JAK2 strain": st.floats(0, 100),
        "heavy atoms": st.integers(1, 60).map(float),
        "QED": st.floats(0, 1),
        "similarity": st.floats(0, 1),
        "matches of ring N": st.integers(0, 9).map(float),
        "alerts": st.integers(0, 9).map(float),
    }
)


@given(st.lists(drawn, min_size=1, max_size=4))
def test_arrays_of_metrics_give_the_losses_of_their_members(several: Objective, rows: list[dict[str, float]]) -> None:
    losses = [several.combine(row) for row in rows]
    assert all(isinstance(loss, float) and 0 <= loss <= 1 for loss in losses)
    together = several.combine({name: np.array([row[name] for row in rows]) for name in rows[0]})
    assert together.tolist() == pytest.approx(losses, rel=1e-12)
    assert several.combine(json.loads(json.dumps(rows[0]))) == losses[0]
    mixed = several.combine({**rows[0], "JAK2 vina": np.array([row["JAK2 vina"] for row in rows])})
    assert mixed[0] == pytest.approx(losses[0])


def test_what_is_calculated_needs_no_docking(several: Objective, measured: Feedback) -> None:
    mol = Chem.MolFromSmiles(PHENYLPYRIMIDINE)
    figures = several.calculated(mol)
    assert {name: measured.metrics[name] for name in figures} == figures
    assert several.calculated(mol, ["MW"]) == {"MW": measured.metrics["MW"]}
    assert not set(figures) & set(several.simulated)
    foretold = several.broken(mol)
    broken = {key: excess for key, excess in measured.violations.items() if excess > 0}
    docked = {"LCK vina >= -4", "hbond Leu932", "contact Val863"}
    assert {key: excess for key, excess in broken.items() if key not in docked} == foretold
    assert set(measured.violations) == {limit.key for limit in several.limits}
    assert set(measured.violations) - set(broken) >= {"core", "keep aminopyrimidine", "alerts of PAINS"}


def test_raw_and_transformed_figures_are_columns_with_a_meaning(several: Objective, measured: Feedback) -> None:
    assert set(measured.metrics) == set(several.units) == set(several.columns_help())
    for column in ("JAK2 vina (term)", "efficiency (term)", "ring N (term)", "JAK2 strain (term)"):
        assert 0 <= measured.metrics[column] <= 1
    assert measured.metrics["ring N (term)"] == 1.0
    assert measured.metrics["selectivity"] == measured.metrics["JAK2 vina"] - measured.metrics["LCK vina"]
    assert "reverse_sigmoid(low -11, high -5, k 0.25)" in several.columns_help()["JAK2 vina (term)"]


def test_the_report_of_a_mean_shows_raw_transformed_and_weight(several: Objective, measured: Feedback) -> None:
    text = measured.text
    assert f"LOSS {measured.loss:.4f} = 1 - the weighted geometric mean of these desirabilities" in text
    vina, d = measured.metrics["JAK2 vina"], measured.metrics["JAK2 vina (term)"]
    assert f"JAK2 vina {vina:.2f} kcal/mol -> {d:.3f} by reverse_sigmoid" in text
    assert "weight 2 (20%)" in text
    assert "BROKEN: MW is 171.2 g/mol, must be >= 200; out by 28.8 g/mol: add a group, about 2 heavy atoms." in text
    assert "BROKEN: must not contain biaryl (SMARTS c-c), and does at C" in text
    assert "POSE in JAK2" in text
    assert "ALSO DOCKED in LCK" in text


@pytest.mark.slow
def test_of_several_targets_the_one_that_decides_is_reported_in_full() -> None:
    form = PRESETS["dockstring-ppar"]
    quick = Settings(exhaustiveness=1, max_evals=1_000, conformers=1)
    feedback = Objective(form.targets, form.terms, settings=quick).measure("CC(O)Cc1ccccc1")
    scores = {name: feedback.metrics[f"{name} vina"] for name in form.targets}
    weakest = max(scores, key=lambda name: scores[name])
    text = feedback.text
    assert f"POSE in {weakest}: " in text
    assert {name for name in scores if f"ALSO DOCKED in {name}: " in text} == set(scores) - {weakest}
    assert "GROWTH with room in all of PPARA, PPARD, PPARG" in text


def test_each_target_leaves_its_pose(several: Objective, measured: Feedback) -> None:
    assert list(measured.artifacts) == ["pose.sdf", "pose.json", "LCK.pose.sdf", "LCK.pose.json"]
    assert json.loads(measured.artifacts["LCK.pose.json"])["target"] == "LCK"


def test_no_line_says_what_another_has_said(several: Objective, measured: Feedback, feedback: Feedback) -> None:
    for text in (measured.text, feedback.text):
        lines = [line.strip() for line in text.splitlines()]
        assert len(lines) == len(set(lines))
        sentences = [s for line in lines for s in line.split(". ") if len(s) > 20]
        assert len(sentences) == len(set(sentences))


def test_the_time_limit_grows_with_all_that_is_docked_and_worked_out() -> None:
    def longest(targets: list[str], terms: list[Term], **settings: int) -> float:
        return Objective(targets, terms, settings=Settings(**{"max_evals": 1_000, "isomers": 1, **settings})).timeout

    vina, strain, refined = Term("vina"), Term("strain"), Term("refined interaction")
    alone = longest(["ABL1"], [vina])
    assert longest(["ABL1", "LCK"], [vina]) == pytest.approx(2 * alone)
    for more in ({"isomers": 16}, {"tautomers": 8}, {"states": 8}, {"conformers": 10}, {"exhaustiveness": 256}):
        assert longest(["ABL1"], [vina], **more) > alone
    all_forms = longest(["ABL1"], [vina], isomers=16, tautomers=8, states=8)
    assert all_forms > 100 * (alone - 300)  # 1024 forms for one, apart from what any docking may take
    assert longest(["ABL1"], [vina, strain]) > alone + 60
    assert longest(["ABL1"], [vina, refined]) > alone + 60
    one, both = (longest(["ABL1", "LCK"], [vina, strain, *more]) for more in ([], [Term("LCK strain")]))
    assert both > one + 60


# -- off-targets that a molecule does not fit into -------------------------------------------------------

SPARED = [
    ([Term("vina"), Term("selectivity", Transform("hinge", high=-2))], {}),
    ([Term("vina"), Term("LCK vina", Transform("hinge", low=-8.1))], {}),
    ([Term("vina"), Term("LCK vina", weight=-0.5)], {}),
    ([Term("vina")], {}),
    ([Term("vina"), Term("LCK LE", Transform("linear", slope=3.0))], {}),
    ([Term("vina")], {"limits": {"LCK vina": ">= -7"}}),
    ([Term("vina")], {"limits": {"selectivity": "<= -1"}}),
    ([Term("LCK vina", Transform("sigmoid", low=-9, high=-5)), Term("QED")], {"aggregate": "geometric_mean"}),
]
WANTED = [
    ([Term("vina", over="max")], {}),
    ([Term("vina", over="mean")], {}),
    ([Term("vina"), Term("LCK vina")], {}),
    ([Term("vina"), Term("LCK vina", Transform("hinge", low=-8, high=-6))], {}),
    ([Term("vina"), Term("LCK LE")], {}),
    ([Term("vina"), Term("LCK strain", weight=-1.0)], {}),
    ([Term("vina")], {"limits": {"LCK vina": "<= -7"}}),
    ([Term("vina")], {"contacts": ["LCK hbond Met319"]}),
    ([Term("LCK vina", Transform("reverse_sigmoid", low=-9, high=-5)), Term("QED")], {"aggregate": "geometric_mean"}),
]


def _too_big_for(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Docking as it is, in targets of which this one is full."""
    real = loss_module.dock

    def docked(smiles: str, target: Target, settings: Settings) -> Docking:
        if target.name == name:
            raise DoesNotFit(f"docking: {smiles} does not fit into {target}")
        return real(smiles, target, settings)

    monkeypatch.setattr(loss_module, "dock", docked)
    monkeypatch.setattr(loss_module, "cached_feedback", lambda fingerprint, value, compute: compute())


@pytest.mark.parametrize(("terms", "more"), SPARED)
def test_what_does_not_fit_an_off_target_is_good_news(
    terms: list[Term], more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _too_big_for(monkeypatch, "LCK")
    objective = Objective(["JAK2", "LCK"], terms, settings=TINY, **more)
    feedback = objective.measure(PHENYLPYRIMIDINE)
    assert feedback.measured, feedback.error
    assert feedback.metrics["LCK vina"] == 0.0
    assert feedback.metrics["JAK2 vina"] < 0
    assert objective.combine(feedback.metrics) == feedback.loss
    assert feedback.feasible
    assert "ALSO DOCKED in LCK: does not fit there: counted as 0 kcal/mol" in feedback.text
    assert list(feedback.artifacts) == ["pose.sdf", "pose.json"]
    again = in_full(objective).measure  # the finalists are measured by the same rule
    assert again.__self__.spared == objective.spared == {"LCK"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(("terms", "more"), WANTED)
def test_what_does_not_fit_where_it_should_bind_is_a_failure(
    terms: list[Term], more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _too_big_for(monkeypatch, "LCK")
    feedback = Objective(["JAK2", "LCK"], terms, settings=TINY, **more).measure(PHENYLPYRIMIDINE)
    assert not feedback.measured
    assert "does not fit into LCK" in (feedback.error or "")


def test_what_does_not_fit_the_target_itself_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    _too_big_for(monkeypatch, "JAK2")
    terms = [Term("LCK vina"), Term("vina", weight=-1.0)]
    assert not Objective(["JAK2", "LCK"], terms, settings=TINY).measure(PHENYLPYRIMIDINE).measured


@pytest.mark.slow
def test_a_molecule_that_is_too_big_for_a_pocket_says_so() -> None:
    big = "c1ccc(-c2cc(-c3ccccc3)c(-c3ccccc3)c(-c3ccccc3)c2-c2ccccc2)cc1"
    with pytest.raises(DoesNotFit, match="does not fit into"):
        dock(big, "ESR1", TINY)


def test_an_objective_travels_and_its_fingerprint_knows_all_of_it(several: Objective) -> None:
    assert pickle.loads(pickle.dumps(several)).fingerprint == several.fingerprint  # noqa: S301
    prints = {
        Objective("ABL1", **options).fingerprint
        for options in (
            {},
            {"terms": [Term("vina")]},
            {"terms": [Term("vina"), Term("QED", weight=9.0)]},
            {"limits": {"MW": (1, 500)}},
            {"limits": {"MW": (1, 501)}},
            {"keep": ["CC"]},
            {"avoid": ["CC"]},
            {"core": "CC[*:1]"},
            {"contacts": ["hbond Met318"]},
            {"contacts": ["contact Met318"]},
            {"alerts": ["PAINS"]},
            {"terms": [Term("alerts")], "alerts": ["PAINS"]},
            {"terms": [Term("alerts")]},
            {"settings": TINY},
        )
    }
    assert len(prints) == 14
