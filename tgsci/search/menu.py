"""Menu: a model chooses among options that the domain enumerated, instead of writing values itself.

Small models write few usable values, but choose well among legal options with figures beside them, if they quote
their evidence before they choose. So that is what they are asked for, and what is read.
"""

from __future__ import annotations

import json
import logging
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeAlias

from .. import prompts
from ..engine import Engine, Reply, default_engine
from ..errors import InvalidValue, UsageError
from ..functions import EngineLike
from ..texts import metric, well_formed
from .proposer import Proposer, outcome, unsuccessful
from .trial import Proposal, Trials

logger = logging.getLogger("tgsci")

_MAX_EVIDENCE_CHARS = 1_000
#: Of a reply, characters and choices that are read: one that went astray is not worth the time.
_MAX_REPLY_CHARS = 200_000
_MAX_PAIRS = 200
#: Faults that a model is told of.
_MAX_FAULTS = 6


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
            rejected=[prompts.tried(t.edit or t.value, outcome(t)) for t in unsuccessful(trials, best, 5)],
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
        chosen, faults = _read(first, n, options, source, strict=not lenient)
        if not faults or (lenient and chosen):
            return chosen, "; ".join(faults)
        again = "\n\n".join(
            [prompt, prompts.retry(faults, first.text, len(chosen)), prompts.choice_format(n - len(chosen))]
        )
        # The evidence was asked for twice: a legal choice is now taken without it, and the trial says so.
        second, faults = _read(self.engine(again, self.system_prompt), n, options, source, strict=False)
        for position, made in second.items():
            if len(chosen) < n:
                chosen.setdefault(position, made)
        return chosen, "; ".join(faults) or "it repeated a choice"


def _usable(options: Sequence[Option], trials: Trials) -> list[Option]:
    """The options that could be measured: valid, new, and each once."""
    usable: dict[str, Option] = {}
    for option in options:
        try:
            usable.setdefault(trials.check(option.value), option)
        except InvalidValue as error:
            logger.debug("not offered: %s (%s)", option.label, error)
    return list(usable.values())


def _facts(option: Option, units: Mapping[str, str]) -> str:
    words = [
        f"{name} {fact if isinstance(fact, str) else metric(fact, units.get(name, ''))} {units.get(name, '')}".rstrip()
        for name, fact in option.facts.items()
    ]
    return ", ".join(words)


def _proposal(option: Option, evidence: str, note: str) -> Proposal:
    parts = [f'evidence: "{evidence}"' if evidence else "", option.reason or option.label, f"({note})" if note else ""]
    return Proposal(option.value, " ".join(filter(None, parts)), option.parent, option.edit or option.label)


# -- reading a reply ---------------------------------------------------------------------------------


def _read(
    reply: Reply, n: int, options: int, source: str, *, strict: bool
) -> tuple[dict[int, tuple[str, str]], list[str]]:
    """Up to `n` choices of a reply (position: evidence, note), and what is wrong with it."""
    chosen: dict[int, tuple[str, str]] = {}
    faults: list[str] = []
    figures, words = _figures(source), _words(source)
    text = well_formed(reply.text)[:_MAX_REPLY_CHARS]
    if reply.truncated:  # its last line may be half a number
        text = text.rpartition("\n")[0]
        faults.append("the reply was cut off by the length limit; answer more briefly")
    for evidence, number in islice(_pairs(text), _MAX_PAIRS):
        evidence = " ".join(evidence.split())[:_MAX_EVIDENCE_CHARS]
        if len(chosen) == n:
            break
        if not 1 <= number <= options:
            faults.append(f"there is no option {number}; they are numbered 1 to {options}")
        elif number - 1 in chosen:
            faults.append(f"option {number} is chosen twice")
        elif _grounded(evidence, figures, words):
            chosen[number - 1] = (evidence, "")
        elif strict:
            faults.append(
                f"the choice of option {number} quotes no evidence before it: copy a figure or a phrase from the "
                "report or from the option"
            )
        else:
            chosen[number - 1] = (evidence, "its evidence is not in the report" if evidence else "without evidence")
    if len(chosen) < n and not faults:
        faults.append(f"it holds {len(chosen)} complete pairs of EVIDENCE and CHOICE; {n} are asked for")
    return chosen, list(dict.fromkeys(faults))[:_MAX_FAULTS] if len(chosen) < n else []


#: `CHOICE: 3`, `**Choice:** option 3`, `<CHOICE>3</CHOICE>`, `<CHOICE_2>3`; a closing tag is none. The possessive
#: repeats keep a reply of nothing but blanks from taking minutes.
_CHOICE = re.compile(
    r"(?<![\w/])choice[\s*_>\"']*(?:\d{1,2}\s*+)?[:=>][\s*_\"'\[(#]*+(?:(?:option|number|no\.)\s*+)?#?(\d{1,6})\b",
    re.IGNORECASE,
)
_EVIDENCE = re.compile(r"(?<![\w/])evidence[\s*_\"']*(?:\d{1,2}\s*)?[:=>][\s*_]*", re.IGNORECASE)
_BARE = re.compile(r"[\d\s,;]+")
#: Characters that are read to find JSON, and what an opening brace that begins none counts as: braces within braces
#: would be read again and again.
_MAX_JSON_CHARS, _JSON_TRY = 2_000_000, 500
_NUMBER = re.compile(r"(?<!\d)\d{1,6}(?!\d)")


def _pairs(text: str) -> Iterator[tuple[str, int]]:
    """(evidence, number) of each choice: from JSON, from labelled lines or tags, or from bare numbers."""
    found = list(_json_pairs(text))
    if found:
        yield from found
        return
    start = 0
    for match in _CHOICE.finditer(text):
        before = text[start : match.start()]
        start = match.end()
        labels = list(_EVIDENCE.finditer(before))
        yield (_stripped(before[labels[-1].end() :]) if labels else ""), int(match[1])
    if not start and _BARE.fullmatch(text):
        yield from (("", int(number)) for number in _NUMBER.findall(text))


def _stripped(evidence: str) -> str:
    return evidence.split("</", 1)[0].strip(" \n\t*_\"'`,<")


def _json_pairs(text: str) -> Iterator[tuple[str, int]]:
    decoder = json.JSONDecoder()
    position = read = 0
    while read < _MAX_JSON_CHARS and (position := text.find("{", position)) >= 0:
        try:
            found, position = decoder.raw_decode(text, position)
            pairs = list(_in_object(found))
        except json.JSONDecodeError as error:
            read += _JSON_TRY + error.pos - position
            position += 1
        except (RecursionError, ValueError):  # nested a thousand deep, or a number of thousands of digits: no answer
            return
        else:
            yield from pairs


def _in_object(found: Any) -> Iterator[tuple[str, int]]:
    """The choice in an object, or those in the lists that it holds."""
    if not isinstance(found, dict):
        return
    keyed = {str(key).lower(): value for key, value in found.items()}
    number = re.fullmatch(r"\D{0,10}(\d{1,6})", str(keyed.get("choice", "")))
    if number:
        evidence = keyed.get("evidence", "")
        yield evidence if isinstance(evidence, str) else json.dumps(evidence), int(number[1])
    for value in keyed.values():
        for item in value if isinstance(value, list) else []:
            yield from _in_object(item)


_FIGURE = re.compile(r"(?<![\w.])[-+\u2212]?\d+(?:\.\d+)?(?![\w.]*\d)")
_WORD = re.compile(r"[^\W_]+(?:[.-][^\W_]+)*")
_PHRASE_WORDS = 3


def _grounded(evidence: str, figures: set[str], words: str) -> bool:
    """True where the evidence quotes a figure of what was shown, or three words of it in a row."""
    if not evidence:
        return False
    if _figures(evidence) & figures:
        return True
    said = _words(evidence).split()
    runs = (said[i : i + _PHRASE_WORDS] for i in range(len(said) - _PHRASE_WORDS + 1))
    return any(f" {' '.join(run)} " in words for run in runs)


def _words(text: str) -> str:
    """The words of a text in lower case, each between blanks."""
    return f" {' '.join(_WORD.findall(text.lower()))} "


def _figures(text: str) -> set[str]:
    """The figures in a text, without signs; single digits apart, which any text has."""
    figures = {figure.lstrip("+-\u2212") for figure in _FIGURE.findall(text)}
    return {figure for figure in figures if len(figure) > 1}
