"""What a model is told of a search, changed: the report of another value, none, the losses alone, no target's name.

Only the proposer's view changes. What is measured, recorded, judged and screened stays what it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tgsci.feedback import Feedback
    from tgsci.search.trial import Trial, Trials


def told(trials: Trials, change: Callable[[Trial], Trial], **insight: Any) -> Trials:
    """Copy a proposer's view with other trials and another insight; what was measured stays what it was."""
    from tgsci.search.trial import Trials

    return Trials(
        map(change, trials),
        trials.loss,
        trials.task,
        keep_ties=trials.keep_ties,
        insight=replace(trials.insight, **insight),
        evaluations_left=trials.evaluations_left,
        proposals=trials.proposals,
        ideas=trials.ideas,
        pending=[change(trial) for trial in trials.pending],
    )


def score_only(trials: Trials) -> Trials:
    """Tell the losses and which limits are broken by how much; nothing else that the simulator said."""

    def bare(feedback: Feedback | None) -> Feedback | None:
        return feedback and replace(feedback, text="", metrics={}, artifacts={})

    def change(trial: Trial) -> Trial:
        return replace(trial, feedback=bare(trial.feedback), first=bare(trial.first), contrast="")

    return told(trials, change, key_columns=(), contrast=None, limiting=None, setting="")


def no_report(trials: Trials) -> Trials:
    """Tell everything but the reports."""
    return told(trials, partial(_with_text, text=""))


def other_report(trials: Trials) -> Trials:
    """Tell everything, each value with the report of the next worse one, the worst with that of the best."""
    ranked = [trial for trial in trials.ranked() if trial.feedback]
    texts = {
        trial.number: other.feedback.text
        for trial, other in zip(ranked, [*ranked[1:], *ranked[:1]], strict=True)
        if other.feedback and other is not trial
    }
    return told(trials, lambda trial: _with_text(trial, texts.get(trial.number, "")))


def _with_text(trial: Trial, text: str) -> Trial:
    """Give a trial another report."""
    first = trial.first and replace(trial.first, text="")
    return replace(trial, feedback=trial.feedback and replace(trial.feedback, text=text), first=first)


#: What of the report is told, by the name that `Arm.report` takes.
REPORTS: Mapping[str, Callable[[Trials], Trials]] = {"score": score_only, "other": other_report, "none": no_report}


def withheld(trials: Trials, names: Sequence[str], own: str | None = None, notes: Sequence[str] = ()) -> Trials:
    """Tell everything with the targets' names left out: "target A" stands for the first, "target B" for the next.

    Args:
        trials: The view.
        names: Of the targets.
        notes: Further texts that give a target away, left out where they stand.
        own: Who is told; what it said itself stays, since it never heard the names.
    """
    letters = {name.casefold(): f"target {chr(ord('A') + i % 26)}" for i, name in enumerate(names)}
    pattern = re.compile(rf"(?<![A-Za-z0-9])({'|'.join(map(re.escape, names))})(?![A-Za-z0-9])", re.IGNORECASE)

    #: What a domain says of a feedback it says by the names that it gave.
    known: dict[int, tuple[Feedback, Feedback]] = {}

    def hide(text: str) -> str:
        for note in notes:
            text = text.replace(note, "withheld")
        return pattern.sub(lambda match: letters[match[1].casefold()], text)

    def hidden(feedback: Feedback | None) -> Feedback | None:
        if feedback is None:
            return None
        metrics = {hide(name): value for name, value in feedback.metrics.items()}
        violations = {hide(name): by for name, by in feedback.violations.items()}
        error = feedback.error and hide(feedback.error)
        masked = replace(feedback, text=hide(feedback.text), metrics=metrics, violations=violations, error=error)
        known[id(masked)] = masked, feedback
        return masked

    def change(trial: Trial) -> Trial:
        said = ("decision", "contrast") if trial.proposer == own else ("reason", "decision", "contrast", "edit")
        words = {name: hide(getattr(trial, name)) for name in said}
        return replace(trial, feedback=hidden(trial.feedback), first=hidden(trial.first), **words)

    limiting = trials.insight.limiting

    def limits(feedback: Feedback) -> str:
        assert limiting is not None
        return hide(limiting(known[id(feedback)][1] if id(feedback) in known else feedback))

    found = told(
        trials,
        change,
        key_columns=[hide(name) for name in trials.insight.key_columns],
        setting=hide(trials.insight.setting),
        limiting=limiting and limits,
    )
    found.task = hide(found.task)
    return found


def target_names(loss: Any) -> list[str]:
    """Name the targets that a loss docks into."""
    return [str(target.name) for target in getattr(loss, "targets", ())]


def telling_notes(loss: Any) -> list[str]:
    """List what is said of whose numbers the residues have: it names a protein, or its kind. The longest come first."""
    notes = [str(target.numbering) for target in getattr(loss, "targets", ())]
    parts = {part for note in notes for part in (note, *note.split("; ")) if part}
    return sorted(parts, key=lambda part: (-len(part), part))


def seeing(proposer: Any, views: Sequence[Callable[[Trials], Trials]]) -> Any:
    """Make a proposer that sees the search through other eyes; it keeps its name, its engine and its ways."""
    from tgsci.search.proposer import Proposer

    class Told(Proposer):
        name, description = proposer.name, proposer.description
        engine, ahead = proposer.engine, proposer.ahead

        def ask(self, trials: Trials, n: int, rng: Any) -> Any:
            for view in views:
                trials = view(trials)
            return proposer.ask(trials, n, rng)

    return Told() if views else proposer
