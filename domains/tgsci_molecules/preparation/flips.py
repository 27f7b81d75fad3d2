"""Side chains that a crystallographer may have built turned: the N and O of an amide, the C and N of an imidazole.

X-rays hardly tell these atoms apart; what stands around does (Word 1999). Each atom that has a partner that suits it
counts for an orientation, one beside an atom of its own kind counts against it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..target.targets import Point
from .repair import Residue
from .states import METAL_BOND

#: Atoms that change places, by residue.
_TURNED = {
    "ASN": (("OD1", "ND2"),),
    "GLN": (("OE1", "NE2"),),
    "HIS": (("ND1", "CD2"), ("CE1", "NE2")),
}
#: Closer than this, two polar atoms are partners, or in each other's way, Angstrom.
_NEAR = 3.4
#: The advantage in partners from which a turn is proposed: one atom that is wrong now and right then makes two. A
#: carbon of histidine beside an oxygen may also be a weak hydrogen bond, so that more has to speak for its turn.
_CLEAR = {"ASN": 2, "GLN": 2, "HIS": 3}
_DONORS = {"N", "NZ", "NE", "NH1", "NH2", "NE1"}
_ACCEPTORS = {"O", "OXT", "OD1", "OD2", "OE1", "OE2"}
#: Side-chain names that stand for an acceptor in one residue and for a donor in another.
_KINDS = {("ASN", "ND2"): "donor", ("GLN", "NE2"): "donor", ("ARG", "NE"): "donor", ("TRP", "NE1"): "donor"}


@dataclass(frozen=True)
class Polar:
    """A polar atom around a side chain: "donor", "acceptor", "both" or "metal"."""

    kind: str
    position: Point


def turned(residue: Residue) -> Residue:
    """Turn the end of a side chain by half a turn: the atoms that look alike change places."""
    atoms = dict(residue.atoms)
    for one, other in _TURNED.get(residue.name, ()):
        if one in atoms and other in atoms:
            atoms[one], atoms[other] = atoms[other], atoms[one]
    return Residue(residue.name, residue.chain, residue.number, atoms)


def proposals(residues: Sequence[Residue], others: Iterable[Polar] = ()) -> list[tuple[Residue, str]]:
    """Find side chains that fit better when they are turned, each with the reason in words.

    Args:
        residues: The protein, heavy atoms.
        others: Polar atoms of ligand, cofactors and waters, and metals.
    """
    surroundings = [(residue, polar) for residue in residues for polar in _polars(residue)]
    beyond = [(None, polar) for polar in others]
    found = []
    for residue in residues:
        pairs = _TURNED.get(residue.name)
        if pairs is None or not all(name in residue.atoms for pair in pairs for name in pair):
            continue
        around = [
            polar
            for owner, polar in [*surroundings, *beyond]
            if owner is not residue and math.dist(polar.position, residue.atoms[pairs[0][0]]) < 8.0
        ]
        gain = _fit(turned(residue), around) - _fit(residue, around)
        if gain >= _CLEAR[residue.name]:
            found.append((residue, _why(residue, around)))
    return found


def _polars(residue: Residue) -> list[Polar]:
    polars = []
    for name, position in residue.atoms.items():
        if name == "N" and residue.name != "PRO":
            polars.append(Polar("donor", position))
        elif name in ("OG", "OG1", "OH") or (residue.name == "HIS" and name in ("ND1", "NE2")):
            polars.append(Polar("both", position))
        elif name in _ACCEPTORS and (residue.name, name) not in _KINDS:
            polars.append(Polar("acceptor", position))
        elif (residue.name, name) in _KINDS or (name in _DONORS and name != "N"):
            polars.append(Polar("donor", position))
    return polars


def _fit(residue: Residue, around: Sequence[Polar]) -> int:
    """Count the partners that suit the side chain, minus those that do not."""
    return sum(
        _suits(residue.name, name, residue.atoms[name], polar) for name in _names(residue.name) for polar in around
    )


def _names(name: str) -> tuple[str, ...]:
    return tuple(atom for pair in _TURNED[name] for atom in pair)


def _suits(residue: str, atom: str, here: Point, polar: Polar) -> int:
    distance = math.dist(here, polar.position)
    if polar.kind == "metal":
        return 3 if distance < METAL_BOND and atom[0] in "NO" and atom != "ND2" else 0
    if distance > _NEAR:
        return 0
    if residue == "HIS":  # either nitrogen takes or gives; a carbon beside a polar atom is one that wastes it
        return 1 if atom[0] == "N" else -1
    wanted = "donor" if atom[0] == "O" else "acceptor"
    return 1 if polar.kind == wanted else 0 if polar.kind == "both" else -1


def _why(residue: Residue, around: Sequence[Polar]) -> str:
    """Say what is wrong now: the closest atom that does not suit."""
    wrong = [
        (math.dist(residue.atoms[name], polar.position), name, polar.kind)
        for name in _names(residue.name)
        for polar in around
        if _suits(residue.name, name, residue.atoms[name], polar) < 0
    ]
    if not wrong:
        return "more partners when it is turned"
    distance, name, kind = min(wrong)
    what = {"acceptor": "an acceptor", "donor": "a donor"}.get(kind, "a polar atom")
    return f"{name} is {distance:.1f} Angstrom from {what}"


def places_of(residues: Sequence[Residue]) -> Mapping[tuple[str, str], Residue]:
    """Index residues by chain and number."""
    return {(residue.chain, residue.number.strip()): residue for residue in residues}
