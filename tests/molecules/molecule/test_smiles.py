"""What is accepted as a molecule, and what a person or a model is told where it is not."""

from __future__ import annotations

import copy
import json
import pickle
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rdkit import Chem

from tests.molecules.parses import counted
from tgsci.basics.texts import quote
from tgsci.errors import InvalidValue, UsageError
from tgsci_molecules.molecule.library import MAX_TEXT, clean
from tgsci_molecules.molecule.smiles import (
    MAX_LENGTH,
    Molecule,
    as_molecule,
    canonical,
    molecule,
    open_stereo,
    stereo_in_words,
)

DASATINIB = "Cc1nc(Nc2ncc(s2)C(=O)Nc2c(C)cccc2Cl)cc(n1)N1CCN(CCO)CC1"
ALPHABET = "CNOPSFIBrclnos[]()=#$:/\\@+-.%0123456789H*~&|<>{} \t\n\u200b\u2212\x00\ud800"


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("OCC", "CCO"),
        ("  CCO\n", "CCO"),
        ("\u200bCCO\ufeff", "CCO"),
        ("[CH3:4][CH2:1]O", "CCO"),
        ("C1=CC=CC=C1", "c1ccccc1"),
        ("[H]C([H])([H])O", "CO"),
        ("C/C=C\\C", "C/C=C\\C"),
        ("N[C@@H](C)C(=O)O", "C[C@H](N)C(=O)O"),
        ("[O-][N+](=O)c1ccccc1", "O=[N+]([O-])c1ccccc1"),
        ("[C-]#[N+]C", "[C-]#[N+]C"),
    ],
)
def test_every_spelling_has_one_canonical_form(spelling: str, expected: str) -> None:
    assert canonical(spelling) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("C1CC", "unclosed ring"),
        ("CC)", "extra close parentheses around position 3"),
        ("[Xx]", "syntax error"),
        ("C(C)(C)(C)(C)C", "atom C1 has 5 bonds"),
        ("CCCN(C)(C)C", r"atom N4 has 4 bonds.*an ammonium is written \[N\+\]"),
        ("c1cccc1", r"aromatic atoms C1, C2, C3, C4, C5"),
        ("CCN.Cl", "2 parts.*the largest part is 'CCN'"),
        ("[Zn+2].CC(=O)[O-]", "2 parts"),
        ("C[CH2]", "atom C2 is a radical"),
        ("CB(O)O", "element of atom B2"),
        ("C[Se]C", "element of atom Se2"),
        ("*c1ccccc1", "placeholder"),
        ("[2H]C", "isotope label 2"),
        ("C~C", "bond C1-C2 is unspecified"),
        ("C$C", "bond C1-C2 is quadruple"),
        ("C[CH-]C", "charge -1"),
        ("[OH2+2]", "charge [+]2"),
        ("[H][H]", "no atom but hydrogen"),
        ("C" * 61, "61 heavy atoms"),
        ("C" * 30, "27 rotatable bonds"),
        ("C" * (MAX_LENGTH + 1), "501 characters long"),
        ("CCO ethanol", "space at position 4"),
        ("CC\u2212O", "MINUS SIGN at position 3"),
        ("<solution>CCO</solution>", "syntax error around position 1"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_where(text: str, reason: str) -> None:
    with pytest.raises(InvalidValue, match=reason):
        canonical(text)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.text(alphabet=ALPHABET, max_size=60) | st.text(max_size=40) | st.text("CNO()=#123[]+-", max_size=80))
@example("C1" * 250)
@example("(" * MAX_LENGTH)
@example("[" * MAX_LENGTH)
@example("C%99" * 100)
@example("[999999999999999999999C]")
@example("[C:99999999999999]")
@example("C12C3C4C1C5C2C3C45")
def test_any_text_is_either_a_molecule_or_refused_with_a_printable_reason(text: str) -> None:
    value, reason = _outcome(text)
    if reason is None:
        assert canonical(value) == value
        assert Chem.MolFromSmiles(value) is not None
    else:
        assert reason.isprintable()
        assert len(reason) < 600


def _outcome(text: str) -> tuple[str, str | None]:
    try:
        return canonical(text), None
    except InvalidValue as error:
        return "", str(error)


def test_refusals_are_silent_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    for text in ("C1CC", "c1cccc1", "C(C)(C)(C)(C)C", "[Xx]", "C"):
        _outcome(text)
    assert capfd.readouterr() == ("", "")


def test_a_check_takes_milliseconds() -> None:
    canonical(DASATINIB)
    started = time.process_time()
    for _ in range(100):
        canonical(DASATINIB)
    assert (time.process_time() - started) / 100 < 5e-3


@pytest.mark.parametrize(
    ("smiles", "named"),
    [
        ("CC(O)C(N)C", ["stereocentre C2", "stereocentre C4"]),
        ("CC=CC", ["double bond C2=C3"]),
        ("CC1CCC(C)CC1", ["stereocentre C2", "stereocentre C5"]),
        ("CC1(C)C2CCC1(C)C(=O)C2", ["stereocentre C4", "stereocentre C7"]),
        ("O=C1CCCC=CCCCCO1", ["double bond C6=C7"]),
        ("C1=CCCCCC1", []),
        ("C[C@H](O)CN=[N+]=[N-]", []),
        ("NC12CC3CC(CC(C3)C1)C2", []),
        ("C1CN2CCC1CC2", []),
    ],
)
def test_open_stereo_is_named_and_nothing_else(smiles: str, named: list[str]) -> None:
    mol = molecule(smiles)
    assert stereo_in_words(mol, open_stereo(mol)) == named


def test_text_in_messages_is_harmless() -> None:
    assert quote("a\x1b[31m\n") == "'a\\x1b[31m\\n'"
    assert quote("C/C=C\\C") == "'C/C=C\\C'"
    assert len(quote("C" * 10_000)) < 100


HOSTILE_SEED = 20_000
PARTS = (
    "C", "c1ccccc1", "N", "O", "[NH3+]", "[O-]", "S(=O)(=O)", "C(=O)", "F", "Cl", "Br", "I", "[2H]", "[13CH3]",
    "[235U]", "[Fe+2]", "[Na+]", "[Pt]", "[Zn+2]", "B", "[Se]", "[As]", "[Xe]", "*", "[*:1]", "[CH3:7]", "%10", "%99",
    "1", "2", "3", "9", "(", ")", "((", "))", "[", "]", "=", "#", "$", ":", "~", "/", "\\", "@", "@@", "[C@H]", "[C@@]",
    ".", "..", "-", ">", ">>", "{", "}", "|", "&", " ", "\t", "\n", "\r", "\x00", "\x1b[31m", "\u200b", "\u200d",
    "\u202e", "\ufeff", "\u2212", "\ud800", "\U0001f4a9", "\u0421", "\uff23", "\xa0", "'", '"', "`", ";", "$(ls)", "%s",
    "../../etc/passwd", "InChI=1S/", "InChI=1S/CH4/h1H4", "nan", "C" * 60, "[C" + "H" * 30 + "]", "[C+99]", "[999C]",
)  # fmt: skip


def hostile(count: int) -> Iterator[str]:
    """Strings as models, spreadsheets and pranksters write them; the same ones in every run."""
    rng = random.Random(HOSTILE_SEED)
    good = (DASATINIB, "CC(=O)Oc1ccccc1C(=O)[O-].[Na+]", "C[C@H](N)C(=O)O", "[2H]C([2H])([2H])O", "N->[Pt](Cl)Cl")
    kinds: list[Callable[[], str]] = [
        lambda: "".join(rng.choices(PARTS, k=rng.randint(1, 30))),
        lambda: _mutated(rng, rng.choice(good)),
        lambda: "".join(map(chr, rng.choices(range(0x110000), k=rng.randint(1, 40)))),
        lambda: rng.choice(["(", "[", "C1", "C(", "C%11", "=", ".", "C.", "c1", "\\", "[H]"]) * rng.randint(1, 3_000),
        lambda: "C" + "".join(f"C{rng.randint(1, 9)}" for _ in range(rng.randint(2, 120))),
        lambda: rng.choice(PARTS) * rng.randint(1, 200),
        lambda: "InChI=" + "".join(rng.choices("1S/CHNOch0123456789,-()+pqtbmsi;", k=rng.randint(1, 60))),
        lambda: rng.choice(good) + rng.choice([" ", "\t", "\u3000", "|", ".", "\n"]) + rng.choice(PARTS),
    ]
    for number in range(count):
        yield kinds[number % len(kinds)]()


def _mutated(rng: random.Random, text: str) -> str:
    letters = list(text)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(letters) + 1)
        letters[place : place + rng.randint(0, 2)] = rng.choice(PARTS)
    return "".join(letters)


@pytest.mark.slow
def test_ten_thousand_hostile_strings_are_read_or_refused_in_words() -> None:
    outcomes: Counter[str] = Counter()
    for text in hostile(10_000):
        for read in (canonical, lambda text: clean(text).smiles):
            started = time.process_time()
            try:
                smiles = read(text)
            except (InvalidValue, UsageError) as error:
                reason = str(error)
                assert reason.isprintable(), ascii(text)
                assert 10 < len(reason) < 700, ascii(text)
                outcomes["refused"] += 1
            else:
                assert canonical(smiles) == smiles, ascii(text)
                outcomes["read"] += 1
            assert time.process_time() - started < 1.0, ascii(text)
    assert outcomes["read"] > 500  # the strings are not all nonsense
    assert outcomes["refused"] > 10_000
    with pytest.raises(InvalidValue, match="2001 characters"):
        clean("C" * (MAX_TEXT + 1))


def test_a_canonical_smiles_is_a_text_that_carries_its_molecule() -> None:
    value = canonical("OCC")
    assert value == "CCO"
    assert json.dumps([value, {value: 1}]) == '["CCO", {"CCO": 1}]'
    assert repr(value) == "'CCO'"
    assert hash(value) == hash("CCO")
    assert type(str(value)) is str
    with counted() as texts:
        assert canonical(value) is value
        assert molecule(value) is value.mol
        assert as_molecule(value) is value
    assert texts == []


def test_what_is_parsed_stays_behind_where_a_molecule_is_pickled_or_copied() -> None:
    value = canonical("c1ccccc1O")
    for other in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value)):  # noqa: S301
        assert other == value
        with counted() as texts:
            assert canonical(other) is other  # it was checked before
            assert other.mol.GetNumAtoms() == 7
            assert other.mol is other.mol
        assert texts == [value]


def test_a_molecule_that_was_made_elsewhere_is_checked_without_another_parse() -> None:
    made = Molecule("CCO", Chem.MolFromSmiles("CCO"))
    with counted() as texts:
        assert canonical(made) is made
    assert len(texts) == 1  # as it is written, before its chemistry is looked at
    with pytest.raises(InvalidValue, match="cannot be docked"):
        canonical(Molecule("C[Se]C"))
    assert canonical(Molecule("OCC")) == "CCO"
