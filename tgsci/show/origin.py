"""Where trials come from, in words: who proposed them, what for, what was expected, and what care changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..basics.texts import figure
from ..search.trial import State

if TYPE_CHECKING:
    from ..search.trial import Trial

#: What an idea is for, by its role.
ROLES = {"refine": "to refine", "combine": "to combine", "new": "to begin a new family"}


def proposed(trial: Trial) -> str:
    """Say who proposed a trial and what for: "by openai/model, to refine"; "" for a start value."""
    if not trial.round or not trial.proposer:
        return ""
    return ", ".join(filter(None, (f"by {trial.proposer}", ROLES.get(trial.role, ""))))


def expectation(trial: Trial) -> str:
    """Say what its proposer expected beside what came: "expected -9.500, got -9.100"; "" where one is missing."""
    if trial.expected is None or not trial.measured:
        return ""
    return f"expected {figure(trial.expected)}, got {figure(trial.loss)}"


def confirmation(trial: Trial) -> str:
    """Say what care changed: "first measured -9.940; with care -8.380, which counts"; "" where there was none."""
    if trial.first is None:
        return ""
    with_care = figure(trial.loss) if trial.measured else "it could not be measured"
    return f"first measured {figure(trial.first.loss)}; with care {with_care}, which counts"


@dataclass(frozen=True)
class Share:
    """What one proposer gave to a run.

    Args:
        proposer: Its name.
        trials: How many of its proposals became trials.
        measured: How many of these were measured.
        gains: How many became the best so far.
        best: The best of them; None where none was measured.
    """

    proposer: str
    trials: int
    measured: int
    gains: int
    best: Trial | None

    def words(self) -> str:
        """Write it: "rules 40 trials, 38 measured, 3 of them gains, best -9.510 (trial 31)"."""
        best = f", best {figure(self.best.loss)} (trial {self.best.number})" if self.best else ""
        return f"{self.proposer} {self.trials} trials, {self.measured} measured, {self.gains} of them gains{best}"


def shares(trials: Iterable[Trial], ranked: Iterable[Trial]) -> list[Share]:
    """Say what each proposer gave to a run, start values aside, in the order in which they first came.

    Args:
        trials: The run's.
        ranked: Those that were measured, best first.
    """
    by_proposer: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.round:
            by_proposer.setdefault(trial.proposer, []).append(trial)
    best: dict[str, Trial] = {}
    for trial in ranked:
        if trial.round:
            best.setdefault(trial.proposer, trial)
    return [
        Share(
            name,
            len(its),
            sum(trial.measured for trial in its),
            sum(trial.state is State.ACCEPTED for trial in its),
            best.get(name),
        )
        for name, its in by_proposer.items()
    ]
