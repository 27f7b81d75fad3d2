"""What a run would ask and cost, before anything is asked."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..basics.texts import compact
from ..engine import Call, Engine, Reply, recording
from ..errors import InvalidValue, UsageError
from ..prompts import tokens
from ..search.desk import Desk
from ..search.menu import Menu
from ..search.options import RunOptions
from ..search.proposer import Proposer
from ..search.team import Team
from ..search.trial import State, Trial, Trials, canonical_value
from .domain import Problem

#: Tokens of a reply, and of an idea in it, where nobody knows better.
REPLY_TOKENS, IDEA_TOKENS = 500, 120
#: Most characters of a prompt that are shown: a page of the desk is shown whole.
_SHOWN = 40_000
#: Stands in a dry run for what a model would have answered to the loss.
_STAND_IN = "[what {} would have answered]"


@dataclass(frozen=True)
class Planned:
    """Calls of one kind that a run would make.

    Args:
        what: What they are for: "criticism".
        engine: Who is asked.
        calls: How many.
        prompt: The first of them, as it would be sent.
        system: Its system prompt.
        tokens_out: Tokens of a reply, as a guess.
        longest: Tokens of a later prompt, at most; 0 where they are about as long as the first.
    """

    what: str
    engine: Engine
    calls: int
    prompt: str
    system: str = ""
    tokens_out: int = REPLY_TOKENS
    longest: int = 0

    @property
    def tokens_in(self) -> int:
        """Tokens of the first prompt, about."""
        return tokens(self.prompt) + tokens(self.system)

    @property
    def later(self) -> int:
        """Tokens of a later prompt, at most."""
        return max(self.tokens_in, self.longest)

    @property
    def all_tokens_in(self) -> int:
        """Tokens of all the prompts, at most."""
        return self.tokens_in + (self.calls - 1) * self.later if self.calls else 0

    @property
    def usd(self) -> float | None:
        """Price of all the calls at most, US dollars; None where it is unknown."""
        first, later = (self.engine.price(size, self.tokens_out) for size in (self.tokens_in, self.later))
        if first is None or later is None:
            return None
        return first + (self.calls - 1) * later if self.calls else 0.0


class _Seen(BaseException):
    """A question that was about to be asked. Not an error: nothing may take it for one and go on."""

    def __init__(self, call: Call) -> None:
        self.call = call


def plan(problem: Problem, proposer: Proposer, options: RunOptions) -> list[Planned]:
    """Find out what a run would ask: the first question of each kind, and how many there would be. Nothing is asked.

    The first start value is measured for it, so that its page is in the prompt; where the loss asks models, a stand-in
    takes the place of what they would answer, and its questions are counted.

    Args:
        problem: What the run is about.
        proposer: Who proposes.
        options: How the run goes.

    Raises:
        UsageError: Nobody would be asked, or the start cannot be measured.
    """
    for engine in filter(None, [proposer.engine]):
        engine.check()
    measured: list[Call] = []

    def stand_in(call: Call, ask: object) -> Reply:
        measured.append(call)
        return Reply(_STAND_IN.format(call.engine.name), model=call.engine.name)

    budget = options.budget
    with recording(stand_in):
        start = _measured(problem, problem.start[0])
        starts = len({_canonical(problem, value) for value in problem.start})
    evaluations = budget.evaluations if budget.evaluations is not None else starts + options.proposals
    left = evaluations - starts
    planned: list[Planned] = []
    if start.measured or measured:
        view = Trials(
            [start],
            problem.loss,
            problem.task,
            insight=problem.insight,
            evaluations_left=None if budget.evaluations is None else left,
            proposals=options.proposals,
        )
        wanted = max(options.ideas, options.proposals) if _has_a_pool(proposer) else options.proposals
        asked = _first_call(view, proposer, wanted, options.seed)
        if asked is not None:
            rounds = max(1, -(-left // options.proposals))
            calls = rounds if budget.model_calls is None else min(rounds, budget.model_calls)
            replies = max(REPLY_TOKENS, IDEA_TOKENS * wanted)
            longest = options.prompt_tokens if any(isinstance(one, Desk | Menu) for one in _members(proposer)) else 0
            asked_for = (asked.engine, calls, asked.prompt, asked.system, replies, longest)
            planned.append(Planned("proposals, a round each", *asked_for))
    by_engine: dict[str, list[Call]] = {}
    for call in measured:
        by_engine.setdefault(call.engine.identity, []).append(call)
    for calls_of_one in by_engine.values():
        first = calls_of_one[0]
        count = evaluations * len(calls_of_one)
        planned.append(Planned("questions of the loss", first.engine, count, first.prompt, first.system))
    if not planned and not start.measured:
        raise UsageError(f"the start value cannot be measured: {start.decision}")
    if not planned:
        raise UsageError("nobody is asked here: a dry run goes with --engine (or engine=...)")
    return planned


def _measured(problem: Problem, value: str) -> Trial:
    """Measure a start value as a run would, here and now."""
    canonical = _canonical(problem, value)
    feedback = problem.loss.measure(canonical)
    state = State.ACCEPTED if feedback.measured else State.FAILED
    return Trial(0, 0, canonical, "start value", state=state, decision=feedback.error or "", feedback=feedback)


def _canonical(problem: Problem, value: str) -> str:
    try:
        return canonical_value(problem.loss, value)
    except InvalidValue as error:
        raise UsageError(f"the start value {value[:200]!r} cannot be used: {error}") from None


def _first_call(trials: Trials, proposer: Proposer, n: int, seed: int) -> Call | None:
    """Take the first question of a proposer, unasked; None where it asks nobody."""
    with recording(_refuse):
        for member in _members(proposer):
            try:
                member.ask(trials, n, random.Random(f"{seed}:{len(trials)}"))
            except _Seen as seen:
                return seen.call
    return None


def _members(proposer: Proposer) -> Sequence[Proposer]:
    return proposer.members if isinstance(proposer, Team) else (proposer,)


def _has_a_pool(proposer: Proposer) -> bool:
    """Tell whether more ideas are asked for than are measured, as the search decides it."""
    return proposer.ahead or isinstance(proposer, Team)


def _refuse(call: Call, ask: object) -> Reply:
    raise _Seen(call)


def dry_run(planned: Sequence[Planned], *, prompts: bool = True) -> str:
    """Write what a run would ask: the first prompt of each kind, how many calls, about how many tokens, and the price.

    Args:
        planned: The kinds of calls.
        prompts: Whether the prompts are written too.
    """
    lines: list[str] = []
    shown: set[tuple[str, str]] = set()
    for each in planned if prompts else ():
        if (each.system, each.prompt) in shown:
            continue
        shown.add((each.system, each.prompt))
        lines.append(f"--- {each.what}: the first prompt to {each.engine.name}, about {each.tokens_in:,} tokens ---")
        if each.system:
            lines += ["[system prompt]", _cut(each.system), "[prompt]"]
        lines += [_cut(each.prompt), ""]
    prices = [each.usd for each in planned]
    known = [price for price in prices if price is not None]
    lines.append("calls that a run would make (nothing was asked now):")
    width = max((len(f"{each.calls:,}") for each in planned), default=0)
    for each, price in zip(planned, prices, strict=True):
        tokens = f"{each.all_tokens_in:,} tokens in, {each.tokens_out * each.calls:,} out"
        cost = "unknown" if price is None else f"{compact(price, 3)} USD"
        how = "at most" if each.longest else "about"
        lines.append(f"  {each.calls:>{width},}  {each.what} ({each.engine.name}): {how} {tokens}, price {cost}")
    total = "unknown" if not known else f"about {compact(sum(known), 3)} USD"
    if known and len(known) < len(prices):
        total += " and what has an unknown price"
    lines.append(f"in all {sum(each.calls for each in planned):,} calls, price {total}")
    lines.append(
        "(a reply's length is a guess: a model that thinks before it answers is charged for its thoughts; and a reply "
        "that cannot be used is asked for once more)"
    )
    return "\n".join(lines)


def _cut(text: str) -> str:
    rest = len(text) - _SHOWN
    return text if rest <= 0 else f"{text[:_SHOWN]}\n[... {rest:,} more characters]"
