"""Goal tables of the tiny case."""

from __future__ import annotations

import numpy as np

from tests.radiotherapy.cases import tiny_case
from tgsci_radiotherapy.goals import (
    GoalTable,
    evaluate,
    parse_sheet,
)

#: Rows of `tiny_case`: PTV voxels 0-3, OAR 4-6 (voxel 3 is shared), Body 7-11.
DOSE = np.array([9.0, 10.0, 11.0, 8.0, 4.0, 2.0, 1.0, 3.0, 0.0, 0.0, 0.0, 0.0])


def table(*goals: str, dose: np.ndarray = DOSE, more: str = "") -> GoalTable:
    text = f"implied = false\ngoals = {list(goals)!r}\n{more}".replace("'", '"')
    case = tiny_case()
    return evaluate(parse_sheet(text, "mine").bind(case), case, dose)
