"""The binding sites in words, for a model that begins: sub-pockets with their residues, size, and what they like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..pose.subpockets import SubPocket, subpockets
from ..target.targets import Target

#: Room that the centre of one heavy atom has in a filled pocket, cubic Angstrom.
_ATOM = 5.0
#: A lipophilic probe below this likes a place very much, kcal/mol.
_GREASY = -0.85
#: Sub-pockets that are named as neighbours of each, and how far off they may be, Angstrom.
_NEIGHBOURS, _NEAR = 2, 9.0
#: The longest description of one target, in characters.
LONGEST = 1_500


def setting(targets: Sequence[Target]) -> str:
    """Describe the binding site of each target, at most 1,500 characters each.

    Args:
        targets: The design's own target first.

    Raises:
        UsageError: A receptor cannot be read.
    """
    return "\n\n".join(_site(target) for target in targets)


def _site(target: Target) -> str:
    parts = subpockets(target)
    whose = target.numbering.partition(";")[0]
    lines = [f"The empty binding site of {target} by probe atoms (residue numbers: {whose}); sub-pockets, best first:"]
    for part in parts:
        line = _line(part, parts)
        if sum(map(len, lines)) + len(lines) + len(line) > LONGEST:
            break
        lines.append(line)
    return "\n".join(lines) if parts else f"The binding site of {target} has no buried part: it is flat, or in water."


def _line(part: SubPocket, parts: Sequence[SubPocket]) -> str:
    atoms = max(1, round(part.volume / _ATOM))
    room = f"room for {atoms} heavy atom{'s' if atoms > 1 else ''}"
    words = [f"{room}, {'very ' if part.energy <= _GREASY else ''}lipophilic ({part.energy:.2f} kcal/mol for a carbon)"]
    others = [label for label in part.residues if label not in part.name.split("/")]
    if others:
        words.append(f"lined also by {', '.join(others)}")
    if part.donors:
        words.append(f"a donor meets {' or '.join(part.donors)}")
    if part.acceptors:
        words.append(f"an acceptor meets {' or '.join(part.acceptors)}")
    near = _neighbours(part, parts)
    if near:
        words.append(f"next to {near}")
    return f"- {part.name}: {'; '.join(words)}."


def _neighbours(part: SubPocket, parts: Sequence[SubPocket]) -> str:
    away = sorted(
        (float(np.linalg.norm(np.subtract(part.center, other.center))), other.name)
        for other in parts
        if other is not part
    )
    return ", ".join(f"{name} ({distance:.0f} A)" for distance, name in away[:_NEIGHBOURS] if distance <= _NEAR)
