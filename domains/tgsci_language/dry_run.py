"""What a run would ask and cost, before anything is asked."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tgsci.basics.texts import compact
from tgsci.engine import Call, Engine, Reply, recording
from tgsci.runs.domain import Problem
from tgsci.search.proposer import Proposer
from tgsci.search.trial import State, Trial, Trials, canonical_value

#: Characters of English text that make a token, about; and tokens of a reply, where nobody knows better.
CHARACTERS_A_TOKEN, REPLY_TOKENS = 4, 500
#: Most characters of a prompt that are shown.
_SHOWN = 4_000


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
    """

    what: str
    engine: Engine
    calls: int
    prompt: str
    system: str = ""
    tokens_out: int = REPLY_TOKENS

    @property
    def tokens_in(self) -> int:
        """Tokens of the prompt, about."""
        return -(-(len(self.prompt) + len(self.system)) // CHARACTERS_A_TOKEN)

    @property
    def usd(self) -> float | None:
        """Price of all the calls, US dollars; None where it is unknown."""
        price = self.engine.price(self.tokens_in, self.tokens_out)
        return None if price is None else price * self.calls


class _Seen(BaseException):
    """A question that was about to be asked. Not an error: nothing may take it for one and go on."""

    def __init__(self, call: Call) -> None:
        self.call = call


def first_question(problem: Problem, proposer: Proposer, ideas: int = 1) -> tuple[str, str] | None:
    """Write the first question that a search would ask its proposer. Nothing is asked.

    The start values are measured for it, so that their page is in the prompt: for a loss that asks no model.

    Args:
        problem: Of the search.
        proposer: Proposes.
        ideas: New values that it is asked for.

    Returns:
        The prompt and the system prompt; None where the proposer asks nobody.
    """
    trials = Trials([], problem.loss, problem.task, insight=problem.insight, proposals=ideas)
    with recording(_refuse):
        try:
            for number, value in enumerate(problem.start):
                canonical = canonical_value(problem.loss, value)
                feedback = problem.loss.measure(canonical)
                state = State.ACCEPTED if feedback.measured else State.FAILED
                trials.append(Trial(number, 0, canonical, "start value", state=state, feedback=feedback))
            proposer.ask(trials, ideas, random.Random(0))
        except _Seen as seen:
            return seen.call.prompt, seen.call.system
    return None


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
        lines.append(f"--- {each.what}: the first prompt to {each.engine.name} ---")
        if each.system:
            lines += ["[system prompt]", _cut(each.system), "[prompt]"]
        lines += [_cut(each.prompt), ""]
    prices = [each.usd for each in planned]
    known = [price for price in prices if price is not None]
    lines.append("calls that a run would make (nothing was asked now):")
    width = max((len(f"{each.calls:,}") for each in planned), default=0)
    for each, price in zip(planned, prices, strict=True):
        tokens = f"{each.tokens_in * each.calls:,} tokens in, {each.tokens_out * each.calls:,} out"
        cost = "unknown" if price is None else f"{compact(price, 3)} USD"
        lines.append(f"  {each.calls:>{width},}  {each.what} ({each.engine.name}): about {tokens}, price {cost}")
    total = "unknown" if not known else f"about {compact(sum(known), 3)} USD"
    if known and len(known) < len(prices):
        total += " and what has an unknown price"
    lines.append(f"in all {sum(each.calls for each in planned):,} calls, price {total}")
    lines.append(
        f"(tokens: {CHARACTERS_A_TOKEN} characters each and {planned[0].tokens_out if planned else REPLY_TOKENS} a "
        "reply, which are guesses; a later prompt may be longer than the first)"
    )
    return "\n".join(lines)


def _cut(text: str) -> str:
    rest = len(text) - _SHOWN
    return text if rest <= 0 else f"{text[:_SHOWN]}\n[... {rest:,} more characters]"
