"""Which protons the residues of a protein carry: as the file has them, as PROPKA says, and never towards a metal.

A residue without any word of these is left to OpenMM, which charges Asp, Glu, Lys and Arg by their usual pKa and gives
a neutral histidine its hydrogen where that makes the better hydrogen bond.
"""

from __future__ import annotations

import io
import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import gemmi

from ..failures import calling
from ..target.numbering import standard
from ..target.targets import Point

#: A residue: the letter of its chain, and its number with the insertion code as in columns 23 to 27 of a PDB file.
Place = tuple[str, str]
#: Closer than this to a metal, an atom of a side chain holds it and carries no proton on that side, Angstrom.
METAL_BOND = 2.9
#: Longest bond to a hydrogen, Angstrom; SG-H has 1.34.
HYDROGEN_BOND_LENGTH = 1.45
#: What is said of at most so many residues; the others are counted.
_SHOWN = 12
#: Names of variants, and other programs' names of them.
_BY_NAME = {
    "ASH": "ASH",
    "GLH": "GLH",
    "LYN": "LYN",
    "HID": "HID",
    "HIE": "HIE",
    "HIP": "HIP",
    "HSD": "HID",
    "HSE": "HIE",
    "HSP": "HIP",
    "CYX": "CYX",
    "CYM": "CYX",
}
#: The state in which each residue counts as usual at pH 7.4.
_USUAL = {"ASP": "ASP", "GLU": "GLU", "LYS": "LYS", "CYS": "CYS"}
#: Atoms that carry the proton, or give it away.
_SITES = {
    "ASP": ("OD1", "OD2"),
    "GLU": ("OE1", "OE2"),
    "HIS": ("ND1", "NE2"),
    "LYS": ("NZ",),
    "CYS": ("SG",),
}
_WORDS = {
    "ASH": "protonated",
    "GLH": "protonated",
    "LYN": "neutral",
    "HID": "hydrogen on ND1",
    "HIE": "hydrogen on NE2",
    "HIP": "charged",
    "CYX": "no hydrogen on SG",
    "ASP": "charged",
    "GLU": "charged",
    "LYS": "charged",
    "CYS": "hydrogen on SG",
}


@dataclass(frozen=True)
class State:
    """The state of a residue.

    Args:
        variant: OpenMM's name of it.
        reason: Why, in words; empty where a name in the file says so.
    """

    variant: str
    reason: str = ""


def of_file(residue: gemmi.Residue) -> State | None:
    """Read the state of a residue from its name (ASH, HIE, ...) or from its hydrogens; None where neither says."""
    name = _BY_NAME.get(residue.name)
    if name is not None:
        return State(name)
    usual = standard(residue.name)
    hydrogens = hydrogens_of(residue)
    if usual not in _SITES or not hydrogens:
        return None
    bearing = Counter(_nearest(residue, place) for place in hydrogens)
    held = [atom for atom in _SITES[usual] if bearing[atom]]
    if usual == "HIS":
        variant = {("ND1", "NE2"): "HIP", ("ND1",): "HID", ("NE2",): "HIE"}.get(tuple(held))
        return State(variant, "its hydrogens") if variant else None
    if usual in ("ASP", "GLU"):
        return State({"ASP": "ASH", "GLU": "GLH"}[usual] if held else usual, "its hydrogens")
    if not any(bearing[carbon] for carbon in ("CB", "CE")):
        return None  # a file with some hydrogens only does not say that there is none here
    if usual == "LYS":
        return State("LYN" if bearing["NZ"] == 2 else "LYS", "its hydrogens")
    return State("CYS" if held else "CYX", "its hydrogens")


def hydrogens_of(residue: gemmi.Residue) -> list[Point]:
    """Get the places of the hydrogens of a residue, Angstrom."""
    return [(atom.pos.x, atom.pos.y, atom.pos.z) for atom in residue if atom.is_hydrogen()]


def _nearest(residue: gemmi.Residue, place: Point) -> str:
    heavy = ((math.dist((a.pos.x, a.pos.y, a.pos.z), place), a.name) for a in residue if not a.is_hydrogen())
    distance, name = min(heavy, default=(math.inf, ""))
    return name if distance <= HYDROGEN_BOND_LENGTH else ""


def by_propka(pdb: str, ph: float) -> dict[Place, State]:
    """Ask PROPKA for the states of a protein with its ligand there (Sondergaard 2011).

    Args:
        pdb: PDB text: protein, ligand, cofactors and metals.
        ph: The pH.

    Returns:
        The state of each residue that is not in its usual one, and of each histidine that is charged.

    Raises:
        MeasurementError: PROPKA refuses the structure.
    """
    from propka.run import single

    logging.getLogger("propka").setLevel(logging.CRITICAL)
    with calling("protonation: PROPKA refuses the structure"):
        found = single("protein.pdb", ("--quiet",), stream=io.StringIO(pdb), write_pka=False)
        groups = [
            (group.residue_type.strip(), group.atom.chain_id, group.atom.res_num, group.atom.icode, group.pka_value)
            for group in found.conformations["AVR"].groups
        ]
    states: dict[Place, State] = {}
    for kind, chain, number, code, pka in groups:
        variant = _variant(kind, pka, ph)
        if variant:
            place = (" " if chain == "_" else chain, f"{number:>4}{code.strip() or ' '}")
            states[place] = State(variant, f"pKa {pka:.1f} by PROPKA")
    return states


def _variant(kind: str, pka: float, ph: float) -> str:
    """Choose the state by a pKa; "" where it is the usual one. PROPKA gives the cysteine of a bridge 99.99."""
    if kind == "ASP" and pka > ph:
        return "ASH"
    if kind == "GLU" and pka > ph:
        return "GLH"
    if kind == "HIS" and pka > ph:
        return "HIP"
    if kind == "LYS" and pka < ph:
        return "LYN"
    return "CYX" if kind == "CYS" and pka < ph else ""


def holding_metals(atoms: Mapping[str, Point], name: str, metals: Sequence[Point]) -> str | None:
    """Choose the state of a residue that holds a metal: no proton there; None where it holds none.

    Args:
        atoms: The residue's heavy atoms.
        name: Its standard name.
        metals: Where metals are.
    """
    held = [
        site
        for site in _SITES.get(name, ())
        if site in atoms and any(math.dist(atoms[site], metal) < METAL_BOND for metal in metals)
    ]
    if not held:
        return None
    if name == "HIS":
        return "HID" if "NE2" in held else "HIE"
    return {"ASP": "ASP", "GLU": "GLU", "LYS": "LYN", "CYS": "CYX"}[name]


def with_proton_on_second(
    name: str, atoms: Mapping[str, Point], hydrogens: Iterable[Point], others: Sequence[Point]
) -> dict[str, Point]:
    """Name the oxygens of a protonated Asp or Glu so that the second carries the proton, as OpenMM puts it there.

    It is the oxygen that has it in the file, else the one that is nearest to another acceptor.

    Args:
        name: ASH or GLH.
        atoms: The residue's heavy atoms.
        hydrogens: Its hydrogens in the file.
        others: Acceptors of the surroundings.
    """
    first, second = _SITES["ASP" if name == "ASH" else "GLU"]
    atoms = dict(atoms)
    if first not in atoms or second not in atoms:
        return atoms
    places = [hydrogen for hydrogen in hydrogens if _carries(atoms, hydrogen) in (first, second)]
    if places:
        swap = _carries(atoms, places[0]) == first
    else:
        away = [other for other in others if all(math.dist(other, place) > 0.1 for place in atoms.values())]
        nearest = {
            site: min((math.dist(atoms[site], other) for other in away), default=9.0) for site in (first, second)
        }
        swap = nearest[first] < nearest[second]
    if swap:
        atoms[first], atoms[second] = atoms[second], atoms[first]
    return atoms


def _carries(atoms: Mapping[str, Point], hydrogen: Point) -> str:
    return min(atoms, key=lambda name: math.dist(atoms[name], hydrogen))


def in_words(states: Mapping[Place, State], names: Mapping[Place, str], usual: bool = False) -> str:
    """List residues with their states: "Asp25 of chain A protonated (pKa 8.1 by PROPKA)".

    Args:
        states: The states.
        names: The standard names of the residues.
        usual: Whether to name those too that are in their usual state.
    """
    parts = []
    for (chain, number), state in sorted(states.items()):
        name = names.get((chain, number), "")
        if not name or (not usual and _USUAL.get(name) == state.variant):
            continue
        why = f" ({state.reason})" if state.reason else ""
        parts.append(
            f"{name.capitalize()}{number.strip()} of chain {chain} {_WORDS.get(state.variant, state.variant)}{why}"
        )
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return ", ".join(parts[:_SHOWN]) + more
