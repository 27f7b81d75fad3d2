"""What a domain knows besides the loss, at work in a search: parents at hand, contrasts, and that a stop is prompt."""

from __future__ import annotations

import time

import pytest

import tgsci as tg


class Script(tg.Proposer):
    name = "script"

    def __init__(self, *rounds):
        self.rounds = rounds

    def ask(self, trials, n, rng):
        done = trials[-1].round
        return list(self.rounds[done]) if done < len(self.rounds) else []


class Descends(tg.Loss):
    """By itself a value is worth 10; from its parent's pose, one less than the parent."""

    name = "energy"

    def evaluate(self, value):
        if value == "fails":
            raise tg.MeasurementError("no convergence")
        return tg.Feedback(10.0, "by itself", artifacts={"pose": "10"})

    def reconsider(self, value, feedback, other):
        if value == "stuck":
            raise tg.MeasurementError("it does not fit")
        energy = float(other.artifacts["pose"]) - 1
        return tg.Feedback(energy, "from the parent's pose", artifacts={"pose": f"{energy:g}"})


ROUNDS = (
    [tg.Proposal("a", parent=0), tg.Proposal("b"), tg.Proposal("fails", parent=0), tg.Proposal("stuck", parent=0)],
    [tg.Proposal("c", parent=1), tg.Proposal("d", parent=3)],
)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_loss_that_reconsiders_has_the_parent_at_hand(workers, tmp_path):
    result = tg.minimize(Descends(), "start", Script(*ROUNDS), workers=workers, run=tmp_path)
    losses = {t.value: t.loss for t in result.trials if t.measured}
    assert losses == {"start": 10.0, "a": 9.0, "b": 10.0, "stuck": 10.0, "c": 8.0, "d": 10.0}
    assert result.trials[2].feedback.text == "by itself"
    assert {t.value: t.loss for t in tg.Result.load(tmp_path).trials if t.measured} == losses


def test_what_a_change_did_is_asked_when_a_round_is_judged_and_kept(tmp_path):
    asked = []

    def contrast(parent, child):
        asked.append((parent.number, child.number, child.state.value))
        if child.value == "c":
            raise tg.MeasurementError("no common part")
        return f"{parent.value} became {child.value}\ud800"

    insight = tg.Insight(contrast=contrast)
    result = tg.minimize(Descends(), "start", Script(*ROUNDS), insight=insight, run=tmp_path)
    told = {t.value: t.contrast for t in result.trials}
    assert told == {
        "start": "",
        "a": "start became a\ufffd",
        "b": "",
        "fails": "",
        "stuck": "start became stuck\ufffd",
        "c": "",
        "d": "",
    }
    assert asked == [(0, 1, "accepted"), (0, 4, "rejected"), (1, 5, "accepted")]
    assert {t.value: t.contrast for t in tg.Result.load(tmp_path).trials} == told


THINKS = """
    import sys, time
    import tgsci as tg

    class Thinks(tg.Proposer):
        name, ahead = "thinks", True
        def __init__(self):
            self.engine = tg.as_engine(self.answer)
        def answer(self, prompt):
            if prompt != "1":
                print("thinks", flush=True)
                time.sleep(30)
            return "7"
        def ask(self, trials, n, rng):
            return [tg.Proposal(self.engine(str(len(trials) + len(trials.pending))).text)]

    def loss(value):
        if sys.argv[2] == "measuring" and value == "7":
            time.sleep(30)
        return float(value)

    result = tg.minimize(loss, "5", Thinks(), budget=30, run=sys.argv[1])
    print("ended:", result.stopped)
"""


@pytest.mark.parametrize("meanwhile", ["waiting", "measuring"])
def test_ctrl_c_ends_a_run_at_once_while_a_model_thinks(meanwhile, start_script, tmp_path):
    process = start_script(THINKS, str(tmp_path / "run"), meanwhile)
    assert process.stdout.readline() == "thinks\n"
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(2)
    assert "ended: interrupted" in process.communicate(timeout=25)[0]
    assert time.monotonic() - began < 30
    assert process.returncode == 0
    assert tg.Result.load(tmp_path / "run").spent.model_calls == 1
