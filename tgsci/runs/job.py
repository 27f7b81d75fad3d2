"""Job files: TOML that names a domain and holds its table, with [budget], [run] and [engine] where wanted."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ..basics.settings import check, read, setting
from ..basics.texts import did_you_mean, quote
from ..errors import UsageError

T = TypeVar("T")


@dataclass(frozen=True)
class BudgetTable:
    """[budget]: when to stop, as `Budget` takes it."""

    evaluations: int | None = setting("measurements", None)
    seconds: float | None = setting("wall time, s", None)
    usd: float | None = setting("price of the model calls, US dollars", None)
    model_calls: int | None = setting("model calls", None)
    tokens: int | None = setting("tokens sent to models and received from them", None)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class RunTable:
    """[run]: how to search, and where to measure."""

    goal: float | None = setting("the loss that is good enough", None)
    proposals: int | None = setting("values a round", None)
    seed: int | None = setting("all randomness comes from it", None)
    keep_ties: bool | None = setting("a value as good as the best takes its place", None)
    workers: int | None = setting("processes that measure", None)
    executor: str | None = setting("address of a cluster that measures", None)
    directory: str | None = setting("where the run is kept", None)
    optimizer: str | None = setting("who proposes, by name", None)
    ideas: int | None = setting("new values that a model is asked for at a time", None)
    prompt_tokens: int | None = setting("how long a prompt may be, tokens", None)
    confirm: bool | None = setting("measure with care what would become the best", None)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Job:
    """A job file that was read.

    Args:
        domain: The domain's name.
        table: The domain's own table; the domain checks it.
        budget: When to stop.
        run: How to search, and where to measure.
        engine: A model's name and sampling parameters; None where the job has no [engine].
    """

    domain: str
    table: dict[str, Any]
    budget: BudgetTable = field(default_factory=BudgetTable)
    run: RunTable = field(default_factory=RunTable)
    engine: dict[str, Any] | None = None


def read_job(path: Path) -> Job:
    """Read a job file.

    Raises:
        UsageError: It cannot be read, an entry is unknown or has the wrong type; says which, and what to write.
    """
    try:
        job = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"cannot read the job {str(path)!r}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(path)!r} is no valid TOML: {error}") from None
    domain = job.pop("domain", None)
    if not isinstance(domain, str):
        raise UsageError(f'{str(path)!r} does not say which domain it is for: add a line like domain = "molecules"')
    for name, table in job.items():
        if name not in ("budget", "run", "engine", domain):
            known = ["domain", "budget", "run", "engine", domain]
            raise UsageError(f"unknown key {quote(name)} in {str(path)!r}; {did_you_mean(name, known)}")
        if not isinstance(table, dict):
            raise UsageError(f"{name!r} in {str(path)!r} must be a table: [{name}]")
    return Job(
        domain,
        job.get(domain, {}),
        _read(BudgetTable, job.get("budget", {}), "[budget]"),
        _read(RunTable, job.get("run", {}), "[run]"),
        job.get("engine"),
    )


def stated(table: BudgetTable | RunTable) -> dict[str, Any]:
    """List the entries of a table that are set."""
    return {name: value for name, value in asdict(table).items() if value is not None}


def _read(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    try:
        return read(kind, table)
    except UsageError as error:
        hint = "; an address goes to executor" if isinstance(table.get("workers"), str) else ""
        raise UsageError(f"{where}: {error}{hint}") from None
