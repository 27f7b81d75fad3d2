"""Regions: what is read, how it is written, and which voxels they have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.radiotherapy.cases import small_case
from tgsci.errors import UsageError
from tgsci_radiotherapy.case.regions import Region, grown, parse, readable, shrunk

SPACING = (3.0, 2.0, 2.0)
NAMES = st.sampled_from(["PTV", "PTV-70", "Z_PTV+5", "Left lung", "Lungs - GTV", "5 mm", "[targets]", "ring", "- A"])
MASKS = hnp.arrays(bool, (4, 7, 6))


def _larger(parts: st.SearchStrategy[Region]) -> st.SearchStrategy[Region]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(lambda kind, p: Region(kind, p), st.sampled_from(["without", "union", "overlap"]), several),
        st.builds(lambda p, mm: Region("margin", (p,), mm=(mm,)), parts, st.sampled_from([5.0, -3.0, 2.5])),
        st.builds(lambda p: Region("ring", (p,), mm=(3.0, 13.0)), parts),
    )


REGIONS = st.recursive(st.builds(lambda name: Region("name", name=name), NAMES), _larger, max_leaves=5)


@settings(deadline=None)
@given(REGIONS)
def test_the_canonical_text_is_read_back_to_the_same_region(region):
    if len(str(region)) > 250:
        return
    read = parse(str(region))
    assert parse(str(read)) == read
    assert read.names == region.names


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("PTV63 - (PTV70 + 5 mm)", "PTV63 - (PTV70 + 5 mm)"),
        ("PTV63-( PTV70  +5 mm)", None),
        ("A - B - 3 mm", "A - (B - 3 mm)"),
        ("A + 5 mm - B", "(A + 5 mm) - B"),
        ("A | B - C", "(A | B) - C"),
        ("A | B & C", "A | (B & C)"),
        ("((A))", "A"),
        ("ring( A,0 mm , 10mm)", "ring(A, 0 mm, 10 mm)"),
        ("PTV-70 - Z_PTV+5", "PTV-70 - Z_PTV+5"),
        ("'Lungs - GTV' & Heart", "'Lungs - GTV' & Heart"),
    ],
)
def test_margins_bind_first_then_overlaps(text, canonical):
    if canonical is None:
        with pytest.raises(UsageError, match="is no region"):
            parse(text)
    else:
        assert str(parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a structure's name is missing"),
        ("A - ", "missing at its end"),
        ("A + B", r"write A \| B"),
        ("A + 5", "margin in mm"),
        ("A - 1 cm", "10 mm"),
        ("ring(A, 5 mm)", "',' is missing"),
        ("ring(A, 9 mm, 3 mm)", "smaller distance to its larger"),
        ("A + 900 mm", "out of range"),
        ("(A", "is missing"),
        ("A)", "not expected"),
        ("A(B)", "not expected"),
        ("<b> - A", "cannot be read"),
        ("[organs] - A", "no structure's name"),
        ("(" * 20 + "A" + ")" * 20, "nested more than"),
        (" | ".join(["A"] * 60), "more than 24"),
        ("A | " * 200, "at most 300 characters"),
        (7, "is a text"),
    ],
)
def test_what_is_no_region_is_refused_with_what_to_write(text, says):
    with pytest.raises(UsageError, match=says):
        parse(text)


def test_a_text_for_a_message_is_harmless():
    assert readable("ring(A,3 mm,9 mm)") == "ring(A, 3 mm, 9 mm)"
    assert readable("<script>(x)") == "script_x"
    assert readable("PTV 70") == "PTV 70"


def _distances(mask: np.ndarray) -> np.ndarray:
    """Distance of every voxel from the mask, mm, each pair measured."""
    centres = np.argwhere(np.ones(mask.shape, bool)) * np.array(SPACING)
    inside = np.argwhere(mask) * np.array(SPACING)
    return np.sqrt(((centres[:, None] - inside) ** 2).sum(axis=2)).min(axis=1).reshape(mask.shape)


@settings(deadline=None)
@given(MASKS, st.sampled_from([0.5, 2.0, 3.0, 4.5, 20.0]))
def test_margins_are_euclidean_distances_in_mm(mask, mm):
    if not mask.any():
        assert not grown(mask, mm, SPACING).any()
        return
    assert (grown(mask, mm, SPACING) == (_distances(mask) <= mm + 1e-6)).all()
    around = np.pad(mask, 1)  # beyond the grid is outside
    expected = (_distances(~around) > mm + 1e-6)[1:-1, 1:-1, 1:-1] & mask
    assert (shrunk(mask, mm, SPACING) == expected).all()


@settings(deadline=None)
@given(MASKS, MASKS)
def test_operators_are_those_of_sets(a, b):
    masks = {"A": a, "B": b}.__getitem__
    for text, expected in (("A - B", a & ~b), ("A | B", a | b), ("A & B", a & b), ("(A | B) - (A & B)", a ^ b)):
        assert (parse(text).mask(masks, SPACING) == expected).all()
    ring = parse("ring(A, 2 mm, 4 mm)").mask(masks, SPACING)
    assert (ring == (grown(a, 4.0, SPACING) & ~grown(a, 2.0, SPACING))).all()
    assert not (ring & a).any()


def test_a_case_knows_regions_where_it_knows_structures():
    case = small_case()
    ring = case.structure("ring(ptv, 4 mm, 12 mm) - Core")
    assert ring.name == "ring(PTV, 4 mm, 12 mm) - Core"
    assert (ring.type, ring.prescription) == ("oar", None)
    mask = case.mask("PTV")
    expected = grown(mask, 12.0, case.grid.spacing) & ~grown(mask, 4.0, case.grid.spacing) & ~case.mask("Core")
    assert (case.mask(ring.name) == (expected & case.mask("Body"))).all()
    assert (case.own(ring.name) == case.rows(ring.name)).all()
    assert case.count_own(ring.name) == len(ring.voxels) == expected.sum()
    assert case.structure(" PTV - 4 mm").prescription == 50.0
    assert case.structure("PTV & Core").type == "target"
    assert case.structure("PTV | Core").type == "oar"
    assert case.structure("Body - [targets]").type == "oar"
    assert case.structure("(PTV)") is case.structure("PTV")
    with pytest.raises(UsageError, match="no structure 'PTV63'"):
        case.structure("PTV - PTV63")
    with pytest.raises(UsageError, match="margin in mm"):
        case.structure("PTV + 5")
    for glued in ("PTV+5mm", "PTV-Core"):
        with pytest.raises(UsageError, match="spaces on both sides"):
            case.structure(glued)
