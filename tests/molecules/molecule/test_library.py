"""Molecules as people keep them: salts, names, files from editors and spreadsheets; nothing goes without a word."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from tgsci.errors import InvalidValue, UsageError
from tgsci_molecules.molecule import library
from tgsci_molecules.molecule.library import clean, is_library, read, read_molecules, tags_of
from tgsci_molecules.molecule.salts import COUNTERPARTS
from tgsci_molecules.molecule.smiles import canonical

IMATINIB = "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1"


@pytest.mark.parametrize(
    ("text", "smiles", "remark"),
    [
        (f"CS(=O)(=O)O.{IMATINIB} imatinib mesylate", IMATINIB, "imatinib mesylate: methanesulfonic acid left out"),
        ("CC(=O)Oc1ccccc1C(=O)[O-].[Na+] aspirin", "CC(=O)Oc1ccccc1C(=O)O", "aspirin: sodium ion left out"),
        ("[Na]OC(=O)CC x", "CCC(=O)O", "x: sodium ion left out"),
        ("CC[NH3+].[Cl-] x", "CCN", "x: chloride left out"),
        ("C[N+](C)(C)CC.[I-] x", "CC[N+](C)(C)C", "x: iodide left out"),
        ("O.O.NCCC.Cl x", "CCCN", "x: water (2), hydrogen chloride left out"),
        ("OC(=O)/C=C\\C(=O)O.CCCN x", "CCCN", "x: maleic acid left out"),
        ("OC(=O)/C=C/C(=O)[O-].CCC[NH3+] x", "CCCN", "x: fumaric acid left out"),
        ("O[C@H]([C@@H](O)C(=O)O)C(=O)O.CCCN x", "CCCN", "x: tartaric acid left out"),
        ("CCN.CCN.OS(=O)(=O)O x", "CCN", "x: sulfuric acid left out"),
        ("CCN.CCN.OS(=O)(=O)O x", "CCN", "x: it stands there 2 times, one was kept"),
        ("O=C(O)c1cc2ccccc2c(Cc2c(O)c(C(=O)O)cc3ccccc23)c1O.CN1CCCN=C1 x", "CN1C=NCCC1", "x: pamoic acid left out"),
        ("[2H]C([2H])([2H])c1ccccc1 x", "Cc1ccccc1", "x: 3 isotope labels left out (docking does not see them)"),
        ("[CH3:1][CH2:2][OH:3] x", "CCO", "x: atom map numbers left out"),
        ("InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3 x", "CCO", "x: read from its InChI"),
        ("[C@H](F)(Cl)Br |o1:0| x", "FC(Cl)Br", "x: one enantiomer, it is not known which: both are docked"),
        ("[C@H](F)(Cl)Br |&1:0|,x", "FC(Cl)Br", "x: a racemate: both enantiomers are docked, and the better"),
        ("[C@H](F)(Cl)Br x |&1:0|", "FC(Cl)Br", "x: a racemate: both enantiomers are docked, and the better"),
        ("[C@H](F)(Cl)Br |a:0| x", "F[C@@H](Cl)Br", "x: the extension in |...| left out"),
        ("[C@H](F)(Cl)Br |&1:0", "F[C@@H](Cl)Br", "F[C@@H](Cl)Br: the extension in |...| left out"),
        ("CC.Cl x", "CC", "x: hydrogen chloride left out"),
        ("CCN.CC#N x", "CCN", "x: acetonitrile left out"),
    ],
)
def test_what_comes_with_a_drug_is_left_out_and_said(text: str, smiles: str, remark: str) -> None:
    molecule = clean(text)
    assert molecule.smiles == canonical(smiles)
    assert any(said.startswith(remark) for said in molecule.remarks), molecule.remarks


@pytest.mark.parametrize("text", ["CCO", " CCO ", "CCO\tethanol", "\u200bCCO ethanol", "CC(=O)[O-]", "C[N+](C)(C)C"])
def test_a_clean_molecule_stays_as_it_is(text: str) -> None:
    molecule = clean(text)
    assert molecule.notes == ()
    assert molecule.smiles == canonical(text.split()[0].strip("\u200b"))
    assert molecule.name in ("", "ethanol")


def test_a_zwitterion_keeps_its_charges() -> None:
    assert clean("[NH3+]CCCC(=O)[O-].O").smiles == canonical("[NH3+]CCCC(=O)[O-]")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("CCCCCCN.CCCCCCO", "two molecules that may be meant"),
        ("CC.CCO", "two molecules that may be meant, 'CC' and 'CCO'; write the one to dock"),
        ("C.CC(=O)O", "two molecules that may be meant"),
        ("CCO.C1CCOC1", "two molecules that may be meant"),
        ("[Na+].[Cl-]", "no organic part"),
        ("Cl[Pt](Cl)(N)N", "holds platinum: a complex is no salt"),
        ("[Ga+3].[O-]c1cccc2cccnc12", "holds gallium"),
        ("[Cu+2].NCC(=O)[O-].NCC(=O)[O-]", "holds copper"),
        ("O=C1O[Al](O2)(OC2=O)O1", "holds aluminium"),
        ("CCN.C1CC", "unclosed ring"),
        ("CCN.C(C)(C)(C)(C)C", "5 bonds"),
        ("InChI=1S/nonsense", "not an InChI"),
        ("C." * 30 + "CC", "31 parts"),
        ("", "empty"),
        ("ethanol", "not a SMILES"),
    ],
)
def test_what_cannot_be_decided_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidValue, match=reason):
        clean(text)


def test_a_model_may_not_write_what_a_person_may() -> None:
    for text in ("CCN.Cl", "[2H]C", "CCO ethanol", "InChI=1S/CH4/h1H4"):
        clean(text)
        with pytest.raises(InvalidValue):
            canonical(text)


def test_every_counterpart_is_a_molecule_known_by_its_name() -> None:
    for name, smiles in ((each.name, each.smiles) for each in COUNTERPARTS.values()):
        found = clean(f"{IMATINIB}.{smiles}")
        assert found.smiles == IMATINIB, name
        assert found.notes == (f"{name} left out",), name


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(COUNTERPARTS)), st.sampled_from(["CCCCCCN", "OC(=O)CCc1ccccc1", "Oc1ccc2ccccc2c1CCN"]))
def test_the_order_of_the_parts_does_not_matter(salt: str, drug: str) -> None:
    assert clean(f"{drug}.{COUNTERPARTS[salt].smiles}") == clean(f"{COUNTERPARTS[salt].smiles}.{drug}")


FILES = {
    "plain.smi": b"CCO ethanol\nc1ccccc1\tbenzene\n\n# a remark\nCCN\n",
    "header.smi": b"SMILES Name\nCCO ethanol\nc1ccccc1 benzene\nCCN\n",
    "dos.txt": b"\xef\xbb\xbfCCO,ethanol\r\nc1ccccc1,benzene\r\nCCN\r\n",
    "comma.csv": b"id,smiles,activity\nethanol,CCO,5\nbenzene,c1ccccc1,\n,CCN,3\n",
    "excel.csv": b'sep=;\r\nName;SMILES;x\r\nethanol;"CCO";1\r\nbenzene;="c1ccccc1";2\r\n;CCN;\r\n;;\r\n',
    "utf16.tsv": "name\tcanonical_smiles\nethanol\tCCO\nbenzene\tc1ccccc1\n\tCCN\n".encode("utf-16"),
    "windows.csv": "Name,SMILES,\xb5M\nethanol,CCO,1\nbenzene,c1ccccc1,2\n,CCN,3\n".encode("cp1252"),
    "bare.csv": b"CCO,ethanol\nc1ccccc1,benzene\nCCN,\n",
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_every_editor_are_read(name: str, tmp_path: Path) -> None:
    for path, content in ((tmp_path / name, FILES[name]), (tmp_path / f"{name}.gz", gzip.compress(FILES[name]))):
        path.write_bytes(content)
        assert is_library(path.name)
        molecules = read_molecules(path)
        assert [(m.smiles, m.name) for m in molecules] == [("CCO", "ethanol"), ("c1ccccc1", "benzene"), ("CCN", "")]


def test_an_sdf_brings_names_stereo_and_salts(tmp_path: Path) -> None:
    path = tmp_path / "x.sdf"
    with Chem.SDWriter(str(path)) as writer:
        for smiles, title, tag in (("C[C@H](O)CF", "one", ""), ("CCN.Cl", "", "two"), ("CCO", "", "")):
            mol = Chem.MolFromSmiles(smiles)
            mol.SetProp("_Name", title)
            if tag:
                mol.SetProp("ID", tag)
            writer.write(mol)
    path.write_text(path.read_text() + "nonsense\n\n\nM  END\n$$$$\n")
    found = read(path)
    assert [(m.name, m.smiles) for m in found.molecules] == [("one", "C[C@H](O)CF"), ("two", "CCN"), ("", "CCO")]
    assert found.molecules[1].remarks == ["two: hydrogen chloride left out"]
    assert found.molecules[0].source == "line 1"
    assert len(found.faults) == 1
    assert "no structure could be read" in found.faults[0]


def test_all_faults_are_named_at_once_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.smi"
    path.write_text("CCO\nC1CC bad\n" + "CC(C)(C)(C)C\n" * 12)
    with pytest.raises(UsageError) as caught:
        read_molecules(path)
    lines = str(caught.value).splitlines()
    assert lines[0] == "x.smi: 13 molecules cannot be docked; correct or remove their lines:"
    assert lines[1].startswith("  line 2 (bad): 'C1CC' is not a SMILES: unclosed ring")
    assert "line 11" in lines[10]
    assert lines[-1] == "  and 3 more"
    assert [m.smiles for m in read(path).molecules] == ["CCO"]
    path.write_text("CCO\nC1CC bad\n")
    with pytest.raises(UsageError, match=r"^x.smi: 1 molecule cannot .* correct or remove its line:\n  line 2 "):
        read_molecules(path)


def test_a_molecule_that_stands_there_twice_comes_twice_and_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("smiles,name\nCCO,a\nOCC,b\n")
    first, second = read_molecules(path)
    assert first.smiles == second.smiles
    assert second.remarks == ["b: the same molecule as line 2, a"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.pdf", b"CCO", "must end in .smi"),
        ("x.csv", b"drug,dose\naspirin,100\n", "no column of SMILES; call it smiles. Its columns are 'drug', 'dose'"),
        ("x.smi", b"\n# nothing\n", "holds no molecule"),
        ("x.smi.gz", b"not gzip", "cannot read"),
        ("x.smi.gz", gzip.compress(b"CCO\n" * 500, mtime=0)[:-12], "cannot read"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UsageError, match=reason):
        read_molecules(path)


def test_no_file_no_bomb_no_endless_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        read_molecules(tmp_path / "x.smi")
    (tmp_path / "d.smi").mkdir()
    with pytest.raises(UsageError, match="there is no file"):
        read_molecules(tmp_path / "d.smi")
    monkeypatch.setattr(library, "MAX_FILE_BYTES", 1_000_000)
    (tmp_path / "bomb.smi.gz").write_bytes(gzip.compress(b"\n" * 2_000_000, mtime=0))
    with pytest.raises(UsageError, match="larger than 1 MB"):
        read_molecules(tmp_path / "bomb.smi.gz")
    monkeypatch.setattr(library, "MAX_MOLECULES", 3)
    (tmp_path / "x.smi").write_text("CCO\n" * 4)
    with pytest.raises(UsageError, match="more than 3 molecules"):
        read_molecules(tmp_path / "x.smi")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([".smi", ".csv", ".tsv", ".sdf", ".txt"]))
def test_any_bytes_are_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, end: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{end}"
    path.write_bytes(content)
    assert all(fault.isprintable() for fault in _faults(path))


def _faults(path: Path) -> list[str]:
    try:
        return list(read(path).faults)
    except UsageError as error:
        return str(error).splitlines()


def test_a_racemate_of_several_centres_is_both_mirror_images() -> None:
    molecule = clean("C[C@@H](O)[C@H](N)c1ccccc1 norpseudoephedrine |&1:1,3|")
    one, other = molecule.both
    assert {one.smiles, other.smiles} == {
        canonical("C[C@@H](O)[C@H](N)c1ccccc1"),
        canonical("C[C@H](O)[C@@H](N)c1ccccc1"),
    }
    assert one.name == other.name == "norpseudoephedrine"
    assert one.notes == ("a racemate: both enantiomers are docked",)
    assert other.notes[0].startswith("the mirror image of ")
    meso = clean("O[C@H](C(=O)O)[C@@H](O)C(=O)O |&1:1,5|")
    assert len(meso.both) == 1
    apart = clean("C[C@@H](O)[C@H](N)c1ccccc1 |&1:1,&2:3|")
    assert apart.smiles == canonical("CC(O)C(N)c1ccccc1")
    assert "as many as --isomers says" in apart.notes[0]


def test_what_a_file_says_of_its_molecules_travels_with_them(tmp_path: Path) -> None:
    path = tmp_path / "series.csv"
    path.write_text(
        "Catalog ID,Structure (SMILES),IC50 (nM),Remark\nZ1,CCO,12,\nZ2,OCC,15,\x1b[31mred\nZ3,c1ccccc1,,\n"
    )
    first, second, third = read(path).molecules
    assert (first.name, first.smiles) == ("Z1", "CCO")
    assert dict(first.tags) == {"IC50 (nM)": "12"}
    assert dict(second.tags) == {"IC50 (nM)": "15", "Remark": "[31mred"}
    assert third.tags == ()
    assert tags_of([first, second, third]) == {"CCO": {"IC50 (nM)": "12; 15", "Remark": "[31mred"}}


def test_the_tags_of_an_sdf_travel_too(tmp_path: Path) -> None:
    block = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
    long = "x" * 500
    path = tmp_path / "series.sdf"
    path.write_text(
        f"{block}> <ID>\nA-1\n\n>  <IC50_nM> (1)\n7.5\n\n><Notes>\ntwo\nlines\n\n> <Long>\n{long}\n\n$$$$\n"
    )
    (molecule,) = read(path).molecules
    assert molecule.name == "A-1"
    assert dict(molecule.tags) == {"ID": "A-1", "IC50_nM": "7.5", "Notes": "two lines", "Long": long[:200]}


def test_enhanced_stereo_of_an_sdf_is_read(tmp_path: Path) -> None:
    mol = Chem.MolFromSmiles("C[C@@H](O)c1ccc(F)cc1 |&1:1|")
    path = tmp_path / "v3000.sdf"
    path.write_text(Chem.MolToV3KMolBlock(mol) + "$$$$\n")
    (molecule,) = read(path).molecules
    assert molecule.smiles == "CC(O)c1ccc(F)cc1"
    assert "racemate" in molecule.notes[0]
