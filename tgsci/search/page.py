"""Page: what a model sees of a search. The whole history in a bounded number of tokens, from the trials alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median

from .. import prompts
from ..basics.diff import changed_lines
from ..basics.texts import counts, figure, fixed, one_line, places
from ..prompts import shortened, tokens
from .reports import Shown, choose_report
from .standing import STALLED, changes, forecasts, noise, rounds_without_gain
from .trial import Idea, State, Trial, Trials

#: Tokens of a question, and the fewest that a page of use fits in; the share that is kept for what a second try adds.
PROMPT_TOKENS, FEWEST_TOKENS, RETRY_SHARE = 8_000, 2_000, 0.08
#: Rounds whose trials are shown whole.
RECENT_ROUNDS = 2
#: Shares of the page that its parts may take; the tables get what is left.
_REPORT, _LEADER, _FAMILIES, _CHANGES, _UNUSABLE, _WAITING, _PENDING = 0.35, 0.25, 0.08, 0.06, 0.06, 0.08, 0.05
#: Shares of a question that may go to the task, to a setting in every question, to one in the first, and to each rule.
_TASK, _CHEAP_SETTING, _SETTING, _RULES = 0.3, 0.1, 0.25, 0.08
#: Longest cells of a table, characters: what came of a trial of the last rounds, of an earlier one, and names.
_WHOLE_CELL, _SHORT_CELL, _LONGEST_NAME = 320, 110, 24
#: A longer value, or one of several lines, is told by its change.
_LONGEST_VALUE, _LONGEST_CHANGE = 240, 160
#: Rows of the tables at most: with more, a long search would ask for much longer prompts than a short one.
_MOST_ROWS = 50
#: Leaders of families and surprises that the tables show whatever their rank.
_MOST_FAMILIES, _MOST_FAILURES = 8, 3
#: Best trials, of which the tables tell what their change did; of surprises too.
_MOST_TOLD = 5
#: Latest values that could not be measured; figures of a change that was made more often.
_MOST_UNUSABLE, _MOST_SEEN = 8, 8
#: Tokens of the titles and heads of the tables.
_TITLES = 150


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
        #: True where somebody said of a trial of the last rounds what it is for, or which loss to expect.
        self._told = False
        self._decimals = _decimals([t.loss for t in self.measured])
        self._metrics = {name: self._usual(name) for name in trials.insight.key_columns}
        self._labels = self._numbered()
        #: True where nothing but the start was measured.
        self.begins = not any(t.round and t.measured for t in trials)
        #: True where a value is no line of a table: it is told by its change, and the leader's is shown once.
        self.several_lines = any(_is_long(t.value) for t in trials[:1])

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
        after = [
            *self._changes(int(room * _CHANGES)),
            *self._unusable(int(room * _UNUSABLE)),
            *self._waiting(int(room * _WAITING)),
            *self._pending(int(room * _PENDING)),
            *self._leader(int(room * _LEADER)),
            *self._report(int(room * _REPORT)),
        ]
        left = room - sum(tokens(part) + 2 for part in (standing, *after))
        return "\n\n".join([standing, *self._tables(left, int(room * _FAMILIES)), *after])

    # -- where the search stands -------------------------------------------------------------------

    def _standing(self) -> str:
        best = self.trials.best
        lines = [self._budget()]
        if best is not None:
            found = "the start" if best.round == 0 else f"round {best.round}"
            lines.append(f"The best is #{best.number} of {found}: {_told(best)}.")
            limiting = self._limiting(best)
            if limiting:
                lines.append(f"What limits it: {limiting}.")
        if self.stalled:
            since = f"{self.stalled} rounds" if self.stalled > 1 else "one round"
            stalled = ": the present lines have stalled" if self.stalled >= STALLED else ""
            lines.append(f"No gain for {since}{stalled}.")
        return "\n".join(filter(None, [*lines, self._own_errors(), self._noise()]))

    def _budget(self) -> str:
        failed = sum(t.feedback is not None and not t.measured for t in self.trials)
        told = f"{len(self.measured)} measured so far" + (f" and {failed} that failed" if failed else "")
        told += f", {len(self.trials.pending)} being measured" if self.trials.pending else ""
        left, rounds = self.trials.evaluations_left, self.rounds_left
        if left is None:
            return f"{told}."
        return f"{told}, {left} left: {rounds} round{'s' * (rounds != 1)} of up to {self.trials.proposals}."

    def _limiting(self, trial: Trial) -> str:
        limiting = self.trials.insight.limiting
        return _cell(limiting(trial.feedback), _SHORT_CELL) if limiting and trial.feedback else ""

    def _own_errors(self) -> str:
        """Say how well the model's own predictions held."""
        own = forecasts(self.measured).get(self.name)
        if own is None or own.count < 2:
            return ""
        which = "hopeful" if own.bias > 0 else "cautious"
        bias = f", too {which} by {self._loss(abs(own.bias))}" if abs(own.bias) > own.error / 4 else ""
        return f"Your expected losses were off by {self._loss(own.error)} on average ({own.count} values{bias})."

    def _noise(self) -> str:
        """Say how far two measurements of the same value lay apart in this run."""
        apart = noise(self.measured)
        if apart is None or apart.pairs < 2:
            return ""
        return (
            f"Noise as measured in this run: {apart.pairs} values that were measured again with care (the first figure "
            f"is in brackets) came out {self._change(apart.shift)} on average, with a standard deviation of "
            f"{self._loss(apart.sd)}."
        )

    # -- tables ------------------------------------------------------------------------------------

    def _tables(self, room: int, for_families: int) -> list[str]:
        """Write the measured trials: the last rounds whole, the others best first, and by families what has no row."""
        first = self.last_round - RECENT_ROUNDS + 1
        recent = [t for t in self.trials if t.measured and t.round >= max(first, 1)]
        self._told = any(t.role or t.expected is not None for t in recent)
        whole, brief = self._rows(recent, room - for_families - _TITLES)
        now = {t.number: whole[t.number] for t in recent if t.number in whole}
        then = [whole[t.number] for t in self.measured if t.number in whole and t.number not in now]
        others = [brief[t.number] for t in self.measured if t.number in brief]
        parts = []
        if now:
            title = "THE LAST ROUND" if self.last_round < RECENT_ROUNDS else f"THE LAST {RECENT_ROUNDS} ROUNDS"
            parts.append(prompts.section(title, "\n".join([self._head(whole=True), *now.values()])))
        if then:
            title = "EARLIER, best first" if now else "MEASURED, best first"
            parts.append(prompts.section(title, "\n".join([self._head(whole=False), *then])))
        if others:
            value = "what was changed" if self.several_lines else "value"
            parts.append(prompts.section("MORE IN BRIEF, best first", "\n".join([f"# | loss | {value}", *others])))
        return parts + self._families({*whole, *brief}, for_families)

    def _rows(self, recent: Sequence[Trial], room: int) -> tuple[dict[int, str], dict[int, str]]:
        """Write rows while there is room, by the numbers of the trials: whole ones, and brief ones for the others."""
        new = {t.number for t in recent}
        leaders = [members[0] for members in self._members().values()][:_MOST_FAMILIES]
        told = [*self.measured[:_MOST_TOLD], *self._failures()]
        important = {t.number: t for t in (*self.measured[:1], *reversed(recent), *told)}
        order = list((important | {t.number: t for t in (*leaders, *self.measured)}).values())[:_MOST_ROWS]
        whole: dict[int, str] = {}
        brief: dict[int, str] = {}
        for trial in order:
            longest = _WHOLE_CELL if trial.number in new else _SHORT_CELL if trial in told else 0
            whole[trial.number] = self._row(trial, longest, whole=trial.number in new)
        if len(order) < len(self.measured) or sum(map(tokens, whole.values())) > room:
            for trial in order:
                if trial.number not in important:
                    del whole[trial.number]
                    brief[trial.number] = f"{trial.number} | {_told(trial, '')} | {_value(trial)}"
        for rows in (whole, brief):
            for number in list(rows):
                room -= tokens(rows[number])
                if room < 0:
                    del rows[number]
        return whole, brief

    def _family(self, value: str) -> str:
        """Name the family of a value as the tables do: by itself, or where that is long by a number that stays."""
        name = self.trials.family(value)
        return self._labels.get(name) or _cell(name, _LONGEST_NAME) or "none"

    def _numbered(self) -> dict[str, str]:
        """Number the families in the order in which they were measured first; only those with a long name count."""
        names = dict.fromkeys(self.trials.family(t.value) for t in self.trials if t.measured)
        return {name: f"F{i}" for i, name in enumerate(names, 1) if len(name) > _LONGEST_NAME}

    def _failures(self) -> list[Trial]:
        """List what disappointed most: against what was expected, else against a good parent."""
        good = {t.number for t in self.measured[: max(3, len(self.measured) // 4)]}
        missed = []
        for trial in self.measured:
            against = trial.expected
            if against is None and trial.parent in good:
                against = self.trials[trial.parent].loss
            if against is not None and trial.loss > against:
                missed.append((against - trial.loss, trial.number))
        return [self.trials[number] for _, number in sorted(missed)[:_MOST_FAILURES]]

    def _members(self) -> dict[str, list[Trial]]:
        """Sort the measured trials into their families, the best family and in each the best trial first."""
        members: dict[str, list[Trial]] = {}
        for trial in self.measured:
            members.setdefault(self.trials.family(trial.value), []).append(trial)
        return members

    def _head(self, *, whole: bool) -> str:
        units = self.trials.loss.units if self.trials.loss else {}
        keys = [f"{name} ({units[name]})" if units.get(name) else name for name in self.trials.insight.key_columns]
        family = ["family"] if self.trials.insight.family else []
        own = ["role", "expected"] if whole and self._told else []
        value = "what was changed" if self.several_lines else "value"
        return " | ".join(["#", *family, "loss", *own, *keys, "from", "change of loss", value, "what came of it"])

    def _row(self, trial: Trial, longest: int, *, whole: bool) -> str:
        """Write a trial as a row; of what its change did so many characters."""
        assert trial.feedback is not None
        cells = [f"{trial.number}"]
        if self.trials.insight.family:
            cells.append(self._family(trial.value))
        quick = f" (first {figure(trial.first.loss)})" if trial.first and trial.first.measured else ""
        cells.append(figure(trial.loss) + quick)
        if whole and self._told:
            cells += [trial.role or "-", self._loss(trial.expected) or "-"]
        cells += [self._metric(name, trial.feedback.metrics.get(name)) for name in self.trials.insight.key_columns]
        parent = self._parent(trial)
        cells += [f"{parent.number}", self._change(trial.loss - parent.loss)] if parent else ["-", "-"]
        return " | ".join([*cells, _value(trial), _came_of_it(trial, longest)])

    def _parent(self, trial: Trial) -> Trial | None:
        """Find the measured trial that this one was made from."""
        if trial.parent is None or not 0 <= trial.parent < trial.number:
            return None
        parent = self.trials[trial.parent]
        return parent if parent.measured else None

    def _families(self, shown: set[int], room: int) -> list[str]:
        """Tell of each family its count, best and spread, and how many of its trials have no row."""
        if not self.trials.insight.family:
            hidden = [t for t in self.measured if t.number not in shown]
            return [f"Not in the tables: {_spread(hidden)}."] if hidden else []
        lines, rest = [], []
        room -= _TITLES // 2  # for the line on the rest
        for name, members in self._members().items():
            count = sum(t.number not in shown for t in members)
            if len(members) == 1 and not count and name not in self._labels:
                continue  # its row says it all
            spread = f"{self._family(members[0].value)}: {_spread(members)}{_without_row(count)}"
            line = f"{spread}; {_cell(name, _LONGEST_VALUE)}" if name in self._labels else spread
            room -= tokens(line)
            if room < 0:
                rest += members
            else:
                lines.append(line)
        if rest:
            count = sum(t.number not in shown for t in rest)
            families = len({self.trials.family(t.value) for t in rest})
            lines.append(f"{families} more families: {_spread(rest)}{_without_row(count)}")
        return [prompts.section("FAMILIES", "\n".join(lines))] if lines else []

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
            did = ", ".join(f"{self._change(change)} (#{trial.number})" for trial, change in latest)
            lines.append(f"{_cut(name, _SHORT_CELL)}: {did}{more}")
        return _listed("CHANGES MADE TWICE OR MORE, and what each did to the loss", lines, room)

    def _unusable(self, room: int) -> list[str]:
        """List the latest values that gave no measurement, with the reason."""
        without = [t for t in self.trials if t.state in (State.INVALID, State.FAILED)]
        latest = [t for t in without if t.value or t.round >= self.last_round][-_MOST_UNUSABLE:]
        lines = [
            (f"#{t.number} {_value(t)}: " if t.value else f"#{t.number}: ") + _cut(one_line(t.decision), _LONGEST_VALUE)
            for t in reversed(latest)
        ]
        title = f"COULD NOT BE MEASURED ({len(without)} in all), the latest first; do not propose them again"
        return _listed(title, lines, room)

    def _waiting(self, room: int) -> list[str]:
        """List the ideas that nobody measured so far, as they rank, with the reason."""
        ideas = self.trials.ideas
        one = {idea.why for idea in ideas}  # said once, where all wait for the same reason
        lines = [self._idea(place, idea, why=len(one) > 1) for place, idea in enumerate(ideas, 1)]
        why = "" if len(one) > 1 else f": {_cell(next(iter(one), ''), _SHORT_CELL)}"
        family = ["family"] if self.trials.insight.family else []
        head = ["rank", "predicted from the tables", "expected by its proposer", *family, "value"]
        return _listed(
            f"IDEAS THAT WAIT ({len(lines)}){why}. They are ranked anew each round: do not propose them again",
            lines,
            room,
            " | ".join([*head, "why it waits"] if len(one) > 1 else head),
        )

    def _idea(self, place: int, idea: Idea, *, why: bool) -> str:
        outlook = f"{self._loss(idea.outlook.loss)} +- {self._loss(idea.outlook.sd)}" if idea.outlook else "-"
        proposal = idea.proposal
        cells = [f"{idea.rank or place}", outlook, self._loss(proposal.expected) or "-"]
        if self.trials.insight.family:
            cells.append(self._family(proposal.value))
        cells.append(_as_cell(proposal.value, proposal.edit, proposal.reason))
        return " | ".join([*cells, _cell(idea.why, _SHORT_CELL)] if why else cells)

    def _pending(self, room: int) -> list[str]:
        """List what is being measured now."""
        lines = []
        for trial in self.trials.pending:
            expected = f", {self._loss(trial.expected)} expected" if trial.expected is not None else ""
            made = f"from {trial.parent}" if trial.parent is not None else "new"
            lines.append(f"#{trial.number} ({made}{expected}): {_value(trial)}")
        return _listed("BEING MEASURED NOW: the next page tells what came", lines, room)

    def _loss(self, value: float | None) -> str:
        """Write a loss that is expected, or how far losses lie apart; "" for none."""
        if value is None:
            return ""
        text = fixed(value, self._decimals)
        return _short(value) if value and float(text) == 0 else text

    def _change(self, value: float) -> str:
        text = self._loss(value)
        return text if text.startswith("-") else f"+{text}"

    def _usual(self, name: str) -> int:
        """Choose the decimals of a metric's column: three digits of what is usual in it."""
        known = [abs(t.feedback.metrics.get(name, math.nan)) for t in self.measured if t.feedback]
        usual = [value for value in known if math.isfinite(value)]
        if counts(usual, self.trials.loss.units.get(name, "") if self.trials.loss else ""):
            return 0
        return places([median(usual)]) - 1

    def _metric(self, name: str, value: float | None) -> str:
        if value is None or math.isnan(value):
            return "-"
        return fixed(value, max(self._metrics[name], 0)) if self._metrics[name] > -2 else _short(value)

    # -- whole texts -------------------------------------------------------------------------------

    def _leader(self, room: int) -> list[str]:
        """Show the best value, where no table does."""
        best = self.trials.best
        if best is None or not _is_long(best.value):
            return []
        return [prompts.section(f"THE VALUE OF #{best.number}, the best so far", shortened(best.value, room))]

    def _report(self, room: int) -> list[str]:
        """Show one report that is new, with its value where no table and no other part has it."""
        shown = choose_report(self.trials)
        if shown is None or shown.trial.feedback is None:
            return []
        trial, text = shown.trial, shown.trial.feedback.text
        changed = self._difference(trial, room // 3)
        limiting = "" if trial is self.trials.best else self._limiting(trial)
        limits = f"What limits it: {limiting}.\n" if limiting else ""
        room -= tokens("\n".join(changed)) + tokens(limits) + 40
        return [*changed, prompts.section(_report_title(shown), limits + shortened(text, room))]

    def _difference(self, trial: Trial, room: int) -> list[str]:
        """Show in which lines a value differs from the best one."""
        best = self.trials.best
        if best is None or best.number == trial.number or not _is_long(trial.value):
            return []
        lines = "\n".join(changed_lines(best.value, trial.value, context=1))
        return [prompts.section(f"#{trial.number} AGAINST #{best.number}, line by line", shortened(lines, room))]


def opening(
    trials: Trials, room: int, answer: str = "", constraints: Sequence[str] = (), examples: Sequence[str] = ()
) -> str:
    """Write what a question begins with, the same in every round: the task, the setting, rules, how to answer.

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
    if setting and not cheap and not any(t.round and t.measured for t in trials):
        parts.append(prompts.section("SETTING", shortened(setting, int(room * _SETTING))))
    return "\n\n".join(parts)


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


def _told(trial: Trial, word: str = "loss ") -> str:
    return f"{word}{figure(trial.loss)}" + "".join(f", {each}" for each in _broken(trial))


def _broken(trial: Trial) -> list[str]:
    violations = trial.feedback.violations if trial.feedback else {}
    return [f"breaks {one_line(name)} by {_short(by)}" for name, by in violations.items() if by > 0]


def _came_of_it(trial: Trial, longest: int) -> str:
    """Say which limits a trial breaks, and what its change did."""
    broken = "; ".join(_broken(trial))
    contrast = "; ".join(one_line(line).rstrip(" .;") for line in trial.contrast.splitlines() if line.strip())
    did = _cut(contrast, longest) if longest else ""
    return "; ".join(filter(None, [_cut(broken, _SHORT_CELL), did]))


def _spread(trials: Sequence[Trial]) -> str:
    """Condense trials: how many, the best, the middle and the worst."""
    best, losses = trials[0], [t.loss for t in trials]
    if len(trials) == 1:
        return f"1 measured, {figure(best.loss)} (#{best.number})"
    return (
        f"{len(trials)} measured, best {figure(best.loss)} (#{best.number}), median {_short(median(losses))}, "
        f"worst {_short(max(losses))}"
    )


def _without_row(hidden: int) -> str:
    return f"; {hidden} not in the tables" if hidden else ""


def _value(trial: Trial) -> str:
    return _as_cell(trial.value, trial.edit, trial.reason)


def _as_cell(value: str, edit: str, reason: str) -> str:
    """Write a value for a table: itself, or where it is long what was changed in it."""
    if not _is_long(value):
        return one_line(value)
    return _cell(edit or reason or value, _LONGEST_CHANGE)


def _is_long(value: str) -> bool:
    return "\n" in value or len(value) > _LONGEST_VALUE


def _cell(text: str, longest: int) -> str:
    return _cut(one_line(text), longest)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3].rstrip()}..."


def _short(value: float | None) -> str:
    """Write a figure with about three digits; "" for none."""
    if value is None or math.isnan(value):
        return ""
    decimals = places([value])
    return fixed(value, decimals - 1 if decimals > 0 else decimals)


def _decimals(losses: Sequence[float]) -> int:
    """Choose the decimals that show how far losses, best first, usually lie apart: two digits of it.

    A third one where the best loss is itself told so exactly.
    """
    if not losses:
        return 2
    size = math.log10(abs(median(losses) - losses[0]) or abs(losses[0]) or 1.0)
    return max(0, math.floor(1.7 - size), min(math.floor(2.7 - size), places(losses[:1]) - 1))
