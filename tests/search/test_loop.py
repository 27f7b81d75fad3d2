"""minimize(): budgets, goals, what is recorded, what is refused, and that nothing bad is ever best."""

from __future__ import annotations

import math
import os
import random
import sqlite3
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tgsci as tg
from tests.processes import child_environment
from tgsci.engines.scripted import Scripted


class Script(tg.Proposer):
    """Proposes rounds of values from a list; afterwards nothing."""

    name = "script"

    def __init__(self, *rounds):
        super().__init__()
        self.rounds = rounds
        self.asked = 0

    def ask(self, trials, n, rng):
        done = trials[-1].round
        self.asked += 1
        return [
            p if isinstance(p, tg.Proposal) else tg.Proposal(p)
            for p in (self.rounds[done] if done < len(self.rounds) else ())
        ]


class Endless(tg.Proposer):
    """Always something new."""

    name = "endless"

    def ask(self, trials, n, rng):
        return [tg.Proposal(str(len(trials) + i)) for i in range(n)]


def reply(*values: str) -> str:
    if len(values) == 1:
        return f"<REASON>because</REASON><IMPROVED_VARIABLE>{values[0]}</IMPROVED_VARIABLE>"
    return "".join(f"<IMPROVED_VARIABLE_{i}>{v}</IMPROVED_VARIABLE_{i}>" for i, v in enumerate(values, 1))


def number(value: str) -> str:
    try:
        return f"{float(value):g}"
    except ValueError:
        raise tg.InvalidValue(f"{value!r} is no number") from None


def distance(value: str) -> float:
    if value == "13":
        raise tg.MeasurementError("no convergence")
    return abs(float(value) - 5)


LOSS = tg.FunctionLoss(distance, name="distance", validate=number)


def states(result):
    return [(t.value, t.state.value) for t in result.trials]


# -- accepting -------------------------------------------------------------------------------------


def test_only_what_is_better_is_accepted_and_everything_is_recorded():
    proposer = Script([tg.Proposal("8", "closer", 0, "shift")], ["9", "x", "8.0", "6", "6.00"], ["13"])
    result = tg.minimize(LOSS, "10", proposer, proposals=5)
    assert states(result) == [
        ("10", "accepted"),
        ("8", "accepted"),
        ("9", "rejected"),
        ("x", "invalid"),
        ("8", "duplicate"),
        ("6", "accepted"),
        ("6", "duplicate"),
        ("13", "failed"),
    ]
    assert result.best.value == "6"
    assert result.stopped == "nothing is left to propose"
    assert result.spent.evaluations == 5
    eight = result.trials[1]
    assert (eight.reason, eight.parent, eight.edit, eight.proposer) == ("closer", 0, "shift", "script")
    assert [t.decision for t in result.trials][2:] == [
        "not better than trial 1 (loss 3.000)",
        "'x' is no number",
        "proposed before as trial 1",
        "better than trial 1 (loss 3.000)",
        "proposed before as trial 5",
        "no convergence",
    ]
    assert result.trials[0].proposer == "you"


def test_a_failure_is_never_best_and_never_measured_again():
    measured = []

    def loss(value):
        measured.append(value)
        return math.nan if value == "nan" else float(value)

    result = tg.minimize(loss, "1", Script(["nan", "2"], ["nan"]), proposals=2)
    assert [s for _, s in states(result)] == ["accepted", "failed", "rejected", "duplicate"]
    assert measured == ["1", "nan", "2"]
    assert math.isnan(result.trials[1].loss)


def test_a_passing_failure_is_tried_twice_and_recorded():
    tries = []

    def flaky(value):
        tries.append(value)
        if len(tries) < 3:
            raise tg.MeasurementError("server busy", transient=True)
        return 1.0

    result = tg.minimize(flaky, ["a", "b"], Script())
    assert tries == ["a", "a", "b"]
    assert states(result) == [("a", "failed"), ("b", "accepted")]


def test_a_passing_failure_may_be_proposed_again(tmp_path):
    tries = []

    def flaky(value):
        tries.append(value)
        if value == "2" and tries.count("2") <= 2:  # the first try, and the second right after it
            raise tg.MeasurementError("server busy", transient=True)
        return float(value)

    loss = tg.FunctionLoss(flaky, name="flaky")
    optimizer = Script(["2", "2"], ["2"], ["2"])
    result = tg.minimize(loss, "3", optimizer, run=tmp_path)
    assert states(result) == [
        ("3", "accepted"),
        ("2", "failed"),
        ("2", "duplicate"),
        ("2", "accepted"),
        ("2", "duplicate"),
    ]
    assert result.trials[4].decision == "proposed before as trial 3"
    assert result.trials.find("2").number == 3
    assert tg.Result.load(tmp_path).trials.find("2").number == 3


def test_what_failed_for_good_is_not_proposed_again():
    for transient, found in ((True, None), (False, 0)):
        trial = tg.Trial(0, 0, "a", state=tg.State.FAILED, feedback=tg.Feedback.failed("x", transient=transient))
        trials = tg.Trials([trial])
        assert (trials.find("a") and trials.find("a").number) == found
        trials.append(tg.Trial(1, 1, "a"))
        assert trials.find("a").number == (1 if transient else 0)


def test_feasible_beats_infeasible_and_the_broken_limit_is_named():
    loss = tg.FunctionLoss(lambda v: tg.Feedback(float(v), metrics={"dose": float(v)})).limit("dose", low=5)
    result = tg.minimize(loss, "1", Script(["3"], ["9"], ["2"]))
    assert [s for _, s in states(result)] == ["accepted", "accepted", "accepted", "rejected"]
    assert "limits broken: dose >= 5 by 3" in result.trials[3].decision


def test_several_start_values_are_measured_first_and_once():
    result = tg.minimize(LOSS, ["8", "8.0", "7"], Script())
    assert states(result) == [("8", "accepted"), ("7", "accepted")]


def test_the_best_so_far_is_what_the_optimizer_sees():
    seen = []

    class Watch(Script):
        def ask(self, trials, n, rng):
            seen.append((trials.best.value, len(trials), n, trials.task))
            return super().ask(trials, n, rng)

    tg.minimize(LOSS, "9", Watch(["8"], ["99"]), proposals=3, budget=4, task="near five")
    assert seen == [("9", 1, 3, "near five"), ("8", 2, 2, "near five"), ("8", 3, 1, "near five")]


def test_randomness_comes_from_the_seed_alone():
    class Chance(tg.Proposer):
        name = "chance"

        def ask(self, trials, n, rng):
            return [tg.Proposal(str(rng.random())) for _ in range(n)]

    def run(seed):
        random.seed(time.time())
        return states(tg.minimize(LOSS, "9", Chance(), budget=9, seed=seed))

    assert run(1) == run(1) != run(2)


class Parsed(str):
    """A number with what was parsed."""

    def __new__(cls, value):
        parsed = super().__new__(cls, value)
        parsed.number = float(value)
        return parsed

    def __reduce__(self):
        return str, (str(self),)


class Parsing(tg.Loss):
    name = "parsing"

    def __init__(self):
        self._validated, self._kinds = [], []

    def validate(self, value):
        self._validated.append(value)
        return Parsed(number(value))

    def evaluate(self, value):
        self._kinds.append(type(value))
        return tg.Feedback(abs(float(value) - 5), type(value).__name__)


@pytest.mark.parametrize("proposer", ["model", "own"])
def test_a_value_is_validated_once_and_what_was_parsed_reaches_the_loss(proposer, tmp_path):
    loss = Parsing()
    asked = tg.TGD(engine=Scripted([reply("8.0", "7")])) if proposer == "model" else Script(["8.0", "7"])
    result = tg.minimize(loss, "9", asked, budget=3, proposals=2, run=tmp_path)
    assert loss._validated == ["9", "8.0", "7"]
    assert loss._kinds == [Parsed] * 3
    assert states(result) == [("9", "accepted"), ("8", "accepted"), ("7", "accepted")]
    assert {type(t.value) for t in result.trials} == {Parsed}, "what was parsed is there for what is made of the result"
    assert {type(t.value) for t in tg.load(tmp_path).trials} == {str}, "a record holds plain text"


def test_what_was_parsed_may_stay_behind_when_a_value_goes_to_a_worker():
    result = tg.minimize(Parsing(), "9", Script(["8"]), workers=1)
    assert [t.feedback.text for t in result.trials] == ["str", "str"]


# -- ending ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 2])
def test_the_budget_of_evaluations_is_kept_exactly(workers):
    result = tg.minimize(LOSS, "900", Endless(), budget=10, proposals=4, workers=workers)
    assert result.spent.evaluations == 10
    assert "10 evaluations" in result.stopped


def test_invalid_and_duplicate_proposals_cost_no_evaluation():
    result = tg.minimize(LOSS, "9", Script(["x", "9"], ["8"], ["7"]), budget=3)
    assert result.spent.evaluations == 3
    assert "3 evaluations" in result.stopped


def test_the_budget_of_model_calls_ends_a_run():
    engine = Scripted([reply(str(i)) for i in range(100, 0, -1)])
    result = tg.minimize(LOSS, "900", tg.TGD(engine=engine), proposals=1, budget=tg.Budget(None, model_calls=5))
    assert len(engine.calls) == result.spent.model_calls == 5
    assert "5 model calls" in result.stopped


def test_the_budget_of_dollars_ends_a_run_and_an_unknown_price_too():
    priced = Scripted([tg.Reply(reply(str(i)), usd=0.4) for i in range(100, 0, -1)])
    result = tg.minimize(LOSS, "900", tg.TGD(engine=priced), proposals=1, budget=tg.Budget(usd=1.0))
    assert result.spent.model_calls == 3
    assert result.spent.usd == pytest.approx(1.2)
    assert "1 USD" in result.stopped
    unpriced = Scripted([reply("7"), reply("6")])
    result = tg.minimize(LOSS, "900", tg.TGD(engine=unpriced), proposals=1, budget=tg.Budget(usd=1.0))
    assert result.spent.unpriced_calls == 1
    assert "price is unknown" in result.stopped
    assert "model_calls" in result.stopped


def test_the_budget_of_seconds_ends_a_run_and_counts_earlier_sessions(tmp_path):
    def slow(value):
        time.sleep(0.03)
        return float(value)

    loss = tg.FunctionLoss(slow)
    result = tg.minimize(loss, "0", Endless(), proposals=1, budget=tg.Budget(seconds=0.2), run=tmp_path)
    assert "0.2 s" in result.stopped
    before = result.spent.evaluations
    assert 2 <= before <= 7
    again = tg.minimize(loss, "0", Endless(), proposals=1, budget=tg.Budget(seconds=0.2), run=tmp_path)
    assert again.spent.evaluations == before
    assert again.spent.seconds >= 0.2


@pytest.mark.parametrize("goal", [3.0, lambda feedback: feedback.loss <= 3])
def test_the_goal_ends_a_run(goal):
    result = tg.minimize(LOSS, "100", Script(["50"], ["8"], ["6"]), goal=goal)
    assert result.stopped == "the goal is met by trial 2"


def test_an_infeasible_value_does_not_meet_the_goal():
    loss = tg.FunctionLoss(lambda v: tg.Feedback(float(v), metrics={"x": float(v)})).limit("x", low=2)
    result = tg.minimize(loss, "1", Script(["3"]), goal=1.0)
    assert result.stopped == "nothing is left to propose"


def test_a_proposer_of_nonsense_ends_after_ten_rounds():
    engine = Scripted(lambda prompt, system: "I do not know.")
    result = tg.minimize(LOSS, "9", tg.TGD(engine=engine), proposals=2)
    assert "10 rounds in a row gave no new value" in result.stopped
    assert result.trials[-1].round == 10
    assert {t.state for t in result.trials[1:]} == {tg.State.INVALID}
    assert "no complete" in result.trials[-1].decision
    assert len(engine.calls) == 20


def test_no_measured_start_value_ends_a_run():
    result = tg.minimize(LOSS, "13", Endless())
    assert result.stopped == "no start value could be measured: no convergence"
    assert result.best is None
    text_only = tg.minimize(lambda v: tg.Feedback(None, "nice"), "x", Endless())
    assert "the loss gave no number" in text_only.stopped


def test_a_round_of_a_model_is_one_call_for_all_proposals():
    engine = Scripted([reply("8", "7", "6", "5.5")])
    result = tg.minimize(LOSS, "9", tg.TGD(engine=engine), budget=5, proposals=4)
    assert len(engine.calls) == 1
    assert result.best.value == "5.5"
    assert [t.parent for t in result.trials] == [None, 0, 0, 0, 0]


# -- engines, bugs, interruptions ------------------------------------------------------------------


def test_an_engine_error_can_be_resumed(tmp_path):
    broken = Scripted([reply("8"), tg.EngineError("no network")])
    with pytest.raises(tg.EngineError, match="no network"):
        tg.minimize(LOSS, "9", tg.TGD(engine=broken), proposals=1, budget=4, run=tmp_path)
    assert "no network" in tg.Result.load(tmp_path).stopped
    mended = Scripted([reply("8"), reply("7"), reply("6")])
    result = tg.minimize(LOSS, "9", tg.TGD(engine=mended), proposals=1, budget=4, run=tmp_path)
    assert [v for v, _ in states(result)] == ["9", "8", "7", "6"]
    assert len(mended.calls) == 2


def test_a_bug_in_the_loss_is_raised_and_what_was_measured_is_kept(tmp_path):
    def buggy(value):
        return 1.0 / (float(value) - 8)

    with pytest.raises(ZeroDivisionError):
        tg.minimize(buggy, "9", Script(["8"]), run=tmp_path)
    assert states(tg.Result.load(tmp_path)) == [("9", "accepted"), ("8", "pending")]


def test_a_forgotten_return_is_named():
    with pytest.raises(TypeError, match=r"validate must return the value, not None"):
        tg.minimize(tg.FunctionLoss(len, validate=lambda v: None), "x", Script())


def test_half_a_character_from_a_model_or_a_simulator_stops_no_run(tmp_path):
    """A lone surrogate, as a broken JSON escape leaves it, goes into no file and no database."""
    engine = Scripted([reply("a\ud800b"), "\udfff", reply("\udc00")])
    loss = tg.FunctionLoss(lambda v: tg.Feedback(float(len(v)), "pose \udcff", artifacts={"n\udcff": "\udcff"}))
    result = tg.minimize(loss, "xxxx", tg.TGD(engine=engine), proposals=1, budget=3, run=tmp_path)
    assert [t.value for t in result.trials if t.measured] == ["xxxx", "a\ufffdb", "\ufffd"]
    assert dict(result.trials[0].feedback.artifacts) == {"n\ufffd": "\ufffd"}
    assert states(tg.Result.load(tmp_path)) == states(result)
    with pytest.raises(tg.UsageError, match="Unicode"):
        tg.minimize(loss, "\ud800", Script())
    hostile = Script([tg.Proposal("\ud800", "\ud800", edit="\ud800"), tg.Proposal("", fault="\ud800")])
    assert [s for _, s in states(tg.minimize(loss, "xx", hostile))] == ["accepted", "accepted", "invalid"]


INTERRUPTED = """
    import sys, time
    import tgsci as tg

    class Any(tg.Proposer):
        name = "any"
        def ask(self, trials, n, rng):
            return [tg.Proposal(str(rng.randint(0, 10**9))) for _ in range(n)]

    def loss(value):
        print(value, flush=True)
        time.sleep(0.02)
        return float(value)

    result = tg.minimize(loss, "5", Any(), budget=30, run=sys.argv[1])
    print("ended:", result.stopped)
"""


@pytest.mark.slow
def test_ctrl_c_ends_a_run_cleanly_and_it_goes_on(start_script, tmp_path):
    run = str(tmp_path / "run")
    process = start_script(INTERRUPTED, run)
    for _ in range(5):
        process.stdout.readline()
    process.send_signal(2)
    output, errors = process.communicate(timeout=20)
    assert "ended: interrupted" in output
    assert errors == ""
    assert process.returncode == 0
    loaded = tg.Result.load(run)
    assert loaded.stopped == "interrupted"
    assert 4 <= loaded.spent.evaluations < 30
    output, _ = start_script(INTERRUPTED, run).communicate(timeout=20)
    assert "ended: the budget of 30 evaluations" in output
    assert len({t.value for t in tg.Result.load(run).trials}) == 30


def test_ctrl_c_within_a_commit_leaves_the_ledger_usable(tmp_path, monkeypatch):
    """The signal arrives while SQLite works, so Python raises right after the statement, BEGIN or COMMIT."""

    class Interrupting:
        def __init__(self, db, statement):
            self.db, self.statement = db, statement

        def __getattr__(self, name):
            return getattr(self.db, name)

        def execute(self, sql, *arguments):
            done = self.db.execute(sql, *arguments)
            if sql.startswith(self.statement):
                self.statement = "never again"
                raise KeyboardInterrupt
            return done

    real = tg.Ledger.add_measurement
    for statement in ("BEGIN", "INSERT INTO measurements", "COMMIT"):
        directory = tmp_path / statement.split()[0]

        def add(self, *arguments, statement=statement):
            self._db = Interrupting(self._db, statement)
            return real(self, *arguments)

        monkeypatch.setattr(tg.Ledger, "add_measurement", add)
        assert tg.minimize(LOSS, "9", Script(["8"]), run=directory).stopped == "interrupted"
        monkeypatch.setattr(tg.Ledger, "add_measurement", real)
        result = tg.minimize(LOSS, "9", Script(["8"]), run=directory)
        assert states(result) == [("9", "accepted"), ("8", "accepted")]


def test_progress_is_told_of_everything_in_order():
    told = []
    tg.minimize(LOSS, "9", Script(["8"], ["x"]), budget=20, progress=told.append)
    evaluations = [p.spent.evaluations for p in told]
    assert evaluations == sorted(evaluations)
    assert told[-1].activity == "done"
    assert any(p.activity == "script proposes" for p in told)
    assert told[-1].trials.best.value == "8"
    assert any(p.eta_seconds is not None for p in told)


# -- refusals, before any work ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": "x"}, "start value 'x' cannot be used: 'x' is no number"),
        ({"start": []}, "no start value"),
        ({"budget": 0}, "must be a whole number above 0"),
        ({"budget": -3}, "must be a whole number above 0"),
        ({"start": ["1", "2", "3"], "budget": 2}, "do not fit"),
        ({"proposals": 0}, "whole number above 0"),
        ({"workers": -1}, "0 or more"),
        ({"loss": "vina"}, "not a loss"),
        ({"optimizer": "gpt-4o"}, "not a proposer"),
    ],
)
def test_bad_arguments_are_refused_before_a_directory_is_made(arguments, message, tmp_path):
    arguments = {"loss": LOSS, "start": "9", "optimizer": Endless(), "run": tmp_path / "run", **arguments}
    with pytest.raises(tg.UsageError, match=message):
        tg.minimize(**arguments)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("limits", [{"usd": 0}, {"seconds": -1}, {"model_calls": 0}, {"usd": math.inf}])
def test_a_budget_that_allows_nothing_or_everything_is_refused(limits):
    with pytest.raises(tg.UsageError, match=r"the budget of .* must be a (whole )?number above 0"):
        tg.Budget(**limits)
    with pytest.raises(tg.UsageError, match="never ends"):
        tg.Budget(evaluations=None)


def refusal(run, **changed):
    with pytest.raises(tg.LedgerError) as caught:
        tg.minimize(**{"loss": LOSS, "start": "9", "optimizer": Script(["8"]), "run": run, **changed})
    return str(caught.value)


def test_a_directory_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    assert "cannot write a run into" in refusal(tmp_path / "file" / "run")
    assert "cannot write a run into" in refusal(tmp_path / "file")


NO_RIGHTS = """
import os, sys
from tgsci import TGD, LedgerError, minimize
minimize(len, "x", TGD(engine=print), budget=1)  # whatever is imported late: another user may not read it
if os.geteuid() == 0:
    os.setuid(65534)
try:
    minimize(len, "x", TGD(engine=print), run=sys.argv[1])
except LedgerError as error:
    print("refused:", error)
"""


@pytest.mark.parametrize("mode", [0o500, 0o000])
@pytest.mark.parametrize("there", ["nothing", "run"])
def test_a_directory_without_the_right_to_write_is_refused(mode, there, tmp_path):
    if there == "run":
        tg.minimize(len, "x", Script(), run=tmp_path / "run")
    else:
        (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(mode)
    command = [sys.executable, "-c", NO_RIGHTS, str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, env=child_environment(), timeout=60)
    (tmp_path / "run").chmod(0o700)
    assert done.stdout.startswith("refused: cannot"), done.stderr


def test_a_run_of_other_settings_is_refused_and_says_which(tmp_path):
    tg.minimize(LOSS, "9", Script(["8"]), run=tmp_path, seed=1)
    message = refusal(tmp_path, seed=2, proposals=3)
    assert "seed: 1 there, 2 now" in message
    assert "proposals: 4 there, 3 now" in message
    assert "start" not in message
    assert "start: 9 there, 8 now" in refusal(tmp_path, seed=1, start="8")
    assert "what is measured: " in refusal(tmp_path, seed=1, loss=LOSS + LOSS)
    assert tg.minimize(LOSS, "9", Script(["8"], ["7"]), run=tmp_path, seed=1).best.value == "7"


def test_a_larger_budget_goes_on_with_a_finished_run(tmp_path):
    assert tg.minimize(LOSS, "9", Endless(), budget=3, run=tmp_path).spent.evaluations == 3
    result = tg.minimize(LOSS, "9", Endless(), budget=7, run=tmp_path)
    assert result.spent.evaluations == 7
    assert "7 evaluations" in result.stopped


def test_a_run_of_another_format_is_refused(tmp_path):
    tg.minimize(LOSS, "9", Script(), run=tmp_path)
    database = sqlite3.connect(tmp_path / "run.db")
    database.execute("PRAGMA user_version = 7")
    database.close()
    message = refusal(tmp_path)
    assert "format 7" in message
    assert "reads formats up to 3" in message


def test_a_foreign_database_is_refused_and_left_as_it_is(tmp_path):
    database = sqlite3.connect(tmp_path / "run.db")
    database.execute("CREATE TABLE mine (x)")
    database.close()
    before = (tmp_path / "run.db").read_bytes()
    assert "not a run of tgsci" in refusal(tmp_path)
    assert (tmp_path / "run.db").read_bytes() == before
    with pytest.raises(tg.LedgerError):
        tg.Ledger.create(tmp_path, {})
    assert (tmp_path / "run.db").read_bytes() == before


def test_a_file_of_garbage_is_refused_and_left_as_it_is(tmp_path):
    (tmp_path / "run.db").write_bytes(b"\x00garbage" * 1000)
    assert "cannot read" in refusal(tmp_path)
    assert (tmp_path / "run.db").read_bytes() == b"\x00garbage" * 1000


def test_a_run_that_was_killed_before_it_began_starts_over(tmp_path):
    (tmp_path / "run.db").touch()
    assert tg.minimize(LOSS, "9", Script(), run=tmp_path).best.value == "9"


HOLDS = """
    import sys, time
    import tgsci as tg
    def loss(value):
        print("busy", flush=True)
        time.sleep(60)
        return 1.0
    tg.minimize(loss, "9", tg.TGD(engine=print), run=sys.argv[1])
"""


def test_a_directory_in_use_by_another_process_is_refused_and_can_be_looked_at(start_script, tmp_path):
    process = start_script(HOLDS, str(tmp_path / "run"))
    assert process.stdout.readline() == "busy\n"
    assert "another process" in refusal(tmp_path / "run")
    result = tg.Result.load(tmp_path / "run")
    assert states(result) == [("9", "pending")]
    assert result.stopped == "still running, or killed"


def test_the_lock_is_free_after_every_ending(tmp_path):
    def boom(value):
        raise ZeroDivisionError

    loss = tg.FunctionLoss(boom)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            tg.minimize(loss, "9", Script(), run=tmp_path)
    refusal(tmp_path, start="8")
    with tg.Ledger.open(tmp_path, write=True):
        pass


# -- at large --------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    st.lists(st.lists(st.sampled_from(["x", "", "13", *map(str, range(20))]), min_size=1, max_size=5), max_size=12),
    st.integers(1, 12),
    st.integers(1, 4),
)
def test_whatever_is_proposed_the_books_are_right(rounds, budget, proposals):
    measured = []

    def loss(value):
        measured.append(value)
        return distance(value)

    result = tg.minimize(
        tg.FunctionLoss(loss, validate=number), "19.5", Script(*rounds), budget=budget, proposals=proposals
    )
    trials = result.trials
    assert [t.number for t in trials] == list(range(len(trials)))
    assert len(measured) == len(set(measured)) == result.spent.evaluations <= budget
    accepted = [t.loss for t in trials if t.state is tg.State.ACCEPTED]
    assert accepted == sorted(accepted, reverse=True)
    assert result.best.loss == min(distance(v) for v in measured if v != "13")
    assert all(t.state is not tg.State.PENDING for t in trials)
    assert all(t.decision for t in trials)


def test_two_thousand_trials_take_no_longer_each_than_a_few():
    """Quadratic book-keeping would show: a round must not cost more the longer the run is."""

    def pace(n):
        started = time.process_time()
        tg.minimize(lambda v: float(v), "0", Endless(), budget=n, proposals=4)
        return (time.process_time() - started) / n

    pace(100)
    assert pace(2000) < 12 * pace(200) + 1e-3


def test_a_run_in_memory_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tg.minimize(LOSS, "9", Script(["8"]))
    assert os.listdir(tmp_path) == []


def test_ties_are_kept_on_request_and_say_so(tmp_path):
    moves = Script(["4"], ["6", "7"])
    plain = tg.minimize(LOSS, "6", moves, proposals=2)
    assert [s for _, s in states(plain)] == ["accepted", "rejected", "duplicate", "rejected"]
    assert plain.trials[1].decision == "as good as trial 0 (loss 1.000); ties are not kept"
    kept = tg.minimize(LOSS, "6", moves, proposals=2, keep_ties=True, run=tmp_path)
    assert [s for _, s in states(kept)] == ["accepted", "accepted", "duplicate", "rejected"]
    assert kept.trials[1].decision == "as good as trial 0 (loss 1.000)"
    assert kept.best.number == tg.Result.load(tmp_path).best.number == 1
    assert "keep_ties: " in refusal(tmp_path, start="6", proposals=2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"task": 5}, "task must be text"),
        ({"header": 5}, "header must be a table"),
        ({"header": {"a": object()}}, "header must hold what JSON can"),
        ({"finish": 5}, "finish must be a function"),
        ({"optimizer": tg.TGD}, "not a proposer"),
        ({"optimizer": None}, "or an object with ask"),
    ],
)
def test_arguments_of_wrong_types_are_refused_before_a_directory_is_made(arguments, says, tmp_path):
    arguments = {"loss": LOSS, "start": "9", "optimizer": Endless(), "run": tmp_path / "run", **arguments}
    with pytest.raises(tg.UsageError, match=says):
        tg.minimize(**arguments)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("asked", [None, "8", ["8"], 5, {"8": 1}])
def test_whatever_has_an_ask_may_propose_and_must_return_proposals(asked):
    class Own:
        def ask(self, trials, n, rng):
            return asked

    with pytest.raises(tg.UsageError, match=r"Own: ask\(\) must return a list of tgsci.Proposal, not"):
        tg.minimize(LOSS, "9", Own())
    asked = [tg.Proposal("8", parent=1)]
    with pytest.raises(tg.UsageError, match="made from trial 1; there are 1 trials"):
        tg.minimize(LOSS, "9", Own())
    asked = (tg.Proposal(value) for value in "87")
    assert tg.minimize(LOSS, "9", Own(), budget=3).best.value == "7"


def test_progress_may_be_told_to_a_coroutine_function():
    told = []

    async def progress(event):
        told.append(event)

    tg.minimize(LOSS, "9", Script(["8"], ["x"]), budget=20, progress=progress)
    assert told
