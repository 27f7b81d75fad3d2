"""Whatever a library raises about a molecule is that molecule's failure; a mistake of ours stays one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import openmm
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

import tgsci_molecules.objective.loss as loss_of
from tgsci.errors import MeasurementError
from tgsci_molecules import DockingLoss
from tgsci_molecules.docking import ligand
from tgsci_molecules.docking.ligand import embed, prepare, write_pdbqt
from tgsci_molecules.docking.settings import Settings
from tgsci_molecules.failures import calling, measuring

QUICK = Settings(exhaustiveness=1, max_evals=500, conformers=1)


def _raise(error: Exception) -> Any:
    def raising(*_: Any, **__: Any) -> None:
        raise error

    return raising


class Odd(Exception):
    """An error of no known kind."""


def test_what_a_library_raises_is_a_failure_that_names_the_stage() -> None:
    for error in (Odd("first\nsecond"), KeyError("x"), RuntimeError(""), openmm.OpenMMException("no")):
        with pytest.raises(MeasurementError, match=r"^some stage: "), calling("some stage"):
            _raise(error)()
    with pytest.raises(MeasurementError, match=r"^typing: Odd: first$"), calling("typing"):
        _raise(Odd("first\nsecond"))()


def test_a_failure_passes_as_it_is() -> None:
    with pytest.raises(MeasurementError, match="mine"), calling("stage"), measuring("more"):
        raise MeasurementError("mine")


def test_where_we_call_libraries_here_and_there_only_theirs_are_failures() -> None:
    with pytest.raises(MeasurementError, match="Kekulize"), measuring("m"):
        Chem.Kekulize(Chem.MolFromSmiles("c1cccc1", sanitize=False))
    with pytest.raises(MeasurementError, match="Range Error"), measuring("m"):
        Chem.MolFromSmiles("C").GetAtomWithIdx(7)
    with pytest.raises(MeasurementError, match="Bad Conformer"), measuring("m"):
        Chem.MolFromSmiles("C").GetConformer()
    with pytest.raises(ValueError, match="ours"), measuring("m"):
        raise ValueError("ours")
    with pytest.raises(ZeroDivisionError), measuring("m"):
        _ = 1 / 0
    with pytest.raises(TypeError), measuring("m"):
        Chem.MolToSmiles("not a molecule")


@pytest.mark.parametrize(
    "smiles",
    ["CCC(CC)C(=O)Nc1c2c(nn1-c1ccc(OC)cc1)C=S(O)(O)=C2", "Cn1cc2c(n1)C=S(C)(C)=C2", "Cc1c2c(nn1C)C=S(O)(O)=C2"],
)
def test_a_molecule_that_cannot_be_kekulised_fails_alone(smiles: str) -> None:
    feedback = DockingLoss("ABL1", QUICK).measure(smiles)
    assert not feedback.measured
    assert "atom typing" in str(feedback.error)


@pytest.mark.parametrize(
    ("module", "name"), [(rdDistGeom, "EmbedMolecule"), (rdForceFieldHelpers, "MMFFHasAllMoleculeParams")]
)
def test_any_error_of_preparation_is_the_molecules(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    monkeypatch.setattr(module, name, _raise(Odd("boom")))
    assert "Odd: boom" in str(DockingLoss("ABL1", replace(QUICK, seed=71)).measure("CCO").error)


def test_any_error_of_meeko_is_the_molecules(monkeypatch: pytest.MonkeyPatch) -> None:
    import meeko

    monkeypatch.setattr(meeko.PDBQTWriterLegacy, "write_string", _raise(AttributeError("no such thing")))
    with pytest.raises(MeasurementError, match="meeko refuses the molecule"):
        write_pdbqt(embed("CCO", 1))


def test_a_mistake_of_ours_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_of, "dock", _raise(TypeError("a bug")))
    with pytest.raises(TypeError, match="a bug"):
        DockingLoss("ABL1", replace(QUICK, seed=72)).measure("CCO")


@pytest.mark.slow
def test_finding_a_shape_has_a_time_limit_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ligand, "EMBED_SECONDS", 0.01)
    impossible = "O=C1C[C@@H]2OCC=C3CN4CC[C@@]56c7ccccc7N1[C@H]5[C@@H]2[C@H]3C[C@@H]46"
    with pytest.raises(MeasurementError, match=r"embedding: no three-dimensional shape of .* in 0\.01 s"):
        prepare(impossible, form=impossible)
