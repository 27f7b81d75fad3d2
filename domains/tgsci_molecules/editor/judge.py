"""What the trials so far say about a molecule that was not measured yet."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tgsci.trial import Trial, Trials

from ..properties import PROPERTIES
from .candidates import Candidate
from .figures import TREND, Figures, figures
from .surrogate import Array, Prior, Surrogate

#: Measured trials beyond this many are left out of the surrogate, the worst of the oldest first.
MEMORY = 300

#: Only so many of the most promising candidates compete for the places of a round.
SHORTLIST = 60

#: An SA score above this is paid for, so that what is proposed can also be made.
EASY_ENOUGH = 4.0
#: What a unit of SA costs above it, kcal/mol (standard deviations where the loss is not docking's).
HARD_SYNTHESIS = 0.5
#: What a stereocentre costs that is left open, in the same unit: the isomer that gets measured is an arbitrary
#: one, so a good figure may be luck, and a chemist has a mixture to separate.
OPEN_CENTRE = 0.3

# The trend of Vina 1.2.7 scores, kcal/mol: mean and standard deviation (rounded up) over the targets EGFR, ESR1, AR,
# BACE1, CDK2, DPP4, HSP90AA1, JAK2, PTGS2 and ADRB2 of ridge fits to 60 molecules of 4 to 40 heavy atoms, none of
# them charged. It says what any pocket says (size pays, less and less; rotors cost); the trials soon say what this
# pocket says.
_VINA_WEIGHTS = (-2.2, -3.4, 0.64, -0.68, -0.14, 0.3, 0.22, 0.0)
_VINA_SPREAD = (0.5, 0.8, 0.5, 0.3, 0.2, 0.5, 0.2, 0.5)
VINA = Prior(
    np.array(_VINA_WEIGHTS), np.diag(np.square(_VINA_SPREAD)), amplitudes=(0.5, 0.8, 1.2, 1.8), noises=(0.15, 0.3, 0.5)
)

# For any other loss, in units of its standard deviation over the trials: hardly an opinion. Such a loss may well
# have its best in the middle of a range (a cLogP of 3), so half of the kernel follows the figures smoothly.
_OTHER = ("4 QED", "cLogP/2", "SA/3", "HBD/3")
ANY = Prior(
    np.zeros(len(TREND) + len(_OTHER)),
    np.diag([1.0] + [0.05] * (len(TREND) - 1) + [1.0, 0.05, 0.05, 0.05]),
    amplitudes=(0.3, 1.0, 2.0),
    noises=(0.01, 0.1, 0.3),
    smooth=0.5,
)

_LIMIT = re.compile(r"^(?P<name>.+) (?P<sign><=|>=) (?P<bound>\S+)$")


class Judge:
    """Predicts losses and ranks candidates. A pure function of the trials.

    Where the loss is Vina's score plus a multiple of 1 - QED, QED is calculated and only the score is learned;
    any other loss is learned as a whole.

    Args:
        trials: Everything that happened so far.
    """

    def __init__(self, trials: Trials) -> None:
        measured = [(t, f) for t in trials if t.measured and (f := _figures(t.value)) is not None]
        if len(measured) > MEMORY:
            ranked = sorted(measured, key=lambda p: p[0].loss)
            kept = {t.number for t, _ in (*ranked[: MEMORY // 2], *measured[-MEMORY // 2 :])}
            measured = [(t, f) for t, f in measured if t.number in kept]
        self.slope = _qed_slope(measured)
        self.docked = self.slope is not None
        self._limits = _limits(measured)
        self._records = _records(trials)
        self._surrogate: Surrogate | None = None
        self._shift, self.scale = 0.0, 1.0
        if measured:
            self._learn(measured)

    def _learn(self, measured: Sequence[tuple[Trial, Figures]]) -> None:
        if self.docked:
            values = np.array([t.feedback.metrics["vina"] for t, _ in measured if t.feedback])
        else:
            losses = np.array([t.loss for t, _ in measured])
            self._shift, self.scale = float(losses.mean()), float(losses.std()) or 1.0
            values = (losses - self._shift) / self.scale
        known = [f for _, f in measured]
        self._surrogate = Surrogate(
            [f.fingerprint for f in known], self._trend(known), values, VINA if self.docked else ANY
        )

    def _trend(self, molecules: Sequence[Figures]) -> Array:
        if self.docked:
            return np.array([f.trend for f in molecules])
        return np.array(
            [(*f.trend, 4 * f.qed, f.properties["cLogP"] / 2, f.sa / 3, f.properties["HBD"] / 3) for f in molecules]
        )

    def predict(self, molecules: Sequence[Figures]) -> tuple[Array, Array]:
        """What the surrogate expects: Vina's score (kcal/mol) where it is `docked`, else the loss.

        Returns:
            Mean and standard deviation of each molecule.
        """
        if self._surrogate is None:  # nothing measured yet: drug-likeness is all there is to go by
            return np.array([1 - f.qed for f in molecules]), np.full(len(molecules), 0.1)
        mean, sd = self._surrogate.predict([f.fingerprint for f in molecules], self._trend(molecules))
        return mean * self.scale + self._shift, sd * self.scale

    def known(self, molecule: Figures) -> float:
        """The part of the loss that needs no prediction, with what makes a molecule unwelcome besides."""
        penalty = HARD_SYNTHESIS * self.scale * max(0.0, molecule.sa - EASY_ENOUGH)
        penalty += OPEN_CENTRE * self.scale * molecule.open_centres
        return (self.slope or 0.0) * (1 - molecule.qed) + penalty + self._out_of_limits(molecule)

    def _out_of_limits(self, molecule: Figures) -> float:
        """What broken hard limits cost: infeasible never beats feasible, so the step is large."""
        cost = 0.0
        for name, sign, bound in self._limits:
            figure = float(PROPERTIES[name].compute(molecule.mol))
            excess = figure - bound if sign == "<=" else bound - figure
            if excess > 0:
                cost += self.scale * (5 + 10 * excess / max(1.0, abs(bound)))
        return cost

    def order(self, pool: Sequence[Candidate], boldness: float) -> list[Candidate]:
        """The most promising candidates, best first, at most `SHORTLIST` of them.

        Args:
            pool: All candidates.
            boldness: How many standard deviations of the prediction count in a candidate's favour.
        """
        if not pool:
            return []
        molecules = [c.figures for c in pool]
        mean, sd = self.predict(molecules)
        hope = mean - boldness * sd
        # QED and SA take most of the time. Their bounds are cheap, and send most candidates home.
        slope = self.slope or 0.0
        bound = hope + np.array([slope * (1 - f.qed_ceiling) + self._out_of_limits(f) for f in molecules])
        short = np.argsort(bound, kind="stable")[:SHORTLIST]
        score = hope[short] + np.array([self.known(molecules[i]) for i in short])
        return [pool[short[i]] for i in np.argsort(score, kind="stable")]

    def batch(self, pool: Sequence[Candidate], boldness: float, rng: random.Random) -> Iterator[Candidate]:
        """The shortlist in an order in which its first ones are good to measure together.

        Each place draws its own boldness (exponential, so mostly small): some proposals exploit, some explore.
        A choice takes away the uncertainty it would resolve, so its near twins lose their appeal.
        """
        short = self.order(pool, boldness)
        if self._surrogate is None or not short:
            yield from short
            return
        molecules = [c.figures for c in short]
        mean, _ = self.predict(molecules)
        score = mean + np.array([self.known(f) for f in molecules])
        covariance = self._surrogate.covariance([f.fingerprint for f in molecules], self._trend(molecules))
        covariance *= self.scale**2
        noise = (self._surrogate.noise * self.scale) ** 2
        chosen: list[int] = []
        while len(chosen) < len(short):
            sd = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
            bound = score - rng.expovariate(1.0) * boldness * sd
            bound[chosen] = np.inf
            best = int(np.argmin(bound))
            chosen.append(best)
            yield short[best]
            column = covariance[:, best].copy()
            covariance = covariance - np.outer(column, column) / (column[best] + noise)

    def appetite(self, candidate: Candidate) -> dict[str, float]:
        """How much a molecule needs each kind of transformation, from the figures that cost it most."""
        f = candidate.figures
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
        """How a transformation did in this run, between 0.5 (always for the worse) and 2 (always better)."""
        better, worse = self._records.get(name, (0, 0))
        return float(2 ** ((better - worse) / (better + worse + 2)))


def _figures(smiles: str) -> Figures | None:
    try:
        return figures(smiles)
    except ValueError:
        return None


def _qed_slope(measured: Sequence[tuple[Trial, Figures]]) -> float | None:
    """k where every loss is vina + k (1 - QED); None where they are not."""
    rest, gap = [], []
    for trial, molecule in measured:
        if trial.feedback is None or "vina" not in trial.feedback.metrics:
            return None
        rest.append(trial.loss - trial.feedback.metrics["vina"])
        gap.append(1 - molecule.qed)
    if not rest:
        return None
    r, g = np.array(rest), np.array(gap)
    slope = float(r @ g / (g @ g))
    return slope if slope > -1e-9 and float(np.abs(r - slope * g).max()) < 0.05 else None


def _limits(measured: Sequence[tuple[Trial, Figures]]) -> list[tuple[str, str, float]]:
    """The hard limits that the feedback names and that can be calculated, such as "MW <= 500"."""
    found: dict[tuple[str, str, float], None] = {}
    for trial, _ in measured:
        for key in trial.feedback.violations if trial.feedback else ():
            match = _LIMIT.match(key)
            if match is None or match["name"] not in PROPERTIES:
                continue
            try:
                found.setdefault((match["name"], match["sign"], float(match["bound"])))
            except ValueError:
                continue
    return list(found)


def _records(trials: Trials) -> Mapping[str, tuple[int, int]]:
    """How often each transformation led to a lower and to a higher loss than its parent's."""
    by_number = {t.number: t for t in trials}
    records: dict[str, tuple[int, int]] = {}
    for trial in trials:
        parent = by_number.get(trial.parent) if trial.parent is not None else None
        if parent is None or not (trial.measured and parent.measured):
            continue
        for name in trial.edit.split(", then "):
            better, worse = records.get(name, (0, 0))
            records[name] = (better + 1, worse) if trial.loss < parent.loss else (better, worse + 1)
    return records
