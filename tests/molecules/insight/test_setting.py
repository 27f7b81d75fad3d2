"""The binding sites in words: short, and with what a chemist asks first."""

from __future__ import annotations

from tgsci_molecules.insight.setting import LONGEST, setting
from tgsci_molecules.pose.subpockets import subpockets
from tgsci_molecules.target.targets import Target


def test_each_target_has_its_sub_pockets_with_residues_size_and_what_they_like() -> None:
    text = setting([Target("ABL1"), Target("F2")])
    abl1, f2 = text.split("\n\n")
    for target, site in (("ABL1", abl1), ("F2", f2)):
        assert len(site) <= LONGEST
        lines = site.splitlines()
        assert lines[0].startswith(f"The empty binding site of {target} ")
        assert len(lines) > 4
        parts = {part.name: part for part in subpockets(Target(target))}
        for line in lines[1:]:
            part = parts[line.removeprefix("- ").partition(":")[0]]
            assert f"({part.energy:.2f} kcal/mol for a carbon)" in line
            assert all(residue in line for residue in part.residues)
    assert "an acceptor meets Met318 N" in abl1
    assert "a donor meets Asp189" in f2
