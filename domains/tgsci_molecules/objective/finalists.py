"""The finalists: what the fast search liked best, docked again as carefully as Vina can, its poses checked."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from rdkit.Chem.Scaffolds import MurckoScaffold

from tgsci.errors import MeasurementError, UsageError
from tgsci.feedback import Feedback
from tgsci.loss import Loss
from tgsci.runs.result import Result
from tgsci.search.trial import of_each

from ..docking.vina import NOISE, Settings
from ..failures import measuring
from ..molecule.smiles import as_molecule, parse

if TYPE_CHECKING:
    from tgsci.runs.finalists import Finishing

L = TypeVar("L", bound=Loss)

#: The artifact of a finalist that says in a line what the check of its pose found.
CHECK = "check.txt"

#: How a second figure is headed, by where it comes from.
FULL, CONFIRMED = "FULL SETTING", "CONFIRMED DURING THE RUN"

#: Longest that one finalist may take in one target, s: ten times a large drug's.
LONGEST = 4 * 3600.0


def compared(fast: float, full: float) -> str:
    """Compare two scores of one molecule in words; a difference within the noise of the search is called noise.

    Args:
        fast: At the setting of the search, kcal/mol.
        full: At the full setting, kcal/mol.
    """
    difference = full - fast
    if math.isnan(difference):
        return "there is only one figure"
    if abs(difference) < NOISE:
        return f"the same within the noise of the fast search ({NOISE:g} kcal/mol)"
    if difference < 0:
        return f"{-difference:.1f} kcal/mol better than the fast search found"
    return f"{difference:.1f} kcal/mol worse than the fast search found: trust the pose of the lower figure"


def in_full(loss: L) -> L:
    """Copy an objective at the full docking setting: exhaustiveness 8 without a cap, each target's whole box.

    Args:
        loss: One with `settings`, such as `Objective` and `DockingLoss`.

    Raises:
        UsageError: The loss does not dock.
    """
    settings = getattr(loss, "settings", None)
    if not isinstance(settings, Settings):
        raise UsageError(f"{loss.name or type(loss).__name__} has no docking settings to raise")
    careful: Any = copy.copy(loss)
    careful.settings = Settings.full(settings=settings)
    careful.timeout = LONGEST * len(getattr(loss, "targets", (None,)))
    return careful  # type: ignore[no-any-return]


def finish(result: Result, finishing: Finishing, *, count: int) -> None:
    """Measure the best feasible trials of a run again, at the full setting; for `Problem.finish`.

    One that was confirmed during the run by the careful measurement keeps that figure: only its pose is checked. The
    others are docked in full, and the better of both poses counts. A finalist that was measured again already is left
    alone, and what was docked before comes from the cache: after an interruption this goes on where it stopped.

    Args:
        result: The result of a run whose loss docks.
        finishing: Measures, and keeps the results.
        count: How many finalists, at most two of a scaffold while there are others; 0 for none.
    """
    loss = result.loss
    if loss is None or count <= 0:
        return
    careful = in_full(loss)
    best = of_each([t for t in result.trials.ranked() if t.feedback and t.feedback.feasible], murcko, count)
    todo = {trial.value: trial for trial in best if trial.number not in result.finals}
    if not todo:
        return
    measured = finishing.each(
        partial(_again, careful, {value: (t.feedback, t.first is not None) for value, t in todo.items() if t.feedback}),
        list(todo),
        "re-docking the finalists at the full setting",
        timeout=careful.timeout,
    )
    for value, outcome in measured:
        trial = todo[value]
        if isinstance(outcome, MeasurementError):
            finishing.keep(trial, Feedback.failed(str(outcome)))
            continue
        feedback, seconds = outcome
        first = trial.first or trial.feedback
        if feedback.measured and first:
            setting = FULL if trial.first is None else CONFIRMED
            feedback = replace(feedback, text="\n".join([*_both(setting, first, feedback), feedback.text]))
        finishing.keep(trial, feedback, seconds)


def murcko(smiles: str) -> str:
    """Get the scaffold of a molecule (Bemis and Murcko 1996): rings with their linkers; "" where there is no ring."""
    mol = parse(smiles)
    if mol is None:
        return ""
    with measuring("scaffold"):
        return str(MurckoScaffold.MurckoScaffoldSmiles(mol=mol))


def _again(loss: Loss, measured: Mapping[str, tuple[Feedback, bool]], value: str) -> tuple[Feedback, float]:
    """Measure again what is not confirmed yet, and check the pose in the first target with other force fields."""
    started = time.perf_counter()
    first, confirmed = measured[value]
    value = as_molecule(value)
    feedback = first
    if not confirmed:
        feedback = loss.measure(value)
        with suppress(MeasurementError):  # the measurement then stays as it was
            feedback = loss.reconsider(value, feedback, first)
    pose, target = feedback.artifacts.get("pose.sdf"), getattr(loss, "target", None)
    if feedback.measured and isinstance(pose, str) and target is not None:
        from rdkit import Chem

        from ..physics import check

        checked = check(Chem.MolFromMolBlock(pose, removeHs=False), target, value)
        text, artifacts = f"{checked.text}\n{feedback.text}", {**feedback.artifacts, CHECK: checked.verdict}
        feedback = replace(feedback, text=text, artifacts=artifacts)
    return feedback, time.perf_counter() - started


def _both(setting: str, fast: Feedback, full: Feedback) -> list[str]:
    """Write both scores of each target, for the head of the second report."""
    lines = []
    for name, score in full.metrics.items():
        if (name == "vina" or name.endswith(" vina")) and name in fast.metrics:
            before = fast.metrics[name]
            lines.append(
                f"{setting}: {name} {score:.2f} kcal/mol; {before:.2f} in the search: {compared(before, score)}."
            )
    return lines
