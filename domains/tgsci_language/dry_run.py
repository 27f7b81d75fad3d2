"""What a run would ask and cost, before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tgsci.basics.texts import compact
from tgsci.engine import Engine

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
