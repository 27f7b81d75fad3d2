"""Predict the loss of molecules that were not measured yet, from the trials so far.

Where the loss can say how it is put together (`Parts`), only what the simulator alone gives is learned, one metric
each; all else is calculated, and the loss follows. Any other loss is learned as a whole.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from rdkit import Chem

from tgsci.loss import LimitedLoss, Loss
from tgsci.search.trial import Trial, Trials

from ..molecule.properties import PROPERTIES
from .candidates import Candidate
from .descriptors import SLOW, TREND, Descriptors, descriptors, murcko
from .surrogate import Array, Belief, Prior, Surrogate

#: Measured trials beyond this many are left out of the surrogate, the worst of the oldest first.
MEMORY = 300

#: How many of the most promising candidates compete for the places of a round.
SHORTLIST = 60
#: How many of them are certain to be the best of the pool; the rest of the shortlist may miss some.
FOREMOST = 12

#: The SA score from which on a molecule pays for being hard to make.
EASY_ENOUGH = 4.0
#: What a unit of SA costs above it, in kcal/mol of docking (standard deviations where nothing is docked).
HARD_SYNTHESIS = 0.5
#: What a stereocentre costs that is left open, in the same unit: a good figure may be that of one isomer only, and
#: a chemist has a mixture to separate.
OPEN_CENTRE = 0.3
#: What a fused ring system costs by the square of its rings beyond two, same unit, where something is docked. A
#: score and QED like a flat polycycle better than a chemist does: insoluble, hard to vary, a project to make.
POLYCYCLE = 0.4
#: What each trial beyond the first `per_scaffold_visits` costs a candidate of the same scaffold, same unit.
CROWDED = 0.1

#: The most by which an edit that the pose asks for is preferred, same unit: all of it where such edits were better than
#: their parents much more often than other edits, nothing while that is not known.
VECTOR_BONUS = 0.4

# The trend of Vina 1.2.7 scores, kcal/mol: mean and standard deviation (rounded up) over the targets EGFR, ESR1, AR,
# BACE1, CDK2, DPP4, HSP90AA1, JAK2, PTGS2 and ADRB2 of ridge fits to 60 molecules of 4 to 40 heavy atoms, none of
# them charged. It says what any pocket says (size pays, less and less; rotors cost); the trials soon say what this
# pocket says.
_VINA_WEIGHTS = (-2.2, -3.4, 0.64, -0.68, -0.14, 0.3, 0.22, 0.0)
_VINA_SPREAD = (0.5, 0.8, 0.5, 0.3, 0.2, 0.5, 0.2, 0.5)
_VINA_AMPLITUDES = (0.5, 0.8, 1.2, 1.8)
_VINA_NOISES = (0.15, 0.3, 0.5)

# For a loss as a whole, in units of its standard deviation over the trials: hardly an opinion. Such a loss may well
# have its best in the middle of a range (a cLogP of 3), so half of the kernel follows the figures smoothly.
_OTHER = ("4 QED", "cLogP/2", "SA/3", "HBD/3")
_ANY = Prior(
    np.zeros((len(TREND) + len(_OTHER), 1)),
    np.diag([1.0] + [0.05] * (len(TREND) - 1) + [1.0, 0.05, 0.05, 0.05]),
    amplitudes=(0.3, 1.0, 2.0),
    noises=(0.01, 0.1, 0.3),
    smooth=0.5,
)

#: A metric of the structure that takes as long as QED, and is no property with a range.
_ALERTS = "alerts"
#: A broken limit outweighs everything else: infeasible never beats feasible.
_INFEASIBLE = 1e6
#: Cost of breaking limits that only the simulator knows (a contact with the protein), for each unit by which they are
#: expected to be broken; and the excess from which on the cost does not rise: one molecule is as far out as another.
_UNMET, _MOST_UNMET = 3.0, 5.0


@runtime_checkable
class Parts(Protocol):
    """The interface of a loss that says what it is made of."""

    @property
    def simulated(self) -> Sequence[str]:
        """Names of the metrics that only the simulator gives."""
        ...

    def calculated(self, mol: Chem.Mol, names: Collection[str] | None = None) -> Mapping[str, float]:
        """Calculate every other metric that the loss needs, or only these."""
        ...

    def combine(self, metrics: Mapping[str, Any]) -> Any:
        """Combine the metrics to the loss; arrays broadcast."""
        ...

    def broken(self, mol: Chem.Mol) -> Mapping[str, float]:
        """Find the broken hard limits that need no simulator, with by how much."""
        ...


@dataclass(frozen=True)
class Outlook:
    """What to expect of some molecules.

    Args:
        loss: Expected loss of each.
        sd: The standard deviation of the loss.
        belief: What the surrogate expects of the learned metrics, in its own unit.
    """

    loss: Array
    sd: Array
    belief: Belief


class Predictor:
    """Predicts losses and ranks candidates. A pure function of the trials.

    Args:
        trials: Everything that happened so far.
        per_scaffold_visits: Trials of one Murcko scaffold beyond this many cost its next candidates something.
    """

    def __init__(self, trials: Trials, *, per_scaffold_visits: int = 25) -> None:
        loss, self._limits = _unwrap(trials.loss)
        self._parts: Parts | None = loss if isinstance(loss, Parts) else None
        #: Names of what is learned: simulated metrics, or the loss itself.
        self.learned: tuple[str, ...] = tuple(self._parts.simulated) if self._parts else ("loss",)
        #: Which of these are docking scores, kcal/mol.
        self.scores: tuple[str, ...] = tuple(filter(_is_score, self.learned))
        measured = [(t, f) for t in trials if t.measured and (f := _descriptors_of(t.value)) is not None]
        if self._parts:
            measured = [
                (t, f) for t, f in measured if t.feedback and all(n in t.feedback.metrics for n in self.learned)
            ]
        #: How many trials there is something to learn from.
        self.measured = len(measured)
        if len(measured) > MEMORY:
            ranked = sorted(measured, key=lambda p: p[0].loss)
            kept = {t.number for t, _ in (*ranked[: MEMORY // 2], *measured[-MEMORY // 2 :])}
            measured = [(t, f) for t, f in measured if t.number in kept]
        self._records = _records(trials)
        self._visits = Counter(murcko(t.value) for t in trials if t.measured and _descriptors_of(t.value) is not None)
        self._per_scaffold_visits = per_scaffold_visits
        self._known: dict[str, tuple[Array, float]] = {}
        self._surrogate: Surrogate | None = None
        unmet = self._unmet(measured)
        self._unmade = {t.number for (t, _), lacking in zip(measured, unmet.tolist(), strict=True) if lacking > 0}
        #: How many metrics the surrogate learns: `learned`, and what limits lack that it takes a simulator to know.
        self._columns = len(self.learned) + bool(unmet.any())
        self._shift, self._scale = np.zeros(self._columns), np.ones(self._columns)
        if measured and self.learned:
            self._learn(measured, unmet)
        #: What a kcal/mol of docking is worth in the loss; its standard deviation where nothing is docked.
        self.unit = self._worth_of_a_unit(measured)

    def _unmet(self, measured: Sequence[tuple[Trial, Descriptors]]) -> Array:
        """Compute by how much each trial breaks limits that cannot be calculated."""
        if self._parts is None:
            return np.zeros(len(measured))
        lacking = [
            t.feedback.violation - self.violation(f) if t.feedback and t.feedback.violation > 0 else 0.0
            for t, f in measured
        ]
        lacks = np.clip(np.array(lacking, dtype=np.float64), 0.0, _MOST_UNMET)
        return np.where(lacks > 1e-6, lacks, 0.0)

    def _learn(self, measured: Sequence[tuple[Trial, Descriptors]], unmet: Array) -> None:
        if self._parts:
            values = np.array([[t.feedback.metrics[n] for n in self.learned] for t, _ in measured if t.feedback])
            if self._columns > len(self.learned):
                values = np.column_stack([values, unmet])
        else:
            values = np.array([[t.loss] for t, _ in measured])
        docking = self._is_docking()
        self._shift = np.where(docking > 0, 0.0, values.mean(0))
        spread = values.std(0)
        self._scale = np.where((docking > 0) | (spread == 0), 1.0, spread)
        molecules = [f for _, f in measured]
        weights = np.array(_VINA_WEIGHTS)[:, None] * docking
        prior = Prior(weights, np.diag(np.square(_VINA_SPREAD)), _VINA_AMPLITUDES, _VINA_NOISES)
        self._surrogate = Surrogate(
            _prints(molecules),
            self._trend(molecules),
            (values - self._shift) / self._scale,
            prior if self._parts else _ANY,
        )

    def _is_docking(self) -> Array:
        """Mark each learned column that is a docking score by 1, the others by 0."""
        names = [*self.learned, *[""] * (self._columns - len(self.learned))]
        return np.array([float(_is_score(name)) for name in names])

    def _worth_of_a_unit(self, measured: Sequence[tuple[Trial, Descriptors]]) -> float:
        losses = np.array([t.loss for t, _ in measured])
        spread = float(losses.std()) if len(losses) else 0.0
        if not self._parts or not self.scores:
            return spread or 1.0
        changes = []
        for trial, molecule in measured[-20:]:
            if trial.feedback is None:
                continue
            here = {**self._calculated(molecule), **{n: trial.feedback.metrics[n] for n in self.learned}}
            there = {n: x + 1 if _is_score(n) else x for n, x in here.items()}
            changes.append(abs(float(self._parts.combine(there)) - float(self._parts.combine(here))))
        return float(np.median(changes)) if changes and np.median(changes) > 0 else spread or 1.0

    def _trend(self, molecules: Sequence[Descriptors]) -> Array:
        if self._parts:
            return np.array([f.trend for f in molecules])
        return np.array(
            [(*f.trend, 4 * f.qed, f.properties["cLogP"] / 2, f.sa / 3, f.properties["HBD"] / 3) for f in molecules]
        )

    # -- predictions -------------------------------------------------------------------------------

    def expect(self, molecule: Descriptors) -> dict[str, tuple[float, float]]:
        """Predict the mean and standard deviation of each learned metric, in its own unit."""
        belief = self._believe([molecule])
        return {
            name: (float(belief.mean[0, j] * self._scale[j] + self._shift[j]), float(belief.sd[0] * self._scale[j]))
            for j, name in enumerate(self.learned)
        }

    def predict(self, molecules: Sequence[Descriptors]) -> Outlook:
        """Predict the loss of each molecule; what can be calculated of it is exact."""
        return self._outlook(molecules, [self._calculated(f) for f in molecules])

    def _believe(self, molecules: Sequence[Descriptors]) -> Belief:
        """Ask the surrogate what it expects; each molecule is looked at once."""
        if self._surrogate is None:  # nothing measured yet
            count, metrics = len(molecules), self._columns
            docking = self._is_docking().reshape(metrics)
            trend = np.array([f.trend for f in molecules]).reshape(count, len(TREND))
            return Belief((trend @ np.array(_VINA_WEIGHTS))[:, None] * docking, np.full(count, 1.0))
        new = [f for f in dict.fromkeys(molecules) if f.smiles not in self._known]
        if new:
            belief = self._surrogate.predict(_prints(new), self._trend(new))
            for f, mean, sd in zip(new, belief.mean, belief.sd, strict=True):
                self._known[f.smiles] = (mean, float(sd))
        rows = [self._known[f.smiles] for f in molecules]
        return Belief(np.array([m for m, _ in rows]).reshape(len(rows), -1), np.array([s for _, s in rows]))

    def _outlook(self, molecules: Sequence[Descriptors], calculated: Sequence[Mapping[str, float]]) -> Outlook:
        belief = self._believe(molecules)
        if self._parts is None:
            if self._surrogate is None:  # drug-likeness is all there is to go by
                return Outlook(np.array([1 - f.qed for f in molecules]), np.full(len(molecules), 0.1), belief)
            return Outlook(belief.mean[:, 0] * self._scale[0] + self._shift[0], belief.sd * self._scale[0], belief)
        exact = {name: np.array([c[name] for c in calculated]) for name in (calculated[0] if calculated else ())}
        count = len(self.learned)
        correlation = self._surrogate.correlation[:count, :count] if self._surrogate else np.eye(count)
        mean, square = np.zeros(len(molecules)), np.zeros(len(molecules))
        for weight, point in sigma_points(correlation):
            guess = (belief.mean[:, :count] + belief.sd[:, None] * point) * self._scale[:count] + self._shift[:count]
            metrics = {**exact, **{name: guess[:, j] for j, name in enumerate(self.learned)}}
            loss = np.broadcast_to(np.asarray(self._parts.combine(metrics), dtype=np.float64), mean.shape)
            mean, square = mean + weight * loss, square + weight * loss**2
        return Outlook(mean, np.sqrt(np.maximum(square - mean**2, 0.0)), belief)

    def _calculated(self, molecule: Descriptors) -> Mapping[str, float]:
        """Calculate the metrics that need no simulator; those known by name are calculated once for all purposes."""
        if self._parts is None:
            return {}
        if self._property_names is not None:
            known = {name: molecule.metric(name) for name in self._property_names if name != _ALERTS}
            alerts = self._parts.calculated(molecule.mol, (_ALERTS,)) if _ALERTS in self._property_names else {}
            return {**known, **alerts}
        return self._parts.calculated(molecule.mol)

    @cached_property
    def _property_names(self) -> tuple[str, ...] | None:
        """List the names of what `Parts.calculated` gives, where all are `PROPERTIES`; None where they are not."""
        names = tuple(self._parts.calculated(Chem.MolFromSmiles("CCO"))) if self._parts else ()
        return names if all(name in PROPERTIES or name == _ALERTS for name in names) else None

    def _roughly(self, molecule: Descriptors) -> Mapping[str, float]:
        """Do as `_calculated`, with bounds and typical values in place of what takes long."""
        names = self._property_names or ()
        quick = {name: molecule.metric(name) for name in names if name not in (*SLOW, _ALERTS)}
        bounds = {"QED": molecule.qed_ceiling, "SA": 3.0, _ALERTS: 0.0}
        return quick | {name: bounds[name] for name in names if name in bounds}

    # -- what counts besides -----------------------------------------------------------------------

    def violation(self, molecule: Descriptors) -> float:
        """Compute by how much hard limits are broken that need no simulator; 0.0 where none is."""
        total = math.fsum(x for x in self._parts.broken(molecule.mol).values() if x > 0) if self._parts else 0.0
        for limit in self._limits:
            if limit.metric not in PROPERTIES:
                continue
            figure = molecule.metric(limit.metric)
            total += max(0.0, figure - limit.high if limit.high is not None else 0.0)
            total += max(0.0, limit.low - figure if limit.low is not None else 0.0)
        return total

    def unmet(self, molecule: Descriptors) -> float:
        """Predict by how much limits that only the simulator knows will be broken, on average."""
        if self._columns == len(self.learned) or self._surrogate is None:
            return 0.0
        belief = self._believe([molecule])
        mean = float(belief.mean[0, -1] * self._scale[-1] + self._shift[-1])
        sd = max(1e-9, float(belief.sd[0] * self._scale[-1]))
        z = mean / sd
        density = math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
        return sd * density + mean * 0.5 * (1 + math.erf(z / math.sqrt(2)))

    def met(self, trial: Trial) -> bool:
        """Tell whether a trial keeps the limits that only the simulator knows, such as a contact."""
        return trial.number not in self._unmade

    def drawback(self, molecule: Descriptors) -> float:
        """Price what makes a molecule unwelcome besides its loss, in the loss's unit."""
        penalty = HARD_SYNTHESIS * max(0.0, molecule.sa - EASY_ENOUGH) + OPEN_CENTRE * molecule.open_centres
        if self.scores:
            penalty += POLYCYCLE * max(0, molecule.fused - 2) ** 2
        if self._visits and max(self._visits.values()) > self._per_scaffold_visits:
            penalty += CROWDED * max(0, self._visits[murcko(molecule.smiles)] - self._per_scaffold_visits)
        return penalty * self.unit + self.lacking(molecule)

    def lacking(self, molecule: Descriptors) -> float:
        """Price the limits that only the simulator knows and that are expected to be broken, in the loss's unit."""
        return _UNMET * self.unmet(molecule) * self.unit

    def merit(self, candidate: Candidate) -> float:
        """Price an edit that the pose asks for, as far as such edits proved right in this run; in the loss's unit."""
        if not candidate.evidence:
            return 0.0
        grown, other = self._records.get(_GROWN, (0, 0)), self._records.get(_OTHER_EDITS, (0, 0))
        rate = [(better + 2.0) / (better + worse + 4.0) for better, worse in (grown, other)]
        return VECTOR_BONUS * float(np.clip(3.0 * (rate[0] - rate[1]), 0.0, 1.0)) * self.unit

    # -- ranking -----------------------------------------------------------------------------------

    def order(self, pool: Sequence[Candidate], boldness: float, size: int = SHORTLIST) -> list[Candidate]:
        """List the most promising candidates, best first.

        Args:
            pool: All candidates.
            boldness: How many standard deviations of the prediction count in a candidate's favour.
            size: How many at most.
        """
        return [c for c, *_ in self._shortlist(pool, boldness, size)]

    def _shortlist(
        self, pool: Sequence[Candidate], boldness: float, size: int = SHORTLIST
    ) -> list[tuple[Candidate, float, float, float]]:
        """Give each candidate with its expected loss and drawback, the standard deviation, and the latent one."""
        if not pool:
            return []
        molecules = [c.descriptors for c in pool]
        if self._parts is not None and self._property_names is not None:
            rough = self._outlook(molecules, [self._roughly(f) for f in molecules])
            bound = rough.loss - boldness * rough.sd - np.array([self.merit(c) for c in pool])
            queue = np.argsort(np.round(bound, 6), kind="stable")
        else:
            bound, queue = None, np.arange(len(pool))
        # QED, SA and limits take most of the time. They are calculated in the order of the bounds, until no bound is
        # left that could still be among the foremost; where limits refuse much, the next best are looked at too.
        looked_at: list[int] = []
        score, hope = np.empty(0), np.empty(0)
        outlooks: list[Outlook] = []
        step = size if bound is not None else len(pool)
        for start in range(0, len(pool), step):
            some = [int(i) for i in queue[start : start + step]]
            if bound is not None and looked_at:
                last = min(FOREMOST, len(looked_at) - 1)
                if bound[some[0]] > np.partition(hope, last)[last]:
                    break
            outlook = self.predict([molecules[i] for i in some])
            cost = [
                _INFEASIBLE * self.unit * self.violation(molecules[i])
                + self.drawback(molecules[i])
                - self.merit(pool[i])
                for i in some
            ]
            looked_at += some
            outlooks.append(outlook)
            score = np.concatenate([score, outlook.loss + np.array(cost)])
            hope = np.concatenate([hope, score[-len(some) :] - boldness * outlook.sd])
        sd = np.concatenate([o.sd for o in outlooks])
        latent = np.concatenate([o.belief.sd for o in outlooks])
        best = np.argsort(np.round(hope, 6), kind="stable")[:size]
        return [(pool[looked_at[i]], float(score[i]), float(sd[i]), float(latent[i])) for i in best]

    def batch(self, pool: Sequence[Candidate], boldness: float, rng: random.Random) -> Iterator[Candidate]:
        """Order the shortlist so that its first ones are good to measure together.

        Each place draws its own boldness (exponential, so mostly small): some proposals exploit, some explore.
        A choice takes away the uncertainty it would resolve, so its near twins lose their appeal.
        """
        short = self._shortlist(pool, boldness)
        if self._surrogate is None or not short:
            yield from (c for c, *_ in short)
            return
        molecules = [c.descriptors for c, *_ in short]
        score = np.array([s for _, s, _, _ in short])
        # How far the loss moves when the latent score moves by one.
        slope = np.array([sd / max(latent, 1e-9) for _, _, sd, latent in short])
        covariance = self._surrogate.covariance(_prints(molecules), self._trend(molecules))
        noise = self._surrogate.noise**2
        chosen: list[int] = []
        while len(chosen) < len(short):
            sd = slope * np.sqrt(np.maximum(np.diag(covariance), 1e-12))
            bound = np.round(score - rng.expovariate(1.0) * boldness * sd, 6)
            bound[chosen] = np.inf
            best = int(np.argmin(bound))
            chosen.append(best)
            yield short[best][0]
            column = covariance[:, best].copy()
            covariance = covariance - np.outer(column, column) / (column[best] + noise)

    def appetite(self, candidate: Candidate) -> dict[str, float]:
        """Weigh how much a molecule needs each kind of transformation, from the properties that cost it most."""
        f = candidate.descriptors
        need = {"grow": 1.0, "shrink": 0.5, "swap": 1.0, "ring": 1.0, "bioisostere": 1.0}
        if f.size < 15:
            need.update(grow=4.0, shrink=0.1)
        elif f.properties["MW"] > 420:
            need.update(grow=0.3, shrink=2.0)
        if f.properties["alerts"] > 0:
            need["bioisostere"] *= 2
            need["shrink"] *= 1.5
        if f.weakest in ("cLogP", "aromatic rings"):
            need["ring"] *= 1.5
        if f.weakest in ("HBD", "TPSA", "HBA"):
            need["swap"] *= 1.5
        return need

    def track_record(self, name: str) -> float:
        """Rate how a transformation did in this run, from 0.5 (always worse) to 2 (always better)."""
        better, worse = self._records.get(name, (0, 0))
        return float(2 ** ((better - worse) / (better + worse + 2)))


def finalists(trials: Trials, count: int) -> list[Trial]:
    """Choose the trials that are worth a longer look: the best one, then those whose neighbours confirm them.

    The best of a hundred noisy figures is partly luck. What the surrogate makes of a trial, its own measurement
    included, is less so.

    Args:
        trials: A run's trials; only feasible ones are finalists while there are any.
        count: How many finalists, at most.
    """
    ranked = [t for t in trials.ranked() if _descriptors_of(t.value) is not None]
    feasible = [t for t in ranked if t.feedback is not None and t.feedback.feasible] or ranked
    if not feasible or count <= 0:
        return []
    outlook = Predictor(trials).predict([descriptors(t.value) for t in feasible])
    order = np.argsort(np.round(outlook.loss, 6), kind="stable")
    chosen = {feasible[0].number: feasible[0]}
    chosen.update((feasible[i].number, feasible[i]) for i in order if feasible[i].number != feasible[0].number)
    return list(chosen.values())[:count]


def _prints(molecules: Sequence[Descriptors]) -> Any:
    return np.array([f.fingerprint for f in molecules])


def _descriptors_of(smiles: str) -> Descriptors | None:
    try:
        return descriptors(smiles)
    except ValueError:
        return None


def _is_score(metric: str) -> bool:
    """Tell whether a metric is Vina's score, whichever target it is in."""
    return metric == "vina" or metric.endswith(" vina")


def _unwrap(loss: Loss | None) -> tuple[Loss | None, list[LimitedLoss]]:
    """Split a loss into the loss without the limits that were set on it, and those limits."""
    limits = []
    while isinstance(loss, LimitedLoss):
        limits.append(loss)
        loss = loss.loss
    return loss, limits


def sigma_points(correlation: Array) -> list[tuple[float, Array]]:
    """Choose weighted points with the mean and covariance of errors (Julier and Uhlmann, Proc. IEEE 2004, 92, 401).

    Exact for a loss that is linear in its metrics, and close for the largest or smallest of several.
    """
    count = len(correlation)
    if count == 0:
        return [(1.0, np.zeros(0))]
    reach = float(max(3, count))
    axes = np.linalg.cholesky(correlation + 1e-9 * np.eye(count)).T * math.sqrt(reach)
    centre = [(1 - count / reach, np.zeros(count))] if count < reach else []
    return [*centre, *((0.5 / reach, sign * axis) for axis in axes for sign in (1.0, -1.0))]


#: Keys of the record of edits that no transformation has for its name.
_GROWN, _OTHER_EDITS = "<grown along a vector>", "<any other edit>"


def _records(trials: Trials) -> Mapping[str, tuple[int, int]]:
    """Count how often each transformation led to a lower and to a higher loss than its parent's."""
    by_number = {t.number: t for t in trials}
    records: dict[str, tuple[int, int]] = {}
    for trial in trials:
        parent = by_number.get(trial.parent) if trial.parent is not None else None
        if parent is None or not (trial.measured and parent.measured):
            continue
        names = trial.edit.split(", then ")
        for name in (*names, _GROWN if is_pose_edit(trial.edit) else _OTHER_EDITS):
            better, worse = records.get(name, (0, 0))
            records[name] = (better + 1, worse) if trial.loss < parent.loss else (better, worse + 1)
    return records


def is_pose_edit(edit: str) -> bool:
    """Tell by an edit's name whether a pose asked for it: only those name the atom."""
    return " at atom " in edit
