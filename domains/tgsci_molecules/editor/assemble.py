"""Molecules from building blocks: a core, and on each of its two ends a linker with a cap.

Where a run starts from a fragment, edits of it lead into one series after the other, each a neighbour of the last.
These molecules come from everywhere: what a parallel chemist makes from stock with amide couplings, Suzuki and
Buchwald couplings, alkylations, sulfonylations and reductive aminations.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rdkit import Chem

from ..molecule.smiles import Molecule, molecule
from ..tables import read_table
from .candidates import join, pieces
from .transformations import finish

#: The kinds of ends.
_AROMATIC, _SATURATED, _AMINE, _AZOLE = "aromatic", "saturated", "amine", "azole"
_ENDS = frozenset((_AROMATIC, _SATURATED, _AMINE, _AZOLE))


@dataclass(frozen=True)
class Block:
    """A building block, a row of `blocks.tsv`.

    Args:
        block: "core", "linker" or "cap".
        name: A chemist's name of it.
        smiles: A core has {} at both ends, a linker goes from the core outwards, a cap begins with the bonded atom.
        sits_on: The two ends of a core; what a linker may be bonded to; what the first atom of a cap is.
        carries: The kinds of caps that a linker may carry.
    """

    block: str
    name: str
    smiles: str
    sits_on: tuple[str, ...]
    carries: tuple[str, ...]


def block(row: Mapping[str, str]) -> Block:
    """Make the building block of a row.

    Raises:
        ValueError: The row is no building block, names an unknown end, or has a SMILES that RDKit cannot read.
    """
    kind, smiles = row["block"], row["smiles"]
    sits_on, carries = (tuple(filter(None, row[column].split(";"))) for column in ("sits on", "carries"))
    wrong = {*sits_on, *carries} - _ENDS
    if kind not in ("core", "linker", "cap") or wrong:
        raise ValueError(f"no block {kind!r}" if not wrong else f"no end {', '.join(sorted(wrong))}")
    ends = {"core": 2, "linker": 0, "cap": 0}[kind]
    if smiles.count("{}") != ends or (kind == "core" and len(sits_on) != 2):
        raise ValueError("a core has two ends, each with {} in its SMILES; other blocks have none")
    whole = {"core": smiles.format("*", "*"), "linker": f"*{smiles}*", "cap": f"*{smiles}"}[kind]
    if Chem.MolFromSmiles(whole) is None:
        raise ValueError(f"{smiles!r} is no SMILES")
    return Block(kind, row["name"], smiles, sits_on, carries)


BLOCKS = read_table(Path(__file__).with_name("blocks.tsv"), block)
CORES = [each for each in BLOCKS if each.block == "core"]


def assemble(rng: random.Random) -> tuple[Molecule, str] | None:
    """Assemble a molecule from random building blocks: its canonical SMILES, and the blocks in words.

    Args:
        rng: Draws the blocks.

    Returns:
        None where the draw would fall apart or is no molecule for a chemist.
    """
    core = rng.choice(CORES)
    arms = [_arm(end, rng) for end in core.sits_on]
    mol = Chem.MolFromSmiles(core.smiles.format(*(arm for _, arm in arms)))
    made = finish(mol, "C") if mol is not None else None
    return (made, f"assemble {core.name} with {arms[0][0]} and {arms[1][0]}") if made else None


def graft(smiles: str, rng: random.Random) -> tuple[Molecule, str] | None:
    """Replace a part of a molecule by a linker with a cap: the canonical SMILES, and the edit in words.

    Args:
        smiles: Canonical SMILES of the molecule.
        rng: Draws the cut and the blocks.

    Returns:
        None where there is nothing to cut, or the draw is no molecule for a chemist.
    """
    parts = pieces(smiles)
    if not parts:
        return None
    part = rng.choice(parts)
    end = _end(part)
    if end is None:
        return None
    name, arm = _arm(end, rng)
    made = join(part, "*" + arm, smiles)
    return (made, f"replace a side by {name}") if made and made != smiles else None


def _end(part: str) -> str | None:
    """Name the kind of end that a part is cut at; None where no linker goes there."""
    mol = molecule(part)
    dummy = next(atom for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0)
    (atom,) = dummy.GetNeighbors()
    if atom.GetSymbol() == "C":
        if atom.GetIsAromatic():
            return _AROMATIC
        return _SATURATED if atom.GetHybridization() == Chem.HybridizationType.SP3 else None
    if atom.GetSymbol() == "N" and atom.IsInRing() and not atom.GetFormalCharge():
        return _AZOLE if atom.GetIsAromatic() else _AMINE
    return None


def _arm(end: str, rng: random.Random) -> tuple[str, str]:
    """Draw a linker with a cap for an end: in words, and as SMILES from the end outwards."""
    linker = rng.choice(linkers_on(end))
    cap_name, cap = rng.choice(caps_of(linker.carries))
    return (f"{cap_name} on {linker.name}" if linker.smiles else cap_name), linker.smiles + cap


@cache
def linkers_on(end: str) -> list[Block]:
    return [each for each in BLOCKS if each.block == "linker" and end in each.sits_on]


@cache
def caps_of(kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    """List the caps of these kinds, their rings numbered anew: a core's ring is still open where they are written."""
    rings = str.maketrans("12", "89")
    caps = (each for each in BLOCKS if each.block == "cap" and each.sits_on[0] in kinds)
    return [(each.name, each.smiles.translate(rings)) for each in caps]
