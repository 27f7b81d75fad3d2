"""One clinical goal, written as a sentence: `PTV D95% >= 50 Gy, priority 1, tolerance 1 Gy`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tgsci.basics.texts import compact, quote, rounded
from tgsci.errors import UsageError

from ..case.regions import EXTERNAL, TARGETS, canonical, looks_like_region
from ..names import clean, folded
from .metrics import DIGITS, Metric, Unit, written_unit

#: Where the case lacks a goal's structure, the reason why it is not evaluated begins with this.
ABSENT = "the case has no"
#: The lowest priority that a sheet may give, 1 is the most important; and that of implied goals, below all others.
#: `loss.scoring` weighs them.
LOWEST_PRIORITY, IMPLIED_PRIORITY = 4, 5
_LONGEST = 200
_SIGN = re.compile(r"<=|>=|=<|=>|≤|≥|==|<|>|=")
_MEANING = {"<=": "<=", "≤": "<=", "<": "<=", ">=": ">=", "≥": ">=", ">": ">="}
#: A comma that stands in no parentheses.
_COMMA = re.compile(r",(?![^(]*\))")
_AMOUNT = re.compile(r"([+-]?\d{1,7}(?:\.\d{1,7})?|\.\d{1,7})\s*(gy|cgy|%|cc|cm3|cm\^3|ml)?", re.IGNORECASE)
_HELP = "write it as PTV D95% >= 50 Gy, priority 1"


@dataclass(frozen=True)
class HistogramPoint:
    """A point that a structure's cumulative dose-volume histogram has to pass on one side.

    Args:
        dose: Total Gy.
        volume: % of the structure.
        side: Where the curve has to pass, seen from the point: "<" at less dose, ">" at more, "v" or "^" at less or
            more volume.
    """

    dose: float
    volume: float
    side: str

    @property
    def asks_for_dose(self) -> bool:
        """True where the curve has to reach the point, False where it has to stay below."""
        return self.side in (">", "^")


@dataclass(frozen=True)
class Goal:
    """A criterion for the dose of a structure.

    A limit of a dose may be in % of the prescription; `Sheet.bind` turns it into Gy.

    Args:
        structure: A structure's name, a region (`case.regions`), `[targets]` (each of them) or `[external]`.
        metric: What is measured.
        comparison: ">=" or "<=". Sheets may say > and <, which mean the same: a measured figure is never exact.
        limit: What it should reach or keep, in `unit`.
        unit: Gy, % or cc, or none.
        tolerance: How far off still counts as acceptable, in `unit`; 0 for not at all.
        priority: 1 (the most important) to 4; 5 of an implied goal.
        text: As it was written.
        optional: True where a case without the structure is no fault.
        note: For people: where the figure comes from.
        implied: True where no sheet says it and every clinic means it (`goals.implied`).
        spares: True where better than the limit is better still: of organs, of wide dose in the body and of conformity,
            not of a target's own dose or the body's hottest part. `Sheet.bind` knows.
        least: Where targets alone forbid the goal (`goals.overlap`): the least value that they leave; else nan.
    """

    structure: str
    metric: Metric
    comparison: str
    limit: float
    unit: Unit
    tolerance: float = 0.0
    priority: int = 1
    text: str = ""
    optional: bool = False
    note: str = ""
    implied: bool = False
    spares: bool = False
    least: float = math.nan

    @property
    def forbidden(self) -> bool:
        """True where no plan that treats the targets can meet it."""
        return math.isfinite(self.least)

    @property
    def name(self) -> str:
        """What it is about: "PTV D95%"; a metric's name in a run."""
        return f"{self.structure} {self.metric}"

    @property
    def criterion(self) -> str:
        """What it asks for: "PTV D95% >= 50 Gy"."""
        return f"{self.name} {self.comparison} {with_unit(self.limit, self.unit)}"

    @property
    def sign(self) -> float:
        """+1 where more is better, -1 where less is."""
        return 1.0 if self.comparison == ">=" else -1.0

    def margin(self, value: float) -> float:
        """Compute how much better than the limit a value is; below 0 it misses the goal by that much."""
        return self.limit - value if self.comparison == "<=" else value - self.limit

    def point(self, volume_cc: float, prescription: float = math.nan) -> HistogramPoint | None:
        """Find the goal's point on the histogram; None for means, gEUD, HI and CI, and where a volume is not known.

        Args:
            volume_cc: Of the structure's voxels, cc; nan where it is not known.
            prescription: What a dose in % refers to, total Gy.
        """
        metric, more = self.metric, self.comparison == ">="
        if metric.kind in ("D%", "Dcc", "Dmax", "Dmin"):
            shares = {"D%": metric.amount, "Dmax": 0.0, "Dmin": 100.0}
            share = shares[metric.kind] if metric.kind in shares else 100.0 * metric.amount / volume_cc
            dose, share, side = self.limit, min(share, 100.0), ">" if more else "<"
        elif metric.kind in ("VGy", "V%", "CVGy", "CV%"):
            dose = metric.amount if metric.kind.endswith("Gy") else metric.amount * prescription / 100.0
            share = self.limit if metric.unit == "%" else 100.0 * self.limit / volume_cc
            if metric.kind.startswith("C"):  # V = 100% - CV
                share, more = 100.0 - share, not more
            share, side = min(max(share, 0.0), 100.0), "^" if more else "v"
        else:
            return None
        return HistogramPoint(dose, share, side) if math.isfinite(share) else None

    def __str__(self) -> str:
        more = [f"tolerance {with_unit(self.tolerance, self.unit)}"] if self.tolerance else []
        more += ["implied" if self.implied else f"priority {self.priority}"] + (["optional"] if self.optional else [])
        return ", ".join([self.criterion, *more])


def with_unit(value: float, unit: str, digits: int = DIGITS) -> str:
    """Write a figure with its unit: 50 Gy, 95%, 0.1."""
    return f"{compact(value, digits)}{'' if unit in ('%', '') else ' '}{unit}"


def absolute(goal: Goal, prescription: float) -> Goal | None:
    """Turn doses in % into Gy; None where the prescription is not known (nan)."""
    metric, limit, tolerance = goal.metric, goal.limit, goal.tolerance
    if metric.unit == "Gy" and goal.unit == "%":
        limit, tolerance = limit * prescription / 100.0, tolerance * prescription / 100.0
    if metric.kind in ("V%", "CV%"):
        metric = Metric("VGy" if metric.kind == "V%" else "CVGy", metric.amount * prescription / 100.0, metric.unit)
    if math.isnan(limit) or math.isnan(metric.amount):
        return None
    return replace(goal, metric=metric, limit=limit, tolerance=tolerance, unit=metric.unit)


def parse_goal(text: str, *, optional: bool = False) -> Goal:
    """Read a goal.

    Args:
        text: The goal, and after commas `priority N`, `tolerance X`, `optional`.
        optional: Of a goal that does not say it.

    Raises:
        UsageError: Not a goal; says what to write.
    """
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise UsageError(f"a goal is a text of at most {_LONGEST} characters, not {quote(text)}; {_HELP}")
    sentence, *more = [part.strip() for part in _COMMA.split(text)]
    signs = list(_SIGN.finditer(sentence))
    if len(signs) != 1:
        raise UsageError(f"a goal has one <= or >=, and {quote(sentence)} has {len(signs)}; {_HELP}")
    sign = signs[0][0]
    if sign not in _MEANING:
        raise UsageError(f"write <= or >=, not {sign}, in {quote(sentence)}")
    structure, metric, written = _left(sentence[: signs[0].start()].strip(), sentence)
    limit, unit = _amount(sentence[signs[0].end() :].strip(), f"the limit of {quote(sentence)}")
    if written and unit and unit != written:
        raise UsageError(f"the metric is in {written} and its limit in {unit}, in {quote(sentence)}; write one of them")
    unit = unit or written
    metric, unit = _match_unit(metric, limit, unit, sentence)
    tolerance, priority = 0.0, 1
    seen: set[str] = set()
    for part in more:
        word, _, rest = part.partition(" ")
        word = word.casefold().rstrip(":=")
        if word in seen:
            raise UsageError(f"{word} stands twice in {quote(text)}; keep one")
        seen.add(word)
        if word == "priority":
            priority = _priority(rest.strip(), text)
        elif word == "tolerance":
            tolerance = _tolerance(rest.strip(), unit, text, written)
        elif word == "optional" and not rest:
            optional = True
        else:
            raise UsageError(
                f"{quote(part)} in {quote(text)} is none of: priority 1, tolerance 1 {unit or '(a number)'}, optional"
            )
    return Goal(structure, metric, _MEANING[sign], limit, unit, tolerance, priority, text.strip(), optional)


def _left(left: str, sentence: str) -> tuple[str, Metric, str]:
    """Split what stands before the sign into structure, metric and the unit in its brackets; spaces are everywhere."""
    words = left.split()
    if len(words) < 2:
        raise UsageError(f"{quote(sentence)} needs a structure and a metric before the sign; {_HELP}")
    fault: UsageError | None = None
    for count in (1, 2, 3, 4):
        if count >= len(words):
            break
        try:
            text = " ".join(words[-count:])
            metric, unit = Metric.parse(text), written_unit(text)
        except UsageError as error:
            fault = fault or error
            continue
        return structure_name(" ".join(words[:-count]), sentence), metric, unit
    raise fault or UsageError(f"{quote(sentence)} names no metric; {_HELP}")


def structure_name(name: str, sentence: str) -> str:
    """Clean a structure's name; the two words that stand for structures of a type stay, a region becomes canonical."""
    if name.casefold() in (TARGETS, EXTERNAL):
        return name.casefold()
    if looks_like_region(name):
        return canonical(name)
    cleaned = clean(name)
    if not cleaned:
        raise UsageError(f"{quote(sentence)} names no structure; {_HELP}")
    return cleaned


def same_structure(name: str) -> str:
    """Give what two spellings of a structure or region have in common."""
    return name if looks_like_region(name) else folded(name)


def _amount(text: str, what: str) -> tuple[float, str]:
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise UsageError(f"{what} must be a number and its unit (50 Gy, 30%, 2 cc), not {quote(text)}")
    value, unit = rounded(float(match[1]), DIGITS), (match[2] or "").casefold()
    if unit == "cgy":
        raise UsageError(f"{what} is in cGy; doses are total Gy: write {compact(value / 100, 6)} Gy")
    if value < 0:
        raise UsageError(f"{what} is negative; write 0 or more")
    return value, {"gy": "Gy", "%": "%", "": ""}.get(unit, "cc")


def _match_unit(metric: Metric, limit: float, unit: str, sentence: str) -> tuple[Metric, Unit]:
    """Check that the limit's unit goes with the metric; `V20Gy <= 30 cc` means V20Gy[cc]."""
    if metric.unit == "Gy":
        if unit not in ("Gy", "%"):
            have = f"is in {unit}" if unit else "has no unit"
            raise UsageError(
                f"{metric} is a dose and its limit {have} in {quote(sentence)}; write {compact(limit, 6)} Gy, or % of "
                "the prescription"
            )
        if unit == "Gy" and limit > 300:
            raise UsageError(
                f"{compact(limit, 6)} Gy in {quote(sentence)} looks like cGy; doses are total Gy: "
                f"write {compact(limit / 100, 6)} Gy"
            )
        if limit == 0 or (unit == "%" and limit > 300):
            raise UsageError(f"the limit {with_unit(limit, unit)} in {quote(sentence)} cannot be; {_HELP}")
        return metric, "Gy" if unit == "Gy" else "%"
    if metric.unit == "":
        if unit:
            raise UsageError(f"{metric} has no unit; leave {unit} out of {quote(sentence)}")
        return metric, ""
    if unit not in ("%", "cc"):
        have = f"is in {unit}" if unit else "has no unit"
        raise UsageError(
            f"{metric} is a volume and its limit {have} in {quote(sentence)}; write {compact(limit, 6)}% or "
            f"{compact(limit, 6)} cc"
        )
    if metric.unit == "cc" and unit == "%":
        raise UsageError(f"{metric} is in cc and its limit in %, in {quote(sentence)}; leave [cc] out, or write cc")
    if unit == "%" and limit > 100:
        raise UsageError(f"{compact(limit, 6)}% of a structure in {quote(sentence)} cannot be; write 0 to 100%")
    return (Metric(metric.kind, metric.amount, "cc"), "cc") if unit == "cc" else (metric, "%")


def _priority(text: str, sentence: str) -> int:
    if not re.fullmatch(r"\d{1,2}", text) or not 1 <= int(text) <= LOWEST_PRIORITY:
        raise UsageError(
            f"no priority {quote(text)} in {quote(sentence)}: a priority is a whole number from 1 (most important) to "
            f"{LOWEST_PRIORITY}; write 1, 2, 3 or 4, which count 27, 9, 3 and 1 in a plan's loss"
        )
    return int(text)


def _tolerance(text: str, unit: str, sentence: str, written: str) -> float:
    value, its_unit = _amount(text, f"the tolerance of {quote(sentence)}")
    if (its_unit or written) != unit:
        raise UsageError(
            f"the tolerance must be in the limit's unit in {quote(sentence)}; write {with_unit(value, unit) or value}"
        )
    return value


def contradiction(goals: Sequence[Goal], volume_cc: float = math.nan) -> str:
    """Say which two goals on one structure exclude each other; "" where none do.

    V(L) >= a% says the same as Da% >= L, and V(U) <= b% is read as Db% <= U: a step of the dose at exactly b% of the
    volume is not counted on. A histogram falls: what at least a% of the volume gets, b% < a% get too. So Da% >= L and
    Db% <= U exclude each other where U < L and b <= a; and a mean is at least L a/100 and at most the maximum.

    Args:
        goals: Goals on one structure, their limits in the metrics' units (no % of a prescription).
        volume_cc: Volume of the structure, cc; nan where it is not known, and goals in cc are passed over.
    """
    bounds = [(goal, point) for goal in goals if (point := _bound(goal, volume_cc)) is not None]
    for low, least in bounds:
        for high, most in bounds:
            tied = math.isclose(least.volume, most.volume, abs_tol=1e-9)
            opposed = least.asks_for_dose and not most.asks_for_dose
            if opposed and most.dose < least.dose and (most.volume < least.volume or tied):
                return _excluded(low, high)
    means = [goal for goal in goals if goal.metric.kind == "Dmean"]
    for mean in means:
        for goal, point in bounds:
            lifts = point.asks_for_dose
            if mean.comparison == "<=" and lifts and mean.limit < point.dose * point.volume / 100.0:
                return _excluded(goal, mean)
            if mean.comparison == ">=" and not lifts and point.volume == 0.0 and mean.limit > point.dose:
                return _excluded(mean, goal)
    same = [g for g in goals if g.comparison == ">="]
    for low_goal in same:
        for high_goal in goals:
            window = high_goal.comparison == "<=" and high_goal.metric == low_goal.metric
            if window and high_goal.limit < low_goal.limit:
                return _excluded(low_goal, high_goal)
    return ""


def _excluded(low: Goal, high: Goal) -> str:
    return f"{low.criterion} and {high.criterion} cannot both be met; change one of them"


def _bound(goal: Goal, volume_cc: float) -> HistogramPoint | None:
    """Give the point that bounds the histogram; None for a goal without one, or one that any dose meets."""
    point = goal.point(volume_cc)
    if point is None or goal.metric.unit == "Gy":
        return point
    met_anyway = point.volume <= 0.0 if point.asks_for_dose else point.volume >= 100.0
    return None if met_anyway else point
