"""Doses as whole numbers: each row of a dij as 16-bit shares of the row's largest entry.

A case keeps its dij quantised, so that what is saved and read again is the same to the last bit, and so are the plans.
No entry moves by more than the row's largest / 131070 (and half the last bit of a 32-bit float), and the dose of a plan
by about 4e-5 of it at the very most.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])

#: The code of a row's largest entry.
FULL = 65535

_compiled = numba.njit(cache=True, nogil=True)


def _jit(function: F) -> F:
    """Compile a function; type checkers still see its annotations."""
    return cast(F, _compiled(function))


@_jit
def _encode(
    starts: NDArray[np.int64], values: NDArray[np.float32], codes: NDArray[np.uint16], maxima: NDArray[np.float32]
) -> None:
    """Write code and maximum of each row; `_decode` gives the doses back, and these encode to the same codes again.

    Args:
        starts: Where each row begins, one more than there are rows.
        values: Doses, finite and not negative.
        codes: Of each entry; written.
        maxima: Largest entry of each row, 0 for an empty row; written.
    """
    for row in range(len(starts) - 1):
        largest = np.float32(0.0)
        for k in range(starts[row], starts[row + 1]):
            largest = max(largest, values[k])
        maxima[row] = largest
        factor = FULL / np.float64(largest) if largest > 0.0 else 0.0
        for k in range(starts[row], starts[row + 1]):
            codes[k] = np.uint16(min(values[k] * factor + 0.5, 65535.0))


@_jit
def _decode(
    starts: NDArray[np.int64], codes: NDArray[np.uint16], maxima: NDArray[np.float32], values: NDArray[np.float32]
) -> None:
    """Write the dose of each entry.

    Args:
        starts: As for `_encode`.
        codes: As for `_encode`.
        maxima: As for `_encode`.
        values: Doses; written.
    """
    for row in range(len(starts) - 1):
        factor = np.float64(maxima[row]) / FULL
        for k in range(starts[row], starts[row + 1]):
            values[k] = np.float32(codes[k] * factor)


def encode(starts: NDArray[np.int64], values: NDArray[np.float32]) -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
    """Encode entries: their codes, and the largest entry of each row."""
    codes, maxima = np.empty(len(values), np.uint16), np.empty(len(starts) - 1, np.float32)
    _encode(starts, values, codes, maxima)
    return codes, maxima


def decode(starts: NDArray[np.int64], codes: NDArray[np.uint16], maxima: NDArray[np.float32]) -> NDArray[np.float32]:
    """Decode codes to doses."""
    values = np.empty(len(codes), np.float32)
    _decode(starts, codes, maxima, values)
    return values


def quantise(starts: NDArray[np.int64], values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round doses to what they are after saving and reading; doses that are so already do not change."""
    codes, maxima = encode(starts, values)
    return decode(starts, codes, maxima)
