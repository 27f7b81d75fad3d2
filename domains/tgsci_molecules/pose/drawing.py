"""The molecule in colours: which atoms earn the score, and where it could grow. An SVG, and HTML for notebooks."""

from __future__ import annotations

import html as escaping
import math
from typing import TYPE_CHECKING

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D
from rdkit.Geometry import Point2D

from ..molecule.smiles import atom_name, molecule

if TYPE_CHECKING:
    from ..pose.report import PoseReport

#: An atom as good as this has the full colour, kcal/mol; one that costs as much, the other.
FULL = 0.7
#: Blue binds, white does nothing, orange repels: they differ for everybody's eyes.
_BINDS, _NOTHING, _REPELS = (0.26, 0.56, 0.86), (1.0, 1.0, 1.0), (0.95, 0.52, 0.18)
_ARROW = "#2a7a2a"
#: More arrows than this hide the molecule.
_MOST_ARROWS = 6


def atom_colours(report: PoseReport) -> dict[int, tuple[float, float, float]]:
    """Colour each atom, by its index: red, green and blue from 0 to 1; blue binds, orange repels."""
    return {atom.index: _colour(atom.energy) for atom in report.atoms}


def svg(report: PoseReport, width: int = 460, height: int = 340) -> str:
    """Draw the numbered structure, its atoms coloured by their contacts and the best growth vectors marked.

    Args:
        report: The report about the pose.
        width: Width, pixels.
        height: Height, pixels.

    Returns:
        An SVG element that can stand inside an HTML page.
    """
    mol = Chem.Mol(molecule(report.smiles))
    rdDepictor.SetPreferCoordGen(False)
    rdDepictor.Compute2DCoords(mol)
    for atom in mol.GetAtoms():
        atom.SetProp("atomNote", str(atom.GetIdx() + 1))
    colours = atom_colours(report)
    drawer = rdMolDraw2D.MolDraw2DSVG(width, height)
    options = drawer.drawOptions()
    options.clearBackground = False
    options.useBWAtomPalette()
    options.padding = 0.12
    options.highlightRadius = 0.38
    drawer.DrawMolecule(
        rdMolDraw2D.PrepareMolForDrawing(mol),
        highlightAtoms=list(colours),
        highlightAtomColors=colours,
        highlightBonds=[],
    )
    arrows = _arrows(report, mol, drawer)
    drawer.FinishDrawing()
    text = str(drawer.GetDrawingText())
    text = text[text.index("<svg") :]
    return text.replace("</svg>", f"{arrows}</svg>")


def html(report: PoseReport) -> str:
    """Write the coloured structure beside the report, as HTML for a notebook. Everything in it is escaped."""
    legend = (
        f"blue binds ({-FULL:g} kcal/mol and better), white does nothing, orange repels; "
        "arrows: where a hydrogen could be replaced"
    )
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start">'
        f'<figure style="margin:0">{svg(report)}<figcaption style="max-width:460px;font-size:85%">'
        f"{escaping.escape(legend)}</figcaption></figure>"
        f'<pre style="white-space:pre-wrap;max-width:60em;font-size:85%">{escaping.escape(report.text())}</pre></div>'
    )


def _colour(energy: float) -> tuple[float, float, float]:
    share = min(1.0, abs(energy) / FULL)
    end = _BINDS if energy < 0 else _REPELS
    red, green, blue = (a + share * (b - a) for a, b in zip(_NOTHING, end, strict=True))
    return red, green, blue


def _arrows(report: PoseReport, mol: Chem.Mol, drawer: rdMolDraw2D.MolDraw2DSVG) -> str:
    """Draw an arrow away from each of the best growth atoms, with what would fit there as its title."""
    lines = []
    useful = [growth for growth in report.growth if growth.character not in ("closed", "solvent")]
    for growth in useful[:_MOST_ARROWS]:
        begin, end = (np.array([p.x, p.y]) for p in _arrow(mol, growth.atom, drawer))
        along = (end - begin) / np.linalg.norm(end - begin)
        across = np.array([-along[1], along[0]])
        head = " ".join(
            f"{x:.1f},{y:.1f}" for x, y in (end, end - 7 * along + 4 * across, end - 7 * along - 4 * across)
        )
        title = escaping.escape(f"{atom_name(mol, growth.atom)}: {growth.fits}")
        lines.append(
            f'<g class="growth"><title>{title}</title>'
            f'<line x1="{begin[0]:.1f}" y1="{begin[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" '
            f'stroke="{_ARROW}" stroke-width="2"/><polygon points="{head}" fill="{_ARROW}"/></g>'
        )
    return "".join(lines)


def _arrow(mol: Chem.Mol, atom: int, drawer: rdMolDraw2D.MolDraw2DSVG) -> tuple[Point2D, Point2D]:
    """Lay an arrow from beside the atom outwards, in pixels: away from its neighbours in the drawing."""
    here = _place(drawer, atom)
    neighbours = [_place(drawer, n.GetIdx()) for n in mol.GetAtomWithIdx(atom).GetNeighbors()]
    away = sum((here - other for other in neighbours), np.zeros(2))
    if np.linalg.norm(away) < 1e-3:  # neighbours on both sides
        away = (
            np.array([-(here - neighbours[0])[1], (here - neighbours[0])[0]]) if neighbours else np.array([0.0, -1.0])
        )
    away = away / np.linalg.norm(away)
    bond = min((float(np.linalg.norm(here - other)) for other in neighbours), default=30.0)
    begin, end = here + 0.45 * bond * away, here + max(1.0 * bond, 0.45 * bond + 12.0) * away
    if not math.isfinite(float(end.sum())):
        begin, end = here, here + np.array([0.0, -20.0])
    return Point2D(*begin.tolist()), Point2D(*end.tolist())


def _place(drawer: rdMolDraw2D.MolDraw2DSVG, atom: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    point = drawer.GetDrawCoords(atom)
    return np.array([point.x, point.y])
