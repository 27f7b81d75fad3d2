"""Targets: the 58 prepared receptors of the dockstring package (Apache-2.0), read as files.

dockstring itself is never imported: it loads openbabel, and openbabel and vina in one process abort.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from tgsci.errors import UsageError

from ..smiles import shown

_SUFFIX = "_target.pdbqt"
_CENTER_LINE = re.compile(r"^\s*center_([xyz])\s*=\s*(-?\d+(?:\.\d+)?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Target:
    """A receptor and where its binding site is.

    Args:
        name: One of `target_names()`; upper and lower case are the same.

    Raises:
        UsageError: No such target, or dockstring is not installed.
    """

    name: str
    #: The prepared receptor, a pdbqt file.
    receptor: Path = field(init=False, repr=False)
    #: Centre of the binding site, Angstrom, in the receptor's frame.
    center: tuple[float, float, float] = field(init=False, repr=False)
    #: Of the receptor file; part of every fingerprint.
    sha256: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise UsageError('a target is a name, for example Target("ABL1")')
        known = {name.upper(): name for name in target_names()}
        name = known.get(self.name.strip().upper())
        if name is None:
            raise UsageError(f"no target {shown(self.name)}; {_near(self.name, list(known.values()))}")
        receptor = _directory() / f"{name}{_SUFFIX}"
        # A frozen dataclass has no other way to compute fields from its one argument.
        for key, value in {
            "name": name,
            "receptor": receptor,
            "center": _center(receptor.with_name(f"{name}_conf.txt")),
            "sha256": sha256(receptor.read_bytes()).hexdigest(),
        }.items():
            object.__setattr__(self, key, value)

    def __str__(self) -> str:
        return self.name


@cache
def target_names() -> tuple[str, ...]:
    """The names of all targets, in alphabetical order.

    Raises:
        UsageError: dockstring is not installed.
    """
    return tuple(sorted(path.name.removesuffix(_SUFFIX) for path in _directory().glob(f"*{_SUFFIX}")))


@cache
def _directory() -> Path:
    spec = find_spec("dockstring")
    for location in (spec.submodule_search_locations or []) if spec else []:
        directory = Path(location) / "resources" / "targets"
        if directory.is_dir():
            return directory
    raise UsageError("the receptors come with the dockstring package; try: pip install 'tgsci[molecules]'")


def _center(path: Path) -> tuple[float, float, float]:
    found = {axis: float(figure) for axis, figure in _CENTER_LINE.findall(path.read_text())}
    if len(found) != 3:
        raise UsageError(f"{path.name} of the installed dockstring does not say where the binding site is")
    return found["x"], found["y"], found["z"]


def _near(name: str, known: list[str]) -> str:
    wanted = name.strip().upper()[:40]
    by_upper = {n.upper(): n for n in known}
    near = difflib.get_close_matches(wanted, by_upper, n=5, cutoff=0.6)
    near += [n for n in by_upper if wanted and n.startswith(wanted[:3]) and n not in near][:5]
    hint = f"did you mean {', '.join(by_upper[n] for n in near)}? " if near else ""
    return f"{hint}`tgsci molecules targets` lists all {len(known)}"
