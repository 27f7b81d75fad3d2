"""Where a search stands: rounds without gain, noise and errors of forecasts as measured in this run, families, changes.

Each is counted anew from the trials. Names of families and changes are asked of the domain once a value.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..feedback import Feedback
from .trial import Trial, Trials

#: Rounds without gain after which a search has stalled.
STALLED = 2


@dataclass(frozen=True, slots=True)
class Spread:
    """How far two measurements of the same value lie apart.

    Args:
        pairs: Values that were measured twice.
        shift: Mean of the second figure less the first, loss's unit; below 0 where more care finds better values.
        sd: Standard deviation of these differences, same unit; of a single pair, the size of its difference.
    """

    pairs: int
    shift: float
    sd: float


@dataclass(frozen=True, slots=True)
class Forecasts:
    """How good the forecasts of a proposer were.

    Args:
        count: Forecasts that were measured.
        error: Their mean absolute error, loss's unit.
        bias: Mean of the measured loss less the expected one, same unit; above 0 where it expected too much.
    """

    count: int
    error: float
    bias: float


def rounds_without_gain(trials: Trials) -> int:
    """Count the rounds since the best was found; the round that is asked for, or under way, does not count."""
    return trials[-1].round - trials.best.round if trials.best else 0


def stalled(trials: Trials) -> bool:
    """True where the search has brought nothing for `STALLED` rounds."""
    return rounds_without_gain(trials) >= STALLED


def noise(trials: Iterable[Trial], finals: Mapping[int, Feedback] | None = None) -> Spread | None:
    """Measure the noise of the loss by what was measured twice in this run; None where nothing was.

    Args:
        trials: Those with a first and a careful measurement count.
        finals: Second measurements of finalists, by trial number.
    """
    differences = []
    for trial in trials:
        if trial.first is not None and trial.first.measured:
            differences.append(trial.loss - _loss(trial.first))
        final = (finals or {}).get(trial.number)
        if final is not None and final.measured and trial.measured:
            differences.append(_loss(final) - trial.loss)
    if not differences:
        return None
    sd = statistics.stdev(differences) if len(differences) > 1 else abs(differences[0])
    return Spread(len(differences), statistics.fmean(differences), sd)


def forecasts(trials: Iterable[Trial]) -> dict[str, Forecasts]:
    """Compare what each proposer expected of its values with what was measured, by the proposer's name."""
    errors: dict[str, list[float]] = {}
    for trial in trials:
        if trial.expected is not None and trial.measured:
            errors.setdefault(trial.proposer, []).append(trial.loss - trial.expected)
    return {
        name: Forecasts(len(all_), statistics.fmean(map(abs, all_)), statistics.fmean(all_))
        for name, all_ in errors.items()
    }


def families(trials: Trials) -> dict[str, list[Trial]]:
    """Group the measured trials by family, the family of the best first, and in each family the best first.

    Values whose family has no name are left out.
    """
    found: dict[str, list[Trial]] = {}
    for trial in trials.ranked():
        if name := trials.family(trial.value):
            found.setdefault(name, []).append(trial)
    return found


def changes(trials: Trials, least: int = 2) -> dict[str, list[tuple[Trial, float]]]:
    """Collect what equal changes did: each child with its loss less that of its parent, in order, by the change's name.

    A change has the name that the domain gives it, else that of the edit.

    Args:
        trials: Children and parents that are measured count.
        least: How often a change must have been seen.
    """
    found: dict[str, list[tuple[Trial, float]]] = {}
    for trial in trials:
        if trial.parent is None or not trial.measured or not trials[trial.parent].measured:
            continue
        if name := trials.change(trial) or trial.edit:
            found.setdefault(name, []).append((trial, trial.loss - trials[trial.parent].loss))
    return {name: made for name, made in found.items() if len(made) >= least}


def _loss(feedback: Feedback) -> float:
    assert feedback.loss is not None
    return feedback.loss
