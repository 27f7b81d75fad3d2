"""DOCKSTRING's three tasks, who is compared on them, and what is published."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: The tasks: the name of the objective, as a job file would say it.
TASKS = {"F2": "dockstring-f2", "PPAR": "dockstring-ppar", "JAK2": "dockstring-jak2"}

#: Where every search starts. A published method begins with known drug-like molecules; here none is given.
START = "CC(N)=O"

#: Published after 100 evaluations, median of 3 runs (Garcia-Ortegon et al., J. Chem. Inf. Model. 2022, 62, 3486).
PUBLISHED = {
    "random ZINC": {"F2": -7.33, "PPAR": -7.49, "JAK2": -7.95},
    "graph GA": {"F2": -8.46, "PPAR": -8.44, "JAK2": -8.63},
    "SELFIES GA": {"F2": -9.06, "PPAR": -8.69, "JAK2": -8.84},
    "GP-BO (EI)": {"F2": -8.73, "PPAR": -9.03, "JAK2": -8.96},
}

#: What has to be beaten: the best published figure of each task.
BAR = {task: min(row[task] for row in PUBLISHED.values()) for task in TASKS}


def optimizers() -> dict[str, Callable[[], Any]]:
    """How each is made, by the name that `--optimizer` takes."""
    from tgsci_molecules.editor.ga import GraphGA
    from tgsci_molecules.editor.random_edits import RandomEdits
    from tgsci_molecules.editor.rules import RuleEditor

    return {"rules": RuleEditor, "ga": GraphGA, "random": RandomEdits}


def objective(task: str) -> Any:
    """The loss of a task at the fast setting, from one conformer: the leaders are docked again in any case."""
    from tgsci_molecules.docking.vina import Settings
    from tgsci_molecules.objective import Objective
    from tgsci_molecules.objective.presets import preset

    form = preset(TASKS[task])
    return Objective(form.targets, form.terms, settings=Settings(conformers=1), name=TASKS[task])
