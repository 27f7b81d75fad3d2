"""The options that set how hard to dock."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tgsci.cli.command import option, options

from ..job import SETTINGS

if TYPE_CHECKING:
    from ..docking.vina import Settings

_add = partial(option, section="Docking (the default is fast: 1 to 4 CPU seconds a drug)")

#: Decorator: the options of `Settings`; the function gets those that were typed as `docking`, by a job file's keys.
docking_options = options(
    "docking",
    _add("--exhaustiveness", type=int, metavar="N", help="restarts of the search (8)"),
    _add("--max-evals", type=int, metavar="N", help="energy evaluations of each (20000); 0: no cap"),
    _add("--box", type=float, metavar="A", help="smallest edge of the box, Angstrom (22)"),
    _add("--conformers", type=int, metavar="N", help="starting conformers, each docked (2)"),
    _add("--isomers", type=int, metavar="N", help="stereoisomers docked where stereo is left open (2)"),
    _add("--tautomers", type=int, metavar="N", help="tautomers docked; 1: as written (1)"),
    _add("--states", type=int, metavar="N", help="states of protonation docked around pH 7.4 (1)"),
    _add("--ring-conformers", type=int, metavar="N", help="conformers where a ring has 8 atoms or more (4)"),
    _add("--docking-seed", type=int, metavar="N", help="seed of conformers and search (1)"),
)


def settings_of(docking: dict[str, Any]) -> Settings:
    """Build the settings that were typed; those that were not keep their defaults.

    Args:
        docking: Values by a job file's keys.

    Raises:
        UsageError: A setting is out of its range.
    """
    from ..docking.vina import Settings

    return Settings(**{SETTINGS[key]: value for key, value in docking.items()})
