"""The domain as a job file and a resumed run see it: strict, and the same problem again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tgsci_molecules import RuleEditor, domain

from tgsci.cli import read_job
from tgsci.errors import UsageError

JOB = {"target": "abl1", "start": ["OCC", "CCO", "c1ccccc1"], "exhaustiveness": 4}
JOBS = sorted((Path(__file__).parents[2] / "data" / "jobs").glob("*.toml"))

#: One of everything that a job may say.
RICH: dict[str, Any] = {
    "target": "JAK2",
    "off_targets": ["LCK"],
    "start": "Nc1nccc(-c2ccccc2)n1",
    "aggregate": "geometric_mean",
    "terms": [
        {"metric": "vina", "transform": {"type": "reverse_sigmoid", "low": -11, "high": -6, "k": 0.25}, "weight": 2},
        {"metric": "vina", "target": ["JAK2", "LCK"], "over": "max", "transform": {"type": "left_step", "low": -5}},
        {"metric": "Qed"},
        {"metric": "matches", "smarts": "[nX2]", "name": "ring N", "transform": {"type": "right_step", "high": 1}},
    ],
    "limits": {"MW": [200, float("inf")], "cLogP": "<= 5", "ring sizes": [5, 7], "similarity": [0.1, None]},
    "keep": "[NX3]c1ncccn1",
    "avoid": ["[Br]", {"smarts": "[F]", "name": "fluorine", "count": 3}],
    "core": "Nc1nccc([*:1])n1",
    "reference": "Nc1ncccn1",
    "contacts": ["hbond Leu932"],
    "alerts": ["pains", "NIH"],
    "advise": "keep the aminopyrimidine hinge binder, no nitro groups; make it soluble",
    "finalists": 0,
}


@pytest.mark.parametrize(
    "job", [JOB, RICH, {"objective": "dockstring-ppar", "start": "CCO"}], ids=["plain", "rich", "named"]
)
def test_a_problem_builds_itself_again_from_its_config(job: dict[str, Any]) -> None:
    problem = domain.problem(job)
    again = domain.problem(json.loads(json.dumps(problem.config)))
    assert again.config == problem.config
    assert again.loss.fingerprint == problem.loss.fingerprint
    assert list(again.start) == list(problem.start)
    assert again.task == problem.task
    assert again.loss.refused == problem.loss.refused  # type: ignore[attr-defined]
    assert set(problem.columns) <= set(problem.loss.units)


def test_the_plain_job_is_dockstrings_form() -> None:
    problem = domain.problem(JOB)
    assert list(problem.start) == ["CCO", "c1ccccc1"]
    assert (problem.domain, problem.name) == ("molecules", "ABL1")
    assert problem.loss.name == "vina + 10 (1 - QED) in ABL1"
    assert isinstance(problem.rules, RuleEditor)
    assert problem.config["exhaustiveness"] == 4
    assert list(problem.optimizers) == ["ga", "random"]
    assert problem.options is not None
    assert problem.finish is not None
    assert domain.problem({**JOB, "finalists": 0}).finish is None


@pytest.mark.parametrize(
    ("name", "metrics", "loss"),
    [
        ("dockstring-f2", {"vina": -8.0}, -8.0),
        ("dockstring-ppar", {"PPARA vina": -8.0, "PPARD vina": -7.0, "PPARG vina": -9.0}, -7.0),
        ("dockstring-jak2", {"JAK2 vina": -9.0, "LCK vina": -9.6}, -9.0 - min(-9.6 + 8.1, 0)),
        ("dockstring-jak2", {"JAK2 vina": -9.0, "LCK vina": -7.0}, -9.0),
    ],
)
def test_dockstrings_tasks_are_the_published_ones(name: str, metrics: dict[str, float], loss: float) -> None:
    problem = domain.problem({"objective": name, "start": "CCO"})
    for qed in (0.3, 0.9):
        assert problem.loss.combine({**metrics, "QED": qed}) == pytest.approx(loss + 10 * (1 - qed))  # type: ignore[attr-defined]


def test_off_targets_without_terms_cost_what_selectivity_lacks() -> None:
    problem = domain.problem({"target": "JAK2", "off_targets": ["LCK", "KIT"], "start": "CCO"})
    metrics = {"JAK2 vina": -9.0, "LCK vina": -8.0, "KIT vina": -8.5, "QED": 1.0}
    assert problem.loss.combine(metrics) == pytest.approx(-9.0 + 1.5)  # type: ignore[attr-defined]
    assert problem.name == "JAK2-LCK-KIT"
    assert problem.columns[:3] == ("JAK2 vina", "LCK vina", "KIT vina")


def test_the_task_tells_a_model_the_target_the_objective_and_the_rules() -> None:
    task = domain.problem({**JOB, "qed_weight": 5}).task
    for words in ("ABL1", "vina + 5 (1 - QED)", "SMILES", "60 heavy atoms", "20 rotatable bonds", "quote", "noise"):
        assert words in task


def test_the_task_spells_out_terms_limits_and_advice() -> None:
    task = domain.problem(RICH).task
    for words in (
        "1 - geometric mean of reverse_sigmoid(JAK2 vina) (weight 2)",
        "enters by reverse_sigmoid(low -11, high -6, k 0.25)",
        "- have MW >= 200 g/mol",
        "- contain aminopyrimidine (SMARTS",
        "- contain at most 3 of fluorine (SMARTS [F])",
        "- keep the core Nc1nccc([*:1])n1 intact",
        "(else it is refused and not measured)",
        "- make a hydrogen bond to Leu932 of JAK2",
        f"The chemist advises: {RICH['advise']!r}",
    ):
        assert words in task


def test_what_became_of_the_advice_is_said_before_the_run() -> None:
    said = domain.problem(RICH).rules.description
    assert "keep aminopyrimidine (SMARTS" in said
    assert "avoid nitro (SMARTS" in said
    assert "cannot follow: 'make it soluble'" in said
    assert domain.problem(JOB).rules.description == RuleEditor.description


def test_a_start_that_breaks_a_limit_and_a_salt_are_said() -> None:
    problem, notes = domain.described({**JOB, "start": "Nc1ncccn1.Cl", "keep": ["c1ccccc1"], "avoid": ["[Br]"]})
    assert list(problem.start) == ["Nc1ncccn1"]
    assert any("The start breaks: keep c1ccccc1" in note for note in notes)
    assert problem.loss.refused == {"avoid [Br]"}  # type: ignore[attr-defined]
    assert len(notes) == 2


def test_a_file_of_molecules_is_a_start(tmp_path: Path) -> None:
    path = tmp_path / "mine.smi"
    path.write_text("OCC ethanol\nc1ccccc1 benzene\nCCO again\n")
    problem = domain.problem({"target": "ABL1", "start_file": str(path)})
    assert list(problem.start) == ["CCO", "c1ccccc1"]
    path.unlink()
    assert list(domain.problem(problem.config).start) == ["CCO", "c1ccccc1"]  # a run does not need the file again


@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
def test_the_example_jobs_build(path: Path) -> None:
    job = read_job(path)
    problem, notes = domain.described(job["molecules"])
    assert domain.problem(problem.config).loss.fingerprint == problem.loss.fingerprint
    assert not any("breaks" in note for note in notes)
    for smiles in problem.start:
        assert problem.loss.validate(smiles) == smiles


def test_there_is_an_example_for_each_use() -> None:
    names = {path.stem for path in JOBS}
    assert names >= {"abl1", "hit-to-lead", "selectivity", "geometric-mean", "dockstring-jak2"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"traget": "ABL1"}, "unknown key 'traget'; did you mean 'target'"),
        ({"MW": [200, 500]}, "a range of MW goes into the table limits"),
        ({"target": 3}, "target must be"),
        ({"target": "ABL9"}, "did you mean ABL1"),
        ({"off_targets": ["ABL9"]}, "did you mean ABL1"),
        ({"off_targets": ["ABL1"]}, "ABL1 is given twice"),
        ({"off_targets": 3}, "off_targets must be"),
        ({"start": []}, "start must be"),
        ({"start": ["CCO", 3]}, "start must be"),
        ({"start": ["CCO", "C1CC"]}, "start molecule 2: 'C1CC' is not a SMILES: unclosed ring"),
        ({"start_file": "x.smi"}, "start or start_file, not both"),
        ({"exhaustiveness": 0}, "exhaustiveness must be"),
        ({"docking_seed": "1"}, "seed must be"),
        ({"qed_weight": "10"}, "qed_weight must be"),
        ({"finalists": -1}, "finalists must be a whole number"),
        ({"objective": "dockstring-f3"}, r"did you mean 'dockstring-f2'\? There are:\n  dockstring "),
        ({"objective": 3}, "no objective '3'"),
        ({"objective": "dockstring-f2"}, "docks into F2; leave out target"),
        ({"objective": "vina-qed", "qed_weight": 3}, "qed_weight belongs to the objective dockstring"),
        ({"objective": "dockstring", "terms": [{"metric": "QED"}]}, "not both"),
        ({"terms": {"metric": "QED"}}, "terms must be tables"),
        ({"terms": [{"metric": "QED"}, 3]}, "term 2: must be a table"),
        ({"terms": [{"metrik": "QED"}]}, "term 1: unknown key 'metrik'; did you mean 'metric'"),
        ({"terms": [{"metric": "QED", "low": 3}]}, "term 1: unknown key 'low'; it belongs into the transform"),
        ({"terms": [{"transform": "identity"}]}, "term 1: the key 'metric' is missing"),
        ({"terms": [{"metric": "MV"}]}, "term 1: no metric 'MV'; did you mean 'MW'"),
        (
            {"terms": [{"metric": "MW", "transform": {"low": 3}}]},
            "term 1: a transform is a name, or a table",
        ),
        ({"terms": [{"metric": "MW", "transform": {"type": "sigmoid", "lo": 3}}]}, "no parameter 'lo'"),
        ({"terms": [{"metric": "vina", "target": "LCK"}]}, "add it to off_targets"),
        ({"aggregate": "sum"}, r"there is no \[\[molecules.terms\]\]"),
        ({"aggregate": "product", "terms": [{"metric": "QED"}]}, "aggregate must be one of"),
        ({"limits": ["MW"]}, "limits must be"),
        ({"limits": {"MW": "heavy"}}, "'heavy' is no number"),
        ({"keep": 3}, "keep must be"),
        ({"core": 3}, "core must be"),
        ({"reference": 3}, "reference must be"),
        ({"contacts": [3]}, "contacts must be"),
        ({"contacts": ["hbond Met319"]}, "no residue 'Met319'"),
        ({"alerts": "PAIN"}, "did you mean 'PAINS'"),
        ({"advise": 3}, "advise must be a text"),
    ],
)
def test_a_bad_job_is_refused_with_what_to_write(change: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        domain.problem({**JOB, **change})


@pytest.mark.parametrize("key", ["target", "start"])
def test_a_missing_key_is_named(key: str) -> None:
    with pytest.raises(UsageError, match=f"the key '{key}' is missing"):
        domain.problem({k: v for k, v in JOB.items() if k != key})
