"""One question asked both ways: refined, and sampled with as many calls."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tgsci.engine import recording
from tgsci.errors import InvalidValue
from tgsci.feedback import Feedback
from tgsci.loss import Loss

from ..engines import Engines
from ..scoring.scorer import Score
from . import protocol
from .questions import Question, Questions
from .vote import vote

#: The artifact that keeps every reply of a question.
REPLIES = "replies.json"
#: Characters of a reply that it keeps; the record of calls has all of it.
LONGEST_KEPT = 20_000
#: The arms, as metrics and tables name them.
DRAFT, REFINEMENT, SAMPLING = "draft", "refinement", "sampling"


def iteration(number: int) -> str:
    """Name an iteration of the refinement, from 1, as metrics and tables do."""
    return f"iteration {number}"


@dataclass(frozen=True)
class Answered:
    """A reply of an arm.

    Args:
        reply: The whole text.
        score: What was read from it, and whether it is right.
        calls: Calls of the arm up to it, the draft's included.
        usd: What these cost, US dollars; None where a price is unknown.
        fault: Why an iteration changed nothing; "" where it did.
    """

    reply: str
    score: Score
    calls: int
    usd: float | None
    fault: str = ""

    @property
    def kept(self) -> dict[str, Any]:
        """JSON-able: what the record keeps of it."""
        found = {"answer": self.score.answer, "right": self.score.right >= 1, "wrong as": self.score.fault}
        return {**found, "calls": self.calls, "usd": self.usd, "fault": self.fault, "reply": self.reply[:LONGEST_KEPT]}


@dataclass(frozen=True)
class Arm:
    """What one way to spend calls gave: its replies in their order, and the answer that counts."""

    replies: Sequence[Answered]
    vote: Score

    @property
    def calls(self) -> int:
        """All calls of the arm, the draft's included."""
        return self.replies[-1].calls

    @property
    def kept(self) -> dict[str, Any]:
        """JSON-able: what the record keeps of it."""
        replies = [reply.kept for reply in self.replies]
        return {"answer": self.vote.answer, "right": self.vote.right >= 1, "calls": self.calls, "replies": replies}


class AnswerLoss(Loss):
    """1 where the refined answer to a question is wrong, 0 where it is right; the samples are measured beside it.

    The draft is the first answer of both arms: it is asked once and counted in both. The samples get exactly as many
    calls as the refinement took, those included that asked again after a faulty reply.

    Args:
        questions: What may be asked.
        engines: Who criticises and refines; who drafts and samples.
        iterations: Criticisms and refinements of a draft.
        seed: Decides between answers with as many votes among samples.
        threads: Questions at the same time.
    """

    name = "refined answer wrong"

    def __init__(self, questions: Questions, engines: Engines, iterations: int, seed: int, threads: int) -> None:
        self.questions, self.engines, self.iterations, self.seed = questions, engines, iterations, seed
        self.threads = threads
        self.arms = (DRAFT, *(iteration(i + 1) for i in range(iterations)), REFINEMENT, SAMPLING)
        self.units = {**dict.fromkeys(self.arms, ""), "calls": ""}
        self._by_value = {question.value: question for question in questions.questions}

    @property
    def fingerprint(self) -> str:
        """The questions, who answers, and the protocol."""
        who = f"{self.engines.engine.identity}, {self.engines.student.identity}"
        return f"answers({self.questions.digest}, {who}, {self.iterations}, {self.seed})"

    def question(self, value: str) -> Question:
        """Find the question of a trial.

        Raises:
            KeyError: There is none.
        """
        return self._by_value[value]

    def validate(self, value: str) -> str:
        """Check that the value is one of the questions.

        Raises:
            InvalidValue: It is none of them.
        """
        if value.strip() not in self._by_value:
            raise InvalidValue("it is no question of the file")
        return value.strip()

    def evaluate(self, value: str) -> Feedback:
        """Ask a question both ways. Questions are answered at the same time, the samples of one as well."""
        question = self.question(value)
        refined, sampled = self._refine(question)
        scores = [*(reply.score for reply in refined.replies), refined.vote, sampled.vote]
        right = {name: float(score.right >= 1) for name, score in zip(self.arms, scores, strict=True)}
        kept = {
            "id": question.example.id,
            "order": list(question.order),  # of the choices: the place in the file of each that was shown
            "right": question.example.answer,
            REFINEMENT: refined.kept,
            SAMPLING: sampled.kept,
        }
        return Feedback(
            1.0 - right[REFINEMENT],
            _page(question, self.arms, refined, sampled),
            {**right, "calls": float(refined.calls)},
            artifacts={REPLIES: json.dumps(kept, ensure_ascii=False, indent=1)},
        )

    def _refine(self, question: Question) -> tuple[Arm, Arm]:
        meter = protocol.Meter()
        with recording(meter):
            first = protocol.draft(question, self.engines.student)
            drafted = Answered(first, question.score(first), meter.calls, meter.price)
            replies = [drafted]
            for each in protocol.refine(question, first, self.engines.engine, self.iterations):
                score = question.score(each.answer)
                replies.append(Answered(each.answer, score, meter.calls, meter.price, each.fault))
        refined = Arm(replies, vote(question, [reply.score for reply in replies]))
        return refined, self._sample(question, drafted, refined.calls)

    def _sample(self, question: Question, drafted: Answered, calls: int) -> Arm:
        meter = protocol.Meter()
        with recording(meter):
            texts = protocol.sample(question, self.engines.student, calls - drafted.calls)
        usd = None if None in (meter.price, drafted.usd) else (meter.price or 0.0) + (drafted.usd or 0.0)
        replies = [drafted, *(Answered(text, question.score(text), calls, usd) for text in texts)]
        # Samples come in any order: what decides between equals must not depend on it.
        return Arm(replies, vote(question, [r.score for r in replies], f"{self.seed}:{question.example.id}"))


def _page(question: Question, arms: Sequence[str], refined: Arm, sampled: Arm) -> str:
    """Write what became of a question."""
    lines = [question.prompt, "", f"right: {question.right}", ""]
    for name, reply in zip(arms, refined.replies, strict=False):
        lines.append(
            f"{name}: {_answer(reply.score)}" + (f"; nothing was changed: {reply.fault}" if reply.fault else "")
        )
    lines.append(f"refinement, vote over {len(refined.replies)} answers: {_answer(refined.vote)}")
    votes = Counter(reply.score.answer or "no answer" for reply in sampled.replies)
    most = sorted(votes.items(), key=lambda item: (-item[1], item[0]))
    said = ", ".join(f"{answer} {count}x" for answer, count in most)
    lines.append(f"sampling, vote over {len(sampled.replies)} answers: {_answer(sampled.vote)} ({said})")
    lines.append(f"calls: {refined.calls} to refine, {sampled.calls} to sample; the draft is in both")
    return "\n".join(lines)


def _answer(score: Score) -> str:
    return f"{score.answer or 'no answer'} ({'right' if score.right >= 1 else score.fault or 'wrong'})"
