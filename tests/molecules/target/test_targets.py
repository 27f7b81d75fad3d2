"""The 58 receptors: found without importing dockstring, and a misspelt name gets a hint."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from tgsci.errors import UsageError
from tgsci_molecules import Target, target_names


def test_there_are_58_and_each_has_a_receptor_and_a_center() -> None:
    names = target_names()
    assert len(names) == 58
    assert list(names) == sorted(names)
    for name in names:
        target = Target(name)
        assert target.receptor.read_text().count("ATOM") > 500
        assert all(abs(x) < 500 for x in target.center)
    assert len({Target(name).sha256 for name in names}) == 58


def test_abl1_is_dockstrings() -> None:
    target = Target("abl1")
    assert str(target) == target.name == "ABL1"
    assert target.center == (15.851, 14.647, 3.904)
    assert target.box == (30.0, 30.0, 30.0)
    assert target.structure is None
    assert target.directory is None
    assert target.spec == "ABL1"
    assert target == Target("ABL1") == pickle.loads(pickle.dumps(target))  # noqa: S301


@pytest.mark.parametrize(
    ("name", "hint"),
    [("EGRF", "did you mean EGFR"), ("PPAR", "PPARA"), ("../../etc/passwd", "lists all 58"), ("\x1b[31m", r"\\x1b")],
)
def test_an_unknown_name_gets_near_names(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        Target(name)


@pytest.mark.slow
def test_nothing_heavy_is_imported_to_list_the_domain_and_openbabel_never() -> None:
    code = (
        "import sys, tgsci_molecules as m;"
        "m.domain.commands();"
        "heavy = {'rdkit', 'vina', 'meeko', 'numpy', 'pandas', 'dockstring'} & set(sys.modules);"
        "assert not heavy, heavy;"
        "m.dock('CO', 'ABL1', m.Settings(exhaustiveness=1, max_evals=1000, conformers=1));"
        "assert not {'openbabel', 'dockstring'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_heavy_is_imported_for_labels_and_names() -> None:
    code = (
        "import sys; from tgsci_molecules.target.numbering import builtin_numbering;"
        "from tgsci_molecules.target.names import matching;"
        "assert matching('thrombin') and builtin_numbering('F2').stretches;"
        "heavy = {'rdkit', 'gemmi', 'numpy', 'openmm', 'pdbfixer'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
