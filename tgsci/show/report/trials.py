"""What the page says of each trial: the best on cards with their line of descent, and all of them in a table."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from markupsafe import Markup

from ...basics.diff import changed_lines
from ...basics.texts import counts, figure, fixed, metric, places
from ...feedback import Feedback
from ...search.trial import State, Trial, of_each
from ..columns import ranks
from ..origin import ROLES, confirmation, expectation
from .text import LongText, LongTexts, as_attribute, file_name, picture_address, shortened

if TYPE_CHECKING:
    from ...runs.result import Result

#: Trials that get a card.
_CARDS = 10
#: Steps of a line of descent with a picture each; of a longer one, its two ends.
_STEPS = 12
#: A run of at most so many trials has a picture in every row.
_PICTURED_ROWS = 100
#: Characters of a value in the table's row.
_VALUE = 160
#: Metrics with a column; the others stand with the trial.
_METRICS = 20
#: All pictures together, bytes.
_PICTURES = 8_000_000
#: Artifacts that can be saved from the page: so many bytes each, so many together, of so many of the best trials.
_ONE_FILE, _ALL_FILES, _TRIALS_WITH_FILES = 200_000, 5_000_000, 100
#: Lines of what changed from a parent, characters of each.
_MOST_CHANGED, _LONGEST_CHANGED = 200, 300
#: Artifacts, and figures in one line, of one trial.
_MOST_FILES, _MOST_FIGURES = 20, 50


#: Where a sentence of a text ends.
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=\S)")
#: The classes of a diff's lines in the style sheet, by their first character.
_CHANGES = {"+": "added", "-": "removed", "@": "place"}


@dataclass(frozen=True)
class Picture:
    """A value as its domain draws it, or why there is no picture.

    Args:
        address: Of the image, escaped for an attribute.
        value: What it shows.
        error: Why it could not be drawn.
    """

    address: str = ""
    value: str = ""
    error: str = ""


@dataclass(frozen=True)
class File:
    """An artifact.

    Args:
        name: As the trial calls it.
        address: Its content as an address, "" where it is too big for the page.
        saved_as: The name under which it is saved.
        size: In words.
    """

    name: str
    address: str = ""
    saved_as: str = ""
    size: str = ""


@dataclass(frozen=True)
class Step:
    """One step of a line of descent: what changed, and what that did to the loss."""

    trial: Trial
    picture: Picture | None
    value: str
    loss: str
    change: str
    better: bool
    edit: str


@dataclass(frozen=True)
class Change:
    """What changed in a value of several lines.

    Args:
        parent: Number of the trial that it was made from.
        lines: Of a unified diff, each with its class in the style sheet ("" for one that stayed).
        missing: Lines that there was no room for.
    """

    parent: int
    lines: Sequence[tuple[str, str]]
    missing: int = 0


@dataclass(frozen=True)
class PageColumn:
    """A column of the table of all trials: its name for the script, its title, and whether it holds figures."""

    key: str
    title: str
    number: bool = True


@dataclass(frozen=True)
class PageCell:
    """A figure in the table; in full, for the script to sort by, where rounding hides some of it."""

    text: str = ""
    full: str = ""


@dataclass(frozen=True)
class Final:
    """A finalist's second measurement, in words and with its report."""

    words: str
    failed: bool
    report: LongText


class PageTrials:
    """The trials of a run for the page. Bounded: whatever there is too much of goes to the best trials first.

    Args:
        result: The result of a run.
        texts: Cuts what is long.
    """

    def __init__(self, result: Result, texts: LongTexts) -> None:
        self._result, self._texts = result, texts
        self._ranked = result.trials.ranked()
        self._units = result.units
        alike = result.problem.alike if result.problem else None
        self.best = of_each(self._ranked, alike, _CARDS) if alike else self._ranked[:_CARDS]
        self._carded = {trial.number for trial in self.best}
        self._metrics = result.columns[:_METRICS]
        self._pictures: dict[str, Picture] = {}
        self._room_for_pictures, self._room_for_files = _PICTURES, _ALL_FILES
        self._too_big: set[str] = set()
        # The best first: they get the room that there is.
        self._files = {trial.number: self._downloads(trial) for trial in self._ranked[:_TRIALS_WITH_FILES]}
        merit = [*self._ranked, *(trial for trial in result.trials if not trial.measured)]
        self._reports = {t.number: texts.full(t.feedback.text) for t in merit if t.feedback and t.feedback.text}

    def __len__(self) -> int:
        return len(self._result.trials)

    # -- of one trial ------------------------------------------------------------------------------

    def folded(self, text: str, most: int) -> LongText:
        """Fold a text that is longer than so many characters: its start opens the whole."""
        return self._texts.folded(text, most)

    def report(self, trial: Trial) -> LongText:
        """Take the simulator's report; empty for none."""
        return self._reports.get(trial.number, LongText())

    def figures(self, trial: Trial) -> list[tuple[str, str, str]]:
        """List name, figure and unit of the loss and of each metric with a column."""
        found = trial.feedback.metrics if trial.feedback else {}
        return [("loss", figure(trial.loss), "")] + [
            (shortened(name, 60), *self._with_unit(name, found[name])) for name in self._metrics if name in found
        ]

    def others(self, feedback: Feedback) -> str:
        """Say the metrics that are worth no column."""
        others = [(name, value) for name, value in feedback.metrics.items() if name not in self._metrics]
        return self._in_words(others, " ")

    def broken(self, feedback: Feedback) -> str:
        """Say which hard limits are broken, each with by how much."""
        return self._in_words([(name, by) for name, by in feedback.violations.items() if by > 0], " by ")

    def final(self, trial: Trial) -> Final | None:
        """Take a finalist's second measurement; None for any other trial."""
        final = self._result.finals.get(trial.number)
        if final is None:
            return None
        words = shortened(self._result.final_in_words(final), 2000)
        return Final(words, not final.measured, self._texts.full(final.text) if final.measured else LongText())

    def descent(self, trial: Trial) -> list[Step | int]:
        """List the steps from the start to this trial; of a long line its ends, with the number of steps between."""
        line = self._result.lineage(trial)
        if len(line) < 2:
            return []
        pairs = list(zip([None, *line], line, strict=False))
        if len(pairs) <= _STEPS:
            return [self._step(before, one) for before, one in pairs]
        half = _STEPS // 2
        first, last = ([self._step(before, one) for before, one in part] for part in (pairs[:half], pairs[-half:]))
        return [*first, len(pairs) - 2 * half, *last]

    def ancestors(self, trial: Trial) -> int:
        """Count the steps from the start to this trial."""
        return len(self._result.lineage(trial)) - 1

    def picture(self, trial: Trial) -> Picture | None:
        """Draw the value as its domain does; None where it does not, or where there is no room left."""
        draw = self._result.problem.draw if self._result.problem else None
        if draw is None or not trial.measured:
            return None
        if trial.value not in self._pictures:
            try:
                address = picture_address(draw(trial.value))
            except Exception as error:  # whatever it is, a picture is not worth the page; and it is said
                return Picture(error=shortened(f"{type(error).__name__}: {error}", 200))
            self._pictures[trial.value] = Picture(as_attribute(address, len(address)), trial.value)
        picture = self._pictures[trial.value]
        if len(picture.address) > self._room_for_pictures:
            return None
        self._room_for_pictures -= len(picture.address)
        return picture

    def change(self, trial: Trial) -> Change | None:
        """Compare a value with its parent's line by line, or sentence by sentence where both stand on one line.

        None where neither has several lines or sentences, or nothing changed.
        """
        parent = trial.parent
        if parent is None or not 0 <= parent < trial.number or not trial.value:
            return None
        before, after = self._result.trials[parent].value, trial.value
        if "\n" not in before and "\n" not in after:
            before, after = (_SENTENCE_END.sub("\n", text) for text in (before, after))
        if ("\n" not in before and "\n" not in after) or before == after:
            return None
        found = changed_lines(before, after)
        text = "\n".join(shortened(line, _LONGEST_CHANGED) for line in found[:_MOST_CHANGED])
        lines = self._texts.full(text).text.split("\n")
        return Change(parent, [(_CHANGES.get(line[:1], ""), line) for line in lines], len(found) - len(lines))

    def row_change(self, trial: Trial) -> Change | None:
        """Compare a value with its parent's for its row; that of a trial with a card stands there."""
        return None if self.has_card(trial) else self.change(trial)

    def files(self, trial: Trial) -> list[File]:
        """List the artifacts of a card, to be saved there."""
        return self._files.get(trial.number, [])

    def row_files(self, trial: Trial) -> list[File]:
        """List the artifacts of a row; those of a trial with a card are saved there."""
        if trial.number in self._files and trial.number not in self._carded:
            return self._files[trial.number]
        return (
            [File(shortened(name, 80)) for name in list(trial.feedback.artifacts)[:_MOST_FILES]]
            if trial.feedback
            else []
        )

    def has_card(self, trial: Trial) -> bool:
        """Tell whether a trial is one of the best."""
        return trial.number in self._carded

    def in_short(self, trial: Trial) -> str:
        """Say on one line why a trial came to nothing, or else why it was made."""
        fell = trial.state in (State.INVALID, State.FAILED, State.DUPLICATE)
        text = trial.decision if fell else trial.edit or trial.reason
        return shortened(" ".join(text.split()), 140) or "details"

    def details(self, trial: Trial) -> Iterator[tuple[str, LongText]]:
        """List the named texts on a trial, as far as it has them."""
        if len(trial.value) > _VALUE:
            yield "Value", self.folded(trial.value, 2000)
        if trial.reason and trial.edit:
            yield "Edit", self.folded(trial.edit, 500)
        if trial.reason or trial.edit:
            yield "Reason", self.folded(trial.reason or trial.edit, 2000)
        yield from self.origin(trial)
        if trial.decision:
            yield "Decision", self.folded(trial.decision, 1000)
        if trial.feedback:
            yield "Limits broken", LongText(self.broken(trial.feedback))
            yield "Also measured", LongText(self.others(trial.feedback))

    def origin(self, trial: Trial) -> Iterator[tuple[str, LongText]]:
        """List what was proposed, expected and came, and what care changed, as far as there is anything."""
        yield "For", LongText(ROLES.get(trial.role, ""))
        yield "Loss", LongText(expectation(trial))
        yield "Confirmed", LongText(confirmation(trial))
        yield "Against its parent", self.folded(trial.contrast, 1000)

    def _step(self, before: Trial | None, trial: Trial) -> Step:
        by = trial.loss - before.loss if before is not None and before.measured and trial.measured else None
        return Step(
            trial,
            self.picture(trial),
            shortened(trial.value, 60),
            f"loss {figure(trial.loss)}" if trial.measured else "not measured",
            "" if by is None else f"{'' if by < 0 else '+'}{figure(by)}",
            by is not None and by < 0,
            shortened(trial.edit or (trial.reason if before else "start"), 120),
        )

    def _downloads(self, trial: Trial) -> list[File]:
        """List the artifacts: small ones with their content, the others by name."""
        artifacts = trial.feedback.artifacts if trial.feedback else {}
        found = []
        for name in list(artifacts)[:_MOST_FILES]:
            content = b"" if name in self._too_big else artifacts[name]
            content = content.encode("utf-8", "replace") if isinstance(content, str) else content
            if len(content) > _ONE_FILE:
                self._too_big.add(name)  # the same of the next trial is not even read
            if name in self._too_big or len(content) > self._room_for_files:
                found.append(File(shortened(name, 80)))
                continue
            self._room_for_files -= len(content)
            address = Markup(f"data:application/octet-stream;base64,{base64.b64encode(content).decode()}")
            saved_as = file_name(trial.number, name)
            found.append(File(shortened(name, 80), address, saved_as, f"{len(content) / 1000:.1f} kB"))
        return found

    def _unit(self, name: str) -> str:
        return self._units.get(name, "")

    def _in_words(self, figures: Sequence[tuple[str, float]], between: str) -> str:
        """Write named figures with their units on one line."""
        words = []
        for name, value in figures[:_MOST_FIGURES]:
            said = self._result.in_words(name, value)
            joined = ": " if said and between == " by " else between
            words.append(f"{shortened(name, 80)}{joined}{' '.join(self._with_unit(name, value))}".rstrip())
        return ", ".join(words)

    def _with_unit(self, name: str, value: float) -> tuple[str, str]:
        """Write a figure and its unit; what it means, without a unit, where the figure alone misleads."""
        said = self._result.in_words(name, value)
        unit = self._unit(name)
        return (shortened(said, 80), "") if said else (metric(value, unit), shortened(unit, 80))

    # -- the table of all --------------------------------------------------------------------------

    @property
    def rows(self) -> Sequence[Trial]:
        """Every trial, in the order they were proposed."""
        return self._result.trials

    @cached_property
    def ranks(self) -> Mapping[int, int]:
        """The rank of each measured trial by its number."""
        return ranks(self._result)

    @property
    def states(self) -> list[str]:
        """The states that there are, to filter by."""
        return [state.value for state in State if any(trial.state is state for trial in self.rows)]

    @cached_property
    def pictured_rows(self) -> bool:
        """True where every row has a picture."""
        problem = self._result.problem
        return bool(problem and problem.draw) and len(self) <= _PICTURED_ROWS

    @cached_property
    def limited(self) -> bool:
        """True where some trial breaks a hard limit."""
        return any(trial.feedback and trial.feedback.violation for trial in self.rows)

    @cached_property
    def columns(self) -> Sequence[PageColumn]:
        """The columns of the table."""
        return [
            PageColumn("trial", "trial"),
            PageColumn("rank", "rank"),
            *([PageColumn("picture", "picture", number=False)] if self.pictured_rows else []),
            PageColumn("state", "state", number=False),
            PageColumn("loss", "loss"),
            *(PageColumn(key, title) for key, title, _ in self._figures_of_origin),
            *(PageColumn(name, shortened(self._result.titled(name), 60)) for name in self._metrics),
            *([PageColumn("violation", "limits broken by")] if self.limited else []),
            *([PageColumn("proposer", "proposed by", number=False)] if self.several else []),
            PageColumn("value", "value", number=False),
        ]

    def cells(self, trial: Trial) -> list[PageCell]:
        """List the figures of a row: losses (got, expected, first), the metrics, by how much limits are broken."""
        feedback = trial.feedback
        metrics = feedback.metrics if feedback else {}
        cells = [_cell(trial.loss, self._loss_places)]
        cells += [_cell(loss(trial), self._loss_places) for _, _, loss in self._figures_of_origin]
        cells += [_cell(metrics.get(name), self._places[name]) for name in self._metrics]
        if self.limited:
            broken = feedback.violation if feedback else 0.0
            cells.append(_cell(broken or None, places([broken])))
        return cells

    @cached_property
    def several(self) -> bool:
        """True where more than one proposed."""
        return len({trial.proposer for trial in self.rows if trial.round}) > 1

    @cached_property
    def _figures_of_origin(self) -> Sequence[tuple[str, str, Callable[[Trial], float | None]]]:
        """The losses that were expected and first measured, where there are any: key, title, and what reads it."""
        found: list[tuple[str, str, Callable[[Trial], float | None]]] = []
        if any(trial.expected is not None for trial in self.rows):
            found.append(("expected", "expected loss", lambda trial: trial.expected))
        if any(trial.first for trial in self.rows):
            found.append(("first", "first loss", lambda trial: trial.first.loss if trial.first else None))
        return found

    def value(self, trial: Trial) -> str:
        """Cut a value to what a row has room for."""
        return shortened(trial.value, _VALUE)

    @cached_property
    def _loss_places(self) -> int:
        return places([trial.loss for trial in self._ranked])

    @cached_property
    def _places(self) -> Mapping[str, int]:
        """Decimals of each metric's column."""
        found = {}
        for name in self._metrics:
            values = [t.feedback.metrics[name] for t in self._ranked if t.feedback and name in t.feedback.metrics]
            there = [value for value in values if not math.isnan(value)]
            found[name] = 0 if counts(there, self._unit(name)) else places(there)
        return found


def _cell(value: float | None, decimals: int) -> PageCell:
    if value is None or math.isnan(value):
        return PageCell()
    short, full = fixed(value, decimals), f"{value:.8g}"
    return PageCell(short, "" if float(short) == float(full) else full)
