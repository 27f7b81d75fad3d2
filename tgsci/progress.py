"""What a person sees while a run works: the latest trials, the best, and the time left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .search import Progress
from .texts import duration, visible
from .trial import State, Trial

_STYLES = {
    State.ACCEPTED: "bold green",
    State.REJECTED: "default",
    State.DUPLICATE: "dim",
    State.INVALID: "yellow",
    State.FAILED: "red",
    State.PENDING: "cyan",
}
_LATEST = 8


class LiveProgress:
    """Shows a run in the terminal; a line a trial where the output is no terminal.

    Args:
        columns: Metrics to show.
        units: Their units.
        console: Where to; standard error by default, so that results can be piped.
        live: False for a line a trial on a terminal too, where somebody types there.
    """

    def __init__(
        self, columns: Sequence[str], units: Mapping[str, str], console: Console | None = None, *, live: bool = True
    ) -> None:
        self.columns, self.units = columns, units
        self.console = console or Console(stderr=True)
        self._may_live = live
        self._live: Live | None = None
        self._printed = -1

    def __enter__(self) -> LiveProgress:
        if self.console.is_terminal and self._may_live:
            self._live = Live(console=self.console, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def __call__(self, progress: Progress) -> None:
        try:
            if self._live:
                self._live.update(self._screen(progress))
            else:
                self._lines(progress)
        except (OSError, SystemExit):  # a closed pipe (rich ends the process then) must not cost the run
            self.console = Console(quiet=True)
            self._live = None

    def _screen(self, progress: Progress) -> Group:
        trials = progress.trials
        best = trials.best
        recent = [t for t in trials if t is not best][-_LATEST:]
        shown = trial_table(recent, self.columns, self.units)
        if best:
            shown.add_section()
            add_row(shown, best, self.columns, style="bold green")
        return Group(shown, self._bar(progress))

    def _bar(self, progress: Progress) -> Table:
        done, limit = progress.spent.evaluations, progress.budget.evaluations
        line = Table.grid(padding=(0, 1))
        parts = [Text(f"{done}/{limit} evaluations" if limit else f"{done} evaluations")]
        if limit:
            parts.append(ProgressBar(total=limit, completed=done, width=30))  # type: ignore[arg-type]
        eta = "" if progress.eta_seconds is None else f"about {duration(progress.eta_seconds)} left, "
        parts.append(Text(f"{eta}{duration(progress.spent.seconds)} so far, {progress.activity}"))
        if progress.spent.model_calls:
            price = "price unknown" if progress.spent.unpriced_calls else f"{progress.spent.usd:.4f} USD"
            parts.append(Text(f"{progress.spent.model_calls} model calls ({price})"))
        line.add_row(*parts)
        return line

    def _lines(self, progress: Progress) -> None:
        limit = progress.budget.evaluations
        for trial in progress.trials[self._printed + 1 :]:
            if trial.state is State.PENDING:
                break
            self._printed = trial.number
            done = f"{progress.spent.evaluations}/{limit}" if limit else str(progress.spent.evaluations)
            eta = "" if progress.eta_seconds is None else f" ({duration(progress.eta_seconds)} left)"
            figures = "  ".join(f"{name} {figure(trial, name)}" for name in self.columns if figure(trial, name))
            outcome = f"loss {trial.loss:.3f}  {figures}" if trial.measured else trial.decision
            text = f"[{done}{eta}] trial {trial.number} {trial.state.value}: {trial.value}  {outcome}"
            self.console.print(visible(text), markup=False, highlight=False, soft_wrap=True)


def trial_table(
    trials: Sequence[Trial], columns: Sequence[str], units: Mapping[str, str], *, values: bool = True
) -> Table:
    """A table of trials: number, state, loss, metrics with units, and the value or what became of it."""
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for title in ("#", "state", "loss"):
        table.add_column(Text(title), justify="right" if title != "state" else "left", no_wrap=True)
    for name in columns:
        # Text: names and units come from plugins, and [/Gy] is no markup.
        table.add_column(Text(f"{name}\n{units[name]}" if units.get(name) else name), justify="right", no_wrap=True)
    if values:
        table.add_column("value", overflow="fold", ratio=1)
    for trial in trials:
        add_row(table, trial, columns)
    return table


def add_row(table: Table, trial: Trial, columns: Sequence[str], style: str | None = None) -> None:
    """One trial as a row."""
    loss = f"{trial.loss:.3f}" if trial.measured else ""
    value = trial.value if trial.measured or not trial.decision else f"{trial.value[:80]}  ({trial.decision})"
    cells = [str(trial.number), trial.state.value, loss, *(figure(trial, name) for name in columns), visible(value)]
    table.add_row(*(Text(cell) for cell in cells[: len(table.columns)]), style=style or _STYLES[trial.state])


def figure(trial: Trial, name: str) -> str:
    """A metric of a trial, rounded for reading; "" where there is none."""
    value = trial.feedback.metrics.get(name) if trial.feedback else None
    return "" if value is None else f"{value:.4g}"
