"""Structures as SVG: plain, or coloured by what each atom brings to the score."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from rdkit.Chem.Draw import rdMolDraw2D

from tgsci.basics.texts import literal, quote
from tgsci.errors import UsageError

from ..molecule.smiles import molecule

if TYPE_CHECKING:
    from tgsci.search.trial import Trial

    from ..pose import PoseReport


def svg(smiles: str, width: int = 320, height: int = 220) -> str:
    """Draw a structure as an SVG element that can stand inside an HTML page.

    Args:
        smiles: A valid SMILES.
        width: Width, pixels.
        height: Height, pixels.

    Raises:
        InvalidValue: No such molecule.
    """
    drawer = rdMolDraw2D.MolDraw2DSVG(width, height)
    drawer.drawOptions().clearBackground = False
    rdMolDraw2D.PrepareAndDrawMolecule(drawer, molecule(smiles))
    drawer.FinishDrawing()
    text = str(drawer.GetDrawingText())
    return text[text.index("<svg") :]


def contributions(trial: Trial, width: int = 380, height: int = 280, *, target: str = "") -> str:
    """Draw a docked molecule, its atoms coloured by their contacts and numbered as in the report.

    Blue atoms bind, white ones do nothing, orange ones repel; arrows mark where there is room to grow.

    Args:
        trial: A trial of a run that docks.
        width: Width, pixels.
        height: Height, pixels.
        target: The name of one of several targets; the first where "".

    Returns:
        An SVG element.

    Raises:
        UsageError: The trial was not docked, or not into this target.
    """
    from tgsci.search.trial import Trial

    from ..pose.drawing import svg as coloured

    if not isinstance(trial, Trial):
        raise UsageError(f"contributions() takes a trial such as result.best, not {literal(trial)}")
    artifacts = trial.feedback.artifacts if trial.feedback else {}
    name = f"{target}.pose.json" if f"{target}.pose.json" in artifacts else "pose.json"
    report = json.loads(artifacts[name], object_hook=_with_attributes) if name in artifacts else None
    if report is None or target not in ("", report.target):
        raise UsageError(f"trial {trial.number} has no pose{f' in {quote(target)}' if target else ''}")
    return coloured(cast("PoseReport", report), width, height)


def _with_attributes(fields: dict[str, Any]) -> SimpleNamespace:
    """Read a table of JSON like the dataclass that it was."""
    return SimpleNamespace(**fields)
