"""What a person may decide about an import. Every option has a default; what does not apply to a source is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tgsci.basics import checks, settings
from tgsci.basics.settings import setting
from tgsci.basics.texts import quote
from tgsci.errors import UsageError

# Messages name options as the command line spells them: bixel_mm is --bixel, types is --type, gantry is --beams.

#: What a structure can be made.
TYPES = ("target", "oar", "external", "bolus", "support", "ignore")
#: Spacing of the dose grid by default, mm. A plan's figures hold on its grid: on 5 mm a target's D95
#: comes out some Gy better than it is.
GRID = 3.0
#: Options that only a DICOM folder has a use for.
_DICOM_ONLY = ("series", "structure_set", "plan", "dose", "position", "fill_gaps", "any_frame")
#: Finest and coarsest dose grid, mm, and most beams.
_GRID, _MOST_BEAMS = (1.0, 10.0), 72
#: Lowest and highest electron density relative to water: air, and what 3071 HU stand for.
_DENSITY = (0.0, 2.6)


@dataclass(frozen=True)
class Options:
    """Decisions about an import.

    Args:
        name: Of the case; the source's kind where None. Folders are never used as names: they are often patients'.
        prescriptions: Total Gy by target, where the source does not say, or to overrule it.
        fractions: Number of fractions, where the source does not say, or to overrule it.
        types: "target", "oar", "external", "bolus", "support" or "ignore" by structure, where the source is wrong or
            silent. A bolus or support (a couch) lies outside the body; what the image shows there is kept.
        densities: Electron density relative to water by structure, in place of what the image shows there, or to
            overrule what the source says; "ct" for the image's own.
        crop: Names of structures that are cut to the body; all others are kept whole.
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
        plan: Which RTPLAN of a DICOM folder its prescriptions are read from, counted from 1, where there are several.
        dose: Which dose of a DICOM folder is kept to compare with, counted from 1, where there are several.
        position: How the patient lies, where a DICOM folder does not say, or to overrule it: HFS is head first, supine.
        any_frame: Whether files of a DICOM folder are taken together although their frames of reference differ, as
            those of files do whose identifiers were changed one by one.
        fill_gaps: Whether a CT is interpolated across gaps where slices are, or may be, missing.
        hu_table: A file that turns Hounsfield units into densities, see `hu_table.read_hu_table`; None: the default of
            `case.beams`.
        reference: Whether a dose that comes with the source is kept to compare with.
        hu_offset: Added to the image, HU: -1024 for a CT that lost its rescale intercept.

    Raises:
        UsageError: An option is not what it must be, or two do not go together; says which.
    """

    name: str | None = setting("name of the case", None)
    prescriptions: Mapping[str, float] = setting("total Gy by target", factory=dict)
    fractions: int | None = setting("number of fractions", None, low=1, high=100)
    types: Mapping[str, str] = setting(f"{', '.join(TYPES)} by structure", factory=dict)
    densities: Mapping[str, float | str] = setting("relative electron density, or ct, by structure", factory=dict)
    crop: tuple[str, ...] = setting("names of structures", ())
    only: tuple[str, ...] = setting("names of structures", ())
    order: tuple[str, ...] = setting("names of structures", ())
    gantry: tuple[float, ...] = setting("gantry angles, degrees", ())
    couch: tuple[float, ...] = setting("couch angles, degrees", ())
    bixel_mm: float = setting("width of a beamlet", 5.0, low=1.0, high=20.0, unit="mm")
    grid_mm: float | tuple[float, ...] | None = setting("spacing, or that of x, y and z, mm", None)
    modality: Literal["photons", "protons"] = setting("kind of radiation", "photons")
    engine: Literal["auto", "pyradplan", "builtin"] = setting("dose engine", "auto")
    cutoff_mm: float | None = setting("lateral cutoff", None, low=10.0, high=200.0, unit="mm")
    rbe: float = setting("factor to RBE-weighted dose", 1.1, low=1.0, high=1.5)
    series: int | None = setting("which CT series, counted from 1", None, low=1)
    structure_set: int | None = setting("which structure set, counted from 1", None, low=1)
    plan: int | None = setting("which plan, counted from 1", None, low=1)
    dose: int | None = setting("which dose, counted from 1", None, low=1)
    position: Literal["HFS", "HFP", "HFDR", "HFDL", "FFS", "FFP", "FFDR", "FFDL"] | None = setting(
        "how the patient lies", None
    )
    any_frame: bool = setting("whether frames of reference may differ", False)
    fill_gaps: bool = setting("whether gaps between slices are interpolated", False)
    hu_table: str | None = setting("a file of HU and densities", None)
    reference: bool = setting("whether the source's own dose is kept", True)
    hu_offset: float = setting("added to the image", 0.0, low=-2048.0, high=2048.0, unit="HU")

    def __post_init__(self) -> None:
        settings.check(self)
        for name, dose in self.prescriptions.items():
            what = f"the prescription of {quote(name)}"
            if 200.0 < dose <= 20_000.0:
                raise UsageError(f"{what} is {dose:g} Gy; if it is meant in cGy, give {dose / 100:g}")
            checks.number(what, dose, 0.5, 200.0, unit="Gy")
        for name, kind in self.types.items():
            checks.choice(f"the type of {quote(name)}", kind, TYPES)
        for name, density in self.densities.items():
            if density != "ct":
                checks.number(f"the density of {quote(name)}", density, *_DENSITY)
        if isinstance(self.grid_mm, tuple) and len(self.grid_mm) != 3:
            raise UsageError(f"grid_mm has {len(self.grid_mm)} figures; give one, or three: x, y, z")
        for spacing in self.spacing():
            checks.number("grid_mm", spacing, *_GRID, unit="mm")
        if self.modality == "protons" and self.engine == "builtin":
            raise UsageError("the built-in dose engine has photons only; protons need pip install 'tgsci[dose]'")
        self._check_beams()

    def check_source(self, kind: str) -> None:
        """Refuse decisions that a source leaves nothing to decide about.

        Raises:
            UsageError: An option that is about DICOM folders, for another source.
        """
        typed = {name: getattr(self, name) for name in _DICOM_ONLY}
        wrong = [f"--{name.replace('_', '-')}" for name, value in typed.items() if value not in (None, False)]
        if kind != "dicom" and wrong:
            raise UsageError(
                f"{', '.join(wrong)} is about DICOM folders, and this source is of the kind {kind}; leave it"
            )

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Options:
        """Read options from keywords.

        Raises:
            UsageError: An unknown option, or one that is not what it must be; says which.
        """
        return settings.read(cls, options, "the import options")

    def _check_beams(self) -> None:
        """Refuse beams that cannot be, or come from the same direction: each beamlet would be there twice.

        Raises:
            UsageError: Too many angles, one beyond a full turn, couch angles that do not match, or a beam twice.
        """
        if len(self.gantry) > _MOST_BEAMS:
            raise UsageError(f"{len(self.gantry)} beams; at most {_MOST_BEAMS}")
        for what, angles in (("a gantry angle", self.gantry), ("a couch angle", self.couch)):
            for angle in angles:
                checks.number(what, angle, -360.0, 360.0, unit="degrees")
        if len(self.couch) > 1 and len(self.couch) != len(self.gantry):
            raise UsageError(f"{len(self.couch)} couch and {len(self.gantry)} gantry angles; give one, or as many")
        first: dict[tuple[float, float], int] = {}
        for number, (gantry, couch) in enumerate(self.angles()):
            same = first.setdefault((round(gantry, 3) % 360.0, round(couch, 3) % 360.0), number)
            if same != number:
                turned = " and ".join(dict.fromkeys(f"{self.gantry[i]:g}" for i in (same, number)))
                raise UsageError(
                    f"beams {same + 1} and {number + 1} are the same: gantry {turned}, couch {couch:g} degrees (modulo "
                    "360); give each pair of gantry and couch angle once"
                )

    def spacing(self) -> tuple[float, float, float]:
        """Give the spacing of the dose grid along (z, y, x), mm, as asked for or by default."""
        one = GRID if self.grid_mm is None else self.grid_mm
        x, y, z = one if isinstance(one, tuple) else (one, one, one)
        return z, y, x

    def angles(self) -> tuple[tuple[float, float], ...]:
        """Give the gantry and couch angle of each beam, degrees, as asked for or by default."""
        usual = (90.0, 270.0) if self.modality == "protons" else tuple(40.0 * i for i in range(9))
        gantry = self.gantry or usual
        couch = self.couch if len(self.couch) > 1 else (self.couch or (0.0,)) * len(gantry)
        return tuple((float(g) % 360.0, float(c) % 360.0) for g, c in zip(gantry, couch, strict=True))
