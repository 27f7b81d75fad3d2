"""The problem of a prompt search: an instruction is the value, its error on a data set the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from tgsci.basics.settings import read
from tgsci.basics.texts import one_line
from tgsci.engine import Engine, as_engine
from tgsci.errors import UsageError
from tgsci.runs.choose import AnyEngine
from tgsci.runs.domain import Problem
from tgsci.runs.result import Result
from tgsci.search.options import Budget

from ..datasets.split import Split
from ..engines import built, record, with_concurrency
from ..scoring.build import fitting_scorer, make_scorer
from ..scoring.scorer import Scorer, check_scorer
from .export import Export
from .final import Final, verdict
from .insight import KEY_COLUMNS, contrast, limiting
from .job import PromptJob
from .loss import PromptLoss, racing
from .sections import Sections, race
from .value import Prompt

#: The share of validation on which a race is run, and the fewest examples that are worth one.
_RACING_SHARE, _RACING_LEAST = 0.25, 10
#: Characters of a question that a task shows.
_SHOWN = 600
#: Marks the configuration of a problem that was made from objects.
_FROM_OBJECTS = "made from objects"


def problem(config: Mapping[str, Any], *, student: AnyEngine = None, critic: AnyEngine = None) -> Problem:
    """Build the problem of a task.

    Args:
        config: See `PromptJob`.
        student: The model that follows the instruction, where it is an object; then the run is resumed by the same
            call, not by its directory alone.
        critic: As `student`, for the critic.

    Raises:
        UsageError: A setting or a file that cannot be used; says which, before anything is asked.
    """
    if _FROM_OBJECTS in config:
        raise UsageError(
            "this run was started from Python with engines or data that have no name: go on with it by the same call "
            "and the same `run`"
        )
    job = read(PromptJob, config, "[language]")
    named = student if student is not None else job.student
    if named is None:
        raise UsageError(
            "no student is named: the model that follows the instruction. Give --student MODEL, or student = 'MODEL' "
            "in the task: openai/gpt-5-mini, ollama/qwen3 on a local server, human to answer yourself, or replay:FILE"
        )
    limited = with_concurrency(named, job.student_concurrency)
    split = job.read_split()
    judge = None if job.judge is None else built("judge", job.judge)
    wanted = job.scorer or fitting_scorer([*split.train, *split.validation, *split.test])
    critic_named = critic if critic is not None else job.critic
    by_object = record(named) is None or (critic_named is not None and record(critic_named) is None)
    return prompt_problem(
        split,
        built("student", limited),
        job.steps if len(job.steps) > 1 else job.steps[0] if job.steps else "",
        make_scorer(wanted, judge),
        minibatch=min(job.minibatch, len(split.train)),
        examples=job.examples,
        race=job.racing,
        racing_margin=job.racing_margin,
        seed=job.seed,
        critic=None if critic_named is None else built("critic", critic_named),
        config={_FROM_OBJECTS: True} if by_object else {**config, "student": record(limited)},
    )


def prompt_problem(
    split: Split,
    student: Engine | Any,
    instruction: str | Sequence[str],
    scorer: Scorer | None = None,
    *,
    minibatch: int = 12,
    examples: int = 0,
    race: int | None = None,
    racing_margin: float | None = None,
    seed: int = 0,
    critic: Engine | None = None,
    config: Mapping[str, Any] | None = None,
) -> Problem:
    """Make the problem of a prompt search from objects; run it by `tgsci.solve(problem, engine=...)`.

    Args:
        split: Train, validation and test.
        student: The model that follows the instruction: an engine, its name, or any callable.
        instruction: To begin with; several for one a step.
        scorer: Says how right a reply is; None takes what fits the answers.
        minibatch: Train examples a measurement.
        examples: Most train examples that an instruction may show to the student.
        race: Validation examples of the race; 0 for none, None for a quarter of validation.
        racing_margin: As `racing` takes it, points.
        seed: Of minibatches and of the order of validation.
        critic: Reads each page and says in words what to change; None for none.
        config: JSON-able, what builds this problem again; None where a run is resumed by the same call.

    Raises:
        UsageError: Something that cannot be used, a scorer that can never be right included; nothing was asked.
    """
    scorer = scorer or make_scorer(fitting_scorer([*split.train, *split.validation, *split.test]))
    for dataset in split.sets.values():
        check_scorer(scorer, dataset)
    instructions = (instruction,) if isinstance(instruction, str) else tuple(instruction)
    if not instructions or not all(isinstance(each, str) for each in instructions):
        raise UsageError("instruction must be a text, or a list of texts, one a step")
    loss = PromptLoss(
        split,
        as_engine(student),
        scorer,
        steps=len(instructions),
        minibatch=min(minibatch, len(split.train)),
        examples=examples,
        first=_first(race, len(split.validation)),
        seed=seed,
        critic=critic,
    )
    careful = racing(loss, racing_margin)
    return Problem(
        loss=loss,
        start=[str(Prompt(instructions))],
        rules=None,
        task=_task(loss),
        domain="language",
        config={"kind": "prompt", **(config if config is not None else {_FROM_OBJECTS: True})},
        name=split.train.name.removesuffix(" train") or "prompt",
        notes=_notes(loss),
        columns=KEY_COLUMNS,
        export=Export(loss),
        goal=0.0,
        finish=Final(loss),
        sections=Sections(loss),
        conclusion=_conclusion,
        budget=partial(_checked_budget, loss),
        key_columns=KEY_COLUMNS,
        contrast=contrast,
        limiting=limiting,
        careful=careful,
    )


def engines_of(problem: Problem) -> list[Engine]:
    """List the engines that a measurement asks: the student, and a judge and a critic where there are any."""
    loss = problem.loss
    assert isinstance(loss, PromptLoss)
    judge: Engine | None = getattr(loss.student.scorer, "engine", None)
    return [engine for engine in (loss.student.engine, judge, loss.critic) if engine is not None]


def _conclusion(result: Result) -> str:
    """Say what test says of the best instruction, and what the race saved."""
    return "\n".join(filter(None, [verdict(result), race(result)])) if result.best else ""


def _checked_budget(loss: PromptLoss, budget: Budget) -> Budget:
    """Refuse a budget of calls that does not pay for the first measurement."""
    each = (loss.minibatch + len(loss.validation)) * loss.student.calls(loss.steps)
    if budget.model_calls is not None and budget.model_calls < each:
        raise UsageError(
            f"a budget of {budget.model_calls} model calls does not pay for one measurement, which takes {each}: give "
            "more, or fewer validation examples (split) and a smaller minibatch"
        )
    return budget


def _first(wanted: int | None, validation: int) -> int:
    if wanted is not None:
        return wanted
    first = max(_RACING_LEAST, round(_RACING_SHARE * validation))
    return first if 2 * first <= validation else 0  # of a small set a race saves little


def _task(loss: PromptLoss) -> str:
    """Say what the value is, what the student sees, and how it is scored."""
    student = loss.student
    shown = [
        f"Question: {one_line(e.prompt)[:_SHOWN]}\nReference answer: {e.answer}" for e in islice(loss.split.train, 2)
    ]
    if loss.steps == 1:
        value = "The value is an instruction for a language model, the student. It is plain text."
        sees = "The student gets the instruction as its system prompt and one question as the user's message."
    else:
        value = (
            f"The value is {loss.steps} instructions for a language model, the student, one a step: write each between "
            f"its own tags, <STEP_1>...</STEP_1> to <STEP_{loss.steps}>...</STEP_{loss.steps}>, and nothing outside."
        )
        sees = (
            "In each step the student gets that step's instruction as its system prompt and the question, followed by "
            "the result of the step before; the reply to the last step is scored."
        )
    if loss.examples:
        value += (
            f" At its end it may name up to {loss.examples} train examples, by their numbers, as "
            "<EXAMPLES>3 17</EXAMPLES>: the student is then shown these questions with their answers."
        )
    return "\n".join(
        [
            f"{value} {sees} It sees nothing else, and keeps no memory from question to question.",
            "Wanted: the largest share of right answers on questions like those below that nobody has seen yet. Loss: "
            f"100 % minus the accuracy on {len(loss.validation)} validation questions, which are not shown. Do not "
            "write the answers of single questions into the instruction: general advice alone helps on new ones.",
            f"How an answer is read from the student's reply: {student.scorer.reading}.",
            "Two of the train questions:",
            *shown,
        ]
    )


def _notes(loss: PromptLoss) -> list[str]:
    """Say what was understood, and what a measurement costs."""
    split, student = loss.split, loss.student
    sizes = f"{len(split.train)} train, {len(split.validation)} validation and {len(split.test)} test examples"
    whole = (loss.minibatch + len(split.validation)) * student.calls(loss.steps)
    notes = [
        f"{sizes}; replies are scored by: {student.scorer.name}.",
        f"The student is {student.engine.name}: {student.engine.destination}.",
        f"A measurement asks it {whole} times"
        + (f", or {loss.calls} where the instruction is behind on the first {loss.first}" if loss.first else "")
        + f"; the test at the end up to {2 * len(split.test) * student.calls(loss.steps)} times, beyond the budget.",
    ]
    if loss.critic is not None:
        notes.append(f"{loss.critic.name} reads each page: {loss.critic.destination}.")
    return notes
