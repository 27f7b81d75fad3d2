"""The domain as a job file, a resumed run and a model see it: strict, and the same problem again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

import tgsci as tg
from tests.radiotherapy.cases import small_case
from tgsci.engines.litellm import LiteLLMEngine
from tgsci.errors import UsageError
from tgsci.runs import run as runs
from tgsci.runs.job import read_job
from tgsci.runs.run import minimize
from tgsci.search.menu import Menu
from tgsci.search.trial import State
from tgsci.testing import Scripted, check_domain
from tgsci_radiotherapy import domain
from tgsci_radiotherapy.case.store import save
from tgsci_radiotherapy.editor.rules import RuleEditor
from tgsci_radiotherapy.loss import PlanLoss
from tgsci_radiotherapy.notice import NOTICE
from tgsci_radiotherapy.plan import PlanParameters

JOBS = [
    path
    for path in sorted((Path(__file__).parents[2] / "data" / "jobs").glob("*.toml"))
    if read_job(path).domain == "radiotherapy"
]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save(small_case(), tmp_path_factory.mktemp("cases") / "small.zarr"))


@pytest.fixture
def job(case: str) -> dict[str, Any]:
    return {"case": case, "goals": "tg119-easier"}


@pytest.mark.slow
def test_it_keeps_the_contract_of_domains(job: dict[str, Any]) -> None:
    check_domain(domain, {**job, "gap": 1e-3}, evaluations=4)


def test_a_problem_builds_itself_again_from_its_config(job: dict[str, Any]) -> None:
    start = '{"objectives": [{"structure": "ptv", "type": "squared_deviation", "dose_gy": 51, "weight": 10}]}'
    for more in (
        {},
        {"start": start},
        {"start": [start, start.replace("51", "52")]},
        {"objectives": json.loads(start)["objectives"]},
        {"protocol": "textgrad-paper", "gap": 1e-4, "seconds": 60},
    ):
        problem = domain.problem({**job, **more})
        again = domain.problem(json.loads(json.dumps(problem.config)))
        assert again.config == problem.config
        assert again.loss.fingerprint == problem.loss.fingerprint
        assert list(again.start) == list(problem.start)
        assert again.task == problem.task
    assert len(domain.problem({**job, "start": [start, start.replace("51", "52")]}).start) == 2


def test_what_a_problem_offers(job: dict[str, Any]) -> None:
    problem = domain.problem(job)
    assert problem.name == "small-tg119-easier"
    assert isinstance(problem.loss, PlanLoss)
    assert isinstance(problem.rules, RuleEditor)
    assert list(problem.optimizers) == ["optuna", "random", "priority"]
    assert problem.goal is None, "goals that are met leave room to be as low as achievable"
    assert problem.columns[:3] == ("goals met", "implied met", "PTV D95%")
    assert set(problem.columns) <= set(problem.loss.units)
    assert any(NOTICE in note for note in problem.notes)
    assert any(str(small_case().grid) in note for note in problem.notes), "the grid is part of every figure"


def test_a_problem_tells_a_search_what_it_knows_of_plans(job: dict[str, Any]) -> None:
    problem = domain.problem(job)
    told = problem.insight
    assert told.key_columns[0] == "goals met"
    assert set(told.key_columns) <= set(problem.columns)
    assert told.family
    assert told.family(problem.start[0]).startswith("Core overdose, PTV overdose, PTV underdose")
    assert "PTV 50 Gy in 25 fractions" in told.setting
    assert None not in (told.contrast, told.change, told.predict, told.limiting)
    assert "27 : 9 : 3 : 1" in problem.task


def test_the_task_tells_a_model_the_form_the_goals_and_what_a_reason_says(job: dict[str, Any]) -> None:
    task = domain.problem(job).task
    for words in ("PTV D95% >= 50 Gy, priority 1", "total Gy", "squared_overdose", "expect", NOTICE, "prescribed 50"):
        assert words in task
    assert "at least 27 : 9 : 3 : 1 for priority 1 : 2 : 3 : 4" in task
    assert "as low as achievable" in task
    assert (
        "Core D10% <= 25 Gy is out of reach, by an estimate: its 2.88 cc lie so near that it is about 28.5 Gy or more"
        in task
    )
    assert "[external] - [targets] D0.03cc <= 53.5 Gy, implied (no hot spot" in task
    assert "implied" not in domain.problem({**job, "implied": False}).task.replace("implied goals come last", "")
    assert "change weights only" in domain.problem({**job, "protocol": "textgrad-paper"}).task


def test_the_papers_protocol_says_what_stands_beside_it(job: dict[str, Any]) -> None:
    notes = " ".join(domain.problem({**job, "protocol": "textgrad-paper"}).notes)
    assert "at most 10 iterations" in notes
    assert "--optimizer optuna --evals 50" in notes


def test_a_start_can_be_a_file_or_the_plan_of_another_run(job: dict[str, Any], tmp_path: Path) -> None:
    loss = domain.problem(job).loss
    wanted = loss.start.replaced(0, weight=77)  # type: ignore[attr-defined]
    (tmp_path / "parameters.json").write_text(wanted.text())
    (tmp_path / "plan.json").write_text(str(loss.measure(wanted.text()).artifacts["plan.json"]))
    for name in ("parameters.json", "plan.json"):
        assert list(domain.problem({**job, "start": str(tmp_path / name)}).start) == [wanted.text()]


def test_files_are_kept_by_their_whole_path(
    job: dict[str, Any], case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.toml").write_text('goals = ["PTV D95% >= 49 Gy"]\n[prescription]\nPTV = 50\n')
    monkeypatch.chdir(tmp_path)
    config = domain.problem({"case": str(Path(case)), "goals": "mine.toml"}).config
    assert config["goals"] == str(tmp_path / "mine.toml")
    assert config["case"] == case
    assert domain.problem(job).config["goals"] == "tg119-easier"


def test_a_directory_of_a_built_in_name_does_not_hide_it(
    job: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tg119-easier").mkdir()
    monkeypatch.chdir(tmp_path)
    assert domain.problem(job).config["goals"] == "tg119-easier"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"gaols": "x"}, "unknown key 'gaols'"),
        ({"case": 3}, "case must be"),
        ({"goals": ""}, "goals must be"),
        ({"case": "cshaped"}, "cshaped"),
        ({"case": "no/such.zarr"}, "no/such.zarr"),
        ({"goals": "tg119"}, "no sheet of goals is called 'tg119'; did you mean tg119"),
        ({"gap": "small"}, "gap must be a number"),
        ({"seconds": 0}, "seconds must be a number"),
        ({"protocol": "paper"}, "no protocol"),
        ({"prescription": 50}, "prescription must be"),
        ({"start": "no-such-file.json"}, "cannot read 'no-such-file.json'"),
        ({"start": "\x00"}, "start"),
        ({"start": []}, "start must be"),
        ({"start": ["{}"]}, 'the key "objectives" is missing'),
        ({"start": [3]}, "start must be"),
        ({"objectives": 3}, "objectives must be"),
        ({"objectives": [{"structure": "Heart", "type": "mean", "weight": 1}]}, "Heart"),
        ({"start": "{}", "objectives": []}, "not both"),
        ({"goals": "prostate-70.2"}, "goals prostate-70.2"),
    ],
)
def test_bad_input_is_refused_before_any_work(job: dict[str, Any], change: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        domain.problem({**job, **change})


def test_a_missing_key_is_named(job: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="the key 'goals' is missing"):
        domain.problem({"case": job["case"]})


@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
def test_the_example_jobs_say_what_there_is(path: Path) -> None:
    """Their tables are checked on the small case: the built-in ones take seconds to open."""
    table = read_job(path).table
    assert table["case"] in ("cshape", "prostate")
    assert set(table) <= set(domain_keys())
    for objective in table.get("objectives", []):
        assert PlanParameters.read(json.dumps({"objectives": [objective]}))


def domain_keys() -> dict[str, str]:
    from tgsci_radiotherapy.job import KEYS

    return KEYS


def test_there_is_an_example_for_each_use() -> None:
    names = {path.stem for path in JOBS}
    assert names >= {"cshape-easier", "cshape-harder", "prostate", "prostate-textgrad-paper"}


def test_listing_the_commands_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from tgsci_radiotherapy import domain\n"
        "domain.commands()\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"numpy", "numba", "zarr", "pydicom", "matplotlib", "optuna", "pyRadPlan", "pymedphys", "scipy", "skimage"}
    assert not heavy & set(loaded)


# -- a run in a directory ------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_of_excluding_goals_leaves_the_account_and_resumes(job: dict[str, Any], tmp_path: Path) -> None:
    problem = domain.problem(job)
    whole = runs.solve(problem, engine="rules", budget=4, workers=0)  # in memory: nothing is exported
    part = runs.solve(problem, engine="rules", budget=2, run=tmp_path / "part", workers=0)
    assert len(part.trials) == 2
    again = runs.resume(tmp_path / "part", budget=4, workers=0)
    assert [(t.value, t.loss, t.reason) for t in again.trials] == [(t.value, t.loss, t.reason) for t in whole.trials]
    account = (tmp_path / "part" / "conflicts.txt").read_text()
    assert "Core D10% <= 25 Gy" in account
    assert NOTICE in account
    assert (tmp_path / "part" / "plan.json").is_file()


@pytest.mark.slow
def test_a_run_that_meets_its_goals_leaves_no_account(case: str, tmp_path: Path) -> None:
    (tmp_path / "mild.toml").write_text('goals = ["PTV D95% >= 40 Gy"]\n[prescription]\nPTV = 50\n')
    problem = domain.problem({"case": case, "goals": str(tmp_path / "mild.toml")})
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "conflicts.txt").write_text("of an earlier session")
    result = runs.solve(problem, engine="rules", budget=4, run=tmp_path / "run", workers=0)
    assert result.best is not None
    assert result.best.loss <= 0
    assert not (tmp_path / "run" / "conflicts.txt").exists()


# -- a model proposes ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_served_model_writes_plans_and_is_told_what_was_wrong(case: str, httpserver: HTTPServer) -> None:
    """Through litellm and a real socket: fenced JSON is taken; a wrong field is named and asked for again."""
    problem = domain.problem({"case": case, "goals": "tg119-easier"})
    start = PlanParameters.read(problem.start[0])
    wrong = start.replaced(0, weight=300).text().replace('"dose_gy"', '"dose"', 1)
    better, best = start.replaced(0, weight=300).text(), start.replaced(0, weight=400).text()
    texts = [
        _reply("PTV D95% is below 50 Gy", f"```json\n{best}\n```"),
        _reply("more", wrong),
        _reply("with the right field", better),
    ]

    def handle(_: Request) -> Response:
        message = {"role": "assistant", "content": texts.pop(0)}
        body = {
            "id": "x",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
        }
        return Response(json.dumps(body), content_type="application/json")

    httpserver.expect_request("/v1/chat/completions", method="POST").respond_with_handler(handle)
    engine = LiteLLMEngine("openai/local", api_base=httpserver.url_for("/v1"), api_key="x")
    result = runs.solve(problem, engine=engine, optimizer="tgd", budget=3, workers=0, proposals=1)
    assert [t.value for t in result.trials] == [problem.start[0], best, better]
    assert all(t.measured for t in result.trials)
    asked = [json.loads(request.get_data())["messages"][-1]["content"] for request, _ in httpserver.log]
    assert len(asked) == 3
    assert "SENSITIVITIES" in asked[0]
    assert "PTV D95% >= 50 Gy" in asked[0]
    assert "did you mean dose_gy" in asked[2]
    assert result.trials[1].value in asked[1] or "loss" in asked[1], "the model is told what its last edit did"


def test_a_useless_model_costs_its_say_and_not_the_run(case: str) -> None:
    problem = domain.problem({"case": case, "goals": "tg119-easier"})
    script = Scripted(lambda prompt, system: "I would raise the weights.")
    budget = tg.Budget(evaluations=3, model_calls=2)
    result = minimize(problem.loss, list(problem.start), tg.TGD(engine=script), budget=budget, proposals=1)
    assert [t.state for t in result.trials] == [State.ACCEPTED, State.INVALID]
    assert "model calls" in result.stopped


def test_a_model_chooses_from_the_menu_by_predicted_goals(case: str) -> None:
    problem = domain.problem({"case": case, "goals": "tg119-easier"})
    assert problem.options is not None
    script = Scripted(['EVIDENCE: "PTV D95% >= 50 Gy"\nCHOICE: 1'])
    result = minimize(
        problem.loss, list(problem.start), Menu(script, problem.options), budget=2, proposals=1, task=problem.task
    )
    assert result.trials[1].measured
    prompt = script.calls[0][0]
    assert "predicted PTV D95% >= 50 Gy" in prompt
    assert "weight of" in prompt


def test_nothing_of_the_patient_reaches_a_model(case: str) -> None:
    from dataclasses import replace

    secret = replace(
        small_case(), provenance={"source": "Doe^Jane 12345", "institution": "Clinic of Somewhere"}, name="small"
    )
    loss = PlanLoss(secret, "tg119-easier")
    feedback = loss.measure(loss.start.text())
    said = " ".join([feedback.text, *map(str, feedback.artifacts.values()), loss.name, loss.fingerprint])
    assert "Doe" not in said
    assert "Somewhere" not in said


def _reply(reason: str, value: str) -> str:
    return f"<REASON>{reason}</REASON>\n<IMPROVED_VARIABLE>{value}</IMPROVED_VARIABLE>"
