"""Proposers: what a search asks for new values."""

from __future__ import annotations

import random

import pytest

import tgsci as tg
from tgsci.engines.scripted import Scripted
from tgsci.search.proposer import ModelProposer, as_proposer


def block(value: str) -> str:
    return f"<REASON>because</REASON><IMPROVED_VARIABLE>{value}</IMPROVED_VARIABLE>"


def blocks(*values: str) -> str:
    return "\n".join(
        f"<REASON_{i}>because</REASON_{i}><IMPROVED_VARIABLE_{i}>{v}</IMPROVED_VARIABLE_{i}>"
        for i, v in enumerate(values, 1)
    )


class Rules(tg.Proposer):
    name = "rules"

    def ask(self, trials, n, rng):
        return []


def test_a_rule_editor_has_no_step():
    assert not hasattr(Rules(), "step")
    assert as_proposer(rules := Rules()) is rules


def test_an_optimizer_without_ask_is_no_proposer():
    with pytest.raises(tg.UsageError, match="not a proposer"):
        as_proposer(tg.Optimizer())


def a_run():
    """A best trial, one that was worse, one that failed, and one that was refused."""
    loss = tg.FunctionLoss(lambda v: float(len(v)), validate=str.strip)
    measured = tg.Feedback(3.0, "report on the best", {"size": 3.0})
    trials = [
        tg.Trial(0, 0, "aaaaa", state=tg.State.ACCEPTED, feedback=tg.Feedback(5.0, "report on the start")),
        tg.Trial(1, 1, "aaa", state=tg.State.ACCEPTED, feedback=measured, parent=0),
        tg.Trial(2, 2, "bbbb", state=tg.State.REJECTED, feedback=tg.Feedback(4.0), parent=1),
        tg.Trial(3, 2, "cc", state=tg.State.FAILED, feedback=tg.Feedback.failed("crash"), decision="crash"),
        tg.Trial(4, 2, "!!", state=tg.State.INVALID, decision="letters only"),
    ]
    return tg.Trials(trials, loss, "find a short word")


def test_a_search_prompt_holds_the_best_its_report_and_what_did_not_work():
    engine = Scripted([blocks("a", "aa")])
    proposals = ModelProposer(tg.TGD(engine=engine, constraints=["lower case"])).ask(a_run(), 2, random.Random(0))
    assert [(p.value, p.parent, p.reason) for p in proposals] == [("a", 1, "because"), ("aa", 1, "because")]
    prompt = engine.calls[0][0]
    for part in ("find a short word", "report on the best", "lower case", "bbbb (loss 4", "cc (crash)", "!!"):
        assert part in prompt
    assert "report on the start" not in prompt
    assert len(engine.calls) == 1


def test_what_was_tried_before_is_refused_with_its_outcome():
    engine = Scripted([blocks("bbbb", "cc"), blocks("aaaaa", "a")])
    proposals = ModelProposer(tg.TGD(engine=engine)).ask(a_run(), 2, random.Random(0))
    assert "proposed before as trial 2: loss 4" in engine.calls[1][0]
    assert "proposed before as trial 3: failed" in engine.calls[1][0]
    assert [p.value for p in proposals if p.fault is None] == ["a"]
    assert [p.fault is None for p in proposals] == [True, False]


def test_there_is_nothing_to_ask_before_anything_was_measured():
    assert ModelProposer(tg.TGD(engine=Scripted([]))).ask(tg.Trials([]), 3, random.Random(0)) == []


def test_a_value_outside_a_hard_limit_is_shown_with_the_limit_it_breaks():
    def measure(value):
        return tg.Feedback(-float(len(value)), f"{len(value)} characters", {"length": float(len(value))})

    loss = tg.FunctionLoss(measure, "shortness").limit("length", high=4)
    engine = Scripted(["\n".join([block("a" * 8)]), block("aaa"), block("aaaa")])
    result = tg.minimize(loss, "aa", tg.TGD(engine=engine), budget=4, proposals=1)
    assert [t.state.value for t in result.trials] == ["accepted", "rejected", "accepted", "accepted"]
    second = engine.calls[1][0]
    assert "breaks length <= 4 by 4" in second
    assert second.count("aaaaaaaa") == 1, "it stands among the failures only"
