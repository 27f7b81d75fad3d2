"""The page about a pose: Vina's energies to 0.02 kcal/mol for real poses, and advice that holds when it is followed."""

from __future__ import annotations

import json
import math
import os
import pickle
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from tgsci.errors import MeasurementError, UsageError
from tgsci_molecules import Settings, Target, dock, target_names
from tgsci_molecules.pose import CONTACT_KINDS, PoseReport, explain, explain_in_place, shortfall
from tgsci_molecules.pose.atoms import METALS, read_pdbqt
from tgsci_molecules.pose.contacts import NO_GROUP
from tgsci_molecules.pose.files import from_pdbqt, typed
from tgsci_molecules.pose.probes import PROBES
from tgsci_molecules.pose.receptor import receptor_of
from tgsci_molecules.pose.substituents import ACCEPTORS, DONORS, ISOSTERES
from tgsci_molecules.pose.terms import CUTOFF, pair_energy
from tgsci_molecules.pose.text import numbered

#: Best poses as Vina 1.2.7 wrote them, with its energies: halogens, sulfur, phosphorus, charges of both signs,
#: three-membered rings, macrocycles; metals, heme and other cofactors in the receptors.
POSES = {
    f"{target} {ligand}": (target, body)
    for target, ligand, body in re.findall(
        r"REMARK TARGET (\S+)\nREMARK LIGAND ([^\n]+)\n(.+?)ENDMDL",
        (Path(__file__).parent / "poses.pdbqt").read_text(),
        re.DOTALL,
    )
}
TOLERANCE = 0.02


def remark(body: str, name: str) -> float:
    found = re.search(rf"REMARK {name}:\s+(-?\d+\.\d+)", body)
    assert found
    return float(found[1])


@pytest.fixture(scope="module")
def reports() -> dict[str, PoseReport]:
    return {name: explain_in_place(body, Target(target)) for name, (target, body) in POSES.items()}


@pytest.fixture(scope="module")
def dasatinib(reports: dict[str, PoseReport]) -> PoseReport:
    return reports["ABL1 dasatinib"]


def number(report: PoseReport, smarts: str) -> int:
    """The index of the only atom that matches."""
    (match,) = Chem.MolFromSmiles(report.smiles).GetSubstructMatches(Chem.MolFromSmarts(smarts))
    return int(match[0])


def without(body: str, smarts: str) -> Chem.Mol:
    """The pose with the only match of a pattern cut off, its place taken by a hydrogen."""
    mol = Chem.RWMol(Chem.RemoveHs(from_pdbqt(body)))
    (match,) = mol.GetSubstructMatches(Chem.MolFromSmarts(smarts))
    for index in sorted(match, reverse=True):
        mol.RemoveAtom(index)
    Chem.SanitizeMol(mol)
    return mol.GetMol()


# -- energies ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", POSES)
def test_the_energies_are_vinas(name: str, reports: dict[str, PoseReport]) -> None:
    report, body = reports[name], POSES[name][1]
    assert report.recomputed == pytest.approx(remark(body, "INTER"), abs=TOLERANCE)
    assert report.vina == pytest.approx(remark(body, "VINA RESULT"), abs=TOLERANCE)


@pytest.mark.parametrize("smiles", ["Cc1cc(Br)c(S(N)(=O)=O)cc1OC1CC1", "O=C([O-])[C@@H]1C[C@H]1CC[NH3+]"])
def test_the_energies_are_those_of_a_docking(smiles: str) -> None:
    docking = dock(smiles, "ABL1", Settings(exhaustiveness=1, max_evals=3_000, conformers=1))
    report = explain(docking, Target("ABL1"), strain=3.25)
    assert report.recomputed == pytest.approx(docking.inter, abs=TOLERANCE)
    assert (report.vina, report.inter, report.smiles) == (docking.score, docking.inter, docking.ligand.smiles)
    assert "Strain of the ligand 3.2 kcal/mol" in report.text()
    again = explain_in_place(docking.pose, Target("ABL1"))
    assert again.vina == pytest.approx(docking.score, abs=TOLERANCE)


def test_atoms_fragments_and_residues_share_one_sum(reports: dict[str, PoseReport]) -> None:
    for report in reports.values():
        mol = Chem.MolFromSmiles(report.smiles)
        assert [(a.index, a.symbol) for a in report.atoms] == [(a.GetIdx(), a.GetSymbol()) for a in mol.GetAtoms()]
        assert sum(a.energy for a in report.atoms) == pytest.approx(report.recomputed)
        assert sum(f.energy for f in report.fragments) == pytest.approx(report.recomputed)
        assert sorted(i for f in report.fragments for i in f.atoms) == list(range(mol.GetNumAtoms()))
        assert sum(r.energy for r in report.residues) == pytest.approx(report.recomputed, abs=1.5)
        assert all(0.0 <= a.burial <= 1.0 for a in report.atoms)


@settings(max_examples=60, deadline=None)
@given(
    distance=st.floats(0.1, 20.0),
    radii=st.floats(2.4, 4.6),
    flags=st.tuples(st.booleans(), st.booleans()),
)
def test_pair_terms_attract_at_contact_repel_nearer_and_end(
    distance: float, radii: float, flags: tuple[bool, bool]
) -> None:
    def energy(at: float, hydrophobic: bool, bonding: bool) -> float:
        arrays = np.array([at]), np.array([radii]), np.array([hydrophobic]), np.array([bonding])
        return float(pair_energy(*arrays)[0])

    found = energy(distance, *flags)
    assert found <= energy(distance, False, False)  # being alike never hurts
    if distance >= CUTOFF:
        assert found == 0.0
    elif distance >= radii:
        assert found < 0.0
    assert energy(radii - 1.5, *flags) > energy(radii, *flags)


# -- receptors -----------------------------------------------------------------------------------------


def test_every_atom_of_every_target_is_typed_and_every_residue_named() -> None:
    for name in target_names():
        receptor = receptor_of(Target(name))
        assert len(receptor.labels) == receptor.residue.max() + 1
        ordinary = r"(\w+:)?[A-Z][a-z0-9]*:?-?\d+[A-Za-z]?[#']?"  # U:Gln192, Glu97A, Fs4:501
        assert all(re.fullmatch(ordinary, label) for label in receptor.labels), name
        radius = receptor.kinds.radius
        assert radius.min() >= 1.2, name
        assert radius.max() <= 2.2, name
        elements = np.array(receptor.atoms.elements)[receptor.heavy]
        carbon = elements == "C"
        assert not (receptor.kinds.donor | receptor.kinds.acceptor)[carbon].any()
        assert not receptor.kinds.hydrophobic[~carbon].any()
        assert receptor.kinds.donor[np.isin(elements, sorted(METALS))].all()


def test_rings_and_charges_are_found_by_their_bonds() -> None:
    for name in ("ABL1", "CA2", "CYP3A4", "DHFR", "MAP2K1", "JAK2", "DRD2", "MAOB"):
        receptor = receptor_of(Target(name))
        kinds = [label[:3] for label in receptor.labels]
        ringed = [kinds[ring.residue] for ring in receptor.rings]
        assert ringed.count("Phe") == kinds.count("Phe")
        assert ringed.count("Tyr") == kinds.count("Tyr")
        assert ringed.count("Trp") == 2 * kinds.count("Trp")
        ends = ("N", "O", "OXT")  # a chain's, and where it is broken
        charges = [c for c in receptor.charges if receptor.atoms.names[c.atoms[0]] not in ends]
        signs = {(kinds[charge.residue], charge.sign) for charge in charges}
        assert {("Asp", -1), ("Glu", -1), ("Lys", 1), ("Arg", 1)} <= signs
        assert not signs & {("Asn", -1), ("Gln", 1), ("His", -1)}
    cofactors = receptor_of(Target("DHFR"))
    assert any(cofactors.labels[charge.residue].startswith("Ndp") for charge in cofactors.charges)
    assert [receptor_of(Target("CA2")).atoms.elements[i] for i in receptor_of(Target("CA2")).metals] == ["Zn"]


def test_a_histidine_protonated_by_rote_can_give_or_take_and_is_not_charged(reports: dict[str, PoseReport]) -> None:
    taken = {
        (name.split()[0], bond.residue, bond.receptor_atom)
        for name, report in reports.items()
        for bond in report.hbonds
        if bond.role == "donor"
    }
    # The phenols of these two hormones' drugs are held by just these nitrogens in their crystal structures.
    assert {("ESR1", "His524", "ND1"), ("THRB", "His435", "NE2")} <= taken
    receptor = receptor_of(Target("ESR1"))
    assert not [c for c in receptor.charges if receptor.labels[c.residue] == "His524"]
    meant = replace(receptor, prepared=True)
    assert [c.sign for c in meant.charges if receptor.labels[c.residue] == "His524"] == [1]
    ring = [i for i, name in enumerate(receptor.atoms.names) if name in ("ND1", "NE2")]
    assert receptor.acceptors[ring].any()
    assert not meant.acceptors[[i for i in ring if receptor.atoms.hydrogens(i)]].any()


def test_a_nitrogen_that_a_metal_holds_has_nothing_to_give_or_take(reports: dict[str, PoseReport]) -> None:
    receptor = receptor_of(Target("CA2"))
    held = [
        i
        for i, name in enumerate(receptor.atoms.names)
        if receptor.labels[receptor.residue[i]] in ("His94", "His96", "His119") and name in ("ND1", "NE2")
    ]
    assert len(held) == 6
    assert (receptor.acceptors[held] | receptor.donors[held]).sum() == 3  # the other nitrogen of each
    assert not {"His94", "His96", "His119"} & {bond.residue for bond in reports["CA2 brinzolamide"].hbonds}


def test_residues_with_one_number_stay_apart(tmp_path: Path) -> None:
    line = "HETATM{:5d}  {:<3} HOH A   7    {:8.3f}{:8.3f}{:8.3f}  1.00  0.00     0.000 {:<2}\n"
    text = line.format(1, "O", 0, 0, 0, "OA") + line.format(2, "O", 9, 0, 0, "OA")
    target = Target("ABL1")
    object.__setattr__(target, "receptor", tmp_path / "two.pdbqt")
    object.__setattr__(target, "sha256", "two waters")
    target.receptor.write_text(text)
    assert len(receptor_of(target).labels) == 2


def test_vina_misses_the_longest_edge_of_a_small_ring() -> None:
    line = "ATOM  {:5d}  {:<3} UNL     1    {:8.3f}{:8.3f}{:8.3f}  1.00  0.00    +0.000 {:<2}\n"
    ring = [("O", 0.0, 0.0, "OA"), ("C", 1.45, 0.0, "C"), ("C", 0.6, 1.30, "C")]
    text = "".join(line.format(n, name, x, y, 0.0, kind) for n, (name, x, y, kind) in enumerate(ring, 1))
    atoms = read_pdbqt(text, "an epoxide")
    assert atoms.neighbours == ((1, 2), (0,), (0,)) or atoms.neighbours == ((2,), (2,), (0, 1))
    assert atoms.kinds.hydrophobic.sum() + sum(0 in n for n in atoms.neighbours[1:]) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("REMARK nothing\n", "has no atoms"),
        ("ATOM      1  C   UNL     1       x.xxx  -3.694   1.759  1.00  0.00    +0.090 C \n", "no coordinates"),
        ("ATOM      1  X   UNL     1       1.000  -3.694   1.759  1.00  0.00    +0.090 Xx\n", "no atom type 'Xx'"),
    ],
)
def test_a_bad_receptor_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        read_pdbqt(text, "the receptor")


# -- contacts ------------------------------------------------------------------------------------------


def test_contacts_that_crystallographers_know(reports: dict[str, PoseReport]) -> None:
    zinc = reports["CA2 brinzolamide"].metals
    assert any(touch.residue.startswith("Zn") and touch.distance < 2.8 for touch in zinc)
    bridges = [
        t.receptor_atom for name, report in reports.items() if name.startswith("F2") for t in report.salt_bridges
    ]
    assert {"OD1", "OD2"} & set(bridges)
    heme = reports["CYP3A4 ketoconazole"].aromatic
    assert any(ring.residue.startswith("Hem") and ring.kind == "face-to-face" for ring in heme)


def test_contacts_keep_their_limits(reports: dict[str, PoseReport]) -> None:
    for report in reports.values():
        for bond in report.hbonds:
            assert bond.distance <= 3.5
            assert bond.angle is None or bond.angle >= 120.0
            assert report.atoms[bond.atom].symbol in ("N", "O")
        answered = {bond.atom for bond in report.hbonds} | {touch.atom for touch in report.salt_bridges}
        assert not answered & {polar.atom for polar in report.unsatisfied}
        assert all(touch.distance <= 4.0 for touch in report.salt_bridges)
        assert all(ring.distance <= 6.0 for ring in report.aromatic)


def test_fused_rings_touch_a_residue_once(reports: dict[str, PoseReport]) -> None:
    for report in reports.values():
        for residue in {ring.residue for ring in report.aromatic}:
            atoms = [atom for ring in report.aromatic if ring.residue == residue for atom in ring.atoms]
            assert len(atoms) == len(set(atoms))


def test_a_buried_charge_is_named_first(reports: dict[str, PoseReport]) -> None:
    whole = reports["ABL1 dasatinib"]
    lonely = next(polar for polar in whole.unsatisfied)
    report = replace(whole, unsatisfied=(replace(lonely, charge=1), lonely))
    problems = report.text().partition("PROBLEMS\n")[2].splitlines()
    assert problems[0].startswith("  buried + charge N")
    assert problems[1].startswith("  unsatisfied ")
    for each in reports.values():
        charged = [bool(polar.charge) for polar in each.unsatisfied]
        assert charged == sorted(charged, reverse=True)


def test_missing_is_zero_where_a_contact_is_made(reports: dict[str, PoseReport]) -> None:
    for report in reports.values():
        made = {
            "hbond": {bond.residue for bond in report.hbonds},
            "salt bridge": {touch.residue for touch in (*report.salt_bridges, *report.metals)},
            "aromatic": {ring.residue for ring in report.aromatic},
        }
        for kind, labels in made.items():
            for residue in report.residues:
                assert (report.missing(kind, residue.name) == 0.0) == (residue.name in labels)
        best = report.residues[0].name
        assert report.missing("contact", best.upper()) == 0.0


def test_missing_says_how_far_and_what_cannot_be(dasatinib: PoseReport) -> None:
    assert dasatinib.missing("contact", "Glu286") < dasatinib.missing("contact", "Arg362") > 1.0
    assert math.isnan(dasatinib.missing("aromatic", "Leu248"))
    assert math.isnan(dasatinib.missing("hbond", "Xyz999"))
    with pytest.raises(ValueError, match="hbond, salt bridge"):
        dasatinib.missing("friendship", "Leu248")


def test_a_contact_by_a_certain_group_counts_only_its_atoms() -> None:
    target = Target("ABL1")
    docking = dock("NC(=O)c1ccc(O)cc1", target, Settings(exhaustiveness=2, max_evals=4000, conformers=1))
    report = explain(docking, target)
    assert report.hbonds
    mol = Chem.MolFromSmiles(docking.ligand.smiles)
    for bond in report.hbonds:
        mol.GetAtomWithIdx(bond.atom).SetAtomMapNum(1)
        smarts = Chem.MolToSmarts(mol)
        mol.GetAtomWithIdx(bond.atom).SetAtomMapNum(0)
        assert shortfall(docking, target, "hbond", bond.residue, role=bond.role, smarts=smarts) == 0.0
        others = {b.role for b in report.hbonds if b.residue == bond.residue}
        other = "acceptor" if bond.role == "donor" else "donor"
        assert (shortfall(docking, target, "hbond", bond.residue, role=other) == 0.0) == (other in others)
        assert shortfall(docking, target, "hbond", bond.residue, smarts="[CH3:1]") >= 0.1
        assert shortfall(docking, target, "hbond", bond.residue, smarts="S(=O)=O") == NO_GROUP
        assert shortfall(docking, target, "hbond", bond.residue) == report.missing("hbond", bond.residue)


# -- advice that holds ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "pattern", "parent"),
    [("methyl", "[CH3;$([CH3]c1c(N)c(Cl)ccc1)]", "[cH]1c(N)c(Cl)ccc1"), ("chloro", "Cl", "[cH]1c(N)c(C)ccc1")],
)
def test_what_was_cut_off_is_what_fits(group: str, pattern: str, parent: str, dasatinib: PoseReport) -> None:
    bare = explain_in_place(without(POSES["ABL1 dasatinib"][1], pattern), Target("ABL1"))
    growth = {g.atom: g for g in bare.growth}[number(bare, parent)]
    once = dasatinib.inter - bare.inter
    assert dict(growth.substituents)[group] == pytest.approx(once, abs=0.15)
    assert growth.character == "lipophilic"
    assert group in growth.fits


def test_a_closed_position_is_one_where_vina_sees_a_clash(dasatinib: PoseReport) -> None:
    target, body = POSES["ABL1 dasatinib"]
    closed = number(dasatinib, "[CH3;$([CH3]c1c(N)c(Cl)ccc1)]")
    assert {g.atom: g.character for g in dasatinib.growth}[closed] == "closed"
    mol = Chem.RWMol(Chem.AddHs(Chem.RemoveHs(from_pdbqt(body)), addCoords=True))
    (methyl,) = (m[0] for m in mol.GetSubstructMatches(Chem.MolFromSmarts("[CH3;$([CH3]c1c(N)c(Cl)ccc1)]")))
    costs = []
    for hydrogen in [n.GetIdx() for n in mol.GetAtomWithIdx(methyl).GetNeighbors() if n.GetAtomicNum() == 1]:
        grown = Chem.RWMol(mol)
        here, there = (np.array(grown.GetConformer().GetAtomPosition(i)) for i in (methyl, hydrogen))
        grown.GetAtomWithIdx(hydrogen).SetAtomicNum(6)
        place = here + 1.51 * (there - here) / np.linalg.norm(there - here)
        grown.GetConformer().SetAtomPosition(hydrogen, place.tolist())
        Chem.SanitizeMol(grown)
        costs.append(explain_in_place(grown.GetMol(), Target(target)).inter - dasatinib.inter)
    assert min(costs) > 0.3


def test_an_end_that_does_not_pay_scores_as_said(reports: dict[str, PoseReport]) -> None:
    whole = reports["ABL1 dasatinib"]
    (trim,) = (t for t in whole.trims if Chem.CanonSmiles(t.smiles) == "CO")
    rest = explain_in_place(without(POSES["ABL1 dasatinib"][1], "[CH2][OH]"), Target("ABL1"))
    assert trim.vina == pytest.approx(rest.vina, abs=0.05)
    assert trim.change == pytest.approx(rest.vina - whole.vina, abs=0.05)
    assert trim.smiles in whole.text()


def test_growth_names_only_hydrogens_that_are_free(reports: dict[str, PoseReport]) -> None:
    for report in reports.values():
        mol = Chem.MolFromSmiles(report.smiles)
        donors = {bond.atom for bond in report.hbonds if bond.role == "donor"}
        for growth in report.growth:
            atom = mol.GetAtomWithIdx(growth.atom)
            assert atom.GetTotalNumHs() > 0
            assert growth.atom not in donors
            assert growth.reach <= 7.0
            names = {name for name, _ in growth.substituents}
            assert all(energy < 0 for _, energy in growth.substituents)
            if atom.GetSymbol() != "C":
                assert names <= {"methyl", "ethyl", "isopropyl", "cyclopropyl", "tert-butyl", "phenyl"}
            assert (growth.character == "closed") == (not names)
    assert {"lipophilic", "donor", "acceptor"} <= set(PROBES)


def test_a_polar_group_is_named_only_where_something_answers_it(reports: dict[str, PoseReport]) -> None:
    named = 0
    for report in reports.values():
        for growth in report.growth:
            energies = dict(growth.substituents)
            for polar, plain in ISOSTERES.items():
                if f"{polar} " in growth.fits:
                    named += 1
                    assert energies[polar] < energies.get(plain, 0.0)
            if "towards" in growth.fits and "none of the groups" not in growth.fits:
                useful = DONORS if growth.character == "donor" else ACCEPTORS
                assert any(f"{name} " in growth.fits for name in useful)
    assert named > 10
    assert {"hydroxyl", "amino"} <= DONORS
    assert {"hydroxyl", "cyano", "methoxy"} <= ACCEPTORS
    assert not {"methyl", "fluoro", "phenyl"} & (DONORS | ACCEPTORS)


# -- the page ------------------------------------------------------------------------------------------


def test_the_page_counts_from_one_and_stays_short(reports: dict[str, PoseReport]) -> None:
    for report in reports.values():
        text = report.text()
        assert len(text.splitlines()) <= 60
        assert numbered(report.smiles) in text
        mapped = Chem.MolFromSmiles(re.search(r"numbered as in (\S+)", text)[1])  # type: ignore[index]
        by_number = {atom.GetAtomMapNum(): atom.GetSymbol() for atom in mapped.GetAtoms()}
        assert sorted(by_number) == list(range(1, len(report.atoms) + 1))
        growth = text[text.index("GROWTH") :].partition("UNFILLED")[0]
        for symbol, figure in re.findall(r"^  ([A-Z][a-z]?)(\d+):", growth, re.MULTILINE):
            assert by_number[int(figure)] == symbol
        assert "nan" not in text
        assert f"; LE {-report.vina / len(report.atoms):.2f} kcal/mol per heavy atom;" in text
        assert "\t" not in text


def test_only_marks_that_are_used_are_explained(dasatinib: PoseReport) -> None:
    assert "; # marks" in dasatinib.numbering
    assert "marks" not in dasatinib.text()
    strange = replace(dasatinib, residues=(replace(dasatinib.residues[0], name="Leu7#"), *dasatinib.residues[1:]))
    assert "; # marks the receptor file's own numbers" in strange.text()


def test_json_has_what_others_read(reports: dict[str, PoseReport]) -> None:
    for report in reports.values():
        found = json.loads(json.dumps(report.as_dict(), allow_nan=False))
        assert len(found["atoms"]) == len(report.atoms)
        assert {"smiles", "target", "vina", "inter", "torsion_penalty", "strain", "unsatisfied", "repulsive"} <= set(
            found
        )
        assert all(
            {"atom", "reach", "volume", "character", "energy", "residues", "fits"} <= set(g) for g in found["growth"]
        )
        assert not [key for key in found if key.startswith("_")]
        same = pickle.loads(pickle.dumps(report))  # noqa: S301
        assert same.text() == report.text()
        assert same.missing("contact", report.residues[0].name) == 0.0
        assert all(isinstance(figure, float) for figure in report.metrics.values())
    assert CONTACT_KINDS == ("hbond", "salt bridge", "aromatic", "contact")


@pytest.mark.slow
def test_the_page_is_the_same_in_another_process(reports: dict[str, PoseReport]) -> None:
    name = "CYP3A4 ketoconazole"
    code = (
        "import sys; from tgsci_molecules import Target; from tgsci_molecules.pose import explain_in_place; "
        "print(explain_in_place(sys.stdin.read(), Target('CYP3A4')).text(), end='')"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code], input=POSES[name][1], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == reports[name].text()


# -- poses that people bring ---------------------------------------------------------------------------


def test_a_pose_elsewhere_is_refused_with_the_reason() -> None:
    mol = from_pdbqt(POSES["ABL1 dasatinib"][1])
    moved = np.asarray(mol.GetConformer().GetPositions()) + np.array([40.0, 0.0, 0.0])
    mol.GetConformer().SetPositions(moved)
    with pytest.raises(UsageError, match=r"33 of 33 atoms .* outside the box of ABL1 .* another structure"):
        explain_in_place(mol, Target("ABL1"))


def test_a_flat_or_broken_pose_is_refused() -> None:
    flat = Chem.MolFromSmiles("CCO")
    with pytest.raises(UsageError, match="no coordinates in space"):
        typed(flat)
    with pytest.raises(UsageError, match="no REMARK SMILES"):
        explain_in_place(
            "ATOM      1  C   UNL     1       3.093  -3.694   1.759  1.00  0.00    +0.090 C \n", Target("ABL1")
        )
    body = POSES["ABL1 dasatinib"][1]
    with pytest.raises((UsageError, MeasurementError)):
        explain_in_place(body.replace("ATOM     26 Cl", "REMARK 26 Cl"), Target("ABL1"))
