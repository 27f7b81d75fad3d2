"""From the table of a job file to an objective, and back to a table that builds the same one."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tgsci.errors import UsageError

from ..docking.vina import Settings
from ..job import KEYS, SETTINGS, TERM_KEYS
from ..target.targets import Target
from .advice import Advice, read_advice
from .loss import Objective, checked_qed_weight, vina_and_qed
from .metrics import kind_of
from .presets import PRESETS, against_others, preset
from .ranges import read_range
from .terms import Term
from .transforms import Transform, said

_TRANSFORM = "a name, or a table with its type: { type = 'sigmoid', low = 0.2, high = 0.6 }"
#: More terms than this are no objective that anybody wrote.
_MOST_TERMS = 200
#: The keys that an objective's own formula is made of.
_FORMULA = ("aggregate", "terms")


def read_objective(config: Mapping[str, Any]) -> tuple[Objective, dict[str, Any], Advice]:
    """The objective that a table describes.

    Args:
        config: See `KEYS`; what is about the start and the run is left alone.

    Returns:
        The objective; a JSON-able table that describes it again; and what became of the advice.

    Raises:
        UsageError: An unknown key or a bad value: which one, and what to write.
    """
    check_keys(config)
    targets, terms, table = _formula(config)
    advice = read_advice(config.get("advise", ""))
    settings = _settings(config)
    lists = {key: _listed(key, config[key]) for key in ("keep", "avoid", "contacts", "alerts") if key in config}
    limits = config.get("limits", {})
    if not isinstance(limits, Mapping):
        raise UsageError(f"limits must be {KEYS['limits']}; not {said(limits)}")
    core, reference = config.get("core"), config.get("reference", ())
    if core is not None and (not isinstance(core, str) or not core.strip()):
        raise UsageError(f"core must be {KEYS['core']}; not {said(core)}")
    if not isinstance(reference, str):
        reference = _texts("reference", reference)
    objective = Objective(
        targets,
        terms,
        aggregate=_text("aggregate", config.get("aggregate", "sum")),
        limits=limits,
        keep=[*lists.get("keep", ()), *advice.keep],
        avoid=[*lists.get("avoid", ()), *advice.avoid],
        core=core,
        reference=reference,
        contacts=_texts("contacts", lists.get("contacts", ())),
        alerts=lists.get("alerts", ()),
        settings=settings,
    )
    if "limits" in config:
        table["limits"] = {str(key): list(read_range(str(key), value)) for key, value in limits.items()}
    table |= {**{key: config[key] for key in ("core", "reference") if key in config}, **lists}
    if advice.text:
        table["advise"] = advice.text
    table |= {key: getattr(settings, field) for key, field in SETTINGS.items()}
    return objective, json.loads(json.dumps(table)), advice


def check_keys(config: Mapping[str, Any]) -> None:
    """Refuse keys that nobody knows, with the nearest that is known.

    Raises:
        UsageError: There is one.
    """
    if not isinstance(config, Mapping):
        raise UsageError(
            f"a problem is described by a table such as {{'target': 'ABL1', 'start': 'CCO'}}, not {said(config)}"
        )
    for key in config:
        if key in KEYS:
            continue
        near = difflib.get_close_matches(str(key)[:40], KEYS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else _elsewhere(str(key))
        raise UsageError(f"unknown key {str(key)[:40]!r}; {hint}There are: {', '.join(KEYS)}")


def _settings(config: Mapping[str, Any]) -> Settings:
    """How hard to dock; a message names the key of the job, not the field."""
    given = {field: config[key] for key, field in SETTINGS.items() if key in config}
    try:
        return Settings(**given)
    except UsageError as error:
        keys = {field: key for key, field in SETTINGS.items()}
        field, space, rest = str(error).partition(" ")
        raise UsageError(f"{keys.get(field, field)}{space}{rest}") from None


def _elsewhere(key: str) -> str:
    try:
        kind = kind_of(key)
    except UsageError:
        return ""
    return f"a range of {kind} goes into the table limits, and its weight into a table of terms. "


def _formula(config: Mapping[str, Any]) -> tuple[list[Target], Sequence[Term], dict[str, Any]]:
    """Where it is docked, the terms, and how the table says so."""
    name, given = config.get("objective"), _terms(config.get("terms", ()))
    own = next((key for key in _FORMULA if key in config), None)
    if name is not None and own:
        raise UsageError(f"give objective = {said(name)} or a formula of your own under {own}, not both")
    if "aggregate" in config and not given:
        raise UsageError("aggregate puts terms together; there is no [[molecules.terms]]")
    form = preset("dockstring" if name is None else name)
    if "qed_weight" in config and (given or form.targets or form is PRESETS["vina-qed"]):
        raise UsageError("qed_weight belongs to the objective dockstring; give the term about QED its weight instead")
    targets = _targets(config, form.targets if not given else ())
    table: dict[str, Any] = {"target": targets[0].spec}
    if targets[1:]:
        table["off_targets"] = [target.spec for target in targets[1:]]
    if given:
        kept = {key: config[key] for key in _FORMULA if key in config}
        return targets, given, table | kept
    terms: Sequence[Term] = form.terms
    if not form.targets:
        if "qed_weight" in config:
            terms = vina_and_qed(checked_qed_weight(config["qed_weight"]))
        if targets[1:]:
            terms = (*terms, against_others())
    if name is not None:
        table["objective"] = name
    if form is PRESETS["dockstring"]:
        table["qed_weight"] = checked_qed_weight(config.get("qed_weight", 10.0))
    return targets, terms, table


def _targets(config: Mapping[str, Any], fixed: Sequence[str]) -> list[Target]:
    if "target" not in config and not fixed:
        raise UsageError(f"the key 'target' is missing: {KEYS['target']}")
    first = config.get("target", fixed[0] if fixed else "")
    if not isinstance(first, str) or not first.strip():
        raise UsageError(f"target must be {KEYS['target']}, not {said(first)}")
    others = _texts("off_targets", config.get("off_targets", fixed[1:]))
    targets = [Target(text) for text in (first, *others)]
    if fixed and [target.spec for target in targets] != list(fixed):
        raise UsageError(
            f"the objective {config.get('objective')!r} docks into {', '.join(fixed)}; leave out target and off_targets"
        )
    return targets


def _terms(given: object) -> list[Term]:
    if not isinstance(given, list | tuple):
        raise UsageError(f"terms must be {KEYS['terms']}; not {said(given)}")
    if len(given) > _MOST_TERMS:
        raise UsageError(f"there are {len(given)} terms; an objective has at most {_MOST_TERMS}")
    terms = []
    for number, table in enumerate(given, 1):
        try:
            terms.append(_term(table))
        except UsageError as error:
            raise UsageError(f"term {number}: {error}") from None
    return terms


def _term(table: object) -> Term:
    if not isinstance(table, Mapping):
        raise UsageError(f"must be a table of {', '.join(TERM_KEYS)}; not {said(table)}")
    for key in table:
        if key not in TERM_KEYS:
            near = difflib.get_close_matches(str(key)[:40], TERM_KEYS, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            if key in ("low", "high", "k", "type", "slope", "offset"):
                hint = "it belongs into the transform: transform = { type = 'sigmoid', low = 0.2, high = 0.6 }. "
            raise UsageError(f"unknown key {str(key)[:40]!r}; {hint}There are: {', '.join(TERM_KEYS)}")
    if "metric" not in table:
        raise UsageError(f"the key 'metric' is missing: {TERM_KEYS['metric']}")
    transform = table.get("transform", "identity")
    if isinstance(transform, Mapping):
        if not all(isinstance(key, str) for key in transform) or "type" not in transform:
            raise UsageError(f"a transform is {_TRANSFORM}; not {said(transform)}")
        transform = Transform(**transform)
    elif isinstance(transform, str):
        transform = Transform(transform)
    else:
        raise UsageError(f"a transform is {_TRANSFORM}; not {said(transform)}")
    place = table.get("target", ())
    return Term(
        table["metric"],
        transform,
        table.get("weight", 1.0),
        (place,) if isinstance(place, str) else tuple(_texts("target", place)),
        _text("over", table.get("over", "")),
        _text("smarts", table.get("smarts", "")),
        _text("name", table.get("name", "")),
    )


def _listed(key: str, given: object) -> list[Any]:
    """A list, or one thing alone."""
    if isinstance(given, str | Mapping):
        return [given]
    if isinstance(given, list | tuple):
        return list(given)
    raise UsageError(f"{key} must be {KEYS[key]}; not {said(given)}")


def _texts(key: str, given: object) -> list[str]:
    found: list[Any] = [given] if isinstance(given, str) else [None]
    if isinstance(given, list | tuple):
        found = list(given)
    if not all(isinstance(text, str) and text.strip() for text in found):
        raise UsageError(f"{key} must be {KEYS.get(key, TERM_KEYS.get(key))}; not {said(given)}")
    return found


def _text(key: str, given: object) -> str:
    if not isinstance(given, str):
        raise UsageError(f"{key} must be {KEYS.get(key) or TERM_KEYS[key]}; not {said(given)}")
    return given
