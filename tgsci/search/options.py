"""Budget and options of a run: when to stop, how to search, where to measure, what to keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from ..basics import checks
from ..basics.files import as_path
from ..compute import executors
from ..errors import UsageError
from ..feedback import Feedback
from .ledger import Spent
from .page import FEWEST_TOKENS, PROMPT_TOKENS

if TYPE_CHECKING:
    from .loop import Progress


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop. Whatever is None has no limit.

    Args:
        evaluations: Measurements, the start values and failed ones included.
        usd: Known price of all model calls, US dollars.
        seconds: Wall time, s, summed over interrupted sessions. Looked at between rounds.
        model_calls: Questions to an engine, those of a loss included. Looked at between rounds: a round may exceed it,
            and ideas for one more round that were asked for meanwhile are still measured.
        tokens: Sent to and received from engines, those of a loss included. Looked at between rounds.

    Raises:
        UsageError: A limit that is no positive number, or none at all.
    """

    evaluations: int | None = 60
    usd: float | None = None
    seconds: float | None = None
    model_calls: int | None = None
    tokens: int | None = None

    def __post_init__(self) -> None:
        limits = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, limit in limits.items():
            if limit is not None:
                check = checks.whole if name in ("evaluations", "model_calls", "tokens") else checks.number
                object.__setattr__(self, name, check(f"the budget of {name}", limit, above=0))
        if all(limit is None for limit in limits.values()):
            raise UsageError(
                "a budget without any limit never ends: set evaluations, usd, seconds, model_calls or tokens"
            )

    def exhausted(self, spent: Spent) -> str:
        """Which limit is reached, in words; "" where none is."""
        if self.evaluations is not None and spent.evaluations >= self.evaluations:
            return f"the budget of {self.evaluations} evaluations is used up"
        if self.model_calls is not None and spent.model_calls >= self.model_calls:
            return f"the budget of {self.model_calls} model calls is used up"
        if self.tokens is not None and spent.uncounted_calls:
            return "a model call's tokens are unknown, so a budget in tokens cannot be kept; use model_calls instead"
        if self.tokens is not None and spent.tokens_in + spent.tokens_out >= self.tokens:
            return f"the budget of {self.tokens} tokens is used up"
        if self.seconds is not None and spent.seconds >= self.seconds:
            return f"the budget of {self.seconds:g} s is used up"
        if self.usd is not None and spent.unpriced_calls:
            return "a model call's price is unknown, so a budget in US dollars cannot be kept; use model_calls instead"
        if self.usd is not None and spent.usd >= self.usd:
            return f"the budget of {self.usd:g} USD is used up"
        return ""


class RunKeywords(TypedDict, total=False):
    """The keywords of `minimize`, `solve` and `branch`; `RunOptions` says what each means."""

    budget: Budget | int
    goal: float | Callable[[Feedback], bool] | None
    proposals: int | None
    seed: int
    workers: int | str | Executor | None
    run: str | Path | None
    progress: Callable[[Progress], None] | None
    keep_ties: bool
    ideas: int
    prompt_tokens: int
    confirm: bool


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run goes, checked before any work.

    Args:
        budget: When to stop; a number means evaluations.
        goal: Stop once a feasible loss is at most this, or once this function says yes to the best feedback; where
            leaders are confirmed, by a confirmed figure. `solve` and `branch` take the problem's where it is None.
        proposals: Values a round; a model is asked once for all of them. None takes the problem's, else 4.
        seed: All randomness comes from it and the trial's number.
        workers: Processes that measure; 0 measures in this one. Or "dask://HOST:PORT" for a Dask cluster, or any
            `concurrent.futures.Executor`. `solve` and `branch` take one a core where it is None.
        run: Directory of the run; None keeps the record in memory.
        progress: Called with a `Progress` whenever something happened.
        keep_ties: Accept a value that is exactly as good as the best, so that the search moves on from it.
        ideas: How many new values a model at its desk is asked for at a time; the most promising of all that were not
            measured yet make the next round.
        prompt_tokens: How long a prompt from the desk may be, tokens.
        confirm: Measure what would become the best with care first, where the domain says how.

    Raises:
        UsageError: One of them cannot be used; says which, and why.
    """

    budget: Budget = Budget()
    goal: float | Callable[[Feedback], bool] | None = None
    proposals: int = 4
    seed: int = 0
    workers: int | str | Executor = 0
    run: Path | None = None
    progress: Callable[[Progress], None] | None = None
    keep_ties: bool = False
    ideas: int = 12
    prompt_tokens: int = PROMPT_TOKENS
    confirm: bool = True

    def __post_init__(self) -> None:
        checked: dict[str, object] = {
            "proposals": checks.whole("proposals", self.proposals, above=0),
            "seed": checks.whole("seed", self.seed),
            "keep_ties": checks.flag("keep_ties", self.keep_ties),
            "ideas": checks.whole("ideas", self.ideas, above=0),
            "prompt_tokens": checks.whole("prompt_tokens", self.prompt_tokens, FEWEST_TOKENS),
            "confirm": checks.flag("confirm", self.confirm),
        }
        if self.goal is not None and not callable(self.goal):
            checked["goal"] = checks.number("goal", self.goal)
        for name, value in checked.items():  # plain numbers, which a record can hold
            object.__setattr__(self, name, value)
        if self.progress is not None and not callable(self.progress):
            raise UsageError(f"progress must be a function that takes a Progress, not {self.progress!r}")
        executors.check(self.workers)

    @classmethod
    def of(cls, keywords: Mapping[str, Any]) -> RunOptions:
        """Make options from the keywords of a call.

        Raises:
            UsageError: There is no such option, or it cannot be used.
        """
        checks.keys(keywords, [field.name for field in fields(cls)], "the options of a run")
        options = dict(keywords)
        if options.get("proposals", 0) is None:
            del options["proposals"]
        if "budget" in options and not isinstance(options["budget"], Budget):
            options["budget"] = Budget(options["budget"])
        if options.get("run") is not None:
            options["run"] = as_path(options["run"], "run")
        return cls(**options)
