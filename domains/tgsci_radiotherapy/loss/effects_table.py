"""Sensitivities in words and as a table: what every weight and dose does to the goals that matter."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..goals import GoalResult
from . import scoring
from .effects import Effects, short_name
from .linear import Region, conflict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: A goal with less relative margin than this is tight: what moves it matters.
TIGHT = 0.05
#: Goals and objectives of the table, pairs that pull, additions: at most.
_GOALS, _OBJECTIVES, _PAIRS, _ADDED = 8, 10, 2, 2
#: Two objectives pull against each other where their effects on the goals point so far apart (cosine).
_AGAINST = -0.5
#: Effects below this share of a goal's scale count as none; objectives that do less than this share of what the
#: strongest one does pull at nothing.
_NOTHING, _WEAK = 5e-4, 0.1
#: A gain of all missed goals at once below this share of their scales counts as none.
NO_GAIN = 5e-4
#: A smaller change of a weight is not told, doublings: it reads x1.
_LEAST_DOUBLINGS = 0.08
#: A goal with a smaller share in a conflict is not named.
_SHARE = 0.05


def open_goals(results: Sequence[GoalResult]) -> list[int]:
    """Choose the goals that are missed or tight, missed ones first, then the tightest; gives their indices."""
    near = [i for i, r in enumerate(results) if not r.relative_margin >= TIGHT]

    def key(i: int) -> tuple[bool, int, float]:
        r = results[i]
        return r.met, 0 if r.met else r.goal.priority, r.relative_margin if r.met else 0.0

    return sorted(near, key=key)[:_GOALS]


def table(effects: Effects, shown: Collection[int], room: int, *, doses: bool = True) -> list[str]:
    """Tabulate how a doubling of each weight and +1 Gy of each dose would change the goals that are missed or tight.

    Args:
        effects: The plan's.
        shown: Places of the goals that may be named.
        room: Lines that there are for it.
        doses: Whether doses may be edited.
    """
    objectives = effects.parameters.objectives
    dosed = doses and any(o.dose_gy is not None for o in objectives)
    rows = [i for i in open_goals(effects.results) if i in shown][: max(0, room // 2 - 1 if dosed else room - 1)]
    if not rows:
        return []
    columns = _largest(effects, rows)
    dosed_columns = [k for k in columns if objectives[k].dose_gy is not None] if doses else []
    names = [f"{effects.results[i].goal.name} ({effects.results[i].goal.unit or '1'})" for i in rows]
    width = max(len("per +1 Gy of the dose of"), *(len(name) for name in names))
    lines = [f"{'per doubling of the weight of':<{width}}  " + " ".join(f"{f'[{k + 1}]':>7}" for k in columns)]
    lines += [_row(name, width, effects.per_doubling[i, columns]) for name, i in zip(names, rows, strict=True)]
    if dosed_columns:
        lines.append(f"{'per +1 Gy of the dose of':<{width}}  " + " ".join(f"{f'[{k + 1}]':>7}" for k in dosed_columns))
        lines += [_row(name, width, effects.per_gray[i, dosed_columns]) for name, i in zip(names, rows, strict=True)]
    return lines


def pulls(effects: Effects, shown: Collection[int] | None = None) -> list[str]:
    """Name the objectives that pull against each other, and what doubling the weight of one does to the goals.

    Args:
        effects: The plan's.
        shown: Places of the goals that may be named; all where None.
    """
    effects = _only(effects, shown)
    rise = _relative(effects, effects.per_doubling) * _concern(effects)[:, None]
    norms = np.linalg.norm(rise, axis=0)
    objectives = effects.parameters.objectives
    pairs = []
    for j in range(len(objectives)):
        for k in range(j):
            if min(norms[j], norms[k]) > max(_NOTHING, _WEAK * norms.max()):
                cosine = float(rise[:, j] @ rise[:, k] / (norms[j] * norms[k]))
                if cosine < _AGAINST:
                    pairs.append((-min(norms[j], norms[k]), j, k))
    lines = []
    for _, j, k in sorted(pairs)[:_PAIRS]:
        helped, hurt = int(rise[:, j].argmax()), int(rise[:, j].argmin())
        if rise[helped, j] <= _NOTHING or rise[hurt, j] >= -_NOTHING:
            j, k = k, j
            helped, hurt = int(rise[:, j].argmax()), int(rise[:, j].argmin())
        changes = [
            f"{effects.results[i].goal.name} {_signed(effects.per_doubling[i, j])}{_unit(effects.results[i])} ({how})"
            for i, how in ((helped, "helps"), (hurt, "costs"))
            if abs(rise[i, j]) > _NOTHING and (rise[i, j] > 0) == (how == "helps")
        ]
        names = f"{short_name(objectives[j], objectives)} and {short_name(objectives[k], objectives)}"
        lines.append(
            f"- {names} pull against each other: doubling the weight of {short_name(objectives[j], objectives)} moves "
            + ", ".join(changes)
        )
    return lines


def additions(effects: Effects, shown: Collection[int] | None = None) -> list[str]:
    """Name the objectives that the plan lacks and that would help a missed goal, with what they would do.

    Args:
        effects: The plan's.
        shown: Places of the goals that may be named; all where None.
    """
    effects = _only(effects, shown)
    rise = _relative(effects, effects.per_addition)
    missed = np.array([not r.met for r in effects.results], bool)
    if not missed.any() or not rise.shape[1]:
        return []
    gains = (rise * missed[:, None]).sum(axis=0)
    lines = []
    for a in np.argsort(-gains, kind="stable")[:_ADDED]:
        if gains[a] <= _NOTHING:
            continue
        o = effects.additions[a]
        order = np.argsort(-np.abs(rise[:, a]), kind="stable")
        moved = [i for i in order if abs(rise[i, a]) > _NOTHING][:3]
        changes = ", ".join(
            f"{effects.results[i].goal.name} {_signed(effects.per_addition[i, a])}{_unit(effects.results[i])}"
            for i in moved
        )
        lines.append(f"- {o.label} with weight {o.weight:.3g}: {changes}")
    return lines


def exclusion(effects: Effects, region: Region, shown: Collection[int] | None = None) -> list[str]:
    """Say how far all missed goals can be improved at once near the plan, and which goals stand in the way.

    Args:
        effects: The plan's.
        region: How far weights and doses may go.
        shown: Places of the goals that may be named; all where None.
    """
    effects = _only(effects, shown)
    clash = conflict(effects, region)
    if clash is None:
        return []
    results = effects.results
    among = [int(i) for i in np.argsort(-clash.shares, kind="stable") if clash.shares[i] > _SHARE][:4]
    missed = [i for i in among if not results[i].met]
    if len(among) < 2 or not missed:
        return []
    names = " and ".join([", ".join(results[i].goal.name for i in among[:-1]), results[among[-1]].goal.name])
    first = max(missed, key=lambda i: (scoring.relative_shortfall(results[i]), -i))
    second = next(i for i in among if i != first)
    rate = (clash.shares[first] / results[first].scale) / (clash.shares[second] / results[second].scale)
    gain = clash.gain * results[first].scale
    doses = f" and {region.grays:g} Gy" if region.grays else ""
    little = "nothing" if clash.gain < NO_GAIN else f"{gain:.2g}{_unit(results[first])} of {results[first].goal.name}"
    return [
        f"within a doubling of weights{doses}, all that is missed can be improved at the same pace, "
        f"with what is met kept, by {little} at most. {names} stand in each other's way: where these are at their "
        f"limits, 1{_unit(results[first])} gained of {results[first].goal.name} costs about {rate:.2g}"
        f"{_unit(results[second])} of {results[second].goal.name}"
    ]


def _only(effects: Effects, shown: Collection[int] | None) -> Effects:
    """Leave out the goals that are not shown."""
    if shown is None or len(shown) == len(effects.results):
        return effects
    kept = sorted(shown)
    return replace(
        effects,
        results=tuple(effects.results[i] for i in kept),
        per_doubling=effects.per_doubling[kept],
        per_gray=effects.per_gray[kept],
        per_addition=effects.per_addition[kept],
        tries=(),
    )


def _row(name: str, width: int, values: Floats) -> str:
    return f"{name:<{width}}  " + " ".join(f"{'' if np.isnan(v) else _signed(v):>7}" for v in values)


def _unit(result: GoalResult) -> str:
    return f" {result.goal.unit}" if result.goal.unit else ""


def _signed(value: float) -> str:
    """Write a change with its sign: +1.90, or +0.012 where it is small."""
    if abs(value) < 0.0005:
        return "0"
    return f"{value:+.2f}" if abs(value) >= 0.1 else f"{value:+.3f}"


def _largest(effects: Effects, rows: Sequence[int]) -> list[int]:
    """Choose the objectives that move these goals most; gives their indices in order."""
    both = np.abs(_relative(effects, effects.per_doubling)[rows]).max(axis=0)
    both = both + np.abs(np.nan_to_num(_relative(effects, effects.per_gray)[rows])).max(axis=0)
    return sorted(np.argsort(-both, kind="stable")[:_OBJECTIVES].tolist())


def _relative(effects: Effects, matrix: Floats) -> Floats:
    """Turn changes of values into changes of margins, each as a part of its goal's scale."""
    sign = np.array([r.goal.sign / r.scale for r in effects.results])
    relative: Floats = sign[:, None] * matrix
    return relative


def _concern(effects: Effects) -> Floats:
    """Weigh each goal: 1 where it is missed, less the larger its margin is."""
    room = np.array([max(0.0, r.relative_margin) if r.margin == r.margin else 0.0 for r in effects.results])
    concern: Floats = TIGHT / (TIGHT + room)
    return concern
