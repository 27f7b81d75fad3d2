"""`tgsci radiotherapy structures`, as typed: rings, margins and differences, and the RTSTRUCT that others read."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from skimage.draw import polygon2mask

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.commands.typed import run
from tests.radiotherapy.dicom_folder import ORIGIN, SECRETS, SPACING, STEP, usual_folder
from tgsci.errors import UsageError
from tgsci_radiotherapy.case import save
from tgsci_radiotherapy.case.regions import grown
from tgsci_radiotherapy.importers import Options
from tgsci_radiotherapy.importers.dicom.structure_writer import open_structures

MAKE = ("--make", "Shell=ring(PTV, 3 mm, 13 mm)", "--make", "Ring_opt=Ring - (PTV + 4 mm)", "--make", "Both=PTV | Ring")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    usual_folder(tmp_path / "scan")
    return tmp_path / "scan"


def masks(folder: Path) -> dict[str, np.ndarray]:
    found = open_structures(folder, Options(), lambda line: None)
    return {one.name: one.mask.full(found.grid.shape) for one in found.regions}


def test_structures_are_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("structures", folder) == 0
    printed = capsys.readouterr().out
    assert "PTV" in printed
    assert "external" in printed
    assert "Shell" not in printed


@pytest.mark.slow
def test_new_structures_come_back_voxel_by_voxel(folder: Path, tmp_path: Path) -> None:
    before = masks(folder)
    assert run("structures", folder, *MAKE, "--out", tmp_path / "new.dcm") == 0
    made = pydicom.dcmread(tmp_path / "new.dcm")
    source = pydicom.dcmread(folder / "rs.dcm")
    slices = {str(pydicom.dcmread(path).SOPInstanceUID) for path in folder.glob("ct*")}
    (folder / "rs.dcm").unlink()
    shutil.copy(tmp_path / "new.dcm", folder / "rs.dcm")
    after = masks(folder)
    for name, mask in before.items():
        assert np.array_equal(after[name], mask), name
    spacing = (3.0, 2.5, 2.0)
    assert np.array_equal(after["Shell"], grown(before["PTV"], 13, spacing) & ~grown(before["PTV"], 3, spacing))
    assert np.array_equal(after["Ring_opt"], before["Ring"] & ~grown(before["PTV"], 4, spacing))
    assert np.array_equal(after["Both"], before["PTV"] | before["Ring"])
    # The scan's patient, study and slices; an instance and a series of its own; nobody has approved it.
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID"):
        assert getattr(made, keyword) == getattr(source, keyword)
    assert made.SOPInstanceUID != source.SOPInstanceUID
    assert made.SeriesInstanceUID != source.SeriesInstanceUID
    assert made.ApprovalStatus == "UNAPPROVED"
    frames = {str(item.ReferencedFrameOfReferenceUID) for item in made.StructureSetROISequence}
    assert frames == {str(source.StructureSetROISequence[0].ReferencedFrameOfReferenceUID)}
    shell = made.ROIContourSequence[4]
    assert {c.ContourImageSequence[0].ReferencedSOPInstanceUID for c in shell.ContourSequence} <= slices
    assert {c.ContourGeometricType for c in shell.ContourSequence} == {"CLOSED_PLANAR"}
    assert made.StructureSetROISequence[4].ROIDescription == "ring(PTV, 3 mm, 13 mm)"
    kinds = [item.RTROIInterpretedType for item in made.RTROIObservationsSequence]
    assert kinds == ["PTV", "ORGAN", "ORGAN", "EXTERNAL", "AVOIDANCE", "AVOIDANCE", "AVOIDANCE"]


def test_a_reader_that_fills_each_polygon_gets_the_same_voxels(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "new.dcm"
    made = ("--make", "Ring 2=ring(PTV, 3 mm, 12 mm)", "--make", "Cold=PTV - Ring", "--only-made")
    run("structures", folder, *made, "--out", out)
    data = pydicom.dcmread(out)
    assert [item.ROIName for item in data.StructureSetROISequence] == ["Ring 2", "Cold"]
    assert data.RTROIObservationsSequence[1].RTROIInterpretedType == "PTV"
    mask = masks(folder)["PTV"]
    wanted = grown(mask, 12, (3.0, 2.5, 2.0)) & ~grown(mask, 3, (3.0, 2.5, 2.0))
    found = np.zeros(wanted.shape, bool)
    for item in data.ROIContourSequence[0].ContourSequence:
        x, y, z = np.array(item.ContourData, float).reshape(-1, 3).T
        place = round((z[0] - ORIGIN[2]) / STEP)
        corners = np.stack([(y - ORIGIN[1]) / SPACING[0], (x - ORIGIN[0]) / SPACING[1]], axis=1)
        found[place] ^= polygon2mask(wanted.shape[1:], corners)
    assert np.array_equal(found, wanted)


def test_a_case_gives_a_file_of_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = small_case()
    save(case, tmp_path / "small.zarr")
    target = case.targets[0].name
    out = tmp_path / "case.dcm"
    assert run("structures", tmp_path / "small.zarr", "--make", f"Shell=ring({target}, 0 mm, 10 mm)", "--out", out) == 0
    assert "keeps no patient: the file is anonymous" in capsys.readouterr().err
    data = pydicom.dcmread(out)
    assert [item.ROIName for item in data.StructureSetROISequence] == [*case.names, "Shell"]
    assert (data.PatientID, data.PatientBirthDate) == ("RESEARCH", "")
    assert not any(secret in out.read_bytes().decode("latin-1") for secret in SECRETS.values())
    # The doses that are exported from the case are in the same frame of reference.
    from tgsci_radiotherapy.importers.dicom.dose_writer import write_rtdose

    write_rtdose(case, np.ones(len(case.voxels)), tmp_path / "dose.dcm")
    assert pydicom.dcmread(tmp_path / "dose.dcm").FrameOfReferenceUID == data.FrameOfReferenceUID


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--make", "PTV=Ring"), "there is a structure PTV already"),
        (("--make", "A=PTV & SpinalCord"), "is empty: it has no voxel"),
        (("--make", "A=Lung + 5 mm"), "no structure 'Lung'"),
        (("--make", "A=(PTV + 5 mm"), "is no region"),
        (("--make", "ring(PTV)"), "must be NAME=REGION"),
        (("--make", "a/b=PTV"), "is no name for a structure"),
        (("--only-made",), "goes with --make"),
        ((), "nothing new to write"),
        (("--structure-set", "3"), "there are 1"),
    ],
)
def test_what_cannot_be_made_is_said_and_nothing_written(
    folder: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        run("structures", folder, *words, "--out", tmp_path / "new.dcm")
    assert not (tmp_path / "new.dcm").exists()


def test_a_later_structure_may_name_an_earlier_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("structures", folder, "--make", "Near=PTV + 5 mm", "--make", "Rest=[external] - Near")
    printed = capsys.readouterr().out
    assert "[external] - Near" in printed
