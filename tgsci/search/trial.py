"""Proposals and trials: a new value with its reason, and what became of it."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import overload

from ..basics import checks
from ..basics.texts import figure, literal, well_formed
from ..errors import InvalidValue, UsageError
from ..feedback import Feedback
from ..loss import Loss
from .insight import Insight


class State(StrEnum):
    """What became of a proposal."""

    PENDING = "pending"  # valid and new, not yet judged
    ACCEPTED = "accepted"  # better than everything before it
    REJECTED = "rejected"  # measured, and not better
    DUPLICATE = "duplicate"  # proposed before; not measured again
    INVALID = "invalid"  # no usable value in the reply, or the loss refuses it
    FAILED = "failed"  # the simulator could not measure it


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of a value before it is measured.

    Args:
        loss: Expected loss, in the loss's unit.
        sd: Standard deviation of what is expected, same unit.
    """

    loss: float
    sd: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """A new value, not yet measured.

    Args:
        value: The value as proposed.
        reason: Why it should be better, in a sentence; kept with the trial for good.
        parent: Number of the trial it was made from.
        edit: Name of the change, where it has one ("add a fluorine").
        fault: Why there is no usable value; the trial is then recorded as invalid.
        expected: The loss that the proposer expects; None where it says nothing.
        role: What it is for in its round: "refine", "combine" or "new"; "" where nobody said.

    Raises:
        UsageError: A field is of another type.
    """

    value: str
    reason: str = ""
    parent: int | None = None
    edit: str = ""
    fault: str | None = None
    expected: float | None = None
    role: str = ""

    def __post_init__(self) -> None:
        for name in ("value", "reason", "edit", "role"):
            if not isinstance(getattr(self, name), str):
                raise UsageError(f"the {name} of a proposal is text, not {literal(getattr(self, name))}")
        if not isinstance(self.fault, str | None):
            raise UsageError(f"the fault of a proposal is text or None, not {literal(self.fault)}")
        if self.parent is not None:
            object.__setattr__(self, "parent", checks.whole("the parent of a proposal", self.parent, 0))
        if self.expected is not None:
            object.__setattr__(self, "expected", checks.number("the loss that a proposal expects", self.expected))


@dataclass(frozen=True, slots=True)
class Idea:
    """A proposal that is in the pool: valid and new, and not chosen yet.

    Args:
        proposal: Its value is canonical.
        proposer: Who had it.
        round: The round of proposals that it was asked for.
        outlook: What the domain expects of it; None where it cannot tell.
        rank: Its place in the pool when that was last ranked, from 1; 0 before.
        why: Why it was not measured so far, in a few words.
    """

    proposal: Proposal
    proposer: str
    round: int
    outlook: Outlook | None = None
    rank: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """A proposal and what became of it.

    Args:
        number: 0 for the first start value, then in the order of proposal.
        round: The round of proposals it belongs to; 0 holds the start values.
        value: Canonical where it is valid, else as proposed.
        proposer: The engine's or rule editor's name.
        state: What became of it.
        decision: Why, in words.
        feedback: The measurement that counts; None where there was none.
        seconds: Wall time of the measurement, s.
        expected: The loss that its proposer expected; None where it said nothing.
        role: What it was proposed for: "refine", "combine", "new", or "".
        contrast: What the change did against the parent, as the domain sees it; "" where there is nothing to say.
        first: The quicker measurement that came before, where `feedback` is a careful one; else None.
    """

    number: int
    round: int
    value: str
    reason: str = ""
    parent: int | None = None
    edit: str = ""
    proposer: str = ""
    state: State = State.PENDING
    decision: str = ""
    feedback: Feedback | None = None
    seconds: float = 0.0
    expected: float | None = None
    role: str = ""
    contrast: str = ""
    first: Feedback | None = None

    def unmeasured(self) -> Trial:
        """Take a trial as it was before it was measured and judged."""
        if self.state in (State.INVALID, State.DUPLICATE):
            return self
        return replace(self, state=State.PENDING, decision="", feedback=None, seconds=0.0, contrast="", first=None)

    def with_care(self, careful: Feedback) -> Trial:
        """Let a careful measurement count in place of the first one; where it failed, the first one stays."""
        return replace(self, feedback=careful, first=self.feedback) if careful.measured else self

    @property
    def loss(self) -> float:
        """The loss, or nan where there is none."""
        return self.feedback.loss if self.feedback and self.feedback.loss is not None else float("nan")

    @property
    def pending_note(self) -> str:
        """A note for a trial that is measured and not judged yet, to stand after its number; "" once it is judged."""
        return " (not judged yet: its round is unfinished)" if self.state is State.PENDING else ""

    @property
    def measured(self) -> bool:
        """True where there is a loss to compare."""
        return self.feedback is not None and self.feedback.measured

    @property
    def brief(self) -> str:
        """What a table has room for: the value, or where it takes several lines what was changed in it."""
        return self.value if "\n" not in self.value else self.edit or self.reason or self.value.partition("\n")[0]


class Trials(Sequence[Trial]):
    """Everything that happened so far, as a proposer sees it.

    Args:
        trials: In order of their numbers.
        loss: What they were measured by; None where a record is only looked at.
        task: What is being designed and what is wanted, in words for a model.
        keep_ties: A value exactly as good as the best becomes the best.
        insight: What the domain knows of its values besides their loss.
        evaluations_left: Measurements that the budget has left, those of `pending` taken off; None for no limit.
        proposals: Values that are measured in the round that is asked for.
        ideas: The pool: valid and new values that were not measured, best rank first, with what is expected of each
            and why it waits.
        pending: The round that is being measured right now, without its measurements. Its numbers go on from those
            of `trials`, so that a proposal may name one of them as its parent.
    """

    def __init__(
        self,
        trials: Iterable[Trial],
        loss: Loss | None = None,
        task: str = "",
        *,
        keep_ties: bool = False,
        insight: Insight | None = None,
        evaluations_left: int | None = None,
        proposals: int = 1,
        ideas: Sequence[Idea] = (),
        pending: Sequence[Trial] = (),
    ) -> None:
        self.loss = loss
        self.task = task
        self.keep_ties = keep_ties
        self.insight = insight or Insight()
        self.evaluations_left = evaluations_left
        self.proposals = proposals
        self.ideas = ideas
        self.pending = pending
        #: The trial nothing else beats: feasible first, then less violation, then lower loss.
        self.best: Trial | None = None
        self._trials: list[Trial] = []
        #: Canonical value -> position of the first trial that holds it, passing failures aside.
        self._first: dict[str, int] = {}
        #: Values that the loss accepted since the last trial, each as the loss returned it.
        self._checked: dict[str, str] = {}
        # Kept up to date, so that a round of a long run costs no more than one of a short run.
        self._ranked: list[tuple[float, float, int, int]] = []
        self._children: dict[int, list[int]] = {}
        self._unusable: list[int] = []
        #: Names that the insight gave: of families by value, of changes by the values of parent and child.
        self._families: dict[str, str] = {}
        self._changes: dict[tuple[str, str], str] = {}
        for trial in trials:
            self.append(trial)

    def before(
        self, round: int, *, evaluations_left: int | None = None, proposals: int = 1, ideas: Sequence[Idea] = ()
    ) -> Trials:
        """Copy what was known before a round; the trials of that round are `pending` in the copy.

        Who is asked while the round is measured gets this, whenever it is asked: what was measured meanwhile, or before
        a run was stopped, is not in it.
        """
        view = Trials(
            (trial for trial in self if trial.round < round),
            self.loss,
            self.task,
            keep_ties=self.keep_ties,
            insight=self.insight,
            evaluations_left=evaluations_left,
            proposals=proposals,
            ideas=tuple(ideas),
            pending=tuple(trial.unmeasured() for trial in self if trial.round >= round),
        )
        view._families, view._changes = self._families, self._changes
        return view

    def family(self, value: str) -> str:
        """Name the family of a value; "" where the domain knows none."""
        if self.insight.family is None:
            return ""
        if value not in self._families:
            self._families[value] = self.insight.family_of(value)
        return self._families[value]

    def change(self, trial: Trial) -> str:
        """Name what a trial changed in its parent; "" where the domain has no name for it."""
        if self.insight.change is None or trial.parent is None or not 0 <= trial.parent < len(self._trials):
            return ""
        values = self._trials[trial.parent].value, trial.value
        if values not in self._changes:
            self._changes[values] = self.insight.change_between(*values)
        return self._changes[values]

    def append(self, trial: Trial) -> None:
        """Add the next trial."""
        self._checked.clear()
        if trial.state not in (State.INVALID, State.DUPLICATE) and self.find(trial.value) is None:
            self._first[trial.value] = len(self._trials)
        if trial.parent is not None:
            self._children.setdefault(trial.parent, []).append(len(self._trials))
        self._trials.append(trial)
        self._consider(trial)

    def update(self, trial: Trial) -> None:
        """Put what became of a trial in the place of what was known of it; one that was measured stays measured."""
        before = self._trials[trial.number]
        self._trials[trial.number] = trial
        if before.measured and self._rank(before) != self._rank(trial):  # it was measured with care since
            self._ranked.remove((*self._rank(before), trial.number))
            insort(self._ranked, (*self._rank(trial), trial.number))
            self.best = self._trials[self._ranked[0][-1]]
        self._consider(trial, before.measured)

    def _consider(self, trial: Trial, known: bool = False) -> None:
        if trial.state in (State.INVALID, State.FAILED) and trial.value:
            insort(self._unusable, trial.number)
        if trial.measured and not known:
            insort(self._ranked, (*self._rank(trial), trial.number))
        if trial.measured and (self.best is None or self._rank(trial) <= self._rank(self.best)):
            self.best = trial

    def beats(self, trial: Trial, best: Trial | None) -> bool:
        """True where a later trial should replace the best so far. What could not be measured never does."""
        return trial.measured and (best is None or self._rank(trial) < self._rank(best))

    def _rank(self, trial: Trial) -> tuple[float, float, int]:
        """Rank a trial in the order of `is_better`; of equals the first is best, or the last where ties are kept."""
        violation = trial.feedback.violation if trial.feedback else 0.0
        return violation, trial.loss, -trial.number if self.keep_ties else trial.number

    def last_round(self) -> list[Trial]:
        """List the trials of the latest round, in order."""
        first = len(self._trials)
        while first and self._trials[first - 1].round == self._trials[-1].round:
            first -= 1
        return self._trials[first:]

    @overload
    def __getitem__(self, index: int) -> Trial: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Trial]: ...
    def __getitem__(self, index: int | slice) -> Trial | Sequence[Trial]:
        return self._trials[index]

    def __len__(self) -> int:
        return len(self._trials)

    def __iter__(self) -> Iterator[Trial]:
        return iter(self._trials)

    def ranked(self, most: int | None = None) -> list[Trial]:
        """List the measured trials, best first; equals by their numbers, the last one first where ties are kept.

        Args:
            most: How many; None for all of them.
        """
        return [self._trials[number] for *_, number in self._ranked[:most]]

    def unsuccessful(self, most: int = 8) -> list[Trial]:
        """List the latest trials that did not help, oldest first: edits of the best, and what could not be measured."""
        children = map(
            self._trials.__getitem__, reversed(self._children.get(self.best.number, []) if self.best else [])
        )
        rejected = islice((trial for trial in children if trial.state is State.REJECTED), most)
        unusable = map(self._trials.__getitem__, self._unusable[-most:])
        return sorted([*rejected, *unusable], key=lambda trial: trial.number)[-most:]

    def find(self, value: str) -> Trial | None:
        """Find the trial that holds this canonical value.

        None if nobody proposed it, or if it failed for a passing reason only: it may be proposed again.
        """
        position = self._first.get(value)
        if position is None:
            return next(
                (trial for trial in self.pending if trial.value == value and trial.state is State.PENDING), None
            )
        trial = self._trials[position]
        passing = trial.state is State.FAILED and trial.feedback is not None and trial.feedback.transient
        return None if passing else trial

    def check(self, value: str) -> str:
        """Check a new value. Proposers call this; what it returns is not validated again on its way to the loss.

        Returns:
            The canonical value, as the loss's `validate` returned it.

        Raises:
            InvalidValue: The loss refuses it, or it was proposed before (and what came of it then).
        """
        canonical = self.canonical(value)
        seen = self.find(canonical)
        if seen is not None:
            outcome = f"loss {figure(seen.loss)}" if seen.measured else seen.state.value
            raise InvalidValue(f"proposed before as trial {seen.number}: {outcome}")
        return canonical

    def canonical(self, value: str) -> str:
        """Bring a value, new or not, to its canonical form; each is validated once until the next trial is added.

        Raises:
            InvalidValue: The loss refuses it.
        """
        if value not in self._checked:
            canonical = canonical_value(self.loss, value) if self.loss else value
            self._checked[canonical] = canonical
            return canonical
        return self._checked[value]


def canonical_value(loss: Loss, value: str) -> str:
    """Check a value by the loss's `validate`; return what it returns.

    Raises:
        InvalidValue: The loss refuses it, or it cannot be stored.
        TypeError: `validate` returned no text.
    """
    canonical = loss.validate(value)
    if not isinstance(canonical, str):
        raise TypeError(f"{loss.name or type(loss).__name__}.validate must return the value, not {canonical!r}")
    if well_formed(canonical) != canonical:
        raise InvalidValue("it holds characters that are no valid Unicode (lone surrogates)")
    return canonical


def of_each(ranked: Sequence[Trial], name: Callable[[str], str], count: int, most: int = 2) -> list[Trial]:
    """Take the best trials, of values that are near-twins only so many while there are others.

    Args:
        ranked: The best first.
        name: Gives near-twins the same name; "" for a value that has none.
        count: How many trials.
        most: Of one name.
    """
    taken: Counter[str] = Counter()
    chosen: list[Trial] = []
    others: list[Trial] = []
    for trial in ranked:
        mine = name(trial.value)
        taken[mine] += bool(mine)
        (chosen if taken[mine] <= most else others).append(trial)
        if len(chosen) == count:
            break
    return [*chosen, *others][:count]
