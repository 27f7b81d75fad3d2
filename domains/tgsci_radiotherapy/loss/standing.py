"""A trial's goals as a table for a terminal, from what was kept beside its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .effects import Wish, effects_of

if TYPE_CHECKING:
    from tgsci.search.trial import Trial


def goal_table(trial: Trial) -> str:
    """The goals of a trial's plan: what is asked, what it came to, by how much.

    Args:
        trial: A measured plan.
    """
    effects = effects_of(trial)
    if effects is None:
        return f"Trial {trial.number} has no goals: {trial.decision or 'it was not measured'}."
    wishes = effects.wishes
    met = sum(w.met for w in wishes)
    width = max((len(w.text) for w in wishes), default=0)
    lines = [f"GOALS of trial {trial.number}, {met} of {len(wishes)} met (P: priority, 1 counts most)"]
    lines += [line(w, width) for w in sorted(wishes, key=lambda w: w.priority)]
    return "\n".join(lines)


def line(wish: Wish, width: int) -> str:
    """A goal in a line.

    Args:
        wish: The goal with its value.
        width: Characters that the goal's words take.
    """
    unit = f" {wish.unit}" if wish.unit else ""
    value = f"{'no value':>8}" if wish.value != wish.value else f"{wish.value:8.4g}"
    return f"P{wish.priority} {wish.text:<{width}}  {value}{unit:<3}  {standing(wish)}"


def standing(wish: Wish) -> str:
    """Whether a goal is met, and by how much."""
    unit = f" {wish.unit}" if wish.unit else ""
    if wish.value != wish.value:
        return "MISSED: it has no value"
    if wish.met:
        return f"met, {wish.margin:.3g}{unit} to spare"
    within = ", within its tolerance" if -wish.margin <= wish.tolerance else ""
    return f"MISSED by {-wish.margin:.3g}{unit}{within}"
