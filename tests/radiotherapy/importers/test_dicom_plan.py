"""RTPLAN files: what is prescribed to which target, in how many fractions, and by which of several plans."""

from __future__ import annotations

import pydicom
import pytest

from tests.radiotherapy.dicom_folder import Folder, usual, usual_folder
from tgsci.errors import UsageError
from tgsci_radiotherapy.importers import Options, read
from tgsci_radiotherapy.importers.dicom import read_dicom
from tgsci_radiotherapy.importers.patient import Patient

FAST = {"engine": "builtin", "gantry": (0, 180), "grid_mm": 6.0, "reference": False}


def patient(folder: Folder, **options: object) -> Patient:
    return read_dicom(folder.path, Options.of({"reference": False, **options}), lambda line: None)


def prescribed(made: Patient) -> tuple[float | None, int | None]:
    return made.structures[0].prescription, made.fractions


@pytest.fixture
def folder(tmp_path):
    return usual_folder(tmp_path)


def boost(folder: Folder, change=lambda data: None, **prescription: object) -> None:
    """A second plan beside the usual one, of 50 Gy in 25 fractions."""
    first = (folder.path / "rp.dcm").read_bytes()
    plan, folder.plan = folder.plan, pydicom.uid.generate_uid()
    folder.rtplan(**prescription)
    data = pydicom.dcmread(folder.path / "rp.dcm")
    change(data)
    data.save_as(folder.path / "rp2.dcm")
    (folder.path / "rp.dcm").write_bytes(first)
    folder.plan = plan


def test_a_description_names_the_target(folder):
    folder.structure_set([*usual()[1:3], ("PTV 60", "PTV", usual()[0][2]), usual()[3]])
    folder.rtplan([(None, 60.0)], 30)
    data = pydicom.dcmread(folder.path / "rp.dcm")
    data.DoseReferenceSequence[0].DoseReferenceDescription = "ptv_60"
    data.save_as(folder.path / "rp.dcm")
    made = patient(folder)
    assert {s.name: s.prescription for s in made.structures}["PTV 60"] == 60.0
    assert not any("to no structure" in note for note in made.notes)


def test_the_plan_of_the_dose_prescribes(folder):
    boost(folder, doses=[(1, 20.0)], fractions=10)
    made = patient(folder)
    assert prescribed(made) == (50.0, 25)
    assert any("2 plans are there; the prescriptions are those of the one whose dose is there" in n for n in made.notes)


def test_the_approved_plan_prescribes_where_there_is_no_dose(folder):
    (folder.path / "rd.dcm").unlink()
    boost(folder, lambda data: setattr(data, "ApprovalStatus", "APPROVED"), doses=[(1, 20.0)], fractions=10)
    assert prescribed(patient(folder)) == (20.0, 10)


def test_plans_that_agree_and_plans_that_do_not(folder):
    (folder.path / "rd.dcm").unlink()
    boost(folder, doses=[(1, 50.0)], fractions=25)
    assert prescribed(patient(folder)) == (50.0, 25)
    boost(folder, doses=[(1, 20.0)], fractions=10)
    assert prescribed(patient(folder)) == (None, None)
    with pytest.raises(UsageError, match=r"--plan: 1: 50 Gy in 25 fractions; 2: 20 Gy in 10 fractions"):
        read(folder.path, **FAST)
    assert prescribed(patient(folder, plan=2)) == (20.0, 10)
    with pytest.raises(UsageError, match="plan is 3; there are 2 made for this structure set"):
        patient(folder, plan=3)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: setattr(data, "PatientID", "MRN-1"),
        lambda data: setattr(data.ReferencedStructureSetSequence[0], "ReferencedSOPInstanceUID", "1.2.3"),
    ],
)
def test_a_plan_of_something_else_prescribes_nothing(folder, change):
    data = pydicom.dcmread(folder.path / "rp.dcm")
    change(data)
    data.save_as(folder.path / "rp.dcm")
    made = patient(folder)
    assert prescribed(made) == (None, None)
    assert any("1 plan(s) of other structure sets or patients were not read" in note for note in made.notes)


def test_centigray_and_two_fraction_groups_are_said_and_not_taken(folder):
    folder.rtplan([(1, 5000.0)])
    data = pydicom.dcmread(folder.path / "rp.dcm")
    second = pydicom.Dataset()
    second.FractionGroupNumber, second.NumberOfFractionsPlanned = 2, 5
    data.FractionGroupSequence.append(second)
    data.save_as(folder.path / "rp.dcm")
    made = patient(folder)
    assert prescribed(made) == (None, None)
    assert any("5000, and DICOM's unit is Gy; if it is cGy, say 50 Gy" in hint for hint in made.hints)
    assert any("2 fraction groups, of 25, 5 fractions" in hint for hint in made.hints)
