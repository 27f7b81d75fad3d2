"""Hard limits: by how much each is broken, which are refused before docking, and what mends them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem

from tgsci import Feedback
from tgsci.errors import InvalidValue, UsageError
from tgsci.optimizer import measured_as
from tgsci_molecules import Objective, canonical
from tgsci_molecules.molecule.patterns import Pattern
from tgsci_molecules.molecule.smiles import molecule
from tgsci_molecules.objective.contacts import Contact, read_contact
from tgsci_molecules.objective.core import Core
from tgsci_molecules.objective.ranges import read_range
from tgsci_molecules.pose.contacts import NO_GROUP
from tgsci_molecules.target.targets import Target
from tgsci_molecules.views.poses import limits_broken

ANILINE = "Nc1nccc(-c2ccccc2)n1"  # a 2-aminopyrimidine with a phenyl on carbon 4


def mol(smiles: str) -> Chem.Mol:
    return Chem.MolFromSmiles(canonical(smiles))


def broken(smiles: str, **limits: Any) -> dict[str, float]:
    return Objective("ABL1", **limits).broken(mol(smiles))


@pytest.mark.parametrize(
    ("limits", "smiles", "expected"),
    [
        ({"MW": (200, 500)}, "Cc1ccccc1", {"MW >= 200": 107.86}),
        ({"MW": "<= 50"}, "Cc1ccccc1", {"MW <= 50": 42.14}),
        ({"cLogP": (None, 5), "HBD": (0, 0)}, "OCCO", {"HBD <= 0": 2.0}),
        ({"formal charge": 0}, "C[N+](C)(C)C", {"formal charge <= 0": 1.0}),
        ({"ring sizes": (5, 7)}, "C1CC1C1CCCCCCCC1", {"ring sizes 5 to 7": 4.0}),
        ({"ring sizes": (5, 7)}, "CCO", {}),
        ({"rotors": "0..1"}, "CCCCCC", {"rotatable bonds <= 1": 2.0}),
        ({"largest ring": "<= 6"}, "C1CCCCCC1", {"largest ring <= 6": 1.0}),
    ],
)
def test_a_range_says_by_how_much_it_is_broken(limits: dict[str, Any], smiles: str, expected: dict[str, float]) -> None:
    assert broken(smiles, limits=limits) == pytest.approx(expected, abs=0.01)


def test_groups_alerts_and_similarity() -> None:
    nitro = "O=[N+]([O-])c1ccc([N+](=O)[O-])cc1"
    assert broken(nitro, avoid=[("[N+](=O)[O-]", "nitro")]) == {"avoid nitro": 2.0}
    assert broken(nitro, avoid=[{"smarts": "[N+](=O)[O-]", "count": 1}]) == {"avoid [N+](=O)[O-] beyond 1": 1.0}
    assert broken(nitro, keep=["c1ccncc1", "c1ccccc1"]) == {"keep c1ccncc1": 1.0}
    assert broken("c1ccncc1", keep=[("c1ccncc1", "pyridine", 2)]) == {"keep pyridine x2": 1.0}
    assert broken(nitro, alerts=["brenk"])["alerts of BRENK"] >= 1
    assert broken("Cc1ccccc1", alerts=["PAINS", "BRENK", "CHEMBL_Glaxo"]) == {}
    window = {"limits": {"similarity": (0.3, 0.9)}, "reference": "Cc1ccccc1"}
    assert broken("Cc1ccccc1", **window) == pytest.approx({"similarity <= 0.9": 0.1})
    assert broken("CCO", **window) == pytest.approx({"similarity >= 0.3": 0.3}, abs=0.3)


def test_a_pattern_with_written_hydrogens_matches_implicit_ones() -> None:
    assert Pattern("[H]N").count(mol("CN")) == 1
    assert Pattern("[H]Oc1ccccc1").count(mol("Oc1ccccc1")) == 1
    for smarts in ("*", "[#6]", "[NH2]", "[nH]1cccc1", "F/C=C/F", "C[C@H](N)O", "[O-]", "c:c", "[$([NX3]C=O)]", "C~C"):
        assert Pattern(smarts)


@pytest.mark.parametrize(
    ("core", "smiles", "out"),
    [
        ("Nc1nccc([*:1])n1", "Nc1nccc(-c2ccccc2)n1", 0),
        ("Nc1nccc([*:1])n1", "Nc1ncccn1", 0),  # a hydrogen may stand at an attachment point
        ("Nc1nccc([*:1])n1", "CNc1nccc(-c2ccccc2)n1", 1),  # the nitrogen has grown
        ("Nc1nccc([*:1])n1", "Nc1ncc(F)c(-c2ccccc2)n1", 1),
        ("Nc1nccc([*:1])n1", "Nc1nc(C)c(F)c(-c2ccccc2)n1", 2),
        ("Nc1nccc([*:1])n1", "c1ccccc1", 7),  # all of its atoms are missing
        ("Nc1nccc([*:1])n1", "Nc1cccc(-c2ccccc2)n1", 7),
        ("[*:1]c1ccc([*:2])cc1", "Cc1ccc(F)cc1", 0),
        ("[*:1]c1ccc([*:2])cc1", "Cc1cccc(F)c1", 1),
        ("C1=CC=CC=C1[*:1]", "Cc1ccccc1", 0),  # alternating double bonds are the same ring
        ("[*:1]C([*:2])C(=O)N", "CC(F)C(N)=O", 0),
        ("[*:1]C([*:2])C(=O)N", "CC(F)(Cl)C(N)=O", 1),
        ("c1ccncc1", "CCc1ccnc(F)c1", 0),  # without attachment points it grows anywhere
    ],
)
def test_a_core_grows_only_where_it_may(core: str, smiles: str, out: int) -> None:
    assert broken(smiles, core=core) == ({"core": float(out)} if out else {})


def test_a_core_that_lies_either_way_round_takes_the_allowed_one() -> None:
    fit = Core("[*:1]c1ccccc1").fit(mol("Cc1ccccc1"))
    assert fit is not None
    assert fit.strays == ()
    assert [mol("Cc1ccccc1").GetAtomWithIdx(i).GetDegree() for i in fit.ends] == [3]


def test_what_the_start_keeps_is_refused_and_what_it_breaks_is_only_counted() -> None:
    objective = Objective(
        "ABL1",
        keep=[("[NX3]c1ncccn1", "aminopyrimidine"), ("C(F)(F)F", "trifluoromethyl")],
        avoid=[("[N+](=O)[O-]", "nitro")],
        core="Nc1nccc([*:1])n1",
        alerts=["PAINS"],
        limits={"MW": (250, 500)},
    )
    assert objective.validate("CC[N+](=O)[O-]") == "CC[N+](=O)[O-]"  # nothing is refused before a start is known
    strict = objective.refusing([canonical(ANILINE)])
    assert strict.refused == {"keep aminopyrimidine", "avoid nitro", "core", "alerts of PAINS"}
    assert strict.fingerprint == objective.fingerprint
    assert strict.validate(ANILINE) == canonical(ANILINE)
    with pytest.raises(InvalidValue, match=r"contain aminopyrimidine .* does not have it: put it back"):
        strict.validate("c1ccccc1")
    with pytest.raises(InvalidValue, match=r"not contain nitro .* at N\d+, O\d+, O\d+: change these atoms"):
        strict.validate("Nc1nccc(-c2ccc([N+](=O)[O-])cc2)n1")
    with pytest.raises(InvalidValue, match=r"grown elsewhere: [CF]\d+ on the core is not allowed"):
        strict.validate("Nc1ncc(F)c(-c2ccccc2)n1")
    # The start is too light and has no CF3: both are said, neither is refused.
    assert set(strict.broken(mol(ANILINE))) == {"MW >= 250", "keep trifluoromethyl"}


def test_one_start_that_breaks_a_limit_leaves_it_open() -> None:
    objective = Objective("ABL1", avoid=["[N+](=O)[O-]"], keep=["c1ccccc1"])
    both = objective.refusing(["Cc1ccccc1", "O=[N+]([O-])c1ccccc1"])
    assert both.refused == {"keep c1ccccc1"}


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_a_range_reads_in_every_form(a: float, b: float) -> None:
    low, high = sorted((a, b))
    for given_range in ((low, high), [low, high], f"{low!r} to {high!r}", f"{low!r}..{high!r}"):
        assert read_range("MW", given_range) == (low, high)
    assert read_range("MW", f"<= {high!r}") == (None, high)
    assert read_range("MW", f">={low!r}") == (low, None)
    assert read_range("MW", (low, float("inf"))) == (low, None)
    assert read_range("MW", low) == (low, low)


@pytest.mark.parametrize(
    ("given_limits", "reason"),
    [
        ({"limits": {"MW": (500, 200)}}, "the limit on MW is empty"),
        ({"limits": {"MW": (None, None)}}, "open at both ends"),
        ({"limits": {"MW": "about 500"}}, "'about 500' is no number"),
        ({"limits": {"MW": [1, 2, 3]}}, "must be a pair"),
        ({"limits": {"MW": True}}, "must be a pair"),
        ({"limits": {"weigth": 3}}, "did you mean"),
        ({"limits": {"matches": 3}}, "write the SMARTS under keep or avoid"),
        ({"keep": ["c1ccc("]}, "not a SMARTS"),
        ({"keep": ["C" * 501]}, "plain characters"),
        ({"keep": ["C1=CC=NC=C1"]}, "does not match the molecule that it is as a SMILES; write 'c1ccncc1'"),
        ({"avoid": ["CN(=O)=O"]}, r"write 'C\[N\+\]\(=O\)\[O-\]'"),
        ({"keep": [{"smarts": "C", "count": 0}]}, "whole number from 1"),
        ({"keep": [{"smart": "C"}]}, "a table of smarts, name and count"),
        ({"keep": [3]}, "a group is a SMARTS"),
        ({"keep": [("CC", "a")], "avoid": []}, None),
        ({"keep": [("CC", "a"), ("CCC", "a")]}, "two limits are called 'keep a'"),
        ({"core": "[*:1][*:2]"}, "no atom besides its attachment points"),
        ({"core": "[*:1]"}, "no atom besides its attachment points"),
        ({"core": "[CH3:1]c1ccncc1"}, "numbered atoms that are no attachment points"),
        ({"core": "[c:1]1ccncc1"}, "numbered atoms that are no attachment points"),
        ({"core": "C[*:1]C[*:2]"}, "numbered atoms that are no attachment points"),
        ({"keep": ["CC"], "avoid": ["CC"]}, "'keep CC' and 'avoid CC' exclude each other"),
        ({"keep": ["CC"], "avoid": [("CC", "", 2)]}, None),
        ({"limits": {"ring sizes": "<= 0"}}, "whole numbers of atoms from 3 to 99"),
        ({"limits": {"ring sizes": (5.5, 6.5)}}, "whole numbers of atoms from 3 to 99"),
        ({"core": "C1CC.[*:1]"}, "neither a SMILES nor a SMARTS|several parts"),
        ({"core": "c1ccccc1.CC[*:1]"}, "several parts"),
        ({"reference": "C1CC"}, "reference: 'C1CC' is not a SMILES"),
        ({"alerts": ["PAIN"]}, "did you mean PAINS"),
        ({"contacts": ["hbond"]}, "must be a kind and a residue"),
        ({"contacts": ["hbnd Met318"]}, "did you mean hbond"),
        ({"contacts": ["hbond Met319"]}, r"ABL1 has no residue 'Met319'; did you mean .*Around its site are .*Met318"),
        (
            {"contacts": ["salt bridge Met318"]},
            "Met318 of ABL1 cannot make the contact .*: .*Lys271",
        ),
        ({"contacts": ["LCK hbond Met319"]}, "no kind of contact"),
    ],
)
def test_a_bad_limit_is_refused_with_what_there_is(given_limits: dict[str, Any], reason: str | None) -> None:
    if reason is None:
        Objective("ABL1", **given_limits)
        return
    with pytest.raises(UsageError, match=reason):
        Objective("ABL1", **given_limits)


def test_contacts_are_read_as_people_write_them() -> None:
    targets = [Target("ABL1"), Target("LCK")]
    for text in ("hbond Met318", "H-bond met318", "hydrogen bond MET318"):
        assert read_contact(text, targets) == Contact(targets[0], "hbond", "Met318")
    assert read_contact("lck hydrogen bond Met319", targets).target.name == "LCK"
    with pytest.raises(UsageError, match=r"ABL1 has no residue 'Met319', LCK has: .* write 'LCK hbond Met319'"):
        read_contact("hbond Met319", targets)
    assert read_contact("salt bridge Asp381", targets) == Contact(targets[0], "salt bridge", "Asp381")
    assert read_contact("aromatic Phe382", targets) == Contact(targets[0], "aromatic", "Phe382")


def test_a_contact_may_name_its_partner() -> None:
    targets = [Target("ABL1"), Target("LCK")]
    abl1, lck = targets
    assert read_contact("hbond Met318 by [n]1cncc1", targets) == Contact(abl1, "hbond", "Met318", "", "[n]1cncc1")
    for text in ("hbond Met318 as acceptor by n1cncc1", "hbond acceptor Met318 BY n1cncc1"):
        assert read_contact(text, targets) == Contact(abl1, "hbond", "Met318", "acceptor", "n1cncc1")
    assert read_contact("LCK hbond donor Met319", targets) == Contact(lck, "hbond", "Met319", "donor")
    with pytest.raises(UsageError, match="SMARTS that RDKit"):
        read_contact("hbond Met318 by c1ccc(", targets)
    with pytest.raises(UsageError, match="a SMARTS must follow 'by'"):
        read_contact("hbond Met318 by", targets)
    for carbon in ("C", "c1ccccc1", "[CH2:1]C#C", "[#6]~[#6]"):
        with pytest.raises(UsageError, match="is carbon alone and makes no hydrogen bond"):
            read_contact(f"hbond Met318 by {carbon}", targets)
    for other in ("[r5]", "*", "[C,N]", "[!#6]", "CO", "[#7]"):
        assert read_contact(f"hbond Met318 by {other}", targets).smarts == other
    assert read_contact("aromatic Phe382 by c1ccccc1", targets).smarts == "c1ccccc1"
    with pytest.raises(UsageError, match="only a hydrogen bond"):
        read_contact("aromatic Phe382 as donor", targets)


def test_the_wrong_direction_is_said_in_words_wherever_a_limit_is_broken() -> None:
    objective = Objective("ABL1", contacts=["hbond Met318"], limits={"MW": "<= 300"})
    assert objective.breach("hbond Met318", 0.1) == "hbond Met318: near enough, but in the wrong direction"
    assert objective.breach("hbond Met318", 1.2) == "hbond Met318 by 1.200"
    assert objective.breach("MW <= 300", 0.1) == "MW <= 300 by 0.1000"
    assert objective.limit("vina", high=-7).breach("hbond Met318", 0.1).endswith("wrong direction")
    assert (2 * objective).breach("hbond Met318", 0.1).endswith("wrong direction")
    assert objective.in_words("hbond Met318 gap", 0.1) == "wrong direction"
    assert [objective.in_words("hbond Met318 gap", value) for value in (0.0, 1.4)] == ["", ""]
    assert objective.in_words("vina", 0.1) == ""


def test_a_search_gains_nothing_by_taking_away_the_group_of_a_contact() -> None:
    smarts = "[n]1cncc1"
    objective = Objective("ABL1", contacts=[f"hbond Met318 by {smarts}"])
    assert objective.in_words(f"hbond Met318 by {smarts} gap", NO_GROUP) == "no such group"
    assert objective.broken(mol("c1ccccc1"))[f"keep {smarts}"] == 1.0
    assert not objective.broken(mol("Cn1ccnc1"))
    held = objective.refusing(["Cn1ccnc1"])
    with pytest.raises(InvalidValue, match="must contain"):
        held.validate("c1ccccc1")
    with pytest.raises(UsageError, match="avoid"):
        Objective("ABL1", contacts=[f"hbond Met318 by {smarts}"], avoid=[smarts])


def test_a_model_and_the_report_read_the_wrong_direction_in_words() -> None:
    objective = Objective("ABL1", contacts=["hbond Met318"])
    feedback = Feedback(-5.0, "", {"vina": -5.0, "hbond Met318 gap": 0.1}, {"hbond Met318": 0.1})
    said = measured_as(feedback, objective)
    assert "hbond Met318 gap wrong direction; breaks hbond Met318: near enough, but in the wrong direction" in said
    assert "0.1" not in said
    assert limits_broken(feedback) == "hbond Met318: near enough, but in the wrong direction"


def test_a_contact_with_a_partner_is_a_column_of_its_own_and_is_said_in_words() -> None:
    objective = Objective("ABL1", contacts=["hbond Met318 as acceptor by [n:1]1ccncc1", "hbond Met318"])
    keep, *made = objective.limits
    keys = [limit.key for limit in made]
    assert keep.key == "keep [n:1]1ccncc1"
    assert keys == ["hbond Met318 as acceptor by [n:1]1ccncc1", "hbond Met318"]
    assert f"{keys[0]} gap" in objective.metrics
    limit = made[0]
    pyrimidine, benzene = molecule("c1cncnc1"), molecule("c1ccccc1")
    said = limit.mend(molecule("c1cnccn1"), {f"{keys[0]} gap": 0.1})
    assert "as its acceptor by [n:1]1ccncc1; in the docked pose the groups are near enough" in said
    assert "wrong direction" in said
    assert "the molecule has no such group" in limit.mend(benzene, {f"{keys[0]} gap": 3.0})
    assert "the molecule has no such group" in limit.mend(pyrimidine, {f"{keys[0]} gap": 3.0})
    assert "it is 1.4 A short" in limit.mend(molecule("c1cnccn1"), {f"{keys[0]} gap": 1.4})
