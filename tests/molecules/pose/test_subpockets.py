"""Sub-pockets of a binding site: what every chemist knows of these sites is found by probes."""

from __future__ import annotations

import numpy as np

from tgsci_molecules.pose.subpockets import nearest, subpockets
from tgsci_molecules.target.targets import Target


def test_the_hinge_of_a_kinase_and_the_acid_of_thrombin_are_found() -> None:
    hinge = [part for part in subpockets(Target("ABL1")) if "Met318 N" in part.acceptors]
    assert hinge
    assert "Met318 O" in hinge[0].donors
    assert any("Asp189 OD1" in part.donors for part in subpockets(Target("F2")))


def test_sub_pockets_lie_apart_have_names_of_their_own_and_the_roomiest_come_first() -> None:
    parts = subpockets(Target("ABL1"))
    assert 3 <= len(parts) <= 9
    assert len({part.name for part in parts}) == len(parts)
    assert all(part.volume >= 6 and part.energy < 0 and part.name.split("/")[0] in part.residues for part in parts)
    centers = np.array([part.center for part in parts])
    apart = np.linalg.norm(centers[:, None] - centers[None], axis=-1)[np.triu_indices(len(parts), 1)]
    assert apart.min() > 3
    assert parts[0].volume > parts[-1].volume
    assert subpockets(Target("ABL1")) is parts


def test_a_point_is_in_the_nearest_sub_pocket_or_in_none() -> None:
    parts = subpockets(Target("ABL1"))
    assert nearest(parts, np.array(parts[1].center) + 0.5) == parts[1].name
    assert nearest(parts, np.array(parts[0].center) + 50.0) == ""
    assert nearest((), np.zeros(3)) == ""
