"""Both arms on scripted students: the table names the right winner, at exactly the same number of calls."""

import json

import pytest

import tgsci as tg
from tgsci.engines.scripted import Scripted
from tgsci_language.answers.compare import compare
from tgsci_language.answers.loss import REPLIES
from tgsci_language.answers.problem import problem
from tgsci_language.answers.protocol import calls_a_question
from tgsci_language.engines import Engines

from .students import Student, write_questions


@pytest.fixture
def questions(tmp_path):
    return write_questions(tmp_path / "sums.csv", 24)


def test_where_refinement_helps_refinement_wins(questions):
    found = compare(questions, Student(draft=0.15, refined=True))
    assert found.winner == "refinement"
    assert found.verdict.startswith("refinement won at 7 calls a question: refinement minus sampling is +")
    draft, *iterations, refined, _ = found.rows
    assert [row.right for row in iterations] == [24, 24, 24]
    assert refined.right == 24
    assert draft.right < 12
    assert found.difference.low > 0


def test_where_refinement_hurts_sampling_wins(questions):
    found = compare(questions, Student(draft=0.8, refined=False))
    assert found.winner == "sampling"
    assert found.verdict.startswith("plain sampling won at 7 calls a question: refinement minus sampling is -")
    assert [row.right for row in found.rows[1:4]] == [0, 0, 0]
    assert found.rows[-1].right > found.rows[0].right  # a majority is right more often than one answer
    assert found.against_draft[0].endswith(": worse")


def test_where_both_are_as_good_no_difference_is_claimed(questions):
    found = compare(questions, Student(draft=1.0, refined=True))
    assert found.winner == ""
    assert found.verdict.startswith("no difference shown at 7 calls a question: refinement minus sampling is +0.0")
    assert "p = 1)" in found.verdict


def test_calls_are_counted_exactly(questions):
    student = Student(draft=0.5, refined=True)
    found = compare(questions, student, iterations=2, first=5)
    assert [row.calls for row in found.rows] == [1, 3, 5, 5, 5]
    assert len(student.calls) == found.result.spent.model_calls == 5 * calls_a_question(2) == 5 * 9
    for kept in found.kept:
        assert len(kept["sampling"]["replies"]) == 5
        assert kept["sampling"]["replies"][0] == kept["refinement"]["replies"][0]


def test_a_reply_that_is_asked_for_again_gives_the_samples_a_call_more(questions):
    class Fails(Student):
        def _answer(self, prompt, system):
            if "<IMPROVED_VARIABLE>" in prompt:
                return "I would rather not."
            return super()._answer(prompt, system)

    student = Fails(draft=0.7, refined=True)
    found = compare(questions, student, iterations=1, first=3)
    assert [row.calls for row in found.rows] == [1, 4, 4, 4]  # draft, criticism, two tries to refine
    assert {len(kept["sampling"]["replies"]) for kept in found.kept} == {4}
    assert len(student.calls) == 3 * 7
    assert found.rows[0].right == found.rows[1].right  # the answer stayed
    assert "3 of 3 questions had an iteration without a usable reply; the answer stayed" in found.notes


def test_the_two_arms_are_asked_the_same_with_the_same_choices(questions):
    student = Student(draft=0.5, refined=True)
    found = compare(questions, student, first=6)
    asked = {prompt for prompt, system in student.calls if not system and "<IMPROVED" not in prompt}
    assert len(asked) == 6  # a prompt a question, whichever arm
    orders = [tuple(kept["order"]) for kept in found.kept]
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert len(set(orders)) > 1
    again = compare(questions, Student(draft=0.5, refined=True), first=6)
    assert [tuple(kept["order"]) for kept in again.kept] == orders
    other = compare(questions, Student(draft=0.5, refined=True), first=6, seed=1)
    assert [tuple(kept["order"]) for kept in other.kept] != orders


def test_a_second_engine_criticises_and_the_student_answers(questions):
    engine, student = Student(draft=0.5, refined=True), Student(draft=0.5, refined=False)
    engine.name = "strong"
    found = compare(questions, engine, student, first=4)
    assert len(engine.calls) == 4 * 6
    assert len(student.calls) == 4 * 7
    assert any("not the same model: strong criticises and refines, student drafts" in note for note in found.notes)


def test_samples_that_are_all_alike_are_said(questions):
    class Repeats(Student):
        def _answer(self, prompt, system):
            self._times.clear()
            return super()._answer(prompt, system)

    found = compare(questions, Repeats(draft=0.7, refined=True), first=3)
    assert any("all samples of each question are the same text" in note for note in found.notes)


def test_the_table_says_n_the_intervals_and_the_method(questions):
    summary = compare(questions, Student(draft=0.5, refined=True)).summary
    lines = summary.splitlines()
    assert lines[0].split("  ")[0] == "answer"
    assert [line.split("  ")[0] for line in lines[1:7]] == [
        *("draft alone", "iteration 1 alone", "iteration 2 alone", "iteration 3 alone", "refinement: vote over 4"),
        "plain sampling: vote over 7",
    ]
    assert "24 of 24 100.0 86.2 to 100.0" in " ".join(lines[5].split())  # Wilson's interval of 24 of 24
    assert "(n = 24; right only by refinement" in summary
    assert "Agresti and Min (2005)" in summary
    assert "McNemar" in summary


def test_prices_are_added_up_and_unknown_stays_unknown(questions):
    class Priced(Student):
        def _answer(self, prompt, system):
            return tg.Reply(super()._answer(prompt, system), usd=0.01)

    found = compare(questions, Priced(draft=0.5, refined=True), first=2)
    assert [round(row.usd, 4) for row in found.rows] == [0.02, 0.06, 0.10, 0.14, 0.14, 0.14]
    assert compare(questions, Student(draft=0.5, refined=True), first=2).rows[-1].usd is None


def test_a_budget_of_calls_is_kept(questions):
    student = Student(draft=0.5, refined=True)
    found = compare(questions, student, budget={"model_calls": 40}, concurrent=2)
    assert len(student.calls) == 39
    assert found.n == 3
    assert "3 of 24 questions were answered: the others count in neither arm" in found.notes
    with pytest.raises(tg.UsageError, match="40 calls is too small: one question takes 41"):
        compare(questions, student, budget={"model_calls": 40}, iterations=10)


def test_an_engine_that_fails_stops_the_run_and_nothing_is_lost(questions, tmp_path):
    class Breaks(Student):
        def _answer(self, prompt, system):
            if len(self.calls) > 30:
                raise tg.EngineError("the key has no money left")
            return super()._answer(prompt, system)

    with pytest.raises(tg.EngineError, match="no money"):
        compare(questions, Breaks(draft=0.5, refined=True), run=tmp_path / "run", concurrent=1)
    student = Student(draft=0.5, refined=True)
    found = compare(questions, student, run=tmp_path / "run", concurrent=1)
    assert found.n == 24
    assert len(student.calls) == 24 * 13 - 30
    assert found.result.spent.model_calls == 24 * 13


def test_a_person_is_told_how_often_they_will_be_asked(questions):
    class Person(Student):
        answered_by_person = True

    built = problem({"questions": questions, "iterations": 1}, Engines.of(Person(0.5, True)))
    assert any("You will be asked 120 times at most" in note for note in built.notes)


def test_every_reply_is_kept(questions):
    found = compare(questions, Student(draft=0.5, refined=True), first=1)
    kept = json.loads(found.trials[0].feedback.artifacts[REPLIES])
    assert [reply["calls"] for reply in kept["refinement"]["replies"]] == [1, 3, 5, 7]
    assert all(reply["reply"].endswith(f"Answer: {reply['answer']}") for reply in kept["refinement"]["replies"])
    assert "iteration 2: " in found.trials[0].feedback.text


def test_a_student_without_temperature_says_so(questions):
    with pytest.raises(tg.UsageError, match="takes no temperature"):
        compare(questions, Scripted(["Answer: A"]), temperature=0.7)
    with pytest.raises(tg.UsageError, match="at temperature 0 all samples are the same"):
        compare(questions, "gpt-4o", temperature=0)


def test_votes_over_the_first_samples_begin_with_the_draft_and_end_with_the_vote(questions):
    found = compare(questions, Student(draft=0.7, refined=True))
    alone = found.samples_alone
    assert [row.calls for row in alone] == [1, 2, 3, 4, 5, 6, 7]
    assert alone[0].right == found.rows[0].right
    assert alone[-1].right == found.rows[-1].right


def test_the_report_begins_with_the_table_and_has_no_best_trials(questions, tmp_path):
    found = compare(questions, Student(draft=0.7, refined=False), first=6, run=tmp_path / "run")
    titles = [section.title for section in found.sections]
    assert titles == [
        *("Refinement beside plain sampling", "Accuracy against calls", "Where the arms differ"),
        *("Confusion of answers, refinement", "Confusion of answers, plain sampling"),
    ]
    assert found.sections[0].marked == ([5] if found.winner == "sampling" else [])
    assert {trial.state.value for trial in found.result.trials} == {"accepted"}
    page = (tmp_path / "run" / "report.html").read_text()
    assert "The best trials" not in page
    assert "best loss" not in page
    assert page.index("Refinement beside plain sampling") < page.index("About this run")
    assert "vote over 4" in page
    differ = found.sections[2].rows
    assert sum(cell for row in differ for cell in row[1:]) == 6


def test_a_notebook_shows_the_winner_and_a_table_a_question(questions):
    found = compare(questions, Student(draft=0.8, refined=False), first=8)
    shown = found._repr_html_()
    assert found.winner == "sampling"
    assert shown.count("font-weight:bold") == 6  # the cells of one row
    assert "plain sampling won" in shown
    assert "<img" in shown
    frame = found.to_frame()
    assert list(frame["refinement right"]) == [0] * 8
    assert frame["sampling right"].sum() == found.rows[-1].right
    assert list(frame["draft"]) == [kept["refinement"]["replies"][0]["answer"] for kept in found.kept]
