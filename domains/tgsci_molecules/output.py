"""What a run leaves behind for a chemist: a picture, a table, and the poses."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rdkit.Chem.Draw import rdMolDraw2D

from tgsci.files import write_atomically
from tgsci.trial import Trial, Trials

from .smiles import molecule

if TYPE_CHECKING:
    from tgsci.result import Result

_SDF_END = "$$$$"


def svg(smiles: str, width: int = 320, height: int = 220) -> str:
    """The structure as an SVG element that can stand inside an HTML page.

    Args:
        smiles: A valid SMILES.
        width: In pixels.
        height: In pixels.

    Raises:
        InvalidValue: No such molecule.
    """
    drawer = rdMolDraw2D.MolDraw2DSVG(width, height)
    drawer.drawOptions().clearBackground = False
    rdMolDraw2D.PrepareAndDrawMolecule(drawer, molecule(smiles))
    drawer.FinishDrawing()
    text = str(drawer.GetDrawingText())
    return text[text.index("<svg") :]


def export(result: Result, directory: Path) -> Sequence[Path]:
    """Write `molecules.csv`, every trial with its reason, and `poses.sdf`, best first.

    Args:
        result: A run's.
        directory: Must exist; files of the same name are replaced at once or not at all.

    Returns:
        The paths of the files.
    """
    table, poses = directory / "molecules.csv", directory / "poses.sdf"
    write_atomically(table, _csv(result.trials, result.units))
    write_atomically(poses, "".join(_records(result.trials.ranked(), result.units)))
    return [table, poses]


def _csv(trials: Trials, units: Mapping[str, str]) -> str:
    ranks = {trial.number: rank for rank, trial in enumerate(trials.ranked(), 1)}
    metrics = dict.fromkeys(name for t in trials if t.feedback for name in t.feedback.metrics)
    violations = dict.fromkeys(name for t in trials if t.feedback for name in t.feedback.violations)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["rank", "number", "round", "smiles", "loss"]
        + [_with_unit(name, units) for name in metrics]
        + [f"violation of {name}" for name in violations]
        + ["state", "decision", "reason", "edit", "parent", "proposer", "seconds (s)"]
    )
    for t in sorted(trials, key=lambda t: (ranks.get(t.number, math.inf), t.number)):
        found = t.feedback.metrics if t.feedback else {}
        broken = t.feedback.violations if t.feedback else {}
        writer.writerow(
            [ranks.get(t.number, ""), t.number, t.round, _cell(t.value), _figure(t.loss)]
            + [_figure(found.get(name)) for name in metrics]
            + [_figure(broken.get(name)) for name in violations]
            + [_cell(word) for word in (t.state.value, t.decision, t.reason, t.edit)]
            + ["" if t.parent is None else t.parent, _cell(t.proposer), _figure(t.seconds)]
        )
    return text.getvalue()


def _records(ranked: Iterable[Trial], units: Mapping[str, str]) -> list[str]:
    """The poses of measured trials as SDF records, with rank and metrics as tags."""
    records = []
    for rank, trial in enumerate(ranked, 1):
        if trial.feedback is None:
            continue
        tags = {"rank": str(rank), "number": str(trial.number), "loss": _figure(trial.loss)}
        tags |= {_with_unit(name, units): _figure(figure) for name, figure in trial.feedback.metrics.items()}
        tags |= {"reason": _one_line(trial.reason), "edit": _one_line(trial.edit)}
        for name, artifact in trial.feedback.artifacts.items():
            if name.endswith("pose.sdf"):
                text = artifact.decode() if isinstance(artifact, bytes) else artifact
                records.append(_tagged(text, tags))
    return records


def _tagged(record: str, tags: Mapping[str, str]) -> str:
    body = record.rpartition(_SDF_END)[0].rstrip("\n")
    present = {line[line.index("<") + 1 : -1] for line in body.splitlines() if line.startswith(">  <")}
    lines = [f">  <{key}>\n{value}\n" for key, value in tags.items() if value and key not in present]
    return "\n".join([body, "", *lines, _SDF_END, ""])


def _with_unit(name: str, units: Mapping[str, str]) -> str:
    unit = units.get(name, "")
    return f"{name} ({unit})" if unit else name


def _figure(figure: float | None) -> str:
    return "" if figure is None or math.isnan(figure) else f"{figure:.6g}"


def _cell(text: str) -> str:
    """A text as a spreadsheet shows it: one that begins like a formula would be run by it."""
    line = _one_line(text)
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
