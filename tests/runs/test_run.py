"""Who proposes in a run, how runs branch off from one another, and how they compare."""

from __future__ import annotations

from dataclasses import replace

import pytest

import tgsci as tg
from tgsci.basics.texts import settings_differences
from tgsci.runs import comparison, directory
from tgsci.runs import run as running
from tgsci.runs.choose import available, choose, choose_again
from tgsci.runs.domain import Domains
from tgsci.runs.run import options_again
from tgsci.search.desk import Desk
from tgsci.search.proposer import ModelProposer
from tgsci.search.team import Team
from tgsci.testing import Scripted


class Distance(tg.Loss):
    name = "distance"
    units = {"x": "m", "loss": "m"}

    def __init__(self, target):
        self.target = target

    def validate(self, value):
        try:
            return str(int(value))
        except ValueError:
            raise tg.InvalidValue(f"{value!r} is no number") from None

    def evaluate(self, value):
        return tg.Feedback(abs(int(value) - self.target), f"x = {value} m", {"x": float(value)})


class Step(tg.Proposer):
    name = "step"

    def __init__(self, size=1):
        super().__init__()
        self.size = size

    def ask(self, trials, n, rng):
        best = trials.best
        x = int(best.value)
        steps = [self.size * i for i in range(1, n + 1)]
        return [tg.Proposal(str(x + step), f"up by {step}", best.number, "step") for step in steps]


class Baseline(Step):
    name = "giant"


def offered(trials, n, rng):
    x = int(trials.best.value)
    return [tg.Option(str(x + i), f"up by {i}", {"x": float(x + i)}, trials.best.number) for i in range(1, n + 1)]


class Line(tg.Domain):
    name = "line"
    fails = False

    def problem(self, config):
        return tg.Problem(
            loss=Distance(config["target"]),
            start=[str(config.get("start", 0))],
            rules=Step(),
            task="Come near.",
            domain=self.name,
            config=config,
            columns=["x"],
            optimizers={"giant": Baseline(10)},
            options=offered,
            export=export,
        )


def export(result, directory):
    path = directory / "x.csv"
    path.write_text("\n".join(t.value for t in result.trials))
    return [path]


@pytest.fixture(autouse=True)
def domain(monkeypatch):
    class Entry:
        def load(self):
            return Line()

    monkeypatch.setattr(Domains, "installed", classmethod(lambda cls: Domains({"line": Entry()})))
    monkeypatch.delenv("TGSCI_ENGINE", raising=False)
    return Line()


@pytest.fixture
def problem(domain):
    return domain.problem({"target": 100})


MENU = "EVIDENCE: up by 3\nCHOICE: 3\nEVIDENCE: up by 5\nCHOICE: 5\n"


# -- who proposes ------------------------------------------------------------------------------------


def test_the_names_there_are(problem):
    assert available(problem) == ["rules", "giant", "team", "desk", "tgd", "menu"]
    assert available(replace(problem, rules=None, options=None)) == ["giant", "desk", "tgd"]


@pytest.mark.parametrize(
    ("engine", "optimizer", "kind", "record"),
    [
        (None, None, Step, ("rules", "rules")),
        ("rules", None, Step, ("rules", "rules")),
        ("rules", "rules", Step, ("rules", "rules")),
        (None, "rules", Step, ("rules", "rules")),
        (None, "giant", Baseline, ("giant", "rules")),
        (None, " Giant ", Baseline, ("giant", "rules")),
        ("human", None, Team, ("team", "human")),
        ("human", "team", Team, ("team", "human")),
        ("human", "desk", Desk, ("desk", "human")),
        ("human", "tgd", ModelProposer, ("tgd", "human")),
        ("human", "menu", tg.Menu, ("menu", "human")),
        ({"name": "human"}, "menu", tg.Menu, ("menu", {"name": "human"})),
        ({"name": "rules"}, None, Step, ("rules", "rules")),
        (Scripted([]), "menu", tg.Menu, ("menu", None)),
        (None, Step(3), Step, (None, None)),
    ],
)
def test_an_optimizer_is_chosen_by_engine_and_name(problem, engine, optimizer, kind, record):
    chosen = choose(problem, engine, optimizer)
    assert type(chosen.proposer) is kind
    assert (chosen.name, chosen.engine) == record


@pytest.mark.parametrize(
    ("engine", "optimizer", "says"),
    [
        (
            None,
            "ga",
            "no optimizer 'ga' for line; there are: rules, giant, team .with an engine., desk .with an engine., tgd",
        ),
        ("human", "giant", "'giant' proposes on its own and asks no model.*engine 'human'"),
        ("human", "rules", "'rules' proposes on its own"),
        ("rules", "giant", "'giant' proposes on its own"),
        (None, "menu", "'menu' asks a model: name one with --engine"),
        ("rules", "tgd", "'tgd' asks a model"),
        (None, "team", "'team' asks a model"),
        ("human", Step(), "an engine or an optimizer, not both"),
        (None, 5, "not a proposer"),
        (None, Step, "not a proposer"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_reason(problem, engine, optimizer, says):
    with pytest.raises(tg.UsageError, match=says):
        choose(problem, engine, optimizer)


def test_the_environments_engine_is_used_by_those_that_ask_and_by_no_baseline(problem, monkeypatch):
    monkeypatch.setenv("TGSCI_ENGINE", "human")
    assert choose(problem).name == "team"
    assert choose(problem, None, "menu").engine is None or choose(problem, None, "menu").proposer.name == "human"
    assert choose(problem, None, "giant").name == "giant"


def test_a_team_has_the_model_and_the_rule_editor_and_prompts_of_the_length_asked_for(problem):
    team = choose(problem, Scripted([]), prompt_tokens=3000).proposer
    desk, rules = team.members
    assert isinstance(desk, Desk)
    assert (
        desk.prompt_tokens == choose(problem, Scripted([]), "menu", prompt_tokens=3000).proposer.prompt_tokens == 3000
    )
    assert rules is problem.rules


def test_without_a_rule_editor_a_model_is_alone_at_its_desk_and_is_needed(problem):
    alone = replace(problem, rules=None)
    assert choose(alone, "human").name == "desk"
    for optimizer in (None, "rules"):
        with pytest.raises(tg.UsageError, match="has no rule editor: a model or a person has to propose"):
            choose(alone, None, optimizer)
    with pytest.raises(tg.UsageError, match=r"there are: giant, desk .with an engine.*It has no rule editor"):
        choose(alone, "human", "team")


def test_another_model_does_what_the_one_before_did(problem, tmp_path):
    def resumed(header, **asked):
        return choose_again(problem, header, tmp_path, **asked)

    tgd = {"engine": "replay:a", "optimizer": "tgd", "prompt_tokens": 4000}
    assert resumed(tgd, engine="human").name == "tgd"
    assert resumed(tgd, engine="rules").name == "rules"
    assert resumed({"engine": "rules", "optimizer": "rules"}, engine="human").name == "team"
    desk = {"engine": "human", "optimizer": "desk", "prompt_tokens": 4000}
    assert resumed(desk).proposer.prompt_tokens == 4000
    assert resumed(desk, prompt_tokens=5000).proposer.prompt_tokens == 5000
    assert resumed(desk, optimizer="team").engine == "human"


def test_who_proposes_is_recorded_and_a_resumed_run_takes_it_again(problem, tmp_path):
    tg.solve(problem, optimizer="giant", budget=5, run=tmp_path / "a", workers=0)
    more = tg.resume(tmp_path / "a", budget=9, workers=0)
    assert (more.header["optimizer"], more.header["engine"]) == ("giant", "rules")
    assert {t.proposer for t in more.trials} == {"you", "giant"}
    other = tg.resume(tmp_path / "a", budget=13, optimizer="rules", workers=0)
    assert other.trials[-1].proposer == "step"
    assert tg.Result.load(tmp_path / "a").header["optimizer"] == "rules"


def test_a_menu_goes_on_as_a_menu(problem, tmp_path):
    engine = Scripted(lambda prompt, system: MENU)
    first = tg.solve(problem, engine=engine, optimizer="menu", budget=3, proposals=2, run=tmp_path, workers=0)
    assert [t.value for t in first.trials] == ["0", "3", "5"]
    with pytest.raises(tg.UsageError, match="no name"):
        tg.resume(tmp_path, budget=5, workers=0)
    again = tg.resume(tmp_path, engine=engine, budget=5, workers=0)
    assert again.header["optimizer"] == "menu"
    assert len(engine.calls) == 2


def test_a_run_of_before_there_were_optimizers_goes_on(problem, tmp_path):
    tg.solve(problem, budget=2, run=tmp_path, workers=0)
    with tg.Ledger.open(tmp_path, write=True) as ledger, ledger._commit() as db:
        db.execute("DELETE FROM header WHERE key = 'optimizer'")
    assert tg.resume(tmp_path, budget=4, workers=0).spent.evaluations == 4


def test_how_a_model_is_asked_is_recorded_and_may_change_when_the_run_goes_on(problem, tmp_path):
    run = tmp_path / "r"
    kept = ("ideas", "prompt_tokens", "confirm")
    began = tg.solve(problem, engine="rules", budget=3, run=run, ideas=9, prompt_tokens=3000, confirm=False, workers=0)
    assert [began.header[name] for name in kept] == [9, 3000, False]
    header = directory.read_header(run)
    again = options_again(problem, run, header, {"ideas": None, "confirm": None})
    assert (again.ideas, again.prompt_tokens, again.confirm) == (9, 3000, False)
    tg.resume(run, budget=4, ideas=5, confirm=True, workers=0)
    assert [directory.read_header(run)[name] for name in kept] == [5, 3000, True]


def test_a_run_goes_on_only_with_the_same_careful_measurement(tmp_path):
    def search(careful, **more):
        insight = tg.Insight(careful=careful and tg.Careful(careful))
        return tg.minimize(Distance(5), "0", Step(), insight=insight, run=tmp_path, **more)

    search(Distance(5), budget=3)
    with pytest.raises(tg.LedgerError, match="how leaders are measured with care"):
        search(Distance(6), budget=4)
    assert search(Distance(5), budget=4).spent.evaluations == 4


def test_what_is_known_of_the_values_reaches_the_search(tmp_path, monkeypatch):
    insight = tg.Insight(key_columns=["x"], family=len)
    got = []
    search = running.Search
    monkeypatch.setattr(running, "Search", lambda *given: got.append(given[-1]) or search(*given))
    tg.minimize(Distance(5), "0", Step(), insight=insight, budget=2)
    assert got == [insight]


def test_files_are_written_when_the_engine_fails_in_the_middle(problem, tmp_path):
    good = "<REASON>r</REASON><IMPROVED_VARIABLE>7</IMPROVED_VARIABLE>"
    engine = Scripted([good, tg.EngineError("no network")])
    with pytest.raises(tg.EngineError, match="no network"):
        tg.solve(problem, engine=engine, optimizer="tgd", proposals=1, run=tmp_path, workers=0)
    assert (tmp_path / "x.csv").read_text() == "0\n7"
    assert "no reply from the engine: no network" in (tmp_path / "report.html").read_text()


def test_the_files_of_another_run_are_left_alone(problem, domain, tmp_path):
    tg.solve(problem, budget=2, run=tmp_path, workers=0)
    before = (tmp_path / "report.html").read_bytes()
    with pytest.raises(tg.LedgerError, match="what is measured: target 100 there, 7 now"):
        tg.solve(domain.problem({"target": 7}), budget=2, run=tmp_path, workers=0)
    assert (tmp_path / "report.html").read_bytes() == before


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda p: tg.solve(p, run=5), "run must be a directory's path, not 5"),
        (lambda p: tg.solve(p.loss), "solve.. takes a domain's Problem"),
        (lambda p: tg.minimize(Distance, "1", Step()), r"instance, not the class itself: write Distance\(...\)"),
        (lambda p: tg.minimize(p.loss, 5, Step()), "a start value is text, not 5"),
        (lambda p: tg.minimize(p.loss, ["1", 2], Step()), "a start value is text, not 2"),
        (lambda p: tg.minimize(p.loss, "1", Step), "not a proposer"),
        (lambda p: tg.minimize(p.loss, "1", Step(), workers="4"), "'4' is no address of a cluster"),
        (lambda p: tg.minimize(p.loss, "1", Step(), workers="dask://u:p@h:1"), "no address of a cluster"),
        (lambda p: tg.minimize(p.loss, "1", Step(), workers=1.5), "workers must be a whole number"),
        (lambda p: tg.minimize(p.loss, "1", Step(), workers=None), "workers must be a whole number"),
        (lambda p: tg.resume(5), "run must be a directory's path"),
        (lambda p: tg.Result.load(5), "a run must be a directory's path"),
        (lambda p: tg.compare("one"), "takes two runs or more"),
        (lambda p: tg.branch(5, 1), "origin must be a directory's path"),
    ],
)
def test_arguments_of_a_wrong_kind_are_said_in_words(problem, call, says):
    with pytest.raises(tg.UsageError, match=says):
        call(problem)


def test_runs_that_start_in_the_same_second_get_directories_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(directory.time, "strftime", lambda form: "20260101-000000")
    problem = Line().problem({"target": 5})
    made = [directory.new_directory(problem, tmp_path / "runs") for _ in range(3)]
    assert [path.name for path in made] == [f"line-20260101-000000{suffix}" for suffix in ("", "-2", "-3")]
    assert all(path.is_dir() for path in made)
    (tmp_path / "file").touch()
    with pytest.raises(tg.LedgerError, match="cannot write a run into"):
        directory.new_directory(problem, tmp_path / "file")


def test_workers_that_will_be_idle_are_said_once(problem, caplog):
    tg.minimize(problem.loss, "0", Step(), budget=9, proposals=2, workers=3)
    said = [r.getMessage() for r in caplog.records if "idle" in r.getMessage()]
    assert said == ["3 workers, 2 proposals a round: 1 idle; a run with proposals=3 (--proposals 3) would use them all"]


# -- branching off -----------------------------------------------------------------------------------


def test_a_problem_says_when_it_is_done_and_how_many_to_try_at_once(problem, tmp_path):
    wanted = replace(problem, goal=95.0, proposals=1)
    result = tg.solve(wanted, budget=20, workers=0, run=tmp_path / "r")
    assert (result.best.loss, result.stopped) == (95.0, "the goal is met by trial 5")
    assert result.trials[-1].round == 5
    further = tg.solve(wanted, budget=20, goal=90.0, proposals=4, workers=0)
    assert (further.best.loss, further.trials[-1].round) == (88.0, 3)


def test_a_run_branches_off_any_trial_and_says_where_it_came_from(problem, tmp_path):
    tg.solve(problem, budget=5, run=tmp_path / "a", workers=0)
    before = (tmp_path / "a" / "run.db").read_bytes()
    branch = tg.branch(tmp_path / "a", 2, optimizer="giant", budget=5, run=tmp_path / "b", workers=0)
    assert [t.value for t in branch.trials] == ["2", "12", "22", "32", "42"]
    assert branch.branched_from() == f"branched from trial 2 (loss 98.00) of {tmp_path / 'a'}"
    assert (tmp_path / "a" / "run.db").read_bytes() == before
    page = (tmp_path / "b" / "report.html").read_text()
    assert "branched from trial 2 (loss 98.00)" in page


def test_a_branch_resumes_from_its_own_start(problem, tmp_path):
    tg.solve(problem, budget=5, run=tmp_path / "a", workers=0)
    tg.branch(tmp_path / "a", 4, budget=3, run=tmp_path / "b", workers=0)
    more = tg.resume(tmp_path / "b", budget=6, workers=0)
    assert more.trials[0].value == "4"
    assert more.spent.evaluations == 6
    assert "branched from trial 4" in tg.Result.load(tmp_path / "b").branched_from()
    assert tg.load(tmp_path / "a").branched_from() == ""


@pytest.mark.parametrize("number", [-1, 5, "1", True])
def test_there_must_be_such_a_trial(problem, tmp_path, number):
    tg.solve(problem, budget=5, run=tmp_path / "a", workers=0)
    with pytest.raises(tg.UsageError, match="there is no trial"):
        tg.branch(tmp_path / "a", number)


# -- comparing ---------------------------------------------------------------------------------------


@pytest.fixture
def compared(domain, tmp_path):
    problem = domain.problem({"target": 1000})
    tg.solve(problem, budget=12, run=tmp_path / "slow", workers=0)
    tg.solve(problem, optimizer="giant", budget=25, run=tmp_path / "fast", workers=0)
    return tg.compare([tmp_path / "slow", tmp_path / "fast"])


def test_runs_are_compared_at_equal_evaluations(compared, tmp_path):
    slow, fast = str(tmp_path / "slow"), str(tmp_path / "fast")
    assert list(compared.milestones) == [10, 20]
    assert compared.warnings == []
    frame = compared.table()
    assert frame.loc[slow, "best loss after 10"] == 991.0
    assert frame.loc[fast, "best loss after 10"] == 910.0
    assert frame.loc[fast, "best loss after 20"] == 810.0
    assert frame.loc[slow].isna()["best loss after 20"]
    assert frame.loc[fast, "best value"] == "240"
    assert list(frame["proposer"]) == ["step", "giant"]
    assert list(frame["model calls"]) == [0, 0]
    text = repr(compared)
    assert "best loss after 10: 991.0 | 910.0" in text
    assert ">991.0</td>" in compared._repr_html_()


def test_runs_of_different_losses_are_not_ranked_and_it_is_said_what_differs(compared, domain, tmp_path):
    tg.solve(domain.problem({"target": 50}), budget=5, run=tmp_path / "other", workers=0)
    both = [tmp_path / "slow", tmp_path / "other"]
    with pytest.raises(tg.UsageError, match=r"cannot be ranked together\n.*target: 1000 in slow, 50 in other"):
        tg.compare(both)
    anyway = tg.compare(both, anyway=True)
    (warning,) = anyway.warnings
    assert "Distance" not in warning
    assert len(warning) < 400
    assert "not all of the same loss" in anyway.plot().axes[0].get_title()


def test_runs_without_settings_are_told_apart_by_what_they_measure():
    near, far = (tg.minimize(Distance(target), "0", Step(), budget=2) for target in (5, 7))
    with pytest.raises(tg.UsageError, match="target 5 in run 1, 7 in run 2"):
        tg.compare([near, far])


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ({"target": "ABL1"}, {"target": "JAK2"}, ["target: ABL1 in A, JAK2 in B"]),
        ({"limits": {"MW": [None, 450.0], "x": 1}}, {"limits": {"x": 1}}, ["limits MW: up to 450 in A, none in B"]),
        ({"keep": ["CC", "N"]}, {"keep": [2.5]}, ["keep: CC, N in A, 2.5 in B"]),
        ({"full": True}, {"full": False}, ["full: yes in A, no in B"]),
        ({"terms": [{"metric": "vina"}]}, {"terms": []}, ["terms: metric vina in A, none in B"]),
        ({"a": {"b": 1}}, {"a": {"b": 1}}, []),
        ({"a": "\x1b[2J"}, {}, ["a: \\x1b[2J in A, none in B"]),
    ],
)
def test_settings_are_said_as_people_write_them(ours, theirs, said):
    assert settings_differences(ours, theirs, "A", "B") == said


def test_the_curves_are_drawn_over_one_another_with_units(compared):
    figure = compared.plot()
    (axes,) = figure.axes
    assert len(axes.lines) == 2
    assert axes.get_xlabel() == "evaluations"
    assert axes.get_ylabel() == "best loss: distance (m)"
    drawn = dict(zip(*axes.lines[0].get_data(), strict=True))
    curve = comparison.best_by_evaluation(compared_run(compared))
    assert {step: curve[step - 1].loss for step in drawn} == drawn
    assert axes.lines[1].get_ydata()[-1] == 760.0


def compared_run(compared):
    return next(iter(compared.runs.values()))


def test_hostile_names_do_no_harm(compared, tmp_path):
    both = tg.Comparison({"$x^{": compared_run(compared), "<b>": compared_run(compared)}, [10], ["<script>"])
    both.plot().savefig(tmp_path / "a.png")
    assert "<script>" not in both._repr_html_()
    assert "<b>" not in both._repr_html_()


def test_runs_in_memory_and_the_same_run_twice(problem):
    result = tg.solve(problem, budget=3, workers=0)
    both = tg.compare([result, result])
    assert list(both.runs) == ["run 1", "run 2"]
    assert both.milestones == [3]


# -- the same loss -----------------------------------------------------------------------------------


class Counting(tg.Loss):
    """Counts and keeps what it measured; `weight` is a setting."""

    name = "length"

    def __init__(self):
        self.weight, self.calls, self.seen = 2, 0, {}

    def evaluate(self, value):
        self.calls += 1
        self.seen[value] = True
        return tg.Feedback(float(len(value) * self.weight), "length")


class Shorter(tg.Proposer):
    def ask(self, trials, n, rng):
        return [tg.Proposal(trials.best.value[:-1])]


def test_a_loss_that_counts_goes_on_in_its_own_run_and_a_changed_setting_is_said(tmp_path):
    loss = Counting()
    tg.minimize(loss, "xxxxxx", Shorter(), budget=2, run=tmp_path)
    result = tg.minimize(loss, "xxxxxx", Shorter(), budget=4, run=tmp_path)
    assert [t.loss for t in result.trials] == [12.0, 10.0, 8.0, 6.0]
    loss.weight = 3
    with pytest.raises(tg.LedgerError, match="what is measured: weight 2 there, 3 now"):
        tg.minimize(loss, "xxxxxx", Shorter(), budget=5, run=tmp_path)


TARGET = 0


def away(value):
    return abs(len(value) - TARGET)


def test_a_run_goes_on_only_with_the_same_code_and_what_it_reads(tmp_path, monkeypatch):
    tg.minimize(lambda value: away(value), "xxxxxx", Shorter(), budget=2, run=tmp_path)
    monkeypatch.setitem(globals(), "TARGET", 100)
    with pytest.raises(tg.LedgerError, match=r"what is measured: .*something that the code reads, is not what it was"):
        tg.minimize(lambda value: away(value), "xxxxxx", Shorter(), budget=3, run=tmp_path)


@pytest.mark.parametrize("team", [False, True])
def test_a_budget_in_dollars_is_refused_where_no_price_is_known_before_anything_is_asked(team, tmp_path):
    class Served(tg.Engine):
        name = "local/model"

        def price(self, tokens_in, tokens_out):
            return None

        def complete(self, prompt, system="", images=()):
            raise AssertionError("it was asked")

    desk = Desk(Served())
    proposer = Team([desk, Step()]) if team else desk
    budget = tg.Budget(evaluations=5, usd=1.0)
    with pytest.raises(tg.UsageError, match=r"price of local/model is unknown.*--model-calls, --tokens"):
        tg.minimize(Distance(3), "0", proposer, budget=budget, run=tmp_path / "run")
    assert not (tmp_path / "run").exists()
