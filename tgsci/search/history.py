"""History: everything that a search measured, as tables that fit: rows, brief rows, and families for what has none."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from ..basics.texts import figure, one_line
from ..prompts import section, tokens
from .cells import SHORT, Cells, broken, cell, cut, short, told, value_of
from .trial import Trial, Trials

#: Rounds whose trials are shown whole.
RECENT_ROUNDS = 2
#: Longest text on what came of a trial of these rounds, characters.
_WHOLE = 320
#: Rows at most: with more, a long search would ask for much longer prompts than a short one.
_MOST_ROWS = 50
#: Best trials, of which the tables tell what their change did; of surprises too.
_MOST_TOLD, _MOST_FAILURES = 5, 3
#: Leaders of families that the tables show whatever their rank.
_MOST_FAMILIES = 8
#: Tokens of the titles and heads of the tables, and of the line on all other families.
_TITLES, _REST = 150, 75
#: Longest name of a family that goes by a number, where the number is explained.
_LONGEST_NAME = 240


class History:
    """The tables of a search.

    Args:
        trials: What was measured.
        cells: Writes their figures.
        several_lines: Values are told by their changes.
    """

    def __init__(self, trials: Trials, cells: Cells, *, several_lines: bool) -> None:
        self.trials, self.cells = trials, cells
        self.measured = trials.ranked()
        self.value = "what was changed" if several_lines else "value"
        last = trials[-1].round if len(trials) else 0
        self.recent = [t for t in trials if t.measured and t.round > max(0, last - RECENT_ROUNDS)]
        self._title = "THE LAST ROUND" if last < RECENT_ROUNDS else f"THE LAST {RECENT_ROUNDS} ROUNDS"
        #: True where somebody said of a recent trial what it is for, or which loss to expect.
        self._foretold = any(t.role or t.expected is not None for t in self.recent)

    def write(self, room: int, for_families: int) -> list[str]:
        """Write the measured trials: the last rounds whole, the others best first, and by families what has no row.

        Args:
            room: Tokens for all of it.
            for_families: Tokens of these for the families.
        """
        whole, brief = self._rows(room - for_families - _TITLES)
        now = {t.number: whole[t.number] for t in self.recent if t.number in whole}
        then = [whole[t.number] for t in self.measured if t.number in whole and t.number not in now]
        others = [brief[t.number] for t in self.measured if t.number in brief]
        parts = []
        if now:
            parts.append(section(self._title, "\n".join([self._head(whole=True), *now.values()])))
        if then:
            title = "EARLIER, best first" if now else "MEASURED, best first"
            parts.append(section(title, "\n".join([self._head(whole=False), *then])))
        if others:
            parts.append(section("MORE IN BRIEF, best first", "\n".join([f"# | loss | {self.value}", *others])))
        return parts + self._families({*whole, *brief}, for_families)

    def _rows(self, room: int) -> tuple[dict[int, str], dict[int, str]]:
        """Write rows while there is room, by the numbers of the trials: whole ones, and brief ones for the others."""
        new = {t.number for t in self.recent}
        leaders = [members[0] for members in self._members().values()][:_MOST_FAMILIES]
        explained = {t.number: t for t in (*self.measured[:_MOST_TOLD], *self._failures())}
        important = {t.number: t for t in (*self.measured[:1], *reversed(self.recent), *explained.values())}
        order = list((important | {t.number: t for t in (*leaders, *self.measured)}).values())[:_MOST_ROWS]
        whole: dict[int, str] = {}
        brief: dict[int, str] = {}
        for trial in order:
            longest = _WHOLE if trial.number in new else SHORT if trial.number in explained else 0
            whole[trial.number] = self._row(trial, longest, whole=trial.number in new)
        if len(order) < len(self.measured) or sum(map(tokens, whole.values())) > room:
            for trial in order:
                if trial.number not in important:
                    del whole[trial.number]
                    brief[trial.number] = f"{trial.number} | {told(trial, self.trials.loss, '')} | {value_of(trial)}"
        for rows in (whole, brief):
            for number in list(rows):
                room -= tokens(rows[number])
                if room < 0:
                    del rows[number]
        return whole, brief

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
        own = ["role", "expected"] if whole and self._foretold else []
        return " | ".join(["#", *family, "loss", *own, *keys, "from", "change of loss", self.value, "what came of it"])

    def _row(self, trial: Trial, longest: int, *, whole: bool) -> str:
        """Write a trial as a row; of what its change did so many characters."""
        assert trial.feedback is not None
        cells = [f"{trial.number}"]
        if self.trials.insight.family:
            cells.append(self.cells.family(trial.value))
        quick = f" (first {figure(trial.first.loss)})" if trial.first and trial.first.measured else ""
        cells.append(figure(trial.loss) + quick)
        if whole and self._foretold:
            cells += [trial.role or "-", self.cells.loss(trial.expected) or "-"]
        cells += [self.cells.metric(name, trial.feedback.metrics.get(name)) for name in self.trials.insight.key_columns]
        parent = self._parent(trial)
        cells += [f"{parent.number}", self.cells.change(trial.loss - parent.loss)] if parent else ["-", "-"]
        return " | ".join([*cells, value_of(trial), self._came_of_it(trial, longest)])

    def _came_of_it(self, trial: Trial, longest: int) -> str:
        """Say which limits a trial breaks, and what its change did."""
        limits = "; ".join(broken(trial, self.trials.loss))
        contrast = "; ".join(one_line(line).rstrip(" .;") for line in trial.contrast.splitlines() if line.strip())
        did = cut(contrast, longest) if longest else ""
        return "; ".join(filter(None, [cut(limits), did]))

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
        room -= _REST  # for the line on the rest
        for name, members in self._members().items():
            count = sum(t.number not in shown for t in members)
            if len(members) == 1 and not count and name not in self.cells.numbered:
                continue  # its row says it all
            spread = f"{self.cells.family(members[0].value)}: {_spread(members)}{_without_row(count)}"
            line = f"{spread}; {cell(name, _LONGEST_NAME)}" if name in self.cells.numbered else spread
            room -= tokens(line)
            if room < 0:
                rest += members
            else:
                lines.append(line)
        if rest:
            count = sum(t.number not in shown for t in rest)
            families = len({self.trials.family(t.value) for t in rest})
            lines.append(f"{families} more families: {_spread(rest)}{_without_row(count)}")
        return [section("FAMILIES", "\n".join(lines))] if lines else []


def _spread(trials: Sequence[Trial]) -> str:
    """Condense trials: how many, the best, the middle and the worst."""
    best, losses = trials[0], [t.loss for t in trials]
    if len(trials) == 1:
        return f"1 measured, {figure(best.loss)} (#{best.number})"
    return (
        f"{len(trials)} measured, best {figure(best.loss)} (#{best.number}), median {short(median(losses))}, "
        f"worst {short(max(losses))}"
    )


def _without_row(hidden: int) -> str:
    return f"; {hidden} not in the tables" if hidden else ""
