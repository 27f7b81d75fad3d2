"""Two engines: found by name, checked before any call, and found again when a run resumes."""

import pytest

from tgsci.engines.scripted import Scripted
from tgsci.errors import UsageError
from tgsci_language.engines import Engines


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "replies.jsonl"
    path.write_text('{"reply": "Answer: A"}\n')
    return f"replay:{path}"


def test_one_engine_does_both(recording):
    both = Engines.of(recording)
    assert both.student is both.engine
    assert both.one
    assert both.recorded == {"engine": recording, "student": recording}
    assert both.description.count("nothing leaves this machine") == 1


def test_each_has_its_own_concurrency_and_both_are_recorded(recording):
    two = Engines.of({"name": "gpt-4o", "temperature": 0.2}, recording, concurrency=4, student_concurrency=2)
    assert (two.engine.concurrency, two.student.concurrency) == (4, 2)
    assert two.recorded["engine"] == {"name": "gpt-4o", "temperature": 0.2, "concurrency": 4}
    again = Engines.of(two.recorded["engine"], two.recorded["student"])
    assert again.engine.identity == two.engine.identity
    assert (again.engine.concurrency, again.student.concurrency) == (4, 2)
    assert "gpt-4o proposes and criticises" in two.description
    assert "answers are played from" in two.description


def test_an_object_is_taken_as_it_is_and_has_no_name():
    engine = Scripted(["a"])
    two = Engines.of(engine, concurrency=3)
    assert two.engine is engine
    assert engine.concurrency == 3
    assert two.recorded == {"engine": None, "student": None}


def test_the_environment_names_the_engine(monkeypatch, recording):
    monkeypatch.setenv("TGSCI_ENGINE", recording)
    assert Engines.of().engine.name == recording


def test_without_an_engine_it_says_what_there_is(monkeypatch):
    monkeypatch.delenv("TGSCI_ENGINE", raising=False)
    with pytest.raises(UsageError, match=r"human to answer yourself, or replay:FILE") as said:
        Engines.of()
    assert "local server such as ollama/qwen3" in str(said.value)


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ("nonsense", "no provider is known for the model 'nonsense'"),
        ("replay:/no/such/file", "/no/such/file"),
        ("rules", "no rule editor for language"),
        ({"temperature": 0.2}, "a table needs a name"),
        ({"name": "gpt-4o", "api_key": "sk-not-a-real-key"}, "'api_key' does not belong"),
        ({"name": "human", "temperature": 0.2}, "takes no parameters"),
    ],
)
def test_bad_names_are_said_before_any_call(engine, words):
    with pytest.raises(UsageError, match=words):
        Engines.of(engine).check()
    with pytest.raises(UsageError, match=words):
        Engines.of(Scripted(["a"]), engine).check()


def test_concurrency_is_a_whole_number(recording):
    with pytest.raises(UsageError, match="concurrency must be a whole number"):
        Engines.of(recording, concurrency=0)
