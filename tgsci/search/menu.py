"""Menu: a model chooses among options that the domain enumerated, instead of writing values itself.

Small models write few usable values, but choose well among legal options with figures beside them, if they quote
their evidence before they choose. So that is what they are asked for, and what is read.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from .. import prompts
from ..basics.texts import named_metric
from ..engine import Engine, default_engine
from ..errors import InvalidValue, UsageError
from ..functions import EngineLike
from .choices import read_choices
from .proposer import Proposer, outcome
from .trial import Proposal, Trials

logger = logging.getLogger("tgsci")


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
    """A model chooses from enumerated options, quoting its evidence first; one call for all choices of a round.

    A reply that cannot be used is asked for once more, naming the fault. After that the first options by rank are
    taken and the trials say so: a bad reply costs the model's say, never the run.

    Args:
        engine: Chooses; else the one set by `set_backward_engine`.
        options: The domain's enumeration (`Problem.options`).
        size: Options on the menu; at least twice as many as choices are asked for.
        system_prompt: Who the model is and how it should choose.

    Raises:
        UsageError: There is no engine, or `size` is below 2.
    """

    engine: Engine

    def __init__(
        self, engine: EngineLike, options: Options, *, size: int = 12, system_prompt: str = prompts.CHOOSER
    ) -> None:
        if size < 2:
            raise UsageError(f"a menu needs at least 2 options, not {size}")
        self.engine = default_engine(engine)
        self.options = options
        self.size = size
        self.system_prompt = system_prompt
        self.name = self.engine.name
        self.description = (
            f"Proposals are chosen from enumerated options by {self.engine.name}: {self.engine.destination}."
        )

    def ask(self, trials: Trials, n: int, rng: random.Random) -> list[Proposal]:
        """Choose `n` of the options for the best trials so far, in one model call."""
        best = trials.best
        if best is None or best.feedback is None:
            return []
        offered = _usable(self.options(trials, max(self.size, 2 * n), rng), trials)
        if len(offered) <= n:
            return [_proposal(option, "", "all that the menu had") for option in offered]
        units = trials.loss.units if trials.loss else {}
        lines = [prompts.option(i, o.label, _facts(o, units), o.reason) for i, o in enumerate(offered, 1)]
        prompt = prompts.choose(
            task=trials.task,
            best=best.value,
            report=best.feedback.text,
            rejected=[prompts.tried(t.edit or t.value, outcome(t)) for t in trials.unsuccessful(5)],
            options=lines,
        )
        evidence = "\n".join([best.feedback.text, *(f"{o.label} {_facts(o, units)} {o.reason}" for o in offered)])
        chosen, fault = self._choices(prompt, n, len(offered), evidence)
        made = [_proposal(offered[i], quoted, note) for i, (quoted, note) in chosen.items()]
        if len(made) < n:
            logger.warning("%s made %d of %d choices: %s", self.name, len(made), n, fault)
            left = [option for i, option in enumerate(offered) if i not in chosen]
            note = f"the first by rank: {self.name} made no usable choice ({fault})"
            made += [_proposal(option, "", note) for option in left[: n - len(made)]]
        return made

    def _choices(self, prompt: str, n: int, options: int, source: str) -> tuple[dict[int, tuple[str, str]], str]:
        """Position of each option chosen, with the evidence and a note; and what was wrong, "" for nothing."""
        lenient = self.engine.answered_by_person
        first = self.engine(f"{prompt}\n\n{prompts.choice_format(n)}", self.system_prompt)
        chosen, faults = read_choices(first, n, options, source, strict=not lenient)
        if not faults or (lenient and chosen):
            return chosen, "; ".join(faults)
        again = "\n\n".join(
            [prompt, prompts.retry(faults, first.text, len(chosen)), prompts.choice_format(n - len(chosen))]
        )
        # The evidence was asked for twice: a legal choice is now taken without it, and the trial says so.
        second, faults = read_choices(self.engine(again, self.system_prompt), n, options, source, strict=False)
        for position, made in second.items():
            if len(chosen) < n:
                chosen.setdefault(position, made)
        return chosen, "; ".join(faults) or "it repeated a choice"


def _usable(options: Sequence[Option], trials: Trials) -> list[Option]:
    """Keep the options that could be measured: valid, new, and each once."""
    usable: dict[str, Option] = {}
    for option in options:
        try:
            usable.setdefault(trials.check(option.value), option)
        except InvalidValue as error:
            logger.debug("not offered: %s (%s)", option.label, error)
    return list(usable.values())


def _facts(option: Option, units: Mapping[str, str]) -> str:
    return ", ".join(_fact(name, fact, units.get(name, "")) for name, fact in option.facts.items())


def _fact(name: str, fact: float | str, unit: str) -> str:
    return f"{name} {fact} {unit}".rstrip() if isinstance(fact, str) else named_metric(name, fact, unit)


def _proposal(option: Option, evidence: str, note: str) -> Proposal:
    parts = [f'evidence: "{evidence}"' if evidence else "", option.reason or option.label, f"({note})" if note else ""]
    return Proposal(option.value, " ".join(filter(None, parts)), option.parent, option.edit or option.label)
