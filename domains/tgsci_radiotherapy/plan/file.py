"""`plan.json`, a plan as a file: parameters, fluence and what became of its goals."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.basics.texts import quote
from tgsci.errors import InvalidValue, UsageError

from ..notice import NOTICE
from .parameters import PlanParameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..case.model import Case
    from ..goals import GoalTable
    from ..planner import Plan

#: The artifact's name, and the version of the file's layout.
FILE, FORMAT = "plan.json", 1
#: Longest file that is read, characters; a fluence of 100,000 beamlets takes a million.
_LONGEST = 20_000_000
_KEYS = ("tgsci_plan", "notice", "case", "fractions", "parameters", "fluence", "goals", "solver", "grid", "versions")


@dataclass(frozen=True)
class PlanFile:
    """What a plan file holds.

    Args:
        case: Name of the case it was planned for.
        fingerprint: Of that case.
        fractions: Number of fractions.
        parameters: The objectives.
        fluence: One value a beamlet, float64.
        goals: The goal table, as `GoalTable.as_dict` gives it.
        solver: gap, value, iterations, seconds, method.
        grid: Dose grid that the goals were evaluated on.
        versions: Of what planned it.
    """

    case: str
    fingerprint: str
    fractions: int
    parameters: PlanParameters
    fluence: NDArray[np.float64]
    goals: Mapping[str, Any]
    solver: Mapping[str, Any]
    grid: str
    versions: Mapping[str, str]

    @classmethod
    def of(cls, plan: Plan, table: GoalTable, case: Case) -> PlanFile:
        """Describe a plan as its file does; the fluence is rounded to the digits that the file has.

        Args:
            plan: What was planned.
            table: What became of its goals.
            case: What it was planned for.
        """
        solver = {
            "gap": plan.gap if math.isfinite(plan.gap) else None,
            "value": plan.value,
            "iterations": plan.iterations,
            "seconds": round(plan.seconds, 3),
            "method": plan.method,
        }
        return cls(
            case.name,
            case.fingerprint,
            case.fractions,
            plan.parameters,
            round_fluence(plan.fluence),
            table.as_dict(),
            solver,
            plan.grid,
            versions(),
        )

    def text(self) -> str:
        """Write the file's text; `read_plan` reads it."""
        return json.dumps(
            {
                "tgsci_plan": FORMAT,
                "notice": NOTICE,
                "case": {"name": self.case, "fingerprint": self.fingerprint},
                "fractions": self.fractions,
                "parameters": self.parameters.as_dict(),
                "fluence": self.fluence.tolist(),
                "goals": self.goals,
                "solver": self.solver,
                "grid": self.grid,
                "versions": self.versions,
            }
        )

    def check(self, case: Case) -> None:
        """Refuse a case that the plan was not made for.

        Raises:
            UsageError: The plan was made for another case.
        """
        if len(self.fluence) != case.dij.beamlets:
            raise UsageError(
                f"the plan has {len(self.fluence)} beamlets and the case {case.name} {case.dij.beamlets}; it was made "
                f"for {self.case}"
            )
        if self.fingerprint != case.fingerprint:
            raise UsageError(
                f"the plan was made for another case ({self.case}, fingerprint {self.fingerprint[:8]}) than "
                f"{case.name} ({case.fingerprint[:8]}): structures, grid or beams differ"
            )

    def dose(self, case: Case) -> NDArray[np.float32]:
        """Calculate the plan's dose: total Gy of each row of the case.

        Raises:
            UsageError: The plan was made for another case.
        """
        from ..planner.recent import planner_of

        self.check(case)
        return planner_of(case).dose(self.fluence)


def versions() -> dict[str, str]:
    """List the versions of tgsci and of the packages that compile and calculate for it, by name."""
    from importlib.metadata import version

    from tgsci import __version__

    return {"tgsci": __version__, **{name: version(name) for name in ("numba", "numpy", "scipy")}}


def round_fluence(fluence: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round a fluence to the six significant digits that a file has."""
    return np.array([float(f"{x:.6g}") for x in fluence.tolist()])


def write_plan(plan: Plan, table: GoalTable, case: Case) -> str:
    """Write a plan as the text of a file.

    Args:
        plan: What was planned.
        table: What became of its goals.
        case: What it was planned for.
    """
    return PlanFile.of(plan, table, case).text()


def read_plan(text: str | bytes) -> PlanFile:
    """Read what `write_plan` wrote.

    Raises:
        UsageError: The text is no plan file; says what is wrong.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError:
            raise UsageError("a plan file is UTF-8 text, and this is not") from None
    if len(text) > _LONGEST:
        raise UsageError(f"a plan file has at most {_LONGEST} characters, and this has {len(text)}")
    try:
        table = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not a plan file, but broken JSON: {quote(str(error), 120)}") from None
    if not isinstance(table, dict) or "tgsci_plan" not in table:
        raise UsageError("not a plan file: the key 'tgsci_plan' is missing; tgsci radiotherapy plan writes plan.json")
    if table["tgsci_plan"] != FORMAT:
        raise UsageError(f"a plan file of format {quote(table['tgsci_plan'])}; this tgsci reads format {FORMAT}")
    missing = [key for key in _KEYS if key not in table]
    if missing:
        raise UsageError(f"the plan file is not complete: {', '.join(missing)} missing")
    try:
        return _read(table)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"the plan file is damaged: {quote(str(error), 120)}") from None


def _read(table: Mapping[str, Any]) -> PlanFile:
    try:
        parameters = PlanParameters.from_dict(table["parameters"])
    except InvalidValue as error:
        raise UsageError(f"the plan file's parameters: {error}") from None
    fluence = np.array(table["fluence"], np.float64)
    if fluence.ndim != 1 or not len(fluence) or not np.isfinite(fluence).all() or (fluence < 0).any():
        raise UsageError("the plan file's fluence must be a list of finite numbers of 0 or more")
    for key in ("case", "goals", "solver", "versions"):
        if not isinstance(table[key], dict):
            raise UsageError(f"the plan file's {key!r} must be an object")
    return PlanFile(
        str(table["case"]["name"]),
        str(table["case"]["fingerprint"]),
        int(table["fractions"]),
        parameters,
        fluence,
        table["goals"],
        table["solver"],
        str(table["grid"]),
        {str(k): str(v) for k, v in table["versions"].items()},
    )
