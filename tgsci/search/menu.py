"""Menu: a model chooses among options that the domain enumerated, instead of writing values itself.

Small models write few usable values, but choose well among legal options with figures beside them. The page of the
search around the menu is the one that a model at its desk sees.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from .. import prompts
from ..basics import checks
from ..basics.texts import named_metric
from ..engine import Engine, default_engine
from ..errors import InvalidValue, UsageError
from ..functions import EngineLike
from ..prompts import tokens
from .cells import is_long, short
from .choices import Choice, read_choices
from .ideas import new_only
from .page import FEWEST_TOKENS, PROMPT_TOKENS, RETRY_SHARE, Page, opening
from .proposer import Proposer
from .trial import Outlook, Proposal, Trials

logger = logging.getLogger("tgsci")

#: Tokens of what a menu says of the answer.
_ANSWER_TOKENS = 120


@dataclass(frozen=True, slots=True)
class Option:
    """A legal new value that a domain offers.

    Args:
        value: The new value.
        label: What it is, in a few words: what changes, and where.
        facts: Named figures or words that help to choose: predicted or calculated, never measured. Figures are
            shown with the loss's unit of that name, where it has one.
        parent: Number of the trial that it is made from.
        edit: Name of the change, kept with the trial.
        reason: Why it could be better, in a sentence.
    """

    value: str
    label: str
    facts: Mapping[str, float | str] = field(default_factory=dict)
    parent: int | None = None
    edit: str = ""
    reason: str = ""


#: Enumerates up to so many options, the most promising first. A pure function of its arguments, as `Proposer.ask` is.
Options: TypeAlias = Callable[[Trials, int, random.Random], Sequence[Option]]


class Menu(Proposer):
    """A model chooses from enumerated options, from the page of the whole search; one call for all choices of a round.

    A reply that cannot be used is asked for once more, naming the fault. After that the first options by rank are
    taken and the trials say so: a bad reply costs the model's say, never the run.

    Args:
        engine: Chooses; else the one set by `set_backward_engine`.
        options: The domain's enumeration (`Problem.options`).
        size: Options on the menu; at least twice as many as choices are asked for.
        prompt_tokens: A question with its system prompt is no longer, as `tgsci.prompts.tokens` estimates it.
        system_prompt: Who the model is and how it should choose.

    Raises:
        UsageError: There is no engine, or `size` is below 2.
    """

    engine: Engine

    def __init__(
        self,
        engine: EngineLike,
        options: Options,
        *,
        size: int = 12,
        prompt_tokens: int = PROMPT_TOKENS,
        system_prompt: str = prompts.CHOOSER,
    ) -> None:
        if size < 2:
            raise UsageError(f"a menu needs at least 2 options, not {size}")
        self.engine = default_engine(engine)
        self.options = options
        self.size = size
        self.prompt_tokens = checks.whole("prompt_tokens", prompt_tokens, FEWEST_TOKENS)
        self.system_prompt = system_prompt
        self.name = self.engine.name
        self.description = (
            f"Proposals are chosen from enumerated options by {self.engine.name}: {self.engine.destination}."
        )

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        """Choose `n` of the options for the best trials so far, in one model call."""
        if trials.best is None:
            return []
        offered = _usable(self.options(trials, max(self.size, 2 * n), rng), trials)
        if len(offered) <= n:
            return [_proposal(option, Choice(), "all that the menu had") for option in offered]
        chosen, fault = self._choices(self._question(trials, offered), n, len(offered))
        made = [_proposal(offered[i], choice) for i, choice in chosen.items()]
        if len(made) < n:
            logger.warning("%s made %d of %d choices: %s", self.name, len(made), n, fault)
            left = [option for i, option in enumerate(offered) if i not in chosen]
            note = f"the first by rank: {self.name} made no usable choice ({fault})"
            made += [_proposal(option, Choice(), note) for option in left[: n - len(made)]]
        return made

    def _question(self, trials: Trials, offered: Sequence[Option]) -> str:
        """Write the question: what never changes first, then the page, then the menu."""
        whole = int(self.prompt_tokens * (1 - RETRY_SHARE)) - tokens(self.system_prompt)
        begin = opening(trials, whole)
        outlooks = trials.insight.outlooks(trials, [option.value for option in offered])
        menu = prompts.menu(_lines(offered, outlooks, trials.loss.units if trials.loss else {}, whole // 3))
        room = whole - tokens(begin) - tokens(menu) - _ANSWER_TOKENS
        return "\n\n".join(filter(None, [begin, Page(trials, self.name).write(room), menu]))

    def _choices(self, prompt: str, n: int, options: int) -> tuple[dict[int, Choice], str]:
        """Each choice by the position of its option; and what was wrong, "" for nothing."""
        first = self.engine(f"{prompt}\n\n{prompts.choice_format(n)}", self.system_prompt)
        chosen, faults = read_choices(first, n, options)
        if not faults or (self.engine.answered_by_person and chosen):
            return chosen, "; ".join(faults)
        room = int(self.prompt_tokens * RETRY_SHARE) - _ANSWER_TOKENS
        retry = prompts.retry_ideas(faults, first.text, len(chosen), room)
        again = "\n\n".join([prompt, retry, prompts.choice_format(n - len(chosen))])
        second, faults = read_choices(self.engine(again, self.system_prompt), n, options)
        for position, choice in second.items():
            if len(chosen) < n:
                chosen.setdefault(position, choice)
        return chosen, "; ".join(faults) or "it repeated a choice"


def _usable(options: Sequence[Option], trials: Trials) -> list[Option]:
    """Keep the options that could be measured: valid, new, and each once."""
    check, usable = new_only(trials), dict[str, Option]()
    for option in options:
        try:
            usable.setdefault(check(option.value), option)
        except InvalidValue as error:
            logger.debug("not offered: %s (%s)", option.label, error)
    return list(usable.values())


def _lines(offered: Sequence[Option], outlooks: Sequence[Outlook | None], units: Mapping[str, str], room: int) -> str:
    """Write the options, each on a line, in so many tokens: where there are too many words, without the reasons."""
    facts = [", ".join(filter(None, [_expected(e), _facts(o, units)])) for o, e in zip(offered, outlooks, strict=True)]
    for reasons in (True, False):
        lines = [
            prompts.option(i, _label(option), told, option.reason * reasons)
            for i, (option, told) in enumerate(zip(offered, facts, strict=True), 1)
        ]
        if prompts.tokens("\n".join(lines)) <= room:
            return "\n".join(lines)
    return "\n".join(prompts.shortened(line, room // len(lines) - 1) for line in lines)


def _label(option: Option) -> str:
    """Write what an option is: its label, and its value where that is short."""
    shown = is_long(option.value) or option.value in option.label
    return option.label if shown else f"{option.label}: {option.value}"


def _expected(outlook: Outlook | None) -> str:
    return f"predicted loss {short(outlook.loss)} +- {short(outlook.sd)}" if outlook else ""


def _facts(option: Option, units: Mapping[str, str]) -> str:
    return ", ".join(_fact(name, fact, units.get(name, "")) for name, fact in option.facts.items())


def _fact(name: str, fact: float | str, unit: str) -> str:
    return f"{name} {fact} {unit}".rstrip() if isinstance(fact, str) else named_metric(name, fact, unit)


def _proposal(option: Option, choice: Choice, note: str = "") -> Proposal:
    """Make a proposal of an option: the model's own reason, else the option's."""
    reason = " ".join(filter(None, [choice.reason or option.reason or option.label, f"({note})" if note else ""]))
    return Proposal(option.value, reason, option.parent, option.edit or option.label, expected=choice.expected)
