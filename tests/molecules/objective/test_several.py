"""Several poses of one molecule: room to grow that all have, and what holds it where it should not bind."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from tgsci_molecules.objective.limiting import Pull
from tgsci_molecules.objective.several import several_lines
from tgsci_molecules.pose.contacts import HBond
from tgsci_molecules.pose.growth import Growth
from tgsci_molecules.pose.shares import AtomEnergy, Fragment
from tgsci_molecules.target.targets import Target

SMILES = "CC(=O)Nc1ccc(O)cc1"


@dataclass
class Posed:
    """A pose with a report of the figures that matter here."""

    target: Target
    report: Any


def growth(atom: int, character: str = "lipophilic", **groups: float) -> Growth:
    substituents = tuple(groups.items())
    return Growth(atom, 5.0, 30.0, character, -0.6, ("Leu1",), "", substituents, "")


def posed(name: str, *growths: Growth, ring: float = -3.0, hbonds: tuple[HBond, ...] = ()) -> Posed:
    atoms = tuple(AtomEnergy(i, "C", ring / 6 if i >= 4 else -0.5, 1.0) for i in range(11))
    fragments = (Fragment((4, 5, 6, 7, 9, 10), "c1ccccc1", ring), Fragment((0, 1, 2), "CC=O", -1.5))
    report = SimpleNamespace(smiles=SMILES, growth=growths, atoms=atoms, fragments=fragments, hbonds=hbonds)
    return Posed(Target(name), report)


def wanted(name: str) -> Pull:
    return Pull(name, f"{name} vina", -8.0, -0.5, 0.5)


def avoided(name: str) -> Pull:
    return Pull(name, f"{name} vina", -9.0, 0.5, -0.5)


def test_a_group_that_fits_everywhere_is_named_with_its_smallest_gain() -> None:
    poses = [
        posed("PPARA", growth(0, methyl=-0.9, phenyl=-3.0), growth(5, fluoro=-0.5), growth(6, methyl=-0.6)),
        posed("PPARD", growth(0, methyl=-0.7), growth(5, "closed"), growth(6, methyl=-0.01)),
    ]
    (line,) = several_lines(poses, [wanted("PPARA")])
    assert line.startswith("GROWTH with room in all of PPARA, PPARD (")
    assert line.endswith(": C1 methyl -0.7.")
    (none,) = several_lines([poses[0], posed("PPARG")], [wanted("PPARA")])
    assert none == "GROWTH with room in all of PPARA, PPARG: none."


def test_an_off_target_tells_what_holds_on_to_it_and_where_growth_would_hurt_it_alone() -> None:
    bond = HBond(8, "donor", "Met319", "O", 2.9, None)
    poses = [
        posed("JAK2", growth(0, methyl=-0.9), growth(6, methyl=-0.6), ring=-3.0),
        posed("LCK", growth(0, "closed"), growth(6, methyl=-0.6), ring=-4.0, hbonds=(bond,)),
    ]
    head, bonds, room = several_lines(poses, [wanted("JAK2"), avoided("LCK")])
    assert head == (
        "TO BIND LCK LESS, contacts by fragment, JAK2 / LCK (kcal/mol): c1ccccc1 -3.0 / -4.0, CC=O -1.5 / -1.5."
    )
    assert bonds == "  hydrogen bonds in LCK: O9 - Met319 O"
    assert room == "  room in JAK2 and none in LCK: C1 (methyl -0.9)"


def test_one_target_and_an_off_target_that_costs_nothing_need_no_words() -> None:
    assert several_lines([posed("JAK2")], [wanted("JAK2")]) == []
    poses = [posed("JAK2", growth(0, methyl=-0.9)), posed("LCK", growth(0, methyl=-0.9))]
    (line,) = several_lines(poses, [wanted("JAK2")])
    assert line.startswith("GROWTH with room in all")
