"""Advice in words: the groups that it asks to keep or to avoid become limits; the rest is reported as not understood.

A model gets the whole text. The rule editor follows only the limits, and a person is told which these are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tgsci.basics.texts import literal, one_line
from tgsci.errors import UsageError

from ..molecule.patterns import Pattern
from ..tables import read_table

#: Longest advice, characters.
MAX_ADVICE = 500

_KEEP = (
    "keep", "retain", "preserve", "maintain", "conserve", "contain", "contains", "must have", "needs", "include",
    "leave intact", "hold on to", "keeping", "retaining", "preserving",
)  # fmt: skip
_AVOID = (
    "avoid", "no", "without", "remove", "exclude", "omit", "drop", "delete", "eliminate", "leave out", "get rid of",
    "free of", "lose", "losing", "avoiding", "removing", "excluding", "nor",
)  # fmt: skip
#: Harmless alone, a wish to keep when negated: "do not change the morpholine".
_CHANGE = ("change", "touch", "modify", "alter", "replace", "break", "edit", "swap", "move")
#: Not something the rule editor can promise, a wish to avoid when negated: "do not add nitro groups".
_ADD = ("add", "introduce", "use", "make", "put", "have", "has", "allow", "want", "like", "install")
_NOT = ("not", "don't", "dont", "cannot", "can't", "must not", "should not", "shouldn't", "do not", "never")

#: What joins two verbs: of one negation, or of two wishes.
_OR = ("or",)
_AND = ("and", "but", ",")

#: Words that say nothing about which group is meant.
_FILLER = frozenset(
    re.findall(
        r"\w+",
        "the a an any all and or of its it in on at to group groups moiety moieties motif ring rings intact unchanged "
        "present please alone that which is are be binds binding bind hinge core fragment part substituent "
        "substituents this these those their molecule molecules compound compounds you we i must should always do "
        "also more as well new further place there untouched original but too unit scaffold functional everywhere ever",
    )
)


@dataclass(frozen=True)
class Advice:
    """Advice that was read.

    Args:
        text: The advice for a model: one line of printable characters.
        keep: Groups that it asks to keep.
        avoid: Groups that it asks to avoid.
        left: Parts that became no limit.
    """

    text: str
    keep: tuple[Pattern, ...] = ()
    avoid: tuple[Pattern, ...] = ()
    left: tuple[str, ...] = ()

    def summary(self) -> str:
        """Tell a person what was understood and what was not; empty without advice."""
        if not self.text:
            return ""
        lines = [f"understood as a limit: {verb} {p.name} (SMARTS {p.smarts})" for verb, p in self._limits()]
        if self.left:
            parts = "; ".join(f"'{part}'" for part in self.left)
            lines.append(f"the rule editor cannot follow: {parts}. A model is told; to be sure, use --keep or --avoid")
        return "Advice: " + ". ".join(lines) + "."

    def _limits(self) -> Iterator[tuple[str, Pattern]]:
        yield from (("keep", pattern) for pattern in self.keep)
        yield from (("avoid", pattern) for pattern in self.avoid)


def read_advice(text: object) -> Advice:
    """Read the groups to keep or to avoid from advice in words.

    Args:
        text: "keep the aminopyrimidine hinge binder, no nitro groups".

    Raises:
        UsageError: The advice is no text, or too long.
    """
    if not isinstance(text, str) or len(text) > MAX_ADVICE:
        raise UsageError(f"advise must be a text of at most {MAX_ADVICE} characters, not {literal(text, 40)}")
    line = one_line(text)
    groups_by_wish: dict[str, dict[str, Pattern]] = {"keep": {}, "avoid": {}}
    left: list[str] = []
    for sentence in filter(None, (part.strip(" ,") for part in re.split(r"[.;:!?]+(?:\s|$)", line))):
        for wish, part in _parts(sentence):
            either = wish == "keep" and "or" in map(str.lower, part)
            for words in _pieces(part):
                groups, rest = _groups_in(words)
                if wish in groups_by_wish and groups and not rest and not either:
                    groups_by_wish[wish] |= {group.name: group for group in groups}
                elif groups or rest:
                    left.append(sentence if wish is None else " ".join(words))
    both = groups_by_wish["keep"].keys() & groups_by_wish["avoid"].keys()
    left = [text for text in dict.fromkeys(left) if not any(text in other and text != other for other in left)]
    left += [f"both keep and avoid {name}" for name in groups_by_wish["keep"] if name in both]
    return Advice(
        line,
        tuple(p for name, p in groups_by_wish["keep"].items() if name not in both),
        tuple(p for name, p in groups_by_wish["avoid"].items() if name not in both),
        tuple(left),
    )


@cache
def groups() -> list[tuple[Pattern, tuple[str, ...]]]:
    """Read the groups that advice may name, each with its other names; `groups.tsv` beside this file."""
    return read_table(Path(__file__).with_name("groups.tsv"), group)


def group(row: Mapping[str, str]) -> tuple[Pattern, tuple[str, ...]]:
    """Make the group of a row, with its other names.

    Raises:
        ValueError: Its SMARTS cannot be used.
    """
    try:
        pattern = Pattern(row["smarts"], row["name"])
    except UsageError as error:
        raise ValueError(str(error)) from None
    return pattern, tuple(filter(None, (name.strip() for name in row["other names"].split(","))))


@dataclass
class _Part:
    """A verb with the words after it, up to the next verb.

    Args:
        kind: A key of `_VERBS`; "" for the words before the first verb.
        negated: True where a "not" stands before the verb.
        words: The verb included.
    """

    kind: str = ""
    negated: bool = False
    words: list[str] = field(default_factory=list)

    @property
    def link(self) -> str:
        """What joins it to the next part: a comma, "or", "and" ...; "" for nothing."""
        last = self.words[-1].lower() if self.words else ""
        return last if last in (*_OR, *_AND) else ""

    @property
    def content(self) -> list[str]:
        """Its words without what joins it to the next part."""
        return self.words[: -1 if self.link else None]

    @property
    def dangles(self) -> bool:
        """True for a "not" whose verb comes after an insertion: do not, if you can, remove."""
        _, length = _verb([word.lower() for word in self.words], 0)
        return self.kind == "not" and self.words[length : length + 1] == [","]

    @property
    def wish(self) -> str:
        """ "keep", "avoid", or "" for neither."""
        return _wish(self.kind, self.negated)


def _parts(sentence: str) -> Iterator[tuple[str | None, list[str]]]:
    """Read what a sentence says: "keep", "avoid", "" for neither, None where it could be either; each with its words.

    A limit must never say the opposite of what was meant, so a verb counts only where nothing before it can turn it
    round: "avoid removing", "no need to keep", "do not, if you can, remove" are left to a model.
    """
    before: _Part | None = None
    lost = False
    for part in _verbs(sentence):
        lost = lost or part.dangles
        wish = None if lost else part.wish if before is None else _after(before, part)
        yield wish, part.content
        before = part


def _verbs(sentence: str) -> list[_Part]:
    """Cut a sentence before each verb."""
    words = re.findall(r"[\w'+#-]+|,", sentence)
    plain = [word.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'") for word in words]
    parts = [_Part()]
    at = 0
    while at < len(words):
        kind, length = _verb(plain, at)
        negated = False
        if kind == "not":
            verb_at = at + length + (plain[at + length : at + length + 1] == ["ever"])
            verb, more = _verb(plain, verb_at)
            if verb and verb != "not":
                kind, length, negated = verb, verb_at + more - at, True
        if kind:
            parts.append(_Part(kind, negated))
        parts[-1].words += words[at : at + max(1, length)]
        at += max(1, length)
    return [part for part in parts if part.words]


def _after(before: _Part, part: _Part) -> str | None:
    """Read the wish of a part after another one; None where the first may turn it round."""
    groups, rest = _groups_in(before.content)
    negated = _wish(part.kind, True)
    if before.negated and before.link in _OR:  # do not touch the amide or remove the ester
        return negated if groups or negated == before.wish else None
    if before.link in (",", "but") or before.kind == "":
        return part.wish
    if groups:  # not: do not touch the amide and remove the ester
        return None if before.negated and part.wish == "avoid" else part.wish
    if before.link in _AND:
        if before.negated:  # do not change and remove
            return negated if negated == before.wish else None
        alone = before.kind == "not" and rest  # do not go above 450 Da and keep the amide
        return part.wish if alone or before.wish == part.wish else None
    if before.link in _OR:
        return part.wish if before.wish == part.wish and before.kind != "not" else None
    return part.wish if before.kind == "add" and not before.negated else None  # I want to keep


def _pieces(words: Sequence[str]) -> Iterator[list[str]]:
    """Cut words at commas and "and", so that what is understood of one piece does not suffer from the rest."""
    piece: list[str] = []
    for word in words:
        if word.lower() in (",", "and", "but"):
            if piece:
                yield piece
            piece = []
        else:
            piece.append(word)
    if piece:
        yield piece


def _wish(kind: str, negated: bool) -> str:
    if kind == "keep":
        return "avoid" if negated else "keep"
    if kind == "avoid":
        return "keep" if negated else "avoid"
    return {"change": "keep", "add": "avoid"}.get(kind, "") if negated else ""


_VERBS = {
    "not": _NOT,
    "keep": _KEEP,
    "avoid": _AVOID,
    "change": _CHANGE,
    "add": _ADD,
}


def _verb(words: Sequence[str], at: int) -> tuple[str, int]:
    """Find the kind of verb that begins here and how many words it has; longer ones go first."""
    best = ("", 0)
    for kind, verbs in _VERBS.items():
        for verb in verbs:
            parts = verb.split()
            if len(parts) > best[1] and list(words[at : at + len(parts)]) == parts:
                best = (kind, len(parts))
    return best


def _groups_in(words: Sequence[str]) -> tuple[list[Pattern], list[str]]:
    """Find the groups named among words, the longest names first, and the words that are neither names nor filler."""
    plain = [word.lower() for word in words]
    groups: list[Pattern] = []
    rest: list[str] = []
    at = 0
    while at < len(plain):
        verb, length = _verb(plain, at)
        if verb:
            at += length
            continue
        pattern, length = _named_at(plain, at)
        if pattern is not None:
            # "the aminopyrimidine hinge binder" is one group with a word on what it does.
            if not (pattern.name == "hinge binder" and groups):
                groups.append(pattern)
            at += length
            continue
        if plain[at] not in _FILLER:
            rest.append(words[at])
        at += 1
    return groups, rest


def _named_at(words: Sequence[str], at: int) -> tuple[Pattern | None, int]:
    for length in (4, 3, 2, 1):
        if at + length <= len(words):
            pattern = _by_name().get(_stem(words[at : at + length]))
            if pattern is not None:
                return pattern, length
    return None, 0


@cache
def _by_name() -> dict[str, Pattern]:
    patterns: dict[str, Pattern] = {}
    for pattern, others in groups():
        for name in (pattern.name, *others):
            patterns.setdefault(_stem(name.split()), pattern)
    return patterns


def _stem(words: Iterable[str]) -> str:
    """Reduce a name to what its spellings share: no hyphens, no plural."""
    text = "".join(word.lower().replace("-", "").replace("'", "") for word in words)
    return text[:-1] if text.endswith("s") and not text.endswith("ss") else text
