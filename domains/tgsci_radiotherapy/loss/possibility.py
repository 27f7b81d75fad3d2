"""Whether goals can be met together at all: a proof where no fluence of a case's beams does.

The proof is of the convex relaxation of the goals (`relaxation`): what it excludes is excluded for every fluence. What
it does not exclude may still be impossible, since the relaxation does not see everything; then nothing is claimed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tgsci.basics.texts import compact

from ..goals.goal import with_unit
from ..planner.feasibility import Verdict, prove
from .relaxation import Relaxation, relax

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..goals import Goal
    from ..planner import Planner

#: Where no goal limits the dose everywhere, what is proven is about plans that stay below this multiple of the
#: prescription.
ASSUMED = 1.5
#: The first step by which a limit is relaxed, as a share of it, and how many times the last step is halved.
_STEP, _HALVINGS = 0.02, 3
#: Longest that a question may take, s.
SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """What is known of goals that are asked for together.

    Args:
        asked: The goals.
        conflict: A small set of them that no fluence meets together, the most important first; empty where none is
            proven.
        least: What each goal of `conflict` comes to at best where all others of it are met, in its unit; nan where
            this was not looked for.
        ceiling: The dose above which the proof says nothing, Gy; None where it holds for every fluence.
        possible: True where the relaxation can be satisfied: no proof of this kind exists.
        finished: False where time ran out before one or the other was known.
        small: False where time ran out before each goal of `conflict` was known to be needed.
        silent: Goals that the relaxation says nothing about.
    """

    asked: tuple[Goal, ...]
    conflict: tuple[Goal, ...] = ()
    least: float = float("nan")
    ceiling: float | None = None
    possible: bool = False
    finished: bool = True
    small: bool = True
    silent: tuple[Goal, ...] = ()

    @property
    def yielding(self) -> Goal:
        """The goal of the conflict that `least` is about: the least important one."""
        return self.conflict[-1]

    def sentence(self) -> str:
        """Say it in one or two sentences, for people."""
        if not self.conflict:
            return _unproven(self)
        which = _listed([goal.criterion for goal in self.conflict])
        if len(self.conflict) == 1:
            said = f"Proven: no fluence of these beams meets {which}"
        else:
            said = f"Proven: no fluence of these beams meets {which} together"
        if self.ceiling is not None:
            said += f", as long as no voxel gets more than {compact(self.ceiling, 4)} Gy"
        goal = self.yielding
        off = abs(self.least - goal.limit)
        if off > 0:
            held = "with the others met, " if len(self.conflict) > 1 else ""
            side = "below" if goal.comparison == ">=" else "above"
            said += (
                f". {held[:1].upper()}{held[1:]}{goal.name} stays {side} {_amount(self.least, goal)}: at least "
                f"{_amount(off, goal)} is missing"
            )
        return f"{said}.{'' if self.small else ' A smaller set of them may exclude each other already.'}"


def _unproven(answer: Answer) -> str:
    if answer.possible:
        return (
            "No proof against it: the convex relaxation of these goals can be met. A plan that meets the goals "
            "themselves may exist or not."
        )
    if not answer.finished:
        return "Not decided in the time that there was: neither a proof nor a fluence that meets the relaxation."
    return "Not decided: the solver found neither a proof nor a fluence that meets the relaxation of these goals."


class Possibility:
    """Asks whether goals exclude each other on a case.

    Args:
        planner: Of the case.
        prescriptions: Of the goals' structures, total Gy; `BoundSheet` has them.
        seconds: Longest that one question may take, s.
    """

    def __init__(self, planner: Planner, prescriptions: Mapping[str, float], seconds: float = SECONDS) -> None:
        self._planner, self._prescriptions, self._seconds = planner, prescriptions, seconds
        self._start: NDArray[np.float64] | None = None

    def ask(self, goals: Sequence[Goal], callback: Callable[[str], object] | None = None) -> Answer:
        """Find out whether goals exclude each other; a small set of those that do, and what they are short of.

        Args:
            goals: Bound to the case.
            callback: Told what is being done, in words.
        """
        asked = tuple(goals)
        deadline = time.monotonic() + self._seconds
        say = callback or (lambda _: None)
        say(f"looking for a proof that {len(asked)} goals exclude each other ...")
        assumed: float | None = None
        relaxation, verdict = self._prove(asked, assumed, deadline)
        if verdict.proof is None and relaxation.ceiling is None:
            # Goals that spare some volume say nothing without a highest dose.
            assumed = ASSUMED * self._planner.case.prescription
            relaxation, verdict = self._prove(asked, assumed, deadline)
        if verdict.proof is None:
            return Answer(asked, possible=verdict.possible, finished=verdict.finished, silent=relaxation.silent)
        say("goals exclude each other; looking for the fewest that do ...")
        involved = {goal for k in verdict.proof.constraints for goal in relaxation.sources[k]}
        conflict = [goal for goal in asked if goal in involved]
        conflict, small = self._fewest(conflict, asked, assumed, deadline)
        conflict.sort(key=lambda goal: goal.priority)
        say(f"how far {conflict[-1].name} has to give way ...")
        least = self._least(conflict, assumed, deadline)
        return Answer(asked, tuple(conflict), least, assumed, small=small, silent=relaxation.silent)

    def _prove(self, goals: Sequence[Goal], assumed: float | None, deadline: float) -> tuple[Relaxation, Verdict]:
        relaxation = relax(self._planner.case, goals, self._prescriptions, assumed=assumed)
        verdict = prove(self._planner, relaxation.constraints, start=self._start, deadline=deadline)
        self._start = verdict.fluence
        return relaxation, verdict

    def _proven(self, goals: Sequence[Goal], assumed: float | None, deadline: float) -> list[Goal] | None:
        """Try to prove a set impossible: the goals of it that the proof uses; None where it is not proven."""
        relaxation, verdict = self._prove(goals, assumed, deadline)
        if verdict.proof is None:
            return None
        involved = {goal for k in verdict.proof.constraints for goal in relaxation.sources[k]}
        ceiling = {relaxation.ceiling.goal} if relaxation.ceiling else set()
        return [goal for goal in goals if goal in involved or goal in ceiling]

    def _fewest(
        self, conflict: list[Goal], asked: Sequence[Goal], assumed: float | None, deadline: float
    ) -> tuple[list[Goal], bool]:
        """Leave out goals as long as the rest is proven impossible: halves first, then one at a time."""
        half = time.monotonic() + 0.6 * max(deadline - time.monotonic(), 0.0)
        kept = self._proven(conflict, assumed, half)
        if kept is None:  # the ceiling, say, is among the goals that are asked for and takes no part
            kept = list(asked)
        # The least important are the first to go.
        kept.sort(key=lambda goal: goal.priority)
        size, at = max(len(kept) // 2, 1), len(kept)
        while size >= 1:
            at = len(kept)
            while at > 0:
                if time.monotonic() > half:
                    return kept, False
                fewer = kept[: max(at - size, 0)] + kept[at:]
                found = self._proven(fewer, assumed, half) if fewer else None
                at = max(at - size, 0)
                if found is not None:
                    kept = found
                    at = min(at, len(kept))
            size //= 2
        return kept, True

    def _least(self, conflict: Sequence[Goal], assumed: float | None, deadline: float) -> float:
        """Relax the last goal's limit for as long as the conflict is proven; gives the farthest limit that is."""
        goal = conflict[-1]
        step = _STEP * max(goal.limit, 1e-9)
        reached, halvings = goal.limit, 0
        while halvings <= _HALVINGS and time.monotonic() < deadline:
            limit = reached - goal.sign * step
            if limit <= 0:
                break
            if self._proven([*conflict[:-1], replace(goal, limit=limit)], assumed, deadline) is not None:
                reached = limit
                step = step * 2 if not halvings else step / 2
            else:
                step, halvings = step / 2, halvings + 1
        return reached


def _amount(value: float, goal: Goal) -> str:
    return with_unit(value, goal.unit, 3 if abs(value) < 10 else 4)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
