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
from ..planner.feasibility import BLURS, Verdict, prove
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
#: How sharp proofs are: those that look for the fewest goals, and those that look for a limit; see `feasibility.BLURS`.
_QUICK, _SHARP = (0.2,), (0.2, 0.04)
#: Longest that a question may take, s.
SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """What is known of goals that are asked for together.

    Args:
        asked: The goals.
        conflict: A small set of them that no fluence meets together, that which should give way last; empty where
            none is proven.
        least: What the last goal of `conflict` stays beyond where all others of it are met, in its unit; its limit
            where no more than that was found, nan where there is no conflict.
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
        """The goal of the conflict that `least` is about, and that should give way."""
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
        half = time.monotonic() + 0.6 * (deadline - time.monotonic())
        conflict, small = self._fewest(_involved(asked, relaxation, verdict), assumed, half)
        conflict.sort(key=lambda goal: (self._importance(goal), goal.priority))
        say(f"looking how far {conflict[-1].name} has to give way ...")
        least = self._least(conflict[-1], conflict[:-1], assumed, deadline)
        return Answer(asked, tuple(conflict), least, assumed, small=small, silent=relaxation.silent)

    def _importance(self, goal: Goal) -> int:
        """Order goals by who should give way last: hot spots in the body, then targets, then organs.

        A hot spot is the last resort of a plan that has to meet all else: its figure says nothing.
        """
        kind = next((s.type for s in self._planner.case.structures if s.name == goal.structure), "oar")
        return {"external": 0, "target": 1}.get(kind, 2)

    def bound(self, goal: Goal, held: Sequence[Goal], reached: float) -> float | None:
        """Find a limit of a goal that no plan keeps which meets some others; None where not even its own is excluded.

        It takes a fixed number of proofs, whatever the time, so that the same question has the same answer.

        Args:
            goal: The goal that is asked about.
            held: Goals that are met.
            reached: What the goal came to in a plan that meets them, in its unit: no limit is excluded up to there.

        Returns:
            In the goal's unit: all plans that meet the others are beyond it.
        """
        forever = float("inf")
        if self._proven([*held, goal], None, forever, _SHARP) is None:
            return None
        proven, open_end = goal.limit, reached
        for _ in range(_HALVINGS):
            middle = (proven + open_end) / 2
            if self._proven([*held, replace(goal, limit=middle)], None, forever, _QUICK) is None:
                open_end = middle
            else:
                proven = middle
        return proven

    def _prove(
        self, goals: Sequence[Goal], assumed: float | None, deadline: float, blurs: Sequence[float] = BLURS
    ) -> tuple[Relaxation, Verdict]:
        relaxation = relax(self._planner.case, goals, self._prescriptions, assumed=assumed)
        verdict = prove(self._planner, relaxation.constraints, start=self._start, blurs=blurs, deadline=deadline)
        self._start = verdict.fluence
        return relaxation, verdict

    def _proven(
        self, goals: Sequence[Goal], assumed: float | None, deadline: float, blurs: Sequence[float]
    ) -> list[Goal] | None:
        """Try to prove a set impossible: the goals of it that the proof uses; None where it is not proven."""
        relaxation, verdict = self._prove(goals, assumed, deadline, blurs)
        return None if verdict.proof is None else _involved(goals, relaxation, verdict)

    def _fewest(self, conflict: list[Goal], assumed: float | None, deadline: float) -> tuple[list[Goal], bool]:
        """Leave out goals as long as the rest is proven impossible: halves first, the least important before others."""
        kept = sorted(conflict, key=lambda goal: goal.priority)
        size = len(kept)
        while size := size // 2:
            end = len(kept)
            while end > 0 and len(kept) > 1:
                if time.monotonic() > deadline:
                    return kept, False
                first = max(end - size, 0)
                fewer = kept[:first] + kept[end:]
                found = self._proven(fewer, assumed, deadline, _QUICK) if fewer else None
                if found is not None:
                    # What stands before the gap and is not needed goes with it.
                    first = sum(goal in found for goal in kept[:first])
                    kept = found
                end = first
        return kept, True

    def _least(self, goal: Goal, others: Sequence[Goal], assumed: float | None, deadline: float) -> float:
        """Relax a goal's limit for as long as the conflict is proven; gives the farthest limit that is."""
        step = _STEP * max(goal.limit, 1e-9)
        reached, halvings = goal.limit, 0
        while halvings <= _HALVINGS and time.monotonic() < deadline:
            limit = reached - goal.sign * step
            if limit <= 0:
                break
            relaxed = [*others, replace(goal, limit=limit)]
            if self._proven(relaxed, assumed, deadline, _SHARP) is not None:
                reached = limit
                step = step * 2 if not halvings else step / 2
            else:
                step, halvings = step / 2, halvings + 1
        return reached


def _involved(goals: Sequence[Goal], relaxation: Relaxation, verdict: Verdict) -> list[Goal]:
    """Choose the goals that a proof uses; the ceiling counts wherever there is one."""
    assert verdict.proof is not None
    used = [goal for k in verdict.proof.constraints for goal in relaxation.sources[k]]
    if relaxation.ceiling and relaxation.ceiling.goal:
        used.append(relaxation.ceiling.goal)
    return [goal for goal in goals if goal in used]


def _amount(value: float, goal: Goal) -> str:
    return with_unit(value, goal.unit, 3 if abs(value) < 10 else 4)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
