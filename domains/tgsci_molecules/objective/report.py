"""The report behind the number: how the loss is composed, what is broken and what would mend it, and the pose."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rdkit import Chem

from tgsci.errors import MeasurementError

from ..docking.vina import Docking
from ..molecule.properties import PROPERTIES, above_usual, alerts, qed_alerts, qed_parts, qed_prices
from ..molecule.smiles import atom_name
from ..target.targets import Target
from .limiting import Pull, deciding, pulls
from .limits import Limit
from .metrics import USUAL_CATALOGS, Metric, calculated
from .several import several_lines
from .terms import Aggregate

if TYPE_CHECKING:
    from ..physics import Refinement
    from ..pose import PoseReport

#: A part of QED with a smaller gain than this in QED gets no line.
_WORTH_SAYING = 0.005


class DockedPose:
    """A docking, with what follows from its pose; each part is worked out once, when it is asked for."""

    def __init__(self, target: Target, docking: Docking, *, strained: bool = False) -> None:
        self.target, self.docking = target, docking
        #: True where the strain is wanted: it takes seconds.
        self.strained = strained

    @cached_property
    def report(self) -> PoseReport:
        """The report about the pose."""
        from ..pose import explain

        return explain(self.docking, self.target, self.strain if self.strained else None)

    @cached_property
    def refined(self) -> Refinement:
        """The pose after refinement in the rigid pocket."""
        from ..physics import refine

        return refine(self.docking, self.target)

    @cached_property
    def strain(self) -> float:
        """Of the ligand, kcal/mol."""
        from ..physics import strain_of

        return strain_of(self.docking)

    def figure(self, metric: Metric) -> float:
        """Get the value of a metric in this target."""
        if metric.kind == "vina":
            return self.docking.score
        if metric.kind == "strain":
            return self.strain
        if metric.kind == "refined interaction":
            return self.refined.interaction
        kind, residue, *how = metric.about
        if how:
            from ..pose import shortfall

            role, smarts = how
            return shortfall(self.docking, self.target, kind, residue, role=role, smarts=smarts)
        return self.report.missing(kind, residue)


class Unfit:
    """An off-target that a molecule does not fit into: its score counts as none."""

    def __init__(self, target: Target, *, strained: bool = False) -> None:
        self.target, self.strained = target, strained

    def figure(self, metric: Metric) -> float:
        """Get the score, 0.0 kcal/mol: the only metric that such an off-target has."""
        if metric.kind != "vina":
            raise MeasurementError(f"objective: {metric.name} needs a pose, and there is none in {self.target}")
        return 0.0


@dataclass(frozen=True)
class Measurement:
    """What the report is about: a molecule, its figures, and the objective that they were measured for.

    Args:
        mol: The molecule; its atoms are numbered from 1.
        loss: The molecule's loss.
        figures: Every metric's value, by name.
        violations: The excess of each limit, by its key.
        poses: The pose in each target, the objective's own target first.
        aggregate: The terms, and how they are put together.
        limits: The hard limits.
        metrics: The metrics, by name.
    """

    mol: Chem.Mol
    loss: float
    figures: Mapping[str, float]
    violations: Mapping[str, float]
    poses: Sequence[DockedPose | Unfit]
    aggregate: Aggregate
    limits: Sequence[Limit]
    metrics: Mapping[str, Metric]


def text(measurement: Measurement) -> str:
    """Write the report on a molecule; atoms are numbered from 1, as in the SMILES with map numbers that it prints."""
    limiting, pulled = _limiting(measurement)
    lines = [
        *_loss_lines(measurement),
        *_limit_lines(measurement),
        *_pose_lines(limiting),
        *(_other_pose_line(posed) for posed in measurement.poses if posed is not limiting),
        *_isomer_lines(measurement.poses),
        *several_lines([posed for posed in measurement.poses if isinstance(posed, DockedPose)], pulled),
        *_qed_lines(measurement),
        *_property_lines(measurement),
        *_alert_lines(measurement.mol),
    ]
    return "\n".join(lines)


def _limiting(measurement: Measurement) -> tuple[DockedPose, list[Pull]]:
    """Choose the pose to report in full, that of the target that decides the loss; and what the loss wants of each."""
    pulled = deciding(pulls(measurement.aggregate, measurement.metrics, measurement.figures))
    docked = {posed.target.name: posed for posed in measurement.poses if isinstance(posed, DockedPose)}
    first = measurement.poses[0]
    assert isinstance(first, DockedPose)  # only off-targets may be too small
    bound = [docked[pull.target] for pull in pulled if pull.target in docked and not pull.off_target]
    return next(iter(bound), first), pulled


def artifacts(poses: Sequence[DockedPose | Unfit], tags: Mapping[str, object]) -> dict[str, str]:
    """Write the poses as SDF and their reports as JSON, by name; those of the first target have no prefix."""
    by_file = {}
    for number, posed in enumerate(poses):
        if isinstance(posed, Unfit):
            continue
        prefix = f"{posed.target.name}." if number else ""
        by_file[f"{prefix}pose.sdf"] = posed.docking.sdf(tags)
        by_file[f"{prefix}pose.json"] = json.dumps(posed.report.as_dict())
    return by_file


def _loss_lines(measurement: Measurement) -> list[str]:
    aggregate, loss = measurement.aggregate, measurement.loss
    value = f"{loss:.2f}" if aggregate.how == "sum" else f"{loss:.4f}"
    how = {
        "sum": "the sum of these costs",
        "geometric_mean": "1 - the weighted geometric mean of these desirabilities (0 bad, 1 good)",
        "arithmetic_mean": "1 - the weighted mean of these desirabilities (0 bad, 1 good)",
    }[aggregate.how]
    parts = [aggregate.part(term, measurement.figures) for term in aggregate.terms]
    return [f"LOSS {value} = {how}; lower is better:", *(f"  {part}" for part in parts)]


def _limit_lines(measurement: Measurement) -> list[str]:
    limits = measurement.limits
    if not limits:
        return []
    broken = [limit for limit in limits if measurement.violations[limit.key] > 0]
    if not broken:
        return [f"HARD LIMITS: all {len(limits)} kept."]
    lines = [f"HARD LIMITS: {len(broken)} of {len(limits)} broken; mend these first:"]
    return lines + [f"  BROKEN: {limit.mend(measurement.mol, measurement.figures)}" for limit in broken]


def _pose_lines(posed: DockedPose) -> list[str]:
    """Write the report about the pose, how it was searched, and what was left open."""
    docking = posed.docking
    open_ = docking.isomer != docking.ligand.smiles
    form = [f"THE FORM that counts is {docking.isomer}; the pose and its score are its own."] if open_ else []
    return [posed.report.text(), *form, *docking.remarks, docking.search]


def _isomer_lines(poses: Sequence[DockedPose | Unfit]) -> list[str]:
    """Warn where different stereoisomers count in different targets: no one molecule has all these figures."""
    counted = {posed.target.name: str(posed.docking.isomer) for posed in poses if isinstance(posed, DockedPose)}
    if len(set(counted.values())) < 2:
        return []
    which = ", ".join(f"{isomer} in {name}" for name, isomer in counted.items())
    return [f"ANOTHER STEREOISOMER counts in another target, and no molecule has all these figures: {which}."]


def _other_pose_line(posed: DockedPose | Unfit) -> str:
    if isinstance(posed, Unfit):
        return f"ALSO DOCKED in {posed.target}: does not fit there: counted as 0 kcal/mol, good news."
    most = sorted(posed.report.residues, key=lambda residue: residue.energy)[:5]
    named = ", ".join(f"{residue.name} {residue.energy:.2f}" for residue in most)
    return (
        f"ALSO DOCKED in {posed.target}: vina {posed.docking.score:.2f} kcal/mol; "
        f"residues that hold it most (kcal/mol): {named}."
    )


def _qed_lines(measurement: Measurement) -> list[str]:
    """Say what costs QED most, where the loss asks for QED."""
    if not any(root.name == "QED" for term in measurement.aggregate.terms for root in term.metric.roots):
        return []
    figures, qed = measurement.figures, measurement.figures["QED"]
    costly = [part for part in qed_parts(measurement.mol)[:4] if part.gain >= _WORTH_SAYING]
    if not costly:
        return [f"QED {qed:.2f} (0 to 1, higher is more drug-like): nothing costs much."]
    lines = [f"QED {qed:.2f} (0 to 1, higher is more drug-like): what costs most, and QED if it alone were ideal"]
    for part in costly:
        change = measurement.aggregate.loss({**figures, "QED": qed + part.gain}) - measurement.loss
        lines.append(
            f"  {part.name} {part.figure:.{_decimals(part.figure)}f}, better {part.wish}: QED {qed + part.gain:.2f} "
            f"(loss {change:+.2f})"
        )
    return [*lines, *_price_lines(measurement), *_qed_alert_lines(measurement.mol)]


def _price_lines(measurement: Measurement) -> list[str]:
    """Say what QED, and with it the loss, does if one property changes and all else stays."""
    figures, qed = measurement.figures, measurement.figures["QED"]
    prices = []
    for price in qed_prices(measurement.mol):
        if abs(price.change) >= _WORTH_SAYING:
            change = measurement.aggregate.loss({**figures, "QED": qed + price.change}) - measurement.loss
            prices.append(f"{price.name} {price.change:+.2f} (loss {change:+.2f})")
    return [f"  price in QED of one change alone: {', '.join(prices)}"] if prices else []


def _qed_alert_lines(mol: Chem.Mol) -> list[str]:
    """Name the alerts that QED counts, where it counts some."""
    raised = qed_alerts(mol)
    named = [f"{a.name} ({a.fragment} at {', '.join(atom_name(mol, i) for i in a.atoms)})" for a in raised]
    return [f"  QED's own alerts: {'; '.join(named)}"] if named else []


def _decimals(figure: float) -> int:
    return 0 if float(figure).is_integer() and abs(figure) < 100 else 1


def _property_lines(measurement: Measurement) -> list[str]:
    figures = measurement.figures
    extra = [m for m in measurement.metrics.values() if not (m.simulated or m.parts or m.name in PROPERTIES)]
    properties = [f"{n} {calculated(n).write(figures[n])}" for n in PROPERTIES if n != "QED"]
    properties += [f"{m.name} {m.write(figures[m.name])}" for m in extra]
    above = above_usual(figures)
    usual = [f"  Above the usual limits of oral drugs: {', '.join(above)}."] if above else []
    return [f"PROPERTIES {', '.join(properties)}.", *usual]


def _alert_lines(mol: Chem.Mol) -> list[str]:
    raised = alerts(mol)
    if not raised:
        return [f"ALERTS ({', '.join(USUAL_CATALOGS)}): none."]
    lines = [f"ALERTS ({', '.join(USUAL_CATALOGS)}):"]
    for alert in raised:
        atoms = ", ".join(atom_name(mol, i) for i in alert.atoms)
        lines.append(f"  {alert.catalog} {alert.name}: {alert.fragment} at {atoms}.")
    return lines
