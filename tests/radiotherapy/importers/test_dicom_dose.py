"""RTDOSE files: read back by pydicom and SimpleITK, complete as DICOM asks, of nobody unless somebody says of whom."""

from __future__ import annotations

from shutil import copytree

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from tests.radiotherapy.cases import small_case, tiny_case
from tests.radiotherapy.dicom_folder import SECRETS, Folder, usual_folder
from tgsci.errors import UsageError
from tgsci_radiotherapy.importers import Options, read
from tgsci_radiotherapy.importers.dicom import read_dicom
from tgsci_radiotherapy.importers.dicom.dose import read_rtdose
from tgsci_radiotherapy.importers.dicom.dose_writer import MARK, write_rtdose

#: Attributes that PS3.3 A.18.3 asks for in an RT Dose: type 1 has a value, type 2 is there.
TYPE_1 = [
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "Modality", "SeriesInstanceUID", "FrameOfReferenceUID",
    "PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient", "SamplesPerPixel",
    "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PixelData", "NumberOfFrames", "FrameIncrementPointer", "DoseUnits", "DoseType", "DoseSummationType",
    "DoseGridScaling", "GridFrameOffsetVector", "ReferencedRTPlanSequence",
]  # fmt: skip
TYPE_2 = [
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
    "ReferringPhysicianName", "StudyID", "AccessionNumber", "SeriesNumber", "OperatorsName",
    "PositionReferenceIndicator", "Manufacturer", "InstanceNumber", "SliceThickness",
]  # fmt: skip


@pytest.fixture(scope="module")
def case():
    return small_case()


@pytest.fixture(scope="module")
def dose(case):
    rng = np.random.default_rng(1)
    return (rng.random(len(case.voxels)) * 61.7).astype(np.float32)


@pytest.mark.parametrize(("bits", "share"), [(32, 1e-9), (16, 2e-5)])
def test_pydicom_and_simpleitk_read_what_was_written(case, dose, tmp_path, bits, share):
    path = tmp_path / "dose.dcm"
    write_rtdose(case, dose, path, bits=bits)
    wanted = case.cube(dose)
    most = share * 61.7 + 61.7 * 6e-8  # quantisation, and the float32 that it is compared with
    data = pydicom.dcmread(path)
    np.testing.assert_allclose(data.pixel_array * float(data.DoseGridScaling), wanted, rtol=0, atol=most)
    image = sitk.ReadImage(str(path))
    # SimpleITK knows GridFrameOffsetVector, but applies no DoseGridScaling.
    np.testing.assert_allclose(sitk.GetArrayFromImage(image) * float(data.DoseGridScaling), wanted, rtol=0, atol=most)
    assert image.GetOrigin() == pytest.approx(case.grid.origin[::-1], abs=1e-9)
    assert image.GetSpacing() == pytest.approx(case.grid.spacing[::-1], abs=1e-9)
    assert image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    np.testing.assert_allclose(read_rtdose(path, case), dose, rtol=0, atol=most)


def test_every_attribute_that_dicom_asks_for_is_there(case, dose, tmp_path):
    path = tmp_path / "dose.dcm"
    write_rtdose(case, dose, path)
    data = pydicom.dcmread(path)
    for keyword in TYPE_1:
        assert data[keyword].value not in (None, "", []), keyword
    for keyword in TYPE_2:
        assert keyword in data, keyword
    assert data.FrameIncrementPointer == pydicom.tag.Tag("GridFrameOffsetVector")
    assert len(data.GridFrameOffsetVector) == data.NumberOfFrames
    assert data.GridFrameOffsetVector[0] == 0
    assert data.file_meta.MediaStorageSOPInstanceUID == data.SOPInstanceUID
    for uid in (data.SOPInstanceUID, data.SeriesInstanceUID, data.StudyInstanceUID, data.FrameOfReferenceUID):
        assert uid.startswith(pydicom.uid.PYDICOM_ROOT_UID)
        assert uid.is_valid
    for element in data.iterall():
        if element.VR == "DS":
            for one in [element.value] if element.VM == 1 else element.value:
                assert len(str(one)) <= 16
    assert "NOT FOR CLINICAL USE" in data.SeriesDescription
    assert data.SeriesDescription == data.DoseComment == MARK


def test_a_file_of_nobody(case, dose, tmp_path):
    write_rtdose(case, dose, tmp_path / "a.dcm")
    write_rtdose(case, dose, tmp_path / "b.dcm")
    first, second = (pydicom.dcmread(tmp_path / name) for name in ("a.dcm", "b.dcm"))
    for keyword in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "ReferringPhysicianName"):
        assert not first[keyword].value
    assert (str(first.PatientName), first.PatientID) == ("RESEARCH^NOT FOR CLINICAL USE", "RESEARCH")
    assert first.SOPInstanceUID != second.SOPInstanceUID
    # The doses of a case lie in one frame of reference, and another case's in another.
    assert first.FrameOfReferenceUID == second.FrameOfReferenceUID
    write_rtdose(tiny_case(), np.zeros(len(tiny_case().voxels)), tmp_path / "c.dcm")
    assert pydicom.dcmread(tmp_path / "c.dcm").FrameOfReferenceUID != first.FrameOfReferenceUID


def test_a_file_of_the_patient_that_a_file_names(tmp_path):
    folder = usual_folder(tmp_path / "patient")
    case = read(folder.path, engine="builtin", gantry=(0, 90, 180, 270), grid_mm=4.0)
    dose = case.reference
    for name in ("ct_00.dcm", "rs.dcm", "rp.dcm"):
        path = tmp_path / f"dose_{name}"
        write_rtdose(case, dose, path, patient_from=folder.path / name)
        data = pydicom.dcmread(path)
        assert str(data.PatientName) == SECRETS["PatientName"]
        assert data.PatientID == SECRETS["PatientID"]
        assert data.StudyInstanceUID == folder.study
        assert data.FrameOfReferenceUID == folder.frame
        assert "InstitutionName" not in data
        assert data.SeriesDescription == MARK
    plan = data.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID
    assert plan == folder.plan  # the last one was the plan
    # The written dose lies in the folder as the planning system's own would, and comes back with the patient.
    (folder.path / "rd.dcm").unlink()
    path.rename(folder.path / "ours.dcm")
    again = read(folder.path, engine="builtin", gantry=(0, 90, 180, 270), grid_mm=4.0)
    np.testing.assert_allclose(again.reference, dose, atol=1e-5)


def test_a_slice_of_another_scan_lends_no_patient(tmp_path):
    folder = usual_folder(tmp_path / "patient")
    case = read(folder.path, engine="builtin", gantry=(0, 90, 180, 270), grid_mm=4.0)
    other = Folder(tmp_path / "other")
    other.ct(change=lambda d, k: setattr(d, "ImagePositionPatient", [-71.0, -80.0, -21.0 + 3 * k]), slices=[0])
    for path, word in (
        (other.path / "ct_00.dcm", "no file of the scan"),
        (folder.path / "nothing.dcm", "nothing.dcm"),
        (tmp_path / "case.txt", "case.txt"),
    ):
        (tmp_path / "case.txt").write_text("no DICOM at all, but long enough to be looked at" * 10)
        with pytest.raises(UsageError, match=word):
            write_rtdose(case, case.reference, tmp_path / "dose.dcm", patient_from=path)
        assert not (tmp_path / "dose.dcm").exists()


def test_proton_doses_are_effective(case, dose, tmp_path):
    from dataclasses import replace

    write_rtdose(replace(case, modality="protons"), dose, tmp_path / "p.dcm")
    assert pydicom.dcmread(tmp_path / "p.dcm").DoseType == "EFFECTIVE"


def test_a_dose_of_zeros_is_a_dose(case, tmp_path):
    zeros = np.zeros(len(case.voxels))
    write_rtdose(case, zeros, tmp_path / "z.dcm")
    assert (read_rtdose(tmp_path / "z.dcm", case) == 0).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_doses_that_are_none(case, dose, tmp_path, value):
    wrong = dose.copy()
    wrong[5] = value
    with pytest.raises(UsageError, match="negative"):
        write_rtdose(case, wrong, tmp_path / "x.dcm")
    with pytest.raises(UsageError, match="rows of the case"):
        write_rtdose(case, dose[1:], tmp_path / "x.dcm")
    assert not list(tmp_path.iterdir())


def test_a_dose_on_another_grid_is_interpolated(tmp_path):
    folder = usual_folder(tmp_path / "patient")
    case = read(folder.path, engine="builtin", gantry=(0, 90, 180, 270), grid_mm=4.0)
    found = read_rtdose(folder.path / "rd.dcm", case)
    np.testing.assert_allclose(found, case.reference, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda d: setattr(d, "ImagePositionPatient", [500.0, 0.0, 0.0]), "does not cover PTV"),
        (lambda d: setattr(d, "DoseSummationType", "FRACTION"), "whole plan"),
        (lambda d: setattr(d, "DoseUnits", "RELATIVE"), "not in GY"),
        (lambda d: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.2"), "no RTDOSE"),
    ],
)
def test_doses_that_are_not_read(tmp_path, case, dose, change, word):
    path = tmp_path / "dose.dcm"
    write_rtdose(case, dose, path)
    data = pydicom.dcmread(path)
    change(data)
    data.save_as(path)
    with pytest.raises(UsageError, match=word):
        read_rtdose(path, case)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UsageError):
        read_rtdose(path, case)


# Doses of a folder


def planar(folder, places=None, **changes):
    """The usual dose as a file a plane."""
    folder.rtdose()
    data = pydicom.dcmread(folder.path / "rd.dcm")
    (folder.path / "rd.dcm").unlink()
    cube = data.pixel_array
    for k, z in enumerate(-25.0 + 5.0 * np.arange(12) if places is None else places):
        one = pydicom.dcmread(folder.path / f"rd_{k}.dcm") if (folder.path / f"rd_{k}.dcm").exists() else None
        one = one or pydicom.Dataset(dict(data.items()))
        one.file_meta = data.file_meta
        one.SOPInstanceUID = pydicom.uid.generate_uid()
        one.ImagePositionPatient = [-77.5, -82.5, float(z)]
        for keyword in ("NumberOfFrames", "GridFrameOffsetVector", "FrameIncrementPointer"):
            if keyword in one:
                delattr(one, keyword)
        one.PixelData = cube[min(k, 11)].tobytes()
        for keyword, value in changes.items():
            setattr(one, keyword, value)
        folder.save(one, f"rd_{k}.dcm")


def dose_of(folder, **options):
    return read_dicom(folder.path, Options.of(options), lambda line: None)


def test_planes_in_files_of_their_own_are_one_dose(tmp_path):
    folder = usual_folder(tmp_path)
    wanted, grid = dose_of(folder).reference
    planar(folder)
    made = dose_of(folder)
    assert made.reference[1] == grid
    np.testing.assert_allclose(made.reference[0], wanted, atol=1e-5)
    assert any("12 planes in files of their own" in note for note in made.notes)
    (folder.path / "rd_5.dcm").unlink()
    with pytest.raises(UsageError, match=r"no plane of the dose between z = -5 and 5 mm.*--no-reference"):
        dose_of(folder)


def test_planes_of_other_doses_do_not_mix(tmp_path):
    folder = usual_folder(tmp_path)
    planar(folder)
    planar(folder, places=[-25.0])  # another one at a place that is taken, under the name of the first
    data = pydicom.dcmread(folder.path / "rd_0.dcm")
    data.SOPInstanceUID = pydicom.uid.generate_uid()
    folder.save(data, "again.dcm")
    with pytest.raises(UsageError, match="two planes of the dose lie at z = -25 mm"):
        dose_of(folder)
    data.ImagePositionPatient = [0.0, -82.5, 60.0]
    folder.save(data, "again.dcm")
    with pytest.raises(UsageError, match="is a plane of another dose"):
        dose_of(folder)
    for path in folder.path.glob("rd_*.dcm"):
        path.unlink()
    with pytest.raises(UsageError, match="one plane of a dose; all planes are needed"):
        dose_of(folder)


@pytest.mark.parametrize("signs", [(-1, 1), (-1, -1), (1, -1)])
def test_a_dose_along_other_axes_lies_where_it_says(tmp_path, signs):
    """As planning systems write it for a patient who lies feet first, or prone."""
    folder = usual_folder(tmp_path)
    wanted, grid = dose_of(folder).reference

    def turn(data):
        cube = data.pixel_array[:, :: signs[1], :: signs[0]]
        upward = signs[0] * signs[1]
        x, y, z = data.ImagePositionPatient
        data.ImagePositionPatient = [
            x if signs[0] > 0 else x + 5.0 * (data.Columns - 1),
            y if signs[1] > 0 else y + 5.0 * (data.Rows - 1),
            z if upward > 0 else z + 5.0 * (data.NumberOfFrames - 1),
        ]
        data.ImageOrientationPatient = [signs[0], 0, 0, 0, signs[1], 0]
        data.PixelData = cube[::upward].tobytes()

    folder.rtdose(change=turn)
    dose, own = dose_of(folder).reference
    assert own == grid
    np.testing.assert_allclose(dose, wanted, atol=1e-5)


def test_an_oblique_dose_is_interpolated_and_said(tmp_path):
    folder = usual_folder(tmp_path)
    angle = np.radians(5)
    turned = [np.cos(angle), np.sin(angle), 0, -np.sin(angle), np.cos(angle), 0]
    folder.rtdose(change=lambda data: setattr(data, "ImageOrientationPatient", turned))
    made = dose_of(folder)
    assert any("oblique" in note for note in made.notes)
    dose, grid = made.reference
    _, y, x = grid.axes()
    # The dose falls along its own rows: x of the file turned by 5 degrees about the first voxel.
    j, i = int(np.argmin(np.abs(y))), int(np.argmin(np.abs(x)))
    along = (x[i] + 77.5) * np.cos(angle) + (y[j] + 82.5) * np.sin(angle) - 77.5
    assert dose[5, j, i] == pytest.approx(52.0 * (1 - 0.002 * along), abs=0.01)


def test_uneven_planes_are_interpolated(tmp_path):
    folder = usual_folder(tmp_path)
    offsets = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 52, 59]
    folder.rtdose(change=lambda data: setattr(data, "GridFrameOffsetVector", offsets))
    made = dose_of(folder)
    assert any("5 to 7 mm apart" in note for note in made.notes)
    dose, grid = made.reference
    np.testing.assert_allclose(dose[:, 3, 4], 52.0 * (1 - 0.002 * (-77.5 + 20)), atol=1e-3)
    assert grid.axes()[0][-1] == pytest.approx(-25 + 59)


def test_offsets_that_begin_nowhere(tmp_path):
    folder = usual_folder(tmp_path)
    folder.rtdose(change=lambda data: setattr(data, "GridFrameOffsetVector", [7.0 + 5 * k for k in range(12)]))
    with pytest.raises(UsageError, match="neither 0 nor the z of the first plane"):
        dose_of(folder)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"DoseUnits": "RELATIVE"}, "relative to a value that the file does not hold"),
        ({"DoseUnits": ""}, "no unit"),
        ({"PixelRepresentation": 1, "PixelData": np.full(12 * 34 * 32, -5000, "<i4").tobytes()}, "negative doses"),
        ({"DoseGridScaling": 1.0}, "the dose reaches .* Gy; is it in cGy, or damaged"),
        ({"ImagePositionPatient": None}, "no places"),
        ({"PatientID": "MRN-1"}, "of another patient than the CT"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "right angle"),
        ({"PixelSpacing": [0, 5]}, "no places"),
        ({"DoseSummationType": "BEAM"}, "beams \\?, of 1, 2"),
    ],
)
def test_doses_that_are_refused_with_the_truth(tmp_path, change, word):
    folder = usual_folder(tmp_path)
    folder.rtdose(change=lambda data: [setattr(data, keyword, value) for keyword, value in change.items()])
    with pytest.raises(UsageError, match=f"{word}.*Import without it: --no-reference"):
        dose_of(folder)


def test_of_several_doses_the_plans_own_is_taken_or_one_is_chosen(tmp_path):
    folder = usual_folder(tmp_path)
    other = pydicom.uid.generate_uid()
    folder.rtdose(
        20.0, name="a.dcm", change=lambda d: setattr(d.ReferencedRTPlanSequence[0], "ReferencedSOPInstanceUID", other)
    )
    made = dose_of(folder)
    assert made.reference[0].max() > 50
    assert any("of 2 doses the one of the plan that prescribes" in note for note in made.notes)
    assert dose_of(folder, dose=1).reference[0].max() < 30
    with pytest.raises(UsageError, match="dose is 3; there are 2"):
        dose_of(folder, dose=3)


def test_a_sum_of_plans_and_a_dose_of_another_frame_beside(tmp_path):
    folder = usual_folder(tmp_path)
    folder.rtdose(summation="MULTI_PLAN")
    folder.rtdose(20.0, name="a.dcm", change=lambda d: setattr(d, "FrameOfReferenceUID", pydicom.uid.generate_uid()))
    made = dose_of(folder)
    assert made.reference[0].max() > 50
    assert any("1 RTDOSE file(s) of another frame of reference were left out" in note for note in made.notes)


def test_beams_are_added_up_and_said(tmp_path):
    folder = usual_folder(tmp_path)
    (folder.path / "rd.dcm").unlink()
    folder.rtdose(20.0, summation="BEAM", beam=1, name="rd1.dcm")
    folder.rtdose(32.0, summation="BEAM", beam=2, name="rd2.dcm")
    made = dose_of(folder)
    assert "the doses of the plan's 2 beams were added up" in made.notes
    folder.rtdose(
        32.0, summation="BEAM", beam=2, name="rd2.dcm", change=lambda d: setattr(d, "PixelSpacing", [4.0, 4.0])
    )
    with pytest.raises(UsageError, match="on different grids"):
        dose_of(folder)


# Doses on a case: whose they are


@pytest.fixture(scope="module")
def somebody(tmp_path_factory):
    """A patient's folder, and the case of it."""
    folder = usual_folder(tmp_path_factory.mktemp("somebody"))
    return folder, read(folder.path, engine="builtin", gantry=(0, 180), grid_mm=6.0)


def changed(folder, path, **changes):
    data = pydicom.dcmread(folder.path / "rd.dcm")
    for keyword, value in changes.items():
        setattr(data, keyword, value)
    data.save_as(path)
    return path


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"FrameOfReferenceUID": "1.2.3", "PatientID": "MRN-1"}, "of another patient than the case"),
        ({"FrameOfReferenceUID": "1.2.3"}, "on another scan than the case's"),
        ({"FrameOfReferenceUID": "", "PatientID": "MRN-1"}, "of another patient than the case"),
        ({"DoseSummationType": "FRACTION"}, "'FRACTION', and not that of a whole plan"),
    ],
)
def test_a_dose_of_somebody_else_is_refused_unless_it_is_wanted(somebody, tmp_path, changes, word):
    folder, case = somebody
    path = changed(folder, tmp_path / "rd.dcm", **changes)
    with pytest.raises(UsageError, match=f"{word}.*--anyway") as caught:
        read_rtdose(path, case)
    assert "no-reference" not in str(caught.value)
    said = []
    dose = read_rtdose(path, case, anyway=True, say=said.append)
    np.testing.assert_allclose(dose, case.reference, atol=1e-4)
    assert any(word.split("'")[0].strip() in line for line in said)


def test_one_patient_written_in_two_ways_is_one(somebody, case, tmp_path):
    folder, _ = somebody
    other = copytree(folder.path, tmp_path / "other")
    name, number = SECRETS["PatientName"], SECRETS["PatientID"]
    changed(folder, other / "rd.dcm", PatientName=f"{name.upper()}^^", PatientID=f" {number.lower()}")
    assert read_dicom(other, Options.of({}), lambda line: None).reference is not None


def test_the_patients_own_dose_and_what_is_written_of_the_case_are_taken_silently(somebody, tmp_path):
    folder, case = somebody
    said = []
    read_rtdose(folder.path / "rd.dcm", case, say=said.append)
    write_rtdose(case, case.reference, tmp_path / "nobody.dcm")
    read_rtdose(tmp_path / "nobody.dcm", case, say=said.append)
    write_rtdose(case, case.reference, tmp_path / "own.dcm", patient_from=folder.path / "rs.dcm")
    read_rtdose(tmp_path / "own.dcm", case, say=said.append)
    assert said == []
    write_rtdose(small_case(), np.zeros(len(small_case().voxels)), tmp_path / "c.dcm")
    with pytest.raises(UsageError, match="on another scan"):
        read_rtdose(tmp_path / "c.dcm", case)


def test_where_nothing_says_whose_it_is_that_is_said(somebody, case, dose, tmp_path):
    folder, own = somebody
    path = changed(folder, tmp_path / "rd.dcm", FrameOfReferenceUID="")
    said = []
    read_rtdose(path, own, say=said.append)
    assert said == ["rd.dcm may be of another scan: it has no frame of reference, and only where it lies was compared"]
    write_rtdose(case, dose, tmp_path / "a.dcm", patient_from=folder.path / "rs.dcm")
    said = []
    read_rtdose(tmp_path / "a.dcm", case, say=said.append)  # a case that was built in knows no scan
    assert said == ["a.dcm may be of another patient: the case knows no scan, and only where it lies was compared"]


def test_a_folder_of_planes_on_a_case(somebody, tmp_path):
    folder, case = somebody
    planes = usual_folder(tmp_path / "planes")
    planes.frame, planes.plan = folder.frame, folder.plan
    planar(planes)
    np.testing.assert_allclose(read_rtdose(planes.path, case), case.reference, atol=1e-4)
    with pytest.raises(UsageError, match="one plane of a dose"):
        read_rtdose(planes.path / "rd_3.dcm", case)


def test_a_case_keeps_check_sums_and_no_identifier(somebody):
    folder, case = somebody
    assert set(case.origin) == {"frame", "patient"}
    assert len(case.origin["patient"]) == 4  # too little to find the number by trying all numbers
    assert folder.frame not in repr(case.origin)


def test_a_file_of_histograms_is_no_dose(tmp_path):
    folder = usual_folder(tmp_path)

    def without_grid(data):
        for keyword in ("Rows", "Columns", "PixelData", "NumberOfFrames"):
            delattr(data, keyword)

    folder.rtdose(change=without_grid, name="dvh.dcm")
    made = dose_of(folder)
    assert made.reference is not None
    assert any("1 of RTDOSE without a grid" in note for note in made.notes)
