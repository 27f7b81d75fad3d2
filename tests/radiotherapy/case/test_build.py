"""Cases are made from masks and a dij of the whole grid."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from tgsci.errors import UsageError
from tgsci_radiotherapy.case import Beam, Dij, Grid, StructureMask, build_case

GRID = Grid((2, 3, 4), (5.0, 5.0, 5.0))


def mask(*voxels: int) -> np.ndarray:
    found = np.zeros(GRID.size, bool)
    found[list(voxels)] = True
    return found.reshape(GRID.shape)


def matrix(beamlets: int = 3) -> sparse.csc_array:
    return sparse.csc_array(np.arange(1, GRID.size * beamlets + 1, dtype=float).reshape(GRID.size, beamlets))


def drawn() -> list[StructureMask]:
    return [
        StructureMask("Body", "external", mask(*range(20))),
        StructureMask("Rectum/é<b>", "oar", mask(4, 5, 6), volume_cc=0.5),
        StructureMask("PTV 50", "target", mask(3, 4), 50.0),
        StructureMask("PTV 70", "target", mask(2, 3), 70.0),
    ]


def test_a_case_from_masks_and_a_dij_of_the_whole_grid():
    case = build_case("Case <1>", GRID, drawn(), matrix(), fractions=35, beams=(Beam(0.0),), scale=2.0)
    assert case.name == "Case _1"
    assert case.names == ("PTV 70", "PTV 50", "Rectum_e_b", "Body")
    assert case.voxels[:5].tolist() == [2, 3, 4, 5, 6]
    assert case.owners[:5].tolist() == [0, 0, 1, 2, 2]
    assert len(case.voxels) == 20
    assert case.structure("Rectum_e_b").volume_cc == 0.5
    assert case.structure("Body").volume_cc == pytest.approx(20 * 0.125)
    full = sparse.csr_array((case.dij.values, case.dij.columns.astype(int), case.dij.starts)).toarray()
    assert full == pytest.approx(2 * matrix().toarray()[case.voxels], rel=1e-4)
    assert case.dij.columns.dtype == np.uint16


def test_the_given_order_can_stay():
    first = [drawn()[i] for i in (3, 2, 1, 0)]
    assert build_case("x", GRID, first, matrix(), fractions=35, keep_order=True).names[0] == "PTV 70"
    first = [drawn()[i] for i in (2, 3, 1, 0)]
    case = build_case("x", GRID, first, matrix(), fractions=35, keep_order=True)
    assert case.names[:2] == ("PTV 50", "PTV 70")
    assert case.owners[case.voxels == 3].tolist() == [0]


def test_every_form_of_the_dij_gives_the_same_case():
    csr = sparse.csr_array(matrix())
    whole = Dij(
        csr.indptr.astype(np.int64),
        csr.indices.astype(np.uint16),
        csr.data.astype(np.float32),
        3,
        np.zeros(3, np.int16),
    )
    forms = [matrix(), csr, sparse.coo_matrix(csr), csr.astype(np.float32), whole]
    assert len({build_case("x", GRID, drawn(), form, fractions=35).fingerprint for form in forms}) == 1


def test_coverage_counts_from_a_half():
    parts = drawn()
    parts[1] = StructureMask("Rectum", "oar", np.where(mask(4, 5), 0.9, np.where(mask(6), 0.4, 0.0)))
    assert build_case("x", GRID, parts, matrix(), fractions=35).structure("Rectum").voxels.tolist() == [4, 5]


def test_a_reference_dose_goes_by_rows():
    dose = np.arange(GRID.size, dtype=float).reshape(GRID.shape)
    case = build_case("x", GRID, drawn(), matrix(), fractions=35, reference=dose)
    assert case.reference is not None
    assert case.reference.tolist() == case.voxels.tolist()
    assert case.reference.dtype == np.float32


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"drawn": [StructureMask("PTV", "target", np.ones((2, 3, 5), bool), 50.0)]},
            "mask of PTV has 2 x 3 x 5 voxels.*resample",
        ),
        ({"drawn": [StructureMask("PTV", "target", np.ones(24, bool), 50.0)]}, "mask of PTV has 24 voxels"),
        ({"drawn": []}, "no structure at all"),
        ({"drawn": [*drawn(), StructureMask("body", "oar", mask(1))]}, "2 structures have the name"),
        ({"drawn": [*drawn(), StructureMask("///", "oar", mask(1))]}, "structure name"),
        ({"dij": matrix().T}, "transpose it"),
        ({"dij": sparse.csr_array(np.ones((23, 3)))}, "has 23 rows and the dose grid 24 voxels"),
        ({"dij": np.ones((24, 3))}, "must be a scipy sparse matrix"),
        ({"dij": -matrix()}, "negative or not finite"),
        ({"dij": matrix() * np.nan}, "negative or not finite"),
        ({"dij": matrix() * 1e300}, "negative or not finite"),
        ({"beam_of_beamlet": [0, 1]}, "the beam of 2 beamlets"),
        ({"reference": np.ones(3)}, "the reference dose has 3 voxels"),
        ({"ct": np.full(GRID.shape, 1024.0)}, "subtract 1024"),
        ({"fractions": 0}, "0 fractions"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_what_makes_no_case_is_refused(changes, said):
    parts = {"drawn": drawn(), "dij": matrix(), "fractions": 35} | changes
    with pytest.raises(UsageError, match=said):
        build_case("x", GRID, parts.pop("drawn"), parts.pop("dij"), **parts)


def test_a_target_that_the_beams_miss_is_refused():
    missed = matrix().tolil()
    missed[3] = 0
    with pytest.raises(UsageError, match="1 of 2 voxels of PTV 50 get no dose"):
        build_case("x", GRID, drawn(), missed, fractions=35)
