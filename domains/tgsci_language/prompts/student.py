"""The student: the model that is asked by the instruction, and what became of each question."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tgsci.engine import MAX_CONCURRENT, Engine, Reply
from tgsci.engine import map as map_concurrently
from tgsci.errors import EngineError

from ..datasets.example import Example
from ..scoring.scorer import CUT_OFF, LONGEST_ANSWER, NO_REPLY, Score, Scorer
from .value import Prompt

#: Characters of a step's result that the next step is given, and of a reply, or of all steps', that a sample keeps.
_PASSED_ON, _KEPT, _KEPT_OF_ALL = 20_000, 500, 1_200
#: More samples without a reply than this share, and one more, are no fault of the instruction: the run stops.
_MOST_UNANSWERED = 0.1


@dataclass(frozen=True, slots=True)
class Sample:
    """One question, asked and scored.

    Args:
        set: "train", "validation" or "test".
        id: The example's.
        expected: The reference answer.
        right: From 0 to 1.
        answer: What was read from the reply.
        fault: What was wrong, one of `FAULTS`; "" where it is right.
        reply: The end of the reply; "" where it is not needed.
    """

    set: str
    id: str
    expected: str
    right: float
    answer: str = ""
    fault: str = ""
    reply: str = ""


class Student:
    """Asks the model that is improved.

    Args:
        engine: The model.
        scorer: Says how right a reply is.
        train: Where the examples that an instruction names come from, by id.
    """

    def __init__(self, engine: Engine, scorer: Scorer, train: Mapping[str, Example]) -> None:
        self.engine, self.scorer, self.train = engine, scorer, train

    def calls(self, steps: int) -> int:
        """Model calls that one question costs, a judge's included."""
        return steps + self.scorer.calls

    def system(self, prompt: Prompt, step: int = 0) -> str:
        """Write the system prompt of a step: its instruction, and below that of the last step the examples."""
        shown = [self.train[id] for id in prompt.examples] if step == len(prompt.steps) - 1 else []
        listed = [f"Question: {example.prompt}\n{self.scorer.ideal(example).strip()}" for example in shown]
        return "\n\n".join([prompt.steps[step], *(["Examples:", *listed] if listed else [])])

    def ask(self, prompt: Prompt, asked: Sequence[tuple[str, Example]]) -> list[Sample]:
        """Ask every question at the same time, as far as the engine allows; score each reply.

        Args:
            prompt: The instruction.
            asked: Questions, each with the name of its set.

        Returns:
            A sample for each, in their order. A reply that is wrong, broken or missing costs its own sample.

        Raises:
            EngineError: More than a tenth of the questions, and more than one, got no reply.
        """
        failures: list[EngineError] = []

        def sample(one: tuple[str, Example]) -> Sample:
            name, example = one
            try:
                replies = self.replies(prompt, example)
                score = self.scorer.score(example, replies[-1])
            except EngineError as error:
                failures.append(error)
                return Sample(name, example.id, example.answer[:LONGEST_ANSWER], 0.0, "", NO_REPLY)
            if score.fault and replies[-1].truncated:
                score = Score(score.right, score.answer, CUT_OFF)
            kept = _kept(replies) if name == "train" else ""
            expected = example.answer[:LONGEST_ANSWER]
            return Sample(name, example.id, expected, score.right, score.answer, score.fault, kept)

        samples = map_concurrently(sample, asked, concurrent=self.engine.concurrency or MAX_CONCURRENT)
        if len(failures) > max(1, int(_MOST_UNANSWERED * len(asked))):
            raise EngineError(
                f"{len(failures)} of {len(asked)} questions got no reply from {self.engine.name}: {failures[0]}"
            ) from failures[0]
        return samples

    def replies(self, prompt: Prompt, example: Example) -> list[Reply]:
        """Ask one question, step by step; the last reply is the one that counts."""
        replies: list[Reply] = []
        for step in range(len(prompt.steps)):
            question = example.prompt
            if step:
                question += f"\n\nThe result of step {step}:\n{replies[-1].text[-_PASSED_ON:]}"
            replies.append(self.engine(question, self.system(prompt, step)))
        return replies


def _kept(replies: Sequence[Reply]) -> str:
    """Keep the end of each step's reply."""
    most = min(_KEPT, _KEPT_OF_ALL // len(replies))
    ends = [reply.text[-most:] for reply in replies]
    return ends[0] if len(ends) == 1 else "\n".join(f"[step {i}] {end}" for i, end in enumerate(ends, 1))


def accuracy(samples: Iterable[Sample]) -> float:
    """Mean score, %; nan for no samples."""
    scores = [sample.right for sample in samples]
    return 100 * sum(scores) / len(scores) if scores else float("nan")


#: The file, among a trial's artifacts, that keeps its samples.
SAMPLES = "samples.jsonl"


def write_samples(samples: Iterable[Sample]) -> str:
    """Write samples as JSON Lines, one each."""
    names = Sample.__slots__
    return "".join(f"{json.dumps({n: getattr(sample, n) for n in names}, ensure_ascii=False)}\n" for sample in samples)


def read_samples(artifacts: Mapping[str, Any]) -> list[Sample]:
    """Read the samples among the artifacts of a measurement; none where it has none."""
    if SAMPLES not in artifacts:
        return []
    content = artifacts[SAMPLES]
    text = content.decode() if isinstance(content, bytes) else content
    return [Sample(**json.loads(line)) for line in text.split("\n") if line]


def of_set(samples: Iterable[Sample], name: str) -> list[Sample]:
    """The samples of one set."""
    return [sample for sample in samples if sample.set == name]
