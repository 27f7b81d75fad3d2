"""What a person may decide about an import. Every field has a default; what does not apply to a source is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, Literal

from tgsci.errors import UsageError
from tgsci.texts import visible

#: Messages name options as the command line spells them: bixel_mm is --bixel, types is --type, gantry is --beams.
#: What computes a dose-influence matrix: pyRadPlan's where it is installed and else the built-in one, or one by name.
ENGINES = ("auto", "pyradplan", "builtin")
MODALITIES = ("photons", "protons")
#: Finest and coarsest dose grid, and beamlet, mm.
_GRID, _BIXEL = (1.0, 10.0), (1.0, 20.0)


@dataclass(frozen=True)
class Options:
    """Decisions about an import.

    Args:
        name: Of the case; the source's kind where None. Folders are never used as names: they are often patients'.
        prescriptions: Total Gy by target, where the source does not say, or to overrule it.
        fractions: Number of fractions, where the source does not say, or to overrule it.
        types: "target", "oar", "external" or "ignore" by structure, where the source is wrong or silent.
        only: Names of the structures to take (an external is always taken); all where empty.
        order: Structures that own overlaps first, in this order; the others follow in the usual one: targets by
            prescription, organs as they come, the external.
        gantry: Gantry angles, degrees (IEC 61217); nine evenly spaced ones for photons and two opposed
            lateral ones for protons where empty.
        couch: Couch angles, degrees: none (all 0), one for all, or one for each gantry angle.
        bixel_mm: Width of a beamlet at the isocentre's plane (lateral spot distance for protons), mm.
        grid_mm: Spacing of the dose grid, mm: one figure or (x, y, z); None: 3 mm, or the source's own grid where
            its structures exist on that only (OpenKBP).
        modality: "photons" or "protons".
        engine: "auto", "pyradplan" or "builtin" (photons only).
        cutoff_mm: Lateral distance at which a photon beamlet ends, mm; None: 30 for pyRadPlan, the built-in's own.
        rbe: Factor from physical to RBE-weighted proton dose, on which prescriptions are.
        series: Which CT series of a DICOM folder, counted from 1, where there are several.
        structure_set: Which structure set of a DICOM folder, counted from 1, where there are several.
        reference: Whether a dose that comes with the source is kept to compare with.
        hu_offset: Added to the image, HU: -1024 for a CT that lost its rescale intercept.
    """

    name: str | None = None
    prescriptions: Mapping[str, float] = field(default_factory=dict)
    fractions: int | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    gantry: tuple[float, ...] = ()
    couch: tuple[float, ...] = ()
    bixel_mm: float = 5.0
    grid_mm: float | tuple[float, float, float] | None = None
    modality: Literal["photons", "protons"] = "photons"
    engine: Literal["auto", "pyradplan", "builtin"] = "auto"
    cutoff_mm: float | None = None
    rbe: float = 1.1
    series: int | None = None
    structure_set: int | None = None
    reference: bool = True
    hu_offset: float = 0.0

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Options:
        """Options from keywords, checked.

        Raises:
            UsageError: An unknown option, or a figure out of range; it says which.
        """
        known = [f.name for f in fields(cls)]
        for key in options:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
                raise UsageError(f"no import option {visible(str(key)[:40])!r}; {hint}")
        tuples = {key: tuple(options[key]) for key in ("only", "order", "gantry", "couch") if key in options}
        made = cls(**{**options, **tuples})
        made._check()
        return made

    def _check(self) -> None:
        for name, dose in self.prescriptions.items():
            what = f"the prescription of {visible(str(name)[:40])!r}"
            if isinstance(dose, int | float) and 200.0 < dose <= 20_000.0:
                raise UsageError(f"{what} is {dose:g} Gy; if it is meant in cGy, give {dose / 100:g}")
            _between(what, dose, 0.5, 200.0, "Gy")
        if self.fractions is not None:
            _between("fractions", self.fractions, 1, 100, "")
            if int(self.fractions) != self.fractions:
                raise UsageError(f"fractions is {self.fractions}; it is a whole number")
        for name, kind in self.types.items():
            if kind not in ("target", "oar", "external", "ignore"):
                said = f"the type of {visible(str(name)[:40])!r} is {visible(str(kind)[:40])!r}"
                raise UsageError(f"{said}; there are: target, oar, external, ignore")
        if len(self.gantry) > 72:
            raise UsageError(f"{len(self.gantry)} beams; at most 72")
        for angle in self.gantry:
            _between("a gantry angle", angle, -360.0, 360.0, "degrees")
        for angle in self.couch:
            _between("a couch angle", angle, -360.0, 360.0, "degrees")
        if len(self.couch) > 1 and len(self.couch) != len(self.gantry):
            raise UsageError(f"{len(self.couch)} couch and {len(self.gantry)} gantry angles; give one, or as many")
        self._no_beam_twice()
        _between("bixel_mm", self.bixel_mm, *_BIXEL, "mm")
        if self.grid_mm is not None:
            spacing = self.grid_mm if isinstance(self.grid_mm, tuple | list) else (self.grid_mm,) * 3
            if len(spacing) != 3:
                raise UsageError(f"grid_mm has {len(spacing)} figures; give one, or three: x, y, z")
            for step in spacing:
                _between("grid_mm", step, *_GRID, "mm")
        if self.modality not in MODALITIES:
            raise UsageError(f"modality is {visible(str(self.modality)[:40])!r}; there are: {', '.join(MODALITIES)}")
        if self.engine not in ENGINES:
            raise UsageError(f"engine is {visible(str(self.engine)[:40])!r}; there are: {', '.join(ENGINES)}")
        if self.modality == "protons" and self.engine == "builtin":
            raise UsageError("the built-in dose engine has photons only; protons need pip install 'tgsci[dose]'")
        if self.cutoff_mm is not None:
            _between("cutoff_mm", self.cutoff_mm, 10.0, 200.0, "mm")
        _between("rbe", self.rbe, 1.0, 1.5, "")
        _between("hu_offset", self.hu_offset, -2048.0, 2048.0, "HU")
        for key in ("series", "structure_set"):
            number = getattr(self, key)
            if number is not None and number < 1:
                raise UsageError(f"{key} is {number}; they are counted from 1")

    def _no_beam_twice(self) -> None:
        """Refuse two beams from the same direction: each beamlet would be there twice.

        Raises:
            UsageError: Two have the same gantry and couch angle, modulo 360 degrees.
        """
        first: dict[tuple[float, float], int] = {}
        for number, (gantry, couch) in enumerate(self.angles()):
            same = first.setdefault((round(gantry, 3) % 360.0, round(couch, 3) % 360.0), number)
            if same != number:
                said = " and ".join(dict.fromkeys(f"{self.gantry[i]:g}" for i in (same, number)))
                raise UsageError(
                    f"beams {same + 1} and {number + 1} are the same: gantry {said}, couch {couch:g} degrees (modulo "
                    "360); give each pair of gantry and couch angle once"
                )

    def angles(self) -> tuple[tuple[float, float], ...]:
        """Gantry and couch angle of each beam, degrees, as asked for or by default."""
        usual = (90.0, 270.0) if self.modality == "protons" else tuple(40.0 * i for i in range(9))
        gantry = self.gantry or usual
        couch = self.couch if len(self.couch) > 1 else (self.couch or (0.0,)) * len(gantry)
        return tuple((float(g) % 360.0, float(c) % 360.0) for g, c in zip(gantry, couch, strict=True))


def _between(what: str, value: Any, low: float, high: float, unit: str) -> None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not good or not low <= value <= high:
        raise UsageError(f"{what} is {visible(str(value)[:40])}; it lies between {low:g} and {high:g} {unit}".rstrip())
