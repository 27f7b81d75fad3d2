import re
from xml.etree import ElementTree

import pytest

import tgsci as tg
from tests.language.prompts import scripts
from tgsci_language.prompts.problem import prompt_problem
from tgsci_language.prompts.sections import calls_and_accuracy, confusion
from tgsci_language.prompts.student import Sample

SETS = scripts.split((20, 40, 40))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = prompt_problem(SETS, scripts.Student(SETS), scripts.START, racing_margin=0.0)
    directory = tmp_path_factory.mktemp("sections") / "run"
    proposer = scripts.Proposer(scripts.SLOW, scripts.WORSE, scripts.BEST)
    return tg.solve(made, engine=proposer, budget=4, proposals=1, ideas=1, run=directory), made, directory


def test_a_report_shows_accuracy_against_calls_test_race_and_confusion(run):
    result, made, directory = run
    titles = [section.title for section in made.sections(result)]
    assert titles == [
        "Accuracy against calls",
        "Test, measured once",
        "Racing",
        "What went wrong on validation",
        "Confusion of answers (best, validation)",
    ]
    page = (directory / "report.html").read_text()
    assert all(title in page for title in titles)
    assert "could not be made" not in page


def test_the_curve_counts_calls_and_sets_test_apart(run):
    result, made, _ = run
    points = calls_and_accuracy(result.trials)
    assert [calls for calls, *_ in points] == [52, 104, 126, 178]
    curve = made.sections(result)[0].picture
    ElementTree.fromstring(curve)
    assert curve.count("<circle") == 4
    assert curve.count('r="2.5"') == 1  # the one that was dropped
    assert re.search(r">first</text>.*>best</text>.*>test</text>", curve)


def test_test_is_a_table_with_intervals(run):
    result, made, _ = run
    table = made.sections(result)[1]
    assert [row[1] for row in table.rows] == ["first", "best"]
    assert [row[4] for row in table.rows] == [40, 40]
    assert "points (95 % interval" in table.text


def sample(expected, answer):
    return Sample("validation", f"{expected}{answer}", expected, float(expected == answer), answer, "wrong choice")


def test_few_answers_make_a_table_of_expected_against_read():
    table = confusion([sample("A", "A"), sample("A", "B"), sample("B", ""), sample("B", "B"), sample("B", "D")])
    assert table.header == ["expected", "read A", "read B", "none read", "read D"]
    assert table.rows == [["A", 1, 1, "", ""], ["B", "", 1, 1, 1]]


def test_of_many_answers_the_commonest_mistakes_are_listed():
    right = [Sample("validation", str(n), str(n), 1.0, str(n)) for n in range(20)]
    table = confusion([*right, sample("8", "9"), sample("8", "9"), sample("3", "1")])
    assert table.rows[0] == ["8", "9", "wrong choice", 2]
    assert "20 different reference answers" in table.text
