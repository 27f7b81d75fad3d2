import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsci_language.sandbox.inside.values import BadValue, Opaque, decode, encode

SIMPLE = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
KEYS = st.recursive(SIMPLE, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=4)
VALUES = st.recursive(
    SIMPLE | st.complex_numbers(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner, max_size=4) | st.sets(KEYS, max_size=4)
    | st.lists(inner).map(tuple),
    max_leaves=20,
)  # fmt: skip


@given(VALUES)
def test_a_value_comes_back_as_it_was(value):
    found = decode(encode(value))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "many", [list(range(1000)), (1.5,) * 20, [2**63] * 9, [True] * 9, [1, 2.0] * 8, [-(2**63)] * 8]
)
def test_long_runs_of_numbers_keep_their_types(many):
    assert repr(decode(encode(many))) == repr(many)


def test_nan_infinities_and_lone_surrogates_pass():
    found = decode(encode([math.nan, -math.inf, "\udc80"]))
    assert math.isnan(found[0])
    assert found[1:] == [-math.inf, "\udc80"]


def test_arrays_pass_with_shape_and_type():
    numpy = pytest.importorskip("numpy")
    for array in (
        numpy.arange(6, dtype="int8").reshape(2, 3),
        numpy.array([1 + 2j]),
        numpy.array(["a"]),
        numpy.eye(2).T,
    ):
        found = decode(encode(array))
        assert found.dtype == array.dtype
        assert found.tolist() == array.tolist()
    assert decode(encode(numpy.array([{"a": 1}, None], dtype=object))) == [{"a": 1}, None]


def test_other_objects_are_shown_and_equal_nothing():
    found = decode(encode([object()]))[0]
    assert isinstance(found, Opaque)
    assert found.kind == "object"
    assert not found == found  # noqa: SIM201 it equals nothing
    with pytest.raises(BadValue, match="an object of the class object"):
        encode(found)


def test_what_holds_itself_or_is_too_deep_has_no_encoding():
    cycle = {}
    cycle["self"] = cycle
    deep = []
    for _ in range(300):
        deep = [deep]
    for value in (cycle, deep):
        with pytest.raises(BadValue, match="nested more than"):
            encode(value)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"x", b"NN", b"i;", b"iz;", b"i1", b"f123", b"s5;abc", b"s-1;", b"s1e9;", b"l99999999999;", b"l1;",
        b"d1;N", b"S1;l0;", b"d1;l0;N", b"s1;\xff", b"R9;", b"as1;xt0;b0;", b"as3;|O8t1;i1;b8;12345678", b"oNN",
        b"l1;" * 400 + b"N", b"as3;<f8t1;i5;b8;12345678", b"as3;<f8t1;i-1;b8;12345678", b"c1234",
        b"aNNN", b"l 1;N", b"l\xb2;NN",
    ],
)  # fmt: skip
def test_bytes_that_are_no_value_are_refused(data):
    with pytest.raises(BadValue):
        decode(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_refused(data):
    with suppress(BadValue):
        decode(data)
