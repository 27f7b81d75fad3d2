"""Where to grow: which hydrogen, what it points at, and which stereoisomer that makes."""

from __future__ import annotations

from functools import cache

from rdkit import Chem

from tgsci_molecules import PoseReport, Settings, dock, explain

QUICK = Settings(exhaustiveness=4, max_evals=5_000, conformers=1)
SMILES = "Cc1ccc(NC(=O)[C@H]2CCNC2)cc1"


@cache
def docked() -> tuple[Chem.Mol, PoseReport]:
    docking = dock(SMILES, "ABL1", QUICK)
    return docking.pose, explain(docking, "ABL1")


def test_a_hydrogen_in_the_pocket_points_at_a_residue() -> None:
    _, report = docked()
    labels = {residue.name for residue in report.residues} | {name for g in report.growth for name in g.residues}
    pointed = [growth.toward for growth in report.growth if growth.toward]
    assert len(pointed) >= 3
    assert labels.issuperset(pointed)
    counted = {growth.atom: growth.hydrogens for growth in report.growth}
    assert (counted[0], counted[2]) == (3, 1)


def test_a_new_stereocentre_is_written_as_the_pose_has_it() -> None:
    pose, report = docked()
    written = [growth.isomer for growth in report.growth if growth.isomer]
    assert written
    in_space = every_fluorination(pose)
    for isomer in written:
        assert Chem.CanonSmiles(isomer.replace("*", "[H]")) == SMILES
        product = Chem.MolFromSmiles(isomer)
        (point,) = (atom for atom in product.GetAtoms() if atom.GetAtomicNum() == 0)
        centres = dict(Chem.FindMolChiralCenters(product, useLegacyImplementation=False))
        assert point.GetNeighbors()[0].GetIdx() in centres
        assert Chem.CanonSmiles(isomer.replace("*", "F")) in in_space


def every_fluorination(pose: Chem.Mol) -> set[str]:
    """Put fluorine in the place of each hydrogen in space, read the stereo anew, and take the charge off."""
    products = set()
    for atom in pose.GetAtoms():
        if atom.GetAtomicNum() == 1 and atom.GetNeighbors()[0].GetSymbol() == "C":
            product = Chem.RWMol(pose)
            product.GetAtomWithIdx(atom.GetIdx()).SetAtomicNum(9)
            Chem.SanitizeMol(product)
            Chem.AssignStereochemistryFrom3D(product)
            spelled = Chem.MolToSmiles(Chem.RemoveHs(product))
            products.add(Chem.CanonSmiles(spelled.replace("[NH2+]", "N")))
    return products


def test_the_report_names_the_hydrogen_and_writes_the_isomer() -> None:
    _, report = docked()
    lines = [line for line in report.text().splitlines() if "; as " in line]
    by_atom = {f"C{growth.atom + 1}": growth for growth in report.growth}
    for line in lines:
        growth = by_atom[line.split()[0].rstrip(":")]
        assert line.endswith(f"; as {growth.isomer}")
        assert (f"(of 2 hydrogens the one toward {growth.toward}): " in line) == bool(growth.toward)
