"""Targets: the 58 prepared receptors of the dockstring package (Apache-2.0), and your own.

dockstring's receptors are read as files; it is never imported: it loads openbabel, and openbabel and vina in one
process abort. Your own are directories that `tgsci molecules prepare` wrote.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tgsci.basics.texts import literal, quote, visible
from tgsci.errors import UsageError

from .names import resolved, suggestions
from .numbering import AMINO_ACIDS, Numbering, builtin_numbering, standard

_SUFFIX = "_target.pdbqt"
_FIGURE_LINE = re.compile(r"^\s*(center|size)_([xyz])\s*=\s*(-?\d+(?:\.\d+)?)\s*$", re.MULTILINE)
#: What `tgsci molecules prepare` writes last: a directory without it is not a target.
TARGET_FILE = "target.json"
FORMAT = "tgsci target 1"
#: Largest file of a target directory that is read, bytes; a ribosome's would be smaller.
_MAX_BYTES = 64_000_000
_MAX_JSON_BYTES = 4_000_000
#: Edges of a box that can be searched, Angstrom: the maps of a larger one fill the memory.
_EDGES = (5.0, 60.0)

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Target:
    """A receptor and where its binding site is.

    Args:
        name: One of `target_names()` or a common synonym; upper and lower case are the same. Or a directory that
            `tgsci molecules prepare` wrote; a built-in name goes first, so write ./abl1 for a directory abl1.

    Raises:
        UsageError: No such target, a directory that is none or was changed, or dockstring is not installed.
    """

    name: str
    #: The prepared receptor, a pdbqt file.
    receptor: Path = field(init=False, repr=False, compare=False)
    #: Centre of the binding site, Angstrom, in the receptor's frame.
    center: Point = field(init=False, repr=False)
    #: Edges of the whole search box, Angstrom.
    box: Point = field(init=False, repr=False)
    #: The digest of the receptor file; part of every fingerprint.
    sha256: str = field(init=False, repr=False)
    #: The prepared protein with all its hydrogens, PDB; None for the built-in targets.
    structure: Path | None = field(init=False, repr=False, compare=False)
    #: The directory of a prepared target; None for the built-in ones.
    directory: Path | None = field(init=False, repr=False, compare=False)
    _numbering: Numbering = field(init=False, repr=False, compare=False)
    #: Chains of which a label must name the chain; empty where there is only one.
    _named_chains: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, (str, os.PathLike)) or not str(self.name).strip():
            given = "" if self.name == "" else f", not {literal(self.name)}"
            raise UsageError(f'a target is a name, for example Target("ABL1"), or a directory{given}')
        text = str(self.name).strip()
        known = {name.upper(): name for name in target_names()}
        name = known.get(text.upper())
        if name is not None:
            fields = _builtin(name)
        elif _names_a_directory(text):
            fields = _own(Path(text))
        elif resolved(text) in known.values():
            fields = _builtin(str(resolved(text)))
        else:
            near = suggestions(text)
            hint = f"did you mean {', '.join(near)}? " if near else ""
            raise UsageError(f"no target {quote(text)}; {hint}`tgsci molecules targets` lists all {len(known)}")
        # A frozen dataclass has no other way to compute fields from its one argument.
        for key, value in fields.items():
            object.__setattr__(self, key, value)

    def __str__(self) -> str:
        return self.name

    @property
    def spec(self) -> str:
        """What makes this target again: its name, or its directory."""
        return str(self.directory) if self.directory else self.name

    @property
    def numbering(self) -> str:
        """One sentence: whose numbers the labels of residues carry."""
        return self._numbering.note

    def label(self, resname: str, number: int | str, chain: str = "") -> str:
        """Name a residue as people write it, `Met318`; with its chain, `B:Met318`, where a protein has several.

        A name that ends in a digit is set apart from the number: `Fs4:501`.

        Args:
            resname: The residue's name in the receptor file; odd names (MEU, HIZ ...) become the usual ones.
            number: Its number in the receptor file, with an insertion code if it has one.
            chain: Its chain in the receptor file.
        """
        name = standard(resname).capitalize()
        text = str(number).strip()
        if self.directory is None and name.upper() in AMINO_ACIDS and text.isdigit():
            text = self._numbering.number(text)
        prefix = f"{chain.strip()}:" if chain.strip() in self._named_chains else ""
        return f"{prefix}{name}{':' if name[-1:].isdigit() else ''}{text}"


def as_target(given: Target | str) -> Target:
    """Take a target, or find that of a name or a directory.

    Raises:
        UsageError: The argument is neither, or there is no such target.
    """
    return given if isinstance(given, Target) else Target(given)


def _builtin(name: str) -> dict[str, Any]:
    receptor = _directory() / f"{name}{_SUFFIX}"
    center, box = _site(receptor.with_name(f"{name}_conf.txt"))
    return {
        "name": name,
        "receptor": receptor,
        "center": center,
        "box": box,
        "sha256": sha256(receptor.read_bytes()).hexdigest(),
        "structure": None,
        "directory": None,
        "_numbering": builtin_numbering(name),
        "_named_chains": (),
    }


def is_name(text: str) -> bool:
    """Tell whether a target can be called so: files are named after it, and terminals show it."""
    return bool(re.fullmatch(r"(?![.\s])[^/\\]{1,60}(?<!\s)", text)) and text.isprintable()


def _names_a_directory(text: str) -> bool:
    """Tell whether a text is a path rather than a name: it has a separator, or there is such a directory."""
    return "/" in text or os.sep in text or (len(text) < 200 and "\0" not in text and Path(text).is_dir())


def _own(directory: Path) -> dict[str, Any]:
    from .site import check_site

    description = _description(directory)
    try:
        receptor = _unchanged(directory, "receptor.pdbqt", description)
        structure = _unchanged(directory, "receptor.pdb", description)
        chains = tuple(str(chain) for chain in description["chains"])
        name, center, box = str(description["name"]), _point(description["center"]), _point(description["box"])
        if not all(_EDGES[0] <= edge <= _EDGES[1] for edge in box):
            raise ValueError("edges of a box that can be searched")
        check_site(receptor, name, center, box)  # here, before a run is begun
        return {
            "name": name,
            "receptor": receptor,
            "center": center,
            "box": box,
            "sha256": str(description["files"]["receptor.pdbqt"]),
            "structure": structure,
            "directory": directory.resolve(),
            "_numbering": Numbering(visible(str(description["numbering"]))[:200], "the file's"),
            "_named_chains": chains if len(chains) > 1 else (),
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"{str(directory / TARGET_FILE)!r} lacks {error}: prepare the target again with `tgsci molecules prepare`"
        ) from None


def _description(directory: Path) -> Mapping[str, Any]:
    """Read target.json of a directory.

    Raises:
        UsageError: The directory has no target.json, or one that `prepare` did not write.
    """
    path = directory / TARGET_FILE
    where = quote(str(directory))
    try:
        if not path.is_file():
            what = "has no target.json" if directory.is_dir() else "is no directory"
            raise UsageError(
                f"no target {where}: it {what}. `tgsci molecules prepare protein.pdb --ligand NAME --out DIR` "
                f"makes one; `tgsci molecules targets` lists all {len(target_names())} that are built in"
            )
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise UsageError(f"{str(path)!r} is larger than any target.json; this is no target directory")
        description = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{str(path)!r} cannot be read ({error}); prepare the target again") from None
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise UsageError(
            f"{str(path)!r} was not written by this version of `tgsci molecules prepare`; prepare it again"
        )
    return description


def _unchanged(directory: Path, name: str, description: Mapping[str, Any]) -> Path:
    wanted = description["files"][name]
    path = directory / name
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UsageError(f"{str(path)!r} is larger than {_MAX_BYTES // 1_000_000} MB; prepare the target again")
        digest_there = sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be read ({error.strerror}); prepare the target again") from None
    if digest_there != wanted:
        raise UsageError(
            f"{str(path)!r} was changed after it was prepared: scores would not be those of this target. "
            "Prepare it again, or put the file back"
        )
    return path.resolve()


def _point(figures: Any) -> Point:
    x, y, z = (float(figure) for figure in figures)
    if not all(abs(figure) < 1e5 for figure in (x, y, z)):
        raise ValueError("a plausible position")
    return x, y, z


@cache
def target_names() -> tuple[str, ...]:
    """List the names of all built-in targets, in alphabetical order.

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


def _site(path: Path) -> tuple[Point, Point]:
    """Read centre and edges of the box from a configuration file of dockstring's, Angstrom."""
    numbers = {(what, axis): float(figure) for what, axis, figure in _FIGURE_LINE.findall(path.read_text())}
    try:
        return _point(numbers["center", axis] for axis in "xyz"), _point(numbers["size", axis] for axis in "xyz")
    except KeyError:
        raise UsageError(f"{path.name} of the installed dockstring does not say where the binding site is") from None
