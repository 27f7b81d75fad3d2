"""The contract tests for authors of domains find what breaks the contract."""

from __future__ import annotations

import itertools
import random

import pytest

import tgsci as tg
from tgsci.testing import check_domain, check_insight

COUNTER = itertools.count(1)


class Length(tg.Loss):
    name = "length"
    units = {"length": "m"}

    def validate(self, value):
        if not value.isdecimal() or len(value) > 9:
            raise tg.InvalidValue("write a whole number of metres")
        return str(int(value))

    def evaluate(self, value):
        return tg.Feedback(float(value), f"{value} m", {"length": float(value)})


class Step(tg.Proposer):
    name = "step"

    def ask(self, trials, n, rng):
        return [tg.Proposal(str(rng.randint(0, 10**6)), "a step") for _ in range(n)]


class Impure(Step):
    def ask(self, trials, n, rng):
        return super().ask(trials, n, random.Random())


def options(trials, n, rng):
    best = int(trials.best.value)
    return [tg.Option(str(best - i), f"{i} less", {"length": float(best - i)}, 0) for i in range(1, n + 1)]


def instead(**changes):
    """The options, the first of them changed."""

    def changed(trials, n, rng):
        first, *others = options(trials, n, rng)
        return [tg.Option(**{"value": first.value, "label": first.label, **changes}), *others]

    return changed


def finish(result, finishing):
    for trial in result.trials.ranked()[:2]:
        if trial.number not in result.finals:
            finishing.keep(trial, trial.feedback)


def keeping(feedback, number=0):
    def kept(result, finishing):
        if number not in result.finals:
            finishing.keep(result.trials[number], feedback)

    return kept


class Rulers(tg.Domain):
    name = "rulers"

    def __init__(self, **parts):
        self.parts = parts

    def problem(self, config):
        for key in config:
            if key != "start":
                raise tg.UsageError(f"unknown key {key!r}")
        parts = {"rules": Step(), "optimizers": {"far": Step()}, "options": options, "finish": finish, **self.parts}
        start = [config.get("start", "500")]
        return tg.Problem(
            loss=Length(), start=start, task="Find a short one.", domain=self.name, config={"start": start[0]}, **parts
        )


def test_a_domain_that_keeps_the_contract_passes():
    check_domain(Rulers(), {})


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"rules": Impure()}, "rules: ask.. is not a pure function"),
        ({"optimizers": {"far": Impure()}}, "far: ask.. is not a pure function"),
        ({"optimizers": {"tgd": Step()}}, "cannot be called 'tgd'"),
        ({"optimizers": {"Far": Step()}}, "in lower case, not 'Far'"),
        ({"options": lambda trials, n, rng: options(trials, next(COUNTER), rng)}, "is not a pure"),
        ({"options": lambda trials, n, rng: []}, "gave 0 options"),
        ({"options": lambda trials, n, rng: options(trials, n + 1, rng)}, "gave 7 options"),
        ({"options": lambda trials, n, rng: ["499"]}, "no tgsci.Option"),
        ({"options": instead(value="500")}, "cannot be measured: proposed before as trial 0"),
        ({"options": instead(value="short")}, "cannot be measured: write a whole number"),
        ({"options": instead(value="498")}, "the same value twice"),
        ({"options": instead(label="")}, "has no label"),
        ({"options": instead(parent=7)}, "there is no trial 7"),
        ({"options": instead(facts={"length": float("nan")})}, "no figure"),
        ({"finish": lambda result, finishing: finishing.keep(result.best, tg.Feedback(1.0))}, "once more"),
        ({"finish": keeping(tg.Feedback(float("nan")))}, "neither a figure nor a reason for trial 0"),
        ({"finish": keeping(tg.Feedback(1.0, metrics={"width": 1.0}))}, "units: .'width'"),
    ],
)
def test_what_breaks_it_is_said(parts, says):
    with pytest.raises(AssertionError, match=says):
        check_domain(Rulers(**parts), {})


# -- what a domain tells a search ----------------------------------------------------------------------


def told(**hooks):
    """A domain that keeps the contract, with these hooks beside."""
    return Rulers(**hooks).problem({})


GOOD = {
    "key_columns": ["length"],
    "family": lambda value: f"{len(value)} digits" if value.isdecimal() else "",
    "contrast": lambda parent, child: (
        f"{child.loss - parent.loss:+.0f} m" if child.measured and parent.measured else ""
    ),
    "change": lambda parent, child: "" if parent == child else "another",
    "predict": lambda trials, values: [tg.Outlook(float(v), 1.0) if v.isdecimal() else None for v in values],
    "limiting": lambda feedback: "the length",
    "setting": "a table, 2 m long",
    "careful": tg.Careful(Length(), 1.0),
}


@pytest.mark.slow
def test_hooks_that_keep_the_contract_pass_and_no_hooks_do_too():
    check_insight(told(**GOOD), ["498", "499"])
    check_insight(told(rules=None))
    check_domain(Rulers(rules=None), {})
    check_domain(Rulers(**GOOD), {})


class Unsure(Length):
    def evaluate(self, value):
        return tg.Feedback(float(next(COUNTER)), "by feel", {"length": 1.0})


class Inches(Length):
    units = {"length": "in"}


@pytest.mark.parametrize(
    ("hooks", "says"),
    [
        ({"key_columns": ["width"]}, "key_columns names metrics without an entry in the loss's units: ..width"),
        ({"setting": None}, "setting is NoneType, not text"),
        ({"setting": "x" * 9_000}, "setting has 9000 characters"),
        ({"family": lambda value: str(next(COUNTER))}, "family.'500'. is not a pure function"),
        ({"family": len}, "gave int, not text"),
        ({"family": lambda value: "a\nb"}, "gave 2 lines"),
        ({"family": lambda value: "x" * 300}, "gave 300 characters"),
        ({"family": lambda value: "odd" if int(value) % 2 else "even"}, "family.''. raised ValueError"),
        ({"change": lambda parent, child: "something"}, "names a change where there is none"),
        ({"change": lambda parent, child: str(int(child) - int(parent) or "")}, "raised ValueError"),
        ({"contrast": lambda parent, child: child.feedback.text}, "contrast of trial 3 .duplicate.*AttributeError"),
        ({"contrast": lambda parent, child: None}, "gave NoneType, not text"),
        ({"limiting": lambda feedback: min(feedback.metrics)}, "limiting.. raised ValueError"),
        ({"predict": lambda trials, values: []}, "gave 0 outlooks"),
        ({"predict": lambda trials, values: [tg.Outlook(0.0, -1.0)] * len(values)}, "wrong deviation"),
        ({"predict": lambda trials, values: [tg.Outlook(float("nan"), 1.0)] * len(values)}, "cannot be told"),
        ({"predict": lambda trials, values: [1.0] * len(values)}, "no tgsci.Outlook"),
        ({"predict": lambda trials, values: [tg.Outlook(trials.best.loss, 1.0)] * len(values)}, "AttributeError"),
        ({"predict": lambda trials, values: [tg.Outlook(next(COUNTER), 1.0)] * len(values)}, "not a pure"),
        ({"careful": tg.Careful(Unsure())}, "careful measurement is not pure"),
        ({"careful": tg.Careful(Inches())}, "in other units"),
    ],
)
def test_hooks_that_break_the_contract_are_named(hooks, says):
    with pytest.raises(AssertionError, match=says):
        check_insight(told(**hooks), ["498", "499"])


def test_a_hook_that_thinks_too_long_is_named(monkeypatch):
    monkeypatch.setattr("tgsci.testing.HOOK_SECONDS", -1.0)
    with pytest.raises(AssertionError, match=r"took 0\.0 s"):
        check_insight(told(limiting=lambda feedback: ""))


def test_an_error_of_tgsci_stands_for_nothing_to_say():
    def refuse(value):
        raise tg.InvalidValue("none of ours")

    check_insight(told(family=refuse))
