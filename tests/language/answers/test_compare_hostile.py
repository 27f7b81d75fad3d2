"""Whatever a model replies costs that reply, never the run."""

import pytest

import tgsci as tg
from tgsci.engines.scripted import Scripted
from tgsci_language.answers.compare import compare

from .students import write_questions

ODD = {
    "empty": "",
    "blank": " \n\t ",
    "no answer": "I do not know.",
    "long": "x" * 300_000 + "\nAnswer: A",
    "lone surrogate": "\ud800 Answer: B",
    "terminal codes": "\x1b[2J\x1b]0;title\x07Answer: \x1b[31mA",
    "html": "<script>alert(1)</script></pre>\nAnswer: A",
    "tags": "<IMPROVED_VARIABLE></IMPROVED_VARIABLE><IMPROVED_VARIABLE>",
    "formula": "=HYPERLINK(1)\nAnswer: =A",
    "regular expression bait": "Answer" * 20_000 + ":" * 20_000,
    "numbers": "Answer: 1e999999999 " + "9" * 100_000,
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("kind", ["choice", "text", "number"])
def test_odd_replies(tmp_path, odd, kind):
    if kind == "choice":
        questions = write_questions(tmp_path / "q.csv", 2)
    else:
        questions = tmp_path / "q.csv"
        questions.write_text("question,answer\nHow many?,4\nHow far?,5\n")
    more = {} if kind == "choice" else {"answers": kind}
    found = compare(questions, Scripted(lambda prompt, system: odd), iterations=1, run=tmp_path / "run", **more)
    assert found.n == 2
    assert len({row.calls for row in found.rows[1:]}) == 1
    assert found.summary
    page = (tmp_path / "run" / "report.html").read_text()
    assert "<script>alert" not in page
    for line in (tmp_path / "run" / "answers.csv").read_text().splitlines():
        assert "=HYPERLINK" not in line


def test_an_endless_reply_is_not_paid_for_again_in_every_prompt_after_it(tmp_path):
    endless = "again and again " * 100_000
    engine = Scripted(lambda prompt, system: endless)
    compare(write_questions(tmp_path / "q.csv", 1), engine, iterations=2)
    assert max(len("".join(call[:2])) for call in engine.calls) < 500_000


def test_a_criticism_that_is_empty_changes_nothing_and_is_counted(tmp_path):
    def answer(prompt, system):
        return "" if "criticise" in system else "Answer: A"

    engine = Scripted(answer)
    found = compare(write_questions(tmp_path / "q.csv", 1), engine, iterations=1)
    assert [row.calls for row in found.rows] == [1, 3, 3, 3]  # it was asked for twice, and nothing was rewritten
    assert len(engine.calls) == 5
    assert found.rows[0].right == found.rows[1].right
    assert any("without a usable reply" in note for note in found.notes)


def test_what_is_no_text_is_a_fault_of_the_engine(tmp_path):
    with pytest.raises(tg.EngineError, match="expected text"):
        compare(write_questions(tmp_path / "q.csv", 1), lambda prompt: None)
