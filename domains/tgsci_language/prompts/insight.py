"""What a prompt search is told of its values: what a change gained and lost, and what limits an instruction."""

from __future__ import annotations

from tgsci.feedback import Feedback
from tgsci.search.trial import Trial

from .page import faults, listed
from .student import of_set, read_samples

#: The figures that a row of the history shows.
KEY_COLUMNS = ("validation accuracy", "validation n", "train accuracy")


def contrast(parent: Trial, child: Trial) -> str:
    """Say which validation examples a change gained and lost, as numbers: their questions stay unknown."""
    if parent.feedback is None or child.feedback is None:
        return ""
    before = {s.id: s for s in of_set(read_samples(parent.feedback.artifacts), "validation")}
    after = {s.id: s for s in of_set(read_samples(child.feedback.artifacts), "validation")}
    both = [id for id in after if id in before]
    if not both:
        return ""
    gained = sum(after[id].right > before[id].right for id in both)
    lost = sum(after[id].right < before[id].right for id in both)
    line = f"of {len(both)} validation examples that both answered: gained {gained}, lost {lost}"
    old, new = (faults(samples[id] for id in both) for samples in (before, after))
    changed = [
        f"{fault} {old.get(fault, 0)} to {new.get(fault, 0)}"
        for fault in dict.fromkeys((*old, *new))
        if old.get(fault, 0) != new.get(fault, 0)
    ]
    return f"{line}; {', '.join(changed)}" if changed else line


def limiting(feedback: Feedback) -> str:
    """Name what goes wrong most often."""
    wrong = faults(of_set(read_samples(feedback.artifacts), "validation"))
    if not wrong:
        return ""
    most = max(wrong.values())
    return listed({fault: count for fault, count in wrong.items() if count == most})
