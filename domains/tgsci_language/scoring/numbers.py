"""Score a reply by its number: the last integer as TextGrad reads it, or a number with tolerance and unit."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass

from tgsci.basics import checks
from tgsci.basics.texts import compact, quote
from tgsci.errors import UsageError

from ..datasets.example import Example
from .scorer import FORMAT, NO_ANSWER, OFF_BY_ONE, WRONG_NUMBER, WRONG_UNIT, Score, Scorer, end_of, stated

_NUMBER = re.compile(
    r"(?<![\w.^])(?P<sign>[-+\u2212]?)\$?(?P<digits>\d{1,40}(?:,\d{3}){0,10}(?:\.\d{1,40})?|\.\d{1,40})"
    r"(?:[eE](?P<e>[-+]?\d{1,3})|\s?(?:\u00d7|x|\*|\\times|\\cdot)\s?10\s?(?:\^|\*\*)\s?\{?(?P<power>[-+\u2212]?\d{1,3})\}?)?"
)
_PREFIXES = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "d": -1, "k": 3, "M": 6, "G": 9, "T": 12}
#: The units that take a prefix.
_UNITS = "m g s A K mol cd Hz N Pa J W C V F ohm T Wb H lm lx Bq Gy Sv eV L l M bar cal"
_KNOWN = frozenset(_UNITS.split())
_WORDS_OF_A_UNIT = 4
#: So many different numbers stand in a reply that only answers.
_FEW = 3


class LastInteger(Scorer):
    """The last integer of the reply is the reference's, read as TextGrad reads BIG-Bench Hard.

    That is: of the last word that holds a digit, the digits before its first point. So "$1,234.50" is 1234, and a sign
    is not read. A reply without a digit has no answer.
    """

    name = "last integer"
    reading = "the last integer that stands anywhere in the reply"

    def score(self, example: Example, reply: str) -> Score:
        reply = end_of(reply)
        found, wanted = last_integer(reply), last_integer(example.answer)
        if found is None or wanted is None:
            return Score(0.0, "", NO_ANSWER)
        if found == wanted:
            return Score(1.0, str(found))
        fault = OFF_BY_ONE if abs(found - wanted) == 1 else FORMAT if _says(reply, wanted) else WRONG_NUMBER
        return Score(0.0, str(found), fault)

    def complaint(self, example: Example) -> str:
        text = example.answer.replace(",", "").removesuffix(".0")
        if re.fullmatch(r"[$]?\d{1,400}", text):
            return ""
        return f"the scorer {self.name!r} reads digits only, and the reference answer is {quote(example.answer)}" + (
            "; 'number' reads signs and decimals" if _NUMBER.search(example.answer) else ""
        )


def _says(reply: str, wanted: int) -> bool:
    """True where a reply states the number as its answer, or is short and names it, but ends with another one."""
    after = stated(reply)
    if after is not None:
        return last_integer(_first_line(after)) == wanted
    named = {int(digits) for digits in re.findall(r"\d{1,18}", reply[-2_000:])}
    return wanted in named and len(named) <= _FEW


def last_integer(text: str) -> int | None:
    """Read the last integer of a text, as TextGrad's `parse_integer_answer` does; None where that has 0 for nothing."""
    words = [word for word in text.split() if any(c.isdigit() for c in word)]
    if not words:
        return None
    digits = "".join(c for c in words[-1].split(".")[0] if c.isdigit())
    try:
        return int(digits)
    except ValueError:  # none before the point, far too many of them, or digits such as a superscript
        return 0


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, with the few words after it that may be its unit."""

    value: float
    after: str = ""


class Number(Scorer):
    """The number of the reply is near enough to the reference's, in the same unit.

    It is the last number after the last "Answer:", or the last of the reply where that is not said. Signs, thousands
    separators, decimals and powers of ten are read. SI prefixes are converted: 1.5 mm is 0.0015 m.

    Args:
        tolerance: How far it may be off, in the reference's unit.
        relative: How far it may be off, as a share of the reference; the larger of both counts.
        unit: Unit of the reference answers, where these are bare numbers; "" where they have none or name their own.
        unit_required: False takes a bare number as one in the reference's unit.

    Raises:
        UsageError: A tolerance that is none.
    """

    name = "number"

    def __init__(
        self, tolerance: float = 0.0, relative: float = 0.0, unit: str = "", unit_required: bool = True
    ) -> None:
        self.tolerance = checks.number("tolerance", tolerance, 0)
        self.relative = checks.number("relative", relative, 0, 1)
        if not isinstance(unit, str):
            raise UsageError(f"unit must be text, not {unit!r}")
        self.unit = unit.strip()
        self.unit_required = checks.flag("unit_required", unit_required)
        within = [f"{self.tolerance:g} {self.unit}".strip()] * bool(self.tolerance)
        within += [f"{100 * self.relative:g} %"] * bool(self.relative)
        unit = f", with its unit ({self.unit})" if self.unit else ", with its unit where the reference has one"
        self.reading = (
            "the last number after the last 'Answer:' of the reply"
            + (unit if self.unit_required else "")
            + (f"; it may be off by {' or '.join(within)}" if within else "")
        )

    def score(self, example: Example, reply: str) -> Score:
        reply = end_of(reply)
        wanted = quantities(example.answer)
        if not wanted:
            return Score(0.0, "", NO_ANSWER)
        reference, unit = wanted[0].value, self.unit or wanted[0].after.strip()
        after = stated(reply)
        found = quantities(_first_line(after)) if after else []
        found = found or quantities(reply)
        if not found:
            return Score(0.0, "", NO_ANSWER)
        answer = found[-1]
        shown = f"{compact(answer.value, 10)} {answer.after}".strip()
        factor = conversion(answer.after, unit) if unit else 1.0
        if factor is None and (self.unit_required or _named_unit(answer.after)):
            right_number = self._near(answer.value, reference)
            return Score(0.0, shown, WRONG_UNIT if right_number or _named_unit(answer.after) else WRONG_NUMBER)
        value = answer.value * (1.0 if factor is None else factor)
        if self._near(value, reference):
            return Score(1.0, shown)
        if self._near(answer.value, reference):
            return Score(0.0, shown, WRONG_UNIT)
        if value == int(value) and abs(value - reference) == 1:
            return Score(0.0, shown, OFF_BY_ONE)
        elsewhere = after is not None and any(self._near(q.value, reference) for q in quantities(after))
        return Score(0.0, shown, FORMAT if elsewhere else WRONG_NUMBER)

    def _near(self, value: float, reference: float) -> bool:
        allowed = max(self.tolerance, self.relative * abs(reference), 1e-9 * abs(reference))
        return abs(value - reference) <= allowed

    def ideal(self, example: Example) -> str:
        return f"Answer: {example.answer} {self.unit}"

    def complaint(self, example: Example) -> str:
        if not quantities(example.answer):
            return f"the reference answer {quote(example.answer)} holds no number"
        return super().complaint(example)


def quantities(text: str) -> list[Quantity]:
    """Read every number of a text, each with the words after it."""
    found = []
    for match in _NUMBER.finditer(text):
        digits = f"{match['sign']}{match['digits']}".replace(",", "").replace("\u2212", "-")
        exponent = int((match["e"] or match["power"] or "0").replace("\u2212", "-"))
        try:
            value = float(f"{digits}e{exponent}")
        except ValueError:
            continue
        if math.isfinite(value):
            line = text[match.end() : match.end() + 60].split("\n")[0]
            found.append(Quantity(value, " ".join(line.split()[:_WORDS_OF_A_UNIT])))
    return found


def conversion(after: str, unit: str) -> float | None:
    """Find the factor to a unit from the one that the words after a number begin with; None where there is none."""
    wanted = _spelt(unit)
    prefix, base = _parts(wanted)
    words = after.split()
    for count in range(1, len(words) + 1):
        written = _spelt("".join(words[:count]))
        if written == wanted:
            return 1.0
        other_prefix, other_base = _parts(written)
        if base and base == other_base:
            return 10.0 ** (other_prefix - prefix)
    return None


def _spelt(unit: str) -> str:
    """Bring a unit to one spelling: m/s² and m/s^2 are one."""
    unit = unicodedata.normalize("NFKC", unit).replace("\u03bc", "u").replace("\u03a9", "ohm")
    unit = (
        unit.replace("\u2212", "-")
        .replace("\\mu", "u")
        .replace("\\,", "")
        .replace("\\text", "")
        .replace("\\mathrm", "")
    )
    return "".join(c for c in unit if c not in "^*\u00b7\u22c5$\\{}() _").rstrip(".,;:!?")


def _parts(unit: str) -> tuple[int, str]:
    """Split a unit into the power of ten of its SI prefix and its base; (0, "") for one that is not known."""
    if unit in _KNOWN:
        return 0, unit
    if unit[:1] in _PREFIXES and unit[1:] in _KNOWN:
        return _PREFIXES[unit[0]], unit[1:]
    return 0, ""


def _named_unit(after: str) -> bool:
    """True where the first word after a number is a unit that is known."""
    word = _spelt(after.split()[0]) if after.split() else ""
    return bool(_parts(word)[1])


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")
