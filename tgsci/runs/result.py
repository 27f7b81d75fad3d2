"""Result: a run to look at. The best value, every trial, a table, a plot."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING

from ..basics.files import as_path
from ..basics.imports import needs
from ..basics.texts import figure, literal, metric, named_metric
from ..compute.measure import Answer
from ..errors import UsageError
from ..feedback import Feedback
from ..loss import Loss
from ..search.ledger import Ledger, Session, Spent
from ..search.trial import Idea, Trial, Trials
from ..show.columns import titled
from ..show.origin import shares
from .domain import Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame


#: The round of what is asked after the search, while the run is being finished.
FINISH = -1


class Result:
    """What a run found.

    Args:
        ledger: The run's record; artifacts are read from it when they are looked at.
        loss: What the values were measured by, where it is at hand.
        stopped: Why the run ended.
        problem: The domain's, where there is one: it draws values.
        trials: The trials, where this process has them; else they are read from the record.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        loss: Loss | None = None,
        stopped: str = "",
        problem: Problem | None = None,
        trials: Trials | None = None,
    ) -> None:
        self._ledger = ledger
        self.header = ledger.header
        self.problem = problem
        if trials is None:
            ties = bool(self.header.get("keep_ties"))
            trials = Trials(ledger.trials(), loss, str(self.header.get("task", "")), keep_ties=ties)
        self.trials = trials
        self.stopped = stopped
        #: Second, more careful measurements of finalists, by trial number; the trials keep their first ones.
        self.finals: dict[int, Feedback] = ledger.finals()
        #: What was written into the run's directory: the domain's own files and the report.
        self.files: list[Path] = []
        #: What could not be written there.
        self.unwritten: list[str] = []

    @classmethod
    def load(cls, directory: str | Path, problem: Problem | None = None) -> Result:
        """Look at a run, finished or not.

        Raises:
            LedgerError: There is none, or it is of another format.
        """
        ledger = Ledger.open(as_path(directory, "a run"))
        sessions = ledger.sessions()
        stopped = (sessions[-1].ended if sessions else "") or "still running, or killed"
        return cls(ledger, stopped=stopped, problem=problem)

    def keep_final(self, number: int, feedback: Feedback, seconds: float = 0.0) -> None:
        """Record a second measurement of a trial, while the run is being finished.

        Raises:
            UsageError: There is no such trial.
        """
        number = self.trial(number).number
        self.finals[number] = self._ledger.add_final(number, feedback, seconds)

    def keep_answers(self, answers: Sequence[Answer]) -> None:
        """Record what models answered while the run was being finished."""
        if answers:
            self._ledger.add_answers(FINISH, None, answers)

    @property
    def loss(self) -> Loss | None:
        """What the values were measured by; None where the run was only loaded, without its domain."""
        return self.problem.loss if self.problem else self.trials.loss

    @property
    def directory(self) -> Path | None:
        """Where the run is kept; None for one in memory."""
        return self._ledger.directory

    @property
    def best(self) -> Trial | None:
        """The best trial, None where nothing could be measured."""
        return self.trials.best

    @property
    def spent(self) -> Spent:
        """Evaluations, model calls, US dollars and seconds used."""
        return self._ledger.spent()

    @property
    def ideas(self) -> list[Idea]:
        """The ideas that were not measured: those with a rank first, the best one ahead."""
        had = [idea for idea in self._ledger.ideas().values() if idea.proposal.fault is None]
        latest = {idea.proposal.value: idea for idea in had}  # one that was had again counts once
        return sorted(latest.values(), key=lambda idea: (not idea.rank, idea.rank))

    @property
    def sessions(self) -> list[Session]:
        """Each stretch of work on the run, in order."""
        return self._ledger.sessions()

    @property
    def models(self) -> dict[str, int]:
        """How many questions each model answered."""
        return self._ledger.models()

    @property
    def units(self) -> dict[str, str]:
        """The unit of each metric, "" for none."""
        return dict(self.header.get("units", {}))

    @property
    def columns(self) -> list[str]:
        """The metrics worth a column, in order."""
        chosen = self.header.get("columns")
        if chosen:
            return list(chosen)
        return list(dict.fromkeys(k for t in self.trials if t.feedback for k in t.feedback.metrics))

    def titled(self, metric: str) -> str:
        """Write a metric's name with its unit."""
        return titled(metric, self.units.get(metric, ""))

    def trial(self, number: int) -> Trial:
        """Take a trial by its number, from 0.

        Raises:
            UsageError: There is no such trial.
        """
        if isinstance(number, bool) or not isinstance(number, Integral) or not 0 <= number < len(self.trials):
            there = f"the run has 0 to {len(self.trials) - 1}" if self.trials else "the run has none"
            raise UsageError(f"there is no trial {literal(number)}; {there}")
        return self.trials[int(number)]

    def lineage(self, trial: Trial) -> list[Trial]:
        """List the trials that a trial descends from, the start value first, itself last."""
        line = [trial]
        while line[-1].parent is not None and 0 <= line[-1].parent < line[-1].number:
            line.append(self.trials[line[-1].parent])
        return line[::-1]

    def to_frame(self) -> DataFrame:
        """Make a pandas table with every trial as a row; metrics are columns named with their units.

        "loss" and the metrics are those that count; "first loss" is that of the quicker measurement, where a leader was
        measured with care; "expected" is what its proposer said before.
        """
        pandas = needs("pandas", "a table")
        rows = []
        for t in self.trials:
            figures = t.feedback.metrics if t.feedback else {}
            rows.append(
                {
                    "number": t.number,
                    "round": t.round,
                    "value": t.value,
                    "state": t.state.value,
                    "loss": t.loss,
                    **{self.titled(name): figures.get(name, math.nan) for name in self.columns},
                    "violation": t.feedback.violation if t.feedback else math.nan,
                    "parent": t.parent,
                    "edit": t.edit,
                    "reason": t.reason,
                    "decision": t.decision,
                    "proposer": t.proposer,
                    "role": t.role,
                    "expected": math.nan if t.expected is None else t.expected,
                    "first loss": t.first.loss if t.first and t.first.loss is not None else math.nan,
                    "contrast": t.contrast,
                    "seconds": t.seconds,
                }
            )
        frame: DataFrame = pandas.DataFrame(rows).astype({"parent": "Int64"}) if rows else pandas.DataFrame()
        return frame

    def plot(self, ax: Axes | None = None) -> Figure:
        """Plot the best loss so far against evaluations, with every rejected, infeasible and failed trial.

        Args:
            ax: Where to draw; a figure of its own where None.
        """
        needs("matplotlib", "a plot")
        from ..show.plots import progress

        return progress(self, ax)

    def branched_from(self) -> str:
        """Say where the run was branched off; "" for one with a start of its own."""
        origin = self.header.get("branched_from")
        if not isinstance(origin, dict):
            return ""
        loss = origin.get("loss")
        measured = f" (loss {figure(loss)})" if isinstance(loss, int | float) else ""
        return f"branched from trial {origin.get('trial')}{measured} of {origin.get('run')}"

    def summary(self) -> str:
        """Write the run in a few lines of plain text."""
        lines = [f"stopped: {self.stopped}"]
        if self.problem and self.problem.summary:
            lines = [self.problem.summary(self), "", *lines]
        elif self.best and self.best.feedback:
            named = self._in_words(self.best.feedback)
            lines.append(
                f"best: trial {self.best.number}{self.best.pending_note}, loss {figure(self.best.loss)}"
                + (f" ({named})" if named else "")
            )
            lines += [f"      {line}" for line in self.best.value.splitlines()]
            if self.best.first is not None:
                lines.append(f"      measured with care; at first: {self.final_in_words(self.best.first)}")
            final = self.finals.get(self.best.number)
            if final:
                lines.append(f"      measured again: {self.final_in_words(final)}")
        spent = self.spent
        used = f"{spent.evaluations} evaluations, {spent.seconds:.0f} s"
        if spent.confirmations:
            care = f"{spent.confirmation_seconds:.0f} s"
            leaders = "leader" if spent.confirmations == 1 else "leaders"
            used += f", {spent.confirmations} {leaders} measured with care ({care} of the measurements)"
        if spent.model_calls:
            price = f"{spent.usd:.4f} USD" if not spent.unpriced_calls else "price unknown"
            used += f", {spent.model_calls} model calls ({price})"
        lines.append(f"used: {used}")
        given = shares(self.trials, self.trials.ranked())
        if len(given) > 1:
            lines.append(f"proposed by: {'; '.join(share.words() for share in given)}")
        if self.ideas:
            lines.append(f"ideas not measured: {len(self.ideas)}, listed in the report")
        if self.problem and self.problem.conclusion and (said := self.problem.conclusion(self)):
            lines += ["", said]
        return "\n".join(lines)

    def final_in_words(self, final: Feedback) -> str:
        """Write a second measurement on one line: its loss and the run's columns, or why there are none."""
        if not final.measured:
            return final.error or "it gave no number"
        return ", ".join(filter(None, (f"loss {figure(final.loss)}", self._in_words(final))))

    def in_words(self, name: str, value: float | None) -> str:
        """Say what a metric's or a violation's figure means, where the loss is at hand and has words for it."""
        return self.loss.in_words(name, value) if self.loss and value is not None else ""

    def _in_words(self, feedback: Feedback) -> str:
        there = feedback.metrics
        units = self.units
        # Of a second measurement that measures something else altogether there is no column.
        named = [name for name in self.columns if name in there] or list(there)
        return ", ".join(
            f"{name} {words}"
            if (words := self.in_words(name, there[name]))
            else named_metric(name, there[name], units.get(name, ""))
            for name in named
        )

    def __repr__(self) -> str:
        return f"<Result of {len(self.trials)} trials>\n{self.summary()}"

    def _repr_html_(self) -> str:
        """Show the best trials as a table, with pictures where the domain draws its values."""
        from ..show.html import LONG, Cell, drawing, html_table

        draw = self.problem.draw if self.problem else None
        titles = [Cell(title, figure=True) for title in ("loss", *map(self.titled, self.columns))]
        head: list[str | Cell] = ["", *([""] if draw else []), "value", *titles, "why it was made"]
        rows: list[list[str | Cell]] = []
        for trial in self.trials.ranked(10):
            there = trial.feedback.metrics if trial.feedback else {}
            figures = [
                self.in_words(name, there.get(name)) or metric(there.get(name), self.units.get(name, ""))
                for name in self.columns
            ]
            picture = [Cell(drawing(draw(trial.value), trial.value))] if draw else []
            loss, *others = (Cell(text, figure=True) for text in (figure(trial.loss), *figures))
            value, reason = Cell(trial.value, style=LONG), Cell(trial.reason, style=LONG)
            rows.append([str(trial.number), *picture, value, loss, *others, reason])
        return f"<pre style='white-space:pre-wrap'>{html.escape(self.summary())}</pre>{html_table(head, rows)}"
