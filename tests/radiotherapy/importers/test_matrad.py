"""matRad files of MATLAB 5 and 7.3, written as MATLAB does: order of voxels, doses in total, and what is refused."""

from __future__ import annotations

import zlib
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from scipy import sparse

from tgsci.errors import UsageError
from tgsci_radiotherapy.case import Grid
from tgsci_radiotherapy.importers import read

NY, NX, NZ = 20, 24, 10
IMAGE = Grid((NZ, NY, NX), (3.0, 4.0, 5.0), (-12.0, -40.0, -60.0))
# Half the voxels along x and y, shifted so that their centres lie between four of the image's.
DOSE = Grid((NZ, NY // 2, NX // 2), (3.0, 8.0, 10.0), (-12.0, -38.0, -57.5))
BEAMLETS = 7


def cell(*items):
    out = np.empty((1, len(items)), object)
    out[0, :] = items
    return out


def axes(grid):
    z, y, x = grid.axes()
    return {"x": x[None], "y": y[None], "z": z[None]}


def resolution(grid):
    return dict(zip("zyx", grid.spacing, strict=True))


def masks():
    z, y, x = np.meshgrid(*IMAGE.axes(), indexing="ij")
    body = (x / 55) ** 2 + (y / 36) ** 2 <= 1
    target = (np.hypot(x + 10, y) <= 17) & (np.abs(z) <= 8)
    cord = np.hypot(x - 20, y - 10) <= 12
    return body, target, cord


def indices(mask):
    """MATLAB's linear indices, from 1, of a mask (z, y, x) as a column."""
    return (np.flatnonzero(mask.transpose(1, 2, 0).reshape(-1, order="F")) + 1.0)[:, None]


def influence():
    rng = np.random.default_rng(3)
    return sparse.csc_matrix(sparse.random(DOSE.size, BEAMLETS, 0.6, random_state=rng, dtype=np.float64))


def content(**changes):
    body, target, cord = masks()
    hu = np.where(body, 0.0, -1000.0)
    hu[target] = 30.0
    deviation = {"className": "DoseObjectives.matRad_SquaredDeviation", "parameters": cell(60.0), "penalty": 1000.0}
    # Lines as matRad has them: number, name, type, voxels, properties, objectives.
    lines = [
        ("BODY", "OAR", body, 3.0, []),
        ("Cord", "OAR", cord, 1.0, []),
        ("PTV_60", "TARGET", target, 2.0, [deviation]),
        ("Ring", "IGNORED", cord, 1.0, []),
    ]
    cst = np.empty((len(lines), 6), object)
    for k, (name, kind, mask, priority, objectives) in enumerate(lines):
        cst[k] = [float(k), name, kind, cell(indices(mask)), {"Priority": priority, "alphaX": 0.1}, cell(*objectives)]
    made = {
        "ct": {
            "cubeHU": cell(hu.transpose(1, 2, 0)),
            "resolution": resolution(IMAGE),
            "cubeDim": np.array([[NY, NX, NZ]], float),
            "numOfCtScen": 1.0,
            "dicomInfo": {"PatientPosition": "HFS", "PatientName": {"FamilyName": "Quixotesson"}},
            **axes(IMAGE),
        },
        "cst": cst,
        "pln": {
            "radiationMode": "photons",
            "numOfFractions": 30.0,
            "propStf": {"gantryAngles": np.array([[0.0, 72.0]]), "couchAngles": np.array([[0.0, 10.0]])},
        },
        "dij": {
            "physicalDose": cell(influence()),
            "doseGrid": {
                "resolution": resolution(DOSE),
                "dimensions": np.array([[DOSE.shape[1], DOSE.shape[2], DOSE.shape[0]]], float),
                "numOfVoxels": float(DOSE.size),
                **axes(DOSE),
            },
            "beamNum": np.array([[1, 1, 1, 2, 2, 2, 2]], float).T,
        },
        "resultGUI": {"w": np.ones((BEAMLETS, 1))},
    }
    for key, value in changes.items():
        place = made
        *inner, last = key.split("__")
        for one in inner:
            place = place[one]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return made


def save5(path, made):
    scipy.io.savemat(path, made, do_compression=True, oned_as="column")


def save73(path, made):
    """A file of MATLAB 7.3 as MATLAB writes it: HDF5 with dimensions turned round, cells by reference."""
    with h5py.File(path, "w", userblock_size=512) as file:
        refs = file.create_group("#refs#")

        def put(group, key, value):
            if isinstance(value, dict):
                item = group.create_group(key)
                item.attrs["MATLAB_class"] = np.bytes_("struct")
                for name, inner in value.items():
                    put(item, name, inner)
            elif sparse.issparse(value):
                item = group.create_group(key)
                item.attrs["MATLAB_class"] = np.bytes_("double")
                item.attrs["MATLAB_sparse"] = np.uint64(value.shape[0])
                item["data"], item["ir"] = value.data, value.indices.astype(np.uint64)
                item["jc"] = value.indptr.astype(np.uint64)
            elif isinstance(value, str):
                item = group.create_dataset(key, data=np.array([[ord(c)] for c in value], np.uint16))
                item.attrs["MATLAB_class"], item.attrs["MATLAB_int_decode"] = np.bytes_("char"), np.int32(2)
            elif isinstance(value, np.ndarray) and value.dtype == object:
                if not value.size:
                    item = group.create_dataset(key, data=np.array(value.shape, np.uint64))
                    item.attrs["MATLAB_empty"] = np.uint8(1)
                else:
                    item = group.create_dataset(key, value.T.shape, h5py.ref_dtype)
                    for at, inner in np.ndenumerate(value.T):
                        name = f"r{len(refs)}"
                        put(refs, name, inner)
                        item[at] = refs[name].ref
                item.attrs["MATLAB_class"] = np.bytes_("cell")
            else:
                item = group.create_dataset(key, data=np.atleast_2d(np.asarray(value, np.float64)).T)
                item.attrs["MATLAB_class"] = np.bytes_("double")

        for key, value in made.items():
            put(file, key, value)
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Jan  1 00:00:00 2024 HDF5 schema 1.00 ."
    with path.open("r+b") as file:
        file.write(header.ljust(116) + b"\0" * 8 + b"\x00\x02IM")


@pytest.fixture(params=[save5, save73], ids=["5", "7.3"])
def save(request):
    return request.param


def refused(path, *words, **options):
    with pytest.raises(UsageError) as caught:
        read(path, **options)
    for word in words:
        assert word in str(caught.value), str(caught.value)
    assert len(str(caught.value)) < 800


def test_a_case_with_the_dij_of_the_file(tmp_path, save):
    path = tmp_path / "Quixotesson.mat"
    save(path, content())
    case = read(path)
    # By matRad's priority, the lower first, and the external last whatever its own.
    assert [(s.name, s.type) for s in case.structures] == [("Cord", "oar"), ("PTV_60", "target"), ("BODY", "external")]
    assert (case.fractions, case.prescription, case.modality) == (30, 60.0, "photons")
    assert [(b.gantry, b.couch) for b in case.beams] == [(0, 0), (72, 10)]
    assert list(case.dij.beams) == [0, 0, 0, 1, 1, 1, 1]
    assert case.grid == DOSE
    assert "objective's dose" in case.provenance["read"]
    assert case.provenance["dose engine"] == "matRad, photons"
    assert "Quixotesson" not in repr(case)
    # Every row is that of its own voxel, 30 fractions together.
    wanted = influence().toarray().reshape(DOSE.shape[1], DOSE.shape[2], DOSE.shape[0], BEAMLETS, order="F")
    wanted = wanted.transpose(2, 0, 1, 3).reshape(-1, BEAMLETS)[case.voxels] * 30
    found = sparse.csr_matrix((case.dij.values, case.dij.columns, case.dij.starts), shape=wanted.shape).toarray()
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    # And a target's voxels lie where it was drawn: around x = -10, y = 0, |z| <= 8.
    centre = case.grid.points(case.structure("PTV_60").voxels).mean(axis=0)
    np.testing.assert_allclose(centre, [1.5, 0.0, -10.0], atol=2.0)
    assert case.ct.max() == 30


def test_the_image_lies_as_it_was_drawn(tmp_path, save):
    path = tmp_path / "a.mat"
    save(path, content())
    case = read(path)
    z, y, x = np.nonzero(case.ct == 30)
    at = np.stack([x, y, z], axis=1) * np.array(case.ct_grid.spacing[::-1]) + np.array(case.ct_grid.origin[::-1])
    np.testing.assert_allclose(at.mean(axis=0), [-10, 0, 1.5], atol=3.0)


def test_protons_have_their_rbe(tmp_path, save):
    path = tmp_path / "a.mat"
    save(path, content(pln__radiationMode="protons", dij__RBE=1.2))
    case = read(path)
    assert case.modality == "protons"
    assert case.dij.values.max() == pytest.approx(influence().max() * 30 * 1.2, rel=0.2)
    assert "RBE 1.2" in case.provenance["dose engine"]
    save(path, content(pln__radiationMode="carbon"))
    refused(path, "'carbon'", "photons and protons")


def test_without_a_dij_one_is_computed(tmp_path, save):
    path = tmp_path / "a.mat"
    save(path, content(dij=None))
    case = read(path, engine="builtin", gantry=(0, 120, 240), grid_mm=5.0)
    assert "pencil beam" in case.provenance["dose engine"]
    assert case.grid.spacing == (5.0, 5.0, 5.0)
    assert case.fractions == 30


def test_an_older_file_has_its_dij_on_the_grid_of_the_image(tmp_path):
    matrix = sparse.csc_matrix(sparse.random(IMAGE.size, BEAMLETS, 0.95, random_state=np.random.default_rng(1)))
    path = tmp_path / "a.mat"
    save5(path, content(dij={"physicalDose": cell(matrix)}, pln__propStf={}, pln__gantryAngles=np.array([[0.0]])))
    case = read(path)
    assert case.grid == IMAGE
    assert [b.gantry for b in case.beams] == [0.0]


def test_the_phantom_that_matrad_itself_ships():
    where = find_spec("pyRadPlan")  # it carries matRad's file; importing it takes ten seconds and is not needed
    if where is None:
        pytest.skip("pyRadPlan is not installed")
    path = Path(where.origin).parent / "data" / "phantoms" / "TG119.mat"
    case = read(path, engine="builtin", gantry=(0,), fractions=25, grid_mm=10.0)
    assert [(s.name, s.prescription) for s in case.structures] == [
        ("OuterTarget", 50.0),
        ("Core", None),
        ("BODY", None),
    ]
    assert case.structure("OuterTarget").volume_cc == pytest.approx(167.8, abs=0.1)
    assert case.grid.points(case.structure("Core").voxels).mean(axis=0) == pytest.approx([0, 0, 0], abs=8)


def test_one_structure_and_no_objectives(tmp_path, save):
    body, target, _ = masks()
    lines = np.empty((1, 6), object)
    lines[0] = [0.0, "PTV", "TARGET", cell(indices(target)), {"Priority": 1.0}, cell()]
    path = tmp_path / "a.mat"
    save(path, content(cst=lines))
    refused(path, "no target has a prescription", "--prescription")
    case = read(path, prescriptions={"ptv": 60})
    assert case.names == ("PTV", "Body")
    assert case.structure("Body").volume_cc == pytest.approx(body.sum() * IMAGE.voxel_cc, rel=0.15)


def changed(name, value):
    made = content()
    line = next(k for k in range(len(made["cst"])) if made["cst"][k, 1] == name)
    made["cst"][line, 3] = cell(np.asarray(value, float).reshape(-1, 1))
    return made


@pytest.mark.parametrize(
    ("made", "word"),
    [
        (lambda: content(ct=None), "holds no ct and cst"),
        (lambda: content(cst=None), "holds no ct and cst"),
        (lambda: content(ct__cubeHU=None), "no cubeHU"),
        (lambda: content(ct__resolution={"x": 5.0, "y": 0.0, "z": 3.0}), "resolution along y"),
        (lambda: content(ct__z=np.array([np.r_[-12:15:3, 99]], float)), "coordinates along z"),
        (lambda: content(ct__dicomInfo={"PatientPosition": "FFS"}), "'FFS'"),
        (lambda: content(ct__cubeHU=cell(np.full((NY, NX, NZ), 24.0))), "not in Hounsfield units"),
        (lambda: changed("PTV_60", [0, 1, 2]), "lists voxels from 0"),
        (lambda: changed("PTV_60", [NX * NY * NZ + 1, 2]), "another image"),
        (lambda: changed("PTV_60", [1.5, 2]), "no whole numbers"),
        (lambda: changed("PTV_60", []), "the target PTV_60 is empty"),
        (lambda: content(dij__doseGrid__dimensions=np.array([[3.0, 3, 3]])), "do not belong together"),
        (lambda: content(dij__physicalDose=cell(influence() * np.nan)), "no numbers"),
        (lambda: content(dij__physicalDose=cell(influence() * -1)), "negative"),
        (lambda: content(dij__physicalDose=cell(np.ones((3, 3)))), "the dij has 3 rows"),
        (lambda: content(dij__physicalDose=cell("none")), "the dij holds no physicalDose"),
        (lambda: content(dij__doseGrid__dimensions="many"), "not laid out as matRad does it"),
        (lambda: content(pln__numOfFractions=None), "--fractions"),
    ],
)
def test_files_that_are_wrong(tmp_path, save, made, word):
    path = tmp_path / "a.mat"
    save(path, made())
    refused(path, word)


@pytest.mark.parametrize("place", ["indices", "indptr"])
def test_a_sparse_matrix_that_points_beyond_itself(tmp_path, place):
    matrix = influence()
    getattr(matrix, place)[3] = 10**6
    path = tmp_path / "a.mat"
    save73(path, content(dij__physicalDose=cell(matrix)))
    refused(path, "damaged")


def test_names_mean_no_harm(tmp_path, save):
    made = content()
    made["cst"][1, 1] = "../<b>cord</b>\nignore the above"
    path = tmp_path / "a.mat"
    save(path, made)
    assert read(path).names[0] == "b_cord_b_ ignore the above"


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.9, 0.999])
def test_truncated_files(tmp_path, save, share):
    path = tmp_path / "a.mat"
    save(path, content())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UsageError):
        read(path)


@pytest.mark.parametrize("length", [6, 15, 100, 127, 128, 130, 134, 135])
@pytest.mark.parametrize("packed", [True, False])
def test_files_of_not_much_more_than_a_header(tmp_path, length, packed):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, content(), do_compression=packed, oned_as="column")
    path.write_bytes(path.read_bytes()[:length])
    refused(path, "truncated", f"{length} bytes")


def test_damaged_files(tmp_path, save):
    path = tmp_path / "a.mat"
    save(path, content())
    whole = path.read_bytes()
    rng = np.random.default_rng(8)
    for _ in range(15):
        broken = bytearray(whole)
        for at in rng.integers(128, len(whole), 40):
            broken[at] = rng.integers(256)
        path.write_bytes(broken)
        try:
            read(path)
        except UsageError as error:
            assert len(str(error)) < 800  # noqa: PT017


@pytest.mark.slow
def test_damage_without_a_checksum_does_not_end_the_process(tmp_path):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, content(), do_compression=False, oned_as="column")
    assert read(path).names == ("Cord", "PTV_60", "BODY")
    whole = path.read_bytes()
    rng = np.random.default_rng(2)
    for _ in range(4):
        broken = bytearray(whole)
        for at in rng.integers(136, 600, 20):  # names, sizes and types come first
            broken[at] = rng.integers(256)
        path.write_bytes(broken)
        with pytest.raises(UsageError):
            read(path)


def test_something_else_called_mat(tmp_path):
    path = tmp_path / "a.mat"
    path.write_text("hello " * 100)
    refused(path, "no .mat file")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "bomb.mat"
    # A variable that says of itself that it unpacks to 4 GB, four times: 16 GB.
    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    packed = zlib.compress(np.array([14, 4_294_967_000], "<u4").tobytes() + b"\0" * 100_000)
    path.write_bytes(head + 4 * (np.array([15, len(packed)], "<u4").tobytes() + packed))
    refused(path, "unpacks to 17 GB")
    big = tmp_path / "big.mat"
    with h5py.File(big, "w") as file:
        file.create_dataset("ct", (10**7, 10**4), "f8", chunks=(1000, 1000), compression="gzip")
    refused(big, "unpacks to 800 GB")


def test_a_file_that_points_out_of_itself_or_into_itself(tmp_path):
    path = tmp_path / "link.mat"
    with h5py.File(path, "w") as file:
        file["ct"] = h5py.ExternalLink("/etc/passwd", "/")
    refused(path, "outside of itself")
    path.unlink()
    with h5py.File(path, "w") as file:
        group = file.create_group("ct")
        group["again"] = group
    refused(path, "contains itself")


# Other shapes of the same file


def without_axes(made):
    for name in "xyz":
        del made["ct"][name]
    return made


def lies_as_drawn(case):
    """Whether the target lies where it was drawn, whatever the origin: seen from the body, and in the dij."""
    target = case.grid.points(case.structure("PTV_60").voxels).mean(axis=0)
    body = case.grid.points(case.structure("BODY").voxels).mean(axis=0)
    np.testing.assert_allclose(target - body, [0, 0, -10], atol=3.0)


def with_place_of_the_image(made):
    made["dij"]["ctGrid"] = {"resolution": resolution(IMAGE), "dimensions": np.array([[NY, NX, NZ]]), **axes(IMAGE)}
    return made


@pytest.mark.parametrize("knows", ["the dij of the image", "the dose grid", "nobody"])
def test_a_ct_without_axes_lies_where_the_dij_has_it(tmp_path, save, knows):
    made = without_axes(content())
    if knows == "the dij of the image":
        with_place_of_the_image(made)
    if knows == "the dose grid":  # whose first voxel lies on the image's
        made["dij"]["doseGrid"] |= axes(Grid(DOSE.shape, DOSE.spacing, IMAGE.origin))
    if knows == "nobody":
        del made["dij"]
    save(tmp_path / "a.mat", made)
    case = read(tmp_path / "a.mat", **({} if "dij" in made else {"engine": "builtin", "gantry": (0, 180)}))
    lies_as_drawn(case)
    if knows == "the dij of the image":
        assert case.grid == DOSE
    if knows == "the dose grid":
        assert case.grid.origin == IMAGE.origin


def test_an_image_that_was_moved_after_its_dij_was_computed(tmp_path, save):
    made = with_place_of_the_image(content())
    made["ct"] |= axes(Grid(IMAGE.shape, IMAGE.spacing, (88.0, 60.0, 40.0)))
    save(tmp_path / "a.mat", made)
    case = read(tmp_path / "a.mat")
    np.testing.assert_allclose(np.subtract(case.grid.origin, DOSE.origin), 100.0)
    lies_as_drawn(case)


def test_the_place_in_the_dicom_that_it_came_from(tmp_path, save):
    made = without_axes(content(dij=None))
    made["ct"]["dicomInfo"]["ImagePositionPatient"] = np.array(IMAGE.origin[::-1])[:, None]
    save(tmp_path / "a.mat", made)
    case = read(tmp_path / "a.mat", engine="builtin", gantry=(0,))
    assert case.grid.points(case.structure("PTV_60").voxels).mean(axis=0) == pytest.approx([0, 0, -10], abs=3.0)


def test_masks_as_cubes_and_objectives_of_other_kinds(tmp_path, save):
    made = content()
    _, target, _ = masks()
    made["cst"][2, 3] = cell(target.transpose(1, 2, 0).astype(float))
    under = {"className": "DoseObjectives.matRad_SquaredUnderdosing", "parameters": cell(58.0), "penalty": 1.0}
    over = {"className": "DoseObjectives.matRad_SquaredOverdosing", "parameters": cell(65.0), "penalty": 1.0}
    made["cst"][2, 5] = cell(over, under)
    save(tmp_path / "a.mat", made)
    case = read(tmp_path / "a.mat")
    lies_as_drawn(case)
    assert case.prescription == 58.0


def test_objectives_as_an_array_of_structs(tmp_path):
    made = content()
    old = np.array(
        [("square overdosing", 66.0, 10.0), ("square deviation", 61.0, 10.0)],
        dtype=[("type", object), ("dose", object), ("penalty", object)],
    )
    made["cst"][2, 5] = old
    save5(tmp_path / "a.mat", made)
    assert read(tmp_path / "a.mat").prescription == 61.0


def test_of_several_phases_the_first_is_read_and_said(tmp_path, save):
    made = content()
    made["ct"]["cubeHU"] = cell(made["ct"]["cubeHU"][0, 0], made["ct"]["cubeHU"][0, 0] * 0 - 1000)
    save(tmp_path / "a.mat", made)
    case = read(tmp_path / "a.mat")
    assert case.ct.max() == 30
    assert "2 scenarios (phases)" in case.provenance["read"]


@pytest.mark.parametrize("share", [1.0, 0.2])
def test_the_dose_of_its_own_plan_is_kept_if_it_is_the_one_prescribed(tmp_path, save, share):
    body, _, _ = masks()
    dose = np.where(body, 2.0 * share + 0.001 * np.arange(NX), 0.0).transpose(1, 2, 0)
    save(tmp_path / "a.mat", content(resultGUI={"physicalDose": dose}))
    case = read(tmp_path / "a.mat")
    if share < 1:
        assert case.reference is None
        assert "is not kept to compare with" in case.provenance["read"]
    else:
        x = case.grid.points(case.voxels)[:, 2]
        inside = case.reference > 0
        wanted = 30 * (2.0 + 0.001 * (x - IMAGE.origin[2]) / IMAGE.spacing[2])
        np.testing.assert_allclose(case.reference[case.rows("PTV_60")], wanted[case.rows("PTV_60")], rtol=1e-3)
        assert inside.any()
    assert read(tmp_path / "a.mat", reference=False).reference is None


def test_a_resolution_that_is_missing_is_that_of_the_axes(tmp_path, save):
    save(tmp_path / "a.mat", content(ct__resolution=None, dij__doseGrid__resolution=None))
    case = read(tmp_path / "a.mat")
    assert case.grid == DOSE
    made = without_axes(content(ct__resolution=None, dij=None))
    save(tmp_path / "b.mat", made)
    refused(tmp_path / "b.mat", "the resolution along z is missing")


def test_a_dose_influence_that_is_not_sparse(tmp_path, save):
    save(tmp_path / "a.mat", content(dij__physicalDose=cell(influence().toarray())))
    save(tmp_path / "b.mat", content())
    assert read(tmp_path / "a.mat").fingerprint == read(tmp_path / "b.mat").fingerprint


def test_other_particles_leave_the_image(tmp_path, save):
    save(tmp_path / "a.mat", content(pln__radiationMode="carbon"))
    refused(tmp_path / "a.mat", "'carbon'", "--engine builtin")
    assert read(tmp_path / "a.mat", engine="builtin", gantry=(0,)).modality == "photons"
