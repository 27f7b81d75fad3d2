"""The benchmark of models: what each arm sees, runs that go on, and a table that claims nothing on few runs."""

from __future__ import annotations

import importlib
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rdkit")

import tgsci as tg
from tgsci.search.trial import State, Trial, Trials

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    for name in ("bench_models", "model_views", "search_tasks"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("bench_models")


@pytest.fixture
def views(bench: Any) -> Any:
    return importlib.import_module("model_views")


# -- what a model is told ------------------------------------------------------------------------------


def searched() -> Trials:
    insight = tg.Insight(
        key_columns=["JAK2 vina"],
        contrast=lambda parent, child: "kept",
        limiting=lambda feedback: f"the target that limits is {min(feedback.violations).split()[0]}",
        setting="the pocket of JAK2",
    )
    trials = [
        Trial(
            number, number, "C" * (number + 1), f"for JAK2, #{number}", 0, state=State.ACCEPTED, contrast="LCK lost",
            feedback=tg.Feedback(-float(number), f"report {number}: JAK2 and Jak2-like LCK", {"JAK2 vina": -1.0},
                                 {"LCK vina": 0.5}, {"pose.sdf": "x"}),
        )
        for number in range(3)
    ]  # fmt: skip
    pending = [Trial(3, 3, "N", proposer="model")]
    return Trials(
        trials, None, "Bind JAK2, not LCK.", insight=insight, evaluations_left=9, proposals=4, pending=pending
    )


def test_the_view_of_a_search_keeps_what_was_measured(views: Any) -> None:
    before = searched()
    for view in views.REPORTS.values():
        after = view(before)
        assert [t.loss for t in after] == [t.loss for t in before]
        assert [t.value for t in after] == [t.value for t in before]
        assert (after.evaluations_left, after.proposals, after.best.value) == (9, 4, before.best.value)
        assert [t.value for t in after.pending] == ["N"]
    assert before[0].feedback is not None
    assert before[0].feedback.text.startswith("report 0"), "the search's own trials stay as they are"


def test_a_score_alone_is_the_loss_and_what_limits_break(views: Any) -> None:
    after = views.score_only(searched())
    for trial in after:
        assert (trial.feedback.text, dict(trial.feedback.metrics), dict(trial.feedback.artifacts)) == ("", {}, {})
        assert trial.feedback.violations
        assert trial.contrast == ""
    insight = after.insight
    assert (insight.key_columns, insight.contrast, insight.limiting, insight.setting) == ((), None, None, "")


def test_without_reports_all_else_is_there(views: Any) -> None:
    after = views.no_report(searched())
    assert {trial.feedback.text for trial in after} == {""}
    assert all(trial.feedback.metrics and trial.contrast for trial in after)
    assert after.insight.setting


def test_the_report_of_another_value_is_never_ones_own(views: Any) -> None:
    after = views.other_report(searched())
    texts = [trial.feedback.text for trial in after]
    assert sorted(texts) == sorted(t.feedback.text for t in searched() if t.feedback)
    assert all(not text.startswith(f"report {i}:") for i, text in enumerate(texts))
    alone = views.other_report(Trials(list(searched())[:1]))
    assert alone[0].feedback.text == "", "there is no other one yet"


def test_names_that_are_withheld_appear_nowhere(views: Any) -> None:
    after = views.withheld(searched(), ["JAK2", "LCK"])
    said = " ".join(
        [after.task, after.insight.setting, *after.insight.key_columns, after.insight.limiting(after[0].feedback)]
        + [f"{t.feedback} {t.reason} {t.contrast} {t.decision}" for t in after]
    )
    assert not re.search("jak2|lck", said, re.IGNORECASE)
    assert after.task == "Bind target A, not target B."
    noted = views.withheld(searched(), ["JAK2", "LCK"], notes=["the pocket"])
    assert noted.insight.setting == "withheld of target A"
    own = views.withheld(Trials([replace(searched()[0], proposer="m", reason="F2 is a family")]), ["F2"], own="m")
    assert own[0].reason == "F2 is a family", "what a model said itself stays"
    assert after.insight.key_columns == ["target A vina"]
    assert set(after.insight.key_columns) <= set(after[0].feedback.metrics)


@pytest.mark.parametrize("task", ["F2", "JAK2", "PPAR"])
def test_no_task_gives_its_targets_away(bench: Any, views: Any, task: str) -> None:
    problem = bench.problem_of(task)
    trials = Trials([], problem.loss, problem.task, insight=problem.insight)
    names = views.target_names(problem.loss)
    told = views.withheld(trials, names, notes=views.telling_notes(problem.loss))
    said = "\n".join([told.task, told.insight.setting, *told.insight.key_columns])
    assert "target A" in said
    assert not re.search(rf"\b({'|'.join(names)}|chymotrypsin|serine protease|[OPQ]\d[A-Z0-9]{{3}}\d)", said)


# -- runs and the table --------------------------------------------------------------------------------

IDEA = "IDEA {0}\nFROM: #0\nROLE: refine\nEXPECT: {1}\nREASON: nearer\n<VALUE>{2}</VALUE>\n"


def replies(path: Path, count: int) -> str:
    """A recording of a model that has ideas for the polynomial: 0.1 apart, nearer and nearer to 3."""
    lines = []
    for reply in range(count):
        ideas = [IDEA.format(i + 1, 1.0, round(0.1 * (4 * reply + i + 1), 2)) for i in range(4)]
        tags = [f"IMPROVED_VARIABLE_{i}" for i in range(1, 5)]
        old = "".join(f"<{tag}>{0.1 * (4 * reply + i):.2f}</{tag}>" for i, tag in enumerate(tags, 1))
        lines.append(json.dumps({"reply": {"text": "".join(ideas) + old}}))
    path.write_text("\n".join(lines))
    return f"replay:{path}"


@pytest.fixture
def job(outside_packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(outside_packages)
    (tmp_path / "line.toml").write_text('domain = "polynomial"\n[polynomial]\ntarget = 3.0\n')
    return str(tmp_path / "line.toml")


@pytest.mark.slow
def test_every_arm_runs_on_any_problem_and_is_not_run_again(bench: Any, job: str, tmp_path: Path, capsys: Any) -> None:
    command = [
        *("--engine", replies(tmp_path / "r.jsonl", 30), "--tasks", job, "--arms", "all", "--seeds", "1"),
        *("--evaluations", "9", "--ideas", "6", "--workers", "1", "--work", str(tmp_path / "w"), "--pause", "0"),
    ]
    assert bench.main(command) == 0
    table = (tmp_path / "w" / "MODELS.md").read_text()
    for arm in bench.ARMS:
        assert f"\n| {arm} | " in table
        assert f"- {arm}: " in table
    assert "nothing is claimed" in table
    assert "Not there yet" not in table
    runs = sorted((tmp_path / "w").glob("line-*"))
    assert len(runs) == len(bench.ARMS)
    results = [tg.Result.load(path) for path in runs]
    assert {result.spent.evaluations for result in results} == {9}
    assert {result.header["arm"] for result in results} == set(bench.ARMS)
    calls = [result.spent.model_calls for result in results]
    capsys.readouterr()
    assert bench.main(command) == 0
    assert [tg.Result.load(path).spent.model_calls for path in runs] == calls, "what is finished is not run again"
    capsys.readouterr()
    with pytest.raises(SystemExit, match=r"was begun otherwise .ideas: 6 in the run, 7 in this call"):
        bench.main([*command, "--ideas", "7"])


def test_a_run_that_was_stopped_goes_on(bench: Any, job: str, tmp_path: Path) -> None:
    engine = replies(tmp_path / "r.jsonl", 30)
    common = [
        "--tasks",
        job,
        "--arms",
        "desk-pool",
        "--seeds",
        "1",
        "--evaluations",
        "9",
        "--workers",
        "1",
        "--pause",
        "0",
    ]
    whole = ["--engine", engine, *common, "--work", str(tmp_path / "whole")]
    assert bench.main(whole) == 0
    options = bench.parsed(["--engine", engine, *common, "--work", str(tmp_path / "part")])
    (run,) = [bench.Run(job, "desk-pool", 0)]

    def stop(progress: Any) -> None:
        if progress.spent.evaluations >= 6:
            raise KeyboardInterrupt

    assert bench.carried_out(run, options, stop).stopped == "interrupted"
    assert bench.main(["--engine", engine, *common, "--work", str(tmp_path / "part")]) == 0
    one, other = (
        tg.Result.load(run.directory(bench.parsed([*whole[:-1], str(tmp_path / w)]))) for w in ("whole", "part")
    )
    assert [(t.value, t.loss) for t in one.trials] == [(t.value, t.loss) for t in other.trials]


def test_an_engine_that_does_not_answer_costs_no_table_and_is_not_asked_for_each_run(
    bench: Any, job: str, tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / "none.jsonl").write_text("")
    command = ["--engine", f"replay:{tmp_path / 'none.jsonl'}", "--tasks", job, "--seeds", "2", "--evaluations", "5"]
    code = bench.main([*command, "--workers", "1", "--pause", "0", "--work", str(tmp_path / "w")])
    told = capsys.readouterr()
    assert code == 1
    assert "the same command goes on" in told.err
    assert told.err.count("seed") <= bench.TRIES, "one failure a round of tries"
    table = (tmp_path / "w" / "MODELS.md").read_text()
    assert "| rules | " in table
    assert "Not there yet: " in table


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--arms", "team"], "ask a model: name it with --engine"),
        (["--arms", "best"], "no arm best; there are rules, tgd"),
        (["--arms", "rules", "--tasks", "F3"], "--tasks F3: "),
        (["--arms", "rules", "--seeds", "0"], "--seeds must be at least 1"),
        (["--arms", "rules", "--parameter", "x"], "KEY=VALUE, not 'x'"),
        (["--engine", "replay:nowhere.jsonl"], "--engine replay:nowhere.jsonl: "),
    ],
)
def test_bad_arguments_are_said_before_any_work(bench: Any, arguments: list[str], says: str, capsys: Any) -> None:
    with pytest.raises(SystemExit):
        bench.main(arguments)
    assert says in capsys.readouterr().err


def test_the_help_explains_the_arms_the_tasks_and_the_figures(bench: Any, capsys: Any) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--help"])
    told = capsys.readouterr().out
    for words in (
        "OPENAI_API_BASE",
        "goes on where it was killed",
        "confirmed",
        "desk-pool",
        "other-report",
        "mine.toml",
    ):
        assert words in told


def outcomes(bench: Any, arm: str, losses: list[float | None], task: str = "F2") -> list[Any]:
    return [
        bench.Outcome(bench.Run(task, arm, seed), -9.0, loss, "C|C", "a`b|c", 100, 25, 90_000, 3, None, 60.0, "done")
        for seed, loss in enumerate(losses)
    ]


def test_the_table_has_medians_spread_and_who_proposed_the_winners(bench: Any) -> None:
    options = bench.parsed(["--arms", "rules", "--tasks", "F2"])
    found = [*outcomes(bench, "team", [-10.0, -10.4, -10.6]), *outcomes(bench, "rules", [-9.4, -9.5, None])]
    table = bench.page(found, ["F2 tgd seed 0"], options)
    assert "| team | -10.40 (-10.60 to -10.00; 3) | a'b/c 3 | 25 | 90,000 | unknown |" in table
    assert "| rules | -9.45 (-9.50 to -9.40; 2) |" in table
    assert "- F2: team reaches -10.3 (median -10.40)." in table
    assert "team (-10.40) is" not in table, "two confirmed runs of the other arm: nothing is claimed"
    assert "| SELFIES GA (published, median of 3) | -9.06 |" in table
    assert "Not there yet: F2 tgd seed 0." in table
    more = bench.page([*found[:3], *outcomes(bench, "rules", [-9.4, -9.5, -9.6])], [], options)
    assert "- F2: team (-10.40) is better than rules (-9.50)." in more
    worse = bench.page([*outcomes(bench, "team", [-9.0] * 3), *outcomes(bench, "rules", [-9.4] * 3)], [], options)
    assert "NOT better than rules" in worse
    assert "team MISSES -10.3" in worse


def test_the_confirmed_figure_is_the_best_of_those_that_were_measured_with_care(bench: Any) -> None:
    class Careful(tg.Loss):
        name = "length"

        def __init__(self, more: float = 0.0) -> None:
            self.more = more

        def evaluate(self, value: str) -> tg.Feedback:
            return tg.Feedback(len(value) + (self.more if len(value) < 3 else 0.0), "r")

    class Shorter(tg.Proposer):
        def ask(self, trials: Any, n: int, rng: Any) -> list[tg.Proposal]:
            return [tg.Proposal("a" * k, "r", 0) for k in (4, 2, 3)][:n]

    def finish(result: Any, finishing: Any) -> None:
        bench.confirm(result, finishing, most=2)

    options: dict[str, Any] = {"insight": tg.Insight(careful=tg.Careful(Careful(5.0))), "finish": finish}
    result = tg.minimize(Careful(), "aaaaa", Shorter(), budget=4, proposals=3, confirm=False, **options)
    assert {number: final.loss for number, final in result.finals.items()} == {2: 7.0, 3: 3.0}
    outcome = bench.Outcome.of(bench.Run("x", "rules", 0), result)
    assert (outcome.quick, outcome.confirmed, outcome.value) == (2.0, 3.0, "aaa")
    assert replace(outcome, value="") != outcome
