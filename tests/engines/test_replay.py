from __future__ import annotations

import contextlib
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tgsci.engine
from tgsci.engine import Reply, as_engine
from tgsci.engines.replay import Recorded, ReplayEngine, question_key, read_recording, record
from tgsci.engines.scripted import Scripted
from tgsci.errors import EngineError, UsageError


def lines(path: Path, *entries: object) -> Path:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    return path


texts = st.text(st.characters())  # with half surrogate pairs, as a file name may give them
replies = st.builds(
    Reply,
    texts,
    tokens_in=st.none() | st.integers(0, 10**9),
    tokens_out=st.none() | st.integers(0, 10**9),
    usd=st.none() | st.floats(0, 1e6),
    seconds=st.floats(1e-9, 1e6),
    finish=st.sampled_from(["stop", "length"]),
    model=st.text(min_size=1),
)


@given(st.lists(st.tuples(texts, texts, replies), max_size=5))
def test_what_was_recorded_is_played(asked: list[tuple[str, str, Reply]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "calls.jsonl")
        recorder = record(Scripted([reply for _, _, reply in asked]), path)
        heard = [recorder(prompt, system) for prompt, system, _ in asked]
        assert list(map(asdict, heard)) == [asdict(reply) for *_, reply in asked]
        player = ReplayEngine(path)
        assert [asdict(player(prompt, system)) for prompt, system, _ in asked] == list(map(asdict, heard))


def test_a_question_gets_its_own_answer_in_whatever_order_it_is_asked(tmp_path: Path) -> None:
    recorder = record(Scripted(lambda prompt, system: f"{system}{prompt}"), tmp_path / "calls.jsonl")
    prompts = [str(i) for i in range(50)]
    tgsci.engine.map(lambda prompt: recorder(prompt, "to "), prompts)
    player = ReplayEngine(tmp_path / "calls.jsonl")
    heard = tgsci.engine.map(lambda prompt: player(prompt, "to "), prompts[::-1])
    assert [reply.text for reply in heard] == [f"to {prompt}" for prompt in prompts[::-1]]


def test_the_same_question_twice_gets_its_answers_in_order(tmp_path: Path) -> None:
    path = lines(tmp_path / "r", {"prompt": "q", "reply": "first"}, {"prompt": "q", "reply": "second"})
    player = ReplayEngine(path)
    assert [player("q").text, player("q").text] == ["first", "second"]
    with pytest.raises(EngineError, match=r"more often than it was recorded: 'q'"):
        player("q")


def test_answers_that_name_no_question_are_given_in_order(tmp_path: Path) -> None:
    path = lines(tmp_path / "r", {"reply": "a"}, {"prompt": "mine", "reply": "b"}, {"reply": {"text": "c"}})
    player = ReplayEngine(path)
    assert [player(p).text for p in ("x", "mine", "y")] == ["a", "b", "c"]
    with pytest.raises(EngineError, match=r"after all 2 answers for any prompt were given: 'z'"):
        player("z")


def test_an_answer_to_another_question_is_not_given(tmp_path: Path) -> None:
    player = ReplayEngine(lines(tmp_path / "r", {"prompt": "q", "system": "s", "reply": "a"}))
    for prompt, system in (("q", ""), ("q ", "s"), ("s", "q")):
        with pytest.raises(EngineError, match=question_key(prompt, system)):
            player(prompt, system)
    assert player("q", "s").text == "a"


def test_images_belong_to_the_question(tmp_path: Path) -> None:
    class Seer(Scripted):
        pass

    recorder = record(Seer(["a cat", "a dog"]), tmp_path / "r")
    recorder("What is this?", images=[b"cat"])
    recorder("What is this?", images=[b"dog"])
    player = ReplayEngine(tmp_path / "r")
    assert player("What is this?", images=[b"dog"]).text == "a dog"
    with pytest.raises(EngineError):
        player("What is this?")


def test_skip_passes_over_what_was_answered(tmp_path: Path) -> None:
    player = ReplayEngine(lines(tmp_path / "r", *[{"reply": str(i)} for i in range(4)]))
    player.skip(3)
    assert player("?").text == "3"
    player.skip(10)


def test_skip_keeps_answers_whose_question_may_still_come(tmp_path: Path) -> None:
    entries = [{"prompt": "a", "reply": "a1"}, {"prompt": "b", "reply": "b"}, {"prompt": "a", "reply": "a2"}]
    player = ReplayEngine(lines(tmp_path / "r", *entries))
    player.skip(1)
    assert [player(p).text for p in "aba"] == ["a2", "b", "a1"]


def test_a_recording_is_continued_even_without_its_last_line_break(tmp_path: Path) -> None:
    path = tmp_path / "r"
    path.write_text('{"reply": "by hand"}')
    record(Scripted(["recorded"]), path)("q")
    assert [entry.reply.text for entry in read_recording(path)] == ["by hand", "recorded"]


def test_every_answer_is_on_disk_at_once(tmp_path: Path) -> None:
    recorder = record(Scripted(["a", "b"]), tmp_path / "r")
    for n in (1, 2):
        recorder("q")
        assert len(read_recording(tmp_path / "r")) == n


def test_recorder_is_the_engine_it_records(tmp_path: Path) -> None:
    inner = Scripted(["a", "b"], name="model-x")
    recorder = record(inner, tmp_path / "r")
    recorder.skip(1)
    reply = recorder("q")
    assert (reply.text, reply.model, recorder.name) == ("b", "model-x", "model-x")
    assert reply.seconds > 0
    assert inner.destination in recorder.destination


def test_parameters_of_one_call_reach_the_engine_that_is_recorded(tmp_path: Path) -> None:
    def model(prompt: str, max_tokens: int = 9) -> str:
        return f"{prompt} {max_tokens}"

    recorder = record(as_engine(model), tmp_path / "r")
    assert recorder.generate("q", max_tokens=5) == "q 5"
    assert recorder("q") == "q 9"
    player = ReplayEngine(tmp_path / "r")
    assert [player("q"), player("q")] == ["q 5", "q 9"]
    with pytest.raises(UsageError, match="max_tokens"):
        player("q", max_tokens=5)


GOOD = '{"reply": "fine"}\n\n'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("not json", "line 3"),
        ('{"reply": "cut o', "line 3"),
        ("[]", "an object"),
        ("{}", "an object"),
        ('{"reply": 3}', "a reply is a text"),
        ('{"reply": {"tokens_in": 3}}', "a reply is a text"),
        ('{"reply": {"text": null}}', "text is not a text"),
        ('{"reply": {"text": "", "usd": -1}}', "usd"),
        ('{"reply": {"text": "", "usd": NaN}}', "usd"),
        ('{"reply": {"text": "", "usd": true}}', "usd"),
        ('{"reply": {"text": "", "seconds": 1e999}}', "seconds"),
        ('{"reply": {"text": "", "seconds": null}}', "seconds"),
        ('{"reply": {"text": "", "tokens_in": 1.5}}', "tokens_in"),
        ('{"reply": {"text": "", "colour": 1}}', "unknown field 'colour'"),
        ('{"reply": "", "promt": "q"}', "unknown field 'promt'"),
        ('{"reply": "", "reply": ""}', "twice"),
        ('{"reply": "", "prompt": 3}', "texts"),
        ('{"reply": "", "prompt_sha256": "abc"}', "64 hexadecimal"),
        ('{"reply": "", "prompt": "q", "prompt_sha256": "' + "0" * 64 + '"}', "not that of this prompt"),
        ("[" * 100_000, "line 3"),
        ('{"reply": "\udcff"}', "line 3"),
    ],
)
def test_a_malformed_recording_names_the_line(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes((GOOD + line).encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=reason) as caught:
        ReplayEngine(path)
    assert "bad.jsonl" in str(caught.value)
    assert "line 3" in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_recording_or_a_usage_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "r")
        path.write_bytes(content)
        with contextlib.suppress(UsageError):
            assert all(isinstance(entry, Recorded) for entry in read_recording(path))


def test_files_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "absent", tmp_path, "nul\0"):
        with pytest.raises(UsageError, match="cannot read"):
            ReplayEngine(path)
    with pytest.raises(UsageError, match="cannot write"):
        record(Scripted([]), tmp_path / "no" / "folder")
    (tmp_path / "prose").write_text("Dear diary")
    with pytest.raises(UsageError, match="line 1"):
        record(Scripted([]), tmp_path / "prose")
    monkeypatch.setattr("tgsci.engines.replay.LARGEST", 5)
    with pytest.raises(UsageError, match="larger"):
        read_recording(tmp_path / "prose")


def test_where_prompts_go(tmp_path: Path) -> None:
    path = lines(tmp_path / "r")
    assert ReplayEngine(path).destination == f"answers are played from {path}: nothing leaves this machine"


def test_a_recorded_person_may_still_leave_the_tags_out(tmp_path):
    person = Scripted([])
    person.answered_by_person = True
    assert record(person, tmp_path / "r").answered_by_person
    assert not record(Scripted([]), tmp_path / "r").answered_by_person
