"""How many questions a model is asked, and how much text they are.

The engine counts. A simulator's loss is tgsci's `Loss`; in TextGrad it is a StringBasedFunction, which is
how its users write one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from _peer import Benchmark, main


class Counter:
    """Answers at once with as many new values as are asked for, and counts."""

    model_string = "scripted"

    def __init__(self) -> None:
        self.calls = 0
        self.characters = 0
        self.values = 0

    def __call__(self, prompt: str, system_prompt: str | None = None) -> str:
        self.calls += 1
        self.characters += len(prompt) + len(system_prompt or "")
        numbers = re.findall(r"<IMPROVED_VARIABLE(_\d+)>", prompt) or [""]
        return "\n".join(self._block(number) for number in dict.fromkeys(numbers))

    def _block(self, number: str) -> str:
        self.values += 1
        return f"<IMPROVED_VARIABLE{number}>{self.values}</IMPROVED_VARIABLE{number}>"


def round_of_four(side: str, count: Counter) -> None:
    """Four new values for one start value, each to be measured by a simulator."""
    if side == "ours":
        import tgsci

        result = tgsci.minimize(lambda value: float(value), "1000", tgsci.TGD(engine=count), budget=5, proposals=4)
        assert len(result.trials) == 5
        return
    import textgrad

    for _ in range(4):
        simulator_step(side, count, textgrad)


def simulator_step(side: str, count: Counter, tg: Any = None) -> None:
    """One new value by a simulator's report."""
    if side == "ours":
        import tgsci

        value = tgsci.Variable("1000", role_description="a number")
        tgsci.FunctionLoss(float)(value).backward()
        tgsci.TGD([value], engine=count).step()
        return
    import textgrad as tg

    value = tg.Variable("1000", requires_grad=True, role_description="a number")
    loss = tg.autograd.StringBasedFunction(lambda value: value.value, function_purpose="the number itself")
    loss(inputs={"value": value}).backward(count)
    tg.TGD([value], engine=count).step()


def judged_step(side: str, count: Counter) -> None:
    """One new value by a model's judgement."""
    if side == "ours":
        import tgsci as tg
    else:
        import textgrad as tg
    value = tg.Variable("1000", requires_grad=True, role_description="a number")
    tg.TextLoss("Is the number small?", engine=count)(value).backward(count)
    tg.TGD([value], engine=count).step()


def feedback_through_sums(side: str) -> float:
    """Characters of feedback that arrive when a judgement of 2 characters goes back through 12 sums in a row."""
    if side == "ours":
        import tgsci as tg
    else:
        import textgrad as tg

    def judge(prompt: str, system_prompt: str | None = None) -> str:
        return "no"

    value = total = tg.Variable("1000", requires_grad=True, role_description="a number")
    for _ in range(12):
        total = tg.sum([total])
    tg.TextLoss("Is the number small?", engine=judge)(total).backward(judge)
    return len(value.get_gradient_text())


def counted(run: Callable[[str, Counter], None], side: str, figure: str) -> float:
    count = Counter()
    run(side, count)
    return getattr(count, figure)


BENCHMARKS = [
    Benchmark(
        f"calls.{name}",
        f"{words} {what}",
        unit,
        partial(counted, run, "ours", figure),
        partial(counted, run, "peer", figure),
        at_most=most,
        rounds=1,
    )
    for name, run, what, most in [
        ("round", round_of_four, "one round of 4 proposals on a simulator loss", 1),
        ("simulator", simulator_step, "one step by a simulator's report", 1),
        ("judged", judged_step, "one step by a model's judgement", 2),
    ]
    for name, words, unit, figure, most in [
        (name, "model calls for", "calls", "calls", most),
        (f"{name}-text", "prompt text for", "characters", "characters", None),
    ]
]
BENCHMARKS.append(
    Benchmark(
        "calls.sums",
        "feedback after 12 sums in a row, of 2 characters at their end,",
        "characters",
        partial(feedback_through_sums, "ours"),
        partial(feedback_through_sums, "peer"),
        rounds=1,
    )
)

if __name__ == "__main__":
    main(BENCHMARKS)
