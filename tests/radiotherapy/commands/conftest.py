"""A case and a run on it, for the commands that look at them."""

from __future__ import annotations

from pathlib import Path

import pytest

import tgsci as tg
from tests.radiotherapy.cases import small_case
from tgsci_radiotherapy import domain
from tgsci_radiotherapy.case import save


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a case, `small.zarr`, and a run on it, `run`."""
    root = tmp_path_factory.mktemp("commands")
    save(small_case(), root / "small.zarr")
    problem = domain.problem({"case": str(root / "small.zarr"), "goals": "tg119-easier"})
    tg.solve(problem, engine="rules", budget=2, workers=0, run=root / "run")
    return root
