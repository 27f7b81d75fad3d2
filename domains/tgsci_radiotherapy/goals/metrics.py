"""Dose-volume metrics, written as TG-263 writes them: D95%, D2cc, V20Gy, V20Gy[cc], V95%, Dmean, HI, CI.

The unit of the value may stand behind, as in TG-263 (Mayo et al., Int. J. Radiat. Oncol. Biol. Phys. 100:1057 (2018)):
D0.03cc[Gy], D95%[%] (of the prescription), V20Gy[%], V20Gy[cc], Max[Gy], Mean[Gy].

A structure is its N voxels of equal volume v; d(1) >= d(2) >= ... >= d(N) are their doses. Its dose-volume histogram
goes through the points (d(k), k v): the hottest k voxels get at least d(k). That fixes every metric:

    Dx%, Dxcc     dose that the hottest x gets at least: d at k = x N / 100 or x / v, linear between voxels;
                  d(1) where x is less than one voxel, d(N) where x is more than the structure
    VxGy, Vx%     volume that gets x or more, voxels counted whole; x in Gy, or in % of the prescription
    CVxGy         its complement: volume that gets less than x
    DCx%          the most that the coldest x% gets: D(100 - x)%
    Dmean, Dmax, Dmin, D50%: mean, d(1), d(N), median
    gEUD(a)       (1/N sum d^a)^(1/a); Niemierko, Med. Phys. 24:103 (1997) and 26:1100 (1999)
    HI            (D2% - D98%) / D50%, 0 is homogeneous; ICRU Report 83 (2010), eq. 3-1
    CI            TV_PIV^2 / (TV PIV), 1 is conformal: TV the structure, PIV all that gets the prescription, TV_PIV what
                  of the structure does; Paddick, J. Neurosurg. 93 Suppl. 3:219 (2000); CI95% at 95% of the prescription

Doses are total Gy; volumes are those of the voxels, not of the drawn contours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tgsci.basics.texts import compact, quote, rounded
from tgsci.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .values import RankedDoses

Kind = Literal["D%", "Dcc", "VGy", "V%", "CVGy", "CV%", "Dmean", "Dmax", "Dmin", "gEUD", "HI", "CI"]
Unit = Literal["Gy", "%", "cc", ""]

#: Significant digits that the figures of a sheet keep, so that it reads back to the same.
DIGITS = 6
_PLAIN: dict[str, Kind] = {"dmean": "Dmean", "dmax": "Dmax", "dmin": "Dmin", "hi": "HI", "ci": "CI"}
_SAME = {"mean": "dmean", "max": "dmax", "min": "dmin", "maximum": "dmax", "minimum": "dmin", "dmedian": "d50%"}
_SAME |= {"median": "d50%", "meandose": "dmean", "maxdose": "dmax", "mindose": "dmin"}
_NUMBER = r"(\d{1,6}(?:\.\d{1,6})?|\.\d{1,6})"
_DOSE = re.compile(rf"dc?_?{_NUMBER}(%|cc|cm3|cm\^3|cm\u00b3|ml)?")
_VOLUME = re.compile(rf"(c?v)_?{_NUMBER}(gy|cgy|%)?")
_GEUD = re.compile(rf"g?eud\(?(?:a=)?(-?){_NUMBER}\)?")
_CONFORMITY = re.compile(rf"ci_?{_NUMBER}(%?)")
_OUT = re.compile(r"(.*?)\[([^\[\]]{0,12})\]")
_UNITS = {"gy": "Gy", "%": "%", "cc": "cc", "cm3": "cc", "cm^3": "cc", "cm\u00b3": "cc", "ml": "cc"}
_HELP = "write D95%, D2cc, V20Gy, V20Gy[cc], V95% (of the prescription), Dmean, Dmax, Dmin, gEUD(8), HI, CI or CI95%"
#: What others write and this does not measure, with what to write instead.
_OTHERS = {
    "dc": "the dose that the coldest cc get at most is a D in % here: of 50 cc the coldest one is D98%",
    "r": "for R50%, the volume of an isodose beside the target's, set a limit for V20Gy[cc] of the body",
    "gi": "for a gradient index set a limit for V20Gy[cc] of the body",
    "vol": "the volume of a structure is no goal of a plan",
    "eqd": "doses are not converted to other fractions: write the total Gy of this plan",
    "ntcp": "NTCP and TCP are not modelled: write the dose-volume limit that they stand for",
}


@dataclass(frozen=True)
class Metric:
    """A figure of a structure's dose.

    Args:
        kind: What is measured; see the module.
        amount: Of D%: %; Dcc: cc; VGy, CVGy: Gy; V%, CV%: % of the prescription; CI: the same, 0 for all of it; gEUD:
            its exponent; else 0.
        unit: Of the value: Gy, % (of the structure), cc, or none.
    """

    kind: Kind
    amount: float = 0.0
    unit: Unit = "Gy"

    @classmethod
    def parse(cls, text: str) -> Metric:
        """Read a metric; upper and lower case are the same, and spaces do not count.

        Raises:
            UsageError: The text is no metric, or lacks its unit; says what to write.
        """
        if not isinstance(text, str) or len(text) > 60:
            raise UsageError(f"no metric {quote(text)}; {_HELP}")
        plain, out = _split(text)
        plain = _SAME.get(plain, plain)
        metric = (
            _plain(plain)
            or _dose(plain, text)
            or _volume(plain, out, text)
            or _equivalent(plain, text)
            or _conformity(plain, text)
        )
        if metric is None:
            word = re.match(r"[a-z]*", plain)
            instead = next((say for start, say in _OTHERS.items() if word and word[0] == start), "") or next(
                (say for start, say in _OTHERS.items() if len(start) > 2 and plain.startswith(start)), ""
            )
            raise UsageError(f"no metric {quote(text)}; {instead or _HELP}")
        fits = metric.unit == out or (metric.unit == "Gy" and out == "%") or metric.kind.startswith(("V", "CV"))
        if out and not fits:
            unit_text = f"in {metric.unit}" if metric.unit else "a plain number"
            raise UsageError(f"{metric} is {unit_text}; leave [{out}] out of {quote(text)}")
        return metric

    def __str__(self) -> str:
        amount = compact(self.amount, DIGITS)
        if self.kind == "CI" and self.amount:
            return f"CI{amount}%"
        if self.kind in ("D%", "Dcc"):
            return f"D{amount}{self.kind[1:]}"
        if self.kind in ("VGy", "V%", "CVGy", "CV%"):
            letter, unit = self.kind.removesuffix("Gy").removesuffix("%"), "%" if self.kind.endswith("%") else "Gy"
            return f"{letter}{amount}{unit}{'[cc]' if self.unit == 'cc' else ''}"
        return f"gEUD({amount})" if self.kind == "gEUD" else self.kind

    @property
    def needs_prescription(self) -> bool:
        """True where a prescription is part of it: V95%, CI."""
        return self.kind in ("V%", "CV%", "CI")

    @property
    def sees_all(self) -> bool:
        """True where the dose outside the structure counts too: CI."""
        return self.kind == "CI"

    def value(
        self,
        dose: NDArray[np.floating] | RankedDoses,
        voxel_cc: float = float("nan"),
        prescription: float = float("nan"),
        everything: NDArray[np.floating] | None = None,
    ) -> float:
        """Compute the metric of a structure.

        Args:
            dose: Total Gy of each of its voxels, in any order, shape (N,); or these as `RankedDoses`.
            voxel_cc: Volume of a voxel, cc; needed where cc occur.
            prescription: Total Gy; needed where `needs_prescription`.
            everything: Dose of every voxel of the case; needed where `sees_all`.

        Raises:
            UsageError: No voxels, or something is missing.
        """
        from .values import value

        return value(self, dose, voxel_cc, prescription, everything)

    def gradient(
        self,
        dose: NDArray[np.floating],
        voxel_cc: float = float("nan"),
        prescription: float = float("nan"),
    ) -> NDArray[np.float64]:
        """Differentiate the metric by the dose of each voxel, per Gy, shape (N,).

        Where the metric jumps from voxel to voxel the slope is a mean over its neighbours: of Dx over the voxels whose
        rank is within 1% of the volume (2% in structures of under 2,000 voxels; triangular weights), of Vx over those
        whose dose is nearest, as many. It foretells how the figure moves when a plan changes, which a single voxel does
        not. Dmax, Dmin and volumes of about one voxel have the slope of the voxels that they are.

        Args:
            dose: As in `value`; in the same order comes the gradient.
            voxel_cc: As in `value`.
            prescription: As in `value`.

        Raises:
            UsageError: As in `value`; and of CI, which depends on doses outside: `goals.gradient` has it.
        """
        from .values import gradient

        return gradient(self, dose, voxel_cc, prescription)


def written_unit(text: str) -> str:
    """Give the unit in brackets behind a metric, Gy, % or cc; "" where there is none.

    Raises:
        UsageError: The brackets hold something else; says what to write.
    """
    return _split(text)[1]


def _split(text: str) -> tuple[str, str]:
    """Split a metric from the unit in brackets behind it; case and spaces are gone."""
    plain = re.sub(r"\s+", "", text).casefold()
    match = _OUT.fullmatch(plain)
    if match is None:
        return plain, ""
    if match[2] == "cgy":
        raise UsageError(f"{quote(text)} asks for cGy; doses are total Gy: write [Gy]")
    if match[2] not in _UNITS:
        raise UsageError(f"[{match[2]}] in {quote(text)} is no unit; write [Gy], [%] or [cc], or leave it out")
    return match[1], _UNITS[match[2]]


def _conformity(plain: str, text: str) -> Metric | None:
    match = _CONFORMITY.fullmatch(plain)
    if match is None:
        return None
    amount = rounded(float(match[1]), DIGITS)
    if not match[2]:
        raise UsageError(f"{quote(text)} has no unit; write CI{match[1]}%, of the prescription, or CI for all of it")
    if not 10 <= amount <= 150:
        raise UsageError(f"{quote(text)} is about {compact(amount)}% of the prescription; write 10 to 150")
    return Metric("CI", 0.0 if amount == 100 else amount, "")


def _plain(plain: str) -> Metric | None:
    kind = _PLAIN.get(plain)
    return None if kind is None else Metric(kind, 0.0, "" if kind in ("HI", "CI") else "Gy")


def _dose(plain: str, text: str) -> Metric | None:
    match = _DOSE.fullmatch(plain)
    if match is None:
        return None
    amount, unit = rounded(float(match[1]), DIGITS), match[2]
    if not unit:
        raise UsageError(f"{quote(text)} has no unit; write D{match[1]}% or D{match[1]}cc")
    if plain.startswith("dc"):
        if unit != "%":
            return None
        return Metric("D%", rounded(100.0 - amount, DIGITS)) if amount <= 100 else None
    if unit == "%":
        if not 0 <= amount <= 100:
            raise UsageError(f"{quote(text)} is about {compact(amount)}% of the volume; write 0 to 100")
        return Metric("D%", amount)
    if amount <= 0:
        raise UsageError(f"{quote(text)} is about no volume; write Dmax, or D0.03cc")
    return Metric("Dcc", amount)


def _volume(plain: str, out: str, text: str) -> Metric | None:
    match = _VOLUME.fullmatch(plain)
    if match is None:
        return None
    letter, amount, unit = match[1].upper(), rounded(float(match[2]), DIGITS), match[3]
    if not unit:
        raise UsageError(
            f"{quote(text)} has no unit; write {letter}{match[2]}Gy, or {letter}{match[2]}% of the prescription"
        )
    if unit == "cgy" or (unit == "gy" and amount > 300):
        raise UsageError(
            f"{quote(text)} looks like cGy; doses are total Gy: write {letter}{compact(amount / 100, 6)}Gy"
        )
    if out == "Gy":
        raise UsageError(f"{quote(text)} is a volume; write [%] or [cc], or nothing for %")
    if amount <= 0 or (unit == "%" and amount > 300):
        raise UsageError(
            f"{quote(text)} is about {compact(amount)} {unit.replace('gy', 'Gy')}; write a dose that can be"
        )
    kind: Kind = "VGy" if unit == "gy" else "V%"
    if letter == "CV":
        kind = "CVGy" if unit == "gy" else "CV%"
    return Metric(kind, amount, "cc" if out == "cc" else "%")


def _equivalent(plain: str, text: str) -> Metric | None:
    match = _GEUD.fullmatch(plain)
    if match is None:
        return None
    exponent = rounded(float(match[2]), DIGITS) * (-1 if match[1] else 1)
    if exponent == 0 or abs(exponent) > 50:
        raise UsageError(f"{quote(text)}: the exponent is 1 to 50, or -50 to 0 for targets; write gEUD(8)")
    return Metric("gEUD", exponent)
