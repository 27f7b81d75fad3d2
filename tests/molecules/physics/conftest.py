"""A docked paracetamol that the tests of this room share."""

from __future__ import annotations

import pytest

from tgsci_molecules import Docking, Settings, Target, dock

PARACETAMOL = "CC(=O)Nc1ccc(O)cc1"
QUICK = Settings(exhaustiveness=2, max_evals=4_000, conformers=1)


@pytest.fixture(scope="session")
def abl1() -> Target:
    return Target("ABL1")


@pytest.fixture(scope="session")
def docking(abl1: Target) -> Docking:
    return dock(PARACETAMOL, abl1, QUICK)
