"""The account of goals that a run never met together, from its measured plans; a run that misses goals ends with it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from tgsci.search.trial import Trials

from ..editor.surrogate import Point, points
from ..goals import Goal, GoalResult
from ..goals.table import count_met
from ..loss import effects_table
from ..loss.linear import Region
from ..loss.possibility import Answer
from ..loss.scoring import relative_shortfall
from ..notice import NOTICE

#: Pairs of goals that are spelled out, at most.
_PAIRS = 6
#: A goal that is missed by less than this share of its scale counts as met here: 0.05 Gy of 50 Gy are no conflict.
_NEAR = 1e-3
#: The region of the exchange rates that are named.
_REGION = Region(1.0, 1.0)


def account(trials: Trials, answers: Sequence[Answer] = ()) -> str:
    """Tell what a run's plans show about the goals that its best plan misses; "" where it meets all.

    Args:
        trials: All of the run.
        answers: What could be proven of its goals, see `questions`; it stands first.
    """
    plans = points(trials)
    if not plans or all(r.met for r in plans[0].effects.results):
        return ""
    plans = [p for p in plans if p.criteria == plans[0].criteria]
    best = plans[0]
    missed = [i for i, r in enumerate(best.effects.results) if not r.met]
    lines = [
        f"GOALS THAT WERE NOT MET TOGETHER, in {len(plans)} plans. {NOTICE}",
        f"The best plan is trial {best.trial.number}: {count_met(best.effects.results)}. It misses "
        + "; ".join(_missed(best.effects.results[i]) for i in missed)
        + ".",
    ]
    for answer in answers:
        lines.append(f"{_which(answer)}: {answer.sentence()}")
    lines.append("Seen in these plans, which is no proof:")
    lines += _never(plans, missed)
    lines += _pairs(plans, missed)
    lines += _all_but_one(plans)
    lines += [
        f"Near the best plan, by its sensitivities: {text}." for text in effects_table.exclusion(best.effects, _REGION)
    ]
    lines.append(
        "Goals that are missed by less than 0.1% of the prescription or volume are counted as met in the comparisons. "
        "Whatever is not called proven is what these plans show, not a proof: other objectives or beams may do better."
    )
    return "\n".join(lines)


def questions(trials: Trials, goals: Sequence[Goal]) -> list[tuple[Goal, ...]]:
    """Choose the goals to look for a proof of: those of the sheet, then the implied ones with them.

    What one plan of the run met together needs no proof.

    Args:
        trials: All of the run.
        goals: Those that its plans were measured by.
    """
    plans = points(trials)
    if not plans:
        return []
    met = [{r.goal.criterion for r in p.effects.results if r.met} for p in plans]
    asked = (tuple(goal for goal in goals if not goal.implied), tuple(goals))
    return [each for each in dict.fromkeys(asked) if each and not any({g.criterion for g in each} <= m for m in met)]


def _which(answer: Answer) -> str:
    implied = sum(goal.implied for goal in answer.asked)
    return f"All {len(answer.asked)} goals" + (f", {implied} of them implied" if implied else "")


def _met(point: Point, i: int) -> bool:
    return point.effects.results[i].relative_margin >= -_NEAR


def _missed(result: GoalResult) -> str:
    return f"{result.goal.criterion} ({_value(result)})"


def _never(plans: Sequence[Point], missed: Sequence[int]) -> list[str]:
    """Name the goals that no plan met, with the nearest plan."""
    lines = []
    for i in missed:
        if any(_met(p, i) for p in plans):
            continue
        nearest = min(plans, key=lambda p: (relative_shortfall(p.effects.results[i]), p.trial.number))
        result = nearest.effects.results[i]
        lines.append(
            f"- {result.goal.criterion}: met in no plan. The nearest was {_value(result)} in trial "
            f"{nearest.trial.number}, where {_others(nearest, i)}."
        )
    return lines


def _pairs(plans: Sequence[Point], missed: Sequence[int]) -> list[str]:
    """Name the pairs of goals that no plan met both of, with the best of one while the other was met."""
    lines = []
    for i, j in combinations(range(len(plans[0].effects.results)), 2):
        if i not in missed and j not in missed:
            continue
        with_i, with_j = ([p for p in plans if _met(p, g)] for g in (i, j))
        if not with_i or not with_j or any(_met(p, j) for p in with_i):
            continue
        halves = [_held(with_i, i, j), _held(with_j, j, i)]
        first, second = plans[0].effects.results[i], plans[0].effects.results[j]
        lines.append(
            f"- {first.goal.criterion} (met in {_plans(with_i)}) and {second.goal.criterion} (met in "
            f"{_plans(with_j)}): no plan met both. " + "; ".join(halves) + "."
        )
    return lines[:_PAIRS]


def _held(plans: Sequence[Point], held: int, other: int) -> str:
    nearest = min(plans, key=lambda p: (relative_shortfall(p.effects.results[other]), p.trial.number))
    results = nearest.effects.results
    return (
        f"with {results[held].goal.name} met, {results[other].goal.name} came to {_value(results[other])} at best "
        f"(trial {nearest.trial.number})"
    )


def _all_but_one(plans: Sequence[Point]) -> list[str]:
    """Name each goal that was missed by a plan which met all others."""
    lines = []
    for i, result in enumerate(plans[0].effects.results):
        others = [j for j in range(len(plans[0].effects.results)) if j != i]
        met = [p for p in plans if not _met(p, i) and all(_met(p, j) for j in others)]
        if met:
            nearest = min(met, key=lambda p: (relative_shortfall(p.effects.results[i]), p.trial.number))
            lines.append(
                f"- All goals but {result.goal.criterion} were met in {_plans(met)}; there it came to "
                f"{_value(nearest.effects.results[i])} at best (trial {nearest.trial.number})."
            )
    return lines


def _others(point: Point, i: int) -> str:
    results = [r for j, r in enumerate(point.effects.results) if j != i]
    lost = sorted((r for r in results if not r.met), key=lambda r: -relative_shortfall(r))
    if not lost:
        return "all other goals were met" if results else "there is no other goal"
    return "it missed " + "; ".join(_missed(r) for r in lost[:3])


def _value(result: GoalResult) -> str:
    return result.value_text or "no value"


def _plans(plans: Sequence[Point]) -> str:
    return f"{len(plans)} plan{'' if len(plans) == 1 else 's'}"
