"""Ideas: new values with their reasons, read from a model's reply. Tolerant of the form, strict about the value."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from .. import prompts
from ..basics.texts import one_line, trimmed, well_formed
from ..engine import Reply
from ..errors import InvalidValue
from ..replies import MAX_VALUE_CHARS, json_objects, unfenced
from .trial import Proposal, Trials

#: Of a reply, characters that are read, and of what stands before a value.
_MAX_REPLY_CHARS, _MAX_HEAD_CHARS = 2_000_000, 4_000
#: Longest reason and name of a change, characters.
_MAX_REASON_CHARS, _MAX_CHANGE_CHARS = 2_000, 200
#: Ideas that are read at most, beyond those that were asked for.
_MOST_SURPLUS = 20


@dataclass(frozen=True, slots=True)
class Ideas:
    """What a reply held.

    Args:
        usable: Valid and new, each value canonical and once, in the model's order.
        faulty: What was refused, each with its fault; not what is an idea already.
        faults: What is wrong with the reply, for a second try; none where as many ideas are usable as were asked for.
    """

    usable: list[Proposal]
    faulty: list[Proposal]
    faults: list[str]


@dataclass(frozen=True, slots=True)
class _Draft:
    """An idea as it was written."""

    number: int
    value: str
    head: dict[str, str] = field(default_factory=dict)


class KnownIdea(InvalidValue):
    """The value is an idea already: it waits in the pool, or is being measured. No fault to record."""


def new_only(trials: Trials) -> Callable[[str], str]:
    """Make a check like `trials.check`, for which a value that waits in the pool is not new either.

    Its `KnownIdea` is an `InvalidValue`.
    """
    waiting = {idea.proposal.value: idea.rank or place for place, idea in enumerate(trials.ideas, 1)}
    under_way = {trial.value: trial.number for trial in trials.pending}

    def check(value: str) -> str:
        canonical = trials.canonical(value)
        if canonical in under_way:
            raise KnownIdea(f"it is being measured as trial {under_way[canonical]}")
        if canonical in waiting:
            raise KnownIdea(f"it waits already, with rank {waiting[canonical]}")
        return trials.check(canonical)

    return check


def read_ideas(
    reply: Reply,
    n: int,
    tags: tuple[str, str],
    check: Callable[[str], str],
    *,
    parents: int,
    default_parent: int | None = None,
    by_person: bool = False,
) -> Ideas:
    """Read up to `n` ideas from a reply. What is complete in a reply that was cut off counts.

    Args:
        reply: What the model answered.
        n: How many were asked for.
        tags: The opening and the closing tag of a value.
        check: Canonicalises a value or raises `InvalidValue`, as `new_only` does.
        parents: How many trials there are: an idea is made from one of these, by its number.
        default_parent: What an idea that begins nothing new is made from, where it does not say.
        by_person: A reply in no form that is known then holds a value a line, and fewer than `n` will do.
    """
    text = _without_thoughts(well_formed(reply.text[:_MAX_REPLY_CHARS]))
    drafts = list(_drafts(text, tags, n + _MOST_SURPLUS))
    if not drafts and by_person:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        drafts = [_Draft(i, line, {"reason": "given by a person"}) for i, line in enumerate(lines[:n], 1)]
    usable: dict[str, Proposal] = {}
    faulty: list[Proposal] = []
    faults: list[str] = []
    for draft in drafts:
        if len(usable) == n:
            break
        try:
            value = _value(draft.value, check)
        except InvalidValue as error:
            faults.append(prompts.refused_idea(draft.number, draft.value, str(error)))
            if not isinstance(error, KnownIdea):
                written = draft.value[:MAX_VALUE_CHARS]
                faulty.append(_proposal(draft.head, written, parents, default_parent, fault=str(error)))
            continue
        if value in usable:
            faults.append(f"idea {draft.number} has the value of an earlier idea")
        else:
            usable[value] = _proposal(draft.head, value, parents, default_parent)
    enough = len(usable) == n or (by_person and usable)
    if not enough and len(drafts) < n:
        faults.append(prompts.no_ideas(n, len(drafts), reply.truncated))
    return Ideas(list(usable.values()), faulty, [] if enough else list(dict.fromkeys(faults)))


def _value(written: str, check: Callable[[str], str]) -> str:
    """Bring a value to its canonical form.

    Raises:
        InvalidValue: It is none.
    """
    if not written.strip(" \t\n.\u2026"):
        raise InvalidValue("it is empty")
    if len(written) > MAX_VALUE_CHARS:
        raise InvalidValue(f"it has more than {MAX_VALUE_CHARS} characters")
    return check(unfenced(written))


def _proposal(
    head: dict[str, str], value: str, parents: int, default_parent: int | None, fault: str | None = None
) -> Proposal:
    """Make a proposal of what was written around a value."""
    said = head.get("from", "")
    role = _role(head.get("role", ""))
    numbers = [int(number) for number in _NUMBER.findall(said[:200])]
    parent = next((number for number in numbers if number < parents), None)
    if parent is None and role != "new" and not _NONE.search(said):
        parent = default_parent
    expected = _FIGURE.search(head.get("expect", "")[:200])
    figure = float(expected[0].replace("\u2212", "-")) if expected else None
    return Proposal(
        value,
        one_line(head.get("reason", ""))[:_MAX_REASON_CHARS],
        parent,
        one_line(head.get("change", ""))[:_MAX_CHANGE_CHARS],
        fault,
        figure if figure is not None and math.isfinite(figure) else None,
        role,
    )


_NUMBER = re.compile(r"(?<!\d)\d{1,6}(?!\d)")
_NONE = re.compile(r"\b(?:none|new|nothing|n/a)\b", re.IGNORECASE)
_FIGURE = re.compile(r"[-+\u2212]?(?:\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})(?:[eE][-+]?\d{1,3})?")
#: Words of a role, by what models write for it.
_ROLES = {"refine": r"refin|exploit|improv", "combine": r"combin|merg|hybrid", "new": r"new|explor|begin|novel"}


def _role(said: str) -> str:
    return next((role for role, words in _ROLES.items() if re.search(rf"\b(?:{words})", said, re.IGNORECASE)), "")


# -- the forms in which models write ideas -----------------------------------------------------------

_THOUGHTS = ("think", "thinking", "reasoning")


def _without_thoughts(text: str) -> str:
    """Leave out what a model thought aloud, where it says so: drafts of values stand there."""
    for name in _THOUGHTS:
        kept, position = [], 0
        while (start := text.find(f"<{name}>", position)) >= 0 and (end := text.find(f"</{name}>", start)) >= 0:
            kept.append(text[position:start])
            position = end + len(f"</{name}>")
        text = "".join([*kept, text[position:]])
    return text


def _drafts(text: str, tags: tuple[str, str], most: int) -> Iterator[_Draft]:
    """Find ideas in the form asked for; else as JSON; else on labelled lines."""
    for drafts in (_tagged(text, tags), _json_ideas(text), _labelled(text)):
        found = {draft.number: draft for draft in islice(drafts, 2 * most)}  # a later draft of a number replaces it
        if found:
            yield from islice(found.values(), most)
            return


def _tagged(text: str, tags: tuple[str, str]) -> Iterator[_Draft]:
    """Find values between tags; what stands before each tells of it."""
    name = re.escape(tags[0].strip("<>/"))
    opening = re.compile(rf"<{name}[ _#]?\d{{0,3}}>", re.IGNORECASE)
    closing = re.compile(rf"</{name}[ _#]?\d{{0,3}}>", re.IGNORECASE)
    position = count = 0
    while (end := closing.search(text, position)) is not None:
        starts = list(opening.finditer(text, position, end.start()))
        if starts:
            before = text[position : starts[-1].start()]
            count += 1
            number = _last_number(before) or count
            yield _Draft(number, trimmed(text[starts[-1].end() : end.start()]), _read_head(before))
        position = end.end()


#: The line that an idea begins with: `IDEA 3 | FROM 7`, `**Idea 3**`, `### Idea #3:`.
_IDEA = re.compile(r"^[\s<>#*_\-]{0,8}idea[\s_#*]{0,4}(\d{1,3})\b", re.IGNORECASE | re.MULTILINE)
#: What an idea tells of itself, by the labels that models give it: `EXPECT -9.6`, `<FROM>7</FROM>`, `**REASON:** ...`.
_LABELS = {
    "from": r"from|parent",
    "role": r"role",
    "expect": r"expect(?:ed|s)?(?:[ _]loss)?|predict(?:ed|ion)?(?:[ _]loss)?",
    "change": r"change|edit",
    "reason": r"reason|why",
}
_LABEL = re.compile(
    r"[\s*_\"'#<>-]{0,8}(?:" + "|".join(f"(?P<{name}>{words})" for name, words in _LABELS.items()) + r")"
    r"(?![\w-])[\s*_\"':=>]{0,8}",
    re.IGNORECASE,
)
_LOOSE = {
    "from": re.compile(r"\bfrom\s{0,3}(#?\d{1,6}\b)", re.IGNORECASE),
    "expect": re.compile(r"\b(?:expect|predict)\w{0,4}\b([^\d\n]{0,20}\d[\d.]{0,20})", re.IGNORECASE),
}
_AROUND = " \t*_\"'<>,;|"


def _last_number(before: str) -> int:
    numbers = [int(match[1]) for match in islice(_IDEA.finditer(before[-_MAX_HEAD_CHARS:]), 200)]
    return numbers[-1] if numbers else 0


def _read_head(before: str) -> dict[str, str]:
    """Read what stands before a value: what it is from, its role, the loss that is expected, change and reason."""
    before = before[-_MAX_HEAD_CHARS:]
    begins = [match.end() for match in _IDEA.finditer(before)]
    first, _, rest = before[begins[-1] if begins else 0 :].lstrip().partition("\n")
    # On the first line several stand side by side; then each begins a line. A tag that closes ends one too.
    lines = [*re.split(r"[|;,]|</\w{1,20}>", first), *re.split(r"\n|</\w{1,20}>", rest)]
    head: dict[str, str] = {}
    current = ""
    for line in lines:
        label = _LABEL.match(line)
        if label and label.lastgroup:
            current = label.lastgroup
            head.setdefault(current, line[label.end() :].strip(_AROUND))
        elif current in ("reason", "change"):
            head[current] += f" {line.strip(_AROUND)}"
        elif "role" not in head and len(line) < 30 and _role(line):
            head["role"] = line
    for name, pattern in _LOOSE.items():
        if name not in head and (found := pattern.search(first)):
            head[name] = found[1]
    return head


def _labelled(text: str) -> Iterator[_Draft]:
    """Find values on lines of their own after a label: `VALUE: ...`."""
    position = 0
    for count, match in enumerate(_VALUE_LINE.finditer(text), 1):
        before = text[position : match.start()]
        yield _Draft(_last_number(before) or count, match[1].strip().strip("`"), _read_head(before))
        position = match.end()


_VALUE_LINE = re.compile(
    r"^[\s>*_\-]{0,8}(?:new )?(?:value|smiles)[*_]{0,2}[:=][*_]{0,2}[^\S\n]*(\S[^\n]*)$", re.I | re.M
)


def _json_ideas(text: str) -> Iterator[_Draft]:
    """Find objects with a value, alone or in lists."""
    for count, keyed in enumerate(json_objects(text, _objects), 1):
        head = {name: _text(keyed, words) for name, words in _LABELS.items()}
        yield _Draft(count, _text(keyed, "value|smiles"), {k: v for k, v in head.items() if v})


def _objects(found: Any) -> Iterator[dict[str, Any]]:
    """Go through an object and the lists in it; those that hold a value."""
    if not isinstance(found, dict):
        return
    keyed = {str(key).lower(): value for key, value in found.items()}
    if _text(keyed, "value|smiles"):
        yield keyed
        return
    for value in keyed.values():
        for item in value if isinstance(value, list) else []:
            yield from _objects(item)


def _text(keyed: dict[str, Any], words: str) -> str:
    for key, value in keyed.items():
        if re.fullmatch(words, key):
            return value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return ""
