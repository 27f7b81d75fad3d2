"""Which arm won: accuracies with intervals, the paired difference, and where the answers differ."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tgsci.basics.imports import needs
from tgsci.basics.texts import compact, figure
from tgsci.runs.result import Result
from tgsci.search.trial import Trial
from tgsci.show.report import Section

from ..scoring.intervals import Difference, accuracy_interval, paired_difference
from ..scoring.scorer import Score
from .loss import DRAFT, REFINEMENT, REPLIES, SAMPLING, AnswerLoss
from .picture import Curve, picture
from .vote import vote

if TYPE_CHECKING:
    from pandas import DataFrame

#: How the intervals are made, and by whom.
METHOD = (
    "95 % intervals: of an accuracy Wilson's (1927), of a paired difference that of Agresti and Min (2005), adjusted; "
    "p is exact, two-sided, by McNemar's test on the questions where the arms differ."
)
#: What stands for a reply in which no answer was found.
NO_ANSWER = "none"
_HEADER = ("answer", "calls a question", "right", "accuracy, %", "95 % interval, %", "price, USD")


@dataclass(frozen=True)
class Row:
    """One arm, or one step of it.

    Args:
        name: Of the arm.
        calls: Calls a question, on average.
        right: Questions that it answered right.
        n: Of so many.
        usd: What its calls cost, US dollars; None where a price is unknown.
    """

    name: str
    calls: float
    right: int
    n: int
    usd: float | None = None

    @property
    def accuracy(self) -> float:
        """The share of right answers; nan without a question."""
        return self.right / self.n if self.n else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy, as shares."""
        return accuracy_interval(self.right, self.n) if self.n else (0.0, 1.0)

    @property
    def cells(self) -> list[str]:
        """The row as a table shows it."""
        low, high = self.interval
        price = "unknown" if self.usd is None else figure(self.usd)
        shares = [f"{100 * self.accuracy:.1f}", f"{100 * low:.1f} to {100 * high:.1f}"] if self.n else ["", ""]
        return [self.name, compact(self.calls, 3), f"{self.right} of {self.n}", *shares, price]


class Comparison:
    """Refinement beside plain sampling, question by question.

    Args:
        result: The run's. Questions that were not answered yet are left out of both arms.
        loss: What the run measured.
    """

    def __init__(self, result: Result, loss: AnswerLoss) -> None:
        self.result, self.loss = result, loss
        self.trials: list[Trial] = [t for t in result.trials if t.measured and t.feedback]

    @property
    def n(self) -> int:
        """How many questions were answered by both arms."""
        return len(self.trials)

    def _metric(self, name: str) -> list[float]:
        return [t.feedback.metrics.get(name, math.nan) for t in self.trials if t.feedback]

    @cached_property
    def rows(self) -> list[Row]:
        """The draft, each iteration, the refinement's vote, and the samples' vote."""
        alone = self.loss.arms[: self.loss.iterations + 1]
        rows = [self._row(f"{name} alone", name, REFINEMENT, place) for place, name in enumerate(alone)]
        rows.append(self._row(f"refinement: vote over {len(alone)}", REFINEMENT, REFINEMENT, -1))
        sampled = self._row("", SAMPLING, SAMPLING, -1)
        title = f"plain sampling: vote over {compact(sampled.calls, 3)}" if self.n else "plain sampling: vote"
        return [*rows, replace(sampled, name=title)]

    def _row(self, title: str, metric: str, arm: str, place: int) -> Row:
        """Make a row of what an arm had spent at one of its replies."""
        replies = [kept[arm]["replies"][place] for kept in self.kept]
        calls = sum(reply["calls"] for reply in replies) / self.n if self.n else math.nan
        prices = [reply["usd"] for reply in replies]
        usd = None if None in prices or not prices else math.fsum(prices)
        return Row(title, calls, int(sum(self._metric(metric))), self.n, usd)

    @property
    def difference(self) -> Difference | None:
        """Refinement minus sampling, on the same questions; None before one was answered."""
        return self._paired(SAMPLING, REFINEMENT)

    def _paired(self, first: str, second: str) -> Difference | None:
        return paired_difference(self._metric(first), self._metric(second)) if self.n else None

    @property
    def winner(self) -> str:
        """ "refinement" or "sampling" where the interval of their difference leaves 0 out; else ""."""
        found = self.difference
        if found is None or found.within_noise:
            return ""
        return REFINEMENT if found.mean > 0 else SAMPLING

    @property
    def verdict(self) -> str:
        """Which arm won, in a sentence or two, with the difference and its interval."""
        found = self.difference
        if found is None:
            return "no question was answered yet"
        calls = compact(self.rows[-1].calls, 3)
        words = {REFINEMENT: "refinement won", SAMPLING: "plain sampling won", "": "no difference shown"}[self.winner]
        p = mcnemar(found.gained, found.lost)
        return (
            f"{words} at {calls} calls a question: refinement minus sampling is {_points(found)} (n = {self.n}; right "
            f"only by refinement {found.gained}, only by sampling {found.lost}; p = {p:.2g})"
        )

    @property
    def against_draft(self) -> list[str]:
        """What each arm gained over the draft, in a sentence each."""
        lines = []
        for name, arm in (("refinement", REFINEMENT), ("plain sampling", SAMPLING)):
            found = self._paired(DRAFT, arm)
            if found is not None:
                words = "no difference shown" if found.within_noise else "better" if found.mean > 0 else "worse"
                lines.append(f"{name} minus the draft alone is {_points(found)}: {words}")
        return lines

    @property
    def notes(self) -> list[str]:
        """What a reader has to know of these figures."""
        notes = []
        there = len(self.loss.questions.questions)
        if self.n < there:
            notes.append(f"{self.n} of {there} questions were answered: the others count in neither arm")
        if not self.loss.engines.one:
            notes.append(
                f"the arms have as many calls but not the same model: {self.loss.engines.engine.name} criticises and "
                f"refines, {self.loss.engines.student.name} drafts and samples"
            )
        if self.n and all(_alike(kept[SAMPLING]["replies"]) for kept in self.kept):
            notes.append(
                "all samples of each question are the same text, so sampling was given no chance: raise --temperature, "
                "or use an engine that does not repeat its answers"
            )
        failed = sum(any(reply["fault"] for reply in kept[REFINEMENT]["replies"]) for kept in self.kept)
        if failed:
            notes.append(f"{failed} of {self.n} questions had an iteration without a usable reply; the answer stayed")
        return notes

    @cached_property
    def kept(self) -> list[Mapping[str, Any]]:
        """Every question's replies, as they are recorded."""
        return [json.loads(t.feedback.artifacts[REPLIES]) for t in self.trials if t.feedback]

    def confusion(self, arm: str = REFINEMENT) -> Counter[tuple[str, str]]:
        """Count (right answer, voted answer), by letters for multiple choice."""
        return Counter((str(kept["right"]), kept[arm]["answer"] or NO_ANSWER) for kept in self.kept)

    @property
    def summary(self) -> str:
        """The table and the verdict, as a terminal shows them."""
        table = [list(_HEADER), *(row.cells for row in self.rows)]
        widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
        lines = []
        for name, *figures in table:
            shown = [figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True)]
            lines.append("  ".join([name.ljust(widths[0]), *shown]))
        return "\n".join([*lines, "", self.verdict, *self.against_draft, *self.notes, METHOD])

    def __repr__(self) -> str:
        return self.summary

    def _repr_html_(self) -> str:
        """Show the table and the verdict in Jupyter, the winner's row marked, with the picture."""
        from tgsci.show.html import Cell, drawing, html_table

        rows = []
        for row in self.rows:
            won = self.winner and row.name.removeprefix("plain ").startswith(f"{self.winner}:")
            style = "font-weight:bold" if won else ""
            rows.append([Cell(cell, figure=place > 0, style=style) for place, cell in enumerate(row.cells)])
        header = [Cell(title, figure=place > 0) for place, title in enumerate(_HEADER)]
        table = html_table(header, rows, notes=[self.verdict, *self.against_draft, *self.notes, METHOD])
        return table + (drawing(self.drawing, "accuracy of both arms against calls") if self.n else "")

    @property
    def table(self) -> tuple[list[str], list[list[str]]]:
        """The header and a row a question: the right answer, what each step and arm answered, whether it was right."""
        steps, arms = self.loss.arms[: self.loss.iterations + 1], (REFINEMENT, SAMPLING)
        marks = [f"{arm} right" for arm in arms]
        header = ["id", "question", "order of choices", "right answer", *steps, *arms, *marks, "calls"]
        rows = []
        for trial, kept in zip(self.trials, self.kept, strict=True):
            question, refined, sampled = (
                self.loss.question(trial.value).example.question,
                kept[REFINEMENT],
                kept[SAMPLING],
            )
            answers = [reply["answer"] for reply in refined["replies"]] + [refined["answer"], sampled["answer"]]
            order = " ".join(str(place + 1) for place in kept["order"])
            right = [str(int(arm["right"])) for arm in (refined, sampled)]
            rows.append([kept["id"], question, order, kept["right"], *answers, *right, str(refined["calls"])])
        return header, rows

    def to_frame(self) -> DataFrame:
        """Make a pandas table of `table`: a row a question."""
        header, rows = self.table
        frame: DataFrame = needs("pandas", "a table").DataFrame(rows, columns=header)
        whole = [name for name in header if name.endswith(" right") or name == "calls"]
        return frame.astype(dict.fromkeys(whole, int)).set_index("id")

    @cached_property
    def samples_alone(self) -> list[Row]:
        """What votes over the first samples alone would have given: over one, over two, and so on."""
        most = min((len(kept[SAMPLING]["replies"]) for kept in self.kept), default=0)
        rows = []
        for calls in range(1, most + 1):
            right = 0
            for trial, kept in zip(self.trials, self.kept, strict=True):
                question = self.loss.question(trial.value)
                scores = [Score(float(r["right"]), r["answer"]) for r in kept[SAMPLING]["replies"][:calls]]
                right += vote(question, scores, f"{self.loss.seed}:{question.example.id}").right >= 1
            rows.append(Row(f"vote over {calls}", calls, right, self.n))
        return rows

    @property
    def drawing(self) -> str:
        """Accuracy against calls, as an SVG picture."""

        def points(rows: Sequence[Row]) -> list[tuple[float, float, float, float]]:
            return [(row.calls, row.accuracy, *row.interval) for row in rows]

        curves = [
            Curve("votes over samples", "#1f6fb4", points(self.samples_alone)),
            Curve("single answers", "#9aa4ad", points(self.rows[:-2])),
            Curve("refinement, vote", "#c0392b", points(self.rows[-2:-1])),
        ]
        return picture(curves)

    @property
    def sections(self) -> list[Section]:
        """What a report shows of it."""
        text = "\n".join([self.verdict, *self.against_draft, *self.notes, METHOD])
        rows = [row.cells for row in self.rows]
        marked = {REFINEMENT: [len(rows) - 2], SAMPLING: [len(rows) - 1]}.get(self.winner, [])
        found = [Section("Refinement beside plain sampling", text, _HEADER, rows, marked=marked)]
        if not self.n:
            return found
        about = "With 95 % intervals. The draft is the first single answer, the iterations follow it."
        what = "accuracy of both arms against calls a question"
        found.append(Section("Accuracy against calls", about, picture=self.drawing, alternative=what))
        both = Counter(zip(self._metric(REFINEMENT), self._metric(SAMPLING), strict=True))
        cells = [
            [f"refinement {word}", both[mine, 1.0], both[mine, 0.0]] for word, mine in (("right", 1), ("wrong", 0))
        ]
        header = ["questions", "sampling right", "sampling wrong"]
        found.append(Section("Where the arms differ", header=header, rows=cells))
        if all(question.kind == "choice" for question in self.loss.questions.questions):
            found.append(_confusion_section("refinement", self.confusion(REFINEMENT)))
            found.append(_confusion_section("plain sampling", self.confusion(SAMPLING)))
        return found


def mcnemar(first: int, second: int) -> float:
    """Exact two-sided p of McNemar's test: how likely so uneven a split is where both arms are as good.

    Args:
        first: Questions that only one arm has right.
        second: Questions that only the other has right.
    """
    n, fewer = first + second, min(first, second)
    as_uneven = sum(math.comb(n, i) for i in range(fewer + 1))
    return min(1.0, 2.0 * as_uneven / 2.0**n) if n < 1000 else min(1.0, float(2 * as_uneven // 2 ** (n - 60)) / 2.0**60)


def _points(found: Difference) -> str:
    return f"{100 * found.mean:+.1f} points (95 % interval {100 * found.low:+.1f} to {100 * found.high:+.1f})"


def _alike(replies: Sequence[Mapping[str, Any]]) -> bool:
    return len(replies) > 1 and len({reply["reply"] for reply in replies}) == 1


def _confusion_section(name: str, counts: Mapping[tuple[str, str], int]) -> Section:
    letters = _sorted({letter for pair in counts for letter in pair})
    rows = [[right, *(counts.get((right, answer), 0) for answer in letters)] for right in letters if right != NO_ANSWER]
    return Section(
        f"Confusion of answers, {name}",
        "Rows: the right choice, as it was shown. Columns: what the arm answered.",
        ["right", *letters],
        rows,
    )


def _sorted(letters: Iterable[str]) -> list[str]:
    return sorted(letters, key=lambda letter: (letter == NO_ANSWER, letter))
