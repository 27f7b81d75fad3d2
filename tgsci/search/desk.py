"""Desk: a model that sees the whole search and has many ideas a round."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from .. import prompts
from ..basics import checks
from ..engine import Engine, Reply, default_engine
from ..functions import EngineLike
from ..optimizer import as_texts, unused_tags
from ..prompts import tokens
from .ideas import Ideas, new_only, read_ideas
from .page import FEWEST_TOKENS, PROMPT_TOKENS, RETRY_SHARE, Page, opening
from .proposer import Proposer
from .standing import STALLED
from .trial import Proposal, Trials

#: With so few rounds left a search draws to its end.
_LAST_ROUNDS = 3
#: Rounds in which a search still begins.
_FIRST_ROUNDS = 2
#: At first, when nothing but the start was measured, this many times as many ideas are asked for.
_AT_FIRST = 1.5
#: Where enough ideas wait for all that is still measured, so many new ones for a place of the next round will do.
_FEWEST_A_PLACE = 3
#: Measured trials from which on there is something to combine.
_FEWEST_TO_COMBINE = 4


class Desk(Proposer):
    """A model has ideas, from a page that holds the whole search: see `tgsci.search.page`.

    A reply is read tolerantly: whatever form its ideas have, those with a usable value count. Where none has, or these
    and the ideas that wait are fewer than a round measures, the model is asked once more, with the faults named. What
    is still faulty is recorded as an invalid trial.

    Args:
        engine: Has the ideas; else the one set by `set_backward_engine`.
        prompt_tokens: A question with its system prompt is no longer, as `tgsci.prompts.tokens` estimates it.
        system_prompt: Who the model is and how it should work.
        constraints: What a new value must satisfy, in words.
        examples: Values or edits to learn from.

    Raises:
        UsageError: There is no engine, or a setting that is none.
    """

    engine: Engine
    ahead = True

    def __init__(
        self,
        engine: EngineLike = None,
        *,
        prompt_tokens: int = PROMPT_TOKENS,
        system_prompt: str = prompts.DESK,
        constraints: Sequence[str] | str | None = None,
        examples: Sequence[str] | str | None = None,
    ) -> None:
        self.engine = default_engine(engine)
        self.prompt_tokens = checks.whole("prompt_tokens", prompt_tokens, FEWEST_TOKENS)
        self.system_prompt = system_prompt
        self.constraints = as_texts("constraints", constraints)
        self.examples = as_texts("examples", examples)
        self.name = self.engine.name
        self.description = f"Ideas come from {self.engine.name}: {self.engine.destination}."

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        """Ask for `n` ideas in one model call, from everything that the trials tell; for more when a search begins.

        Returns:
            The usable ideas, values canonical and new, the most promising first; then those that are faulty, each with
            its fault.
        """
        if trials.best is None or n < 1:
            return []
        page = Page(trials, self.name)
        n = _worth_asking(page, n)
        tags = unused_tags(("<VALUE>", "</VALUE>"), "\n".join(t.value for t in trials if t.round == 0))
        question = self._question(page, n, tags)
        reply = self.engine(question, self.system_prompt)
        first = self._read(reply, trials, n, tags)
        at_hand = len(first.usable) + len(trials.ideas) if first.usable else 0
        if not first.faults or at_hand >= min(n, trials.proposals):
            return [*first.usable, *first.faulty]
        again = prompts.retry_ideas(first.faults, reply.text, len(first.usable), int(self.prompt_tokens * RETRY_SHARE))
        second = self._read(
            self.engine(f"{question}\n\n{again}", self.system_prompt), trials, n - len(first.usable), tags
        )
        taken = {idea.value for idea in first.usable}
        usable = [*first.usable, *(idea for idea in second.usable if idea.value not in taken)]
        if not usable and not second.faulty:
            return [Proposal("", fault="; ".join(second.faults))]
        return [*usable, *second.faulty]

    def _question(self, page: Page, n: int, tags: tuple[str, str]) -> str:
        """Write the question: what never changes first, then the page, then what is wanted now."""
        trials = page.trials
        answer = prompts.idea_format(tags, several_lines=page.several_lines, by_person=self.engine.answered_by_person)
        whole = int(self.prompt_tokens * (1 - RETRY_SHARE)) - tokens(self.system_prompt)
        begin = opening(trials, whole, answer, self.constraints, self.examples)
        asked = prompts.wanted(
            n, roles(page, n), trials.proposals, tags, several_lines=page.several_lines, first=page.begins
        )
        wanted = prompts.section("WANTED NOW", asked)
        room = whole - tokens(begin) - tokens(wanted) - 4
        return "\n\n".join(filter(None, [begin, page.write(room), wanted]))

    def _read(self, reply: Reply, trials: Trials, n: int, tags: tuple[str, str]) -> Ideas:
        assert trials.best is not None
        return read_ideas(
            reply,
            n,
            tags,
            new_only(trials),
            parents=len(trials) + len(trials.pending),
            default_parent=trials.best.number,
            by_person=self.engine.answered_by_person,
        )


def _worth_asking(page: Page, n: int) -> int:
    """Choose how many of `n` ideas are worth their price: more at first, fewer where more wait than can be measured."""
    trials = page.trials
    if n <= trials.proposals:
        return n
    if page.begins:
        n = math.ceil(n * _AT_FIRST)
    if trials.evaluations_left is None:
        return n
    return min(n, max(trials.evaluations_left - len(trials.ideas), _FEWEST_A_PLACE * trials.proposals))


def roles(page: Page, n: int) -> dict[str, int]:
    """Share `n` ideas among the roles: how many refine, combine and begin a new family.

    More begin something new in the first rounds and once the search has stalled, fewer when it draws to its end.
    """
    left = page.rounds_left
    if left is not None and left <= 1:
        new = 0
    elif page.begins:
        new = math.ceil(2 * n / 3)
    elif page.last_round <= _FIRST_ROUNDS or page.stalled >= STALLED:
        new = n // 2
    elif left is not None and left <= _LAST_ROUNDS:
        new = n // 8
    else:
        new = math.ceil(n / 4) if n > 1 else 0
    if n == 1 and page.stalled >= STALLED:
        new = page.stalled % 2  # a place for both, in turn
    combine = max(1, (n - new) // 3) if n - new > 1 and len(page.measured) >= _FEWEST_TO_COMBINE else 0
    return {"refine": n - new - combine, "combine": combine, "new": new}
