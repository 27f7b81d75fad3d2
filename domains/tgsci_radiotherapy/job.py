"""The settings of a plan search: a job file's [radiotherapy] table, and the options of `tgsci radiotherapy plan`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tgsci.basics import checks
from tgsci.basics.settings import check, meanings, setting
from tgsci.errors import UsageError

#: How many plans a run of the command line makes unless it says otherwise.
EVALUATIONS = 30
#: Relative optimality gap that plans are solved to, and the longest that one may take, s, unless a job says otherwise.
GAP, SECONDS = 1e-3, 300.0
#: The gaps and times, s, that may be asked for.
GAPS, TIMES = (1e-6, 0.05), (1.0, 86_400.0)


@dataclass(frozen=True)
class PlanJob:
    """What to plan, for which goals, and from where.

    Raises:
        UsageError: A value that is not what its setting must be.
    """

    case: str = setting(
        "a built-in case (see: tgsci radiotherapy cases) or a .zarr file that tgsci radiotherapy import wrote"
    )
    goals: str = setting(
        "a sheet of clinical goals by name (see: tgsci radiotherapy goals) or a .toml file of your own"
    )
    start: str | dict[str, Any] | list[Any] | None = setting(
        "parameters to start from: JSON text, a .json file of them, or another run's plan.json; a list for several. "
        "Left out, the goals give a start",
        None,
    )
    objectives: list[dict[str, Any]] | None = setting(
        "the start written as tables [[radiotherapy.objectives]] of structure, type, dose_gy, weight, volume_percent "
        "and exponent",
        None,
    )
    prescription: dict[str, Any] | None = setting(
        "a table of target and total Gy, in place of the case's: prescription = { PTV = 50 }", None
    )
    protocol: str = setting(
        "free, or textgrad-paper: weights only, all 100 at the start, D95% scaled to the prescription", "free"
    )
    implied: bool = setting(
        "false to leave out the goals that every clinic means and a sheet does not say: the upper side of targets, hot "
        "spots outside them, fall-off, conformity; true unless given",
        True,
    )
    gap: float = setting(
        "relative optimality gap that every plan is solved to; 0.001 unless given", GAP, low=GAPS[0], high=GAPS[1]
    )
    seconds: float = setting(
        "longest that one plan may take, s; 300 unless given", SECONDS, low=TIMES[0], high=TIMES[1], unit="s"
    )

    def __post_init__(self) -> None:
        check(self)
        for name in ("case", "goals"):
            checks.text(name, getattr(self, name), KEYS[name])
        if self.start is not None and self.objectives is not None:
            raise UsageError("give start or objectives, not both: each is what the run starts from")


#: Each key of the table with what it means.
KEYS = meanings(PlanJob)
