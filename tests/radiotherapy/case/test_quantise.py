"""Doses as 16-bit shares of each row's largest entry."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.radiotherapy.cases import small_case
from tgsci_radiotherapy.case.quantise import FULL, decode, encode, quantise


@st.composite
def rows(draw) -> tuple[np.ndarray, np.ndarray]:
    lengths = draw(st.lists(st.integers(0, 6), min_size=1, max_size=8))
    values = draw(
        hnp.arrays(np.float32, sum(lengths), elements=st.floats(0, float(np.finfo(np.float32).max), width=32))
    )
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), values


@settings(deadline=None)
@given(rows())
def test_doses_as_shares_of_the_largest(row):
    starts, values = row
    codes, maxima = encode(starts, values)
    found = decode(starts, codes, maxima)
    again = encode(starts, found)
    assert (again[0] == codes).all()  # to the last bit, however often
    assert (again[1] == maxima).all()
    for number, (first, last) in enumerate(pairwise(starts)):
        own = values[first:last].astype(float)
        most = own.max(initial=0.0)
        assert maxima[number] == most
        if first < last:
            assert found[first:last].max() == most
            # Half a code, and what a 32-bit float cannot hold: half of its last bit, or the smallest number there is.
            assert np.abs(found[first:last] - own).max() <= most * (1 / (2 * FULL) + 2**-24) + 1e-45


def test_finished_cases_are_quantised():
    dij = small_case().dij
    assert (quantise(dij.starts, dij.values) == dij.values).all()
