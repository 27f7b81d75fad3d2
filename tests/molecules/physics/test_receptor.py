"""The receptor under a force field: complete, charged, and the same for what Amber does not know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.molecules.conformers import embedded
from tgsci.errors import MeasurementError
from tgsci_molecules import Target
from tgsci_molecules.physics.receptor import ligand_spheres, receptor


@pytest.mark.slow
def test_the_receptor_has_all_hydrogens_whole_charge_and_keeps_the_files_polar_ones(abl1: Target) -> None:
    found = receptor(abl1)
    assert found.elements.count("H") > found.elements.count("C")
    assert "Met318" in found.residues
    protein = [charge for charge, name in zip(found.charges, found.residues, strict=True) if name not in found.others]
    assert sum(protein) == pytest.approx(round(sum(protein)), abs=1e-3)
    lines = [line for line in abl1.receptor.read_text().splitlines() if line[77:].strip() == "HD"]
    given = np.array([[float(line[n : n + 8]) for n in (30, 38, 46)] for line in lines])
    nearest = np.linalg.norm(given[:, None] - found.positions[None], axis=-1).min(1)
    assert (nearest < 1e-3).mean() > 0.95  # the rest: ends of chains that were cut


@pytest.mark.slow
def test_a_metal_is_in_the_receptor_and_said_to_be_generic() -> None:
    found = receptor(Target("CA2"))
    zinc = found.elements.index("Zn")
    assert found.residues[zinc] in found.others
    assert found.charges[zinc] > 0
    near = np.flatnonzero(np.linalg.norm(found.positions - found.positions[zinc], axis=1) < 2.4)
    bound = [found.residues[i] for i in near]
    assert {"His94", "His96", "His119"} <= set(bound)


def test_a_receptor_that_is_damaged_is_a_known_failure(abl1: Target, tmp_path) -> None:
    unknown = "HETATM    1  X   UNL     1       0.000   0.000   0.000  1.00  0.00     0.000 Xx"
    for number, text in enumerate(["", "ATOM      1  N   VAL     7      61.1 x", unknown]):
        path = tmp_path / f"{number}.pdbqt"
        path.write_text(text)
        broken = replace(abl1)
        object.__setattr__(broken, "receptor", path)
        object.__setattr__(broken, "sha256", f"broken {number}")
        with pytest.raises(MeasurementError, match="force field"):
            receptor(broken)


def test_spheres_follow_the_surroundings_of_an_atom() -> None:
    radii, depths = ligand_spheres(embedded("CC(=O)OC"))
    mol = embedded("CC(=O)OC")
    oxygens = [a.GetIdx() for a in mol.GetAtoms() if a.GetSymbol() == "O"]
    assert [round(float(radii[i]), 4) for i in oxygens] == [1.6612, 1.6837]  # carbonyl, ester
    methyls = [float(radii[a.GetIdx()]) for a in mol.GetAtoms() if a.GetSymbol() == "H"]
    assert sorted(set(methyls)) == [1.387, 1.487]  # on O-CH3, on C-CH3
    assert (depths > 0).all()
