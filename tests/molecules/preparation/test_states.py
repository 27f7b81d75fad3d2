"""The protons of a protein: as the file has them, as PROPKA says, and never towards a metal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

import gemmi
import pytest

from tests.molecules.receptor_pieces import pieces
from tgsci_molecules import Target
from tgsci_molecules.preparation.receptor_pdbqt import atoms_of
from tgsci_molecules.preparation.repair import Residue, add_hydrogens, pdb_text, split, with_all_atoms
from tgsci_molecules.preparation.states import (
    State,
    by_propka,
    holding_metals,
    hydrogens_of,
    in_words,
    of_file,
    with_proton_on_second,
)


def part(target: str, first: int, last: int) -> list[list[Residue]]:
    """A part of a built-in receptor, its chain called A."""
    chosen = [residue for residue in pieces(Target(target)) if first <= int(residue.number[:4]) <= last]
    return split([Residue(r.name, "A", r.number, dict(r.atoms)) for r in chosen])


def names_of(pdb: str) -> Mapping[int, set[str]]:
    found: dict[int, set[str]] = {}
    for atom in atoms_of(pdb):
        found.setdefault(int(atom.number), set()).add(atom.name)
    return found


def places_of(stretches: list[list[Residue]], name: str) -> list[tuple[str, str]]:
    return [(r.chain, r.number) for stretch in stretches for r in stretch if r.name == name]


@cache
def wanted() -> dict[tuple[str, str], str]:
    """One state of each kind for residues of a part of the estrogen receptor."""
    stretches = part("ESR1", 340, 400)
    histidines = places_of(stretches, "HIS")
    assert len(histidines) >= 3
    chosen = dict(zip(histidines, ("HIP", "HID", "HIE"), strict=False))
    chosen[places_of(stretches, "ASP")[0]] = "ASH"
    chosen[places_of(stretches, "GLU")[0]] = "GLH"
    chosen[places_of(stretches, "LYS")[0]] = "LYN"
    chosen[places_of(stretches, "CYS")[0]] = "CYX"
    return chosen


@cache
def protonated() -> str:
    return add_hydrogens(part("ESR1", 340, 400), 7.4, states=wanted()).pdb


def residues_of(pdb: str) -> dict[tuple[str, str], gemmi.Residue]:
    structure = gemmi.read_pdb_string(pdb)
    return {("A", f"{r.seqid.num:>4}{r.seqid.icode}"): r for chain in structure[0] for r in chain}


def test_states_that_are_asked_for_are_given() -> None:
    names = names_of(protonated())
    marks = {
        "ASH": {"HD2"},
        "GLH": {"HE2"},
        "HIP": {"HD1", "HE2"},
        "HID": {"HD1"},
        "HIE": {"HE2"},
    }
    for (_, number), variant in wanted().items():
        assert marks.get(variant, set()) <= names[int(number)]
        if variant == "HID":
            assert "HE2" not in names[int(number)]
        if variant == "LYN":
            assert sum(name.startswith("HZ") for name in names[int(number)]) == 2
        if variant == "CYX":
            assert "HG" not in names[int(number)]


def test_hydrogens_of_a_file_say_the_states() -> None:
    residues = residues_of(protonated())
    for place, variant in wanted().items():
        state = of_file(residues[place])
        assert state is not None
        assert state.variant == variant


def test_names_of_a_file_say_the_states() -> None:
    for name, variant in (
        ("ASH", "ASH"),
        ("HSP", "HIP"),
        ("HSD", "HID"),
        ("HIE", "HIE"),
        ("LYN", "LYN"),
        ("CYM", "CYX"),
    ):
        residue = gemmi.Residue()
        residue.name = name
        assert of_file(residue) == State(variant)
    residue.name = "HIS"
    assert of_file(residue) is None


def test_hydrogens_of_a_file_stay_where_they_are() -> None:
    residues = residues_of(protonated())
    place = places_of(part("ESR1", 340, 400), "THR")[0]
    serial = int(place[1])
    turned = []  # the hydroxyl of a threonine points elsewhere than OpenMM would let it
    oxygen = next(a.position for a in atoms_of(protonated()) if a.name == "OG1" and int(a.number) == serial)
    for atom in residues[place]:
        if atom.name == "HG1":
            x, y, z = (2 * o - h for o, h in zip(oxygen, atom.pos.tolist(), strict=True))
            atom.pos = gemmi.Position(x, y, z)
            turned = [x, y, z]
    given = {place: hydrogens_of(residues[place])}
    again = add_hydrogens(part("ESR1", 340, 400), 7.4, hydrogens=given).pdb
    (hydrogen,) = [a for a in atoms_of(again) if a.name == "HG1" and int(a.number) == serial]
    assert math.dist(hydrogen.position, turned) < 0.02


def test_propka_follows_the_ph() -> None:
    stretches = part("ESR1", 340, 400)
    states = by_propka(pdb_text(stretches, []), 1.0)
    for name, variant in (("ASP", "ASH"), ("GLU", "GLH"), ("HIS", "HIP")):
        assert {states[place].variant for place in places_of(stretches, name)} == {variant}
    assert not {"ASH", "GLH"} & {state.variant for state in by_propka(pdb_text(stretches, []), 12.0).values()}


@pytest.mark.slow
def test_propka_says_which_residues_are_not_in_their_usual_state() -> None:
    stretches = with_all_atoms(split([Residue(r.name, "A", r.number, r.atoms) for r in pieces(Target("BACE1"))]))
    states = by_propka(pdb_text(stretches, []), 7.4)
    names = {(r.chain, r.number): r.name for stretch in stretches for r in stretch}
    assert "Asp36 of chain A protonated (pKa 7." in in_words(states, names)  # of the catalytic pair, empty here
    assert states["A", "  36 "].variant == "ASH"
    low = by_propka(pdb_text(stretches, []), 4.0)
    assert sum(state.variant in ("ASH", "GLH") for state in low.values()) > 10
    assert all(low[place].variant == "HIP" for place in places_of(stretches, "HIS"))


def test_what_holds_a_metal_has_no_hydrogen_there() -> None:
    atoms = {"ND1": (0.0, 0.0, 0.0), "NE2": (2.2, 0.0, 0.0), "CB": (-2.0, 0.0, 0.0)}
    assert holding_metals(atoms, "HIS", [(4.3, 0.0, 0.0)]) == "HID"
    assert holding_metals(atoms, "HIS", [(-1.0, 1.8, 0.0)]) == "HIE"
    assert holding_metals(atoms, "HIS", [(9.0, 0.0, 0.0)]) is None
    assert holding_metals({"OD1": (0.0, 0.0, 0.0)}, "ASP", [(2.1, 0.0, 0.0)]) == "ASP"
    assert holding_metals({"NZ": (0.0, 0.0, 0.0)}, "LYS", [(2.1, 0.0, 0.0)]) == "LYN"
    assert holding_metals({"SG": (0.0, 0.0, 0.0)}, "CYS", [(2.3, 0.0, 0.0)]) == "CYX"


def test_a_metal_wins_over_a_state() -> None:
    stretches = part("ESR1", 340, 400)
    place = places_of(stretches, "ASP")[0]
    oxygen = next(r.atoms["OD1"] for stretch in stretches for r in stretch if (r.chain, r.number) == place)
    metal = (oxygen[0] + 1.2, oxygen[1] + 1.2, oxygen[2] + 1.2)
    made = add_hydrogens(stretches, 7.4, states={place: "ASH"}, metals=[metal])
    assert "HD2" not in names_of(made.pdb)[int(place[1])]


@pytest.mark.parametrize("hydrogens", [[(1.9, 0.6, 0.0)], []])
def test_the_oxygen_with_the_proton_is_the_second(hydrogens: list[tuple[float, float, float]]) -> None:
    atoms = {"CG": (0.0, 0.0, 0.0), "OD1": (1.1, 0.6, 0.0), "OD2": (-1.1, 0.6, 0.0)}
    acceptors = [(3.7, 0.6, 0.0), (-9.0, 0.0, 0.0)]
    made = with_proton_on_second("ASH", atoms, hydrogens, acceptors)
    assert made["OD2"] == atoms["OD1"]


def test_words_name_what_is_unusual() -> None:
    names = {("A", "  25 "): "ASP", ("A", "  26 "): "ASP", ("B", "   7 "): "HIS"}
    states = {
        ("A", "  25 "): State("ASH", "pKa 8.1 by PROPKA"),
        ("A", "  26 "): State("ASP", "its hydrogens"),
        ("B", "   7 "): State("HIP"),
    }
    assert in_words(states, names) == "Asp25 of chain A protonated (pKa 8.1 by PROPKA), His7 of chain B charged"
    assert "Asp26 of chain A charged" in in_words(states, names, usual=True)
