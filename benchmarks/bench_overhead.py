"""The framework's own time for one step, with an engine that answers at once: value -> loss -> backward -> step.

The median of 1,000 steps in one process. TextGrad writes its log file meanwhile, as it always does; tgsci
records only in `minimize()`, which `bench_ledger.py` measures.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from _peer import Benchmark, main

STEPS, WARM_UP = 1_000, 100


class Script:
    """Answers at once, with a new value every time."""

    model_string = "scripted"
    asked = 0

    def __call__(self, prompt: str, system_prompt: str | None = None) -> str:
        self.asked += 1
        return f"<REASON>it is asked for</REASON>\n<IMPROVED_VARIABLE>{self.asked}</IMPROVED_VARIABLE>"


def function_step(tg: Any, calls: Any, engine: Any, loss: Any) -> None:
    """A loss written in Python, of which the framework knows only the purpose."""
    value = tg.Variable("0", requires_grad=True, role_description="a number")
    function = calls.StringBasedFunction(lambda value: "0.5", function_purpose="measures the number")
    optimizer = tg.TGD([value], engine=engine)
    function(inputs={"value": value}).backward(engine)
    optimizer.step()


def judged_step(tg: Any, calls: Any, engine: Any, loss: Any) -> None:
    """A loss written by a model."""
    value = tg.Variable("0", requires_grad=True, role_description="a number")
    judge = tg.TextLoss("Is the number large?", engine=engine)
    optimizer = tg.TGD([value], engine=engine)
    judge(value).backward(engine)
    optimizer.step()


def simulator_step(tg: Any, calls: Any, engine: Any, loss: Any) -> None:
    """tgsci's own: a loss whose report is the gradient."""
    value = tg.Variable("0", requires_grad=True, role_description="a number")
    optimizer = tg.TGD([value], engine=engine)
    loss(value).backward()
    optimizer.step()


def ours(step: Callable[..., None]) -> float:
    import tgsci as tg

    simulator = tg.FunctionLoss(lambda value: (0.5, "0.5, wants to be larger"))
    return _median_us(lambda engine: step(tg, tg, engine, simulator), tg.as_engine(Script()))


def peer(step: Callable[..., None]) -> float:
    import textgrad as tg

    return _median_us(lambda engine: step(tg, tg.autograd, engine, None), Script())


def _median_us(step: Callable[[Any], None], engine: Any) -> float:
    for _ in range(WARM_UP):
        step(engine)
    taken = []
    for _ in range(STEPS):
        started = time.perf_counter()
        step(engine)
        taken.append(time.perf_counter() - started)
    return median(taken) * 1e6


BENCHMARKS = [
    Benchmark(
        f"overhead.{name}",
        f"the framework's own time for one step, {words}",
        "us",
        partial(ours, step),
        partial(peer, step) if has_peer else None,
        at_most=155,
    )
    for name, words, step, has_peer in [
        ("function", "StringBasedFunction as loss", function_step, True),
        ("judged", "TextLoss as loss", judged_step, True),
        ("simulator", "simulator as loss", simulator_step, False),
    ]
]

if __name__ == "__main__":
    main(BENCHMARKS)
