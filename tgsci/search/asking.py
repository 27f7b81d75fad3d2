"""Asking: whom a search asks for ideas, and when; what becomes of the answers.

A rule editor is asked when a round begins, with everything known. Whoever takes its time, a model, is asked ahead: for
the next round while this one is measured. It then sees what was known before this round, whenever that is and however
often the run was stopped, so that the same run has the same trials. Where this round meets the goal or the budget of
seconds, that question was in vain; after the last evaluation none is asked.
"""

from __future__ import annotations

import contextvars
import random
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from threading import Thread
from typing import Any

from ..basics.texts import literal, well_formed
from ..engine import Call, Recorder, Reply, recording
from ..errors import EngineError, InvalidValue, UsageError
from .ledger import Ledger
from .options import RunOptions
from .pool import choose
from .proposer import Proposer
from .recorder import Recorders
from .team import Team
from .trial import Idea, Proposal, State, Trial, Trials


class Asking:
    """Has ideas for a search. It keeps no state but the ledger's and what is being thought right now.

    Args:
        ledger: The run's record.
        recorders: Of this session.
        proposer: Has ideas, or a team whose members have.
        options: Budget, proposals, ideas and seed.
        trials: Those of the search.
        report: Tells what goes on.
    """

    def __init__(
        self,
        ledger: Ledger,
        recorders: Recorders,
        proposer: Proposer,
        options: RunOptions,
        trials: Trials,
        report: Callable[[str], None],
    ) -> None:
        self.ledger, self.recorders, self.options, self.trials = ledger, recorders, options, trials
        self.proposer, self.report = proposer, report
        self.members = proposer.members if isinstance(proposer, Team) else (proposer,)
        #: Who is asked while a round is measured, by name.
        self.ahead = {member.name: member for member in self.members if _thinks_ahead(member)}
        self._pool = ledger.ideas() if self.ahead or isinstance(proposer, Team) else None
        self._thoughts: dict[str, Thought] = {}

    @property
    def answered(self) -> bool:
        """True where ideas for the next round are there: they were paid for, so the round is measured."""
        return self._pool is not None and any(self.ledger.asked(self._next).values())

    @property
    def _next(self) -> int:
        return self.trials[-1].round + 1

    def were_asked(self, round: int) -> bool:
        """True where those who are asked now were asked for a round, in the way in which they are asked now."""
        names, asked = {member.name for member in self.members}, self.ledger.asked(round)
        if self._pool is not None:
            return names <= asked.keys()
        return not asked and all(trial.proposer in names for trial in self.trials if trial.round == round)

    # -- asking ahead ------------------------------------------------------------------------------

    def think(self) -> None:
        """Begin to ask for the next round whoever is asked ahead, as it was decided when this round began."""
        if not self.ahead or not self.trials:
            return
        asked = self.ledger.asked(self._next)
        waiting = [n for n in self.ahead if asked.get(n) is False and n not in self._thoughts]
        if not waiting:
            return
        round, number = self._next, len(self.trials)
        left = self._left()
        view = self.trials.before(
            round - 1,
            evaluations_left=left,
            proposals=self._places(left),
            ideas=self._waiting(before=round),
        )
        record = self.recorders.recorder(round)
        for name in waiting:
            self._thoughts[name] = Thought(self.ahead[name], view, self._wanted(left), self._chance(number), record)

    def collect(self) -> Exception | None:
        """Wait for whoever is being asked, and record the ideas.

        Returns:
            What went wrong, if something did: it is raised once it is clear that another round is to come.
        """
        self.think()
        failure: Exception | None = None
        for name in list(self._thoughts):
            thought = self._thoughts[name]
            self.report(f"{name} thinks")
            try:
                proposals = thought.result()
                self._arrive(self.ahead[name], thought.view, proposals)
            except Exception as error:
                failure = failure or error
            del self._thoughts[name]
        return failure

    def end(self, *, wait: bool) -> None:
        """End what is being thought: wait until its replies, which were paid for, are recorded; or leave it."""
        for thought in self._thoughts.values():
            thought.end(wait=wait)
        self._thoughts.clear()

    # -- a round -----------------------------------------------------------------------------------

    def next_round(self) -> list[Trial]:
        """Make the next round of trials, checked, numbered and recorded, not yet measured; none ends the search."""
        left = self._left()
        self.trials.evaluations_left, self.trials.proposals = left, self._places(left)
        if self._pool is None:
            trials = self._all_that_is_proposed()
            self.ledger.add_trials(trials)
            return trials
        self.trials.ideas = self._waiting(before=self._next)
        asked = self.ledger.asked(self._next)
        for member in sorted(self.members, key=lambda member: member.name not in self.ahead):  # the costly ones first
            if not asked.get(member.name):
                n = self._wanted(left) if member.name in self.ahead else self.trials.proposals
                with recording(self.recorders.recorder(self._next)):
                    had = self._ask(member, n)
                self._arrive(member, self.trials, had)
        return self._chosen()

    def _all_that_is_proposed(self) -> list[Trial]:
        """Ask for as many values as there are places: each becomes a trial."""
        first, n = len(self.trials), self.trials.proposals
        with recording(self.recorders.recorder(self._next)):  # a loss too may ask a model, whether a value is valid
            asked = self._ask(self.proposer, n)
            proposals = [
                _checked(proposal, self.trials) for proposal in _proposals(asked, self.proposer, self.trials)[:n]
            ]
        trials: list[Trial] = []
        seen: dict[str, int] = {}
        for number, proposal in enumerate(proposals, first):
            trial = self._trial(proposal, number, self.proposer.name)
            if trial.state is State.PENDING and seen.setdefault(trial.value, number) != number:
                trial = replace(trial, state=State.DUPLICATE, decision=f"proposed before as trial {seen[trial.value]}")
            trials.append(trial)
        return trials

    def _chosen(self) -> list[Trial]:
        """Take the most promising ideas of the pool, and with them what cannot be measured; record the round."""
        assert self._pool is not None
        latest: dict[str, int] = {}  # an idea that was had again takes the place of the older one
        refused: dict[int, Idea] = {}
        for number, idea in self._pool.items():
            if idea.proposal.fault is not None or self.trials.find(idea.proposal.value):
                refused[number] = idea
            else:
                latest[idea.proposal.value] = number
        ideas = {number: self._pool[number] for number in sorted(latest.values())}
        turns: list[str] = []
        if isinstance(self.proposer, Team):
            having = {idea.proposer for idea in ideas.values()}
            turns = self.proposer.turns(self.trials, self.trials.proposals, having)
        choice = choose(ideas, self.trials, self.trials.proposals, turns)
        leaving = [*choice.taken.items(), *refused.items()]
        trials = [self._trial(i.proposal, at, i.proposer) for at, (_, i) in enumerate(leaving, len(self.trials))]
        if not trials:
            return []
        taken = {number: trial.number for (number, _), trial in zip(leaving, trials, strict=True)}
        chosen = {trial.value: trial.number for trial in trials[: len(choice.taken)]}
        older = {n: chosen[i.proposal.value] for n, i in self._pool.items() if i.proposal.value in chosen}
        taken = older | taken
        ahead = self.ahead if choice.taken and self._goes_on(len(choice.taken)) else ()
        self.ledger.begin_round(trials, taken, choice.waiting, ahead)
        self._pool = {n: choice.waiting.get(n, idea) for n, idea in self._pool.items() if n not in taken}
        return trials

    def _goes_on(self, measured: int) -> bool:
        """True where another round can follow one of so many measurements, as far as the budget tells now."""
        spent = self.ledger.spent()
        after = replace(spent, evaluations=spent.evaluations + measured)
        return not self.options.budget.exhausted(after)

    def _ask(self, member: Proposer, n: int) -> object:
        self.report(f"{member.name} proposes")
        return member.ask(self.trials, n, self._chance(len(self.trials)))

    def _arrive(self, member: Proposer, view: Trials, asked: object) -> None:
        """Check what a proposer returned, and record it: from here on no idea is lost."""
        assert self._pool is not None
        # Who is asked ahead may have more ideas than were asked for, as a search begins: what is not chosen waits.
        n = 2 * self._wanted(view.evaluations_left) if member.name in self.ahead else view.proposals
        with recording(self.recorders.recorder(self._next)):
            proposals = [_checked(proposal, view) for proposal in _proposals(asked, member, view)[:n]]
        numbers = self.ledger.add_ideas(self._next, member.name, proposals)
        for number, proposal in zip(numbers, proposals, strict=True):
            self._pool[number] = Idea(proposal, member.name, self._next)

    def _trial(self, proposal: Proposal, number: int, proposer: str) -> Trial:
        """Make a checked proposal a trial of the next round."""
        state, decision, value = State.PENDING, "", proposal.value
        earlier = self.trials.find(value) if proposal.fault is None else None
        if proposal.fault is not None:
            state, decision = State.INVALID, proposal.fault
        elif earlier:
            state, decision = State.DUPLICATE, f"proposed before as trial {earlier.number}"
        return Trial(
            number,
            self._next,
            value,
            proposal.reason,
            proposal.parent,
            proposal.edit,
            proposer,
            state,
            decision,
            expected=proposal.expected,
            role=proposal.role,
        )

    def _waiting(self, before: int) -> list[Idea]:
        """List the pool, best rank first, but for the ideas that were had for this round or a later one."""
        assert self._pool is not None
        latest = {i.proposal.value: i for i in self._pool.values() if i.round < before and i.rank}
        return sorted(latest.values(), key=lambda idea: idea.rank)

    def _left(self) -> int | None:
        """Count the evaluations that the budget leaves after the last round, measured or not; None for no limit."""
        most = self.options.budget.evaluations
        if most is None:
            return None
        to_come = sum(trial.state is State.PENDING and trial.feedback is None for trial in self.trials.last_round())
        return most - self.ledger.spent().evaluations - to_come

    def _places(self, left: int | None) -> int:
        return self.options.proposals if left is None else min(self.options.proposals, left)

    def _wanted(self, left: int | None) -> int:
        return max(self.options.ideas, self._places(left))

    def _chance(self, number: int) -> random.Random:
        return random.Random(f"{self.options.seed}:{number}")


class Thought:
    """A question to a proposer that is answered in a thread of its own.

    Args:
        proposer: Is asked.
        view: What it sees.
        n: How many values it is asked for.
        chance: Its randomness.
        record: Keeps what it asks of its engine.
    """

    def __init__(self, proposer: Proposer, view: Trials, n: int, chance: random.Random, record: Recorder) -> None:
        self.view = view
        self._record = record
        self._left = False
        self._answer: Future[object] = Future()
        with recording(self._keep):
            # In the context alone: what threads of a loss ask meanwhile belongs to the loss's measurement.
            context = contextvars.copy_context()
        ask = (proposer, view, n, chance)
        Thread(target=context.run, args=(self._think, *ask), name="tgsci thinks", daemon=True).start()

    def _think(self, proposer: Proposer, view: Trials, n: int, chance: random.Random) -> None:
        try:
            self._answer.set_result(proposer.ask(view, n, chance))
        except BaseException as error:  # raised where the answer is asked for
            self._answer.set_exception(error)

    def _keep(self, call: Call, ask: Callable[[], Reply]) -> Reply:
        return self._record(call, lambda: self._still_wanted(ask()))

    def _still_wanted(self, reply: Reply) -> Reply:
        if self._left:  # the record may be another session's by now
            raise EngineError("the run was interrupted")
        return reply

    def result(self) -> object:
        """Wait for the answer.

        Raises:
            Exception: Whatever the proposer raised.
        """
        return self._answer.result()

    def end(self, *, wait: bool) -> None:
        """Wait until it is answered, whatever the answer; or leave it, and keep nothing of what it is told."""
        if wait:
            self._answer.exception()
        else:
            self._left = True


def _thinks_ahead(proposer: Proposer) -> bool:
    """A person is never asked ahead: the screen shows what is being measured."""
    return proposer.ahead and not (proposer.engine is not None and proposer.engine.answered_by_person)


def _checked(proposal: Proposal, view: Trials) -> Proposal:
    """Bring a proposal to the form in which it is recorded: its value canonical, or its fault said."""
    value, fault = well_formed(proposal.value), proposal.fault
    if fault is None:
        try:
            value = view.canonical(value)
        except InvalidValue as error:
            fault = str(error)
    return replace(
        proposal,
        value=value,
        reason=well_formed(proposal.reason),
        edit=well_formed(proposal.edit),
        role=well_formed(proposal.role),
        fault=None if fault is None else well_formed(fault),
    )


def _proposals(asked: object, proposer: Proposer, view: Trials) -> list[Proposal]:
    """Check what a proposer returned: it may be somebody's own.

    Raises:
        UsageError: It is no list of proposals, or one is made from a trial that does not exist.
    """
    proposals: list[Any] = list(asked) if isinstance(asked, Iterable) and not isinstance(asked, str) else [asked]
    known = len(view) + len(view.pending)
    for proposal in proposals:
        if not isinstance(proposal, Proposal):
            raise UsageError(f"{proposer.name}: ask() must return a list of tgsci.Proposal, not {literal(proposal)}")
        if proposal.parent is not None and proposal.parent >= known:
            raise UsageError(
                f"{proposer.name}: a proposal is made from trial {proposal.parent}; there are {known} trials"
            )
    return proposals
