"""The parameters in words, for a model that is to write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..words import figure
from .checks import LEAST_SHARE, MOST_SHARE
from .kinds import KINDS, LEAST_WEIGHT, MOST_EXPONENT, MOST_WEIGHT
from .reading import MOST_OBJECTIVES

if TYPE_CHECKING:
    from ..case.model import Case


def describe(case: Case) -> str:
    """How plan parameters for a case are written: structures, types with formulas, ranges."""
    lines = [
        'A value is one JSON object and nothing around it: {"objectives": [...]}, a list of 1 to '
        f"{MOST_OBJECTIVES} objects. Doses are total Gy, all {case.fractions} fractions together, never cGy.",
        "Each object has the fields structure, type, weight and those that its type needs:",
    ]
    for kind in KINDS.values():
        fields = [name for name in kind.fields if name not in ("structure", "type", "weight")]
        needs = ", ".join(fields) if fields else "no dose"
        convex = "" if kind.convex else "; not convex, so the optimum is not certified"
        lines.append(f"- {kind.name} ({needs}): {kind.formula}; {kind.advice}{convex}")
    lines += [
        f"Here w is weight (0 or {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}; only ratios count), d the dose of the N voxels "
        "that the structure owns (a voxel of several belongs to the first of them in the list below), ref dose_gy: "
        f"{100 * LEAST_SHARE:g}% to {100 * MOST_SHARE:g}% of the prescription, or 0 in organs and body.",
        f"volume_percent is 0 to 100; exponent is 1 to {MOST_EXPONENT:g}, or -{MOST_EXPONENT:g} to 0 for targets. "
        "Figures are rounded to 4 digits. A structure may have several objectives, but no two that differ in weight "
        "alone. One at least must ask for dose in a target.",
        "Structures: " + "; ".join(_structure(case, name) for name in case.names) + ".",
    ]
    return "\n".join(lines)


def _structure(case: Case, name: str) -> str:
    structure = case.structure(name)
    own = case.own(name)
    rows = own.stop - own.start
    dose = f", prescribed {figure(structure.prescription)} Gy" if structure.prescription else ""
    kind = {"oar": "organ at risk", "external": "the body's outline"}.get(structure.type, structure.type)
    part = f", owns {100.0 * rows / len(structure.voxels):.0f}% of it" if 0 < rows < len(structure.voxels) else ""
    return f"{name} ({kind}{dose}, {figure(structure.volume_cc, 3)} cc{part if rows else ', owns no voxel'})"
