"""Pockets are where ligands bind."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from tests.molecules.receptor_pieces import pieces
from tgsci_molecules import Target
from tgsci_molecules.preparation.pockets import Pocket, pockets


@cache
def found_in(name: str) -> list[Pocket]:
    atoms = [(atom, at) for residue in pieces(Target(name)) for atom, at in residue.atoms.items()]
    return pockets(np.array([at for _, at in atoms]), [atom[0] for atom, _ in atoms])


@pytest.mark.parametrize("name", ["EGFR", "ESR1"])
def test_the_best_pocket_is_the_binding_site(name: str) -> None:
    first, *_ = found_in(name)
    assert math.dist(first.center, Target(name).center) < 6.0
    assert first.volume > 100
    assert len(first.lining) > 20


def test_pockets_are_ranked_and_bounded() -> None:
    found = found_in("ESR1")
    assert 1 <= len(found) <= 5
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)


def test_what_is_no_protein_has_none() -> None:
    assert pockets(np.zeros((3, 3)), ["C"] * 3) == []
    assert pockets(np.random.default_rng(1).normal(size=(60, 3)), ["C"] * 60) == []
    assert pockets(np.zeros((60, 3)), ["C"] * 60) == []
