"""Job files: TOML that names a domain and holds its table, with [budget], [run] and [engine] where wanted."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ..errors import UsageError

T = TypeVar("T")


class BudgetTable(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """[budget]: when to stop, as `Budget` takes it."""

    evaluations: int | None = None
    seconds: float | None = None
    usd: float | None = None
    model_calls: int | None = None


class RunTable(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """[run]: how to search, and where to measure."""

    goal: float | None = None
    proposals: int | None = None
    seed: int | None = None
    workers: int | None = None
    executor: str | None = None
    directory: str | None = None
    optimizer: str | None = None


class Job(msgspec.Struct, frozen=True):
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
    budget: BudgetTable = BudgetTable()
    run: RunTable = RunTable()
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
            raise UsageError(_unknown(name, ["domain", "budget", "run", "engine", domain], str(path)))
        if not isinstance(table, dict):
            raise UsageError(f"{name!r} in {str(path)!r} must be a table: [{name}]")
    return Job(
        domain,
        job.get(domain, {}),
        read_table(job.get("budget", {}), BudgetTable, "[budget]"),
        read_table(job.get("run", {}), RunTable, "[run]"),
        job.get("engine"),
    )


def stated(table: msgspec.Struct) -> dict[str, Any]:
    """The entries of a table that say something."""
    return {name: value for name, value in msgspec.structs.asdict(table).items() if value is not None}


def read_table(table: Mapping[str, Any], kind: type[T], where: str) -> T:
    """Read a table as a typed object.

    Args:
        table: As TOML or JSON gives it.
        kind: A `msgspec.Struct` with `forbid_unknown_fields`.
        where: What to call the table in a message: "[run]".

    Raises:
        UsageError: An unknown entry (with the nearest name there is), a missing one, or one of the wrong type.
    """
    try:
        return msgspec.convert(dict(table), kind)
    except msgspec.ValidationError as error:
        message = str(error)
    known = [field.encode_name for field in msgspec.structs.fields(kind)]
    unknown = next((name for name in table if name not in known), None)
    if unknown is not None:
        raise UsageError(_unknown(unknown, known, where))
    wrong = re.fullmatch(r"Expected `(\w+)[^`]*`, got `[^`]*` - at `\$\.(\w+)[^`]*`", message)
    if not wrong:
        raise UsageError(f"{where}: {message}")
    wanted, name = wrong.groups()
    hint = "; an address goes to executor" if name == "workers" and isinstance(table[name], str) else ""
    raise UsageError(f"{where}: {name} must be {_KINDS.get(wanted, wanted)}, not {table[name]!r}{hint}")


_KINDS = {"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false", "array": "a list"}


def _unknown(name: str, known: list[str], where: str) -> str:
    near = difflib.get_close_matches(name, known, 1)
    meant = f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(sorted(known))}"
    return f"{where} has an unknown key {name!r}{meant}"
