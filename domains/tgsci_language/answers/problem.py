"""A file of questions as a problem: each question is a trial that both arms answer."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tgsci.basics import checks
from tgsci.basics.files import write_atomically
from tgsci.errors import UsageError
from tgsci.runs.domain import Problem
from tgsci.search.options import Budget
from tgsci.search.proposer import Proposer
from tgsci.search.trial import Proposal, Trials
from tgsci.show.tables import csv_text

from ..engines import Engines
from . import protocol
from .comparison import Comparison
from .loss import DRAFT, REFINEMENT, SAMPLING, AnswerLoss
from .questions import Questions, read_questions, speaks_of_places

#: TextGrad's number of iterations; questions at the same time.
ITERATIONS, CONCURRENT = 3, 8
#: The file that a run leaves with a line a question.
FILE = "answers.csv"
_COLUMNS = ("question", "answer", "choices")
_OF_QUESTIONS = (
    *_COLUMNS,
    *("answers", "unit", "tolerance", "relative", "shuffle", "seed", "first", "drop_duplicates"),
)
_KEYS = ("questions", "engine", "student", "iterations", "temperature", "concurrent", *_OF_QUESTIONS)


class NextQuestions(Proposer):
    """Takes the questions in their order. No model is asked to propose any.

    Args:
        questions: All of them.
        engines: Who answers, to say so before a run starts.
        temperature: Of the student, to say so as well.
    """

    name = "the file"

    def __init__(self, questions: Questions, engines: Engines, temperature: float | None) -> None:
        self.values = [question.value for question in questions.questions]
        self.engine = engines.person  # nothing may be drawn over what a person types
        stated = "the model's own, as none was given" if temperature is None else f"{temperature:g}"
        self.description = f"{engines.description} Temperature of drafts and samples: {stated}."

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        """Name the next `n` questions."""
        known = {trial.value for trial in [*trials, *trials.pending]} | {idea.proposal.value for idea in trials.ideas}
        left = [value for value in self.values if value not in known]
        return [Proposal(value, "the next question of the file") for value in left[:n]]


def problem(config: Mapping[str, Any], engines: Engines | None = None, questions: Questions | None = None) -> Problem:
    """Build the problem of a file of questions.

    Args:
        config: `questions` (a file), `engine`, `student`, `iterations` (3), `temperature`, `concurrent` (8, questions
            at the same time), and the arguments of `read_questions`.
        engines: Both, where they are objects and have no names.
        questions: The questions, where they are read already.

    Raises:
        UsageError: An unknown key, a bad value, or a file that cannot be used; nothing was asked.
    """
    checks.keys(config, _KEYS, "the settings of answers")
    iterations = checks.whole("iterations", config.get("iterations", ITERATIONS), 1, 50)
    concurrent = checks.whole("concurrent", config.get("concurrent", CONCURRENT), 1, 256)
    seed = checks.whole("seed", config.get("seed", 0))
    temperature = config.get("temperature")
    if temperature is not None:
        temperature = checks.number("temperature", temperature, 0, 10)
        if temperature == 0:
            raise UsageError("at temperature 0 all samples are the same answer; give one above 0, such as 0.7")
    path = config.get("questions")
    if questions is None:
        if not isinstance(path, str | Path):
            raise UsageError("questions: name a file of questions (CSV or JSON Lines)")
        path = str(Path(path).expanduser().absolute())
        given = {name: config[name] for name in _OF_QUESTIONS if config.get(name) is not None}
        questions = read_questions(path, **given)
    engines = engines or Engines.of(config.get("engine"), config.get("student"))
    if temperature is not None:
        engines = engines.at_temperature(temperature)
    loss = AnswerLoss(questions, engines, iterations, seed, concurrent)
    kept = {**{name: value for name, value in config.items() if value is not None}, **engines.recorded}
    kept |= {"questions": path, "iterations": iterations, "concurrent": concurrent, "seed": seed}
    return Problem(
        loss=loss,
        start=[questions.questions[0].value],  # alone: what is wrong with an engine is said after one call
        rules=NextQuestions(questions, engines, temperature),
        task=f"Answer the questions of {questions.name}.",
        domain="language",
        config={**kept, "kind": "answer"},
        name=questions.name,
        notes=_notes(questions, engines, iterations),
        columns=(DRAFT, REFINEMENT, SAMPLING),
        proposals=concurrent,
        own_engines=True,
        budget=partial(fitted, questions=len(questions.questions), iterations=iterations),
        rivals=False,
        summary=lambda result: Comparison(result, loss).summary,
        sections=lambda result: Comparison(result, loss).sections,
        export=lambda result, directory: [_write(Comparison(result, loss), directory / FILE)],
    )


def fitted(budget: Budget, questions: int, iterations: int) -> Budget:
    """Fit a budget to a set: all its questions, or as many as there are calls for.

    Args:
        budget: Its evaluations are replaced, its other limits stay.
        questions: How many there are.
        iterations: Of the refinement.

    Raises:
        UsageError: There are too few calls for one question.
    """
    each = protocol.calls_a_question(iterations)
    fitting = questions if budget.model_calls is None else min(questions, budget.model_calls // each)
    if not fitting:
        raise UsageError(f"a budget of {budget.model_calls} calls is too small: one question takes {each}")
    return replace(budget, evaluations=fitting)


def _notes(questions: Questions, engines: Engines, iterations: int) -> Sequence[str]:
    """Say what a person should know before a run starts."""
    there, each = len(questions.questions), protocol.calls_of_refinement(iterations)
    notes = [
        f"{there} questions, {2 * each - 1} calls each: a draft, {each - 1} to refine it, {each - 1} more samples. "
        f"Each arm has {each} calls a question, for the draft counts in both."
    ]
    fixed = sum(speaks_of_places(question) for question in questions.questions)
    if fixed:
        notes.append(
            f"The choices of {fixed} of {there} questions are not shuffled, for one speaks of others by their places."
        )
    if engines.person is not None:
        notes.append(
            f"You will be asked {there * (2 * each - 1)} times at most, one prompt after the other; Ctrl-C stops, and "
            "what you answered is kept."
        )
    return notes


def _write(comparison: Comparison, path: Path) -> Path:
    """Write a line a question."""
    header, rows = comparison.table
    write_atomically(path, csv_text([header, *rows]))
    return path
