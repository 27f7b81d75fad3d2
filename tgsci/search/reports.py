"""Reports: which one a model reads next. One a page, and never one again while there is another."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from ..basics.texts import figure
from .trial import Trial, Trials

#: Gains and surprises are news for so many rounds.
_NEWS_ROUNDS = 2
#: A gain counts where it leads to the best third of what is known: to be better than a bad parent is nothing.
_GOOD = 1 / 3


@dataclass(frozen=True, slots=True)
class Shown:
    """A trial whose report is shown, and why just that one, in words."""

    trial: Trial
    why: str


def choose_report(trials: Trials) -> Shown | None:
    """Choose the report that is shown with these trials; None where no trial has one.

    The leader's when it is new; else the newest gain, a surprising failure, the best of another family or the nearest
    miss, whichever kind was shown least; else the best that was not shown yet. What was shown before is worked out
    from the trials: a model is asked once a round.
    """
    showing, chosen = _Showing(trials), None
    for _ in _asks(trials, showing):
        chosen = showing.next()
    return chosen


def _asks(trials: Trials, showing: _Showing) -> Iterator[None]:
    """Go through the questions of the run so far, this one included; before each, tell what was known then."""
    for round, members in groupby(trials, key=lambda t: t.round):
        showing.learn([t for t in members if t.measured and t.feedback and t.feedback.text])
        yield
        if round == 0 and trials.pending:  # asked ahead: the first two questions knew the start alone
            yield


@dataclass
class _Showing:
    """What was known and shown when a model was asked."""

    trials: Trials
    known: dict[int, Trial] = field(default_factory=dict)
    news: list[list[Trial]] = field(default_factory=list)
    shown: set[int] = field(default_factory=set)
    ranks: list[tuple[float, float]] = field(default_factory=list)
    best: Trial | None = None
    best_of: dict[str, Trial] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("gain", "failure", "family", "near"), 0))

    def learn(self, round: list[Trial]) -> None:
        """Add what a round measured."""
        self.news = [*self.news, round][-_NEWS_ROUNDS:]
        for trial in round:
            self.known[trial.number] = trial
            insort(self.ranks, _rank(trial))
            if self.trials.beats(trial, self.best):
                self.best = trial
            family = self.trials.family(trial.value)
            if self.trials.beats(trial, self.best_of.get(family)):
                self.best_of[family] = trial

    def next(self) -> Shown | None:
        """Choose a report and remember that it was shown."""
        if self.best is None:
            return None
        chosen = self._leader() or self._by_kind() or self._unseen() or Shown(self.best, "the best so far, once more")
        self.shown.add(chosen.trial.number)
        return chosen

    def _leader(self) -> Shown | None:
        assert self.best is not None
        return None if self.best.number in self.shown else Shown(self.best, "the best so far")

    def _by_kind(self) -> Shown | None:
        kinds = {"gain": self._gain, "failure": self._failure, "family": self._family, "near": self._near}
        for kind in sorted(kinds, key=lambda kind: self.times[kind]):
            found = kinds[kind]()
            if found is not None:
                self.times[kind] += 1
                return found
        return None

    def _gain(self) -> Shown | None:
        """Find the newest good trial that is better than its parent; of a round, the one that gained most."""
        for round in reversed(self.news):
            gains = []
            for trial in self._new(round):
                parent = self.known.get(trial.parent) if trial.parent is not None else None
                good = bisect_left(self.ranks, _rank(trial)) < _GOOD * len(self.ranks)
                if good and parent and trial.round and self.trials.beats(trial, parent):
                    gains.append((trial.loss - parent.loss, trial.number))
            if gains:
                trial = self.known[min(gains)[1]]
                return Shown(trial, f"the newest gain: better than its parent #{trial.parent}")
        return None

    def _failure(self) -> Shown | None:
        """Find the trial of the last rounds that fell short most of what its proposer expected."""
        news = [trial for round in self.news for trial in self._new(round)]
        missed = [(t.expected - t.loss, t.number) for t in news if t.expected is not None and t.loss > t.expected]
        if not missed:
            return None
        trial = self.known[min(missed)[1]]
        return Shown(trial, f"a surprise: {figure(trial.expected)} was expected")

    def _family(self) -> Shown | None:
        """Find the best of another family than the leader's."""
        assert self.best is not None
        family = self.trials.family(self.best.value)
        others = self._new([trial for name, trial in self.best_of.items() if name != family])
        return Shown(self._first(others), "the best of its family") if others else None

    def _near(self) -> Shown | None:
        """Find the best trial beside the leader, where it is good: what keeps it from leading is worth knowing."""
        good = [t for t in self.known.values() if bisect_left(self.ranks, _rank(t)) < _GOOD * len(self.ranks)]
        others = self._new(good)
        return Shown(self._first(others), "the nearest miss: good, and not the best") if others else None

    def _unseen(self) -> Shown | None:
        """Find the best whose report was not shown."""
        others = self._new(list(self.known.values()))
        return Shown(self._first(others), "the best that you have not seen yet") if others else None

    def _new(self, trials: list[Trial]) -> list[Trial]:
        return [trial for trial in trials if trial.number not in self.shown]

    def _first(self, trials: list[Trial]) -> Trial:
        best = trials[0]
        for trial in trials[1:]:
            best = trial if self.trials.beats(trial, best) else best
        return best


def _rank(trial: Trial) -> tuple[float, float]:
    return (trial.feedback.violation if trial.feedback else 0.0), trial.loss
