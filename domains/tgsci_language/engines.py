"""Two engines: one proposes or criticises, the other, the student, is improved or answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tgsci.basics.checks import whole
from tgsci.basics.texts import literal
from tgsci.engine import Engine, as_engine, get_engine
from tgsci.engines.litellm import secrets_in
from tgsci.errors import UsageError
from tgsci.runs.choose import AnyEngine, engine_of_environment

#: What a table may say of an engine that is no parameter of the model.
_CONCURRENCY = "concurrency"


@dataclass(frozen=True)
class Engines:
    """Who proposes or criticises, and who is improved or answers.

    Args:
        engine: Proposes, criticises, rewrites.
        student: Answers; the same as `engine` where nobody else is named.
        recorded: JSON-able, `{"engine": ..., "student": ...}`: what finds both again when a run resumes. None in the
            place of one that was given as an object.
    """

    engine: Engine
    student: Engine
    recorded: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        engine: AnyEngine = None,
        student: AnyEngine = None,
        *,
        concurrency: int | None = None,
        student_concurrency: int | None = None,
    ) -> Engines:
        """Find both. Nothing is asked.

        Args:
            engine: A name, `{"name": ..., "temperature": ..., "concurrency": ...}`, or an object; None takes the
                environment's TGSCI_ENGINE.
            student: As `engine`; None takes that one.
            concurrency: Most questions to the engine at the same time.
            student_concurrency: Most questions to the student at the same time; where both are the same it holds for
                the one.

        Raises:
            UsageError: No engine, one that cannot be used, or a secret that a record would keep.
        """
        if engine is None:
            named = engine_of_environment()
            engine = None if named == "rules" else named
        if engine is None:
            raise UsageError(
                "a model has to answer here, and none is named. Name one with --engine (or engine=...): a model such "
                "as openai/gpt-5, one on a local server such as ollama/qwen3, human to answer yourself, or "
                "replay:FILE for recorded replies"
            )
        first = with_concurrency(engine, concurrency)
        if student is None or student == engine:
            if student_concurrency is not None:
                first = with_concurrency(first, student_concurrency)
            one = built("engine", first)
            return cls(one, one, {"engine": record(first), "student": record(first)})
        second = with_concurrency(student, student_concurrency)
        recorded = {"engine": record(first), "student": record(second)}
        return cls(built("engine", first), built("student", second), recorded)

    def check(self) -> None:
        """Say before any call what would make each one fail.

        Raises:
            UsageError: There is no such model.
        """
        self.engine.check()
        self.student.check()

    def at_temperature(self, temperature: float) -> Engines:
        """Give the student a temperature of sampling; the engine keeps its own.

        Raises:
            UsageError: The student takes none.
        """
        student = self.student.with_parameters(temperature=temperature)
        student.concurrency = self.student.concurrency
        return replace(self, student=student)

    @property
    def person(self) -> Engine | None:
        """The one of both that a person answers; None where none is."""
        return next((each for each in (self.engine, self.student) if each.answered_by_person), None)

    @property
    def description(self) -> str:
        """Who does what, and where prompts go; printed before a run starts."""
        if (self.engine.name, self.engine.destination) == (self.student.name, self.student.destination):
            return f"Every call goes to {self.engine.name}: {self.engine.destination}."
        return (
            f"{self.engine.name} proposes and criticises: {self.engine.destination}. "
            f"{self.student.name} answers: {self.student.destination}."
        )

    @property
    def one(self) -> bool:
        """True where both are the same model."""
        return self.engine.name == self.student.name


def with_concurrency(engine: AnyEngine, most: int | None) -> AnyEngine:
    """Add how many questions at the same time to what names an engine; of an object it is set."""
    if most is None:
        return engine
    most = whole(_CONCURRENCY, most, 1)
    if isinstance(engine, str):
        return {"name": engine, _CONCURRENCY: most}
    if isinstance(engine, Mapping):
        return {**engine, _CONCURRENCY: most}
    return as_engine(engine, most) if engine is not None else None


def built(what: str, engine: AnyEngine) -> Engine:
    """Make an engine of what names it.

    Args:
        what: What it is called in messages: "engine", "student".
        engine: A name, a table with a name and the model's parameters, or an object.

    Raises:
        UsageError: It is none.
    """
    if isinstance(engine, Mapping):
        parameters = dict(engine)
        name = parameters.pop("name", None)
        if not isinstance(name, str):
            raise UsageError(f"{what}: a table needs a name, {{name = 'MODEL'}}, not {literal(dict(engine))}")
        if name == "rules":
            raise UsageError(f"{what}: there is no rule editor for language; name a model, human or replay:FILE")
        return get_engine(name, **parameters)
    if engine == "rules":
        raise UsageError(f"{what}: there is no rule editor for language; name a model, human or replay:FILE")
    if engine is None:
        raise UsageError(f"{what}: none is named")
    return as_engine(engine)


def record(engine: AnyEngine) -> Any:
    """Write down what finds an engine again when a run resumes; None for an object, which has no name.

    Raises:
        UsageError: It holds a secret.
    """
    if isinstance(engine, Mapping):
        if secret := secrets_in(engine):
            raise UsageError(f"{secret[0]!r} does not belong in a job or a run's record: put it in the environment")
        return dict(engine)
    return engine if isinstance(engine, str) else None
