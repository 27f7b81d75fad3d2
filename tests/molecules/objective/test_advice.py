"""Advice in words: which groups it means, and what is said to be left to a model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem

from tgsci.errors import UsageError
from tgsci_molecules.objective.advice import MAX_ADVICE, groups, read_advice


@pytest.mark.parametrize(
    ("text", "keep", "avoid"),
    [
        ("keep the aminopyrimidine hinge binder", ["aminopyrimidine"], []),
        ("keep the hinge binder", ["hinge binder"], []),
        ("Keep the morpholine and the sulfonamide, no nitro groups.", ["morpholine", "sulfonamide"], ["nitro"]),
        ("without halogens", [], ["halogen"]),
        ("remove the carboxylic acid; avoid basic amines", [], ["carboxylic acid", "basic amine"]),
        ("get rid of the ester", [], ["ester"]),
        ("do not lose the pyridine ring", ["pyridine"], []),
        ("don't change the tert-butyl group", ["tert-butyl"], []),
        ("please do not add Michael acceptors or aldehydes", [], ["michael acceptor", "aldehyde"]),
        ("do not keep the nitro group", [], ["nitro"]),
        ("must have a tetrazole", ["tetrazole"], []),
        ("avoid anilines, phenols and thiols", [], ["aniline", "phenol", "thiol"]),
        ("keep the 7-azaindole but remove the CF3", ["azaindole"], ["trifluoromethyl"]),
        ("KEEP THE CYANO", ["nitrile"], []),
        ("no pyridine or pyrazine", [], ["pyridine", "pyrazine"]),
    ],
)
def test_groups_are_understood(text: str, keep: list[str], avoid: list[str]) -> None:
    advice = read_advice(text)
    assert ([p.name for p in advice.keep], [p.name for p in advice.avoid], advice.left) == (keep, avoid, ())
    for name in keep:
        assert f"keep {name} (SMARTS " in advice.summary()


@pytest.mark.parametrize(
    "text",
    [
        "make it more soluble",
        "keep the logP below 3",
        "keep the morpholine out of the hinge",
        "no more than two halogens",
        "replace the nitro with a nitrile",
        "add a morpholine",
        "grow towards the P-loop",
        "the pyridine is nice",
        "keep the pyridine and avoid pyridines",
        "keep a pyridine or a pyrazine",
    ],
)
def test_what_is_not_understood_is_said_and_is_no_limit(text: str) -> None:
    advice = read_advice(text)
    assert advice.keep == advice.avoid == ()
    assert advice.left
    assert "the rule editor cannot follow: " in advice.summary()
    assert "--keep" in advice.summary()


def test_what_is_understood_counts_beside_what_is_not() -> None:
    advice = read_advice("keep the aminopyrimidine, avoid nitro groups. Make it shiny")
    assert [p.name for p in advice.keep] == ["aminopyrimidine"]
    assert [p.name for p in advice.avoid] == ["nitro"]
    assert advice.left == ("Make it shiny",)
    advice = read_advice("no nitro groups, more polar, and keep the morpholine and the rest rigid")
    assert ([p.name for p in advice.keep], [p.name for p in advice.avoid]) == (["morpholine"], ["nitro"])
    assert advice.left == ("more polar", "the rest rigid")


@pytest.mark.parametrize(
    ("text", "keep", "avoid"),
    [
        ("don't grow, keep the amide", ["amide"], []),
        ("not too lipophilic, keep the morpholine", ["morpholine"], []),
        ("do not go above 450 Da and keep the pyridine", ["pyridine"], []),
        ("do not change or remove the morpholine", ["morpholine"], []),
        ("do not remove or modify the morpholine", ["morpholine"], []),
        ("do not touch the amide or remove the ester", ["amide", "ester"], []),
        ("do not add or keep nitro groups", [], ["nitro"]),
        ("do not add nitro and keep the amide", ["amide"], ["nitro"]),
        ("never remove the amide", ["amide"], []),
        ("never add nitro groups", [], ["nitro"]),
        ("do not ever remove the amide", ["amide"], []),
        ("I want to keep the amide", ["amide"], []),
        ("without the nitro keep the amide", ["amide"], ["nitro"]),
        ("remove nothing, keep the amide", ["amide"], []),
    ],
)
def test_a_negation_reaches_as_far_as_it_is_meant_to(text: str, keep: list[str], avoid: list[str]) -> None:
    advice = read_advice(text)
    assert ([p.name for p in advice.keep], [p.name for p in advice.avoid]) == (keep, avoid)


@pytest.mark.parametrize(
    "text",
    [
        "I do not want to keep the nitro",
        "don't have to keep the ester",
        "no need to keep the ester",
        "it is not necessary to keep the urea",
        "avoid removing the amide",
        "please do not, under any circumstances, remove the urea",
        "not only keep the amide but add fluorine",
        "avoid or keep the amide",
    ],
)
def test_what_could_mean_the_opposite_is_left_to_a_model(text: str) -> None:
    advice = read_advice(text)
    assert (advice.keep, advice.avoid) == ((), ())
    assert advice.left


# What each group is in, and what it is not in although it looks like it.
_EXAMPLES = {
    "aminopyrimidine": ("CNc1nccc(C)n1", "Nc1ccncn1"),
    "4-aminopyrimidine": ("Nc1ccncn1", "Nc1ncccn1"),
    "aminopyridine": ("Nc1ccccn1", "Nc1cccnc1"),
    "aminopyrazole": ("Nc1cc[nH]n1", "Cc1cc[nH]n1"),
    "aminothiazole": ("Nc1nccs1", "Cc1nccs1"),
    "hinge binder": ("Nc1ncccn1", "c1ccccc1"),
    "azaindole": ("c1cnc2[nH]ccc2c1", "c1ccc2[nH]ccc2c1"),
    "indole": ("c1ccc2[nH]ccc2c1", "c1ccc2[nH]ncc2c1"),
    "indazole": ("c1ccc2[nH]ncc2c1", "c1ccc2[nH]ccc2c1"),
    "triazole": ("c1c[nH]nn1", "c1c[nH]cn1"),
    "tetrazole": ("c1nnn[nH]1", "c1c[nH]nn1"),
    "oxadiazole": ("Cc1noc(C)n1", "Cc1ncco1"),
    "purine": ("c1ncc2[nH]cnc2n1", "c1ccc2[nH]cnc2c1"),
    "phenyl": ("Cc1ccccc1", "C1CCCCC1"),
    "aniline": ("CNc1ccccc1", "CC(=O)Nc1ccccc1"),
    "amide": ("CNC(C)=O", "CNC(=O)NC"),
    "urea": ("CNC(=O)NC", "CNC(C)=O"),
    "carbamate": ("CNC(=O)OC", "CNC(C)=O"),
    "sulfonamide": ("CNS(C)(=O)=O", "CS(C)(=O)=O"),
    "sulfone": ("CS(C)(=O)=O", "CNS(C)(=O)=O"),
    "carboxylic acid": ("CC(=O)O", "CC(=O)OC"),
    "ester": ("CC(=O)OC", "CC(=O)O"),
    "ketone": ("CC(C)=O", "CC(=O)NC"),
    "aldehyde": ("CC=O", "CC(C)=O"),
    "nitrile": ("CC#N", "CC=N"),
    "nitro": ("C[N+](=O)[O-]", "CN=O"),
    "azide": ("CN=[N+]=[N-]", "CN=NC"),
    "hydroxyl": ("CCO", "CC(=O)O"),
    "phenol": ("Oc1ccccc1", "OCc1ccccc1"),
    "ether": ("COC", "CC(=O)OC"),
    "halogen": ("CCl", "CC"),
    "basic amine": ("CCN(C)C", "CC(=O)N(C)C"),
    "primary amine": ("CCN", "CNC"),
    "guanidine": ("CNC(N)=N", "CNC(N)=O"),
    "amidine": ("CC(N)=N", "CNC(N)=N"),
    "thioether": ("CSC", "CS(C)=O"),
    "michael acceptor": ("C=CC(=O)NC", "CCC(=O)NC"),
    "epoxide": ("CC1CO1", "C1COC1"),
    "hydrazine": ("CNNC", "c1cc[nH]n1"),
    "thiazole": ("c1cscn1", "c1ccsc1"),
    "morpholine": ("CN1CCOCC1", "CN1CCNCC1"),
    "piperazine": ("CN1CCNCC1", "CN1CCOCC1"),
}


@pytest.mark.parametrize(("name", "smiles"), _EXAMPLES.items(), ids=list(_EXAMPLES))
def test_a_group_is_what_a_chemist_means_by_it(name: str, smiles: tuple[str, str]) -> None:
    (pattern,) = read_advice(f"avoid {name}").avoid
    there, elsewhere = map(Chem.MolFromSmiles, smiles)
    assert (pattern.count(there) > 0, pattern.count(elsewhere)) == (True, 0)


def test_every_group_can_be_said_in_the_plural_and_has_a_pattern_that_matches_something() -> None:
    assert len([group.name for group, _ in groups()]) >= 60
    for name in [group.name for group, _ in groups()]:
        assert [p.name for p in read_advice(f"no {name}s").avoid] == [name]


@given(st.text(max_size=MAX_ADVICE))
def test_any_text_is_taken_and_becomes_one_printable_line(text: str) -> None:
    advice = read_advice(text)
    assert advice.text.isprintable()
    assert isinstance(advice.summary(), str)


def test_advice_has_a_length() -> None:
    for text in ("x" * (MAX_ADVICE + 1), 3, None):
        with pytest.raises(UsageError, match="advise must be a text"):
            read_advice(text)
    assert read_advice("").summary() == ""
