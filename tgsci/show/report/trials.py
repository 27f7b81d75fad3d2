"""The trials: the best as cards with their line of descent, and all of them as a table."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from functools import cached_property

from ...feedback import Feedback
from ...figures import counts, figure, fixed, metric, places
from ...runs.result import Result
from ...search.trial import State, Trial
from .text import LongTexts, attribute, file_name, picture_address, shortened, shown

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


class Trials:
    """The trials of a run as HTML. Bounded: whatever there is too much of goes to the best trials first.

    Args:
        result: A run's.
    """

    def __init__(self, result: Result) -> None:
        self._result = result
        self._ranked = result.trials.ranked()
        self._best = self._ranked[:_CARDS]
        self._carded = {trial.number for trial in self._best}
        self._titles = {name: shown(shortened(result.titled(name), 60)) for name in result.columns[:_METRICS]}
        self._addresses: dict[str, str] = {}
        self._room_for_pictures = _PICTURES
        self._room_for_files = _ALL_FILES
        self._too_big: set[str] = set()
        self.texts = LongTexts()
        # In the order of their merit, not of their place: first come, first served.
        self._files = {t.number: self._downloads(t) for t in self._ranked[:_TRIALS_WITH_FILES]}
        merit = [*self._ranked, *(t for t in result.trials if not t.measured)]
        self._whole = {t.number: self.texts.full(t.feedback.text) for t in merit if t.feedback and t.feedback.text}

    # -- the best ----------------------------------------------------------------------------------

    def cards(self) -> str:
        """The best trials, each with its picture, figures, reason and line of descent."""
        if not self._best:
            return "<p>Nothing could be measured.</p>"
        return "\n".join(self._card(rank, trial) for rank, trial in enumerate(self._best, 1))

    def _card(self, rank: int, trial: Trial) -> str:
        feedback = trial.feedback
        assert feedback is not None  # it was measured
        picture = self._picture(trial, "picture")
        made = "the start" if trial.parent is None else f"from {_link(trial.parent)}"
        files = f'<p class="files">Files: {saved}</p>' if (saved := self._files.get(trial.number)) else ""
        return (
            f'<article class="card" id="best-{trial.number}" aria-labelledby="best-{trial.number}-title">'
            f'<h3 id="best-{trial.number}-title"><span class="rank">{rank}</span> {_link(trial.number, "Trial")} '
            f"<small>{made}{_badge(trial)}</small></h3>"
            f'<div class="body{" pictured" if picture else ""}">{picture}<div>'
            f'<p class="value"><code>{self.texts.folded(trial.value, 400)}</code></p>'
            f"{self._figures(trial)}{_violations(feedback, self._result)}{self._again(trial)}"
            f'<p class="why">{self._why(trial)}</p>'
            f"{files}</div></div>{self._descent(trial, unfolded=rank == 1)}"
            "<details><summary>Report of the simulator</summary>"
            f"<pre>{self._whole.get(trial.number, '')}</pre></details></article>"
        )

    def _figures(self, trial: Trial) -> str:
        figures = trial.feedback.metrics if trial.feedback else {}
        units = self._units
        rows = [("loss", figure(trial.loss), "")] + [
            (
                shown(shortened(name, 60)),
                metric(figures[name], units.get(name, "")),
                shown(shortened(units.get(name, ""), 80)),
            )
            for name in self._titles
            if name in figures
        ]
        items = [f"<div><dt>{n}</dt><dd>{text} <small>{unit}</small></dd></div>" for n, text, unit in rows]
        return f'<dl class="figures">{"".join(items)}</dl>'

    def _again(self, trial: Trial) -> str:
        """A finalist's second measurement."""
        final = self._result.finals.get(trial.number)
        if final is None:
            return ""
        figures = shown(shortened(self._result.final_in_words(final), 2000))
        if not final.measured:
            return f'<p class="outside">Measuring it again failed: <bdi>{figures}</bdi></p>'
        report = f"<details><summary>Its report</summary><pre>{self.texts.full(final.text)}</pre></details>"
        return f"<p><b>Measured again:</b> <bdi>{figures}</bdi></p>{report if final.text else ''}"

    def _why(self, trial: Trial) -> str:
        edit = f"<b><bdi>{shown(shortened(trial.edit, 300))}</bdi></b>. " if trial.edit else ""
        by = f' <span class="note">Proposed by <bdi>{shown(shortened(trial.proposer, 60))}</bdi>.</span>'
        return f"{edit}<bdi>{self.texts.folded(trial.reason, 600)}</bdi>{by if trial.proposer else ''}"

    def _descent(self, trial: Trial, *, unfolded: bool) -> str:
        """From the start to this trial: what changed at each step, and what that did to the loss."""
        line = self._result.lineage(trial)
        if len(line) < 2:
            return ""
        steps = [self._step(one, before) for before, one in zip([None, *line], line, strict=False)]
        if len(steps) > _STEPS:
            half = _STEPS // 2
            left_out = f'<li class="left-out">… {len(steps) - 2 * half} steps …</li>'
            steps = [*steps[:half], left_out, *steps[-half:]]
        title = f"Line of descent: {len(line) - 1} {'step' if len(line) == 2 else 'steps'} from the start"
        opening = "<details open>" if unfolded else "<details>"
        return f'{opening}<summary>{title}</summary><ol class="descent">{"".join(steps)}</ol></details>'

    def _step(self, trial: Trial, before: Trial | None) -> str:
        change = ""
        if before is not None and before.measured and trial.measured:
            by = trial.loss - before.loss
            change = f' <span class="{"better" if by < 0 else "worse"}">({"" if by < 0 else "+"}{figure(by)})</span>'
        loss = f"loss {figure(trial.loss)}{change}" if trial.measured else "not measured"
        edit = trial.edit or (trial.reason if before else "start")
        picture = self._picture(trial, "small") or f"<code>{shown(shortened(trial.value, 60))}</code>"
        return (
            f"<li>{picture}<div>{_link(trial.number)}<br>{loss}<br>"
            f'<span class="edit"><bdi>{shown(shortened(edit, 120))}</bdi></span></div></li>'
        )

    def _picture(self, trial: Trial, kind: str) -> str:
        """The value as the domain draws it; "" where it does not, or where there is no room left."""
        draw = self._result.problem.draw if self._result.problem else None
        if draw is None or not trial.measured:
            return ""
        if trial.value not in self._addresses:
            try:
                self._addresses[trial.value] = attribute(address := picture_address(draw(trial.value)), len(address))
            except Exception as error:  # whatever it is, a picture is not worth the page; and it is said
                return (
                    f'<span class="note">no picture: {shown(shortened(f"{type(error).__name__}: {error}", 200))}</span>'
                )
        address = self._addresses[trial.value]
        if len(address) > self._room_for_pictures:
            return ""
        self._room_for_pictures -= len(address)
        return f'<img class="{kind}" alt="{attribute(trial.value)}" src="{address}">'

    # -- all of them -------------------------------------------------------------------------------

    def table(self) -> str:
        """Every trial with its report. It can be read as it is; the script adds sorting and filters."""
        trials = self._result.trials
        ranks = {trial.number: rank for rank, trial in enumerate(self._ranked, 1)}
        heads = "".join(
            f'<th scope="col" data-key="{attribute(key)}"{" data-number" if number else ""}>{title}</th>'
            for key, title, number in self._columns
        )
        bodies = "\n".join(self._row(trial, ranks.get(trial.number)) for trial in trials)
        states = "".join(f"<option>{state}</option>" for state in State if any(t.state is state for t in trials))
        return (
            '<form class="filter" id="filter" hidden>'
            f'<label>State <select name="state"><option value="">all</option>{states}</select></label>'
            '<label>Text <input type="search" name="text" placeholder="in values, reasons, reports"></label>'
            '<output id="count" aria-live="polite"></output></form>'
            '<div class="wide" tabindex="0" role="region" aria-label="All trials">'
            f'<table class="trials" id="table"><caption>{len(trials):,} trials in the order they were proposed. '
            f"Each opens to its reason, decision and report.</caption>"
            f"<thead><tr>{heads}</tr></thead>\n{bodies}\n</table></div>"
        )

    @cached_property
    def _pictured_rows(self) -> bool:
        problem = self._result.problem
        return bool(problem and problem.draw) and len(self._result.trials) <= _PICTURED_ROWS

    @cached_property
    def _limited(self) -> bool:
        return any(t.feedback and t.feedback.violation for t in self._result.trials)

    @cached_property
    def _columns(self) -> Sequence[tuple[str, str, bool]]:
        """(key, title as HTML, is a figure) of each column."""
        picture = [("picture", "picture", False)] if self._pictured_rows else []
        limits = [("violation", "limits broken by", True)] if self._limited else []
        return [
            ("trial", "trial", True),
            ("rank", "rank", True),
            *picture,
            ("state", "state", False),
            ("loss", "loss", True),
            *((name, title, True) for name, title in self._titles.items()),
            *limits,
            ("value", "value", False),
        ]

    @cached_property
    def _loss_places(self) -> int:
        return places([t.loss for t in self._ranked])

    @cached_property
    def _places(self) -> Mapping[str, int]:
        """Decimals of each metric's column."""
        found = {}
        for name in self._titles:
            values = [t.feedback.metrics[name] for t in self._ranked if t.feedback and name in t.feedback.metrics]
            there = [value for value in values if not math.isnan(value)]
            found[name] = 0 if counts(there, self._units.get(name, "")) else places(there)
        return found

    @cached_property
    def _units(self) -> Mapping[str, str]:
        return self._result.units

    def _row(self, trial: Trial, rank: int | None) -> str:
        feedback = trial.feedback
        metrics = feedback.metrics if feedback else {}
        picture = f"<td>{self._picture(trial, 'small')}</td>" if self._pictured_rows else ""
        broken = _cell(feedback.violation or None if feedback else None, None) if self._limited else ""
        cells = [_cell(metrics.get(name), self._places[name]) for name in self._titles]
        return (
            f'<tbody id="trial-{trial.number}" data-state="{trial.state}"><tr><th scope="row">{trial.number}</th>'
            f'<td class="n">{rank or ""}</td>{picture}<td class="{trial.state}">{trial.state}</td>'
            f"{_cell(trial.loss, self._loss_places)}{''.join(cells)}{broken}"
            f"<td><code>{shown(shortened(trial.value, _VALUE))}</code></td></tr>"
            f'<tr class="more"><td colspan="{len(self._columns)}"><details><summary>{_in_short(trial)}</summary>'
            f"{self._details(trial)}</details></td></tr></tbody>"
        )

    def _details(self, trial: Trial) -> str:
        """All there is on a trial. Few elements: a run may have thousands of these."""
        feedback = trial.feedback
        made = f"Round {trial.round}"
        if trial.parent is not None:
            made += f", from {_link(trial.parent)}"
        if trial.proposer:
            made += f", by {shown(shortened(trial.proposer, 60))}"
        if feedback:
            made += f", measured in {trial.seconds:.3g} s"
        rows = [
            ("Value", f"<code>{self.texts.folded(trial.value, 2000)}</code>" if len(trial.value) > _VALUE else ""),
            ("Edit", self.texts.folded(trial.edit, 500) if trial.reason else ""),
            ("Reason", self.texts.folded(trial.reason or trial.edit, 2000)),
            ("Decision", self.texts.folded(trial.decision, 1000)),
        ]
        if feedback:
            rows += [
                ("Limits broken", _broken(feedback, self._result)),
                ("Also measured", self._others(feedback)),
                ("Files", self._row_files(trial)),
            ]
        texts = "".join(f"<div><b>{name}:</b> {text}</div>" for name, text in rows if text)
        report = f"<pre>{self._whole[trial.number]}</pre>" if trial.number in self._whole else ""
        return f"<div>{made}.</div>{texts}{report}"

    def _others(self, feedback: Feedback) -> str:
        """Metrics that are worth no column."""
        others = [(name, figure) for name, figure in feedback.metrics.items() if name not in self._titles]
        return _in_words(others, " ", self._units)

    # -- artifacts ---------------------------------------------------------------------------------

    def _downloads(self, trial: Trial) -> str:
        """Links that save a trial's artifacts, as long as they are small; the others by name."""
        artifacts = trial.feedback.artifacts if trial.feedback else {}
        parts = []
        for name in list(artifacts)[:20]:
            content = b"" if name in self._too_big else artifacts[name]
            content = content.encode("utf-8", "replace") if isinstance(content, str) else content
            if len(content) > _ONE_FILE:
                self._too_big.add(name)  # the same of the next trial is not even read
            if name in self._too_big or len(content) > self._room_for_files:
                parts.append(_named(name))
                continue
            self._room_for_files -= len(content)
            address = f"data:application/octet-stream;base64,{base64.b64encode(content).decode()}"
            saved = attribute(file_name(trial.number, name))
            size = f"{len(content) / 1000:.1f} kB"
            parts.append(f'<a download="{saved}" href="{address}">{shown(shortened(name, 80))}</a> ({size})')
        return ", ".join(parts)

    def _row_files(self, trial: Trial) -> str:
        if trial.number in self._files and trial.number not in self._carded:
            return self._files[trial.number]
        names = list(trial.feedback.artifacts)[:20] if trial.feedback else []
        above = f' (<a href="#best-{trial.number}">save</a>)' if names and trial.number in self._carded else ""
        return ", ".join(map(_named, names)) + above


def _named(name: str) -> str:
    return f"{shown(shortened(name, 80))}"


def _link(number: int, word: str = "trial") -> str:
    return f'<a href="#trial-{number}">{word} {number}</a>'


def _badge(trial: Trial) -> str:
    if trial.feedback and not trial.feedback.feasible:
        return ' <span class="badge outside">outside a hard limit</span>'
    return ""


def _violations(feedback: Feedback, result: Result) -> str:
    broken = _broken(feedback, result)
    return f'<p class="outside">Limits broken: {broken}</p>' if broken else ""


def _broken(feedback: Feedback, result: Result) -> str:
    broken = [(name, by) for name, by in feedback.violations.items() if by > 0]
    return _in_words(broken, " by ", result.units)


def _in_words(figures: Sequence[tuple[str, float]], between: str, units: Mapping[str, str]) -> str:
    """Named figures with their units, on one line."""
    words = [
        f"{shortened(name, 80)}{between}{metric(value, unit)} {shortened(unit, 80)}".rstrip()
        for name, value in figures[:50]
        for unit in [units.get(name, "")]
    ]
    return shown(", ".join(words))


def _cell(value: float | None, decimals: int | None) -> str:
    """A figure; in full for the script to sort by, where rounding hides some of it."""
    if value is None or math.isnan(value):
        return '<td class="n"></td>'
    short, full = figure(value) if decimals is None else fixed(value, decimals), f"{value:.8g}"
    return (
        f'<td class="n">{short}</td>'
        if float(short) == float(full)
        else f'<td class="n" data-full="{full}">{short}</td>'
    )


def _in_short(trial: Trial) -> str:
    """One line on a trial: why it came to nothing, or else why it was made."""
    fell = trial.state in (State.INVALID, State.FAILED, State.DUPLICATE)
    text = trial.decision if fell else trial.edit or trial.reason
    return f"<bdi>{shown(shortened(' '.join(text.split()), 140)) or 'details'}</bdi>"
