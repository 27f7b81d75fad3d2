"""Faulty cases are refused, each with what to change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case, tiny_case
from tgsci.errors import UsageError
from tgsci_radiotherapy.case import Case, Grid, Structure, check


def with_structure(case: Case, place: int, **changes) -> Case:
    structures = list(case.structures)
    structures[place] = replace(structures[place], **changes)
    return replace(case, structures=tuple(structures))


def with_dij(case: Case, **changes) -> Case:
    return replace(case, dij=replace(case.dij, **changes))


def values(place: int, value: float) -> np.ndarray:
    found = tiny_case().dij.values.copy()
    found[place] = value
    return found


NO_VOXELS = np.zeros(0, np.int32)
TINY = tiny_case()

FAULTS = {
    "an empty structure": (with_structure(TINY, 1, voxels=NO_VOXELS, volume_cc=0.0), "OAR is empty.*leave it out"),
    "one that vanishes on the grid": (
        with_structure(TINY, 1, voxels=NO_VOXELS, volume_cc=0.02),
        "OAR, 0.02 cc as drawn, has no voxel centre on the dose grid of 10 x 10 x 10 mm; use a finer",
    ),
    "voxels of another grid": (
        with_structure(TINY, 1, voxels=np.array([3, 400], np.int32)),
        "OAR has voxels outside the dose grid of 1 x 3 x 4 voxels.*made for another grid",
    ),
    "voxels out of order": (with_structure(TINY, 1, voxels=np.array([5, 3], np.int32)), "OAR .*ascending"),
    "voxels that are no numbers": (with_structure(TINY, 1, voxels=np.array([0.5])), "OAR: voxels must be"),
    "duplicate names": (with_structure(TINY, 1, name="PTV"), "2 structures have the name 'PTV'; rename"),
    "names that differ in case only": (with_structure(TINY, 1, name="ptv"), "2 structures have the name"),
    "a path as a name": (with_structure(TINY, 1, name="../../etc"), "structure name '/?_?.*' is not 1 to 32"),
    "a long name": (with_structure(TINY, 1, name="A" * 33), "is not 1 to 32"),
    "no name": (with_structure(TINY, 1, name=""), "structure name '' is not"),
    "no target": (
        with_structure(TINY, 0, type="oar", prescription=None),
        r"no target to treat \(there are: PTV, OAR, Body\); say which structure is the PTV",
    ),
    "no external": (with_structure(TINY, 2, type="oar"), "no external: the outline of the body"),
    "another type": (with_structure(TINY, 1, type="avoid"), "OAR is of type 'avoid'"),
    "no prescription": (with_structure(TINY, 0, prescription=None), "PTV has no prescription; give .* PTV=50"),
    "cGy": (with_structure(TINY, 0, prescription=5000.0), "prescription of 5000 Gy.*in cGy: give 50"),
    "a prescription of nan": (with_structure(TINY, 0, prescription=float("nan")), "PTV has a prescription of nan"),
    "a prescription of nothing": (with_structure(TINY, 0, prescription=0.0), "it must be above 0"),
    "a prescription to an organ": (with_structure(TINY, 1, prescription=20.0), "OAR has a prescription and is no"),
    "a volume of nan": (with_structure(TINY, 1, volume_cc=float("nan")), "OAR has a volume of nan cc"),
    "a HU table that falls": (replace(TINY, hu_table=((-1000.0, 1.0), (0.0, 0.5))), "HU table must have"),
    "an origin that is a name": (
        replace(TINY, origin={"patient": "Smith^John"}),
        "origin must be a few short",
    ),
    "no fractions": (replace(TINY, fractions=0), "0 fractions; 1 to 100"),
    "fractions as text": (replace(TINY, fractions="5"), "fractions must be a whole number, not '5'"),
    "half a fraction": (replace(TINY, fractions=2.5), "fractions must be a whole number"),
    "another modality": (replace(TINY, modality="magic"), "modality 'magic'"),
    "a hostile name of the case": (replace(TINY, name="<script>"), "its name 'script' must be"),
    "a spacing of 0": (replace(TINY, grid=Grid((1, 3, 4), (0.0, 1.0, 1.0))), "spacings must be above 0"),
    "a huge grid": (replace(TINY, grid=Grid((2000, 2000, 2000), (1.0, 1.0, 1.0))), "2000 x 2000 x 2000 voxels"),
    "rows in another order": (replace(TINY, voxels=TINY.voxels[::-1].copy()), "rows are not the structures' voxels"),
    "another owner": (replace(TINY, owners=np.zeros(12, np.int16)), "rows are not the structures' voxels"),
    "too few rows": (with_dij(TINY, starts=TINY.dij.starts[:-1]), "the dij has 11 rows for 12 voxels"),
    "rows that overlap": (with_dij(TINY, starts=TINY.dij.starts[::-1].copy()), "do not begin and end"),
    "no beamlets": (with_dij(TINY, beamlets=0), "no beamlets"),
    "a beamlet that is not there": (with_dij(TINY, beamlets=3, beams=np.zeros(3, np.int16)), "entries of beamlet 3"),
    "beams of other beamlets": (with_dij(TINY, beams=np.zeros(3, np.int16)), "the beam of 3 beamlets, and has 4"),
    "a beam that is not there": (with_dij(TINY, beams=np.ones(4, np.int16)), "beamlets of beam 1, and only 1 beams"),
    "doubles": (with_dij(TINY, values=TINY.dij.values.astype(float)), "the dij is of int64, uint16, float64"),
    "nan": (with_dij(TINY, values=values(2, np.nan)), "not finite"),
    "inf": (with_dij(TINY, values=values(2, np.inf)), "not finite"),
    "negative dose": (with_dij(TINY, values=values(2, -1)), "negative doses, down to -1 Gy"),
    "no dose at all": (with_dij(TINY, values=np.zeros(8, np.float32)), "no dose anywhere"),
    "a target voxel without dose": (
        with_dij(TINY, values=values(2, 0)),
        "1 of 4 voxels of PTV get no dose from any beamlet; let the beams cover the target",
    ),
    "a reference of another size": (replace(TINY, reference=np.zeros(5, np.float32)), "5 figures for 12 rows"),
    "HU + 1024": (
        replace(TINY, ct=np.full((1, 3, 4), 1060, np.int16), ct_grid=TINY.grid),
        "median in Body is 1060 HU, and water is 0; it holds HU . 1024",
    ),
    "an image of nothing": (
        replace(TINY, ct=np.full((1, 3, 4), -1000, np.int16), ct_grid=TINY.grid),
        "median in Body is -1000 HU, and water is 0; give Hounsfield units",
    ),
    "an image elsewhere": (
        replace(TINY, ct=np.zeros((1, 3, 4), np.int16), ct_grid=replace(TINY.grid, origin=(0.0, 0.0, 999.0))),
        "CT does not show the body",
    ),
    "an image of another shape": (
        replace(TINY, ct=np.zeros((1, 3, 5), np.int16), ct_grid=TINY.grid),
        "the CT has .1, 3, 5. voxels and its grid .1, 3, 4.",
    ),
    "an image without a grid": (replace(TINY, ct=np.zeros((1, 3, 4), np.int16)), "its grid None"),
}


@pytest.mark.parametrize(("case", "said"), FAULTS.values(), ids=FAULTS)
def test_faults_are_refused_with_what_to_change(case, said):
    with pytest.raises(UsageError, match=said):
        check(case)


def test_good_cases_pass():
    check(small_case())
    check(TINY)
    check(replace(TINY, ct=np.zeros((1, 3, 4), np.int16), ct_grid=TINY.grid, reference=np.ones(12, np.float32)))


def test_an_organ_without_dose_is_no_fault():
    check(with_dij(TINY, values=values(4, 0)))


def test_a_first_entry_of_nothing_is_no_voxel_without_dose():
    columns = np.concatenate([[0], TINY.dij.columns[:1] + 1, TINY.dij.columns[1:]]).astype(np.uint16)
    starts = TINY.dij.starts + (np.arange(13) > 0)
    check(
        with_dij(TINY, starts=starts, columns=columns, values=np.concatenate([[0], TINY.dij.values]).astype(np.float32))
    )


def test_beamlets_out_of_order_are_refused():
    starts = TINY.dij.starts + (np.arange(13) > 0)
    columns = np.concatenate([[1], TINY.dij.columns]).astype(np.uint16)
    with pytest.raises(UsageError, match="not in ascending order"):
        check(with_dij(TINY, starts=starts, columns=columns, values=np.ones(9, np.float32)))


def test_all_faults_are_named_at_once():
    case = replace(with_structure(with_structure(TINY, 0, prescription=None), 1, name="Body"), fractions=0)
    with pytest.raises(UsageError) as caught:
        check(case)
    assert "\n  - 0 fractions" in str(caught.value)
    assert "\n  - 2 structures have the name" in str(caught.value)
    assert "\n  - the target PTV has no prescription" in str(caught.value)


def test_many_faults_make_no_endless_message():
    many = tuple(Structure(f"S{i}", "oar", NO_VOXELS, 0.0) for i in range(500))
    with pytest.raises(UsageError, match=r"and 49[0-9] more") as caught:
        check(replace(TINY, structures=many))
    assert len(str(caught.value)) < 3000
