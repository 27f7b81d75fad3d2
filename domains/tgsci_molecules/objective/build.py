"""From the table of a job file to an objective, and back to a table that builds the same one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tgsci.basics.texts import literal, nearest
from tgsci.errors import UsageError

from .. import job as jobs
from ..job import KEYS, SETTINGS, TERM_KEYS, Job, TermTable
from ..target.targets import Target
from .advice import Advice, read_advice
from .loss import Objective, vina_and_qed
from .metrics import same_metric
from .presets import ALERT_COST, PRESETS, STRAIN_COST, against_others, preset, soundness
from .ranges import read_range
from .terms import Term
from .transforms import Transform

#: More terms than this are no objective that anybody wrote.
_MOST_TERMS = 200
#: The keys that an objective's own formula is made of.
_FORMULA = ("aggregate", "terms")
#: What people write beside a term's transform, and what belongs into it.
_PARAMETERS = ("low", "high", "k", "type", "slope", "offset")


def read_job(table: Mapping[str, Any]) -> Job:
    """Read the [molecules] table of a job file.

    Args:
        table: See `KEYS`.

    Raises:
        UsageError: An unknown key or a bad value: which one, and what to write.
    """
    if not isinstance(table, Mapping):
        raise UsageError(
            f"a problem is described by a table such as {{'target': 'ABL1', 'start': 'CCO'}}, not {literal(table)}"
        )
    for key in table:
        kind = same_metric(key) if key not in KEYS and not nearest(key, KEYS) else ""
        if kind:
            raise UsageError(
                f"unknown key {literal(key)}; a range of {kind} goes into the table limits, and its weight into a "
                f"table of terms. There are: {', '.join(KEYS)}"
            )
    terms = table.get("terms")
    if isinstance(terms, list | tuple) and len(terms) > _MOST_TERMS:
        raise UsageError(f"there are {len(terms)} terms; an objective has at most {_MOST_TERMS}")
    for number, term in enumerate(terms if isinstance(terms, list | tuple) else (), 1):
        misplaced = [key for key in term if key in _PARAMETERS] if isinstance(term, Mapping) else []
        if misplaced:
            raise UsageError(
                f"term {number}: unknown key {literal(misplaced[0])}; it belongs into the transform: "
                f"transform = {{ type = 'sigmoid', low = 0.2, high = 0.6 }}. There are: {', '.join(TERM_KEYS)}"
            )
    return jobs.read_job(table)


def build_objective(job: Job) -> tuple[Objective, dict[str, Any], Advice]:
    """Build the objective that a job describes.

    Args:
        job: The job; its keys about the start and the run are not used.

    Returns:
        The objective; a JSON-able table that describes it again; and what became of the advice.

    Raises:
        UsageError: A value is not what it must be: which one, and what to write.
    """
    targets, terms, table = _formula(job)
    sound, costs = _soundness(job, terms)
    terms = (*terms, *sound)
    table |= costs
    advice = read_advice(job.advise)
    lists: dict[str, list[Any]] = {
        key: given for key in ("keep", "avoid", "contacts", "alerts") if (given := _as_list(getattr(job, key)))
    }
    if job.core is not None and not job.core.strip():
        raise UsageError(f"core must be {KEYS['core']}; not {literal(job.core)}")
    objective = Objective(
        targets,
        terms,
        aggregate=job.aggregate or "sum",
        limits=job.limits,
        keep=[*lists.get("keep", ()), *advice.keep],
        avoid=[*lists.get("avoid", ()), *advice.avoid],
        core=job.core,
        reference=_texts("reference", job.reference),
        contacts=_texts("contacts", lists.get("contacts", [])),
        alerts=lists.get("alerts", ()),
        settings=job.docking,
    )
    if job.limits:
        table["limits"] = {name: list(read_range(name, value)) for name, value in job.limits.items()}
    table |= {**{key: getattr(job, key) for key in ("core", "reference") if getattr(job, key)}, **lists}
    if advice.text:
        table["advise"] = advice.text
    table |= {key: getattr(job.docking, field) for key, field in SETTINGS.items()}
    return objective, json.loads(json.dumps(table)), advice


def _formula(job: Job) -> tuple[list[Target], Sequence[Term], dict[str, Any]]:
    """Read where to dock, and the terms; and write how the table says so."""
    own = next((key for key in _FORMULA if getattr(job, key)), None)
    if job.objective is not None and own:
        raise UsageError(f"give objective = {literal(job.objective)} or a formula of your own under {own}, not both")
    if job.aggregate is not None and not job.terms:
        raise UsageError("aggregate puts terms together; there is no [[molecules.terms]]")
    form = preset("dockstring" if job.objective is None else job.objective)
    if job.qed_weight is not None and (job.terms or form.targets or form is PRESETS["vina-qed"]):
        raise UsageError("qed_weight belongs to the objective dockstring; give the term about QED its weight instead")
    targets = _targets(job, form.targets if not job.terms else ())
    table: dict[str, Any] = {"target": targets[0].spec}
    if targets[1:]:
        table["off_targets"] = [target.spec for target in targets[1:]]
    if job.terms:
        table["terms"] = [_table_of(term) for term in job.terms]
        if job.aggregate is not None:
            table["aggregate"] = job.aggregate
        return targets, _terms(job.terms), table
    terms: Sequence[Term] = form.terms
    if not form.targets:
        if job.qed_weight is not None:
            terms = vina_and_qed(job.qed_weight)
        if targets[1:]:
            terms = (*terms, against_others())
    if job.objective is not None:
        table["objective"] = job.objective
    if form is PRESETS["dockstring"]:
        table["qed_weight"] = 10.0 if job.qed_weight is None else job.qed_weight
    return targets, terms, table


def _soundness(job: Job, terms: Sequence[Term]) -> tuple[tuple[Term, ...], dict[str, float]]:
    """Make the terms on alerts and strain, unless the objective is published or has such terms; and their costs."""
    published = not job.terms and job.objective is not None and preset(job.objective) is not PRESETS["dockstring"]
    costs = {}
    for key, kind, usual in (("alert_cost", "alerts", ALERT_COST), ("strain_cost", "strain", STRAIN_COST)):
        given = getattr(job, key)
        own = any(term.metric == kind for term in terms)
        if own and given:
            raise UsageError(f"{key} = {given:g}: there is a term about {kind} already; give that its weight")
        costs[key] = given if given is not None else 0.0 if published or own else usual
    weights = sum(abs(term.weight) for term in terms)
    sound = soundness(job.aggregate or "sum", costs["alert_cost"], costs["strain_cost"], weights)
    return sound, costs


def _targets(job: Job, fixed: Sequence[str]) -> list[Target]:
    if job.target is None and not fixed:
        raise UsageError(f"the key 'target' is missing: {KEYS['target']}")
    first = fixed[0] if job.target is None else job.target
    if not first.strip():
        raise UsageError(f"target must be {KEYS['target']}, not {literal(first)}")
    others = fixed[1:] if job.off_targets is None else _texts("off_targets", job.off_targets)
    targets = [Target(text) for text in (first, *others)]
    if fixed and [target.spec for target in targets] != list(fixed):
        raise UsageError(
            f"the objective {job.objective!r} docks into {', '.join(fixed)}; leave out target and off_targets"
        )
    return targets


def _terms(tables: Sequence[TermTable]) -> list[Term]:
    terms = []
    for number, table in enumerate(tables, 1):
        try:
            terms.append(_term(table))
        except UsageError as error:
            raise UsageError(f"term {number}: {error}") from None
    return terms


def _term(table: TermTable) -> Term:
    given = {"type": table.transform} if isinstance(table.transform, str) else table.transform
    if "type" not in given:
        raise UsageError(f"a transform is {TERM_KEYS['transform']}; not {literal(given)}")
    places = tuple(_texts("target", table.target))
    return Term(table.metric, Transform(**given), table.weight, places, table.over, table.smarts, table.name)


def _table_of(table: TermTable) -> dict[str, Any]:
    """Write a term's table without what is default."""
    plain = TermTable(table.metric)
    given = (key for key in TERM_KEYS if key == "metric" or getattr(table, key) != getattr(plain, key))
    return {key: getattr(table, key) for key in given}


def _as_list(given: str | Mapping[str, Any] | Sequence[Any]) -> list[Any]:
    """Make a list of a list, or of one thing alone."""
    return [given] if isinstance(given, str | Mapping) else list(given)


def _texts(key: str, given: str | Sequence[str]) -> list[str]:
    texts = _as_list(given)
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise UsageError(f"{key} must be {KEYS.get(key) or TERM_KEYS[key]}; not {literal(given)}")
    return texts
