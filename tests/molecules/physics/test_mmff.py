"""MMFF94 in OpenMM is MMFF94 in RDKit: energies and forces, over what drugs are made of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from tgsci.errors import MeasurementError
from tgsci_molecules.physics.mmff import KCAL, VACUUM, Dielectric, charges, forces, typed
from tgsci_molecules.physics.strain import SOLVENT

MOLECULES = {
    "aspirin, charged": "CC(=O)Oc1ccccc1C(=O)[O-]",
    "dasatinib, charged": "Cc1nc(Nc2ncc(s2)C(=O)Nc2c(C)cccc2Cl)cc(n1)N1CC[NH+](CCO)CC1",
    "imatinib": "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1",
    "celecoxib": "Cc1ccc(cc1)-c1cc(nn1-c1ccc(cc1)S(N)(=O)=O)C(F)(F)F",
    "acetazolamide": "CC(=O)Nc1nnc(s1)S(N)(=O)=O",
    "sildenafil": "CCCc1nn(C)c2c1nc([nH]c2=O)-c1cc(ccc1OCC)S(=O)(=O)N1CCN(C)CC1",
    "benzamidinium": "NC(=[NH2+])c1ccccc1",
    "arginine": "NC(N)=[NH+]CCCC([NH3+])C(=O)[O-]",
    "adenosine phosphate": "Nc1ncnc2c1ncn2[C@@H]1O[C@H](COP(=O)([O-])[O-])[C@@H](O)[C@H]1O",
    "sofosbuvir's phosphoramidate": "CC(C)OC(=O)C(C)NP(=O)(OC)Oc1ccccc1",
    "halogens": "NS(=O)(=O)c1cc(Cl)c(F)c(Br)c1I",
    "nifedipine, nitro": "COC(=O)C1=C(C)NC(C)=C(C1c1ccccc1[N+](=O)[O-])C(=O)OC",
    "nitrile, alkyne": "C#Cc1cccc(c1)NCC#N",
    "azide": "CCN=[N+]=[N-]",
    "allene and alkyne": "CC(C)=C=CC#CC",
    "tetrazolate, sulfoxide": "CS(=O)CCc1nnn[n-]1",
    "macrolactone": "CC[C@H]1OC(=O)[C@H](C)[C@@H](O)CCCCCCCCC1=O",
    "macrocyclic lactam": "O=C1CCCCCCCCCCN1",
    "penicillin": "CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)[O-]",
    "thalidomide": "O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)N1",
    "caffeine": "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "quinazolinone": "O=c1[nH]cnc2ccccc12",
    "thiophene, furan, pyrrole": "c1ccsc1-c1ccoc1-c1cc[nH]c1",
    "pyridine oxide": "[O-][n+]1ccccc1",
    "small rings": "C1CN1C1CO1",
    "cyclobutanone oxime": "ON=C1CCC1",
    "norbornadiene": "C1=CC2CC1C=C2",
    "adamantane": "C1C2CC3CC1CC(C2)C3",
    "steroid": "C[C@]12CC[C@H]3c4ccc(O)cc4CC[C@@H]3[C@@H]1CC[C@@H]2O",
    "thiourea": "S=C1NC=CN1C",
    "sulfinamide": "CC(C)(C)NS(=O)C",
    "disulfide": "CSSCc1ccncc1",
    "saccharin": "O=S1(=O)NC(=O)c2ccccc21",
    "betaine": "C[N+](C)(C)CC(=O)[O-]",
    "vorinostat": "ONC(=O)CCCCCCC(=O)Nc1ccccc1",
}


def embedded(smiles: str) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=7) == 0
    return mol


def in_openmm(mol: Chem.Mol, properties: object, dielectric: Dielectric, offset: int = 0):
    """Energy, kcal/mol, and forces, kcal/mol/Angstrom: at the conformer of `mol`."""
    import openmm

    system = openmm.System()
    for _ in range(mol.GetNumAtoms() + offset):
        system.addParticle(1.0)
    for force in forces(mol, properties, dielectric, offset):
        system.addForce(force)
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
    places = np.array(mol.GetConformer().GetPositions()) / 10
    context.setPositions(np.vstack([np.zeros((offset, 3)), places]))
    state = context.getState(energy=True, forces=True)
    return (
        state.getPotentialEnergy()._value / KCAL,
        np.array(state.getForces(asNumpy=True)._value)[offset:] / KCAL / 10,
    )


@pytest.mark.parametrize("smiles", MOLECULES.values(), ids=MOLECULES)
def test_energy_and_forces_are_rdkits(smiles: str) -> None:
    mol = embedded(smiles)
    for variant, dielectric in (("MMFF94", VACUUM), ("MMFF94s", SOLVENT)):
        properties = typed(mol, dielectric, variant)
        field = rdForceFieldHelpers.MMFFGetMoleculeForceField(mol, properties)
        energy, pull = in_openmm(mol, properties, dielectric)
        assert energy == pytest.approx(field.CalcEnergy(), abs=1e-3)
        slope = np.array(field.CalcGrad()).reshape(-1, 3)
        assert np.abs(pull + slope).max() < 1e-2 + 1e-4 * np.abs(slope).max()


@pytest.mark.slow
@given(seed=st.integers(0, 2**31 - 1), size=st.floats(0.0, 0.3))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_distorted_shapes_agree_too(seed: int, size: float) -> None:
    mol = Chem.Mol(DISTORTED)
    places = mol.GetConformer().GetPositions()
    mol.GetConformer().SetPositions(places + np.random.default_rng(seed).normal(0.0, size, places.shape))
    properties = typed(mol, SOLVENT)
    expected = rdForceFieldHelpers.MMFFGetMoleculeForceField(mol, properties).CalcEnergy()
    assert in_openmm(mol, properties, SOLVENT)[0] == pytest.approx(expected, abs=1e-3, rel=1e-6)


DISTORTED = embedded("CC(=O)Nc1nnc(s1)S(=O)(=O)NC1CC1")


def test_a_ligand_behind_other_particles_has_the_same_energy() -> None:
    mol = embedded("CC(=O)Nc1ccc(O)cc1")
    properties = typed(mol)
    assert in_openmm(mol, properties, VACUUM, offset=5)[0] == pytest.approx(in_openmm(mol, properties, VACUUM)[0])


def test_charges_add_up_to_the_formal_charge() -> None:
    for smiles in MOLECULES.values():
        mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
        assert sum(charges(mol, typed(mol))) == pytest.approx(Chem.GetFormalCharge(mol), abs=1e-4)


def test_what_mmff_does_not_know_is_named() -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles("OB(O)c1ccccc1"))
    with pytest.raises(MeasurementError, match=r"MMFF94 has no parameters .*: it has B$"):
        typed(mol)
