"""One training step of a prompt on 16 samples, with a model that takes 0.2 s for every answer.

Both sides are built alike: a system prompt that is optimised, LLMCall, StringBasedFunction, sum, backward,
TGD.step. That is 16 answers, 32 gradients and one new prompt. tgsci's user puts the forward pass through
`tgsci.map`; all else is the same code.
"""

from __future__ import annotations

import time
from typing import Any

from _peer import Benchmark, main

SAMPLES = 16
LATENCY = 0.2  # s
REPLY = "<REASON>it is asked for</REASON>\n<IMPROVED_VARIABLE>Answer in one word.</IMPROVED_VARIABLE>"


def answer(prompt: str, system_prompt: str | None = None) -> str:
    time.sleep(LATENCY)
    return REPLY


def parts(tg: Any, calls: Any, engine: Any) -> tuple[Any, Any, Any]:
    """What both sides are made of: the prompt, the optimizer, and the loss of one sample."""
    prompt = tg.Variable("Answer.", requires_grad=True, role_description="system prompt of the model")
    model = calls.LLMCall(engine, system_prompt=prompt)
    verdict = calls.StringBasedFunction(lambda answer: "0", function_purpose="1 where the answer is right, else 0")

    def loss(number: int) -> Any:
        question = tg.Variable(f"What is {number} + 1?", requires_grad=False, role_description="question")
        return verdict(inputs={"answer": model(question)})

    return prompt, tg.TGD([prompt], engine=engine), loss


def ours() -> float:
    import tgsci as tg

    tg.set_backward_engine(answer)
    prompt, optimizer, loss = parts(tg, tg, tg.as_engine(answer))
    started = time.perf_counter()
    tg.sum(tg.map(loss, range(SAMPLES))).backward()
    optimizer.step()
    taken = time.perf_counter() - started
    assert prompt.value == "Answer in one word."
    return taken


def peer() -> float:
    import textgrad as tg

    class Answers(tg.EngineLM):
        model_string = "scripted"

        def generate(self, prompt: str, system_prompt: str | None = None, **_: Any) -> str:
            return answer(prompt, system_prompt)

        __call__ = generate

    tg.set_backward_engine(Answers())
    prompt, optimizer, loss = parts(tg, tg.autograd, Answers())
    started = time.perf_counter()
    tg.sum([loss(number) for number in range(SAMPLES)]).backward()
    optimizer.step()
    taken = time.perf_counter() - started
    assert prompt.value == "Answer in one word."
    return taken


BENCHMARKS = [
    Benchmark("batch", "one step on 16 samples, 0.2 s a model call", "s", ours, peer, at_most=1.05, rounds=3),
]

if __name__ == "__main__":
    main(BENCHMARKS)
