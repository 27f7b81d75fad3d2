"""The two ways to spend calls on a question: draft, criticism and refinement; or samples.

TextGrad's protocol for solutions: the model answers, then several times criticises the answer without knowing the right
one and rewrites it by the criticism. The criticism is the gradient, so an iteration costs two calls.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tgsci.engine import Call, Engine, Reply, map
from tgsci.judges import MultiChoiceTestTime
from tgsci.optimizer import TextualGradientDescent
from tgsci.prompts import shortened
from tgsci.variable import Variable

from .questions import Question

#: What TextGrad calls the answer while it is optimised.
ROLE = "creative and precise solution to the question, with the final answer"
#: What the criticism is asked for: TextGrad's task, in its spirit.
CRITICISM = (
    "Below are a question and an answer to it. You are an expert of the field. Go through the steps of the answer "
    "critically, and see whether there is a reason why it could be wrong. Consider whether another answer could be "
    "right, and raise objections where they are due. The answer may also be right."
)
#: Who criticises an answer to a question without choices.
OPEN_JUDGE = (
    "You criticise answers to questions, as part of a system that improves them. Examine the reasoning and the answer. "
    "Do not solve the problem yourself: name the possible errors and doubtful steps, from several points of view."
)
#: Most of an answer or a criticism that goes into the next prompt, tokens: one that repeats itself without end would be
#: paid for again in every prompt after it.
ROOM = 20_000


@dataclass
class Meter:
    """Counts the calls that go through it: a recorder for `tgsci.engine.recording`.

    Args:
        calls: Questions that were answered.
        tokens: Sent and received, where known.
        usd: Known prices added up, US dollars.
        unpriced: Calls whose price is unknown.
    """

    calls: int = 0
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def price(self) -> float | None:
        """What all calls cost, US dollars; None where the price of one is unknown."""
        return None if self.unpriced else self.usd

    def __call__(self, call: Call, ask: Callable[[], Reply]) -> Reply:
        reply = ask()
        with self._lock:
            self.calls += 1
            self.tokens += (reply.tokens_in or 0) + (reply.tokens_out or 0)
            self.usd += reply.usd or 0.0
            self.unpriced += reply.usd is None
        return reply


def calls_of_refinement(iterations: int) -> int:
    """Count the calls of a draft and its refinements, where no reply has to be asked for again."""
    return 2 * iterations + 1


def calls_a_question(iterations: int) -> int:
    """Count the calls that both arms make together, the shared draft once."""
    return 2 * calls_of_refinement(iterations) - 1


def draft(question: Question, student: Engine) -> str:
    """Ask for a first answer."""
    return student(question.prompt).text


@dataclass(frozen=True)
class Refined:
    """An answer after an iteration.

    Args:
        answer: The whole text.
        fault: Why the iteration changed nothing; "" where it gave an answer.
    """

    answer: str
    fault: str = ""


def refine(question: Question, first: str, engine: Engine, iterations: int) -> Iterator[Refined]:
    """Criticise and rewrite an answer several times, by `MultiChoiceTestTime` and `TextualGradientDescent`.

    Args:
        question: What is answered; its reference answer is not used.
        first: The draft.
        engine: Criticises and rewrites.
        iterations: How many times.

    Yields:
        The answer after each iteration. Where a reply was of no use, and a second one too, it stays as it was.

    Raises:
        EngineError: The engine had no answer.
    """
    whole, answer = first, Variable(shortened(first, ROOM), role_description=ROLE)
    asked = Variable(question.example.prompt, requires_grad=False, role_description="question")
    system = None if question.kind == "choice" else OPEN_JUDGE
    criticise = MultiChoiceTestTime(CRITICISM, engine=engine, system_prompt=system)
    optimizer = TextualGradientDescent([answer], engine=engine, constraints=[question.form])
    for _ in range(iterations):
        known = len(optimizer.faults)
        optimizer.zero_grad()
        criticism = criticise(asked, answer)
        criticism.value = shortened(criticism.text, ROOM)
        criticism.backward()
        before = answer.text
        optimizer.step()
        if answer.text != before:
            whole, answer.value = answer.text, shortened(answer.text, ROOM)
        yield Refined(whole, "; ".join(optimizer.faults[known:]))


def sample(question: Question, student: Engine, samples: int) -> list[str]:
    """Ask the same question several times, all at once.

    Raises:
        EngineError: The engine had no answer.
    """
    return [reply.text for reply in map(lambda _: student(question.prompt), range(samples))]
