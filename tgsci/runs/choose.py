"""Who proposes: a domain's rule editor, one of its baselines, a model, or a team of a model and the rule editor."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from ..engine import Engine, as_engine, get_engine
from ..errors import UsageError
from ..functions import EngineLike
from ..optimizer import TGD, TextualGradientDescent
from ..search.desk import Desk
from ..search.menu import Menu
from ..search.page import PROMPT_TOKENS
from ..search.proposer import ModelProposer, Proposer, as_proposer
from ..search.team import Team
from .domain import Problem

#: Names the engine where none is given; without it the domain's rule editor proposes.
ENGINE_VARIABLE = "TGSCI_ENGINE"

#: Said where a rule editor is asked for and there is none.
_NO_RULES = "It has no rule editor: a model or a person has to propose"

#: An engine as people give it: an object, a name, or a job file's [engine] table.
AnyEngine: TypeAlias = EngineLike | Mapping[str, Any]

#: What needs an engine, by the name that `--optimizer` takes.
WITH_MODEL = ("team", "desk", "tgd", "menu")


@dataclass(frozen=True)
class Chosen:
    """Who proposes in a run, and what to record so that a resumed run finds it again.

    Args:
        proposer: Proposes.
        name: As `--optimizer` takes it; None for an optimizer that was given as an object.
        engine: JSON-able: the engine's name or its [engine] table, "rules" for none; None where it has no name.
    """

    proposer: Proposer
    name: str | None
    engine: Any


def choose(
    problem: Problem,
    engine: AnyEngine = None,
    optimizer: str | Proposer | TextualGradientDescent | None = None,
    *,
    prompt_tokens: int = PROMPT_TOKENS,
) -> Chosen:
    """Choose who proposes, by what is asked for.

    Args:
        problem: Brings the rule editor, the baselines and the menu.
        engine: A model; None takes the environment's TGSCI_ENGINE, else none. "rules" is none.
        optimizer: "rules", one of the domain's own, or with an engine "team" (the model at its desk and the rule
            editor, in one pool: the default then), "desk" (the model alone: the default where there is no rule
            editor), "tgd" (it sees the best value and its report) or "menu" (it chooses among the domain's options).
            A `Proposer` is taken as it is.
        prompt_tokens: How long a prompt from the desk may be.

    Raises:
        UsageError: No such optimizer, an engine for one that asks none, or none for one that asks.
    """
    if problem.own_engines:
        if not (engine is None or _none(engine)) or optimizer not in (None, "rules"):
            raise UsageError(
                f"{problem.domain or 'this problem'} asks the engines that its own settings name, and nobody else "
                "proposes values: leave out the engine and the optimizer of the search"
            )
        return Chosen(_rules(problem), "rules", "rules")
    if optimizer is not None and not isinstance(optimizer, str):
        proposer = as_proposer(optimizer)
        if engine is not None:
            raise UsageError("give an engine or an optimizer, not both: the optimizer proposes on its own")
        return Chosen(proposer, None, None)
    recorded = _record(engine)
    if optimizer is None:
        engine = engine_of_environment() if engine is None else engine
        if _none(engine):
            return Chosen(_rules(problem), "rules", "rules")
        return _with_model(problem, engine, "desk" if problem.rules is None else "team", prompt_tokens)
    name = optimizer.strip().lower()
    known = available(problem)
    if name == "rules":
        _rules(problem)
    if name not in known:
        raise UsageError(
            f"there is no optimizer {optimizer!r} for {problem.domain or 'this problem'}; there are: {_listed(known)}"
            + (f". {_NO_RULES}" if name == "team" and problem.rules is None else "")
        )
    if name in WITH_MODEL:
        engine = engine_of_environment() if engine is None else engine
        if _none(engine):
            raise UsageError(f"the optimizer {name!r} asks a model: name one with --engine (or engine=...)")
        return _with_model(problem, engine, name, prompt_tokens)
    if engine is not None and not (_none(engine) and name == "rules"):
        raise UsageError(
            f"the optimizer {name!r} proposes on its own and asks no model, so it cannot be given together with the "
            f"engine {_shown(recorded)}; leave one of them out"
        )
    return Chosen(_rules(problem) if name == "rules" else problem.optimizers[name], name, "rules")


def _rules(problem: Problem) -> Proposer:
    """Give the problem's rule editor.

    Raises:
        UsageError: It has none.
    """
    if problem.rules is None:
        raise UsageError(
            f"{problem.domain or 'this problem'} has no rule editor: a model or a person has to propose. Name one with "
            "--engine (or engine=...): a model such as openai/gpt-5, one on a local server such as "
            "ollama/qwen3, human to answer yourself, or replay:FILE for recorded replies"
        )
    return problem.rules


def choose_again(
    problem: Problem,
    header: Mapping[str, Any],
    run: Path,
    engine: AnyEngine = None,
    optimizer: str | Proposer | TextualGradientDescent | None = None,
    *,
    prompt_tokens: int | None = None,
) -> Chosen:
    """Choose who proposes in a run that goes on: who is asked for now, else who did before.

    Args:
        problem: The run's.
        header: The facts of the run.
        run: Its directory.
        engine: As for `choose`.
        optimizer: As for `choose`.
        prompt_tokens: As for `choose`; None takes the run's.

    Raises:
        UsageError: Who did before has no name.
    """
    again = partial(choose, problem, prompt_tokens=prompt_tokens or header.get("prompt_tokens") or PROMPT_TOKENS)
    before, name = header.get("engine"), header.get("optimizer")
    if optimizer is None and engine is not None:  # another model does what the one before did
        return again(engine, name if name in WITH_MODEL and not _none(engine) else None)
    if engine is not None or not isinstance(optimizer, str | None):
        return again(engine, optimizer)
    if optimizer is not None:  # with the engine of before, where it is one that asks
        return again(None if before == "rules" or optimizer not in WITH_MODEL else before, optimizer)
    if before is None:
        raise UsageError(
            f"{str(run)!r} was started with an engine or optimizer that has no name; "
            "give one, or engine 'rules' for the rule editor"
        )
    return again(None if before == "rules" and name not in (None, "rules") else before, name)


def available(problem: Problem) -> list[str]:
    """List the names that `--optimizer` takes for this problem."""
    baselines = [name for name in problem.optimizers if name not in ("rules", *WITH_MODEL)]
    if problem.own_engines:
        return ["rules"]
    alone = ["desk", "tgd", *(["menu"] if problem.options else [])]
    return [*baselines, *alone] if problem.rules is None else ["rules", *baselines, "team", *alone]


def engine_of_environment() -> str:
    """Name the engine of a run that was given none: the environment's, else "rules"."""
    return os.environ.get(ENGINE_VARIABLE, "").strip() or "rules"


def _listed(names: list[str]) -> str:
    return ", ".join(f"{name} (with an engine)" if name in WITH_MODEL else name for name in names)


def _none(engine: AnyEngine) -> bool:
    """True where the engine is the word for none.

    Raises:
        UsageError: A table without a name, or parameters for no model.
    """
    if isinstance(engine, Mapping):
        name = engine.get("name")
        if not isinstance(name, str) or (name == "rules" and len(engine) > 1):
            raise UsageError(f"[engine] needs a name, and 'rules' takes no parameters; there is {dict(engine)!r}")
        return name == "rules"
    return isinstance(engine, str) and engine == "rules"


def _with_model(problem: Problem, engine: AnyEngine, name: str, prompt_tokens: int) -> Chosen:
    built = _built(engine)
    proposer: Proposer
    if name == "tgd":
        proposer = ModelProposer(TGD(engine=built))
    elif name == "menu":
        assert problem.options is not None  # it is available
        proposer = Menu(built, problem.options, prompt_tokens=prompt_tokens)
    else:
        proposer = Desk(built, prompt_tokens=prompt_tokens)
        if name == "team":
            proposer = Team([proposer, _rules(problem)])
    return Chosen(proposer, name, _record(engine))


def _built(engine: AnyEngine) -> Engine:
    if not isinstance(engine, Mapping):
        assert engine is not None
        return as_engine(engine)
    parameters = dict(engine)
    named = str(parameters.pop("name", ""))
    return get_engine(named, **parameters) if parameters else as_engine(named)


def _record(engine: AnyEngine) -> Any:
    """Write what a resumed run needs to find the engine again; None for an engine without a name."""
    if isinstance(engine, Mapping):
        from ..engines.litellm import secrets_in

        secret = secrets_in(engine)
        if secret:
            raise UsageError(f"{secret[0]!r} does not belong in a job or a run's record: put it in the environment")
        return dict(engine)
    return engine if isinstance(engine, str) else None


def _shown(recorded: Any) -> str:
    name = recorded.get("name") if isinstance(recorded, Mapping) else recorded
    return repr(name) if name else "that was given"
