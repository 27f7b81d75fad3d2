"""Why a molecule was made, in a chemist's words and with the figures it was decided on."""

from __future__ import annotations

from ..molecule.properties import alerts
from .candidates import Candidate
from .figures import Figures, figures
from .judge import Judge

#: A property that costs less QED than this is not worth a word.
WORTH_A_WORD = 0.02


def reason(candidate: Candidate, judge: Judge) -> str:
    """One or two sentences: how the parent stands, what was done about it, what is expected."""
    trial = candidate.parent
    before, after = figures(trial.value), candidate.figures
    edit = ", then ".join(candidate.steps)
    if not trial.measured:
        return f"trial {trial.number} could not be measured; {edit} gives QED {after.qed:.2f} (was {before.qed:.2f})"
    metrics = trial.feedback.metrics if trial.feedback else {}
    named = [name for name in judge.learned if name in metrics]
    if judge.learned != ("loss",) and named:
        scores = ", ".join(f"{name} {metrics[name]:.1f}{_unit(name)}" for name in named)
        stands = f"trial {trial.number} has {scores} with QED {before.qed:.2f}"
    else:
        stands = f"trial {trial.number} has loss {trial.loss:.3g} and QED {before.qed:.2f}"
    why = candidate.evidence or diagnosis(before, after)
    return f"{stands}; {why}: {edit} ({expected(candidate, judge)}, QED {after.qed:.2f})"


def expected(candidate: Candidate, judge: Judge) -> str:
    """What is predicted of a candidate, in words with figures."""
    if judge.learned == ("loss",):
        outlook = judge.predict([candidate.figures])
        return f"predicted loss {outlook.loss[0]:.3g} +/- {outlook.sd[0]:.2g}"
    found = judge.expect(candidate.figures)
    shown = [f"{name} {mean:.1f} +/- {sd:.1f}{_unit(name)}" for name, (mean, sd) in found.items()]
    return f"predicted {', '.join(shown)}" if shown else "all of it calculated"


def _unit(name: str) -> str:
    return " kcal/mol" if name.endswith(("vina", "strain", "refined interaction")) else ""


def diagnosis(before: Figures, after: Figures) -> str:
    """What is wrong with the parent that the edit does something about."""
    weakest = before.weakest
    worth = before.costs[weakest]
    if weakest == "alerts" and worth >= WORTH_A_WORD and after.properties["alerts"] < before.properties["alerts"]:
        # QED's own list has no names; the catalogues name most of the same motifs.
        names = ", ".join(sorted({a.name.replace("_", " ") for a in alerts(before.mol)}))
        return f"structural alerts cost QED most ({names or 'of its own list'}), and the edit removes one"
    if after.size >= before.size + 3 and before.size < 20:
        return f"it is small, and {before.size} -> {after.size} heavy atoms reach more of the pocket"
    if worth >= WORTH_A_WORD and after.costs[weakest] < before.costs[weakest] - 0.01:
        verb = "cost" if weakest.endswith("s") else "costs"
        return f"its {weakest} {verb} QED most, {_figure(weakest, before)} -> {_figure(weakest, after)}"
    if after.qed > before.qed + 0.02:
        helped = max(before.costs, key=lambda name: before.costs[name] - after.costs[name])
        return f"QED gains from {helped} {_figure(helped, before)} -> {_figure(helped, after)}"
    if after.size > before.size:
        return f"QED can spare it, and {before.size} -> {after.size} heavy atoms should bind better"
    if after.size < before.size:
        return f"{before.size} -> {after.size} heavy atoms should bind as well with less"
    return "same size, another fit to the pocket"


def _figure(name: str, molecule: Figures) -> str:
    value = molecule.properties[name]
    return f"{value:.1f}" if name == "cLogP" else f"{value:.0f}"
