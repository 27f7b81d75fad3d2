"""Residue numbers of the built-in receptors: each offset is held to residues that everybody knows."""

from __future__ import annotations

from itertools import groupby, pairwise

import pytest

from tgsci.errors import UsageError
from tgsci_molecules import Target, target_names
from tgsci_molecules.target.names import matching, proteins, resolved, suggestions
from tgsci_molecules.target.numbering import AMINO_ACIDS, builtin_numbering, standard

#: Words of each protein's sequence: which letter of it has which number, as in GATEKEEPER:index:number.
LANDMARKS = {
    "ABL1": "VAVKTL:3:271 IITEFM:2:315 TEFMTYG:3:318 VADFGL:2:381 DTYTAH:2:393 PSFAE:2:486",
    "ACHE": "GESAGG:2:200 SEMWNPN:3:84 GVIHGYE:3:440",
    "ADAM17": "THELGHN:1:405 RNTAWDN:2:265",
    "ADORA2A": "ACLFEDV:3:168 LCWLPLH:2:246 IINCFTF:2:253 LSHTNSV:2:278",
    "ADRB1": "SLDVLCV:2:121 WLPFFLV:3:306 FNWLGY:1:329",
    "ADRB2": "SIDVLCV:2:113 YAIASSIVSF:4:203 CWLPFFI:1:286 LNWIGY:1:312",
    "AKT1": "YAMKIL:3:179 MEYANGG:0:227 ITDFGL:2:292 TFCGTPE:0:308 QFDYSA:2:473",
    "AKT2": "YAMKIL:3:181 ITDFGL:2:293 TFCGTPE:0:309 QFDYSA:2:474",
    "AR": "LNELGE:1:705 RQLVHVV:1:711 YSWMGLM:2:741 GWRSFTN:2:752 FTFDLL:1:877",
    "BACE1": "DTGSSN:0:32 DSGTTN:0:228 DDCYKF:2:319 SACHVH:2:359 EDCGYN:2:382",
    "CA2": "FHFHWGS:1:94 HFHWGS:2:96 AELHLVHWN:3:119 YPGSLTTPP:5:199",
    "CASP3": "MTSRSG:3:64 LLSHGEE:3:121 IIQACRG:4:163 YSWRNS:3:207 FESFSF:0:247",
    "CDK2": "VALKKI:3:33 VFEFLH:1:80 LADFGL:2:145 PHLRL:4:298",
    "CSF1R": "VAVKML:3:616 VITEYC:2:663 TEYCCY:3:666 IGDFGL:2:796 SNYIVK:2:809",
    "CYP2C9": "GIVFSN:3:114 GAGTETT:5:301 GKRICVG:4:435 GFASVPP:1:476",
    "CYP3A4": "RRPFGPV:0:105 KSAISIA:4:119 FDFLDPFF:2:215 FAGYETT:0:304 LFPIAMRL:4:370 GPRNCIG:4:442 LGGLLQP:3:482",
    "DHFR": "NMGIGKNGDLPW:8:21 PPLRNEFRYF:5:30 NEFRYF:2:31 EVYEKND:6:186",
    "DPP4": "NTQWVTW:0:151 VYEEEVF:4:206 LDVYAGP:3:547 GWSYGG:2:630 YYDSVYTE:1:662 DEDHGIA:3:740",
    "DRD2": "TLDVMMC:2:114 YSSIVSF:1:193 ICWLPFF:2:386 LGYVNSA:2:416",
    "DRD3": "TLDVMMC:2:110 YSSVVSF:1:192 VCWLPFF:2:342 LGYVNSA:2:373",
    "EGFR": "VAIKEL:3:745 LITQLM:2:790 TQLMPF:3:793 FGCLLD:2:797 ITDFGL:2:855",
    "ESR1": "LADRELV:4:353 VWRSMEH:2:394 GMEHLYS:3:524 VPLYDLL:3:537",
    "ESR2": "LADKELV:4:305 MWRSIDH:2:346 GMEHLLN:3:475",
    "F10": "TAAHCLY:3:57 TYDFDIA:1:99 FDIAVL:1:102 SSFIITQ:2:174 EDACQGDS:1:189 EDACQGDS:7:195 VSWGEGC:2:215",
    "F2": "TAAHCLL:3:57 LYPPWDK:2:60B DRDIALM:2:102 GDACEGDSGGP:1:189 GDACEGDSGGP:7:195 VSWGEGC:2:215",
    "FGFR1": "VAVKML:3:514 VEYAS:0:561 IADFGL:2:641 DYYKKTT:1:653 RPTFKQ:0:744",
    "GBA": "KSFGYSS:0:7 TAENEPS:4:235 SEACVG:1:340 SHSIITN:6:370 YSI:0:487",
    "HMGCR": "IIQLVNAK:0:467 CTDKKPA:2:690 CGQDAAQ:3:767 ATTEGCL:3:559 NAHAANI:2:752 LAAGH:4:861",
    "HSD11B1": "VVSSLAG:3:170 VAAYSASK:3:183 TAMKAVS:0:222 AMKAVSG:4:227",
    "HSP90AA1": "LISNSSDA:3:51 IVDTGIGM:2:93 GRGTKV:3:184",
    "IGF1R": "VAIKTV:3:1033 IMELMTR:2:1080 ELMTRG:2:1082 IGDFGM:2:1153 DYYRKGG:1:1165 SFYYSEE:2:1280",
    "JAK2": "VAVKKL:3:882 LIMEYLP:3:930 EYLPYG:2:932 IGDFGL:2:994 QMIVFH:0:1072 RPSFR:0:1113",
    "KDR": "LGKPLGRG:4:840 VAVKML:3:868 ALMSELKI:4:885 VEFCKFG:0:916 FCKFG:1:919 ICDFGL:2:1046 LPLKWM:0:1067",
    "KIT": "VAVKML:3:623 VITEYC:2:670 TEYCCY:3:673 ICDFGL:2:810 YVYIDPT:2:570",
    "LCK": "VAVKSL:3:273 IITEYM:2:316 TEYMENG:3:319 IADFGL:2:382 NEYTARE:2:394",
    "MAOB": "GGQERKF:2:206 CYTTYFP:0:397 SGYMEGA:2:435",
    "MAP2K1": "MARKLI:3:97 EHMDGG:2:146 LCDFGV:2:208 LIDSMANSF:3:218",
    "MAPK1": "VAIKKI:3:54 LMETDLY:1:108 ICDFGL:2:167 TEYVATR:0:185",
    "MAPK14": "VAVKKL:3:53 LVTHLM:2:106 THLMGAD:3:109 ILDFGL:2:168",
    "MAPKAPK2": "FALKML:3:93 ECLDGG:2:141 LTDFGF:2:207 ERWEDV:2:349",
    "MET": "CAVKSL:3:1110 LPYMKHG:1:1158 PYMKHG:2:1160 VADFGL:2:1222 KEYYS:2:1234",
    "MMP13": "FPRTL:0:107 AAHEFGH:2:222 HEFGHSLG:4:226 GPGDE:4:271",
    "NOS1": "RCVGRIQW:1:415 GWYMGTE:1:587 MGTEIGV:3:592",
    "NR3C1": "PTLVSLL:0:530 LNMLGGR:1:564 GWRSYRQ:2:611 NYCFQTF:2:736 LLFHQK:5:777",
    "PARP1": "LLWHGSR:4:863 NEYIVYD:1:988",
    "PDE5A": "VGFIDAI:2:820 SMQVGFI:2:817 NWRHAFN:3:617",
    "PGR": "LNQLGER:1:719 YSWMSLM:2:755 GWRSYKH:2:766 YCLNTF:1:891 LLFHK:4:932",
    "PLK1": "FAGKIV:3:82 LELCRRR:3:133 IGDFGL:2:194",
    "PPARA": "LKYGVYE:5:314 CQCTSVE:4:280 EIYRDMY:2:464",
    "PPARD": "GVHEAIF:2:287 QEIYKDM:3:437",
    "PPARG": "CQFRSVE:4:289 GVHEIIY:2:323 EIYKDLY:2:473",
    "PTGS2": "LTSRSYL:3:120 TLYHWHP:2:385 MVELGAPFS:1:523 PFSLKGL:2:530",
    "PTK2": "VAIKTC:3:454 IIMELCT:2:499 ELCTLGE:2:502 LGDFGL:2:564",
    "PTPN1": "DIRHEAS:2:24 WPDFGVP:2:181 VHCSAGIG:2:215",
    "REN": "DTGSSNV:0:38 DTGASYI:0:226",
    "ROCK1": "YAMKLL:3:105 MEYMPGG:3:156 LADFGT:2:216",
    "SRC": "VAIKTL:3:295 IVTEYM:2:338 TEYMSKG:3:341 VADFGL:2:404",
    "THRB": "LTLNGEM:3:331 GACHASR:3:435 SRFLHMK:1:438",
}
NAMES = "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL TPO PTR TYS"
LETTERS = dict(zip(NAMES.split(), "ARNDCQEGHILKMFPSTWYVTYY", strict=True))


def residues(name: str) -> list[tuple[int, str]]:
    """Number and name of each residue of a receptor file, in its order."""
    lines = [row for row in Target(name).receptor.read_text().splitlines() if row.startswith(("ATOM", "HETATM"))]
    return [
        (int(number), resname.strip()) for (number, resname), _ in groupby((row[22:26], row[17:20]) for row in lines)
    ]


def test_landmarks_cover_every_receptor_that_claims_a_numbering() -> None:
    assert set(LANDMARKS) == set(target_names())
    assert all(len(words.split()) >= 2 for words in LANDMARKS.values())


@pytest.mark.parametrize("name", sorted(LANDMARKS))
def test_the_landmarks_of_a_receptor_have_their_numbers(name: str) -> None:
    target = Target(name)
    found = {number: resname for number, resname in residues(name) if standard(resname) in LETTERS}
    sequence = {number: LETTERS[standard(resname)] for number, resname in found.items()}
    for landmark in LANDMARKS[name].split():
        word, index, wanted = landmark.split(":")
        places = [n for n in sequence if all(sequence.get(n + k) == letter for k, letter in enumerate(word))]
        labels = [target.label(found[n + int(index)], n + int(index)) for n in places]
        assert labels, landmark
        assert {label[3:].rstrip("'") for label in labels} == {wanted}, landmark


@pytest.mark.parametrize("name", sorted(LANDMARKS))
def test_no_two_residues_of_one_chain_share_a_label_and_numbers_only_rise(name: str) -> None:
    target = Target(name)
    labels = [target.label(resname, number) for number, resname in residues(name) if standard(resname) in LETTERS]
    first = [label for label in labels if not label.endswith(("'", "#"))]
    assert len(first) == len(set(first))
    assert len(first) > len(labels) / 3


def test_a_stretch_and_its_neighbours_do_not_overlap() -> None:
    for name in target_names():
        stretches = builtin_numbering(name).stretches
        assert all(a.last < b.first for a, b in pairwise(stretches)), name


@pytest.mark.parametrize(
    ("target", "resname", "number", "label"),
    [
        ("ABL1", "THR", 83, "Thr315"),
        ("ABL1", "MEU", 86, "Met318"),
        ("ABL1", "ALA", 519, "Ala487'"),
        ("EGFR", "MET", 793, "Met793"),
        ("JAK2", "LEU", 86, "Leu932"),
        ("F2", "ASP", 219, "Asp189"),
        ("F2", "TYR", 74, "Tyr60A"),
        ("F2", "TYS", 287, "Tys287#"),
        ("AKT1", "TPO", 165, "Tpo308"),
        ("PARP1", "GLY", 202, "Gly863"),
        ("DRD2", "ASN", 1002, "Asn1002#"),
        ("CA2", "ZN5", 501, "Zn501"),
        ("CYP3A4", "HEM", 915, "Hem915"),
    ],
)
def test_labels_are_what_people_write(target: str, resname: str, number: int, label: str) -> None:
    assert number in [n for n, _ in residues(target)]
    assert Target(target).label(resname, number) == label


def test_every_residue_name_of_the_receptors_is_known() -> None:
    names = {resname for name in target_names() for _, resname in residues(name)}
    groups = {
        "ACE",
        "NMA",
        "WAT",
        "WAM",
        "HEM",
        "NDP",
        "NAP",
        "FAD",
        "ADP",
        "ZN",
        "ZN1",
        "ZN3",
        "ZN5",
        "MG",
        "MG1",
        "MG4",
    }
    assert {standard(name) for name in names} - groups <= AMINO_ACIDS


def test_the_numbering_is_said_in_one_sentence() -> None:
    assert Target("EGFR").numbering.startswith("UniProt's (P00533)")
    assert "chymotrypsin" in Target("F2").numbering
    assert "Torpedo" in Target("ACHE").numbering
    assert all("\n" not in Target(name).numbering for name in target_names())


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("thrombin", "F2"),
        ("HER1", "EGFR"),
        ("COX-2", "PTGS2"),
        ("cox 2", "PTGS2"),
        ("factor Xa", "F10"),
        ("estrogen receptor alpha", "ESR1"),
        ("PPAR\N{GREEK SMALL LETTER GAMMA}", "PPARG"),
        ("VEGFR-2", "KDR"),
        ("p00533", "EGFR"),
        ("BCR-ABL", "ABL1"),
    ],
)
def test_synonyms_name_their_target(text: str, symbol: str) -> None:
    assert resolved(text) == symbol
    assert Target(text) == Target(symbol)
    assert Target(text).name == symbol


def test_every_target_has_a_protein_and_no_synonym_has_two() -> None:
    assert tuple(sorted(proteins())) == target_names()
    assert all(resolved(name) == protein.symbol for protein in proteins().values() for name in protein.names)
    assert all(p.uniprot and p.name for p in proteins().values())
    assert len({p.uniprot for p in proteins().values()}) == 58


@pytest.mark.parametrize(
    ("text", "hint"), [("trombin", "F2 (thrombin)"), ("VEGFR", "KDR"), ("EGRF", "EGFR"), ("dopamin", "DRD2"), ("x", "")]
)
def test_a_wrong_name_is_answered_by_symbol_synonym_and_protein(text: str, hint: str) -> None:
    assert hint in ", ".join(suggestions(text))
    with pytest.raises(UsageError, match="lists all 58"):
        Target(text)


def test_match_looks_in_symbols_proteins_and_synonyms() -> None:
    assert matching("ppar") == ["PPARA", "PPARD", "PPARG"]
    assert "F2" in matching("thrombin")
    assert "KDR" in matching("vegf")
    assert len(matching("")) == 58
    assert matching("zzz") == matching("--") == []
