"""The data model: who owns a voxel, and which rows a structure sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.radiotherapy.cases import tiny_case
from tgsci.errors import UsageError
from tgsci_radiotherapy.case import Case, Dij, Grid, Structure
from tgsci_radiotherapy.case.model import own_rows

GRID = Grid((3, 4, 5), (3.0, 2.0, 1.0), (-10.0, 0.0, 5.0))
MASKS = st.lists(hnp.arrays(bool, GRID.size), min_size=1, max_size=5)


def structures(masks) -> list[Structure]:
    kinds = ["target", *["oar"] * (len(masks) - 1)]
    return [
        Structure(f"S{i}", kind, np.flatnonzero(mask).astype(np.int32), 1.0)
        for i, (mask, kind) in enumerate(zip(masks, kinds, strict=True))
    ]


@settings(deadline=None)
@given(MASKS)
def test_each_voxel_of_a_structure_has_one_row_and_the_first_structure_owns_it(masks):
    drawn = structures(masks)
    voxels, owners = own_rows(drawn, GRID)
    assert sorted(voxels) == np.flatnonzero(np.any(masks, axis=0)).tolist()
    assert (np.diff(owners) >= 0).all()
    for voxel, owner in zip(voxels, owners, strict=True):
        assert owner == next(i for i, mask in enumerate(masks) if mask[voxel])
    for owner in range(len(masks)):
        assert (np.diff(voxels[owners == owner]) > 0).all()


@settings(deadline=None)
@given(MASKS)
def test_a_structure_owns_a_slice_and_sees_all_of_its_voxels(masks):
    drawn = structures(masks)
    voxels, owners = own_rows(drawn, GRID)
    empty = Dij(
        np.zeros(len(voxels) + 1, np.int64), np.zeros(0, np.uint16), np.zeros(0, np.float32), 1, np.zeros(1, np.int16)
    )
    case = Case("any", GRID, tuple(drawn), empty, voxels, owners, 1)
    taken = np.zeros(GRID.size, bool)
    for structure, mask in zip(drawn, masks, strict=True):
        rows = case.rows(structure.name)
        assert sorted(voxels[rows]) == structure.voxels.tolist()
        assert (np.diff(rows) > 0).all()
        assert sorted(voxels[case.own(structure.name)]) == np.flatnonzero(mask & ~taken).tolist()
        taken |= mask


def test_a_structure_beside_the_grid_is_refused():
    with pytest.raises(UsageError, match="outside the dose grid"):
        own_rows([Structure("PTV", "target", np.array([3, 60], np.int32), 1.0)], GRID)


def test_a_grid_knows_where_its_voxels_are():
    assert (GRID.size, GRID.voxel_cc, str(GRID)) == (60, pytest.approx(0.006), "1 x 2 x 3 mm")
    assert GRID.points(np.array([0, 1, 5, 20, 59])).tolist() == [
        [-10, 0, 5],
        [-10, 0, 6],
        [-10, 2, 5],
        [-7, 0, 5],
        [-4, 6, 9],
    ]
    assert [axis[-1] for axis in GRID.axes()] == [-4, 6, 9]


def test_a_case_by_hand():
    case = tiny_case()
    assert case.names == ("PTV", "OAR", "Body")
    assert (case.own("PTV"), case.own("OAR"), case.own("Body")) == (slice(0, 4), slice(4, 7), slice(7, 12))
    assert case.rows("oar").tolist() == [3, 4, 5, 6]
    assert case.prescription == 10.0
    assert [t.name for t in case.targets] == ["PTV"]
    dose = np.arange(12, dtype=np.float32)
    assert case.by_row(case.cube(dose)).tolist() == dose.tolist()
    assert case.cube(dose)[0, 1, 2] == 6


def test_targets_come_by_falling_prescription():
    voxels = np.arange(3, dtype=np.int32)
    drawn = (Structure("PTV_50", "target", voxels, 1.0, 50.0), Structure("PTV_70", "target", voxels, 1.0, 70.0))
    case = replace(tiny_case(), structures=drawn)
    assert [t.name for t in case.targets] == ["PTV_70", "PTV_50"]
    assert case.prescription == 70.0


def test_the_fingerprint_names_what_changes_a_figure():
    case = tiny_case()
    body = replace(case.structures[2], prescription=3.0)
    doses = case.dij.values.copy()
    doses[3] *= 1.01
    others = [
        replace(case, fractions=6),
        replace(case, grid=replace(case.grid, spacing=(10.0, 10.0, 9.0))),
        replace(case, structures=(*case.structures[:2], body)),
        replace(case, dij=replace(case.dij, values=doses)),
        replace(case, dij=replace(case.dij, columns=case.dij.columns[::-1].copy())),
        replace(case, structures=(replace(case.structures[0], name="GTV"), *case.structures[1:])),
    ]
    assert len({case.fingerprint, *(other.fingerprint for other in others)}) == 7
    same = [
        tiny_case(),
        replace(case, name="else"),
        replace(case, provenance={"a": "b"}),
        replace(case, fractions=np.int64(5)),
        replace(case, grid=Grid((1, 3, 4), (np.float64(10), 10, 10))),
    ]
    assert {other.fingerprint for other in same} == {case.fingerprint}
