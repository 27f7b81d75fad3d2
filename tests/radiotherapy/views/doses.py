"""A dose to draw, and what is written in a plot."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.radiotherapy.cases import small_case


def a_dose(scale: float = 1.0) -> np.ndarray:
    """50 Gy around the target, falling off with distance."""
    case = small_case()
    points = case.grid.points(case.voxels)
    distance = np.linalg.norm(points - case.grid.points(case.structure("PTV").voxels).mean(axis=0), axis=1)
    return (scale * 52.0 * np.exp(-((distance / 40.0) ** 2))).astype(np.float32)


def words(figure: Any) -> str:
    """Everything that is written in a figure."""
    import matplotlib.text

    return "\n".join(t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text())
