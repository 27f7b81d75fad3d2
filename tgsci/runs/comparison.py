"""Runs side by side, at equal numbers of evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..basics.imports import needs
from ..basics.texts import differences, duration, fixed, places, settings_differences, visible
from ..errors import UsageError
from ..feedback import is_better
from ..search.trial import Trial
from .arms import arms_of, counted, spread, winner
from .result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame
    from rich.table import Table


#: Least room for a run's column, and for an arm's, which holds a range, characters.
_LEAST_WIDTH, _LEAST_ARM = 16, 28


@dataclass(frozen=True)
class Comparison:
    """Runs side by side. Shown as a table in Jupyter.

    Args:
        runs: The runs by the names they are shown under.
        milestones: Numbers of evaluations at which they are compared.
        warnings: Why some of them cannot be compared, in words.
        together: True where runs that differ in nothing but the seed stand in one column, with median and range.
    """

    runs: Mapping[str, Result]
    milestones: Sequence[int]
    warnings: Sequence[str]
    together: bool = False

    @property
    def arms(self) -> dict[str, list[str]]:
        """The names of the runs by the arm that they belong to."""
        return arms_of(self.runs)

    def best_after(self, name: str, evaluations: int) -> Trial | None:
        """Find a run's best trial after so many evaluations; None where it has made fewer, or measured nothing."""
        curve = best_by_evaluation(self.runs[name])
        return curve[evaluations - 1] if 0 < evaluations <= len(curve) else None

    def table(self) -> DataFrame:
        """Make a table with a row for each run: best loss after so many evaluations, best value, cost, proposer."""
        pandas = needs("pandas", "a table")
        rows = [{"run": name, **self._facts(name)} for name in self.runs]
        frame: DataFrame = pandas.DataFrame(rows).set_index("run")
        return frame

    def plot(self, ax: Axes | None = None) -> Figure:
        """Plot the best loss so far against evaluations, one curve a run.

        Args:
            ax: Where to draw; a figure of its own where None.
        """
        needs("matplotlib", "a plot")
        from ..show.plots import overlay

        return overlay(self.runs, ax, note="not all of the same loss: see the warnings" if self.warnings else "")

    def rich_table(self, width: int = 80) -> Table:
        """Make a table for a terminal: a column for each run (or arm), or one below the other where that is too wide.

        Args:
            width: Of the terminal, characters.
        """
        from rich.table import Table
        from rich.text import Text

        rows = self._rows()
        names, what = self._names(), "arm" if self.together else "run"
        titles = max(len(title) for title, _ in rows) + 2
        beside = titles + (_LEAST_ARM if self.together else _LEAST_WIDTH) * len(names) <= width
        table = Table(box=None, padding=(0, 1), header_style="bold", show_header=beside)
        table.add_column("", no_wrap=True)
        for name in names if beside else [what]:
            table.add_column(Text(visible(name)), overflow="fold", justify="right" if beside else "left")
        if beside:
            for title, cells in rows:
                table.add_row(*(Text(visible(text)) for text in (title, *cells)))
            return table
        for n, name in enumerate(names):
            for title, text in [(what, name), *((title, cells[n]) for title, cells in rows if cells[n])]:
                table.add_row(Text(title), Text(visible(text), style="bold" if title == what else ""))
            table.add_row("", "")
        return table

    def __repr__(self) -> str:
        head = ("arm" if self.together else "run", self._names())
        lines = [f"{title}: {' | '.join(cells)}" for title, cells in [head, *self._rows()]]
        return "\n".join([*lines, *self.warnings])

    def _repr_html_(self) -> str:
        from ..show.html import html_table

        return html_table(["", *self._names()], [[title, *cells] for title, cells in self._rows()], notes=self.warnings)

    def _facts(self, name: str) -> dict[str, Any]:
        """Collect what is known of a run, as figures."""
        result = self.runs[name]
        best, spent = result.best, result.spent
        after = {f"best loss after {k}": _loss(self.best_after(name, k)) for k in self.milestones}
        return {
            "proposer": _proposer(result),
            "evaluations": spent.evaluations,
            **after,
            "best loss": best.loss if best else None,
            "best proposed by": winner(result),
            "best value": best.value if best else None,
            "confirmations": spent.confirmations,
            "model calls": spent.model_calls,
            "USD": None if spent.unpriced_calls else spent.usd,
            "seconds": spent.seconds,
        }

    def _names(self) -> list[str]:
        """The names of the columns: of arms, or of runs."""
        return list(self.arms if self.together else self.runs)

    def _rows(self) -> list[tuple[str, list[str]]]:
        """(title, a text for each run, or for each arm) for people."""
        facts = [self._facts(name) for name in self.runs]
        losses = [key for key in facts[0] if key.startswith("best loss")]
        decimals = places([f[key] for f in facts for key in losses if f[key] is not None])
        if self.together:
            by_run = dict(zip(self.runs, facts, strict=True))
            columns = [_arm([by_run[name] for name in names], losses, decimals) for names in self.arms.values()]
            return [(title, [column[title] for column in columns]) for title in columns[0]]
        rows = []
        for key in facts[0]:
            cells = [
                ("" if f[key] is None else fixed(f[key], decimals)) if key in losses else _cell(key, f) for f in facts
            ]
            rows.append(("time" if key == "seconds" else key, cells))
        return rows


def compare(runs: Sequence[str | Path | Result], *, anyway: bool = False, together: bool | None = None) -> Comparison:
    """Put runs side by side at equal numbers of evaluations.

    Args:
        runs: Directories or results, two or more. The first is what the others are compared with.
        anyway: Also where they do not measure the same: their losses then say nothing about each other.
        together: True puts the runs of one arm, which differ in nothing but the seed, into one column with their
            median and range. None does so where there are several arms and one of them has several runs.

    Raises:
        UsageError: Fewer than two, or they do not measure the same: what differs.
        LedgerError: One of them is no run.
    """
    if isinstance(runs, str | Path | Result) or len(runs) < 2:
        raise UsageError("a comparison takes two runs or more")
    named: dict[str, Result] = {}
    for i, run in enumerate(runs, 1):
        result = run if isinstance(run, Result) else Result.load(run)
        name = str(result.directory or f"run {i}")
        named[name if name not in named else f"{name} ({i})"] = result
    warnings = _warnings(named)
    if warnings and not anyway:
        hint = "To see them side by side all the same: anyway=True (--anyway)"
        raise UsageError("\n".join(["these runs cannot be ranked together", *warnings, hint]))
    milestones = _milestones(max(len(best_by_evaluation(result)) for result in named.values()))
    if together is None:
        together = 1 < len(arms_of(named)) < len(named)
    return Comparison(named, milestones, warnings, together)


def best_by_evaluation(result: Result) -> list[Trial | None]:
    """List the best trial after each evaluation, in the order of the trials' numbers."""
    curve: list[Trial | None] = []
    best: Trial | None = None
    for trial in result.trials:
        if trial.feedback is not None:
            if is_better(trial.feedback, best.feedback if best else None):
                best = trial
            curve.append(best)
    return curve


def _arm(facts: Sequence[Mapping[str, Any]], losses: Sequence[str], decimals: int) -> dict[str, str]:
    """Put the facts of an arm's runs together, in words."""
    usd = spread(f["USD"] for f in facts)
    seconds = spread(f["seconds"] for f in facts).median
    return {
        "runs": str(len(facts)),
        "evaluations": spread(f["evaluations"] for f in facts).words(0),
        **{key: spread(f[key] for f in facts).words(decimals) for key in losses},
        "best proposed by": counted(f["best proposed by"] for f in facts),
        "confirmations": spread(f["confirmations"] for f in facts).words(0),
        "model calls": spread(f["model calls"] for f in facts).words(0),
        "USD": usd.words(4) if usd.figures else "unknown",
        "time": "" if seconds is None else duration(seconds),
    }


def _milestones(most: int) -> list[int]:
    """10, 20, 50, 100, 200, ... up to what the longest run has."""
    rounded = [factor * 10**power for power in range(1, 9) for factor in (1, 2, 5)]
    return [k for k in rounded if k <= most] or ([most] if most else [])


def _warnings(runs: Mapping[str, Result]) -> list[str]:
    """Which runs do not measure what the first does, with what differs, in words."""
    (first, reference), *others = runs.items()
    return [
        f"{name} does not measure what {first} does: {_differing(reference, result, first, name)}"
        for name, result in others
        if result.header.get("fingerprint") != reference.header.get("fingerprint")
    ]


def _differing(reference: Result, result: Result, first: str, second: str) -> str:
    """Their settings as the user wrote them; where those are alike, what else is told apart: files, versions."""
    if Path(first).name != Path(second).name:
        first, second = Path(first).name, Path(second).name
    ours, theirs = ({"domain": r.header.get("domain"), **r.header.get("config", {})} for r in (reference, result))
    for table, run in ((ours, reference), (theirs, result)):
        if table.get("start") == run.header.get("start"):  # where a run begins does not change what it measures
            table.pop("start", None)
    found = settings_differences(ours, theirs, first, second)
    if found:
        return "; ".join(found)
    here, there = (str(r.header.get("fingerprint")) for r in (reference, result))
    return differences(here, there, f"in {first}", f"in {second}")


def _proposer(result: Result) -> str:
    names = dict.fromkeys(session.proposer for session in result.sessions)
    menu = " from a menu" if result.header.get("optimizer") == "menu" else ""
    return ", ".join(names) + menu


def _loss(trial: Trial | None) -> float | None:
    return trial.loss if trial else None


def _cell(key: str, facts: Mapping[str, Any]) -> str:
    value = facts[key]
    if key == "seconds":
        return duration(value)
    if key == "USD":
        return "unknown" if value is None else f"{value:.4f}"
    return "" if value is None else str(value)
