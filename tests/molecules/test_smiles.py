"""What is accepted as a molecule, and what a person or a model is told where it is not."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rdkit import Chem
from tgsci_molecules.smiles import MAX_LENGTH, canonical, molecule, shown, undefined_stereo

from tgsci.errors import InvalidValue

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
        ("C(C)(C)(C)(C)C", "atom C0 has 5 bonds"),
        ("CCCN(C)(C)C", "atom N3 has 4 bonds"),
        ("c1cccc1", r"aromatic atoms C0, C1, C2, C3, C4"),
        ("CCN.Cl", "2 parts.*the largest part is 'CCN'"),
        ("[Zn+2].CC(=O)[O-]", "2 parts"),
        ("C[CH2]", "atom C1 is a radical"),
        ("CB(O)O", "element of atom B1"),
        ("C[Se]C", "element of atom Se1"),
        ("*c1ccccc1", "placeholder"),
        ("[2H]C", "isotope label 2"),
        ("C~C", "bond C0-C1 is unspecified"),
        ("C$C", "bond C0-C1 is quadruple"),
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


def test_open_stereo_is_named_and_nothing_else() -> None:
    assert undefined_stereo(molecule("CC(O)C(N)C")) == ["stereocentre C1", "stereocentre C3"]
    assert undefined_stereo(molecule("CC=CC")) == ["double bond C1=C2"]
    assert undefined_stereo(molecule("CC1CCC(C)CC1")) == ["stereocentre C1", "stereocentre C4"]
    assert undefined_stereo(molecule("CC1(C)C2CCC1(C)C(=O)C2")) == ["stereocentre C3", "stereocentre C6"]
    for smiles in ("C[C@H](O)CN=[N+]=[N-]", "NC12CC3CC(CC(C3)C1)C2", "C1CN2CCC1CC2"):
        assert undefined_stereo(molecule(smiles)) == []


def test_text_in_messages_is_harmless() -> None:
    assert shown("a\x1b[31m\n") == "'a\\x1b[31m\\n'"
    assert shown("C/C=C\\C") == "'C/C=C\\C'"
    assert len(shown("C" * 10_000)) < 100
