"""The example parameters of data/plans."""

from __future__ import annotations

from pathlib import Path

import pytest

from tgsci_radiotherapy import (
    PlanParameters,
)

DATA = Path(__file__).parents[3] / "data" / "plans"


@pytest.mark.parametrize("path", sorted(DATA.glob("*.json")), ids=lambda path: path.stem)
def test_the_example_parameters_are_those_of_their_case(path: Path) -> None:
    from tgsci_radiotherapy.case import phantoms

    parameters = PlanParameters.read(path.read_text())
    assert PlanParameters.read(parameters.text()) == parameters
    structures = {"cshape": phantoms.cshape, "prostate": phantoms.prostate}[path.stem]().structures
    assert {o.structure for o in parameters.objectives} == {s.name for s in structures}
