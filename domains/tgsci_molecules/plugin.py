"""The molecules domain: what it offers to the core. Imports quickly; RDKit comes with the first problem."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tgsci.errors import InvalidValue, UsageError
from tgsci.runs.domain import Domain, Problem

from .job import FINALISTS, KEYS

if TYPE_CHECKING:
    from .molecule.library import Molecule
    from .objective import Objective
    from .objective.advice import Advice

#: Columns of tables besides what the objective is about, and how many there are at most.
_COLUMNS = ("QED", "MW", "cLogP", "SA")
_MOST_COLUMNS = 8
#: Limits and terms that are spelled out to a model, at most.
_MOST_WORDS = 40
#: Off-targets that a run's directory is named after, at most.
_MOST_NAMED = 3
#: Notes on how the start molecules were read, at most.
_MOST_REMARKS = 20


class MoleculesDomain(Domain):
    """Design of small molecules: dock, read the report, change the SMILES."""

    name = "molecules"
    summary = "design small molecules that bind a protein and look like drugs (RDKit, AutoDock Vina)"

    def problem(self, config: Mapping[str, Any]) -> Problem:
        """Dock to a target or several, from one molecule or several, for the objective that the table describes.

        Args:
            config: See `KEYS`; `target` (unless the objective has its own) and `start` or `start_file` must be there.

        Raises:
            UsageError: An unknown key, a missing one or a bad value.
        """
        from .docking.finalists import finish
        from .editor.ga import GraphGA
        from .editor.random_edits import RandomEdits
        from .editor.rules import RuleEditor
        from .objective.table import read_objective
        from .views import export, svg

        objective, table, advice = read_objective(config)
        start, names, notes = _start(config)
        finalists = _finalists(config.get("finalists", FINALISTS))
        objective = objective.refusing(start)
        notes += [advice.said()] if advice.text else []
        notes += _broken_at_the_start(objective, start)
        rules = RuleEditor()
        baselines = {editor.name: editor for editor in (GraphGA(), RandomEdits())}
        return Problem(
            loss=objective,
            start=start,
            rules=rules,
            task=_task(objective, advice),
            domain=self.name,
            name=_name(objective),
            notes=notes,
            config={**table, "start": start, **({"names": names} if names else {}), "finalists": finalists},
            columns=_columns(objective),
            draw=svg,
            export=export,
            optimizers=baselines,
            options=rules.options,
            finish=partial(finish, count=finalists) if finalists else None,
        )

    def add_commands(self, commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        from .commands import COMMANDS

        for add in COMMANDS:
            add(commands)


def _name(objective: Objective) -> str:
    """Short, for the run's directory."""
    first, *others = (target.name for target in objective.targets)
    more = [f"{len(others) - _MOST_NAMED}-more"] if len(others) > _MOST_NAMED else []
    return "-".join([first, *others[:_MOST_NAMED], *more])


def _start(config: Mapping[str, Any]) -> tuple[list[str], dict[str, str], list[str]]:
    """The molecules to start from, each once; the names of those that have one; what was changed to read them."""
    if ("start" in config) == ("start_file" in config):
        missing = "the key 'start' is missing" if "start" not in config else "give start or start_file, not both"
        raise UsageError(f"{missing}: {KEYS['start']}; or start_file: {KEYS['start_file']}")
    molecules = _from_file(config["start_file"]) if "start_file" in config else _from_list(config["start"])
    names = {molecule.smiles: molecule.name for molecule in reversed(molecules) if molecule.name}
    names |= _names(config.get("names", {}))
    start = list(dict.fromkeys(molecule.smiles for molecule in molecules))
    notes = [remark for molecule in molecules for remark in molecule.remarks]
    if len(notes) > _MOST_REMARKS:
        notes[_MOST_REMARKS:] = [f"and {len(notes) - _MOST_REMARKS} more notes on how start molecules were read"]
    return start, {smiles: names[smiles] for smiles in start if smiles in names}, notes


def _from_list(value: object) -> list[Molecule]:
    from .molecule.library import clean

    smiles: Sequence[object] = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    if not smiles or not all(isinstance(s, str) for s in smiles):
        raise UsageError(f"start must be {KEYS['start']}")
    found = []
    for number, text in enumerate(smiles, 1):
        try:
            found.append(clean(str(text)))
        except (InvalidValue, UsageError) as error:
            raise UsageError(f"start molecule {number}: {error}") from None
    return found


def _from_file(path: object) -> list[Molecule]:
    from .molecule.library import read_molecules

    if not isinstance(path, str) or not path.strip():
        raise UsageError(f"start_file must be {KEYS['start_file']}, not {path!r}")
    return read_molecules(path)


def _names(value: object) -> dict[str, str]:
    """The names that the table gives, by canonical SMILES."""
    from .molecule.library import clean
    from .molecule.smiles import shown

    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value.values()):
        raise UsageError(f"names must be {KEYS['names']}; not {shown(str(value))}")
    found = {}
    for smiles, name in value.items():
        try:
            molecule = clean(str(smiles), name)
        except (InvalidValue, UsageError) as error:
            raise UsageError(f"names: {error}") from None
        if molecule.name:
            found[molecule.smiles] = molecule.name
    return found


def _finalists(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100:
        raise UsageError(f"finalists must be a whole number from 0 to 100, not {value!r}")
    return value


def _broken_at_the_start(objective: Objective, start: Sequence[str]) -> list[str]:
    """Which limits on structure the start itself breaks, so that they are not refused but only count."""
    open_limits = [x for x in objective.limits if x.structural and x.key not in objective.refused]
    if not open_limits:
        return []
    keys = "; ".join(limit.key for limit in open_limits)
    which = "The start" if len(start) == 1 else "One of the start molecules or more"
    return [
        f"{which} breaks: {keys}. Such molecules are docked and reported as infeasible until one keeps it; limits that "
        "the whole start keeps are refused without docking."
    ]


def _columns(objective: Objective) -> tuple[str, ...]:
    wanted = [m.name for m in objective.metrics.values() if m.kind == "vina"]
    wanted += [term.metric.name for term in objective.terms]
    wanted += [metric.name for limit in objective.limits if limit.simulated for metric in limit.metrics]
    wanted += [metric.name for limit in objective.limits for metric in limit.metrics]
    return tuple(dict.fromkeys([*wanted, *_COLUMNS]))[:_MOST_COLUMNS]


def _task(objective: Objective, advice: Advice) -> str:
    from .docking.vina import NOISE
    from .molecule.smiles import ELEMENTS, MAX_HEAVY_ATOMS, MAX_ROTATABLE_BONDS

    others = [target.name for target in objective.targets[1:]]
    protein = f"the protein {objective.target.name}" + (f" (docked into {', '.join(others)} too)" if others else "")
    lines = [
        f"Design a small molecule that binds {protein} and looks like a drug. A value is one SMILES string of one "
        "molecule: no salt or solvent, no name, no remarks.",
        f"The loss is {objective.formula}; lower is better.",
        *_meanings(objective),
        f"Scores of docking are kcal/mol and lower is better; differences below {NOISE:g} kcal/mol are noise of the "
        "search.",
    ]
    if objective.limits:
        lines.append("Hard limits: a molecule that breaks one loses against every molecule that keeps them. It must")
        lines += [f"- {limit.wish}" + _strictly(objective, limit.key) for limit in objective.limits[:_MOST_WORDS]]
        lines += _and_more(len(objective.limits))
    if advice.text:
        lines.append(f"The chemist advises: {advice.text!r}")
    lines += [
        f"A valid molecule uses only {' '.join(ELEMENTS)}, has at most {MAX_HEAVY_ATOMS} heavy atoms and "
        f"{MAX_ROTATABLE_BONDS} rotatable bonds, no radicals, isotopes or metals; write stereocentres with @ and @@. "
        "Write the neutral form; docking protonates it at pH 7.4.",
        "In your reason, quote the figure of the report that the change answers (a contact, an empty pocket, a broken "
        "limit, an alert, a part of QED, the price of rotatable bonds), then say which atoms you change and which "
        "figure should move, and which way.",
    ]
    return "\n".join(lines)


def _meanings(objective: Objective) -> list[str]:
    """What the terms are about, and how each is transformed."""
    lines = []
    for term in objective.terms[:_MOST_WORDS]:
        how = "" if term.transform.type == "identity" else f"; enters by {term.transform}"
        lines.append(f"- {term.label}: {term.metric.meaning}{how}")
    return lines + _and_more(len(objective.terms))


def _and_more(count: int) -> list[str]:
    return [f"- and {count - _MOST_WORDS} more"] if count > _MOST_WORDS else []


def _strictly(objective: Objective, key: str) -> str:
    return " (else it is refused and not measured)" if key in objective.refused else ""


#: What the entry point names.
domain = MoleculesDomain()
