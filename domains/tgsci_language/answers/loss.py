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
#: The arms, as metrics and tables name them.
DRAFT, REFINEMENT, SAMPLING = "draft", "refinement", "sampling"


def iteration(number: int) -> str:
    """Name an iteration of the refinement, from 1, as metrics and tables do."""
    return f"iteration {number}"


@dataclass(frozen=True)
class Arm:
    """What one way to spend calls gave.

    Args:
        replies: In their order.
        scores: Theirs.
        vote: The answer that counts.
        meter: The calls behind it, the draft's included.
    """

    replies: Sequence[str]
    scores: Sequence[Score]
    vote: Score
    meter: protocol.Meter


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
        self.units = {**dict.fromkeys(self.arms, ""), "calls": "an arm", **dict.fromkeys(_prices(), "USD")}
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
        refined, sampled, faults = self._refine(question)
        right = dict(zip(self.arms, [*(s.right for s in refined.scores), refined.vote.right, sampled.vote.right], strict=True))
        right = {name: float(share >= 1) for name, share in right.items()}
        metrics = {**right, "calls": float(refined.meter.calls)}
        for name, arm in zip(_prices(), (refined, sampled), strict=True):
            if not arm.meter.unpriced:
                metrics[name] = arm.meter.usd
        kept = _kept(question, refined, sampled, faults)
        return Feedback(
            1.0 - right[REFINEMENT],
            _page(question, self.arms, refined, sampled, faults),
            metrics,
            artifacts={REPLIES: json.dumps(kept, ensure_ascii=False, indent=1)},
        )

    def _refine(self, question: Question) -> tuple[Arm, Arm, list[str]]:
        refining, sampling = protocol.Meter(), protocol.Meter()
        with recording(refining):
            with recording(sampling):  # the draft counts in both
                first = protocol.draft(question, self.engines.student)
            answers, faults = protocol.refine(question, first, self.engines.engine, self.iterations)
        with recording(sampling):
            samples = protocol.sample(question, self.engines.student, refining.calls - sampling.calls)
        replies = [first, *answers], [first, *samples]
        scores = [[question.score(reply) for reply in arm] for arm in replies]
        refined = Arm(replies[0], scores[0], vote(question, scores[0]), refining)
        # Samples come in any order: what decides between equals must not depend on it.
        seed = f"{self.seed}:{question.example.id}"
        return refined, Arm(replies[1], scores[1], vote(question, scores[1], seed), sampling), faults


def _prices() -> tuple[str, str]:
    return f"{REFINEMENT} price", f"{SAMPLING} price"


def _kept(question: Question, refined: Arm, sampled: Arm, faults: Sequence[str]) -> dict[str, Any]:
    """What is kept of a question, JSON-able: enough to score and to vote again."""

    def replies(arm: Arm) -> list[dict[str, Any]]:
        pairs = zip(arm.replies, arm.scores, strict=True)
        return [{"answer": s.answer, "right": s.right >= 1, "fault": s.fault, "reply": reply} for reply, s in pairs]

    return {
        "id": question.example.id,
        "choices in the file's order": list(question.order),
        "right": question.example.answer,
        "faults": list(faults),
        REFINEMENT: {"answer": refined.vote.answer, "calls": refined.meter.calls, "replies": replies(refined)},
        SAMPLING: {"answer": sampled.vote.answer, "calls": sampled.meter.calls, "replies": replies(sampled)},
    }


def _page(question: Question, arms: Sequence[str], refined: Arm, sampled: Arm, faults: Sequence[str]) -> str:
    """Write what became of a question."""
    lines = [question.prompt, "", f"right: {question.right}", ""]
    lines += [f"{name}: {_answer(score)}" for name, score in zip(arms, refined.scores, strict=False)]
    lines.append(f"refinement, vote over {len(refined.scores)} answers: {_answer(refined.vote)}")
    votes = Counter(score.answer or "no answer" for score in sampled.scores)
    said = ", ".join(f"{answer} {count}x" for answer, count in sorted(votes.items(), key=lambda item: (-item[1], item[0])))
    lines.append(f"sampling, vote over {len(sampled.scores)} answers: {_answer(sampled.vote)} ({said})")
    lines.append(f"calls: {refined.meter.calls} to refine, {sampled.meter.calls} to sample; the draft is in both")
    return "\n".join([*lines, *(f"an iteration changed nothing: {fault}" for fault in faults)])


def _answer(score: Score) -> str:
    return f"{score.answer or 'no answer'} ({'right' if score.right >= 1 else score.fault or 'wrong'})"
