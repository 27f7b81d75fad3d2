"""Why a molecule was made, in a chemist's words and with the figures it was decided on."""

from __future__ import annotations

from ..properties import alerts
from .candidates import Candidate
from .figures import Figures, figures
from .judge import Judge

#: A property that costs less QED than this is not worth a word.
WORTH_A_WORD = 0.02


def reason(candidate: Candidate, judge: Judge) -> str:
    """One or two sentences: how the parent stands, what was done about it, what is expected."""
    trial = candidate.parent
    before, after = figures(trial.value), candidate.figures
    (mean,), (sd,) = judge.predict([after])
    edit = ", then ".join(candidate.steps)
    if not trial.measured:
        return f"trial {trial.number} could not be measured; {edit} gives QED {after.qed:.2f} (was {before.qed:.2f})"
    if judge.docked and trial.feedback is not None:
        vina = trial.feedback.metrics["vina"]
        stands = f"trial {trial.number} scores {vina:.1f} kcal/mol with QED {before.qed:.2f}"
        expected = f"predicted vina {mean:.1f} +/- {sd:.1f} kcal/mol, QED {after.qed:.2f}"
    else:
        stands = f"trial {trial.number} has loss {trial.loss:.3g} and QED {before.qed:.2f}"
        expected = f"predicted loss {mean:.3g} +/- {sd:.2g}, QED {after.qed:.2f}"
    return f"{stands}; {_diagnosis(before, after)}: {edit} ({expected})"


def _diagnosis(before: Figures, after: Figures) -> str:
    """What is wrong with the parent that the edit does something about."""
    weakest = before.weakest
    worth = before.costs[weakest]
    if weakest == "alerts" and worth >= WORTH_A_WORD and after.properties["alerts"] < before.properties["alerts"]:
        # QED's own list has no names; the catalogues name most of the same motifs.
        names = ", ".join(sorted({a.name.replace("_", " ") for a in alerts(before.mol)}))
        return f"structural alerts cost most ({names or 'of QED'}), the edit removes one"
    if after.size >= before.size + 3 and before.size < 20:
        return f"it is small, {before.size} -> {after.size} heavy atoms reach more of the pocket"
    if worth >= WORTH_A_WORD and after.costs[weakest] < before.costs[weakest] - 0.01:
        verb = "cost" if weakest.endswith("s") else "costs"
        return f"its {weakest} {verb} most, {_figure(weakest, before)} -> {_figure(weakest, after)}"
    if after.qed > before.qed + 0.02:
        helped = max(before.costs, key=lambda name: before.costs[name] - after.costs[name])
        return f"QED gains from {helped} {_figure(helped, before)} -> {_figure(helped, after)}"
    if after.size > before.size:
        return f"QED can spare it, {before.size} -> {after.size} heavy atoms should bind better"
    if after.size < before.size:
        return f"{before.size} -> {after.size} heavy atoms should bind as well with less"
    return "same size, another fit to the pocket"


def _figure(name: str, molecule: Figures) -> str:
    value = molecule.properties[name]
    return f"{value:.1f}" if name == "cLogP" else f"{value:.0f}"
