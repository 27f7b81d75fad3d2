"""What a case holds, in words and figures: for a person who looks at it before planning on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tgsci.basics.texts import compact, visible

from ..notice import NOTICE

if TYPE_CHECKING:
    from ..case.model import Case

#: Columns of the table of structures.
HEADER = (
    "structure",
    "type",
    "prescription (Gy)",
    "drawn (cc)",
    "on the grid (cc)",
    "voxels",
    "owned",
    "overlaps with",
    "remark",
)
#: A structure gets a remark where its volumes, drawn and on the grid, differ by more than this, relative.
_DIFFERENT = 0.05
_MOST_OVERLAPS = 3


def structure_rows(case: Case) -> list[list[str]]:
    """Write a row for each structure, as `HEADER` has it; the structure that stands first owns what overlaps."""
    import numpy as np

    rows = []
    for structure in case.structures:
        own = case.count_own(structure.name)
        grid_cc = len(structure.voxels) * case.grid.voxel_cc
        shared = [
            (len(np.intersect1d(structure.voxels, other.voxels, assume_unique=True)), other.name)
            for other in case.structures
            if other.name != structure.name and "external" not in (other.type, structure.type)
        ]
        shared = sorted((count, name) for count, name in shared if count)[::-1]
        overlaps = [f"{name} {count * case.grid.voxel_cc:.1f} cc" for count, name in shared]
        more = f" and {len(overlaps) - _MOST_OVERLAPS} more" if len(overlaps) > _MOST_OVERLAPS else ""
        rows.append(
            [
                structure.name,
                structure.type,
                f"{structure.prescription:g}" if structure.prescription else "",
                f"{structure.volume_cc:.{_digits(structure.volume_cc)}f}",
                f"{grid_cc:.{_digits(grid_cc)}f}",
                str(len(structure.voxels)),
                str(own),
                ", ".join(overlaps[:_MOST_OVERLAPS]) + more,
                _remark(structure.volume_cc, grid_cc),
            ]
        )
    return rows


def case_lines(case: Case) -> list[str]:
    """Describe a case but for its structures: how it is irradiated, on which grids, and where it comes from."""
    dij = case.dij
    per_fraction = f", {case.prescription / case.fractions:.3g} Gy a fraction" if case.fractions else ""
    lines = [
        f"case {case.name}: {case.prescription:g} Gy in {case.fractions} fractions{per_fraction}, {case.modality}",
        f"  beams: {_beams(case)}; {dij.beamlets:,} beamlets",
        f"  dose grid: {case.grid}, {' x '.join(map(str, case.grid.shape[::-1]))} voxels (x, y, z)",
        f"  dose-influence matrix: {dij.rows:,} voxels x {dij.beamlets:,} beamlets, {dij.nonzeros:,} nonzeros",
        f"  image: {_image(case)}",
    ]
    if case.reference is not None:
        lines.append(f"  reference dose: up to {float(case.reference.max()):.1f} Gy")
    for key, value in case.provenance.items():
        said = visible(value).splitlines()
        if key != "dose grid" and len(said) == 1:
            lines.append(f"  {key}: {said[0]}")
        elif key != "dose grid":
            lines += [f"  {key}:", *(f"    - {one}" for one in said)]
    return [*lines, f"  fingerprint: {case.fingerprint[:16]}"]


def case_dict(case: Case) -> dict[str, Any]:
    """Describe a case for a script, figures as numbers."""
    return {
        "notice": NOTICE,
        "name": case.name,
        "fingerprint": case.fingerprint,
        "prescription_gy": case.prescription,
        "fractions": case.fractions,
        "modality": case.modality,
        "beams": [{"gantry": beam.gantry, "couch": beam.couch} for beam in case.beams],
        "grid": {"shape_zyx": list(case.grid.shape), "spacing_zyx_mm": list(case.grid.spacing)},
        "beamlets": case.dij.beamlets,
        "nonzeros": case.dij.nonzeros,
        "structures": [
            {
                "name": s.name,
                "type": s.type,
                "prescription_gy": s.prescription,
                "volume_cc": round(s.volume_cc, 4),
                "grid_volume_cc": round(len(s.voxels) * case.grid.voxel_cc, 4),
                "voxels": len(s.voxels),
            }
            for s in case.structures
        ],
        "provenance": dict(case.provenance),
    }


def _digits(volume_cc: float) -> int:
    """Choose the decimals of a volume: one, and three below 1 cc, where 0.1 cc would hide differences."""
    return 1 if volume_cc >= 1.0 or volume_cc == 0.0 else 3


def _remark(drawn: float, grid: float) -> str:
    """Say how far a structure's volume on the grid is from the drawn one; "" where they agree."""
    if drawn <= 0.0 or abs(grid - drawn) <= _DIFFERENT * drawn:
        return ""
    if grid == 0.0:
        return "not on the grid: no goal can be evaluated"
    percent = 100.0 * abs(grid / drawn - 1.0)
    change = "larger" if grid > drawn else "smaller"
    return f"{percent:.{0 if percent >= 9.5 else 1}f}% {change} on the grid, which goals use"


def _beams(case: Case) -> str:
    if not case.beams:
        return "not recorded"
    couch = {beam.couch for beam in case.beams}
    angles = ", ".join(compact(beam.gantry) for beam in case.beams)
    if couch == {0.0}:
        return f"{len(case.beams)} at gantry {angles} degrees"
    pairs = ", ".join(f"{beam.gantry:g}/{beam.couch:g}" for beam in case.beams)
    return f"{len(case.beams)} at gantry/couch {pairs} degrees"


def _image(case: Case) -> str:
    if case.ct is None or case.ct_grid is None:
        return "none"
    grid = case.ct_grid
    return f"{grid}, {' x '.join(map(str, grid.shape[::-1]))} voxels, {int(case.ct.min())} to {int(case.ct.max())} HU"
