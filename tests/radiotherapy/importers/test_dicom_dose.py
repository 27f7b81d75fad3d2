"""RTDOSE files: read back by pydicom and SimpleITK, complete as DICOM asks, of nobody unless somebody says of whom."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.dicom_folder import SECRETS, Folder, usual_folder
from tgsci.errors import UsageError
from tgsci_radiotherapy.importers import read
from tgsci_radiotherapy.importers.dicom.dose import MARK, read_rtdose, write_rtdose

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
    assert first.FrameOfReferenceUID != second.FrameOfReferenceUID


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
        (other.path / "ct_00.dcm", "no slice of the CT"),
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
