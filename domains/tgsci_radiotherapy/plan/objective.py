"""One objective of a plan: the types there are, what each penalises, and what its figures may be."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tgsci.basics.texts import compact, did_you_mean, quote, rounded
from tgsci.errors import InvalidValue

#: Significant digits of the figures, so that the text says exactly what is planned with.
DIGITS = 4
#: Smallest and largest weight above 0: below, an objective is lost in rounding; above, the others are.
LEAST_WEIGHT, MOST_WEIGHT = 1e-6, 1e9
#: Largest exponent of a generalised equivalent uniform dose, either sign: beyond, it is the maximum or minimum dose.
MOST_EXPONENT = 50.0
#: Highest dose, total Gy, whatever the prescription.
MOST_DOSE = 1000.0


@dataclass(frozen=True)
class Kind:
    """A type of objective.

    Args:
        name: As it is written in the parameters.
        formula: What is penalised, over the N voxels that the structure owns; d is their dose, ref `dose_gy`.
        dose: True where it has the field `dose_gy`.
        volume: True where it has the field `volume_percent`.
        exponent: True where it has the field `exponent`.
        convex: True where the planner's bound covers it.
        advice: When to use it.
    """

    name: str
    formula: str
    dose: bool = True
    volume: bool = False
    exponent: bool = False
    convex: bool = True
    advice: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of such an objective, in the order in which they are written."""
        more = (("dose_gy", self.dose), ("volume_percent", self.volume), ("exponent", self.exponent))
        return ("structure", "type", *(name for name, there in more if there), "weight")


#: Every type by its name.
KINDS = {
    kind.name: kind
    for kind in (
        Kind("squared_deviation", "w/N sum (d - ref)^2", advice="a uniform dose in a target"),
        Kind("squared_overdose", "w/N sum max(d - ref, 0)^2", advice="a maximum dose, in organs, body or target"),
        Kind("squared_underdose", "w/N sum max(ref - d, 0)^2", advice="a minimum dose in a target"),
        Kind("mean", "w * Dmean", dose=False, advice="a low mean dose of an organ"),
        Kind(
            "eud",
            "w * max(gEUD - ref, 0)^2 where exponent a >= 1; w * max(ref - gEUD, 0)^2 where a < 0; "
            "gEUD = (1/N sum d^a)^(1/a)",
            exponent=True,
            advice="an organ's equivalent dose (a near 1: mean, a of 8 or more: the hot part); a < 0 for targets",
        ),
        Kind(
            "max_dvh",
            "w/N sum (d - ref)^2 over the voxels above ref, up to the dose that volume_percent of the volume gets",
            volume=True,
            convex=False,
            advice="at most volume_percent of an organ above ref",
        ),
        Kind(
            "min_dvh",
            "w/N sum (ref - d)^2 over the voxels below ref, down to the dose that volume_percent of the volume gets",
            volume=True,
            convex=False,
            advice="at least volume_percent of a target above ref",
        ),
    )
}

#: What other systems and people call the types and the fields.
TYPE_HINTS = {
    "max_dose": "squared_overdose",
    "dmax": "squared_overdose",
    "min_dose": "squared_underdose",
    "dmin": "squared_underdose",
    "uniform_dose": "squared_deviation",
    "mean_dose": "mean",
    "dmean": "mean",
    "geud": "eud",
    "square_overdosing": "squared_overdose",
    "square_underdosing": "squared_underdose",
    "dvh_max": "max_dvh",
    "dvh_min": "min_dvh",
}
FIELD_HINTS = {
    "dose": "dose_gy",
    "dose_cgy": "dose_gy (in Gy)",
    "d_ref": "dose_gy",
    "d_max": "dose_gy",
    "d_min": "dose_gy",
    "reference": "dose_gy",
    "priority": "weight",
    "penalty": "weight",
    "importance": "weight",
    "volume": "volume_percent",
    "v_max": "volume_percent",
    "v_min": "volume_percent",
    "a": "exponent",
    "k": "exponent",
    "organ": "structure",
    "roi": "structure",
    "voi": "structure",
    "name": "structure",
    "objective": "type",
    "kind": "type",
}
_UNITS = {"dose_gy": "Gy", "volume_percent": "%", "exponent": "", "weight": ""}


@dataclass(frozen=True)
class Objective:
    """What the planner penalises in one structure.

    Figures are rounded to four significant digits, so that an objective and its text are the same thing.

    Args:
        structure: Name of the structure, whose own voxels the objective sees, or a region (`case.regions`), all of
            whose voxels it sees.
        type: A key of `KINDS`.
        dose_gy: Reference dose, total Gy, all fractions together; None where the type has none.
        weight: How much it counts beside the others, 0 to 1e9; the sum is divided by the number of voxels.
        volume_percent: Of `max_dvh` and `min_dvh`: part of the structure, %.
        exponent: Of `eud`: a, at least 1 for what should stay low, below 0 for targets.

    Raises:
        InvalidValue: An unknown type, a field too many or too few, a figure that cannot be.
    """

    structure: str
    type: str
    dose_gy: float | None
    weight: float
    volume_percent: float | None = None
    exponent: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.structure, str) or not self.structure.strip():
            raise InvalidValue(f"structure must be a structure's name, not {quote(self.structure)}")
        if not isinstance(self.type, str) or self.type not in KINDS:
            raise InvalidValue(f"unknown type {quote(self.type)}; {did_you_mean(self.type, KINDS, TYPE_HINTS)}")
        for name in ("dose_gy", "volume_percent", "exponent", "weight"):
            value = getattr(self, name)
            if name not in self.kind.fields:
                if value is not None:
                    raise InvalidValue(
                        f"{self.type} has no field {name}; leave it out (fields: {', '.join(self.kind.fields)})"
                    )
            elif value is None:
                raise InvalidValue(f"{self.type} needs the field {name}, a number{_in(name)}")
            else:
                object.__setattr__(self, name, rounded(_number(name, value), DIGITS))
        _check_figures(self)

    @property
    def kind(self) -> Kind:
        """What its type means."""
        return KINDS[self.type]

    @property
    def label(self) -> str:
        """Its name in tables and in a plan's terms, "PTV squared_deviation 51.5 Gy"; a plan has each once."""
        dose = "" if self.dose_gy is None else f" {compact(self.dose_gy)} Gy"
        volume = "" if self.volume_percent is None else f" {compact(self.volume_percent)}%"
        exponent = "" if self.exponent is None else f" a={compact(self.exponent)}"
        return f"{self.structure} {self.type}{dose}{volume}{exponent}"

    @property
    def lifts(self) -> bool:
        """True where more dose may make it better: without one of these the best plan is no dose at all."""
        return self.type in ("squared_deviation", "squared_underdose", "min_dvh") or (
            self.exponent is not None and self.exponent < 0
        )

    def as_dict(self) -> dict[str, str | float]:
        """Give its fields as JSON has them."""
        return {name: getattr(self, name) for name in self.kind.fields}

    def text(self) -> str:
        """Write its fields as one line of canonical JSON."""
        parts = []
        for name, value in self.as_dict().items():
            parts.append(f'"{name}": {json.dumps(value) if isinstance(value, str) else compact(value, DIGITS)}')
        return "{" + ", ".join(parts) + "}"

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Objective:
        """Read an objective's fields.

        Raises:
            InvalidValue: A field is wrong; says which, and what to write.
        """
        known = ("structure", "type", "dose_gy", "volume_percent", "exponent", "weight")
        for key in table:
            if key not in known:
                raise InvalidValue(f"unknown field {quote(key)}; {did_you_mean(key, known, FIELD_HINTS)}")
        for key in ("structure", "type"):
            if not isinstance(table.get(key), str):
                what = f"not {_json_words(table[key])}" if key in table else "and it is missing"
                raise InvalidValue(f"{key} must be text, {what}")
        if table["type"] in KINDS:  # null is not the same as leaving a field out
            for key in known:
                if key in table and table[key] is None:
                    raise InvalidValue(f"{key} must be a number{_in(key)}, not null; or leave it out if it has no use")
        if "weight" not in table:
            raise InvalidValue("the field weight is missing, a number from 0 to 1e9")
        return cls(
            table["structure"],
            table["type"],
            table.get("dose_gy"),
            table["weight"],
            table.get("volume_percent"),
            table.get("exponent"),
        )


def _in(name: str) -> str:
    unit = _UNITS.get(name, "")
    return f" in {'total Gy' if unit == 'Gy' else unit}" if unit else ""


def _json_words(value: object) -> str:
    """Name a JSON value as its reader calls it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, str):
        return f"the text {quote(value)}"
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, list | tuple) else quote(value)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        raise InvalidValue(f"{name} must be a plain number{_in(name)}, not {_json_words(value)}")
    number = float(value)
    if not math.isfinite(number):
        raise InvalidValue(f"{name} must be a finite number{_in(name)}, not {number}")
    return number


def _check_figures(objective: Objective) -> None:
    o = objective
    if o.weight < 0:
        raise InvalidValue(f"weight must not be negative, and is {compact(o.weight)}; 0 switches an objective off")
    if o.weight > MOST_WEIGHT or 0 < o.weight < LEAST_WEIGHT:
        raise InvalidValue(
            f"weight {compact(o.weight)} is out of range; it is 0 or from {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}, and "
            "only its ratio to the other weights counts"
        )
    if o.dose_gy is not None and not 0 <= o.dose_gy <= MOST_DOSE:
        hint = f"; {compact(o.dose_gy)} cGy are {compact(o.dose_gy / 100)} Gy" if o.dose_gy > MOST_DOSE else ""
        raise InvalidValue(f"dose_gy must be from 0 to {MOST_DOSE:g} Gy, and is {compact(o.dose_gy)}{hint}")
    if o.dose_gy == 0 and (o.lifts and o.type != "squared_deviation"):
        raise InvalidValue(f"{o.type} with dose_gy 0 asks for nothing; give the dose that should be reached, total Gy")
    if o.volume_percent is not None and not 0 <= o.volume_percent <= 100:
        raise InvalidValue(
            f"volume_percent must be from 0 to 100 % of the structure's volume, and is {compact(o.volume_percent)}"
        )
    if o.volume_percent is not None and 0 < o.volume_percent < 1:
        raise InvalidValue(
            f"volume_percent {compact(o.volume_percent)} is less than 1 %; if it is a fraction write "
            f"{compact(100 * o.volume_percent)}, else 0 or 1"
        )
    if o.type == "max_dvh" and o.volume_percent == 100:
        raise InvalidValue("max_dvh with volume_percent 100 allows everything; give the part that may exceed dose_gy")
    if o.type == "min_dvh" and o.volume_percent == 0:
        raise InvalidValue("min_dvh with volume_percent 0 asks for nothing; give the part that must reach dose_gy")
    if o.exponent is not None:
        if 0 <= o.exponent < 1:
            raise InvalidValue(
                f"exponent {compact(o.exponent)} is between 0 and 1, where the EUD is no use; write 1 or more for an "
                "organ (1 is the mean dose, 8 looks at the hot part), below 0 for a target (-10)"
            )
        if abs(o.exponent) > MOST_EXPONENT:
            raise InvalidValue(
                f"exponent {compact(o.exponent)} is out of range; it lies between -{MOST_EXPONENT:g} and "
                f"{MOST_EXPONENT:g}; squared_overdose and squared_underdose control the extremes"
            )
