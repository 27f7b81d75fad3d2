"""Contacts that a docked pose must make, as a chemist writes them: "hbond Met318"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tgsci.basics.texts import nearest, quote
from tgsci.errors import UsageError

from ..molecule.patterns import Pattern
from ..pose.receptor import receptor_of
from ..target.targets import Target

#: Kinds of contact, with what people write for them.
KINDS = {
    "hbond": ("hbond", "hydrogenbond", "hb"),
    "salt bridge": ("saltbridge", "ionic", "salt"),
    "aromatic": ("aromatic", "pi", "stacking", "pistacking"),
    "contact": ("contact", "touch", "near"),
}
#: What comes between a contact and the SMARTS of the group that makes it; and what the ligand does in it.
_BY = re.compile(r" by(?: |$)", re.IGNORECASE)
_ROLE = re.compile(r"\b(?:as (?:the |an |a )?)?(donor|acceptor)\b", re.IGNORECASE)
#: A SMARTS whose every atom is surely carbon.
_CARBON = re.compile(r"(?:[Cc]|\[(?:C|c|#6)[XDRvHhr0-9;&@:]*\]|[0-9()=\-:~%/\\#.])+")
#: A residue this far from the centre of the site is worth naming to somebody who mistyped one, Angstrom.
_NEAR = 12.0


@dataclass(frozen=True)
class Contact:
    """A contact that a docked pose must make.

    Args:
        target: The target whose pose must make it.
        kind: A key of `KINDS`.
        residue: The residue's label.
        role: What the ligand is in a hydrogen bond: "donor", "acceptor", or "" for either.
        smarts: The atoms of the ligand that may make it: those with a map number, or all of a match; "" for any.
    """

    target: Target
    kind: str
    residue: str
    role: str = ""
    smarts: str = ""


def read_contact(text: str, targets: Sequence[Target]) -> Contact:
    """Read a contact.

    Args:
        text: "hbond Met318"; with a target's name before it for another than the first: "LCK hbond Met319". What the
            ligand does in a hydrogen bond may follow, and the group that does it: "hbond Met318 as acceptor by
            [n:1]1cncc1".
        targets: Those that are docked into.

    Raises:
        UsageError: The text is no contact, or its kind or residue does not exist; names the nearest ones.
    """
    plain = " ".join(text.split()) if isinstance(text, str) else ""
    plain, *by = _BY.split(plain, maxsplit=1)
    smarts = by[0].strip() if by else ""
    if by and not smarts:
        raise UsageError(f"the contact {quote(str(text))}: a SMARTS must follow 'by', such as [n]1cncc1")
    if by:
        Pattern(smarts)
    role = ""
    for found in _ROLE.finditer(plain):
        role = found[1].lower()
    plain = " ".join(_ROLE.sub(" ", plain).split())
    named = next((t for t in targets if plain.upper().startswith(f"{t.name.upper()} ")), None)
    target = named or targets[0]
    words = (plain[len(target.name) :] if named else plain).split()
    if len(words) < 2:
        raise UsageError(
            f"the contact {quote(str(text))} must be a kind and a residue, such as 'hbond Met318'; "
            f"the kinds are {', '.join(KINDS)}"
        )
    kind = _kind(" ".join(words[:-1]), targets)
    if role and kind != "hbond":
        raise UsageError(f"the contact {quote(str(text))}: only a hydrogen bond has a donor and an acceptor")
    having = [t for t in targets if t is not target and not named and words[-1].upper() in _by_upper(t)]
    if having and words[-1].upper() not in _by_upper(target):
        raise UsageError(
            f"{target} has no residue {quote(words[-1])}, {having[0]} has: for a contact in its pose write "
            f"'{having[0]} {kind} {_by_upper(having[0])[words[-1].upper()]}'"
        )
    if kind == "hbond" and _CARBON.fullmatch(smarts):
        raise UsageError(
            f"the contact {quote(str(text))}: {quote(smarts)} is carbon alone and makes no hydrogen bond; write a "
            "group with its N, O or S, such as [n]1cncc1"
        )
    residue = _residue(words[-1], target)
    if residue not in _able(target)[kind]:
        near = [label for label in _able(target)[kind] if residues(target)[label] <= _NEAR]
        raise UsageError(
            f"{residue} of {target} cannot make the contact {quote(text)}: it has no such group. Around the site can: "
            f"{', '.join(sorted(near, key=_number)) or 'none'}"
        )
    return Contact(target, kind, residue, role, smarts)


def _kind(text: str, targets: Sequence[Target]) -> str:
    plain = re.sub(r"[^a-z]", "", text.lower())
    by_name = {name: kind for kind, names in KINDS.items() for name in names}
    if plain in by_name:
        return by_name[plain]
    near = nearest(plain, by_name)
    hint = f"did you mean {by_name[near[0]]}? " if near else ""
    raise UsageError(
        f"no kind of contact {quote(text)}; {hint}There are: {', '.join(KINDS)}; a target before it must be one "
        f"that is docked into: {', '.join(map(str, targets))}"
    )


def _residue(text: str, target: Target) -> str:
    known, by_upper = residues(target), _by_upper(target)
    if text.upper() in by_upper:
        return by_upper[text.upper()]
    # Without its chain it is still clear where only one chain has it.
    alike = [label for label in known if label.upper().rpartition(":")[2] == text.upper()]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise UsageError(f"{target} has {text} in several chains; write {' or '.join(alike)}")
    number = "".join(re.findall(r"\d+", text))
    near = [label for label in known if number and re.sub(r"\D", "", label.rpartition(":")[2]) == number]
    near = list(dict.fromkeys([*near, *nearest(text, known, most=3, cutoff=0.7)]))
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    site = [label for label, distance in known.items() if distance <= _NEAR]
    raise UsageError(
        f"{target} has no residue {quote(text)}; {hint}Around its site are "
        f"{', '.join(sorted(site, key=_number))}. The numbers are {target.numbering}"
    )


def _by_upper(target: Target) -> dict[str, str]:
    return {label.upper(): label for label in residues(target)}


@lru_cache(maxsize=16)
def residues(target: Target) -> dict[str, float]:
    """List a target's residues by label, each with its distance from the centre of the site, Angstrom."""
    receptor = receptor_of(target)
    distances = np.linalg.norm(receptor.atoms.xyz - np.array(target.center), axis=1)
    nearest = np.full(len(receptor.labels), np.inf)
    np.minimum.at(nearest, receptor.residue, distances)
    distance_by_label: dict[str, float] = {}
    for label, distance in zip(receptor.labels, nearest.tolist(), strict=True):
        distance_by_label[label] = min(distance, distance_by_label.get(label, distance))
    return distance_by_label


@lru_cache(maxsize=16)
def _able(target: Target) -> dict[str, frozenset[str]]:
    """List the residues that have a group for each kind of contact."""
    receptor = receptor_of(target)
    polar = np.flatnonzero(receptor.acceptors | receptor.donors)
    groups = {
        "hbond": receptor.residue[polar].tolist(),
        "salt bridge": [charge.residue for charge in receptor.charges],
        "aromatic": [ring.residue for ring in receptor.rings],
        "contact": range(len(receptor.labels)),
    }
    return {kind: frozenset(receptor.labels[index] for index in indices) for kind, indices in groups.items()}


def _number(label: str) -> int:
    return int("".join(re.findall(r"\d", label.rpartition(":")[2])) or 0)
