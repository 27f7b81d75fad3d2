"""`molecules.csv`, every trial of a run, and `molecules-columns.csv`, what each of its columns means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgsci.basics.files import write_atomically
from tgsci.basics.texts import literal
from tgsci.errors import UsageError
from tgsci.show.columns import Column, columns_csv, outcome_columns, ranks, titled, trials_csv

from ..objective.finalists import CHECK
from .cells import count, figure, is_count
from .poses import checked_pose, limits_broken, measured_again, names_of, records, tags_of

if TYPE_CHECKING:
    from tgsci.feedback import Feedback
    from tgsci.runs.result import Result
    from tgsci.search.trial import Trial


#: Titles of columns that a file's own column of that name must not hide.
_TAKEN = ("rank", "number", "round", "name", "smiles", "isomer", "loss", "qed", "le", "sa", "reason", "parent", "error")
#: The table, and the sheet that explains it.
FILE, COLUMNS_FILE = "molecules.csv", "molecules-columns.csv"


def write_table(result: Result, directory: Path) -> Sequence[Path]:
    """Write the table of all trials, best first, and the sheet that explains its columns.

    Args:
        result: The result of a run.
        directory: Must exist.

    Returns:
        Both paths.
    """
    columns = columns_of(result)
    table, sheet = directory / FILE, directory / COLUMNS_FILE
    write_atomically(table, trials_csv(result, columns))
    write_atomically(sheet, columns_csv(columns))
    return [table, sheet]


def checked(result: Result) -> Result:
    """Check that this is a run's result.

    Raises:
        UsageError: The argument is something else; says what to give.
    """
    from tgsci.runs.result import Result

    if not isinstance(result, Result):
        raise UsageError(f"a run's result is wanted, of solve() or load(DIR), not {literal(result)}")
    return result


def columns_of(result: Result) -> Sequence[Column]:
    """List the columns of a run's table, in their order.

    Args:
        result: The result of a run.
    """
    outcome = outcome_columns(
        "no molecule that can be docked", "could not be measured", "wall time of the measurement", figure
    )
    return [*_first(result), *_metrics(result), *_finals(result), *_limits(result), *outcome]


def _first(result: Result) -> Iterator[Column]:
    rank = ranks(result)
    yield Column(
        "rank",
        "record",
        "1 is the best: kept limits first, then the smaller violation, then the lower loss; empty if not measured",
        lambda t: str(rank.get(t.number, "")),
        better="lower",
    )
    yield Column("number", "record", "the trial's number in the order of proposal", lambda t: str(t.number))
    yield Column("round", "record", "round of proposals; 0 holds the start molecules", lambda t: str(t.round))
    names = names_of(result)
    if names:
        yield Column("name", "record", "what the start molecule was called", lambda t: names.get(t.value, ""))
    tags = tags_of(result)
    for title in dict.fromkeys(name for mine in tags.values() for name in mine):
        yield Column(
            f"{title} (in the file)" if title.lower() in _TAKEN else title,
            "record",
            "what the file of the start molecules says, as it stands there",
            _tag(tags, title),
        )
    yield Column("smiles", "record", "the molecule as a canonical SMILES; as proposed if invalid", lambda t: t.value)
    yield Column(
        "docked as",
        "record",
        "the protomer and isomer that the pose shows, as SMILES; empty where there is no pose",
        lambda t: next((record.tags.get("docked_smiles", "") for _, record in records(t.feedback)), ""),
    )
    yield Column(
        "isomer",
        "record",
        "the stereoisomer that the figures belong to, as SMILES; empty where the SMILES leaves none open",
        lambda t: next((record.tags.get("isomer", "") for _, record in records(t.feedback)), ""),
    )
    name = str(result.header.get("loss") or "")
    yield Column(
        "loss", "raw", f"what the run made lower{f': {name}' if name else ''}", lambda t: figure(t.loss), better="lower"
    )


def _tag(tags: Mapping[str, Mapping[str, str]], title: str) -> Callable[[Trial], str]:
    return lambda trial: tags.get(trial.value, {}).get(title, "")


def _metrics(result: Result) -> Iterator[Column]:
    seen: dict[str, list[float]] = {}
    for trial in result.trials:
        for name, value in (trial.feedback.metrics if trial.feedback else {}).items():
            seen.setdefault(name, []).append(value)
    explained = _explained(result)
    for name, values in seen.items():
        unit = result.units.get(name, "")
        write = count if is_count(values, unit) else figure
        kind, better, meaning = explained.get(name, ("raw", "", ""))
        yield Column(
            titled(name, unit),
            kind,
            meaning,
            _reader(name, write, lambda t: t.feedback),
            unit,
            better,
        )


def _reader(
    name: str, write: Callable[[float | None], str], measurement: Callable[[Trial], Feedback | None]
) -> Callable[[Trial], str]:
    """Make a function that writes one metric of a trial's measurement."""

    def read(trial: Trial) -> str:
        feedback = measurement(trial)
        return write(feedback.metrics.get(name)) if feedback else ""

    return read


def _violation(name: str) -> Callable[[Trial], str]:
    """Make a function that writes by how much a trial breaks one limit."""
    return lambda trial: figure(trial.feedback.violations.get(name)) if trial.feedback else ""


def _finals(result: Result) -> Iterator[Column]:
    """List the columns of the finalists' second, more careful measurement; their cells are empty for other trials."""
    finals = result.finals
    if not finals:
        return
    explained = _explained(result)
    again = "measured again with the full docking setting, finalists only"
    yield Column(
        "finalist loss",
        "finalist",
        f"the loss, {again}",
        lambda t: figure(finals[t.number].loss) if t.number in finals else "",
        better="lower",
    )
    names = measured_again(result)
    for name in names:
        unit = result.units.get(name, "")
        values = [feedback.metrics[name] for feedback in finals.values() if name in feedback.metrics]
        write = count if is_count(values, unit) else figure
        _, better, meaning = explained.get(name, ("", "", ""))
        yield Column(
            f"finalist {titled(name, unit)}",
            "finalist",
            f"{meaning or name}; {again}",
            _reader(name, write, lambda t: finals.get(t.number)),
            unit,
            better,
        )
    score = next((name for name in names if name.split()[-1] == "vina"), "")
    if score:
        yield Column(
            "finalist verdict", "finalist", f"what the second {score} says about the first", _verdict(result, score)
        )
    if any(CHECK in feedback.artifacts for feedback in finals.values()):
        yield Column(
            "finalist check",
            "finalist",
            "what geometry, strain (MMFF94s) and a refinement in the pocket (OpenMM) say about the second pose",
            lambda t: checked_pose(finals.get(t.number)),
        )
    if any(not feedback.feasible for feedback in finals.values()):
        yield Column(
            "finalist limits broken",
            "finalist",
            "hard limits that the second measurement finds broken, each with by how much in its own unit",
            lambda t: limits_broken(finals.get(t.number)),
        )
    if any(feedback.error for feedback in finals.values()):
        yield Column(
            "finalist error",
            "finalist",
            "why the second measurement gave no figure",
            lambda t: (finals[t.number].error or "") if t.number in finals else "",
        )


def _verdict(result: Result, score: str) -> Callable[[Trial], str]:
    """Make a function that says in words how both measurements of a docking score compare."""
    from ..objective.finalists import compared

    def read(trial: Trial) -> str:
        both = (trial.feedback, result.finals.get(trial.number))
        figures = [feedback.metrics[score] for feedback in both if feedback and score in feedback.metrics]
        return compared(*figures) if len(figures) == 2 else ""

    return read


def _explained(result: Result) -> Mapping[str, tuple[str, str, str]]:
    """Give kind, better end and meaning of each metric, as far as the objective says."""
    objective: Any = result.loss
    if not hasattr(objective, "columns_help"):
        return {}
    terms = {term.column: term for term in objective.terms if term.column}
    raw = {term.metric.name: term for term in objective.terms}
    explained = {}
    for name, meaning in objective.columns_help().items():
        if name in terms:
            explained[name] = ("transformed", _better_end(terms[name]), meaning)
            continue
        metric = objective.metrics[name]
        meaning = meaning.removesuffix(f" [{metric.unit}]")  # it has a column of its own
        if metric.target in objective.spared:  # an off-target, where weak is good, or which is only looked at
            better = "higher" if name in objective.simulated else ""
        elif metric.sense in ("gain", "desirability"):
            better = "higher"
        elif metric.simulated or metric.kind == "selectivity":
            better = "lower"
        else:
            better = _better_end(raw[name]) if name in raw and raw[name].transform.type == "identity" else ""
        explained[name] = ("raw", better, meaning)
    return explained


def _better_end(term: Any) -> str:
    """Tell which end of a term's figure makes the loss lower."""
    return "higher" if term.desirable is (term.weight > 0) else "lower"


def _limits(result: Result) -> Iterator[Column]:
    broken = dict.fromkeys(name for t in result.trials if t.feedback for name in t.feedback.violations)
    for name in broken:
        yield Column(
            f"violation of {name}",
            "limit",
            "by how much this hard limit is broken, in the limit's own unit; 0 where it is kept",
            _violation(name),
            better="lower",
        )
