"""Piecewise quadratic penalties of the dose, row by row, compiled by numba.

phi(d) = sum_k over[k] max(d - bends[k], 0)^2 + under[k] max(bends[k] - d, 0)^2, the same for rows first to last.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(error_model="numpy", cache=True)
def penalty(dose, first, last, bends, over, under, multipliers):  # type: ignore[no-untyped-def]
    """sum_i phi(d_i); multipliers[i] = phi'(d_i)."""
    total = 0.0
    for i in range(first, last):
        d = np.float64(dose[i])
        slope = 0.0
        for b in range(len(bends)):
            t = d - bends[b]
            w = over[b] if t > 0 else under[b]
            total += w * t * t
            slope += 2 * w * t
        multipliers[i] = slope
    return total


@numba.njit(error_model="numpy", cache=True)
def along(dose, change, step, first, last, bends, over, under):  # type: ignore[no-untyped-def]
    """First and second derivative of sum_i phi(d_i + step change_i) by the step."""
    slope = 0.0
    curvature = 0.0
    for i in range(first, last):
        c = np.float64(change[i])
        if c != 0:
            d = np.float64(dose[i]) + step * c
            for b in range(len(bends)):
                t = d - bends[b]
                w = over[b] if t > 0 else under[b]
                slope += 2 * w * t * c
                curvature += 2 * w * c * c
    return slope, curvature


@numba.njit(error_model="numpy", cache=True)
def curvature(dose, first, last, bends, over, under, out):  # type: ignore[no-untyped-def]
    """out[i] = phi''(d_i)."""
    for i in range(first, last):
        d = np.float64(dose[i])
        s = 0.0
        for b in range(len(bends)):
            s += 2 * (over[b] if d > bends[b] else under[b])
        out[i] = s


@numba.njit(error_model="numpy", cache=True)
def conjugate(multipliers, first, last, bends, over, under, heights, stiffness):  # type: ignore[no-untyped-def]
    """sum_i phi*(m_i), phi*(m) = max_d m d - phi(d); infinite where a multiplier is no slope of phi.

    phi' increases and is linear between bends: heights[b] at bend b, stiffness[b] to the left of bend b and
    stiffness[-1] to the right of the last. The d with phi'(d) = m is looked up from the left.
    """
    total = 0.0
    n = len(bends)
    for i in range(first, last):
        m = multipliers[i]
        b = 0
        while b < n and m > heights[b]:
            b += 1
        d = bends[max(b - 1, 0)]
        away = m - heights[max(b - 1, 0)]
        if b > 0 or away < 0:
            if stiffness[b] == 0:
                return np.inf
            d += away / stiffness[b]
        value = 0.0
        for k in range(n):
            t = d - bends[k]
            value += (over[k] if t > 0 else under[k]) * t * t
        total += m * d - value
    return total
