"""`receptor.pdb`: the protein that the poses lie in, beside them, so that both open together."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgsci.basics.files import write_atomically

from ..target.targets import Target

if TYPE_CHECKING:
    from tgsci.runs.result import Result

#: The file where there is one target; with several, the target's name stands before it.
FILE = "receptor.pdb"
#: The number in a label such as B:Met318, Gly27A or Ile12'.
_NUMBER = re.compile(r"(?P<number>-?\d+)(?P<code>[A-Za-z]?)(?P<copy>['#]?)$")
_COPY = "Z"


def write_receptors(result: Result, directory: Path) -> Sequence[Path]:
    """Write the proteins that a run docked into; nothing where its loss docks nowhere.

    Args:
        result: The result of a run.
        directory: Must exist.

    Returns:
        A path for each target.
    """
    from ..preparation.repair import receptor_pdb

    targets = targets_of(result)
    paths = []
    for target in targets:
        name = FILE if len(targets) == 1 else f"{_file_name(target.name)}.{FILE}"
        write_atomically(directory / name, numbered(receptor_pdb(target), target))
        paths.append(directory / name)
    return paths


def numbered(pdb: str, target: Target) -> str:
    """Number a protein's residues as reports do, by UniProt where that is known.

    Args:
        pdb: Text with the receptor file's own numbers.
        target: The target that the receptor belongs to.
    """
    lines = [f"REMARK   1 {text}" for text in textwrap.wrap(_ascii(_remark(target)), 69)]
    places: dict[str, str] = {}
    taken: set[str] = set()
    for line in pdb.splitlines():
        if line.startswith(("ATOM", "HETATM")):
            residue = line[17:27]
            if residue not in places:
                place = _place(line, target)
                # Pieces of another copy may bear the same numbers: these go into a chain of their own.
                places[residue] = place if place not in taken else f"{_COPY}{place[1:]}"
                taken.add(places[residue])
            line = f"{line[:21]}{places[residue]}{line[27:]}"
        lines.append(line)
    return "\n".join([*lines, ""])


def _place(line: str, target: Target) -> str:
    """Write chain, number and insertion code of an atom's residue, as columns 22 to 27."""
    label = target.label(line[17:20].strip(), line[22:27].strip(), line[21].strip())
    place = _NUMBER.search(label)
    if not place or len(place["number"]) > 4:
        return line[21:27]
    chain = _COPY if place["copy"] else line[21]
    return f"{chain}{place['number']:>4}{place['code'] or ' '}"


def targets_of(result: Result) -> list[Target]:
    """List the targets that a run docked into, the one that it designed for first; none for another loss.

    Args:
        result: With its problem: one that was read without it does not say.
    """
    loss: Any = result.loss
    docked_into = getattr(loss, "targets", ())
    return [target for target in docked_into if isinstance(target, Target)]


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:60].lstrip(".") or "target"


def _remark(target: Target) -> str:
    return f"Receptor {target.name}, as it is docked into. Residue numbers: {target.numbering}."


def _ascii(text: str) -> str:
    return " ".join(text.encode("ascii", "replace").decode().split())
