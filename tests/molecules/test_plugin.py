"""The domain as a job file and a resumed run see it: strict, and the same problem again."""

from __future__ import annotations

import csv
import json
import math
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import tgsci as tg
from tgsci.errors import UsageError
from tgsci.runs.job import read_job
from tgsci.testing import check_insight
from tgsci_molecules import RuleEditor, Target, domain, target_names
from tgsci_molecules.target.targets import FORMAT, TARGET_FILE

JOB = {"target": "abl1", "start": ["OCC", "CCO", "c1ccccc1"], "exhaustiveness": 4}
JOBS = [
    path
    for path in sorted((Path(__file__).parents[2] / "data" / "jobs").glob("*.toml"))
    if read_job(path).domain == "molecules"
]

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
    assert problem.loss.name == "vina + 10 (1 - QED) + 0.5 alerts + 0.2 max(0, strain - 12) in ABL1"
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
    metrics = {"JAK2 vina": -9.0, "LCK vina": -8.0, "KIT vina": -8.5, "QED": 1.0, "alerts": 0.0, "JAK2 strain": 9.0}
    assert problem.loss.combine(metrics) == pytest.approx(-9.0 + 1.5)  # type: ignore[attr-defined]
    assert problem.name == "JAK2-LCK-KIT"
    assert problem.columns[:3] == ("JAK2 vina", "LCK vina", "KIT vina")


def test_the_task_tells_a_model_the_target_the_objective_and_the_rules() -> None:
    task = domain.problem({**JOB, "qed_weight": 5}).task
    for words in ("ABL1", "vina + 5 (1 - QED)", "SMILES", "60 heavy atoms", "20 rotatable bonds", "noise", "6-5/6 kqm"):
        assert words in task


def test_the_task_spells_out_terms_limits_and_advice() -> None:
    task = domain.problem(RICH).task
    for words in (
        "1 - geometric mean of reverse_sigmoid(JAK2 vina) (weight 2)",
        "enters by reverse_sigmoid(low -11, high -6, k 0.25), x being the figure: 1 / (1 + 10^(10 k (x",
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
    said = "\n".join(domain.problem(RICH).notes)
    assert "keep aminopyrimidine (SMARTS" in said
    assert "avoid nitro (SMARTS" in said
    assert "cannot follow: 'make it soluble'" in said
    assert domain.problem(JOB).notes == []


def test_a_start_that_breaks_a_limit_and_a_salt_are_said() -> None:
    problem = domain.problem({**JOB, "start": "Nc1ncccn1.Cl", "keep": ["c1ccccc1"], "avoid": ["[Br]"]})
    assert list(problem.start) == ["Nc1ncccn1"]
    assert any("The start breaks: keep c1ccccc1" in note for note in problem.notes)
    assert problem.loss.refused == {"avoid [Br]"}  # type: ignore[attr-defined]
    assert len(problem.notes) == 2


def test_a_file_of_molecules_is_a_start(tmp_path: Path) -> None:
    path = tmp_path / "mine.smi"
    path.write_text("OCC ethanol\nc1ccccc1 benzene\nCCO again\n")
    problem = domain.problem({"target": "ABL1", "start_file": str(path)})
    assert list(problem.start) == ["CCO", "c1ccccc1"]
    path.unlink()
    assert list(domain.problem(problem.config).start) == ["CCO", "c1ccccc1"]  # a run does not need the file again


def test_what_a_file_says_of_the_start_stays_with_the_run(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("smiles,ID,IC50 (nM)\nOCC,Z1,12\nc1ccccc1,Z2,\n")
    problem = domain.problem({"target": "ABL1", "start_file": str(path)})
    assert problem.config["tags"] == {"CCO": {"IC50 (nM)": "12"}}
    assert problem.config["names"] == {"CCO": "Z1", "c1ccccc1": "Z2"}
    path.unlink()
    assert domain.problem(json.loads(json.dumps(problem.config))).config["tags"] == problem.config["tags"]


def test_the_names_of_start_molecules_stay_with_the_run(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("smiles,name\nOCC,ethanol\nc1ccccc1,\nCCO,again\n")
    problem = domain.problem({"target": "ABL1", "start_file": str(path)})
    assert problem.config["names"] == {"CCO": "ethanol"}
    path.unlink()
    assert domain.problem(json.loads(json.dumps(problem.config))).config["names"] == {"CCO": "ethanol"}
    typed = {"start": ["Oc1ccccc1 phenol", "CCO"], "names": {"OCC": " first\n\x1b[31mhit ", "CCC": "not a start"}}
    named = domain.problem({"target": "ABL1", **typed}).config
    assert named["names"] == {"Oc1ccccc1": "phenol", "CCO": "first [31mhit"}
    assert "names" not in domain.problem(JOB).config


@pytest.mark.slow
def test_names_and_a_target_of_ones_own_reach_the_table(tmp_path: Path, own: Path) -> None:
    start = tmp_path / "mine.smi"
    start.write_text("Cc1ccccc1 lead 1\n")
    settings = {"exhaustiveness": 1, "max_evals": 1000, "conformers": 1, "box": 14}
    problem = domain.problem({"target": str(own), "start_file": str(start), "finalists": 0, **settings})
    tg.solve(problem, engine="rules", budget=1, workers=1, run=tmp_path / "run")
    rows = list(csv.DictReader((tmp_path / "run" / "molecules.csv").read_text().splitlines()))
    assert [(row["name"], row["smiles"]) for row in rows] == [("lead 1", "Cc1ccccc1")]
    assert (tmp_path / "run" / "receptor.pdb").is_file()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory as `prepare` writes it, with a name of two words: the site of the built-in ABL1 and nothing else."""
    directory = tmp_path_factory.mktemp("targets") / "my kinase"
    directory.mkdir()
    target = Target("ABL1")
    near = [
        line
        for line in target.receptor.read_text().splitlines()
        if line.startswith(("ATOM", "HETATM"))
        and math.dist([float(line[n : n + 8]) for n in (30, 38, 46)], target.center) < 14
    ]
    files = {"receptor.pdbqt": "\n".join([*near, ""]), "receptor.pdb": "\n".join([*(x[:66] for x in near), "END", ""])}
    for name, text in files.items():
        (directory / name).write_text(text)
    description = {
        "format": FORMAT,
        "name": "my kinase",
        "center": target.center,
        "box": [22.0, 22.0, 22.0],
        "chains": ["A"],
        "numbering": "as in the test",
        "files": {name: sha256(text.encode()).hexdigest() for name, text in files.items()},
    }
    (directory / TARGET_FILE).write_text(json.dumps(description))
    return directory


def test_a_target_of_ones_own_is_found_again_from_anywhere(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(own.parent)
    job = {"target": "my kinase", "off_targets": ["./my kinase/../my kinase", "LCK"], "start": "CCO"}
    with pytest.raises(UsageError, match="the target my kinase is given twice"):
        domain.problem(job)
    problem = domain.problem({"target": "LCK", "off_targets": ["my kinase"], "start": "CCO"})
    assert problem.config["off_targets"] == [str(own)]
    assert problem.loss.simulated == ("LCK vina", "my kinase vina", "LCK strain")  # type: ignore[attr-defined]
    monkeypatch.chdir(tmp_path)
    again = domain.problem(json.loads(json.dumps(problem.config)))
    assert again.loss.fingerprint == problem.loss.fingerprint


def test_a_target_whose_name_has_two_words_is_understood_everywhere(own: Path) -> None:
    job = {
        "target": "LCK",
        "off_targets": [str(own)],
        "start": "CCO",
        "terms": [{"metric": "vina"}, {"metric": "my kinase docking score", "transform": {"type": "hinge", "low": -8}}],
        "limits": {"my kinase vina": ">= -9"},
        "contacts": ["My Kinase contact Met86"],
    }
    loss = domain.problem(job).loss
    assert [limit.key for limit in loss.limits] == [  # type: ignore[attr-defined]
        "my kinase vina >= -9",
        "my kinase contact Met86",
    ]


@pytest.mark.parametrize("name", ["../x", "a/b", "..", ".hidden", "a\nb", "a\x1b[31m", " a"])
def test_a_target_whose_name_is_no_name_is_refused(name: str, own: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(own, copy)
    description = json.loads((copy / TARGET_FILE).read_text())
    (copy / TARGET_FILE).write_text(json.dumps({**description, "name": name}))
    with pytest.raises(UsageError, match="cannot be used"):
        domain.problem({"target": str(copy), "start": "CCO"})


def test_a_benchmark_task_is_not_of_another_protein_of_that_name(own: Path, tmp_path: Path) -> None:
    copy = tmp_path / "F2"
    shutil.copytree(own, copy)
    description = json.loads((copy / TARGET_FILE).read_text())
    (copy / TARGET_FILE).write_text(json.dumps({**description, "name": "F2"}))
    with pytest.raises(UsageError, match="docks into F2; leave out target"):
        domain.problem({"objective": "dockstring-f2", "target": str(copy), "start": "CCO"})


@pytest.mark.slow
def test_a_run_against_many_targets_has_a_short_name() -> None:
    others = [name for name in target_names() if name != "ABL1"]
    assert domain.problem({**JOB, "off_targets": others[:3]}).name == "ABL1-ACHE-ADAM17-ADORA2A"
    assert domain.problem({**JOB, "off_targets": others}).name == "ABL1-ACHE-ADAM17-ADORA2A-54-more"


def test_the_first_example_ends_without_docking_anything_again() -> None:
    assert domain.problem(read_job(JOBS[0]).table).finish is None
    assert JOBS[0].name == "abl1.toml"


@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
def test_the_example_jobs_build(path: Path) -> None:
    job = read_job(path)
    problem = domain.problem(job.table)
    assert domain.problem(problem.config).loss.fingerprint == problem.loss.fingerprint
    assert not any("breaks" in note for note in problem.notes)
    for smiles in problem.start:
        assert problem.loss.validate(smiles) == smiles


def test_there_is_an_example_for_each_use() -> None:
    names = {path.stem for path in JOBS}
    assert names >= {"abl1", "hit-to-lead", "selectivity", "geometric-mean", "dockstring-jak2"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"traget": "ABL1"}, "unknown key 'traget'; did you mean target"),
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
        ({"docking_seed": "1"}, "^docking_seed must be"),
        ({"names": ["x"]}, "names must be a table"),
        ({"names": {"C1CC": "x"}}, "names: 'C1CC' is not a SMILES"),
        ({"core": ""}, "core must be"),
        ({"terms": [{"metric": "QED", "transform": {"type": "step", "self": 1}}]}, "step has no parameter 'self'"),
        (
            {"terms": [{"metric": "QED", "transform": ["step"]}]},
            "term 1: transform must be text or a table",
        ),
        ({"terms": [{"metric": "QED"}] * 201}, "at most 200"),
        ({"terms": [{"metric": "QED", "name": "<b>\x1b[31m\n=1+1"}]}, "one line of at most 60 printable"),
        ({"terms": [{"metric": "QED", "name": "x" * 61}]}, "one line of at most 60 printable"),
        ({"terms": [{"metric": "QED", "name": "vina"}]}, "is that of the metric vina; call the term something else"),
        ({"keep": {"smarts": "C", "name": "a\nb"}}, "one line of at most 60 printable"),
        ({"keep": {"smarts": "C", "name": 3}}, "the name of the group 'C' must be"),
        ({"limits": {"MW": "<= 300", "molecular weight": ">= 400"}}, "MW <= 300 and MW >= 400 exclude each other"),
        (
            {
                "terms": [
                    {"metric": "matches", "smarts": "[N]", "name": "[O]"},
                    {"metric": "matches", "smarts": "[O]"},
                ]
            },
            r"two different figures are called 'matches of \[O\]'; give the terms other names",
        ),
        ({"limits": "x" * 5000}, r"^.{0,250}$"),
        ({"qed_weight": "10"}, "qed_weight must be"),
        ({"finalists": -1}, "finalists must be a whole number"),
        ({"objective": "dockstring-f3"}, r"did you mean dockstring-f2\?\nThere are:\n  dockstring "),
        ({"objective": 3}, "objective must be text .a name from.*, not 3"),
        ({"objective": "dockstring-f2"}, "docks into F2; leave out target"),
        ({"objective": "vina-qed", "qed_weight": 3}, "qed_weight belongs to the objective dockstring"),
        ({"objective": "dockstring", "terms": [{"metric": "QED"}]}, "not both"),
        ({"terms": {"metric": "QED"}}, "terms must be a list of tables"),
        ({"terms": [{"metric": "QED"}, 3]}, "term 2: .* must be a table of metric"),
        ({"terms": [{"metrik": "QED"}]}, "term 1: unknown key 'metrik'; did you mean metric"),
        ({"terms": [{"metric": "QED", "low": 3}]}, "term 1: unknown key 'low'; it belongs into the transform"),
        ({"terms": [{"transform": "identity"}]}, "term 1: the key 'metric' is missing"),
        ({"terms": [{"metric": "MV"}]}, "term 1: no metric 'MV'; did you mean MW"),
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
        ({"alerts": "PAIN"}, "did you mean PAINS"),
        ({"advise": 3}, "advise must be text .advice in words"),
    ],
)
def test_a_bad_job_is_refused_with_what_to_write(change: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        domain.problem({**JOB, **change})


@pytest.mark.parametrize("key", ["target", "start"])
def test_a_missing_key_is_named(key: str) -> None:
    with pytest.raises(UsageError, match=f"the key '{key}' is missing"):
        domain.problem({k: v for k, v in JOB.items() if k != key})


@pytest.mark.slow
def test_what_a_search_is_told_can_be_relied_on() -> None:
    quick = {"exhaustiveness": 1, "max_evals": 500, "conformers": 1, "isomers": 1, "box": 14.0}
    problem = domain.problem({"target": "ABL1", "start": "CC(=O)Nc1ccc(O)cc1", **quick})
    check_insight(problem, ["CC(=O)Nc1ccc(O)c(F)c1", "CC(=O)Nc1ccccc1"])
    assert problem.key_columns == ("vina", "QED", "MW", "cLogP")
    assert "Met318" in problem.setting


def test_alerts_and_strain_cost_something_unless_they_are_turned_off() -> None:
    usual = domain.problem(JOB)
    labels = [term.metric.name for term in usual.loss.terms]  # type: ignore[attr-defined]
    assert labels[-2:] == ["alerts", "strain"]
    assert (usual.config["alert_cost"], usual.config["strain_cost"]) == (0.5, 0.2)
    assert {"alerts", "strain"} <= set(usual.loss.metrics)  # type: ignore[attr-defined]
    again = domain.problem(json.loads(json.dumps(usual.config)))
    assert again.loss.fingerprint == usual.loss.fingerprint
    off = domain.problem({**JOB, "alert_cost": 0, "strain_cost": 0})
    assert not {"alerts", "strain"} & {term.metric.name for term in off.loss.terms}  # type: ignore[attr-defined]
    figures = {"vina": -9.0, "QED": 0.8, "alerts": 2.0, "strain": 17.0}
    difference = usual.loss.combine(figures) - off.loss.combine(figures)  # type: ignore[attr-defined]
    assert difference == pytest.approx(2 * 0.5 + 5 * 0.2)


def test_published_objectives_cost_what_they_say() -> None:
    problem = domain.problem({"objective": "dockstring-f2", "start": "CCO"})
    assert [term.metric.name for term in problem.loss.terms] == ["vina", "QED"]  # type: ignore[attr-defined]
    asked = domain.problem({"objective": "dockstring-f2", "start": "CCO", "alert_cost": 1})
    assert [term.metric.name for term in asked.loss.terms] == ["vina", "QED", "alerts"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("aggregate", ["geometric_mean", "arithmetic_mean"])
def test_in_a_mean_alerts_and_strain_have_a_small_share(aggregate: str) -> None:
    term = {"metric": "vina", "transform": {"type": "reverse_sigmoid", "low": -12, "high": -6}}
    problem = domain.problem({"target": "ABL1", "start": "CCO", "aggregate": aggregate, "terms": [term]})
    figures = {"vina": -10.0, "alerts": 0.0, "strain": 5.0}
    combine = problem.loss.combine  # type: ignore[attr-defined]
    assert 0 < combine({**figures, "alerts": 2.0}) - combine(figures) < 0.1
    assert 0 < combine({**figures, "strain": 25.0}) - combine(figures) < 0.3


def test_a_term_of_ones_own_about_alerts_replaces_the_usual_one() -> None:
    job = {"target": "ABL1", "start": "CCO", "terms": [{"metric": "vina"}, {"metric": "alerts", "weight": 3}]}
    problem = domain.problem(job)
    assert [t.weight for t in problem.loss.terms if t.metric.name == "alerts"] == [3]  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="there is a term about alerts already"):
        domain.problem({**job, "alert_cost": 1})
