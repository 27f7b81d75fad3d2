"""The radiotherapy domain: what it offers to the core. Imports quickly; numba comes with the first plan."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgsci.basics.settings import read
from tgsci.basics.texts import quote
from tgsci.errors import InvalidValue, UsageError
from tgsci.runs.domain import Domain, Problem

from .job import KEYS, PlanJob
from .notice import NOTICE

if TYPE_CHECKING:
    import click

    from tgsci.search.proposer import Proposer

    from .loss import PlanLoss

#: Start values of a job, at most; characters of a file with one, at most; metrics with a column, at most.
_MOST_STARTS, _LONGEST, _MOST_COLUMNS = 20, 20_000_000, 8
#: Of them in a row of the history that a model sees: the goals met, and the most important goals.
_KEY_COLUMNS = 4
#: Goals that are spelled out to a model, at most.
_MOST_WORDS = 40
#: Remarks on the goals, at most: what the targets forbid, and other fractions.
_MOST_NOTES = 12
#: Plans a round: the next one is worth more where it has learned from the last.
PROPOSALS = 1


class RadiotherapyDomain(Domain):
    """Tuning of treatment plans: optimise the fluence, read the goals, change the weights."""

    name = "radiotherapy"
    summary = "tune radiotherapy plans to clinical goals (dose-volume planner; research only, not for clinical use)"

    def problem(self, config: Mapping[str, Any]) -> Problem:
        """Tune plan parameters for a case until its goals are met.

        Args:
            config: See `PlanJob`.

        Raises:
            UsageError: An unknown key, a missing one or a bad value.
        """
        from .case.library import case_names
        from .editor import insight
        from .editor.baselines import OptunaPlans, RandomPlans
        from .editor.priority import PriorityPlans
        from .editor.rules import RuleEditor
        from .goals import sheet_names
        from .loss import PlanLoss
        from .views.export import export
        from .views.report import sections

        job = read(PlanJob, config, "[radiotherapy]")
        texts = _start_texts(job)
        case, goals = _absolute(job.case, case_names()), _absolute(job.goals, sheet_names())
        loss = PlanLoss(
            case,
            goals,
            texts[0] if texts else None,
            prescription=job.prescription,
            gap=job.gap,
            seconds=job.seconds,
            protocol=job.protocol,
            implied=job.implied,
        )
        start = _validate(loss, texts) if texts else [loss.start.text()]
        free = not loss.protocol.weights_only
        rules = RuleEditor(structural=free)
        baselines: dict[str, Proposer] = {
            editor.name: editor for editor in (OptunaPlans(doses=free), RandomPlans(doses=free))
        }
        if free:
            baselines[PriorityPlans.name] = PriorityPlans(loss)
        table: dict[str, Any] = {
            "case": case,
            "goals": goals,
            "start": start,
            "protocol": job.protocol,
            "gap": job.gap,
            "seconds": job.seconds,
        }
        if not job.implied:
            table["implied"] = False
        if job.prescription:
            table["prescription"] = job.prescription
        return Problem(
            loss=loss,
            start=start,
            rules=rules,
            task=_task(loss),
            domain=self.name,
            name=f"{loss.case_name}-{loss.sheet.name}",
            notes=_notes(loss),
            config=table,
            columns=_columns(loss),
            export=export,
            sections=sections,
            optimizers=baselines,
            options=rules.options,
            proposals=PROPOSALS,
            key_columns=_columns(loss)[:_KEY_COLUMNS],
            family=insight.family,
            contrast=insight.contrast,
            change=insight.change,
            predict=insight.predict,
            limiting=insight.limiting,
            advice=insight.advice,
            setting=insight.setting(loss.case),
        )

    def commands(self) -> click.Group:
        from .commands import radiotherapy

        return radiotherapy


def _absolute(name_or_path: str, names: Collection[str]) -> str:
    """Leave a known name as it is; make a file's path absolute, so that a run can be resumed from anywhere."""
    if name_or_path in names:  # whatever lies in this directory
        return name_or_path
    path = Path(name_or_path).expanduser()
    try:
        return str(path.resolve()) if path.exists() else name_or_path
    except (OSError, ValueError):  # too long for a path, or a null character in it: whoever opens it says so
        return name_or_path


def _start_texts(job: PlanJob) -> list[str]:
    """Give the parameters to start from as texts; none where the goals give a start."""
    if job.objectives is not None:
        try:
            return [json.dumps({"objectives": job.objectives})]
        except (TypeError, ValueError) as error:
            raise UsageError(f"objectives must be {KEYS['objectives']}: {error}") from None
    if job.start is None:
        return []
    several = job.start if isinstance(job.start, list) else [job.start]
    if not 1 <= len(several) <= _MOST_STARTS:
        raise UsageError(f"start must be {KEYS['start']}; at most {_MOST_STARTS}")
    return [_start_text(each) for each in several]


def _start_text(start: object) -> str:
    """Read parameters that a job has as text, as a table, or as a file's path."""
    if isinstance(start, Mapping):
        return json.dumps(start, default=str)
    if not isinstance(start, str) or not start.strip():
        raise UsageError(f"start must be {KEYS['start']}")
    if start.lstrip()[:1] in ("{", "[", "`"):
        return start
    path = Path(start).expanduser()
    try:
        if path.stat().st_size > _LONGEST:
            raise UsageError(f"the start file {quote(start)} has more than {_LONGEST} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # ValueError: a null character in the name, or no UTF-8
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"start: cannot read {quote(start)} ({why}); it is neither JSON text nor a file") from None
    if '"tgsci_plan"' in text:
        from .plan.file import read_plan

        return read_plan(text).parameters.text()
    return text


def _validate(loss: PlanLoss, texts: Sequence[str]) -> list[str]:
    starts = []
    for number, text in enumerate(texts, 1):
        try:
            starts.append(loss.validate(text))
        except InvalidValue as error:
            which = f" {number}" if len(texts) > 1 else ""
            raise UsageError(f"start{which}: {error}") from None
    return list(dict.fromkeys(starts))


def _notes(loss: PlanLoss) -> list[str]:
    notes = [f"{NOTICE} Doses are total Gy, planned and scored on the case's dose grid, {loss.case.grid}."]
    notes += loss.bound.notes
    notes += [f"Not evaluated: {goal.criterion} ({why})." for goal, why in loss.bound.missing]
    p = loss.protocol
    if p.weights_only:
        rivals = f"; beside it: --optimizer optuna --evals {p.rivals}" if p.rivals else ""
        notes.append(f"Protocol {p.name}: {p.title}; at most {p.iterations} iterations after the start{rivals}.")
    return notes


def _columns(loss: PlanLoss) -> tuple[str, ...]:
    ranked = sorted(loss.bound.goals, key=lambda goal: goal.priority)
    implied = ["implied met"] if any(goal.implied for goal in ranked) else []
    return tuple(dict.fromkeys(["goals met", *implied, *(goal.name for goal in ranked)]))[:_MOST_COLUMNS]


def _task(loss: PlanLoss) -> str:
    from .loss.scoring import WEIGHTS
    from .plan import PlanParameters

    case, goals = loss.case, loss.bound.goals
    lines = [
        f"Tune a radiotherapy plan of the case {case.name} ({case.modality}, {case.fractions} fractions): a planner "
        "finds the fluence that minimises the objectives you write, and the clinical goals of its dose are evaluated. "
        f"{NOTICE}",
        PlanParameters.describe(case),
        "The goals, with priority (1 counts most):",
        *(f"- {goal}" + (f" ({goal.note})" if goal.implied else "") for goal in goals[:_MOST_WORDS]),
    ]
    if len(goals) > _MOST_WORDS:
        lines.append(f"- and {len(goals) - _MOST_WORDS} more")
    lines += loss.bound.notes[:_MOST_NOTES]
    lines.append(
        f"The loss is above 0 where goals are missed: each costs by priority, at least {WEIGHTS}, and enough that no "
        "goal lost is worth any gain at lower priorities; implied goals come last, and one that the targets forbid "
        "does not count. Once all are met it is minus the room that organs and conformity have below their limits, "
        "down to -1: go on, as low as achievable. Lower is better."
    )
    if loss.protocol.weights_only:
        lines.append(f"Protocol {loss.protocol.name}: change weights only; everything else stays as it is.")
    lines.append(
        "The report's SENSITIVITIES say how each goal moves per doubling of a weight and per Gy of a dose at the "
        "present optimum; they hold for small changes. What stands as solved, of ONE STEP and of FURTHER EDITS, came "
        "out when that edit was solved again, to about 1%: it is no guess. A reason may cite the goal that is missed, "
        "the sensitivity that the change relies on, or what an earlier plan did; it says what you expect of the goals."
    )
    return "\n".join(lines)


#: What the entry point names.
domain = RadiotherapyDomain()
