"""The [molecules] table of a job file; the options of `tgsci molecules design` are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tgsci.basics import settings
from tgsci.basics.checks import keys
from tgsci.basics.settings import check, meanings, setting
from tgsci.errors import UsageError

from .docking.settings import Settings

#: How many finalists a run docks again unless it says otherwise.
FINALISTS = 3
#: The keys that set how hard to dock, with the fields of `Settings` that they go to.
SETTINGS = {"docking_seed" if name == "seed" else name: name for name in meanings(Settings) if name != "whole_box"}
_TRANSFORM = "a name, or a table of type and its parameters: { type = 'sigmoid', low = 0.2, high = 0.6 }"


@dataclass(frozen=True)
class TermTable:
    """One table [[molecules.terms]]; see `objective.terms.Term`."""

    metric: str = setting("what the term is about: vina, QED, MW, 'LCK vina', matches ...")
    transform: str | dict[str, Any] = setting(_TRANSFORM, "identity")
    weight: float = setting("above 0, 1 unless given; in a sum it may be negative", 1.0)
    target: str | list[str] = setting("the target or the targets that a docking metric is about", factory=list)
    over: str = setting("max, min or mean over several targets", "")
    smarts: str = setting("what the metric matches counts", "")
    name: str = setting("a text for tables and reports", "")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Job:
    """The table. What it does not say is None or empty; `docking` has the keys of `SETTINGS`."""

    target: str | None = setting(
        "the protein, for example ABL1, or a directory that `tgsci molecules prepare` wrote", None
    )
    off_targets: str | list[str] | None = setting(
        "a list of further targets: what the molecule should not bind, or what terms are about", None
    )
    start: str | list[str] | None = setting("a SMILES or a list of them", None)
    start_file: str | None = setting("a file of molecules to start from: .smi, .csv or .sdf", None)
    names: dict[str, str] = setting(
        "a table of SMILES and name: what start molecules are called; a start_file brings its own", factory=dict
    )
    tags: dict[str, dict[str, str]] = setting(
        "a table of SMILES and what is known of them, by name; a start_file brings its own", factory=dict
    )
    objective: str | None = setting(
        "a name from `tgsci molecules objectives`; dockstring where neither it nor terms are given", None
    )
    qed_weight: float | None = setting(
        "what one whole QED is worth in the objective dockstring", None, low=0.0, high=1e6, unit="kcal/mol"
    )
    aggregate: str | None = setting("how terms are put together: sum, geometric_mean or arithmetic_mean", None)
    terms: list[TermTable] = setting(
        "tables [[molecules.terms]] of metric, transform, weight, target, over, smarts and name", factory=list
    )
    limits: dict[str, Any] = setting(
        "a table of hard limits: MW = [200, 500], cLogP = '<= 5', 'ring sizes' = [5, 7]", factory=dict
    )
    keep: str | dict[str, Any] | list[Any] = setting(
        "SMARTS that must stay, a list; or tables of smarts, name and count", factory=list
    )
    avoid: str | dict[str, Any] | list[Any] = setting(
        "SMARTS that must not appear, a list; or tables of smarts, name and count", factory=list
    )
    core: str | None = setting(
        "a scaffold with attachment points that stays intact and grows only there: Nc1nccc([*:1])n1", None
    )
    reference: str | list[str] = setting("a SMILES, or a list of them, that similarity is measured to", factory=list)
    contacts: str | list[str] = setting("contacts that the docked pose must make, a list: 'hbond Met318'", factory=list)
    alerts: str | list[str] = setting(
        "catalogues of alerts that must not be raised, a list: PAINS, BRENK, UNSTABLE, NIH, CHEMBL",
        factory=list,
    )
    alert_cost: float | None = setting(
        "what each alert of PAINS, BRENK and UNSTABLE costs, 0 for nothing; published objectives have none",
        None,
        low=0.0,
        high=1e3,
        unit="kcal/mol",
    )
    strain_cost: float | None = setting(
        "what each kcal/mol of strain above 12 costs, 0 for nothing; published objectives have none",
        None,
        low=0.0,
        high=1e3,
    )
    advise: str = setting("advice in words, for the model; groups to keep or avoid that it names become limits", "")
    finalists: int = setting(
        "how many of the best are docked again at full effort after the run; 0 for none", FINALISTS, low=0, high=100
    )
    docking: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        check(self)


#: Each key of the table with what it means.
KEYS = {
    **{name: meaning for name, meaning in meanings(Job).items() if name != "docking"},
    **{key: meanings(Settings)[name] for key, name in SETTINGS.items()},
}
TERM_KEYS = meanings(TermTable)


def read_job(table: Mapping[str, Any]) -> Job:
    """Read the [molecules] table of a job.

    Args:
        table: The table as TOML, JSON or a notebook has it.

    Raises:
        UsageError: The argument is no table, has an unknown key, or a value that is not what it must be.
    """
    if isinstance(table, Mapping):
        keys(table, KEYS)
    docking = {field: table[key] for key, field in SETTINGS.items() if key in table}
    rest = {key: value for key, value in table.items() if key not in SETTINGS}
    try:
        searched = Settings(**docking)
    except UsageError as error:  # names the field: say the key instead
        key_of = {field: key for key, field in SETTINGS.items()}
        name, space, why = str(error).partition(" ")
        raise UsageError(f"{key_of.get(name, name)}{space}{why}") from None
    return settings.read(Job, {**rest, "docking": searched})
