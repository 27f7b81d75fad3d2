"""Preparation: one deterministic conformer, several for large rings, and a named stage where it fails."""

from __future__ import annotations

import pytest
from rdkit import Chem

from tgsci.errors import MeasurementError
from tgsci_molecules import canonical, prepare
from tgsci_molecules.docking.ligand import large_ring, prepare_all, ring_shapes
from tgsci_molecules.molecule.protonation import protonate
from tgsci_molecules.molecule.smiles import molecule

LORLATINIB = "C[C@H]1Oc2cc(cnc2N)-c2c(nn(C)c2C#N)CN(C)C(=O)c2ccc(F)cc21"
PACRITINIB = "C1CCN(C1)CCOc1ccc2Nc3nccc(n3)-c3cccc(c3)COC/C=C/COCc1c2"
IMATINIB = "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1"


def test_a_piperazine_takes_one_proton() -> None:
    state = Chem.MolFromSmiles(protonate(IMATINIB))
    assert Chem.GetFormalCharge(state) == 1
    assert "@" not in prepare(IMATINIB).docked_smiles  # the protonated nitrogen is no stereocentre


def test_the_same_smiles_and_seed_give_the_same_ligand() -> None:
    assert prepare(IMATINIB, 3) == prepare(IMATINIB, 3)
    assert prepare(IMATINIB, 3).pdbqt != prepare(IMATINIB, 4).pdbqt


def test_what_is_docked_is_said() -> None:
    ligand = prepare("CC(O)C(N)C")
    assert ligand.undefined == ("stereocentre C2", "stereocentre C4")
    assert ligand.docked_smiles.count("@") >= 2
    assert "[NH3+]" in ligand.docked_smiles
    assert prepare("C[C@H](O)CF").undefined == ()


def test_rings_of_seven_stay_whole() -> None:
    pdbqt = prepare("C1CCCCCN1CCOc1ccccc1").pdbqt
    assert not [line for line in pdbqt.splitlines() if line.startswith("ATOM") and line[77:].strip().startswith("G")]


@pytest.mark.parametrize(
    ("smiles", "stage"),
    [
        ("C1=C2CC1C2", "embedding"),
        ("FS(F)(F)(F)(F)F", "force field"),
        ("CP(C)(C)(C)C", "atom typing"),
        ("Cn1cc2c(n1)C=S(C)(C)=C2", "atom typing"),
    ],
)
def test_a_failure_names_its_stage(smiles: str, stage: str) -> None:
    with pytest.raises(MeasurementError, match=f"^{stage}: ") as caught:
        prepare(canonical(smiles))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_macrocycle_starts_from_several_shapes_of_its_ring() -> None:
    smiles = canonical(PACRITINIB)
    form = protonate(smiles)
    ligands = prepare_all(smiles, form, seed=1, conformers=1, ring_conformers=2)
    assert len(ligands) == 2
    assert len({ligand.pdbqt for ligand in ligands}) == 2
    assert {ligand.torsions for ligand in ligands} == {4}  # the ring is rigid in each
    assert prepare_all(smiles, form, seed=1, conformers=1, ring_conformers=2) == ligands


def test_a_stiff_macrocycle_has_fewer_shapes_than_asked_for() -> None:
    form = protonate(canonical(LORLATINIB))
    assert large_ring(molecule(form))
    assert 1 <= len(ring_shapes(form, 1, 3)) < 3
    assert not large_ring(molecule("C1CCCCCC1"))
