"""The objective: docking into one target or several, terms, hard limits, and the report behind the number."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from rdkit import Chem

from tgsci.basics.checks import number, whole
from tgsci.basics.files import digest
from tgsci.basics.texts import literal, quote
from tgsci.errors import InvalidValue, MeasurementError, UsageError
from tgsci.feedback import Feedback
from tgsci.loss import Loss

from ..docking.cache import feedback as cached_feedback
from ..docking.vina import DoesNotFit, Settings, dock, fingerprint
from ..failures import measuring
from ..molecule.patterns import Pattern, catalog_of
from ..molecule.properties import PROPERTIES
from ..molecule.smiles import Molecule, as_molecule, canonical, molecule
from ..target.targets import Target, as_target
from . import limiting, report, revisit
from . import limits as hard
from . import metrics as metric_of
from .contacts import read_contact
from .core import Core
from .limits import Limit
from .metrics import USUAL_CATALOGS, Metric, placed
from .ranges import Range, read_range, whole_ring_sizes
from .terms import Aggregate, ResolvedTerm, Term


class Objective(Loss):
    """What is wanted of a molecule: terms, put together to a loss, and hard limits.

    Lower is better. In a "sum" each term costs weight x its transformed figure, and a desirability d (0 bad to 1 good:
    the sigmoids and steps, QED, similarity) costs weight x (1 - d). In a "geometric_mean" or "arithmetic_mean" all
    terms are desirabilities and the loss is 1 - their weighted mean.

    Args:
        targets: The targets to dock into; the molecule is designed for the first.
        terms: Vina's score of the first target plus 10 (1 - QED) where none are given.
        aggregate: A name of `AGGREGATES`.
        limits: Ranges by metric: `{"MW": (200, 500), "cLogP": "<= 5", "ring sizes": (5, 7)}`.
        keep: SMARTS that must be there; a `(SMARTS, name, count)` or a mapping of these names a group.
        avoid: SMARTS that must not be there, more often than count (0) says.
        core: A scaffold with attachment points [*:1] that stays intact and grows only there.
        reference: SMILES that similarity is measured to; of several the nearest counts.
        contacts: What the docked pose must do: "hbond Met318", "salt bridge Asp381", "aromatic Phe382",
            "contact Thr315"; with a target's name before it for another than the first.
        alerts: Catalogues whose alerts must not be raised; the metric "alerts" counts these too.
        settings: How hard to search; the fast setting where None.
        name: The name in tables; the formula and the targets where empty.

    Raises:
        UsageError: A target, metric, group, contact or catalogue does not exist, or two arguments contradict each
            other; says which, and what to write.
    """

    def __init__(
        self,
        targets: Target | str | Sequence[Target | str],
        terms: Sequence[Term] = (),
        *,
        aggregate: str = "sum",
        limits: Mapping[str, Range] | None = None,
        keep: Sequence[Any] = (),
        avoid: Sequence[Any] = (),
        core: str | None = None,
        reference: str | Sequence[str] = (),
        contacts: Sequence[str] = (),
        alerts: Sequence[str] = (),
        settings: Settings | None = None,
        name: str = "",
    ) -> None:
        self.targets = _targets(targets)
        self.target = self.targets[0]
        self.settings = Settings() if settings is None else settings
        if not isinstance(self.settings, Settings):
            raise UsageError(f"settings must be Settings(...), not {literal(settings)}")
        if limits is not None and not isinstance(limits, Mapping):
            raise UsageError(f"limits must be a table such as {{'MW': (200, 500)}}, not {literal(limits)}")
        terms = _as_list("terms", terms, Term)
        self._references = _references(reference)
        self._catalogs = tuple(dict.fromkeys(map(catalog_of, _as_list("alerts", alerts, str))))
        self.terms = _label_terms([self._resolve(t) for t in terms or (Term("vina"), Term("QED", weight=10.0))])
        self._aggregate = Aggregate(aggregate, self.terms)
        self.limits: tuple[Limit, ...] = _unique(
            [
                *self._bounds(limits or {}),
                *(hard.Keep(*_group(group, 1)) for group in _as_list("keep", keep, str, Mapping, Pattern)),
                *(hard.Avoid(*_group(group, 0)) for group in _as_list("avoid", avoid, str, Mapping, Pattern)),
                *([hard.CoreKept(Core(core))] if core else []),
                *([hard.NoAlerts(self._catalogs)] if self._catalogs else []),
                *self._contacts(_as_list("contacts", contacts, str)),
            ]
        )
        _check_agreement(self.limits)
        #: Every metric that a measurement gives, by name.
        self.metrics: dict[str, Metric] = self._all_metrics()
        columns = {term.column: "" for term in self.terms if term.column}
        self.units: Mapping[str, str] = {**{m.name: m.unit for m in self.metrics.values()}, **columns}
        self.name = name or f"{self.formula} in {' '.join(map(str, self.targets))}"
        self._refused: frozenset[str] = frozenset()
        self._settings_in: Mapping[str, Settings] = {}
        #: Names of off-targets that may be too small for a molecule: there that is good news, and no failure.
        self.spared = self._spared_targets()
        modelled = {m.target for m in self.metrics.values() if m.kind in ("strain", "refined interaction")}
        self._physics_seconds = len(modelled) * _LONGEST_PHYSICS
        self.timeout = self._longest()

    # -- what the rule editor asks ---------------------------------------------------------------------

    @property
    def simulated(self) -> tuple[str, ...]:
        """The metrics that the loss needs and only docking gives."""
        roots = [root for term in self.terms for root in term.metric.roots]
        return tuple(dict.fromkeys(root.name for root in roots if root.simulated))

    def calculated(self, mol: Chem.Mol, names: Collection[str] | None = None) -> dict[str, float]:
        """Calculate the other metrics that terms and limits need; they are exact.

        Args:
            mol: A molecule without explicit hydrogens.
            names: Only these; all where None.
        """
        needed = {root.name: root for metric in self._wanted for root in metric.roots if not root.simulated}
        return {name: metric.calculate(mol) for name, metric in needed.items() if names is None or name in names}

    def combine(self, metrics: Mapping[str, Any]) -> Any:
        """Combine raw metrics, those of `simulated` and `calculated`, to the loss. Arrays broadcast.

        Raises:
            KeyError: A metric is missing.
        """
        return self._aggregate.loss(metrics)

    def broken(self, mol: Chem.Mol) -> dict[str, float]:
        """Find the broken hard limits that need no docking, with by how much, in the limit's unit."""
        mine = [limit for limit in self.limits if not limit.simulated]
        figures = {m.name: m.calculate(mol) for m in dict.fromkeys(m for limit in mine for m in limit.metrics)}
        excesses = {limit.key: limit.excess(mol, figures) for limit in mine}
        return {key: excess for key, excess in excesses.items() if excess > 0}

    # -- Loss ------------------------------------------------------------------------------------------

    @property
    def formula(self) -> str:
        """How the loss is composed, in a line."""
        return self._aggregate.formula

    @property
    def aggregate(self) -> str:
        """How the terms are put together."""
        return self._aggregate.how

    @property
    def aggregated(self) -> Aggregate:
        """The terms, and how they are put together to the loss."""
        return self._aggregate

    @property
    def fingerprint(self) -> str:
        places = "; ".join(fingerprint(target, self.settings_in(target)) for target in self.targets)
        terms = [(t.label, t.metric, t.transform, t.weight) for t in self.terms]
        physics = [m for m in self.metrics.values() if m.kind == "refined interaction"]
        engine = f"; openmm {version('openmm')}" if physics else ""
        return f"{self.aggregate} of {terms}; limits {list(self.limits)}; {places}{engine}"

    def validate(self, value: str) -> Molecule:
        """Check a SMILES: the canonical one with its parsed molecule; see `tgsci_molecules.canonical` and `refusing`.

        Raises:
            InvalidValue: No molecule that can be docked, or one that breaks a limit which is refused.
        """
        smiles = canonical(value)
        if self._refused:
            mol = smiles.mol
            for limit in self.limits:
                if limit.key in self._refused and limit.excess(mol, {}) > 0:
                    raise InvalidValue(f"{quote(smiles)}: hard limit: the molecule {limit.mend(mol, {})}")
        return smiles

    def refusing(self, start: Iterable[str]) -> Objective:
        """Copy this objective so that it refuses what breaks a limit on structure that all these molecules keep.

        Groups to keep or avoid, the core and alerts are all or nothing: where the start has them right, no docking is
        spent on a molecule that has not. Ranges are never refused, nor a limit that the start itself breaks: the
        search must be able to go there step by step, and is told by how much it is still out.

        Args:
            start: Canonical SMILES.
        """
        mols = [molecule(smiles) for smiles in start]
        strict = copy.copy(self)
        strict._refused = frozenset(
            limit.key for limit in self.limits if limit.structural and not any(limit.excess(mol, {}) for mol in mols)
        )
        return strict

    @property
    def refused(self) -> frozenset[str]:
        """Keys of the limits that `validate` refuses."""
        return self._refused

    def evaluate(self, value: str) -> Feedback:
        """Dock a canonical SMILES into every target and measure its properties."""
        molecule_of_value = as_molecule(value)
        return cached_feedback(self.fingerprint, molecule_of_value, lambda: self._evaluate(molecule_of_value))

    def reconsider(self, value: str, feedback: Feedback, other: Feedback) -> Feedback:
        """Look whether the molecule does better in another's pose than in the one that docking found, in each target.

        The part that both have in common is laid onto the other's pose, the rest is grown there, and all is relaxed by
        Vina's local optimiser in the maps that docking searched. The better pose counts: an off-target is not avoided
        by missing how the molecule binds to it.

        Args:
            value: Canonical SMILES.
            feedback: Its measurement.
            other: That of its parent, or a less careful one of the molecule itself.

        Returns:
            The measurement with the better pose in each target, and all figures that follow from it. The artifact
            `revisit.PLACED` says what the other's pose gives.
        """
        if not feedback.measured:
            return feedback
        poses = revisit.poses_of(other, self.targets)
        if not poses:
            return feedback
        molecule_of_value = as_molecule(value)
        beside = f"{self.fingerprint} beside {digest(*(f'{name}:{pose}' for name, pose in sorted(poses.items())))}"
        with measuring("second look"):
            return cached_feedback(
                beside, molecule_of_value, lambda: self._reconsider(molecule_of_value, feedback, poses)
            )

    def _reconsider(self, value: Molecule, feedback: Feedback, poses: Mapping[str, str]) -> Feedback:
        docked = [self._dock(value, target) for target in self.targets]
        seen = [
            revisit.Revisit.of(value, posed, poses[posed.target.name], self.settings_in(posed.target))
            for posed in docked
            if posed.target.name in poses
        ]
        by_target = {each.posed.target.name: each.better for each in seen}
        if any(each.found for each in seen):
            feedback = self._measured(value, [by_target.get(posed.target.name, posed) for posed in docked])
        return revisit.noted(feedback, seen)

    def _evaluate(self, value: Molecule) -> Feedback:
        with measuring("measurement"):
            return self._measured(value, [self._dock(value, target) for target in self.targets])

    def _measured(self, value: Molecule, docked: Sequence[report.DockedPose | report.Unfit]) -> Feedback:
        """Put the figures of the poses and the molecule together."""
        mol = value.mol
        figures = self._measure(mol, docked)
        loss = self.combine(figures)
        _check_numbers(figures, [*self.simulated, *(m.name for x in self.limits for m in x.metrics)])
        figures |= {t.column: t.value(figures[t.metric.name]) for t in self.terms if t.column}
        violations = {limit.key: limit.excess(mol, figures) for limit in self.limits}
        measurement = report.Measurement(
            mol, loss, figures, violations, docked, self._aggregate, self.limits, self.metrics
        )
        tags = {"loss": f"{loss:.3f}", "QED": f"{figures['QED']:.3f}"}
        return Feedback(loss, report.text(measurement), figures, violations, report.artifacts(docked, tags))

    def _dock(self, value: str, target: Target) -> report.DockedPose | report.Unfit:
        strained = any(metric.kind == "strain" and metric.target == target.name for metric in self.metrics.values())
        try:
            return report.DockedPose(target, dock(value, target, self.settings_in(target)), strained=strained)
        except DoesNotFit:
            if target.name not in self.spared:
                raise
            return report.Unfit(target, strained=strained)

    def settings_in(self, target: Target) -> Settings:
        """Get the settings of the docking into a target."""
        return self._settings_in.get(target.name, self.settings)

    def searching(self, settings: Settings, special: Mapping[str, Settings] | None = None) -> Objective:
        """Copy this objective with other settings of the search.

        Args:
            settings: For every target.
            special: For some targets instead, by name.
        """
        other = copy.copy(self)
        other.settings, other._settings_in = settings, dict(special or {})
        other.timeout = other._longest()
        return other

    def _longest(self) -> float:
        """Choose the wall time after which a measurement hangs, s."""
        return self._physics_seconds + sum(_longest(self.settings_in(target)) for target in self.targets)

    def in_words(self, name: str, value: float) -> str:
        """Say of a contact, or of its gap, that only the direction is wrong, or that the group is not there."""
        return hard.in_words(name, value)

    def limiting(self, feedback: Feedback) -> str:
        """Say in a few words what limits a molecule: the target that decides, and the terms that cost most.

        Args:
            feedback: Its measurement; "" comes back for a failure.
        """
        return limiting.limiting(self._aggregate, self.metrics, feedback.metrics) if feedback.measured else ""

    def columns_help(self) -> dict[str, str]:
        """Explain each metric, for the head of a table."""
        help = {name: _with_unit(m.meaning or name, m.unit) for name, m in self.metrics.items()}
        for term in self.terms:
            if term.column:
                help[term.column] = f"{term.metric.name} after {term.transform}, as it enters the loss"
        return help

    # -- inside ----------------------------------------------------------------------------------------

    def _resolve(self, term: Term) -> tuple[str, ResolvedTerm]:
        metric = self._metric(term.metric, term.targets, term.over, term.smarts, term.name)
        return term.name, ResolvedTerm(term.name or metric.name, metric, term.transform, term.weight)

    def _metric(
        self, kind: str, targets: Sequence[str] = (), how: str = "", smarts: str = "", name: str = ""
    ) -> Metric:
        if kind in metric_of.DOCKED or kind == "LE":
            usual = self.targets if how else self.targets[:1]
            named = list(dict.fromkeys(t.name for t in (map(self._target, targets) if targets else usual)))
            make = metric_of.efficiency if kind == "LE" else lambda t, p: metric_of.docked(kind, t, p)
            parts = tuple(make(t, len(self.targets) > 1) for t in named)
            return metric_of.over(how, parts, len(named) == len(self.targets)) if how else parts[0]
        if kind == "matches":
            return metric_of.calculated(kind, f"matches of {name or smarts}", (smarts,))
        if kind == "selectivity":
            if len(self.targets) < 2:
                raise UsageError("selectivity needs off_targets: what the target is compared with")
            return metric_of.selectivity([t.name for t in self.targets])
        if kind == "alerts":
            return metric_of.calculated(kind, about=self._catalogs or USUAL_CATALOGS)
        if kind == "similarity":
            if not self._references:
                raise UsageError("similarity needs a reference: the SMILES that it is measured to")
            return metric_of.calculated(kind, about=self._references)
        return metric_of.calculated(kind)

    def _target(self, name: str) -> Target:
        for target in self.targets:
            if target.name.upper() == name.strip().upper():
                return target
        raise UsageError(
            f"the objective docks into {', '.join(map(str, self.targets))}, not into {name[:40]!r}; "
            "add it to off_targets"
        )

    def _bounds(self, limits: Mapping[str, Range]) -> list[Limit]:
        bounds: list[Limit] = []
        for text, given in limits.items():
            low, high = read_range(text, given)
            if "".join(c for c in str(text).lower() if c.isalnum()) in ("ringsizes", "ringsize"):
                bounds.append(hard.RingSizes(*whole_ring_sizes(low, high)))
                continue
            kind, target, how = placed(text)
            if kind == "matches":
                raise UsageError("a limit on matches: write the SMARTS under keep or avoid, with a count")
            metric = self._metric(kind, (target,) if target else (), how)
            if low is not None:
                bounds.append(hard.Bound(metric, ">=", low))
            if high is not None:
                bounds.append(hard.Bound(metric, "<=", high))
        for one in bounds:
            for other in bounds:
                if isinstance(one, hard.Bound) and isinstance(other, hard.Bound) and one.excludes(other):
                    raise UsageError(f"the limits {one.key} and {other.key} exclude each other")
        return bounds

    def _contacts(self, texts: Iterable[str]) -> Iterator[Limit]:
        """Make the limits of contacts; a group that has to make one has to stay, which is seen before docking."""
        for contact in [read_contact(text, self.targets) for text in texts]:
            kind, residue, how = contact.kind, contact.residue, (contact.role, contact.smarts)
            metric = metric_of.gap(contact.target.name, kind, residue, contact.target is not self.target, *how)
            if contact.smarts:
                yield hard.Keep(Pattern(contact.smarts))
            yield hard.ContactMade(kind, residue, contact.target.name, metric, *how)

    def _all_metrics(self) -> dict[str, Metric]:
        several = len(self.targets) > 1
        usual = [
            metric
            for t in self.targets
            for metric in (metric_of.docked("vina", t.name, several), metric_of.efficiency(t.name, several))
        ]
        usual += [metric_of.calculated(kind) for kind in PROPERTIES]
        usual.append(metric_of.calculated("alerts", about=self._catalogs or USUAL_CATALOGS))
        roots = [root for metric in self._wanted for root in metric.roots]
        by_name: dict[str, Metric] = {}
        for metric in (*usual, *roots, *self._wanted):
            if by_name.setdefault(metric.name, metric) != metric:
                raise UsageError(f"two different figures are called {metric.name!r}; give the terms other names")
        return {**{n: m for n, m in by_name.items() if m.target or m.parts}, **by_name}

    @property
    def _wanted(self) -> list[Metric]:
        """List the metrics that terms and limits are about."""
        return [*(term.metric for term in self.terms), *(m for limit in self.limits for m in limit.metrics)]

    def _spared_targets(self) -> frozenset[str]:
        """Find the off-targets where a molecule that does not fit is good news, and no failure.

        There the score is the only figure that is asked for, and no term and no limit is the worse for a weaker one:
        tried over the range of scores, beside weak and strong binding to the other targets.
        """
        scores = np.arange(-20.0, 0.05, 0.1)
        spared = []
        for target in self.targets[1:]:
            mine = metric_of.docked("vina", target.name, True).name
            roots = [root for metric in self._wanted for root in metric.roots]
            if any(root.target == target.name and root.kind != "vina" for root in roots):
                continue
            heavy_atoms = {root.name: 25.0 for root in roots if not root.simulated}
            if all(
                self._never_worse(mine, heavy_atoms | {root.name: beside for root in roots if root.simulated}, scores)
                for beside in (-12.0, -8.0, -4.0)
            ):
                spared.append(target.name)
        return frozenset(spared)

    def _never_worse(self, name: str, figures: Mapping[str, float], rising: Any) -> bool:
        """Tell whether no term and no limit gets worse while the metric of that name rises."""
        figures = {**figures, name: rising}
        costs = [t.weight * t.cost(t.metric.figure(figures)) for t in self.terms if _is_from(t.metric, name)]
        for limit in self.limits:
            if isinstance(limit, hard.Bound) and _is_from(limit.metric, name):
                figure = limit.metric.figure(figures)
                costs.append(figure if limit.sign == "<=" else -figure)
        return all((np.diff(cost) <= 1e-9).all() for cost in costs)

    def _measure(self, mol: Chem.Mol, poses: Sequence[report.DockedPose | report.Unfit]) -> dict[str, float]:
        """Compute every metric's value, in the order of `metrics`."""
        by_target = {posed.target.name: posed for posed in poses}
        figures: dict[str, float] = {}
        for name, metric in self.metrics.items():
            if metric.simulated:
                figures[name] = float(by_target[metric.target].figure(metric))
            elif not metric.parts:
                figures[name] = metric.calculate(mol)
        return {name: float(metric.figure(figures)) for name, metric in self.metrics.items()}


class DockingLoss(Objective):
    """How badly a molecule does as a ligand and as a drug: `vina + qed_weight * (1 - QED)`.

    The simple way to an `Objective`: one target, DOCKSTRING's form, no limits.

    Args:
        target: The target to dock into, or its name.
        settings: How hard to search; the fast setting where None.
        qed_weight: The worth of one whole QED, kcal/mol; 10 is DOCKSTRING's.

    Raises:
        UsageError: No such target, or a weight that is negative or no number.
    """

    def __init__(self, target: Target | str, settings: Settings | None = None, qed_weight: float = 10.0) -> None:
        self.qed_weight = checked_qed_weight(qed_weight)
        super().__init__(target, vina_and_qed(self.qed_weight), settings=settings)


def vina_and_qed(qed_weight: float = 10.0) -> tuple[Term, ...]:
    """Make DOCKSTRING's terms for any target: vina + qed_weight (1 - QED)."""
    return (Term("vina"), *([Term("QED", weight=qed_weight)] if qed_weight else []))


def checked_qed_weight(weight: Any) -> float:
    """Check the weight of QED.

    Raises:
        UsageError: The weight is no number from 0 to a million.
    """
    return number("qed_weight", weight, 0.0, 1e6, unit="kcal/mol")


#: Wall time after which the strain or the refinement of one pose hangs, s: they take seconds.
_LONGEST_PHYSICS = 600.0


def _longest(settings: Settings) -> float:
    """Choose the wall time after which a docking hangs, s: a hundred times a slow drug's (11 us an evaluation)."""
    forms = settings.isomers * settings.tautomers * settings.states
    runs = forms * max(settings.conformers, settings.ring_conformers) * settings.exhaustiveness
    return 300.0 + 1e-3 * runs * (settings.max_evals or 1e6)


def _targets(given: Target | str | Sequence[Target | str]) -> tuple[Target, ...]:
    targets = tuple(map(as_target, _as_list("targets", given, Target, str)))
    if not targets:
        raise UsageError("an objective needs a target")
    for target in targets:
        if not target.name.isprintable() or re.search(r"[/\\]|^[.]|^\s|\s$", target.name):  # it names files
            raise UsageError(
                f"the name {quote(target.name)} of {quote(target.spec)} cannot be used: prepare the target in a "
                "directory whose name has no slash and no dot in front"
            )
    names = [t.name.upper() for t in targets]
    twice = next((t for t in targets if names.count(t.name.upper()) > 1), None)
    if twice:
        raise UsageError(
            f"the target {twice} is given twice: each of target and off_targets must be another protein, or at least "
            "have another name"
        )
    return targets


def _as_list(name: str, given: Any, *kinds: type) -> list[Any]:
    """Make a list of things, or of one thing of these kinds alone."""
    if isinstance(given, kinds):
        return [given]
    if isinstance(given, Iterable) and not isinstance(given, str | Mapping):
        return list(given)
    raise UsageError(f"{name} must be a list, not {literal(given)}")


def _references(given: str | Sequence[str]) -> tuple[str, ...]:
    canonicals = []
    for text in _as_list("reference", given, str):
        try:
            canonicals.append(canonical(text))
        except InvalidValue as error:
            raise UsageError(f"reference: {error}") from None
    return tuple(dict.fromkeys(canonicals))


def _group(given: Any, count: int) -> tuple[Pattern, int]:
    """Read a group to keep or to avoid: its pattern and how often."""
    if isinstance(given, Pattern):
        return given, count
    fields = {"smarts": given} if isinstance(given, str) else given
    if isinstance(given, tuple | list):
        fields = dict(zip(("smarts", "name", "count"), given, strict=False))
    if not isinstance(fields, Mapping) or not set(fields) <= {"smarts", "name", "count"} or "smarts" not in fields:
        raise UsageError(f"a group is a SMARTS, or a table of smarts, name and count; not {literal(given)}")
    times = fields.get("count", count)
    times = whole(f"count of the group {literal(fields['smarts'])}", times, count, 100)
    return Pattern(fields["smarts"], fields.get("name", "")), times


def _label_terms(terms: Sequence[tuple[str, ResolvedTerm]]) -> tuple[ResolvedTerm, ...]:
    """Give the terms labels that differ."""
    taken: set[str] = set()
    labelled = []
    for given, term in terms:
        if given and given in taken:
            raise UsageError(f"two terms have the name {given!r}")
        label, count = term.label, 2
        while label in taken:
            label, count = f"{term.label} {count}", count + 1
        taken.add(label)
        labelled.append(ResolvedTerm(label, term.metric, term.transform, term.weight))
    return tuple(labelled)


def _is_from(metric: Metric, name: str) -> bool:
    return any(root.name == name for root in metric.roots)


def _unique(limits: Sequence[Limit]) -> tuple[Limit, ...]:
    by_key = {limit.key: limit for limit in limits}
    for limit in limits:
        if by_key[limit.key] != limit:
            raise UsageError(f"two limits are called {limit.key!r}; give them names")
    return tuple(by_key.values())


def _check_agreement(limits: Sequence[Limit]) -> None:
    """Refuse a group that is both asked for and forbidden."""
    avoided = {limit.pattern.smarts: limit for limit in limits if isinstance(limit, hard.Avoid)}
    for limit in limits:
        if isinstance(limit, hard.Keep) and limit.pattern.smarts in avoided:
            other = avoided[limit.pattern.smarts]
            if other.count < limit.count:
                raise UsageError(f"the limits '{limit.key}' and '{other.key}' exclude each other")


def _with_unit(meaning: str, unit: str) -> str:
    return f"{meaning} [{unit}]" if unit else meaning


def _check_numbers(figures: Mapping[str, float], needed: Iterable[str]) -> None:
    for name in needed:
        if math.isnan(figures[name]):
            raise MeasurementError(f"objective: {name} of this molecule cannot be had, and the objective needs it")
