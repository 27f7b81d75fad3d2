"""The molecules domain: what it offers to the core. Imports quickly; RDKit comes with the first problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tgsci.errors import InvalidValue, UsageError
from tgsci.runs.domain import Domain, Problem

from .job import KEYS, Job

if TYPE_CHECKING:
    import click

    from .molecule.library import Compound
    from .objective import Objective
    from .objective.advice import Advice

#: Columns of tables besides what the objective is about, and how many there are at most.
_COLUMNS = ("QED", "MW", "cLogP", "SA")
_MOST_COLUMNS = 8
#: The few columns of a model's history besides the scores; how many there are, and how many scores at most.
_KEY_COLUMNS = ("QED", "MW", "cLogP")
_FEW, _MOST_SCORES = 4, 4
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
        from .editor.ga import GraphGA
        from .editor.random_edits import RandomEdits
        from .editor.rules import RuleEditor
        from .insight.change import change
        from .insight.contrast import advice as advice_so_far
        from .insight.contrast import contrast
        from .insight.expected import predict
        from .insight.family import family
        from .insight.setting import setting
        from .objective.build import build_objective, read_job
        from .objective.careful import careful
        from .objective.finalists import finish, murcko
        from .views import export, svg

        job = read_job(config)
        objective, table, advice = build_objective(job)
        start, names, tags, notes = _start(job)
        objective = objective.refusing(start)
        notes += [advice.summary()] if advice.text else []
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
            config={
                **table,
                "start": start,
                **({"names": names} if names else {}),
                **({"tags": tags} if tags else {}),
                "finalists": job.finalists,
            },
            columns=_columns(objective),
            draw=svg,
            export=export,
            optimizers=baselines,
            options=rules.options,
            finish=partial(finish, count=job.finalists) if job.finalists else None,
            alike=murcko,
            key_columns=_key_columns(objective),
            family=family,
            change=change,
            contrast=partial(contrast, objective),
            advice=advice_so_far,
            predict=predict,
            limiting=objective.limiting,
            setting=setting(objective.targets),
            careful=careful(objective),
        )

    def commands(self) -> click.Group:
        from .commands import molecules

        return molecules


def _name(objective: Objective) -> str:
    """Choose a short name for the run's directory."""
    first, *others = (target.name for target in objective.targets)
    more = [f"{len(others) - _MOST_NAMED}-more"] if len(others) > _MOST_NAMED else []
    return "-".join([first, *others[:_MOST_NAMED], *more])


def _start(job: Job) -> tuple[list[str], dict[str, str], dict[str, dict[str, str]], list[str]]:
    """Read the molecules to start from, each once; their names and tags; and what was changed to read them."""
    if (job.start is None) == (job.start_file is None):
        missing = "the key 'start' is missing" if job.start is None else "give start or start_file, not both"
        raise UsageError(f"{missing}: {KEYS['start']}; or start_file: {KEYS['start_file']}")
    from .molecule.library import tags_of

    molecules = _from_list(job.start) if job.start is not None else _from_file(job.start_file or "")
    names: dict[str, str] = {each.smiles: each.name for each in reversed(molecules) if each.name}
    names |= _names(job.names)
    start: list[str] = list(dict.fromkeys(molecule.smiles for molecule in molecules))
    notes = [remark for molecule in molecules for remark in molecule.remarks]
    if len(notes) > _MOST_REMARKS:
        notes[_MOST_REMARKS:] = [f"and {len(notes) - _MOST_REMARKS} more notes on how start molecules were read"]
    tags = _tags(job.tags) | tags_of(molecules)
    tags = {smiles: tags[smiles] for smiles in start if smiles in tags}
    return start, {smiles: names[smiles] for smiles in start if smiles in names}, tags, notes


def _from_list(given: str | list[str]) -> list[Compound]:
    from .molecule.library import clean

    texts = [given] if isinstance(given, str) else given
    if not texts:
        raise UsageError(f"start must be {KEYS['start']}")
    compounds = []
    for number, text in enumerate(texts, 1):
        try:
            compounds += clean(text).both
        except InvalidValue as error:
            raise UsageError(f"start molecule {number}: {error}") from None
    return compounds


def _from_file(path: str) -> list[Compound]:
    from .molecule.library import read_molecules

    if not path.strip():
        raise UsageError(f"start_file must be {KEYS['start_file']}, not {path!r}")
    return read_molecules(path)


def _names(table: Mapping[str, str]) -> dict[str, str]:
    """Read the names that the table gives, by canonical SMILES."""
    from .molecule.library import clean

    names: dict[str, str] = {}
    for smiles, name in table.items():
        try:
            compound = clean(smiles, name)
        except InvalidValue as error:
            raise UsageError(f"names: {error}") from None
        if compound.name:
            names[compound.smiles] = compound.name
    return names


def _tags(table: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Read what the table says of molecules, by canonical SMILES."""
    from .molecule.library import clean

    try:
        return {clean(smiles).smiles: dict(known) for smiles, known in table.items()}
    except InvalidValue as error:
        raise UsageError(f"tags: {error}") from None


def _broken_at_the_start(objective: Objective, start: Sequence[str]) -> list[str]:
    """Say which limits on structure the start itself breaks, so that they are not refused but only count."""
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


def _key_columns(objective: Objective) -> tuple[str, ...]:
    """Choose the few figures that a row of a history shows: the scores, then what else the loss is made of."""
    every = [root for term in objective.terms for root in term.metric.roots]
    last = [root.name for root in every if root.kind in ("alerts", "strain")]  # mostly nothing to speak of
    roots = [root.name for root in every if root.name not in last]
    scores = [name for name in roots if objective.metrics[name].simulated]
    others = [name for name in (*roots, *_KEY_COLUMNS, *last) if name not in scores]
    return tuple(dict.fromkeys([*scores[:_MOST_SCORES], *others]))[: max(_FEW, min(len(scores), _MOST_SCORES) + 3)]


def _task(objective: Objective, advice: Advice) -> str:
    from .molecule.smiles import ELEMENTS, MAX_HEAVY_ATOMS, MAX_ROTATABLE_BONDS

    others = [target.name for target in objective.targets[1:]]
    protein = f"the protein {objective.target.name}" + (f" (docked into {', '.join(others)} too)" if others else "")
    lines = [
        f"Design a small molecule that binds {protein} and looks like a drug. A value is one SMILES string of one "
        "molecule: no salt or solvent, no name, no remarks.",
        f"The loss is {objective.formula}; lower is better.",
        *_meanings(objective),
        "Scores of docking are kcal/mol and lower is better; a pose is searched anew for each molecule, and small "
        "differences are noise of that search.",
    ]
    if objective.limits:
        lines.append("Hard limits: a molecule that breaks one loses against every molecule that keeps them. It must")
        lines += [
            f"- {limit.requirement}" + _strictly(objective, limit.key) for limit in objective.limits[:_MOST_WORDS]
        ]
        lines += _and_more(len(objective.limits))
    if advice.text:
        lines.append(f"The chemist advises: {advice.text!r}")
    lines += [
        f"A valid molecule uses only {' '.join(ELEMENTS)}, has at most {MAX_HEAVY_ATOMS} heavy atoms and "
        f"{MAX_ROTATABLE_BONDS} rotatable bonds, no radicals, isotopes or metals; write stereocentres with @ and @@. "
        "Write the neutral form; docking protonates it at pH 7.4.",
        "The family of a molecule is its rings and linkers, whatever their atoms: 6-5/6 kqm has a six-ring and a fused "
        "5/6 system, acyclic none.",
        "In your reason, say which atoms you change, what speaks for it (a contact, an empty pocket, a broken limit, "
        "an alert, a part of QED, the price of rotatable bonds, what a like change did), and which figure should move.",
    ]
    return "\n".join(lines)


def _meanings(objective: Objective) -> list[str]:
    """Say what the terms are about, and how each is transformed."""
    lines = []
    told = {"identity"}  # each formula once
    for term in objective.terms[:_MOST_WORDS]:
        how = "" if term.transform.type == "identity" else f"; enters by {term.transform}"
        if term.transform.type not in told:
            how += f", x being the figure: {term.transform.formula}"
            told.add(term.transform.type)
        lines.append(f"- {term.label}: {term.metric.meaning}{how}")
    return lines + _and_more(len(objective.terms))


def _and_more(count: int) -> list[str]:
    return [f"- and {count - _MOST_WORDS} more"] if count > _MOST_WORDS else []


def _strictly(objective: Objective, key: str) -> str:
    return " (else it is refused and not measured)" if key in objective.refused else ""


#: The object that the entry point names.
domain = MoleculesDomain()
