"""What a person sees while a run works: the latest trials, the best, and the time left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..basics.texts import column, duration, figure, metric, visible
from ..search.loop import Progress
from ..search.trial import State, Trial
from .origin import confirmation, expectation, proposed

_STYLES = {
    State.ACCEPTED: "bold green",
    State.REJECTED: "default",
    State.DUPLICATE: "dim",
    State.INVALID: "yellow",
    State.FAILED: "red",
    State.PENDING: "cyan",
}
_LATEST = 8
#: Least room for the values, characters; and the terminal's width from which on there is a bar.
_VALUE_WIDTH, _BAR_FROM = 14, 80
#: Characters of a proposer's name in a table.
_PROPOSER = 16
#: Says what a metric's figure means where it misleads, "" where it does not: `Loss.in_words`.
Words = Callable[[str, float], str]


class LiveProgress:
    """Shows a run in the terminal; a line a trial where the output is no terminal.

    Args:
        columns: Metrics to show.
        units: Their units.
        console: Where to; standard error by default, so that results can be piped.
        live: False for a line a trial on a terminal too, where somebody types there.
        rivals: False where trials do not compete: then none is the best, and losses are not compared.
        in_words: Says what a metric's figure means where it misleads, "" where it does not.
    """

    def __init__(
        self,
        columns: Sequence[str],
        units: Mapping[str, str],
        console: Console | None = None,
        *,
        live: bool = True,
        rivals: bool = True,
        in_words: Words | None = None,
    ) -> None:
        self.columns, self.units, self.rivals = columns, units, rivals
        self.in_words = in_words or _no_words
        self.console = console or Console(stderr=True)
        self._may_live = live
        self._live: Live | None = None
        self._printed = -1
        self._said = ""

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
        best = progress.trials.best if self.rivals else None
        recent = [t for t in progress.trials if t is not best][-_LATEST:]
        shown = trial_table(
            recent, self.columns, self.units, best=best, width=self.console.width, in_words=self.in_words
        )
        return Group(shown, self._bar(progress))

    def _bar(self, progress: Progress) -> Table:
        done, limit = progress.spent.evaluations, progress.budget.evaluations
        line = Table.grid(padding=(0, 1))
        parts = [Text(f"{done}/{limit} evaluations" if limit else f"{done} evaluations")]
        if progress.total:
            done, limit = progress.done, progress.total
            parts = [Text(f"{done}/{limit}")]
        if limit and self.console.width >= _BAR_FROM:
            parts.append(ProgressBar(total=limit, completed=done, width=30))  # type: ignore[arg-type]
        eta = "" if progress.eta_seconds is None else f"about {duration(progress.eta_seconds)} left, "
        parts.append(Text(f"{eta}{duration(progress.spent.seconds)} so far, {progress.activity}"))
        if progress.spent.model_calls:
            price = "price unknown" if progress.spent.unpriced_calls else f"{progress.spent.usd:.4f} USD"
            parts.append(Text(f"{progress.spent.model_calls} model calls ({price})"))
        if progress.spent.confirmations:
            parts.append(Text(f"{progress.spent.confirmations} confirmations"))
        line.add_row(*parts)
        return line

    def _metric(self, name: str, value: float | None) -> str:
        """Write a metric's figure, or what it means."""
        said = "" if value is None else self.in_words(name, value)
        return said or metric(value, self.units.get(name, ""))

    def _lines(self, progress: Progress) -> None:
        limit = progress.budget.evaluations
        if progress.total:
            done = f"{progress.done}/{progress.total}"
            eta = "" if progress.eta_seconds is None else f" ({duration(progress.eta_seconds)} left)"
            text = f"[{done}{eta}] {progress.activity}"
            if text != self._said:
                self._said = text
                self.console.print(visible(text), markup=False, highlight=False, soft_wrap=True)
        for trial in progress.trials[self._printed + 1 :]:
            if trial.state is State.PENDING:
                break
            self._printed = trial.number
            done = f"{progress.spent.evaluations}/{limit}" if limit else str(progress.spent.evaluations)
            eta = "" if progress.eta_seconds is None else f" ({duration(progress.eta_seconds)} left)"
            metrics = trial.feedback.metrics if trial.feedback else {}
            named = [(name, self._metric(name, metrics.get(name))) for name in self.columns]
            shown = "  ".join(f"{name} {text}" for name, text in named if text)
            loss = f"loss {figure(trial.loss)}  " if self.rivals else ""
            outcome = f"{loss}{shown}" if trial.measured else trial.decision
            said = "; ".join(filter(None, (proposed(trial), expectation(trial), confirmation(trial))))
            state = f"trial {trial.number} {trial.state.value}: " if self.rivals or not trial.measured else ""
            text = f"[{done}{eta}] {state}{trial.brief}  {outcome}"
            text += f"  ({said})" if said and self.rivals else ""
            self.console.print(visible(text), markup=False, highlight=False, soft_wrap=True)


def trial_table(
    trials: Sequence[Trial],
    columns: Sequence[str],
    units: Mapping[str, str],
    *,
    values: bool = True,
    best: Trial | None = None,
    width: int | None = None,
    in_words: Words | None = None,
) -> Table:
    """Make a table of trials: number, state, loss, metrics with units, and the value or what became of it.

    Where there is room: what was expected, what was measured before care, and who proposed, as far as rows differ.

    Args:
        trials: A row each.
        columns: Metrics that get a column.
        units: Their units.
        values: With the values in the last column.
        best: One more row, set off below.
        width: Of the terminal: of the metrics so many have a column as fit, and the table says which have none.
        in_words: Says what a metric's figure means where it misleads, "" where it does not.
    """
    rows = [*trials, best] if best else list(trials)
    losses = column(trial.loss if trial.measured else None for trial in rows)
    cells = {name: _cells(rows, name, units.get(name, ""), in_words or _no_words) for name in columns}
    titles = {name: f"{name}\n{units[name]}" if units.get(name) else name for name in columns}
    for name, texts in _origin(rows).items():
        if name not in cells:  # a metric of that name comes first
            cells[name], titles[name] = texts, name
    taken = sum(_width(column) for column in ([str(t.number) for t in rows], [t.state.value for t in rows], losses))
    room = (width or 10_000) - taken - (_VALUE_WIDTH if values else 0)
    fitting = _fitting({name: _width([*titles[name].split("\n"), *cells[name]]) for name in cells}, room)
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for title in ("#", "state", "loss"):
        table.add_column(Text(title), justify="right" if title != "state" else "left", no_wrap=True)
    for name in fitting:
        # Text: names and units come from plugins, and [/Gy] is no markup.
        table.add_column(Text(titles[name]), justify="right", no_wrap=True)
    if values:
        table.add_column("value", overflow="fold", ratio=1)
    for i, trial in enumerate(rows):
        if trial is best:
            table.add_section()
        texts = [str(trial.number), trial.state.value, losses[i], *(cells[name][i] for name in fitting)]
        texts += [visible(_value(trial))] if values else []
        table.add_row(*map(Text, texts), style="bold green" if trial is best else _STYLES[trial.state])
    if len(fitting) < len(cells):
        without = ", ".join(name for name in cells if name not in fitting)
        table.caption = Text(f"no room for: {without}", style="dim")
        table.caption_justify = "left"
    return table


def _origin(rows: Sequence[Trial]) -> dict[str, list[str]]:
    """List the columns on where trials come from, those in which there is something to see."""
    found = {
        "expected": column(trial.expected for trial in rows),
        "first": column(trial.first.loss if trial.first else None for trial in rows),
    }
    proposers = [visible(trial.proposer)[:_PROPOSER] if trial.round else "" for trial in rows]
    if len(set(filter(None, proposers))) > 1:
        found["by"] = proposers
    return {name: texts for name, texts in found.items() if any(texts)}


def _cells(trials: Sequence[Trial], name: str, unit: str, in_words: Words) -> list[str]:
    values = [t.feedback.metrics.get(name) if t.feedback else None for t in trials]
    words = ["" if value is None else in_words(name, value) for value in values]
    figures = column((None if said else value for value, said in zip(values, words, strict=True)), unit)
    return [said or text for said, text in zip(words, figures, strict=True)]


def _no_words(name: str, value: float) -> str:
    return ""


def _width(texts: Sequence[str]) -> int:
    return max(map(len, texts), default=0) + 2  # the padding


def _fitting(widths: Mapping[str, int], room: int) -> list[str]:
    """Pick the first columns that fit: a figure is shown whole or not at all."""
    fitting = []
    for name, width in widths.items():
        room -= width
        if room < 0:
            break
        fitting.append(name)
    return fitting


def _value(trial: Trial) -> str:
    return trial.brief if trial.measured or not trial.decision else f"{trial.brief[:80]}  ({trial.decision})"
