"""Page: what a model sees of a search. The whole history in a bounded number of tokens, from the trials alone."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from statistics import fmean

from .. import prompts
from ..basics.diff import changed_lines
from ..basics.texts import figure, one_line
from ..prompts import shortened, tokens
from .cells import Cells, as_cell, cell, cut, is_long, told, value_of
from .history import History
from .reports import Shown, choose_report
from .standing import STALLED, changes, forecasts, noise, rounds_without_gain
from .trial import Idea, State, Trial, Trials

#: Tokens of a question, and the fewest that a page of use fits in; the share that is kept for what a second try adds.
PROMPT_TOKENS, FEWEST_TOKENS, RETRY_SHARE = 8_000, 2_000, 0.08
#: Shares of the page that its parts may take; the tables get what is left.
_REPORT, _LEADER, _FAMILIES, _CHANGES, _UNUSABLE, _WAITING, _PENDING = 0.35, 0.25, 0.08, 0.06, 0.06, 0.08, 0.05
#: The share that goes to values beside the leader's, where it is left, and how many.
_OTHERS, _MOST_OTHERS = 0.25, 3
#: Shares of a question that may go to the task, to a setting in every question, to one in the first, to each rule, and
#: to how the tables are read.
_TASK, _CHEAP_SETTING, _SETTING, _RULES, _READING = 0.3, 0.1, 0.25, 0.08, 0.04
#: Tokens that are kept when what is left is given away.
_SLACK = 60
#: Longest name of a family that no table explains, characters.
_LONGEST_FAMILY = 80
#: Latest forecasts of a model that it is told the errors of.
_FORECASTS = 6
#: Latest values that could not be measured, and characters of each reason; figures of a change that was made often.
_MOST_UNUSABLE, _LONGEST_REASON, _MOST_SEEN = 8, 240, 8


class Page:
    """The state of a search as a model reads it.

    Args:
        trials: What was measured, what waits and what is being measured.
        name: Whose predictions are "yours".
    """

    def __init__(self, trials: Trials, name: str) -> None:
        self.trials = trials
        self.name = name
        #: Measured trials, best first.
        self.measured = trials.ranked()
        self.last_round = trials[-1].round if len(trials) else 0
        #: Rounds since the best was found.
        self.stalled = rounds_without_gain(trials)
        #: True where nothing but the start was measured.
        self.begins = not any(t.round and t.measured for t in trials)
        #: True where a value is no line of a table: it is told by its change, and the leader's is shown once.
        self.several_lines = any(is_long(t.value) for t in trials[:1])
        self.cells = Cells(trials)

    @cached_property
    def _shown(self) -> Shown | None:
        return choose_report(self.trials)

    @property
    def rounds_left(self) -> int | None:
        """Rounds that the budget has left, the one that is planned now included; None for no limit."""
        left = self.trials.evaluations_left
        return None if left is None else math.ceil(left / max(1, self.trials.proposals))

    def write(self, room: int) -> str:
        """Write the page.

        Args:
            room: Tokens that it may take.
        """
        standing = prompts.section("WHERE THE SEARCH STANDS", shortened(self._standing(), room // 4))
        shares = {
            self._changes: _CHANGES,
            self._unusable: _UNUSABLE,
            self._waiting: _WAITING,
            self._pending: _PENDING,
            self._leader: _LEADER,
            self._report: _REPORT,
        }
        after = {part: part(int(room * share)) for part, share in shares.items()}
        left = room - _length([standing]) - sum(map(_length, after.values()))
        tables = History(self.trials, self.cells, several_lines=self.several_lines).write(left, int(room * _FAMILIES))
        left -= _length(tables)
        # A page that is not full has room for more: what is worth most first, at last the tail of what waits.
        whole = self._report(int(room * _REPORT) + max(0, left - _SLACK))
        left -= _length(whole) - _length(after[self._report])
        after[self._report] = whole
        after[self._once_more] = self._once_more(left - _SLACK)
        left -= _length(after[self._once_more])
        after[self._others] = self._others(min(int(room * _OTHERS), left - _SLACK))
        left -= _length(after[self._others])
        after[self._waiting] = self._waiting(int(room * _WAITING) + max(0, left - _SLACK))
        return "\n\n".join([standing, *tables, *itertools.chain.from_iterable(after.values())])

    # -- where the search stands -------------------------------------------------------------------

    def _standing(self) -> str:
        best = self.trials.best
        lines = [self._budget()]
        if best is not None:
            found = "the start" if best.round == 0 else f"round {best.round}"
            lines.append(f"The best is #{best.number} of {found}: {told(best, self.trials.loss)}.")
            limiting = self._limiting(best)
            if limiting:
                lines.append(f"What limits it: {limiting}.")
        if self.stalled:
            since = f"{self.stalled} rounds" if self.stalled > 1 else "one round"
            stalled = ": the present lines have stalled" if self.stalled >= STALLED else ""
            lines.append(f"No gain for {since}{stalled}.")
        return "\n".join(filter(None, [*lines, self._own_errors(), self._noise(), self._advice()]))

    def _budget(self) -> str:
        failed = sum(t.feedback is not None and not t.measured for t in self.trials)
        told = f"{len(self.measured)} measured so far" + (f" and {failed} that failed" if failed else "")
        told += f", {len(self.trials.pending)} being measured" if self.trials.pending else ""
        left, rounds = self.trials.evaluations_left, self.rounds_left
        if left is None:
            return f"{told}."
        return f"{told}, {left} left: {rounds} round{'s' * (rounds != 1)} of up to {self.trials.proposals}."

    def _limiting(self, trial: Trial) -> str:
        return cell(self.trials.insight.limiting_in(trial.feedback)) if trial.feedback else ""

    def _own_errors(self) -> str:
        """Say how well the model's latest predictions held: what it knew less of the search tells nothing now."""
        foretold = [t for t in self.trials if t.measured and t.proposer == self.name and t.expected is not None]
        own = forecasts(foretold[-_FORECASTS:]).get(self.name)
        if own is None or own.count < 2:
            return ""
        which = "hopeful" if own.bias > 0 else "cautious"
        bias = f", too {which} by {self.cells.loss(abs(own.bias))}" if abs(own.bias) > own.error / 4 else ""
        return f"Your last {own.count} expected losses were off by {self.cells.loss(own.error)} on average{bias}."

    def _noise(self) -> str:
        """Say how far two measurements of the same value lay apart in this run."""
        good = self.measured[: (len(self.measured) + 1) // 2]  # a bad start may err by more, or less, than leaders do
        apart = noise(good)
        if apart is None or apart.pairs < 2:
            return ""
        return (
            f"Noise as measured in this run: {apart.pairs} good values that were measured again with care (the first "
            f"figure is in brackets) came out {self.cells.change(apart.shift)} on average, with a standard deviation "
            f"of {self.cells.loss(apart.sd)}."
        )

    def _advice(self) -> str:
        """Say what the advice of the simulator's own reports was worth so far."""
        return one_line(self.trials.insight.advice_in(self.trials))

    # -- what was learnt, what waits ---------------------------------------------------------------

    def _changes(self, room: int) -> list[str]:
        """Tell what changes that were made more than once did to the loss."""
        several: dict[str, list[tuple[Trial, float]]] = {}
        for name, made in changes(self.trials).items():
            several.setdefault(one_line(name), []).extend(made)
        lines = []
        for name in sorted(several, key=lambda name: (-len(several[name]), fmean(d for _, d in several[name]), name)):
            latest = several[name][-_MOST_SEEN:]
            more = f" and {len(several[name]) - len(latest)} earlier" if len(several[name]) > len(latest) else ""
            did = ", ".join(f"{self.cells.change(change)} (#{trial.number})" for trial, change in latest)
            lines.append(f"{cut(name)}: {did}{more}")
        return _listed("CHANGES MADE TWICE OR MORE, and what each did to the loss", lines, room)

    def _unusable(self, room: int) -> list[str]:
        """List the latest values that gave no measurement, with the reason."""
        without = [t for t in self.trials if t.state in (State.INVALID, State.FAILED)]
        latest = [t for t in without if t.value or t.round >= self.last_round][-_MOST_UNUSABLE:]
        lines = [
            (f"#{t.number} {value_of(t)}: " if t.value else f"#{t.number}: ")
            + cut(one_line(t.decision), _LONGEST_REASON)
            for t in reversed(latest)
        ]
        title = f"COULD NOT BE MEASURED ({len(without)} in all), the latest first; do not propose them again"
        return _listed(title, lines, room)

    def _waiting(self, room: int) -> list[str]:
        """List the ideas that nobody measured so far, as they rank, with the reason."""
        ideas = self.trials.ideas
        reasons = Counter(idea.why for idea in ideas)
        usual = max(reasons, key=reasons.__getitem__, default="")  # said once
        lines = [self._idea(place, idea, why=idea.why != usual) for place, idea in enumerate(ideas, 1)]
        why = f": {cell(usual)}" + (", where no other reason stands" if len(reasons) > 1 else "")
        family = ["family"] if self.trials.insight.family else []
        head = ["rank", "predicted from the tables", "expected by its proposer", *family, "value"]
        return _listed(
            f"IDEAS THAT WAIT ({len(lines)}){why}. They are ranked anew each round: do not propose them again",
            lines,
            room,
            " | ".join(head),
        )

    def _idea(self, place: int, idea: Idea, *, why: bool) -> str:
        outlook = f"{self.cells.loss(idea.outlook.loss)} +- {self.cells.loss(idea.outlook.sd)}" if idea.outlook else "-"
        proposal = idea.proposal
        cells = [f"{idea.rank or place}", outlook, self.cells.loss(proposal.expected) or "-"]
        if self.trials.insight.family:
            cells.append(self.cells.family(proposal.value, _LONGEST_FAMILY))
        cells.append(as_cell(proposal.value, proposal.edit, proposal.reason))
        return " | ".join([*cells, cell(idea.why)] if why else cells)

    def _pending(self, room: int) -> list[str]:
        """List what is being measured now."""
        lines = []
        for trial in self.trials.pending:
            expected = f", {self.cells.loss(trial.expected)} expected" if trial.expected is not None else ""
            made = f"from {trial.parent}" if trial.parent is not None else "new"
            lines.append(f"#{trial.number} ({made}{expected}): {value_of(trial)}")
        return _listed("BEING MEASURED NOW: the next page tells what came", lines, room)

    # -- whole texts -------------------------------------------------------------------------------

    def _leader(self, room: int) -> list[str]:
        """Show the best value, where no table does."""
        best = self.trials.best
        if best is None or not is_long(best.value):
            return []
        return [prompts.section(f"THE VALUE OF #{best.number}, the best so far", shortened(best.value, room))]

    def _report(self, room: int) -> list[str]:
        """Show one report that is new, with its value where no table and no other part has it."""
        shown = self._shown
        if shown is None or shown.trial.feedback is None:
            return []
        trial, text = shown.trial, shown.trial.feedback.text
        changed = self._difference(trial, room // 3)
        limiting = "" if trial is self.trials.best else self._limiting(trial)
        limits = f"What limits it: {limiting}.\n" if limiting else ""
        room -= tokens("\n".join(changed)) + tokens(limits) + 40
        return [*changed, prompts.section(_report_title(shown), limits + shortened(text, room))]

    def _once_more(self, room: int) -> list[str]:
        """Show the report on the best value too, where both fit: whoever reads it remembers no earlier page."""
        best = self.trials.best
        if best is None or best.feedback is None or self._shown is None or self._shown.trial.number == best.number:
            return []
        title = _report_title(Shown(best, "the best so far, once more"))
        report = prompts.section(title, best.feedback.text)
        return [report] if _length([report]) <= room else []

    def _others(self, room: int) -> list[str]:
        """Show the best values of other families, and after them other good ones, where no table does."""
        known = {trial.number for trial in (self.trials.best, self._shown and self._shown.trial) if trial}
        leaders: dict[str, Trial] = {}
        for trial in self.measured:
            leaders.setdefault(self.trials.family(trial.value), trial)
        order = {trial.number: trial for trial in (*leaders.values(), *self.measured)}.values()
        others = [trial for trial in order if trial.number not in known and is_long(trial.value)]
        parts = [
            prompts.section(f"THE VALUE OF #{t.number}, {told(t, self.trials.loss)}", t.value)
            for t in others[:_MOST_OTHERS]
        ]
        while parts and _length(parts) > room:
            parts.pop()
        return parts

    def _difference(self, trial: Trial, room: int) -> list[str]:
        """Show in which lines a value differs from the best one."""
        best = self.trials.best
        if best is None or best.number == trial.number or not is_long(trial.value):
            return []
        lines = "\n".join(changed_lines(best.value, trial.value, context=1))
        return [prompts.section(f"#{trial.number} AGAINST #{best.number}, line by line", shortened(lines, room))]


def opening(
    trials: Trials, room: int, answer: str = "", constraints: Sequence[str] = (), examples: Sequence[str] = ()
) -> str:
    """Write what a question begins with, the same in every round: the task, the setting, rules, how to answer and read.

    A setting that is long comes last, and in the first questions only.

    Args:
        trials: Their task and insight are used.
        room: Tokens that the whole question may take.
        answer: How to answer; "" where that comes later.
        constraints: What a new value must satisfy.
        examples: Values or edits to learn from.
    """
    setting = trials.insight.setting
    cheap = tokens(setting[: 16 * room]) <= room * _CHEAP_SETTING
    parts = [prompts.section("TASK", shortened(trials.task, int(room * _TASK)))] if trials.task else []
    if setting and cheap:
        parts.append(prompts.section("SETTING", setting))
    parts += [shortened(rule, int(room * _RULES)) for rule in prompts.rules(constraints, examples)]
    parts += [prompts.section("HOW TO ANSWER", answer)] if answer else []
    reading = f"{prompts.READING} {prompts.READING_FAMILIES}" if trials.insight.family else prompts.READING
    parts += [prompts.section("HOW TO READ THE TABLES", reading)] if tokens(reading) <= room * _READING else []
    if setting and not cheap and not any(t.round and t.measured for t in trials):
        parts.append(prompts.section("SETTING", shortened(setting, int(room * _SETTING))))
    return "\n\n".join(parts)


def _length(parts: Sequence[str]) -> int:
    """Estimate the tokens of parts, with what stands between them."""
    return sum(tokens(part) + 2 for part in parts)


def _report_title(shown: Shown) -> str:
    return f"THE SIMULATOR'S REPORT ON #{shown.trial.number}, loss {figure(shown.trial.loss)} ({shown.why})"


def _listed(title: str, lines: Sequence[str], room: int, head: str = "") -> list[str]:
    """Put as many lines under a title as there is room for, and say how many are left out."""
    room -= tokens(title) + tokens(head) + 12
    kept: list[str] = []
    for line in lines:
        room -= tokens(line)
        if room < 0:
            break
        kept.append(line)
    if not kept:
        return []
    left_out = [f"and {len(lines) - len(kept)} more"] if len(kept) < len(lines) else []
    return [prompts.section(title, "\n".join([*([head] if head else []), *kept, *left_out]))]
