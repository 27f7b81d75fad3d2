"""How a patient lies: the machine's beams as the patient sees them."""

from __future__ import annotations

import numpy as np
import pytest

from tgsci.errors import UsageError
from tgsci_radiotherapy.case.beams import Beam, axes
from tgsci_radiotherapy.importers import Options
from tgsci_radiotherapy.importers.position import POSITIONS, at_patient

#: From directions that a patient lying head first and supine has, (x, y, z), to those in another position: (left, back,
#: head) is where the machine's (left, back, head) of a patient in HFS then lies.
TURNED = {
    "HFS": np.diag([1.0, 1, 1]),
    "HFP": np.diag([-1.0, -1, 1]),
    "FFS": np.diag([-1.0, 1, -1]),
    "FFP": np.diag([1.0, -1, -1]),
    # Lying on the right side, the left is up: what came from the front comes from the left.
    "HFDR": np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]),
    "HFDL": np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]),
    "FFDR": np.array([[0.0, -1, 0], [-1, 0, 0], [0, 0, -1]]),
    "FFDL": np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, -1]]),
}


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize(("gantry", "couch"), [(0, 0), (40, 0), (90, 0), (210, 20), (300, 340), (10, 90)])
def test_a_beam_and_its_collimator_lie_as_the_machine_has_them(position, gantry, couch):
    if "D" in position and couch:
        with pytest.raises(UsageError, match="on a side"):
            at_patient(Options(gantry=(gantry,), couch=(couch,)), position)
        return
    turned = at_patient(Options(gantry=(gantry,), couch=(couch,)), position)
    ((g, c),) = turned.angles()
    machine, patient = axes(Beam(gantry, couch), (0, 0, 0)), axes(Beam(g, c), (0, 0, 0))
    for name in ("source", "forward", "right", "up"):
        np.testing.assert_allclose(getattr(patient, name), TURNED[position] @ getattr(machine, name), atol=1e-9)


def test_the_usual_beams_are_turned_too():
    assert at_patient(Options(), "HFS") == Options()
    assert [g for g, _ in at_patient(Options(), "HFP").angles()] == [(40 * k + 180) % 360 for k in range(9)]


def test_every_position_is_an_option():
    for position in POSITIONS:
        assert Options(position=position).position == position
    with pytest.raises(UsageError, match="position cannot be 'AFDR'"):
        Options(position="AFDR")
