"""The ledger gives back what it was given, to this process, to the next and to one that reads meanwhile."""

from __future__ import annotations

import math
import os
import shutil
import sqlite3
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tgsci as tg
import tgsci.search.database
from tests.processes import child_environment
from tgsci.compute.measure import Answer
from tgsci.engine import Call
from tgsci.engines.scripted import Scripted
from tgsci.errors import RecordError
from tgsci.search.trial import Idea

ENGINE = Scripted([])

#: Any text at all: NUL, quotes, right-to-left, astral, half characters.
TEXT = st.one_of(st.text(max_size=30), st.text(st.characters(), max_size=10))
FIGURES = st.dictionaries(TEXT, st.floats(allow_nan=True, allow_infinity=True), max_size=4)
LIMITS = st.dictionaries(TEXT, st.floats(allow_nan=False, allow_infinity=True), max_size=3)
ARTIFACTS = st.dictionaries(TEXT, st.one_of(st.binary(max_size=300), TEXT), max_size=3)
FEEDBACKS = st.one_of(
    st.builds(
        tg.Feedback,
        st.one_of(st.none(), st.just(math.nan), st.floats(allow_nan=False, allow_infinity=False)),
        TEXT,
        FIGURES,
        LIMITS,
        ARTIFACTS,
    ),
    st.builds(tg.Feedback.failed, TEXT, transient=st.booleans()),
)


def repaired(text):
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def call(prompt="p", system="s", images=(), engine=ENGINE):
    return Call(engine, prompt, system, tuple(images))


def answer(asked, reply):
    return Answer.to(asked, reply)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(TEXT.map(repaired), FEEDBACKS), max_size=4))
def test_trials_come_back_as_they_were(rows):
    ledger = tg.Ledger.in_memory({"a": [1, None]})
    trials = [
        tg.Trial(i, i, value, value, i - 1 if i else None, value, value, tg.State.PENDING, value)
        for i, (value, _) in enumerate(rows)
    ]
    ledger.add_trials(trials)
    kept = [ledger.add_measurement(i, feedback, 0.5) for i, (_, feedback) in enumerate(rows)]
    ledger.decide([tg.Trial(t.number, 0, "", state=tg.State.FAILED, decision="d" + t.value) for t in trials])
    back = ledger.trials()
    assert [(t.number, t.value, t.reason, t.parent, t.edit, t.proposer) for t in back] == [
        (t.number, t.value, t.reason, t.parent, t.edit, t.proposer) for t in trials
    ]
    assert [(t.state, t.decision) for t in back] == [(tg.State.FAILED, "d" + t.value) for t in trials]
    for trial, now, (_, given_) in zip(back, kept, rows, strict=True):
        there = trial.feedback
        # What the run goes on with is what a resumed one reads back, in every figure and letter.
        assert repr((there.loss, there.text, there.metrics, there.violations, there.error, there.transient)) == repr(
            (now.loss, now.text, now.metrics, now.violations, now.error, now.transient)
        )
        assert list(there.artifacts.items()) == list(now.artifacts.items())
        assert repr(there.loss) == repr(given_.loss)
        assert repr(there.metrics) == repr(given_.metrics)
        assert there.text == repaired(given_.text)
        assert {k: v for k, v in there.artifacts.items() if isinstance(v, bytes)} == {
            repaired(k): v for k, v in given_.artifacts.items() if isinstance(v, bytes)
        }
        assert trial.seconds == 0.5
    assert ledger.header == {"a": [1, None]}


@settings(deadline=None)
@given(TEXT, TEXT, TEXT, st.lists(st.binary(max_size=5), max_size=2))
def test_an_answer_is_found_by_its_question_its_round_and_its_trial(prompt, system, text, images):
    ledger = tg.Ledger.in_memory({})
    reply = tg.Reply(repaired(text), 3, None, None, 0.25, "length", "m")
    asked = call(prompt, system, images)
    ledger.add_answers(4, 7, [answer(asked, reply)])
    assert ledger.answer(4, 7, asked.question, 0) == reply
    assert ledger.calls() == [(4, repaired(system), repaired(prompt), reply)]
    for other in (
        (5, 7, asked, 0),
        (4, 8, asked, 0),
        (4, None, asked, 0),
        (4, 7, asked, 1),
        (4, 7, call(prompt + "x", system, images), 0),
        (4, 7, call(prompt, system + "x", images), 0),
        (4, 7, call(prompt, system, [*images, b"x"]), 0),
        (4, 7, call(prompt, system, images, Scripted([], name="another")), 0),
    ):
        round, trial, question, occurrence = other
        assert ledger.answer(round, trial, question.question, occurrence) is None


def test_where_one_text_ends_and_the_next_begins_matters():
    assert len({call(*texts).question for texts in (("ab", "c"), ("b", "ca"), ("a", "bc"))}) == 3


def test_the_same_question_asked_again_is_another_occurrence():
    ledger = tg.Ledger.in_memory({})
    asked = call()
    ledger.add_answers(0, None, [answer(asked, tg.Reply("first")), answer(asked, tg.Reply("second"))])
    ledger.add_answers(0, None, [answer(asked, tg.Reply("third"))])
    assert [ledger.answer(0, None, asked.question, i).text for i in range(3)] == ["first", "second", "third"]
    assert ledger.answer(0, None, asked.question, 3) is None


def test_a_reply_keeps_the_number_of_its_question():
    """Of two threads that ask the same, the second may be answered first; whoever comes after both counts on."""
    ledger = tg.Ledger.in_memory({})
    asked = call()
    ledger.add_answers(0, None, [answer(asked, tg.Reply("second"))], 1)
    assert ledger.answer(0, None, asked.question, 0) is None
    ledger.add_answers(0, None, [answer(asked, tg.Reply("third"))])
    ledger.add_answers(0, None, [answer(asked, tg.Reply("first"))], 0)
    assert [ledger.answer(0, None, asked.question, i).text for i in range(3)] == ["first", "second", "third"]


def test_what_was_spent_is_the_sum_of_what_happened():
    ledger = tg.Ledger.in_memory({})
    ledger.begin_session("me")
    ledger.add_trials([tg.Trial(i, 0, str(i)) for i in range(3)])
    for i in range(2):
        ledger.add_measurement(i, tg.Feedback.failed("x"), 1.0)
    ledger.add_answers(0, None, [answer(call("a"), tg.Reply("x", 10, 5, 0.25))])
    assert ledger.spent().model_calls == 1
    ledger.add_answers(0, None, [answer(call("b"), tg.Reply("x", None, None, None))])
    ledger.add_measurement(2, tg.Feedback(1.0), 1.0, [answer(call("c"), tg.Reply("x", 1, 1, 0.0))])
    with pytest.raises(sqlite3.IntegrityError):
        ledger.add_measurement(2, tg.Feedback(1.0), 1.0, [answer(call("d"), tg.Reply("x", 1, 1, 0.0))])
    for _ in ("while it is written", "and read again"):
        spent = ledger.spent()
        assert (spent.evaluations, spent.model_calls, spent.usd, spent.unpriced_calls) == (3, 3, 0.25, 1)
        assert (spent.tokens_in, spent.tokens_out) == (11, 6)
        ledger.end_session("done")


def test_what_was_spent_is_known_without_reading_prompts_and_reports():
    """It is asked after every trial: without an index each time would read the whole file."""
    ledger = tg.Ledger.in_memory({})
    for query in ("SELECT count(*) FROM measurements", "SELECT total(usd), total(tokens_out) FROM calls"):
        (plan,) = ledger._rows(f"EXPLAIN QUERY PLAN {query}")
        assert "COVERING INDEX" in plan[3]


def test_a_round_of_trials_is_recorded_whole_or_not_at_all():
    ledger = tg.Ledger.in_memory({})
    with pytest.raises(sqlite3.IntegrityError):
        ledger.add_trials([tg.Trial(0, 0, "a"), tg.Trial(0, 0, "b")])
    assert ledger.trials() == []
    ledger.add_trials([tg.Trial(0, 0, "a")])
    assert len(ledger.trials()) == 1


def test_a_measurement_is_recorded_with_its_artifacts_or_not_at_all():
    ledger = tg.Ledger.in_memory({})
    ledger.add_trials([tg.Trial(0, 0, "a")])
    feedback = tg.Feedback(1.0, artifacts=(artifacts := {"a": b"x"}))
    artifacts["b"] = object()
    with pytest.raises(TypeError, match=r"artifacts\['b'\] is the content of a file"):
        ledger.add_measurement(0, feedback, 0.0)
    assert ledger.trials()[0].feedback is None


def test_nothing_is_measured_twice_in_the_books():
    ledger = tg.Ledger.in_memory({})
    ledger.add_trials([tg.Trial(0, 0, "a")])
    ledger.add_measurement(0, tg.Feedback(1.0), 0.0)
    with pytest.raises(sqlite3.IntegrityError):
        ledger.add_measurement(0, tg.Feedback(2.0), 0.0)
    assert ledger.trials()[0].loss == 1.0


def test_an_artifact_is_read_when_it_is_looked_at(tmp_path):
    ledger = tg.Ledger.create(tmp_path, {})
    ledger.add_trials([tg.Trial(0, 0, "a")])
    big = os.urandom(300_000)
    ledger.add_measurement(0, tg.Feedback(1.0, artifacts={"dose.npy": big, "a.txt": "text"}), 0.0)
    ledger.close()
    with tg.Ledger.open(tmp_path) as reader:
        artifacts = reader.trials()[0].feedback.artifacts
        assert list(artifacts) == ["a.txt", "dose.npy"]
        assert artifacts["dose.npy"] == big
        assert artifacts["a.txt"] == "text"
        with pytest.raises(KeyError):
            artifacts["pose.sdf"]


def test_sessions_say_how_long_and_why_they_ended(tmp_path):
    ledger = tg.Ledger.create(tmp_path, {})
    ledger.begin_session("first")
    ledger.end_session("interrupted")
    ledger.begin_session("second")
    ledger.add_trials([tg.Trial(0, 0, "a")])  # killed after this: its time counts up to here
    ledger._lock.release()
    with tg.Ledger.open(tmp_path) as reader:
        assert [(session.proposer, session.ended) for session in reader.sessions()] == [
            ("first", "interrupted"),
            ("second", ""),
        ]
        assert reader.sessions()[1].seconds > 0


def test_a_run_is_created_once(tmp_path):
    tg.Ledger.create(tmp_path / "a" / "b", {"x": 1}).close()
    with pytest.raises(tg.LedgerError, match="holds a run already"):
        tg.Ledger.create(tmp_path / "a" / "b", {})
    with tg.Ledger.open(tmp_path / "a" / "b", write=True) as ledger:
        assert ledger.header == {"x": 1}
        ledger.set_header("x", {"y": "ü"})
    assert tg.Ledger.open(tmp_path / "a" / "b").header == {"x": {"y": "ü"}}


def test_what_is_no_run_is_named(tmp_path):
    with pytest.raises(tg.LedgerError, match="is no run"):
        tg.Ledger.open(tmp_path)
    with pytest.raises(tg.LedgerError, match="is no run"):
        tg.Ledger.open(tmp_path / "missing")
    (tmp_path / "run.db").touch()
    with pytest.raises(tg.LedgerError, match="stopped before it began"):
        tg.Ledger.open(tmp_path)
    assert not tg.Ledger.exists(tmp_path)


def test_a_damaged_run_is_named(tmp_path):
    ledger = tg.Ledger.create(tmp_path, {"x": 1})
    ledger.add_trials([tg.Trial(i, 0, str(i) * 1000) for i in range(100)])
    ledger.close()
    file = tmp_path / "run.db"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(tg.LedgerError, match="cannot read"), tg.Ledger.open(tmp_path) as reader:
        reader.trials()
    file.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))  # the first page still says what it is
    with tg.Ledger.open(tmp_path) as reader:
        for look in (reader.trials, reader.spent, reader.sessions, lambda: reader.header):
            with pytest.raises(tg.LedgerError, match="cannot read"):
                look()


ARCHIVED = """
import os, sys
from pathlib import Path
from tgsci import Ledger
if os.geteuid() == 0:
    os.setuid(65534)
directory = Path(sys.argv[1])
assert not os.access(directory, os.W_OK)
with Ledger.open(directory) as ledger:
    print([trial.value for trial in ledger.trials()])
"""


def test_a_run_in_a_directory_without_the_right_to_write_can_be_looked_at(tmp_path):
    with tg.Ledger.create(tmp_path / "run", {}) as ledger:
        ledger.add_trials([tg.Trial(0, 0, "a")])
    modes = {path: path.stat().st_mode for path in (tmp_path, *tmp_path.parents)}
    modes = {path: mode for path, mode in modes.items() if not mode & 0o001 and path.owner() == tmp_path.owner()}
    for path, mode in modes.items():
        path.chmod(mode | 0o011)  # pytest's directories are its user's alone
    (tmp_path / "run" / "run.db").chmod(0o444)
    (tmp_path / "run").chmod(0o555)
    try:
        command = [sys.executable, "-c", ARCHIVED, str(tmp_path / "run")]
        done = subprocess.run(command, capture_output=True, text=True, env=child_environment(), timeout=60)
    finally:
        (tmp_path / "run").chmod(0o755)
        for path, mode in modes.items():
            path.chmod(mode)
    assert done.stdout == "['a']\n", done.stderr
    assert {path.name for path in (tmp_path / "run").iterdir()} <= {"run.db", "run.lock"}


def test_a_released_run_is_whole_in_its_one_file(tmp_path):
    ledger = tg.Ledger.create(tmp_path / "run", {})
    ledger.add_trials([tg.Trial(0, 0, "a"), tg.Trial(1, 0, "b")])
    ledger.release()
    (tmp_path / "copy").mkdir()
    shutil.copy(tmp_path / "run" / "run.db", tmp_path / "copy")
    with tg.Ledger.open(tmp_path / "copy") as copy:
        assert copy.trials() == ledger.trials() != []
    ledger.close()


def test_a_directory_of_any_name_can_be_read(tmp_path):
    directory = tmp_path / "100% ABL1? #2 ü"
    tg.Ledger.create(directory, {"x": 1}).close()
    assert tg.Ledger.open(directory).header == {"x": 1}


def test_only_one_may_write_and_a_reader_cannot(tmp_path):
    with tg.Ledger.create(tmp_path, {}) as ledger:
        with pytest.raises(tg.LedgerError, match="another process"):
            tg.Ledger.open(tmp_path, write=True)
        with tg.Ledger.open(tmp_path) as reader, pytest.raises(tg.LedgerError, match="readonly"):
            reader.add_trials([tg.Trial(0, 0, "a")])
        ledger.release()
        tg.Ledger.open(tmp_path, write=True).close()


def test_a_full_disk_is_named(tmp_path):
    ledger = tg.Ledger.create(tmp_path, {})
    ledger._db.execute("PRAGMA max_page_count = 20")
    with pytest.raises(RecordError, match=r"cannot write into .* full; make room, then resume the run"):
        ledger.add_trials([tg.Trial(0, 0, "x" * 500_000)])
    assert ledger.trials() == []


def test_a_disk_that_is_full_from_the_start_is_named_and_the_directory_is_free_again(tmp_path, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr(tgsci.search.database, "connect", tiny)
        with pytest.raises(tg.LedgerError, match=r"cannot write a run into .* full; make room"):
            tg.Ledger.create(tmp_path, {"x": "y" * 100_000})
    tg.Ledger.create(tmp_path, {"x": 1}).close()


@pytest.mark.parametrize("room", range(16, 60, 4))
def test_a_disk_that_fills_up_at_any_moment_of_a_run_costs_nothing_recorded(tmp_path, monkeypatch, room):
    """The loss's artifacts fill it; what is recorded then stays, and the run can be taken up at once."""

    def loss(value):
        return tg.Feedback(float(value), "x" * 30_000)

    class Rules(tg.Proposer):
        name = "rules"

        def ask(self, trials, n, rng):
            return [tg.Proposal(str(rng.randint(0, 999)), "by chance") for _ in range(n)]

    def run():
        return tg.minimize(tg.FunctionLoss(loss, name="loss"), "1000", Rules(), budget=8, proposals=2, run=tmp_path)

    with monkeypatch.context() as full:
        full.setattr(tgsci.search.database, "connect", lambda path: tiny(path, room))
        with pytest.raises(tg.LedgerError, match="full; make room"):
            run()
    before = [t.value for t in tg.Result.load(tmp_path).trials if t.feedback] if tg.Ledger.exists(tmp_path) else []
    result = run()
    assert result.stopped == "the budget of 8 evaluations is used up"
    assert [t.value for t in result.trials if t.feedback][: len(before)] == before


def tiny(path, pages=8, real=tgsci.search.database.connect):
    """A database on a disk with room for so many pages."""
    connection = real(path)
    connection.execute(f"PRAGMA max_page_count = {pages}")
    return connection


WRITER = """
import sys
from pathlib import Path
import tgsci as tg
ledger = tg.Ledger.create(Path(sys.argv[1]), {})
print("begun", flush=True)
for i in range(300):
    ledger.add_trials([tg.Trial(2 * i + k, i, "v" * 100) for k in range(2)])
    ledger.add_measurement(2 * i, tg.Feedback(float(i), artifacts={"a": b"x" * 1000}), 0.0)
print("done", flush=True)
sys.stdin.read()
"""


def test_a_run_can_be_read_while_another_process_writes_it(tmp_path):
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment(),
    )
    try:
        assert writer.stdout.readline() == "begun\n"
        lengths, deadline = [0], time.monotonic() + 30
        with tg.Ledger.open(tmp_path / "run") as reader:
            while lengths[-1] < 600 and time.monotonic() < deadline:
                trials = reader.trials()
                assert len(trials) % 2 == 0, "half a round was seen"
                lengths.append(len(trials))
        assert lengths == sorted(lengths)
        assert lengths[-1] == 600
    finally:
        writer.communicate("")


def test_many_threads_may_record_at_once(tmp_path):
    ledger = tg.Ledger.create(tmp_path, {})
    ledger.begin_session("me")
    tg.map(lambda i: ledger.add_answers(0, None, [answer(call(str(i)), tg.Reply(str(i), usd=0.5))]), range(100))
    assert sorted(int(reply.text) for _, _, _, reply in ledger.calls()) == list(range(100))
    assert ledger.spent().usd == 50.0


def test_a_run_of_format_2_can_be_looked_at_and_goes_on(tmp_path):
    """It knew no ideas, no careful measurements, and of a trial neither what was expected nor what the change did."""

    class Next(tg.Proposer):
        name = "next"

        def ask(self, trials, n, rng):
            return [tg.Proposal(str(len(trials) + i), expected=1.0) for i in range(n)]

    def run(budget, **more):
        return tg.minimize(tg.FunctionLoss(float, name="size"), "50", Next(), budget=budget, run=tmp_path, **more)

    run(5)
    with sqlite3.connect(tmp_path / "run.db") as db:
        db.executescript(
            """ALTER TABLE trials DROP COLUMN expected;
            ALTER TABLE trials DROP COLUMN role;
            ALTER TABLE trials DROP COLUMN contrast;
            DROP TABLE ideas;
            DROP TABLE asked;
            DROP TABLE careful;
            DROP TABLE careful_artifacts;
            DELETE FROM header WHERE key IN ('careful', 'confirm', 'ideas');
            PRAGMA user_version = 2;"""
        )
    old = tg.Result.load(tmp_path)
    assert [(t.value, t.expected, t.role, t.contrast, t.first) for t in old.trials][1] == ("1", None, "", "", None)
    assert (old.spent.evaluations, old.spent.confirmations, old.ideas) == (5, 0, [])
    insight = tg.Insight(careful=tg.Careful(tg.FunctionLoss(float, name="care")))
    result = run(9, insight=insight)
    assert [t.expected for t in result.trials] == [None] * 5 + [1.0] * 4
    assert result.best.first.loss == 1.0
    assert tg.Result.load(tmp_path).best.first.loss == 1.0


IDEA = tg.Proposal("b", "because", 0, "edit", expected=1.5, role="new")


def test_ideas_come_back_as_they_were_and_leave_with_their_trial(tmp_path):
    ledger = tg.Ledger.create(tmp_path, {})
    ledger.add_trials([tg.Trial(0, 0, "a")])
    ledger.ask(1, ["model", "other"])
    assert ledger.asked(1) == {"model": False, "other": False}
    faulty = tg.Proposal("", fault="no value")
    first, second = ledger.add_ideas(1, "model", [IDEA, faulty])
    third, fourth = ledger.add_ideas(1, "rules", [IDEA, tg.Proposal("c")])
    assert ledger.asked(1) == {"model": True, "other": False, "rules": True}
    assert ledger.ideas()[first] == Idea(IDEA, "model", 1)
    waiting = Idea(tg.Proposal("c"), "rules", 1, tg.Outlook(-1.0, 0.5), 1, "newer ideas came first")
    trials = [tg.Trial(1, 1, "b", expected=1.5, role="new"), tg.Trial(2, 1, "", state=tg.State.INVALID)]
    ledger.begin_round(trials, {first: 1, third: 1, second: 2}, {fourth: waiting}, ["model"])
    ledger.close()
    with tg.Ledger.open(tmp_path) as again:
        assert again.ideas() == {fourth: waiting}
        assert again.asked(2) == {"model": False}
        assert again.trials()[1:] == trials


def test_a_round_is_begun_whole_or_not_at_all():
    ledger = tg.Ledger.in_memory({})
    (idea,) = ledger.add_ideas(0, "model", [IDEA])
    with pytest.raises(sqlite3.IntegrityError):
        ledger.begin_round([tg.Trial(0, 0, "a"), tg.Trial(0, 0, "b")], {idea: 0}, {}, ["model"])
    assert (ledger.trials(), list(ledger.ideas()), ledger.asked(1)) == ([], [idea], {})
