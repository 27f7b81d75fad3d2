"""A target of one's own protein: real coordinates, with the faults that crystal structures have."""

from __future__ import annotations

import contextlib
import gzip
import json
import math
import pickle
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import gemmi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdkit import Chem

from tests.molecules.receptor_pieces import pieces
from tgsci.cli.main import main
from tgsci.errors import UsageError
from tgsci_molecules import Settings, Target, dock
from tgsci_molecules.docking.vina import fingerprint
from tgsci_molecules.physics import refine
from tgsci_molecules.preparation.choice import Options, choose
from tgsci_molecules.preparation.crystal_ligand import ligand_molecule, rmsd, skeleton
from tgsci_molecules.preparation.prepare import PreparedTarget, prepare
from tgsci_molecules.preparation.redock import redock
from tgsci_molecules.preparation.structures import Group, read_structure

ESTRADIOL = "C[C@]12CC[C@@H]3c4ccc(O)cc4CC[C@H]3[C@@H]1CC[C@@H]2O"
FAST = Settings(exhaustiveness=4, max_evals=5000, conformers=1)


def line(record: str, name: str, altloc: str, resname: str, number: int, at: tuple[float, ...], **more) -> str:
    spelled = name if len(name) == 4 else f" {name:<3}"
    x, y, z = at
    return (
        f"{record:<6}    1 {spelled}{altloc}{resname:>3} A{number:>4}    {x:8.3f}{y:8.3f}{z:8.3f}"
        f"{more.get('occupancy', 1.0):6.2f}  0.00          {more.get('element', name[0]):>2}"
    )


@pytest.fixture(scope="module")
def pose() -> Chem.Mol:
    """Estradiol where docking puts it in the built-in estrogen receptor: the ligand of the made-up crystal."""
    return Chem.RemoveHs(dock(ESTRADIOL, "ESR1", FAST).pose)


@pytest.fixture(scope="module")
def crystal(pose: Chem.Mol) -> str:
    """The built-in receptor as a crystal structure would be: incomplete, with alternatives, a metal, waters, MSE."""
    lines = ["HEADER    HORMONE RECEPTOR"]
    selenium = 0
    for residue in pieces(Target("ESR1")):
        number = int(residue.number)
        if not (340 <= number <= 463 or number >= 503):
            continue  # nothing of the site: the tests are faster without it
        for name, at in residue.atoms.items():
            if number == 370 and name not in ("N", "CA", "C", "O"):
                continue  # a side chain that nobody saw
            if residue.name == "MET" and number == 437:
                if name == "SD":
                    selenium += 1
                    lines.append(line("HETATM", "SE", " ", "MSE", number, at, element="SE"))
                else:
                    lines.append(line("HETATM", name, " ", "MSE", number, at))
            elif number == 372 and name not in ("N", "CA", "C", "O"):
                moved = (at[0] + 0.8, at[1], at[2])
                lines.append(line("ATOM", name, "A", residue.name, number, moved, occupancy=0.3))
                lines.append(line("ATOM", name, "B", residue.name, number, at, occupancy=0.7))
            else:
                lines.append(line("ATOM", name, " ", residue.name, number, at))
    assert selenium == 1
    lines.append("TER")
    for count, (atom, at) in enumerate(zip(pose.GetAtoms(), pose.GetConformer().GetPositions(), strict=True), 1):
        name = f"{atom.GetSymbol()}{count}"
        lines.append(line("HETATM", name, " ", "EST", 600, tuple(at), element=atom.GetSymbol()))
    ca = next(r.atoms["O"] for r in pieces(Target("ESR1")) if int(r.number) == 348)
    lines.append(line("HETATM", "ZN", " ", "ZN", 701, (ca[0] + 2.1, ca[1], ca[2]), element="ZN"))
    lines.append(line("HETATM", "O", " ", "HOH", 801, (ca[0], ca[1] + 2.9, ca[2])))
    lines.append(line("HETATM", "O", " ", "HOH", 802, (ca[0], ca[1], ca[2] + 2.9)))
    return "\n".join([*lines, "END", ""])


@pytest.fixture(scope="module")
def source(crystal: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("crystal") / "receptor.pdb"
    path.write_text(crystal)
    return path


@pytest.fixture(scope="module")
def made(source: Path, tmp_path_factory: pytest.TempPathFactory) -> PreparedTarget:
    """Prepared once, with the check: the metal and a water kept."""
    out = tmp_path_factory.mktemp("targets") / "mine"
    return prepare(source, out, Options(ligand="EST", keep_hetero=("ZN",), keep_water=("801",)))


def edited(crystal: str, path: Path, edit: Callable[[str], str]) -> Path:
    path.write_text(edit(crystal))
    return path


@pytest.mark.slow
def test_the_crystals_ligand_comes_back(made: PreparedTarget) -> None:
    assert made.redocked is not None
    assert made.redocked.smiles == ESTRADIOL  # stereo as in space
    assert made.redocked.reproduced
    assert made.redocked.rmsd < 1.5
    assert made.redocked.score < -8
    assert abs(made.redocked.score - made.redocked.crystal_score) < 1.0


def test_what_was_done_is_said(made: PreparedTarget) -> None:
    text = "\n".join(made.notes)
    assert "MSE437 by MET" in text
    assert "taken (occupancy; the others): B of Leu372 of chain A (0.70; A 0.30)" in text
    assert "kept: 1 ZN (chain A)" in text
    assert "1 waters kept, 1 left out" in text
    assert re.search(r"missing atoms added: .*370 of chain A \(CB", text)
    assert f"EST:A:600 is {ESTRADIOL}; --ligand-smiles overrides it" in text
    assert "RMSD" in text
    assert "reproduces the crystal" in text


def test_the_directory_is_a_target(made: PreparedTarget) -> None:
    directory = made.target.directory
    assert directory is not None
    assert sorted(path.name for path in directory.iterdir()) == [
        "ligand.sdf",
        "receptor.pdb",
        "receptor.pdbqt",
        "target.json",
    ]
    assert not list(directory.parent.glob(".*"))
    target = Target(str(directory))
    assert target == made.target == pickle.loads(pickle.dumps(target))  # noqa: S301
    assert target.name == str(target) == "mine"
    assert target.spec == str(directory)
    assert target.structure == directory / "receptor.pdb"
    assert target.box == (22.0, 22.0, 22.0)
    assert target.numbering == "as in receptor.pdb"
    assert target.label("HIE", 524, "A") == "His524"
    said = json.loads((directory / "target.json").read_text())
    assert said["redocked"]["reproduced"] is True
    assert said["versions"]["meeko"]
    assert said["kept"] == ["ZN:A:701", "HOH:A:801"]


def test_it_docks_like_the_built_in_one(made: PreparedTarget) -> None:
    ours = dock(ESTRADIOL, made.target, FAST).score
    theirs = dock(ESTRADIOL, "ESR1", FAST).score
    assert abs(ours - theirs) < 1.0


@pytest.mark.slow
def test_a_pose_is_refined_beside_the_metal_that_was_kept(made: PreparedTarget) -> None:
    docking = dock(ESTRADIOL, made.target, FAST)
    found = refine(docking, made.target)
    assert found.held
    assert found.interaction < -15
    assert found.others == ("Hoh801", "Zn701")
    assert "Zn701" in found.uncharged  # the receptor file of an own target has none for what was kept
    assert re.search(r"no charges for .*Zn701: contacts only", found.text())


def test_the_receptor_has_every_atom_and_its_hydrogens(made: PreparedTarget) -> None:
    from tgsci_molecules.preparation.receptor_pdbqt import atoms_of, typed

    assert made.target.structure is not None
    atoms = atoms_of(made.target.structure.read_text())
    by_residue = {(a.resname, int(a.number)): set() for a in atoms}
    for atom in atoms:
        by_residue[atom.resname, int(atom.number)].add(atom.name)
    assert {"CB", "CG", "SD", "CE", "HE1"} <= by_residue["MET", 437]
    assert ("MSE", 437) not in by_residue
    assert len(by_residue[next(key for key in by_residue if key[1] == 370)]) > 6
    assert by_residue["HOH", 801] == {"O", "H1", "H2"}
    # The alternative with the higher occupancy stands where the built-in receptor has it.
    crystal = next(r for r in pieces(Target("ESR1")) if int(r.number) == 372)
    ours = {a.name: a.position for a in atoms if int(a.number) == 372}
    assert all(ours[name] == pytest.approx(at, abs=0.002) for name, at in crystal.atoms.items())
    # Everything but non-polar hydrogens is in the receptor, with the types that the rules give.
    pdbqt = [row for row in made.target.receptor.read_text().splitlines() if row.startswith("ATOM")]
    kinds = {(row[17:20].strip(), row[22:27], row[30:54]): row[77:].strip() for row in pdbqt}
    protein = [atom for atom in atoms if atom.resname not in ("ZN",)]
    wanted = {(a.resname, a.number, "".join(f"{x:8.3f}" for x in a.position)): kind for a, kind in typed(protein)}
    assert {key: kind for key, kind in kinds.items() if key[0] != "ZN"} == wanted
    assert [kind for key, kind in kinds.items() if key[0] == "ZN"] == ["Zn"]


def test_a_force_field_reads_the_structure(made: PreparedTarget) -> None:
    from openmm.app import ForceField, PDBFile

    pdb = PDBFile(str(made.target.structure))
    field = ForceField("amber14-all.xml", "amber14/tip3p.xml")
    assert field.createSystem(pdb.topology).getNumParticles() == pdb.topology.getNumAtoms()


@pytest.mark.slow
def test_mmcif_and_gzip_give_the_same_receptor(
    source: Path, crystal: str, made: PreparedTarget, tmp_path: Path
) -> None:
    structure = gemmi.read_pdb_string(crystal)
    structure.setup_entities()
    cif = structure.make_mmcif_document().as_string()
    (tmp_path / "r.cif.gz").write_bytes(gzip.compress(cif.encode()))
    options = Options(ligand="EST", keep_hetero=("ZN",), keep_water=("801",), redock=False)
    again = prepare(tmp_path / "r.cif.gz", tmp_path / "again", options)
    assert again.target.sha256 == made.target.sha256
    assert again.redocked is None


def test_the_same_target_elsewhere_has_the_same_fingerprint(made: PreparedTarget, tmp_path: Path) -> None:
    assert made.target.directory is not None
    shutil.copytree(made.target.directory, tmp_path / "copy")
    copy = Target(str(tmp_path / "copy"))
    assert copy == made.target
    assert fingerprint(copy, FAST) == fingerprint(made.target, FAST)


@pytest.mark.parametrize("name", ["receptor.pdbqt", "receptor.pdb"])
def test_a_changed_file_is_refused(made: PreparedTarget, tmp_path: Path, name: str) -> None:
    assert made.target.directory is not None
    shutil.copytree(made.target.directory, tmp_path / "copy")
    with (tmp_path / "copy" / name).open("a") as file:
        file.write("REMARK\n")
    with pytest.raises(UsageError, match="was changed after it was prepared"):
        Target(str(tmp_path / "copy"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ("[1]", "was not written by this version"),
        ('{"format": "tgsci target 1"}', "lacks 'files'"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_a_broken_description_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "target.json").write_text(text)
    with pytest.raises(UsageError, match=message):
        Target(str(tmp_path))


def test_a_directory_that_is_no_target_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no target.json"):
        Target(str(tmp_path))
    with pytest.raises(UsageError, match=r"is no directory.*prepare"):
        Target(str(tmp_path / "nowhere"))


FOREIGN = {
    "empty": ("", "is empty"),
    "web page": ("<!DOCTYPE html><html><body>404</body></html>", "web page"),
    "sdf": ("\n  x\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n", "file of small molecules"),
    "text": ("hello world\n", "neither a PDB nor an mmCIF"),
    "binary": ("\0\0\0", "binary"),
    "pdbqt": ("ATOM      1  C   VAL A   1      19.972  27.926  -0.913  1.00  0.00    +0.272 C \n", "is a pdbqt file"),
    "cif of something else": ("data_x\n_cell.length_a 1\n", "no atoms"),
    "cut mmCIF": ("data_x\nloop_\n_atom_site.id\n_atom_site.type_symbol\n1 C 2\n", "no complete mmCIF"),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_foreign_files_are_named_for_what_they_are(tmp_path: Path, what: str) -> None:
    text, message = FOREIGN[what]
    (tmp_path / "x.pdb").write_text(text)
    with pytest.raises(UsageError, match=message):
        prepare(tmp_path / "x.pdb", tmp_path / "out", Options(ligand="EST"))
    assert not (tmp_path / "out").exists()


def test_a_huge_file_is_refused_unread_even_when_it_is_packed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tgsci_molecules.preparation.structures.MAX_BYTES", 50_000)
    packed = tmp_path / "x.pdb.gz"
    packed.write_bytes(gzip.compress(source.read_bytes()))
    assert packed.stat().st_size < 50_000
    for path in (source, packed):
        with pytest.raises(UsageError, match="is larger than"):
            read_structure(path)
    packed.write_bytes(packed.read_bytes()[:1000])
    with pytest.raises(UsageError, match="cannot read"):
        read_structure(packed)


def without_end(text: str) -> str:
    return text[: len(text) // 2 // 81 * 81].rsplit("\n", 1)[0] + "\n"


def cut_in_a_line(text: str) -> str:
    return text[: text.index("CA  LEU A") + 25]


def not_a_number(text: str) -> str:
    at = text.index("\nATOM", 5000)
    return text[: at + 31] + "     nan" + text[at + 39 :]


def only_ca(text: str) -> str:
    return "\n".join(row for row in text.splitlines() if row[12:16] == " CA " or not row.startswith("ATOM")) + "\n"


def only_water(text: str) -> str:
    return "\n".join(row for row in text.splitlines() if "HOH" in row) + "\nEND\n"


def as_dna(text: str) -> str:
    return "\n".join(row[:17] + " DA" + row[20:] for row in text.splitlines() if row.startswith("ATOM")) + "\nEND\n"


SPOILED = {
    "half a file": (without_end, Options(ligand="EST"), "no END line"),
    "half a line": (cut_in_a_line, Options(ligand="EST"), "cut off at line"),
    "no number": (not_a_number, Options(ligand="EST"), "damaged at line"),
    "CA only": (only_ca, Options(ligand="EST"), "only CA atoms"),
    "waters only": (only_water, Options(box=(0, 0, 0)), "no protein"),
    "DNA": (as_dna, Options(box=(0, 0, 0)), "only DNA or RNA"),
    "other ligand": (str, Options(ligand="STI"), "did you mean --ligand EST.*1 EST .chain A., 1 ZN .chain A."),
    "a metal as ligand": (str, Options(ligand="ZN"), "no ligand to put a box around"),
    "other chain": (str, Options(ligand="EST", chains=("B",)), r"no protein chain 'B'.*A \(\d+ residues\)"),
    "no such cofactor": (str, Options(ligand="EST", keep_hetero=("HEM",)), "no 'HEM' in the file; there are 1 ZN"),
    "no such water": (str, Options(ligand="EST", keep_water=("999",)), "no '999' in the file"),
    "solvent": (str, Options(box=(200.0, 0.0, 0.0)), r"in solvent.*the nearest is \d+\.\d Angstrom"),
    "other molecule": (str, Options(ligand="EST", ligand_smiles="CCO"), "has the heavy atoms C18 O2"),
    "an isomer": (
        str,
        Options(ligand="EST", ligand_smiles="CC12CCC3c4cccc(O)c4CCC3C1CCC2O"),
        "bonded in another way",
    ),
    "no SMILES": (str, Options(ligand="EST", ligand_smiles="C1CC"), "ligand-smiles"),
    "unknown bonds": (lambda text: text.replace("EST A 600", "QQQ A 600"), Options(ligand="QQQ"), "--ligand-smiles"),
}


@pytest.mark.parametrize("what", SPOILED)
def test_spoiled_input_is_refused_before_work_starts(
    crystal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    edit, options, message = SPOILED[what]
    path = edited(crystal, tmp_path / "x.pdb", edit)

    def too_late(*_: object, **__: object) -> None:
        raise AssertionError("the repair was started")

    monkeypatch.setattr("tgsci_molecules.preparation.prepare._build", too_late)
    with pytest.raises(UsageError, match=message):
        prepare(path, tmp_path / "out", options)
    assert [each.name for each in tmp_path.iterdir()] == ["x.pdb"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "in one way"),
        ({"ligand": "EST", "box": (1, 2, 3)}, "in one way"),
        ({"box": (1, 2)}, "X Y Z"),
        ({"box": (1, 2, float("nan"))}, "X Y Z"),
        ({"box": (1, 2, 3, 60)}, "from 10 to 38"),
        ({"ligand": "EST", "ph": 20}, "pH must be"),
        ({"ligand": "EST", "longest_loop": 99}, "loops"),
    ],
)
def test_options_that_make_no_sense_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Options(**given)  # type: ignore[arg-type]


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    crystal: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(crystal)))
    text = crystal[:start] + data.draw(st.text(max_size=90)) + crystal[start + data.draw(st.integers(0, 500)) :]
    text = text[: data.draw(st.integers(0, len(text)))]
    path = tmp_path_factory.mktemp("damaged") / "x.pdb"
    path.write_text(text, encoding="utf-8", errors="replace")
    with contextlib.suppress(UsageError):
        assert read_structure(path).protein


@pytest.mark.parametrize("name", ["../mine", ".hidden", "a\x1b[31mb", "x" * 61, " mine"])
def test_a_name_that_cannot_name_files_is_refused(source: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a target's name"):
        prepare(source, tmp_path / "out", Options(ligand="EST"), name=name)
    assert not list(tmp_path.iterdir())


def test_nothing_in_a_file_commands_the_terminal(crystal: str) -> None:
    found = read_text(crystal.replace("HOH A 801", "\x1b[H A 801"))
    assert all(str(group).isprintable() for group in found.others)


@pytest.mark.slow
def test_a_full_directory_is_left_alone(source: Path, made: PreparedTarget, tmp_path: Path) -> None:
    assert made.target.directory is not None
    with pytest.raises(UsageError, match="holds a prepared target already"):
        prepare(source, made.target.directory, Options(ligand="EST"))
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        prepare(source, tmp_path, Options(ligand="EST"))
    with pytest.raises(UsageError, match="no directory"):
        prepare(source, tmp_path / "a" / "b", Options(ligand="EST"))


@pytest.mark.slow
def test_an_interrupted_preparation_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tgsci_molecules.preparation.prepare.redock", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare(source, tmp_path / "out", Options(ligand="EST"))
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_models_copies_and_blank_chains_are_chosen_and_said(crystal: str, tmp_path: Path) -> None:
    rows = crystal.splitlines()
    body = [row for row in rows if row.startswith(("ATOM", "HETATM", "TER"))]
    model = [row[:21] + " " + row[22:] if len(row) > 22 else row for row in body]
    far = [row.replace("EST   600", "EST   900") for row in model if "EST" in row]
    far = [f"{row[:30]}{float(row[30:38]) + 90:8.3f}{row[38:]}" for row in far]
    text = "\n".join(["MODEL        1", *model, *far, "ENDMDL", "MODEL        2", *model, "ENDMDL", "END", ""])
    (tmp_path / "nmr.pdb").write_text(text)
    found = prepare(tmp_path / "nmr.pdb", tmp_path / "out", Options(ligand="EST", redock=False))
    said = "\n".join(found.notes)
    assert "2 models" in said
    assert "2 copies of EST: EST:-:600 is used (others: EST:-:900)" in said
    assert found.target.label("MET", 421, "A") == "Met421"


def test_a_place_with_two_residues_keeps_the_likelier(crystal: str) -> None:
    rows = []
    for row in crystal.splitlines():
        if row.startswith("ATOM") and row[22:26] == " 355":
            rows.append(f"{row[:16]}A{row[17:56]}0.40{row[60:]}")
            if row[12:16].strip() in ("N", "CA", "C", "O", "CB"):
                rows.append(f"{row[:16]}BALA{row[20:56]}0.60{row[60:]}")
        else:
            rows.append(row)
    found = [r for r in read_text("\n".join(rows)).protein["A"] if str(r.seqid) == "355"]
    assert [residue.name for residue in found] == ["ALA"]
    assert [atom.name for atom in found[0]] == ["N", "CA", "C", "O", "CB"]


@pytest.mark.slow
def test_of_two_chains_the_one_at_the_site_is_kept_and_labels_name_chains(crystal: str, tmp_path: Path) -> None:
    rows = [row for row in crystal.splitlines() if row.startswith("ATOM")]
    other = [f"{row[:21]}B{row[22:30]}{float(row[30:38]) + 70:8.3f}{row[38:]}" for row in rows]
    path = edited(crystal, tmp_path / "two.pdb", lambda text: "\n".join([*other, "TER", text]))
    options = Options(ligand="EST", redock=False)
    one = choose(read_structure(path), options)
    assert list(one.residues) == ["A"]
    assert "protein chain B left out: not at the site" in one.notes
    both = prepare(path, tmp_path / "both", replace(options, chains=("A", "B")))
    assert both.target.label("HID", 524, "B") == "B:His524"
    assert both.target.label("HID", 524, "A") == "A:His524"


@pytest.mark.slow
def test_a_box_can_come_from_an_sdf_in_place(
    source: Path, pose: Chem.Mol, made: PreparedTarget, tmp_path: Path
) -> None:
    (tmp_path / "l.sdf").write_text(Chem.MolToMolBlock(pose) + "$$$$\n")
    found = prepare(source, tmp_path / "out", Options(box_from=tmp_path / "l.sdf", redock=False))
    assert found.target.center == pytest.approx(made.target.center, abs=0.01)
    assert any("left out: 1 EST (chain A), 1 ZN (chain A)" in note for note in found.notes)
    (tmp_path / "flat.sdf").write_text(Chem.MolToMolBlock(Chem.MolFromSmiles("CCO")) + "$$$$\n")
    for name in ("flat.sdf", "none.sdf"):
        with pytest.raises(UsageError, match=r"no molecule|flat drawing|cannot read"):
            prepare(source, tmp_path / "other", Options(box_from=tmp_path / name))


@pytest.mark.slow
def test_a_missing_loop_is_built_where_the_file_names_its_residues(crystal: str, tmp_path: Path) -> None:
    kept = [row for row in crystal.splitlines() if not (row.startswith("ATOM") and 394 <= int(row[22:26]) <= 396)]
    names = {int(row[22:26]): row[17:20] for row in crystal.splitlines() if row.startswith("ATOM")}
    names[437] = "MSE"
    numbers = sorted(number for number in names if 340 <= number <= 463)
    body = [row for row in kept if not row.startswith(("ATOM", "HETATM")) or int(row[22:26]) in (*numbers, 600)]
    sequence = [names[number] for number in numbers]
    header = [
        f"SEQRES {n // 13 + 1:3d} A {len(sequence):4d}  {' '.join(sequence[n : n + 13])}"
        for n in range(0, len(sequence), 13)
    ]
    (tmp_path / "loop.pdb").write_text("\n".join([*header, *body, ""]))
    options = Options(ligand="EST", redock=False)
    built = prepare(tmp_path / "loop.pdb", tmp_path / "built", options)
    assert any(note.startswith("missing loop built: 3 residues between") for note in built.notes)
    assert built.target.structure is not None
    there = {row[22:26].strip() for row in built.target.structure.read_text().splitlines() if row.startswith("ATOM")}
    assert {"394", "395", "396"} <= there
    left = prepare(tmp_path / "loop.pdb", tmp_path / "left", replace(options, longest_loop=2))
    assert any(note.startswith("missing loop left open: 3 residues") for note in left.notes)


@pytest.mark.slow
def test_breaks_and_residues_that_hang_alone_are_named(crystal: str, tmp_path: Path) -> None:
    numbers = {*range(340, 394), *range(397, 450), 452, 600}
    rows = [row for row in crystal.splitlines() if row.startswith(("ATOM", "HETATM")) and int(row[22:26]) in numbers]
    names = {int(row[22:26]): row[17:20].capitalize() for row in rows}
    (tmp_path / "gap.pdb").write_text("\n".join([*rows, "END", ""]))
    found = prepare(tmp_path / "gap.pdb", tmp_path / "made", Options(ligand="EST", redock=False))
    assert f"1 break in the chain is left open: {names[393]}393 to {names[397]}397" in found.notes
    assert f"1 residue bonded to no other left out: {names[452]}452" in found.notes


def test_bond_orders_come_from_the_mmcif_file_where_it_has_them(pose: Chem.Mol, crystal: str) -> None:
    group = read_text(crystal).hetero()[0]
    orders = {1.0: "SING", 2.0: "DOUB"}
    kekulized = Chem.Mol(pose)
    Chem.Kekulize(kekulized, clearAromaticFlags=True)
    names = [f"{atom.GetSymbol()}{n}" for n, atom in enumerate(pose.GetAtoms(), 1)]
    bonds = [
        f"EST {names[b.GetBeginAtomIdx()]} {names[b.GetEndAtomIdx()]} {orders[b.GetBondTypeAsDouble()]}"
        for b in kekulized.GetBonds()
    ]
    head = "data_x\nloop_\n_chem_comp_bond.comp_id\n_chem_comp_bond.atom_id_1\n_chem_comp_bond.atom_id_2\n"
    block = gemmi.cif.read_string(head + "_chem_comp_bond.value_order\n" + "\n".join(bonds) + "\n").sole_block()
    unnamed = Group("EST", group.chain, group.number, group.residue)
    assert Chem.MolToSmiles(ligand_molecule(unnamed, blocks=[block])) == Chem.CanonSmiles(ESTRADIOL)


def read_text(crystal: str):
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "x.pdb"
        path.write_text(crystal)
        return read_structure(path)


def test_bond_orders_are_perceived_from_hydrogens(pose: Chem.Mol) -> None:
    full = Chem.AddHs(pose, addCoords=True)
    residue = gemmi.Residue()
    residue.name = "LIG"
    for n, (atom, at) in enumerate(zip(full.GetAtoms(), full.GetConformer().GetPositions(), strict=True)):
        made = gemmi.Atom()
        made.name, made.element, made.pos = (
            f"{atom.GetSymbol()}{n}",
            gemmi.Element(atom.GetSymbol()),
            gemmi.Position(*at),
        )
        residue.add_atom(made)
    assert Chem.MolToSmiles(ligand_molecule(Group("LIG", "A", "1", residue))) == Chem.CanonSmiles(ESTRADIOL)


def test_rmsd_knows_symmetry_and_does_not_align(pose: Chem.Mol) -> None:
    assert rmsd(pose, pose) == pytest.approx(0, abs=1e-6)
    toluate = Chem.AddHs(Chem.MolFromSmiles("Cc1ccc(C(=O)[O-])cc1"))
    from rdkit.Chem import rdDistGeom, rdMolTransforms

    rdDistGeom.EmbedMolecule(toluate, randomSeed=1)
    turned = Chem.RenumberAtoms(toluate, [*reversed(range(toluate.GetNumAtoms()))])
    assert rmsd(turned, toluate) == pytest.approx(0, abs=1e-5)
    swapped = Chem.Mol(toluate)
    first, second = (a.GetIdx() for a in swapped.GetAtoms() if a.GetSymbol() == "O")
    conformer = swapped.GetConformer()
    here, there = conformer.GetAtomPosition(first), conformer.GetAtomPosition(second)
    conformer.SetAtomPosition(first, there)
    conformer.SetAtomPosition(second, here)
    assert rmsd(swapped, toluate) == pytest.approx(0, abs=1e-5)  # the two oxygens of a carboxylate
    moved = Chem.Mol(toluate)
    shift = rdMolTransforms.ComputeCanonicalTransform(moved.GetConformer())
    shift[:] = 0
    for n in range(4):
        shift[n, n] = 1
    shift[0, 3] = 3.0
    rdMolTransforms.TransformConformer(moved.GetConformer(), shift)
    assert rmsd(moved, toluate) == pytest.approx(3.0, abs=1e-5)
    with pytest.raises(ValueError, match="not the same molecule"):
        rmsd(pose, toluate)
    assert skeleton(toluate).GetNumAtoms() == 10


def test_a_wrong_pose_is_called_wrong(made: PreparedTarget, pose: Chem.Mol) -> None:
    shifted = Chem.Mol(pose)
    conformer = shifted.GetConformer()
    for n in range(shifted.GetNumAtoms()):
        at = conformer.GetAtomPosition(n)
        at.x += 4.0
        conformer.SetAtomPosition(n, at)
    result = redock(made.target, shifted, FAST)
    assert not result.reproduced
    assert result.rmsd > 2.5
    assert result.advice


@pytest.mark.slow
def test_the_command_prepares_and_docks(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    box = ["--box", *(str(round(x, 3)) for x in made_center(source))]
    assert main(["molecules", "prepare", str(source), *box, "--keep-hetero", "ZN", "--out", "mine"]) == 0
    out = capsys.readouterr().out
    assert "next: tgsci molecules dock --target" in out
    assert "box 22.0 x 22.0 x 22.0" in out
    assert main(["molecules", "prepare", str(source), "--ligand", "XYZ", "--out", "other"]) == 2
    assert "no ligand 'XYZ'" in capsys.readouterr().err


def made_center(source: Path) -> tuple[float, ...]:
    group = read_structure(source).hetero()[0]
    return tuple(sum(x) / len(x) for x in zip(*((a.pos.x, a.pos.y, a.pos.z) for a in group.heavy), strict=True))


def test_the_alternative_that_is_asked_for_is_taken(source: Path) -> None:
    usual = {a.name: a.pos.x for r in read_structure(source).protein["A"] if r.seqid.num == 372 for a in r}
    for asked in (("A",), ("A:372:A",)):
        crystal = read_structure(source, asked)
        other = {a.name: a.pos.x for r in crystal.protein["A"] if r.seqid.num == 372 for a in r}
        assert other["CB"] - usual["CB"] == pytest.approx(0.8, abs=0.01)
        assert "A of Leu372 of chain A (0.30; B 0.70)" in crystal.notes[0]
    for wrong, message in (
        ("C", "no residue has an alternative C"),
        ("A:372:C", "has no alternative"),
        ("AB", "letter"),
    ):
        with pytest.raises(UsageError, match=message):
            read_structure(source, (wrong,))


def test_a_box_can_be_put_around_residues(source: Path) -> None:
    crystal = read_structure(source)
    chosen = choose(crystal, Options(box_residues=("A:353", "394", "524")))
    assert chosen.site.source.startswith("around Glu353, Arg394, His524")
    around = choose(crystal, Options(ligand="EST"))
    assert all(abs(a - b) < 5 for a, b in zip(chosen.site.center, around.site.center, strict=True))
    with pytest.raises(UsageError, match="no residue 'A:9999'"):
        choose(crystal, Options(box_residues=("A:9999",)))


def test_a_box_can_be_put_in_a_pocket_that_is_found(source: Path) -> None:
    crystal = read_structure(source)
    around = choose(crystal, Options(ligand="EST")).site.center
    sites = [choose(crystal, Options(pocket=rank)).site for rank in (1, 2, 3)]
    assert min(math.dist(site.center, around) for site in sites) < 6.0  # what was cut out left a larger one
    assert all("lined by" in site.source for site in sites)
    with pytest.raises(UsageError, match="pockets were found"):
        choose(crystal, Options(pocket=99))


def test_pockets_are_listed_without_preparing_anything(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["molecules", "prepare", str(source), "--pockets"]) == 0
    printed = capsys.readouterr().out
    assert "lined by" in printed
    assert "--pocket 1" in printed
    assert not list(tmp_path.iterdir())


def test_the_check_takes_the_effort_that_its_advice_names() -> None:
    options = Options(ligand="EST", exhaustiveness=32, ring_conformers=8)
    assert (options.search.exhaustiveness, options.search.ring_conformers) == (32, 8)
    with pytest.raises(UsageError, match="exhaustiveness"):
        Options(ligand="EST", exhaustiveness=0)


def test_a_dictionary_beside_the_atoms_gives_the_bonds(pose: Chem.Mol, crystal: str, tmp_path: Path) -> None:
    structure = gemmi.read_pdb_string(crystal)
    structure.setup_entities()
    document = structure.make_mmcif_document()
    block = document.add_new_block("comp_EST")
    loop = block.init_loop("_chem_comp_bond.", ["comp_id", "atom_id_1", "atom_id_2", "type"])
    kekulized = Chem.Mol(pose)
    Chem.Kekulize(kekulized, clearAromaticFlags=True)
    names = [f"{atom.GetSymbol()}{n}" for n, atom in enumerate(pose.GetAtoms(), 1)]
    for bond in kekulized.GetBonds():
        order = "double" if bond.GetBondTypeAsDouble() == 2 else "single"
        loop.add_row(["EST", names[bond.GetBeginAtomIdx()], names[bond.GetEndAtomIdx()], order])
    path = tmp_path / "refined.cif"
    path.write_text(document.as_string())
    chosen = choose(read_structure(path), Options(ligand="EST"))
    assert chosen.ligand is not None
    assert Chem.MolToSmiles(chosen.ligand) == ESTRADIOL


@pytest.mark.slow
def test_states_of_the_file_reach_the_receptor_and_propka_says_what_differs(crystal: str, tmp_path: Path) -> None:
    from tgsci_molecules.preparation.receptor_pdbqt import atoms_of

    def renamed(text: str) -> str:
        return "\n".join(
            row.replace("ASP A 351", "ASH A 351").replace("HIS A 524", "HIP A 524").replace("GLU A 353", "GLH A 353")
            for row in text.splitlines()
        )

    source = edited(crystal, tmp_path / "states.pdb", renamed)
    kept = prepare(source, tmp_path / "kept", Options(ligand="EST", redock=False))
    names = {(int(a.number), a.name) for a in atoms_of((tmp_path / "kept" / "receptor.pdb").read_text())}
    assert {(351, "HD2"), (524, "HD1"), (524, "HE2"), (353, "HE2")} <= names
    text = "\n".join(kept.notes)
    assert "states as in the file: Asp351 of chain A protonated, Glu353 of chain A protonated, His524" in text
    asked = prepare(source, tmp_path / "asked", Options(ligand="EST", redock=False, protonate=True, flip=("proposed",)))
    text = "\n".join(asked.notes)
    assert "states at pH 7.4 by PROPKA with EST:A:600 there" in text
    assert "the file had it otherwise: Asp351 of chain A protonated" in text
    names = {(int(a.number), a.name) for a in atoms_of((tmp_path / "asked" / "receptor.pdb").read_text())}
    assert (351, "HD2") not in names
