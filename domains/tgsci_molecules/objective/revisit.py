"""A second look at a docking: what the molecule scores in the pose of another, and whether that is the better one."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rdkit import Chem, rdBase

from tgsci.feedback import Feedback

from ..docking.vina import Docking, FormScore, Settings
from ..pose.place import place
from ..target.targets import Target
from .report import DockedPose, Unfit

#: The artifact that says, for each target, what a molecule scores in the other's pose and where it was docked.
PLACED = "placed.json"
#: A pose is better from this on, kcal/mol: two figures that print alike are one.
BETTER = 0.005
#: A pose of more characters than this is none of a small molecule.
_LONGEST = 200_000


@dataclass(frozen=True)
class Revisit:
    """What came of a second look in one target.

    Args:
        posed: What docking found.
        placed: The molecule in the other's pose, relaxed; None where they have too little in common, or no room.
        same: True where the other's pose is one of the molecule itself.
    """

    posed: DockedPose | Unfit
    placed: Docking | None
    same: bool

    @classmethod
    def of(cls, smiles: str, posed: DockedPose | Unfit, other: str, settings: Settings) -> Revisit:
        """Look at a molecule in another's pose.

        Args:
            smiles: Canonical.
            posed: What docking found in a target.
            other: The other's pose in that target, an SDF record.
            settings: The settings of the docking.
        """
        with rdBase.BlockLogs():
            onto = Chem.MolFromMolBlock(other, removeHs=False)
        docking = posed.docking if isinstance(posed, DockedPose) else None
        placed = place(smiles, onto, posed.target, settings, docking) if onto is not None else None
        return cls(posed, placed, f"\n>  <smiles>\n{smiles}\n" in other)

    @property
    def score(self) -> float:
        """The docked score, kcal/mol; 0 where it does not fit."""
        return self.posed.docking.score if isinstance(self.posed, DockedPose) else 0.0

    @property
    def found(self) -> bool:
        """True where the search missed the better pose."""
        return self.placed is not None and self.placed.score < self.score - BETTER

    @property
    def better(self) -> DockedPose | Unfit:
        """The better of both poses."""
        if self.placed is None or not self.found:
            return self.posed
        source = "its first pose" if self.same else "the pose of its parent"
        if isinstance(self.posed, Unfit):
            better = replace(self.placed, relaxed_from=source)
        else:
            docked = self.posed.docking
            better = replace(
                docked,
                score=self.placed.score,
                inter=self.placed.inter,
                torsion_penalty=self.placed.torsion_penalty,
                ligand=self.placed.ligand,
                pose_pdbqt=self.placed.pose_pdbqt,
                forms=_with(docked.forms, self.placed.forms[0]),
                relaxed_from=source,
            )
        return DockedPose(self.posed.target, better, strained=self.posed.strained)

    def __str__(self) -> str:
        """What came of it, in a line of the report."""
        target = self.posed.target
        where = f"FROM ITS FIRST POSE in {target}" if self.same else f"IN ITS PARENT'S POSE in {target}"
        docked = f"docked {self.score:.2f}" if isinstance(self.posed, DockedPose) else "by docking it does not fit"
        if self.placed is None:
            why = "it cannot be relaxed" if self.same else "no room, or too little in common"
            return f"{where}: {why} ({docked})."
        verdict = "the search missed it, and it counts" if self.found else "the docked pose counts"
        return f"{where}: vina {self.placed.score:.2f} kcal/mol ({docked}): {verdict}."


def poses_of(feedback: Feedback, targets: Sequence[Target]) -> dict[str, str]:
    """Get the poses of a measurement as SDF records, by target."""
    poses = {}
    for number, target in enumerate(targets):
        text = artifact(feedback, f"{target.name}.pose.sdf" if number else "pose.sdf")
        if 0 < len(text) <= _LONGEST:
            poses[target.name] = text
    return poses


def artifact(feedback: Feedback, name: str) -> str:
    """Get an artifact as text; "" where there is none."""
    content = feedback.artifacts.get(name, "")
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else content


def noted(feedback: Feedback, seen: Sequence[Revisit]) -> Feedback:
    """Add to a measurement what came of the second look, in the report where a pose was found, and as figures."""
    table = {
        each.posed.target.name: {
            "placed": each.placed.score if each.placed else None,
            "docked": each.score if isinstance(each.posed, DockedPose) else None,
            "same": each.same,
        }
        for each in seen
    }
    text = "\n".join([feedback.text, *(str(each) for each in seen if each.placed or each.same)])
    return replace(feedback, text=text, artifacts={**feedback.artifacts, PLACED: json.dumps(table)})


@dataclass(frozen=True)
class Placed:
    """The figures of a second look in one target, kcal/mol; nan where there is no pose."""

    placed: float
    docked: float
    same: bool


def placed_of(feedback: Feedback) -> dict[str, Placed]:
    """Read what came of a second look, by target; nothing where there was none."""
    try:
        table = json.loads(artifact(feedback, PLACED) or "{}")
        return {str(name): _read(row) for name, row in table.items()}
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return {}


def _read(row: Mapping[str, object]) -> Placed:
    placed, docked = (float(x) if isinstance(x := row[key], int | float) else math.nan for key in ("placed", "docked"))
    return Placed(placed, docked, row.get("same") is True)


def _with(forms: Sequence[FormScore], placed: FormScore) -> tuple[FormScore, ...]:
    """Add the placed score to those of its form."""
    known = any(form.smiles == placed.smiles for form in forms)
    added = [
        replace(form, scores=(*form.scores, *placed.scores)) if form.smiles == placed.smiles else form for form in forms
    ]
    return tuple(added) if known else (*added, placed)
