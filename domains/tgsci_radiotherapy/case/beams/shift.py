"""What the beams give when the patient does not lie where planned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..model import Dij

if TYPE_CHECKING:
    pass


def shifted_dij(name: str, shift_mm: Sequence[float]) -> Dij:
    """The dij of a built-in case with the patient moved, the beams and bixels staying as planned.

    The rows are the same voxels of the patient as those of `open_case(name)`, in the same order, so that a plan's
    fluence gives the dose that the shifted patient gets.

    Args:
        name: Of a built-in case.
        shift_mm: How far the patient moves along (x, y, z), mm: to the left, to the back, to the head.

    Raises:
        UsageError: No such case, or a shift that is not three finite numbers.
    """
    from ..library import shifted

    return shifted(name, shift_mm)
