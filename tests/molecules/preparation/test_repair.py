"""The built-in receptors for a force field and for drawing."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import pytest

from tests.molecules.receptor_pieces import pieces
from tgsci_molecules import Target
from tgsci_molecules.preparation.receptor_pdbqt import Atom, atoms_of, bare_atoms, protein_pdbqt, typed
from tgsci_molecules.preparation.repair import PH, Residue, add_hydrogens, bonded, receptor_pdb, split


@pytest.fixture(scope="module")
def egfr() -> str:
    return add_hydrogens(split(pieces(Target("EGFR"))), PH).pdb


def test_a_built_in_receptor_becomes_a_protein_that_a_force_field_reads(egfr: str) -> None:
    from openmm.app import ForceField, PDBFile

    pdb = PDBFile(io.StringIO(egfr))
    system = ForceField("amber14-all.xml").createSystem(pdb.topology)
    assert system.getNumParticles() == len(atoms_of(egfr))


def test_it_keeps_the_heavy_atoms_where_they_were_and_their_numbers(egfr: str) -> None:
    ours = {(a.number, a.name): a.position for a in atoms_of(egfr)}
    for stretch in split(pieces(Target("EGFR"))):
        for residue in stretch:
            for name, at in residue.atoms.items():
                assert ours[residue.number, name] == pytest.approx(at, abs=0.002)


def test_hydrogens_are_at_their_bond_lengths(egfr: str) -> None:
    atoms = atoms_of(egfr)
    groups: dict[tuple[str, str], list] = {}
    for atom in atoms:
        groups.setdefault((atom.chain, atom.number), []).append(atom)
    lengths = {"C": 1.09, "N": 1.01, "O": 0.96, "S": 1.34}
    for members in groups.values():
        heavy = [atom for atom in members if atom.element != "H"]
        for hydrogen in (atom for atom in members if atom.element == "H"):
            base = min(heavy, key=lambda atom: math.dist(atom.position, hydrogen.position))
            assert math.dist(base.position, hydrogen.position) == pytest.approx(lengths[base.element], abs=0.01)


def test_no_two_atoms_of_an_end_are_too_close(egfr: str) -> None:
    atoms = atoms_of(egfr)
    ends = [atom for atom in atoms if atom.name == "OXT"]
    assert ends
    for end in ends:
        near = [a for a in atoms if a.number == end.number and a is not end and a.element != "H"]
        assert min(math.dist(end.position, a.position) for a in near) > 1.2
        assert sum(math.dist(end.position, a.position) < 1.9 for a in near) == 1


@pytest.mark.slow
def test_it_is_the_same_every_time(egfr: str) -> None:
    assert add_hydrogens(split(pieces(Target("EGFR"))), PH).pdb == egfr


@pytest.mark.slow
def test_the_types_of_meeko_are_those_of_the_rules(egfr: str) -> None:
    pdbqt, source = protein_pdbqt(egfr)
    assert source == "meeko's residue templates"
    theirs = {(row[22:26], row[30:54]): row[77:].strip() for row in pdbqt.splitlines()}
    ours = {(a.number[:4], "".join(f"{x:8.3f}" for x in a.position)): kind for a, kind in typed(atoms_of(egfr))}
    assert theirs == ours


def test_what_meeko_refuses_is_typed_by_the_rules() -> None:
    residues = [piece for stretch in split(pieces(Target("EGFR"))) for piece in stretch][:6]
    pdb = add_hydrogens([residues], 7.4).pdb
    rows = pdb.splitlines()
    h = next(n for n, row in enumerate(rows) if row[12:16].strip() == "HB2")
    ca = next(row for row in rows if row[22:26] == rows[h][22:26] and row[12:16].strip() == "CA")
    clash = f"{float(ca[30:38]) + 0.9:8.3f}{ca[38:54]}"
    rows[h] = rows[h][:30] + clash + rows[h][54:]
    pdbqt, source = protein_pdbqt("\n".join(rows))
    assert source.startswith("AutoDock's rules")
    heavy = sum(atom.element != "H" for atom in atoms_of(pdb))
    assert sum(row[77:].strip() != "HD" for row in pdbqt.splitlines()) == heavy


def test_a_metal_is_not_pointed_at_by_a_hydrogen() -> None:
    chain = next(s for s in split(pieces(Target("CA2"))) if any(int(r.number) == 94 for r in s))
    window = [residue for residue in chain if 92 <= int(residue.number) <= 98]
    target = Target("CA2")
    zinc = next(row for row in target.receptor.read_text().splitlines() if row[77:].strip() == "Zn")
    metal = (float(zinc[30:38]), float(zinc[38:46]), float(zinc[46:54]))
    names = {(a.number.strip(), a.name) for a in atoms_of(add_hydrogens([window], 7.4, metals=[metal]).pdb)}
    assert ("94", "HE2") not in names  # His94 holds the zinc with NE2
    assert ("94", "HD1") in names


def test_a_break_is_a_break() -> None:
    first = Residue("GLY", "A", "   1 ", {"N": (0, 0, 0), "CA": (1.4, 0, 0), "C": (2.0, 1.4, 0)})
    second = replace(first, number="   2 ", atoms={"N": (3.2, 1.5, 0), "CA": (4, 2, 0), "C": (5, 3, 0)})
    far = replace(second, number="   3 ", atoms={"N": (9.0, 1.5, 0), "CA": (9, 2, 0), "C": (9, 3, 0)})
    assert bonded(first, second)
    assert not bonded(second, far)
    assert not bonded(first, replace(second, chain="B"))
    assert split([first, second, far]) == [[first, second]]


def test_a_receptor_to_draw_has_everything_that_is_docked_into() -> None:
    target = Target("CA2")
    drawn = atoms_of(receptor_pdb(target))
    docked = [row for row in target.receptor.read_text().splitlines() if row.startswith(("ATOM", "HETATM"))]
    assert len(drawn) == len(docked)
    assert {atom.element for atom in drawn} == {"C", "H", "N", "O", "S", "ZN"}
    assert "HIE" not in {atom.resname for atom in drawn}


def test_the_nitrogens_of_heme_accept_nothing_as_in_the_built_in_receptor() -> None:
    lines = [line for line in Target("CYP3A4").receptor.read_text().splitlines() if line[17:20] == "HEM"]
    elements = {"A": "C", "C": "C", "OA": "O", "N": "N", "NA": "N", "Fe": "FE"}
    heavy = [(line, elements[line[77:].strip()]) for line in lines if line[77:].strip() in elements]
    heme = [
        Atom(line[12:16].strip(), "HEM", "A", " 915 ", tuple(float(line[n : n + 8]) for n in (30, 38, 46)), element)  # type: ignore[arg-type]
        for line, element in heavy
    ]
    kinds = {atom.name: kind for atom, kind in bare_atoms(heme)}
    assert {name: kinds[name] for name in ("NA", "NB", "NC", "ND", "FE")} == {
        "NA": "N", "NB": "N", "NC": "N", "ND": "N", "FE": "Fe",
    }  # fmt: skip
    alone = Atom("N1", "QQQ", "A", "   1 ", (0.0, 0.0, 0.0), "N")
    assert bare_atoms([alone]) == [(alone, "NA")]
