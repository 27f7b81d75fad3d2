"""Structures made from structures, written as planners write them: `PTV63 - (PTV70 + 5 mm)`.

    A                       a structure, by its name; [targets] is all targets together, [external] the body's outline
    'Lungs - GTV'           a name in quotes, where it holds what would be read as an operator
    A + 5 mm, A - 3 mm      grown or shrunk by a margin
    A & B                   what both have in common
    A - B, A | B            A without B; both together
    ring(A, 3 mm, 13 mm)    what lies more than 3 and at most 13 mm outside A

Margins bind first, then &, then - and | from left to right; parentheses say otherwise. A + or - that is an operator
has a space on both sides, since names hold both (`PTV-70`, `Z_PTV+5`).

Distances are Euclidean, in mm, between the centres of voxels: `A + 5 mm` is every voxel whose centre is within 5 mm of
one of A's, `A - 3 mm` the voxels of A with no centre outside A within 3 mm; what lies beyond the grid is outside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from tgsci.basics.texts import compact, quote
from tgsci.errors import UsageError

from ..names import clean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

#: Longest text, characters; deepest nesting; most names, and the largest margin, mm.
LONGEST, DEEPEST, MOST_NAMES, MOST_MM = 300, 8, 24, 200.0
#: Words that stand for structures of a type.
TARGETS, EXTERNAL = "[targets]", "[external]"
#: Added to distances before they are compared, mm: sums of spacings are rounded.
_ROUNDING = 1e-6
_HELP = "write it like PTV63 - (PTV70 + 5 mm), A & B, A | B or ring(PTV70, 3 mm, 13 mm)"
_TOKEN = re.compile(
    r"\s*(?:(?P<ring>ring\s*\()|(?P<punctuation>[()&|,])|(?P<sign>(?<![^\s)])[+-](?=[\s(]))"
    r"|'(?P<quoted>[^']*)'|(?P<word>\[[A-Za-z]+\])|(?P<name>(?:(?!\s[+-][\s(])[A-Za-z0-9_+\-.^~\s])+))"
)
_MM = re.compile(r"(\d{1,4}(?:\.\d{1,3})?|\.\d{1,3})\s*(mm|cm)?")

Kind = Literal["name", "without", "union", "overlap", "margin", "ring"]


@dataclass(frozen=True)
class Region:
    """A structure, or what is made from several.

    Args:
        kind: What is done with the parts.
        parts: What it is made from; none of a name.
        name: Of a structure.
        mm: Of a margin: how far out, below 0 in; of a ring: from and to.
    """

    kind: Kind
    parts: tuple[Region, ...] = ()
    name: str = ""
    mm: tuple[float, ...] = ()

    def __str__(self) -> str:
        """Write the one canonical text, which reads back to the same."""
        if self.kind == "name":
            return f"'{self.name}'" if _needs_quotes(self.name) else self.name
        if self.kind == "ring":
            return f"ring({self.parts[0]}, {compact(self.mm[0], 6)} mm, {compact(self.mm[1], 6)} mm)"
        inner = [_bracketed(part) for part in self.parts]
        if self.kind == "margin":
            return f"{inner[0]} {'+' if self.mm[0] > 0 else '-'} {compact(abs(self.mm[0]), 6)} mm"
        return {"without": " - ", "union": " | ", "overlap": " & "}[self.kind].join(inner)

    @property
    def names(self) -> tuple[str, ...]:
        """The structures that it is made from, each once, in the order of the text."""
        return tuple(dict.fromkeys(self._names()))

    def renamed(self, rename: Callable[[str], str]) -> Region:
        """Give every structure another name."""
        if self.kind == "name":
            return replace(self, name=rename(self.name))
        return replace(self, parts=tuple(part.renamed(rename) for part in self.parts))

    def mask(self, masks: Callable[[str], Mask], spacing: tuple[float, float, float]) -> Mask:
        """Find its voxels.

        Args:
            masks: Gives the mask of a structure, (z, y, x), all of one shape.
            spacing: Distance of voxel centres along (z, y, x), mm.

        Returns:
            A mask of that shape.
        """
        if self.kind == "name":
            return masks(self.name).astype(bool, copy=False)
        first, *others = (part.mask(masks, spacing) for part in self.parts)
        if self.kind == "margin":
            (mm,) = self.mm
            return grown(first, mm, spacing) if mm > 0 else shrunk(first, -mm, spacing)
        if self.kind == "ring":
            return grown(first, self.mm[1], spacing) & ~grown(first, self.mm[0], spacing)
        for other in others:
            first = (
                first & ~other if self.kind == "without" else first | other if self.kind == "union" else first & other
            )
        return first

    def _names(self) -> Iterator[str]:
        if self.kind == "name":
            yield self.name
        for part in self.parts:
            yield from part._names()


def grown(mask: Mask, mm: float, spacing: tuple[float, float, float]) -> Mask:
    """Grow a mask: every voxel within `mm` of one of its own; all of it for 0."""
    from scipy.ndimage import distance_transform_edt

    if mm <= 0 or not mask.any():
        return mask.copy()
    box = _box(mask, [int(mm / s) + 1 for s in spacing])
    out = mask.copy()
    out[box] = distance_transform_edt(~mask[box], sampling=spacing) <= mm + _ROUNDING
    return out


def shrunk(mask: Mask, mm: float, spacing: tuple[float, float, float]) -> Mask:
    """Shrink a mask: its voxels with nothing outside it within `mm`; what lies beyond the grid is outside."""
    import numpy as np
    from scipy.ndimage import distance_transform_edt

    if mm <= 0 or not mask.any():
        return mask.copy()
    box = _box(mask, [0, 0, 0])
    out = np.zeros_like(mask)
    away = distance_transform_edt(np.pad(mask[box], 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    out[box] = away > mm + _ROUNDING
    return out


def looks_like_region(text: str) -> bool:
    """Tell whether a text has an operator, and so is more than a structure's name."""
    return isinstance(text, str) and bool(re.search(r"[()&|']|(?<=[\s)])[+-](?=[\s(])", text[:LONGEST]))


def parse(text: str) -> Region:
    """Read a region; a structure's name alone is one too.

    Raises:
        UsageError: The text is none; says what is wrong and what to write.
    """
    if not isinstance(text, str):
        raise UsageError(f"a region is a text, not {quote(text)}; {_HELP}")
    if len(text) > LONGEST:
        raise UsageError(f"a region has at most {LONGEST} characters, and this has {len(text)}; {_HELP}")
    return _Parser(text).region()


def canonical(text: str) -> str:
    """Write a region as its canonical text.

    Raises:
        UsageError: As `parse`.
    """
    return str(parse(text))


def readable(text: str) -> str:
    """Make a structure's name or a region harmless for a message: canonical where it is one, else cleaned."""
    try:
        return canonical(text) if looks_like_region(text) else clean(text)
    except UsageError:
        return clean(text)


class _Parser:
    """Reads a region from left to right, a token ahead."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self._split())
        self.at = 0
        self.names = 0

    def region(self) -> Region:
        region = self._sum(0)
        if self.at < len(self.tokens):
            raise self._fault(f"{quote(self.tokens[self.at][1])} is not expected there")
        return region

    def _split(self) -> Iterator[tuple[str, str]]:
        at, end = 0, len(self.text.rstrip())
        while at < end:
            match = _TOKEN.match(self.text, at)
            if match is None or match.end() == at:
                raise self._fault(f"{quote(self.text[at : at + 12])} cannot be read")
            kind = match.lastgroup or ""
            yield kind, match[kind].strip()
            at = match.end()

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def _take(self, wanted: str) -> None:
        if self._peek() != ("punctuation", wanted):
            raise self._fault(f"{quote(wanted)} is missing" + (f" before {quote(t)}" if (t := self._peek()[1]) else ""))
        self.at += 1

    def _sum(self, depth: int) -> Region:
        left = self._product(depth)
        while self._peek() in (("sign", "-"), ("punctuation", "|")):
            kind: Kind = "without" if self._peek()[1] == "-" else "union"
            self.at += 1
            left = _joined(kind, left, self._product(depth))
        return left

    def _product(self, depth: int) -> Region:
        left = self._margin(depth)
        while self._peek() == ("punctuation", "&"):
            self.at += 1
            left = _joined("overlap", left, self._margin(depth))
        return left

    def _margin(self, depth: int) -> Region:
        region = self._single(depth)
        while self._peek()[0] == "sign":
            sign = self._peek()[1]
            after = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else ("end", "")
            match = _MM.fullmatch(after[1]) if after[0] == "name" else None
            if match is None or not match[2]:
                if sign == "-":
                    break  # A - B
                raise self._fault("+ stands before a margin in mm, A + 5 mm; for both structures together write A | B")
            self.at += 1
            mm = self._mm(least=0.0)
            region = Region("margin", (region,), mm=(mm if sign == "+" else -mm,))
        return region

    def _single(self, depth: int) -> Region:
        if depth > DEEPEST:
            raise self._fault(f"it is nested more than {DEEPEST} deep")
        kind, word = self._peek()
        if (kind, word) == ("punctuation", "("):
            self.at += 1
            region = self._sum(depth + 1)
            self._take(")")
            return region
        if kind == "ring":
            self.at += 1
            inside = self._sum(depth + 1)
            self._take(",")
            first = self._mm(least=-1.0)
            self._take(",")
            last = self._mm(least=0.0)
            self._take(")")
            if last <= first:
                raise self._fault("a ring goes from its smaller distance to its larger: ring(A, 3 mm, 13 mm)")
            return Region("ring", (inside,), mm=(first, last))
        if kind not in ("name", "quoted", "word"):
            raise self._fault(f"a structure's name is missing{f' before {quote(word)}' if word else ' at its end'}")
        self.at += 1
        self.names += 1
        if self.names > MOST_NAMES:
            raise self._fault(f"it names more than {MOST_NAMES} structures")
        name = word.casefold() if kind == "word" else clean(word)
        if not name or (kind == "word" and name not in (TARGETS, EXTERNAL)):
            raise self._fault(f"{quote(word)} is no structure's name")
        return Region("name", name=name)

    def _mm(self, least: float) -> float:
        kind, word = self._peek()
        match = _MM.fullmatch(word) if kind == "name" else None
        if match is None or match[2] != "mm":
            also = f": {compact(10 * float(match[1]), 4)} mm" if match and match[2] == "cm" else ""
            raise self._fault(f"a distance is a number of mm, not {quote(word)}{also}")
        self.at += 1
        mm = float(match[1])
        if not least < mm <= MOST_MM:
            raise self._fault(f"{quote(word)} is out of range; a margin is above 0 and at most {MOST_MM:g} mm")
        return mm

    def _fault(self, why: str) -> UsageError:
        return UsageError(f"{quote(self.text, 80)} is no region: {why}; {_HELP}")


def _joined(kind: Kind, left: Region, right: Region) -> Region:
    """Join two regions; A | B | C, A & B & C and A - B - C are one operation each."""
    parts = left.parts if left.kind == kind else (left,)
    return Region(kind, (*parts, right))


def _bracketed(part: Region) -> str:
    return str(part) if part.kind in ("name", "ring") else f"({part})"


def _needs_quotes(name: str) -> bool:
    """Tell whether a name would be read as something else without quotes."""
    return name not in (TARGETS, EXTERNAL) and (
        looks_like_region(name)
        or bool(_MM.fullmatch(name))
        or name.startswith(("+ ", "- "))
        or name.endswith((" +", " -"))
    )


def _box(mask: Mask, more: list[int]) -> tuple[slice, ...]:
    """Find the box that holds a mask, wider by some voxels on each side."""
    box = []
    for axis, extra in enumerate(more):
        flat: Any = mask.any(axis=tuple(a for a in range(mask.ndim) if a != axis))
        there = flat.nonzero()[0]
        box.append(slice(max(0, int(there[0]) - extra), int(there[-1]) + extra + 1))
    return tuple(box)
