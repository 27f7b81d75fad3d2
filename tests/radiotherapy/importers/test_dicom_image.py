"""CT series of every kind that clinics have: how they are encoded, how the patient lay, and where their slices are."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.uid import UID

from tests.radiotherapy.dicom_folder import (
    COLUMNS,
    ORIGIN,
    RADIUS,
    ROWS,
    SLICES,
    SPACING,
    STEP,
    Folder,
    circle,
    heights,
    lopsided,
    usual,
)  # fmt: skip
from tgsci.errors import UsageError
from tgsci_radiotherapy.case import Grid
from tgsci_radiotherapy.importers import Options, read
from tgsci_radiotherapy.importers.dicom import read_dicom
from tgsci_radiotherapy.importers.patient import Patient

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom.*")
FAST = {"engine": "builtin", "gantry": (0, 90, 180, 270), "grid_mm": 4.0}


def patient(folder: Folder, **options: object) -> Patient:
    return read_dicom(folder.path, Options.of(options), lambda line: None)


def refused(folder: Folder, *words: str, **options: object) -> str:
    with pytest.raises(UsageError) as caught:
        patient(folder, **options)
    for word in words:
        assert word in str(caught.value), str(caught.value)
    return str(caught.value)


def as_it_was(made: Patient, tolerance: float = 0.5) -> None:
    """Every voxel of the patient shows what `lopsided` has there."""
    z, y, x = made.grid.axes()
    inside = np.hypot(x[None, :], y[:, None]) <= RADIUS - 4
    for k, height in enumerate(z):
        wanted = lopsided(x[None, :], y[:, None], float(height))
        assert np.abs(made.hu[k] - wanted)[inside].max() <= tolerance, height


@pytest.fixture
def folder(tmp_path):
    """Structures on a CT that is not there yet."""
    made = Folder(tmp_path / "someone")
    made.structure_set()
    made.rtplan()
    return made


# How it is encoded


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("header", ["none", "no mark", "no syntax", "empty"])
def test_files_without_a_header_are_read(folder, header, implicit):
    folder.ct(hu=lopsided)
    for path in folder.path.glob("*.dcm"):
        data = pydicom.dcmread(path)
        if header == "none":
            del data.file_meta
        if header == "no mark":
            data.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1")
        if header == "no syntax":
            del data.file_meta.TransferSyntaxUID
        if header == "empty":
            data.file_meta = pydicom.dataset.FileMetaDataset()
        data.preamble = b"\0" * 128 if header == "empty" else None
        data.save_as(path, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
        assert (path.read_bytes()[128:132] == b"DICM") == (header == "empty")
    as_it_was(patient(folder))
    assert patient(folder).reference is None


def test_big_endian_is_read(folder):
    def turn(data, k):
        data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
        data.PixelData = np.frombuffer(data.PixelData, "<i2").astype(">i2").tobytes()

    folder.ct(hu=lopsided, change=turn)
    as_it_was(patient(folder))


def test_deflated_files_are_read_within_bounds(folder, monkeypatch):
    folder.ct(hu=lopsided)
    for path in folder.path.glob("*.dcm"):
        data = pydicom.dcmread(path)
        data.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
        data.save_as(path)
    as_it_was(patient(folder))
    monkeypatch.setattr("tgsci_radiotherapy.importers.dicom.files.MOST_UNPACKED", 1000)
    refused(folder, "is deflated and unpacks to more than")
    monkeypatch.undo()
    path = folder.path / "rs.dcm"
    path.write_bytes(path.read_bytes()[:-300])
    refused(folder, "rs.dcm is deflated and cut short")


def test_compressed_pixels_are_read(folder):
    def pack(data, k):
        data.compress(pydicom.uid.RLELossless)

    folder.ct(hu=lopsided, change=pack)
    as_it_was(patient(folder))


@pytest.mark.parametrize(
    ("syntax", "words"),
    [
        (pydicom.uid.JPEGLSLossless, ["JPEG-LS Lossless", "pip install", "pylibjpeg"]),
        ("1.2.840.10008.1.2.4.100", ["MPEG2", "export it uncompressed"]),
    ],
)
def test_a_compression_that_nothing_reads_is_named(folder, syntax, words, monkeypatch):
    monkeypatch.setattr("pydicom.pixels.decoders.base.Decoder.is_available", False)

    def pack(data, k):
        data.compress(pydicom.uid.RLELossless)
        data.file_meta.TransferSyntaxUID = UID(syntax)

    folder.ct(change=pack)
    said = refused(folder, "is compressed as", *words)
    assert "damaged" not in said


def test_compressed_pixels_without_a_syntax(folder):
    folder.ct(change=lambda data, k: data.compress(pydicom.uid.RLELossless))
    for path in folder.path.glob("ct*.dcm"):
        data = pydicom.dcmread(path)
        del data.file_meta.TransferSyntaxUID
        data.save_as(path, implicit_vr=False, little_endian=True, enforce_file_format=False)
    refused(folder, "does not say how they are compressed")


@pytest.mark.parametrize("position", ["HFS", ""])
def test_an_enhanced_ct_is_read(folder, position):
    folder.enhanced_ct(lopsided, position)
    made = patient(folder)
    assert made.grid == Grid((16, 64, 72), (3.0, 2.5, 2.0), (ORIGIN[2], ORIGIN[1], ORIGIN[0]))
    as_it_was(made)
    assert "16 CT slices" in made.provenance["source"]


def test_an_enhanced_ct_without_the_places_of_its_frames(folder):
    folder.enhanced_ct(lopsided)
    data = pydicom.dcmread(folder.path / "enhanced.dcm")
    del data.PerFrameFunctionalGroupsSequence[3].PlanePositionSequence
    data.save_as(folder.path / "enhanced.dcm")
    refused(folder, "enhanced.dcm has no ImagePositionPatient")
    del data.PerFrameFunctionalGroupsSequence
    data.save_as(folder.path / "enhanced.dcm")
    refused(folder, "16 frames and describes 0")


def test_twelve_bits_with_an_overlay_in_the_others(folder):
    def overlay(data, k):
        data.BitsStored, data.HighBit, data.PixelRepresentation = 12, 11, 0
        data.PixelData = (np.frombuffer(data.PixelData, "<u2") | 0x8000).astype("<u2").tobytes()
        data.add_new((0x6000, 0x0102), "US", 15)

    folder.ct(hu=lopsided, change=overlay)
    as_it_was(patient(folder))


def test_signed_values_that_are_called_unsigned(folder):
    folder.ct(hu=lopsided, intercept=0.0, change=lambda data, k: setattr(data, "PixelRepresentation", 0))
    as_it_was(patient(folder))


@pytest.mark.parametrize("padding", [-2000, 63_536, 32_000, 0])
def test_padding_is_air_and_tissue_of_its_value_stays(folder, padding):
    """Padding stands outside the scanned circle; 0 HU within it is water."""
    y, x = np.meshgrid(np.arange(ROWS) - 31.5, np.arange(COLUMNS) - 35.5, indexing="ij")
    outside = np.hypot(y, x) > 34

    def pad(data, k):
        values = np.frombuffer(data.PixelData, "<i2").reshape(ROWS, COLUMNS).copy()
        values[outside] = padding if padding < 40_000 else padding - 65_536
        data.PixelData = values.tobytes()
        data.add_new("PixelPaddingValue", "SS" if padding < 40_000 else "US", padding)

    folder.ct(intercept=0.0, change=pad)
    made = patient(folder)
    assert (made.hu[:, outside] == -1000).all()
    assert (made.hu[:, 32, 36] == 0).all()
    assert any("padded pixels" in note for note in made.notes) == (padding in (0, 32_000))


def test_colour_pictures_and_files_without_pixels_are_named(folder):
    folder.ct(change=lambda data, k: data.pop("PixelData") if k == 4 else None)
    refused(folder, "has no pixels")
    folder.ct(change=lambda data, k: setattr(data, "RescaleSlope", 0))
    refused(folder, "rescale slope 0 ")


def test_a_localizer_and_files_that_are_no_dicom_are_left_out_and_said(folder):
    folder.ct(hu=lopsided)

    def scout(data, k):
        data.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
        data.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]

    folder.ct(slices=[0], change=scout, name="scout")
    (folder.path / "Quixotesson.pdf").write_bytes(b"%PDF-1.7 report")
    (folder.path / "empty.dcm").write_bytes(b"")
    (folder.path / "looks_like_it.raw").write_bytes(b"\x08\x00\x05\x00CS" + bytes(range(200)))
    mr = folder.base("1.2.840.10008.5.1.4.1.1.4", "MR")
    folder.save(mr, "mr.dcm")
    index = pydicom.Dataset()
    index.file_meta = pydicom.dataset.FileMetaDataset()
    index.file_meta.MediaStorageSOPClassUID, index.file_meta.MediaStorageSOPInstanceUID = "1.2.840.10008.1.3.10", "1.2"
    index.file_meta.TransferSyntaxUID, index.FileSetID = pydicom.uid.ExplicitVRLittleEndian, "DISC"
    index.save_as(folder.path / "index.dcm", enforce_file_format=True)
    lines: list[str] = []
    made = read_dicom(folder.path, Options(), lines.append)
    as_it_was(made)
    assert any("Quixotesson.pdf" in line and "empty.dcm" in line for line in lines)
    notes = "; ".join(made.notes)
    assert "3 of the folder's files are no DICOM" in notes
    assert "Quixotesson" not in notes
    assert "1 of MR" in notes
    assert "1 localizer" in notes


# How the patient lay


@pytest.mark.parametrize(
    ("position", "signs"), [("HFS", (1, 1)), ("FFS", (-1, 1)), ("HFP", (-1, -1)), ("FFP", (1, -1)), ("FFS", (1, 1))]
)
def test_every_position_shows_the_same_patient(folder, position, signs):
    folder.ct(hu=lopsided, position=position, signs=signs)
    made = patient(folder)
    assert made.grid == Grid((16, 64, 72), (3.0, 2.5, 2.0), (ORIGIN[2], ORIGIN[1], ORIGIN[0]))
    assert made.position == position
    as_it_was(made)


def test_a_prone_patient_is_irradiated_from_the_back_at_gantry_0(folder):
    folder.ct(position="HFP", signs=(-1, -1))
    case = read(folder.path, **{**FAST, "gantry": (0,)})
    assert [(b.gantry, b.couch) for b in case.beams] == [(180.0, 0.0)]
    dose = case.cube(np.add.reduceat(case.dij.values, case.dij.starts[:-1].clip(max=len(case.dij.values) - 1)))
    line = dose[dose.shape[0] // 2, :, dose.shape[2] // 2]
    assert line[-4] > 1.5 * line[4]  # y runs to the back
    assert "HFP" in case.provenance["notes"]


def test_sagittal_slices_are_turned(folder):
    """Slices across x, rows to the back, columns to the feet."""
    z, y, x = heights(), ORIGIN[1] + SPACING[0] * np.arange(ROWS), ORIGIN[0] + SPACING[1] * np.arange(COLUMNS)
    cube = np.stack([lopsided(x[None, :], y[:, None], float(h)) for h in z])
    for k, across in enumerate(x):
        data = folder.base("1.2.840.10008.5.1.4.1.1.2", "CT")
        data.SeriesInstanceUID, data.FrameOfReferenceUID, data.PatientPosition = folder.series, folder.frame, "HFS"
        data.ImagePositionPatient, data.ImageOrientationPatient = [across, y[0], z[-1]], [0, 1, 0, 0, 0, -1]
        data.PixelSpacing, data.InstanceNumber, (data.Rows, data.Columns) = [STEP, SPACING[0]], k, (SLICES, ROWS)
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
        data.PixelData = cube[::-1, :, k].astype(np.int16).tobytes()
        folder.save(data, f"ct_{k:02d}.dcm")
    made = patient(folder)
    assert any("sagittal, coronal or turned" in note for note in made.notes)
    assert made.grid == Grid((16, 64, 72), (3.0, 2.5, 2.0), (ORIGIN[2], ORIGIN[1], ORIGIN[0]))
    as_it_was(made)


def test_a_tilted_gantry_is_interpolated_and_said(folder):
    """Planes tilted by 15 degrees about x, moved along z: what the couch does."""
    tilt = np.radians(15)
    v = SPACING[0] * (np.arange(ROWS) - (ROWS - 1) / 2)
    x = ORIGIN[0] + SPACING[1] * np.arange(COLUMNS)

    def tilted(data, k):
        y, z = v * np.cos(tilt), heights()[k] + v * np.sin(tilt)
        inside = np.hypot(x[None, :], y[:, None]) <= RADIUS
        values = np.where(inside, np.rint(x[None, :] + 2 * y[:, None] + 4 * z[:, None]), -1000)
        data.ImagePositionPatient = [x[0], y[0], z[0]]
        data.ImageOrientationPatient = [1, 0, 0, 0, np.cos(tilt), np.sin(tilt)]
        data.PixelData = (values + 1024).astype(np.int16).tobytes()

    folder.ct(change=tilted)
    made = patient(folder)
    note = next(note for note in made.notes if "tilted" in note)
    assert "by 15.0 degrees" in note
    z, y, x = (axis.round(6) for axis in made.grid.axes())
    k = int(np.argmin(np.abs(z)))
    seen = np.hypot(x[None, :], y[:, None]) <= 40
    wanted = x[None, :] + 2 * y[:, None] + 4 * z[k]
    assert np.abs(made.hu[k] - wanted)[seen].max() < 2.0


def test_contours_on_tilted_slices_are_read(folder):
    """A ball drawn slice by slice on planes tilted by 15 degrees, and a tube that is drawn on axial ones."""
    tilt = np.radians(15)
    middle = SPACING[0] * (ROWS - 1) / 2
    across = np.array([0.0, np.cos(tilt), np.sin(tilt)])
    normal = np.array([0.0, -np.sin(tilt), np.cos(tilt)])

    def tilted(data, k):
        data.ImagePositionPatient = [ORIGIN[0], *(np.array([0.0, heights()[k]]) - middle * across[1:])]
        data.ImageOrientationPatient = [1, 0, 0, *across]

    folder.ct(change=tilted)
    ball = {}
    for z in heights():
        off = float(np.array([0.0, 0.0, z]) @ normal)
        if abs(off) < 17:
            radius = np.sqrt(18.0**2 - off**2)
            u, v = circle(radius).T
            foot = off * normal
            ball[float(z)] = np.column_stack([u, np.zeros_like(u), np.zeros_like(u)]) + foot + v[:, None] * across
    folder.structure_set()

    def drawn(data):
        items = []
        for corners in ball.values():
            item = pydicom.Dataset()
            item.ContourGeometricType, item.NumberOfContourPoints = "CLOSED_PLANAR", len(corners)
            item.ContourData = [f"{value:.3f}" for value in corners.ravel()]
            items.append(item)
        data.ROIContourSequence[0].ContourSequence = items

    folder.structure_set(change=drawn)
    made = patient(folder)
    ptv = made.structures[0]
    z, y, x = np.meshgrid(*made.grid.axes(), indexing="ij")
    wanted = x**2 + y**2 + z**2 <= 18.0**2
    found = ptv.mask.full(made.grid.shape)
    assert (found ^ wanted).sum() < 0.12 * wanted.sum()
    assert ptv.volume_cc == pytest.approx(4 / 3 * np.pi * 18**3 / 1000, rel=0.05)
    assert ptv.mask.count * made.grid.voxel_cc == pytest.approx(ptv.volume_cc, rel=0.05)
    assert np.abs(np.argwhere(found).mean(axis=0) - np.argwhere(wanted).mean(axis=0)).max() < 0.3


# Where the slices are


def test_positions_rounded_to_tenths_are_even(folder):
    places = [round(-10 + 1.25 * k, 1) for k in range(16)]
    regions = [(n, t, {float(z): next(iter(p.values())) for z in places}) for n, t, p in usual()]
    folder.structure_set(regions)
    folder.ct(places=places)
    made = patient(folder)
    assert made.grid.spacing[0] == pytest.approx(1.25, abs=0.01)
    assert not any("interpolated" in note for note in made.notes)


def test_positions_rounded_to_millimetres_are_those_of_the_slice_location(folder):
    places = [float(np.floor(2.5 * k)) for k in range(16)]
    folder.ct(places=places, change=lambda data, k: setattr(data, "SliceLocation", 100.0 - 2.5 * k))
    folder.structure_set([(n, t, {float(z): next(iter(p.values())) for z in places}) for n, t, p in usual()])
    made = patient(folder)
    assert made.grid.spacing[0] == pytest.approx(2.5, abs=1e-6)
    assert any("SliceLocation" in note for note in made.notes)


UNEVEN = [*(-21.0 + 3.0 * np.arange(8)), *(3.0 + 6.0 * np.arange(8))]


@pytest.mark.parametrize("numbered", [True, False])
def test_a_scan_of_two_distances_is_interpolated_and_nothing_is_missing(folder, numbered):
    def number(data, k):
        data.InstanceNumber = k + 1
        if not numbered:
            del data.InstanceNumber

    folder.ct(hu=lopsided, places=UNEVEN, change=number)
    folder.structure_set(on_places(UNEVEN))
    made = patient(folder)
    assert made.grid.spacing[0] == 3.0
    assert made.grid.shape[0] == 23
    assert any("3 to 6 mm apart" in note for note in made.notes)
    as_it_was(made)


def on_places(places):
    return [
        ("PTV", "PTV", {float(z): [circle(15.0)] for z in places if -10 < z < 20}),
        ("BODY", "EXTERNAL", {float(z): [circle(RADIUS)] for z in places}),
    ]


def test_gaps_that_instance_numbers_skip_are_missing_slices(folder):
    folder.ct(slices=[k for k in range(16) if k not in (5, 6, 11)])
    refused(
        folder, "3 of 16 slices are missing, and their instance numbers with them: z = -6, -3, 12 mm", "--fill-gaps"
    )
    made = patient(folder, fill_gaps=True)
    assert made.grid.shape[0] == 16
    assert any("3 to 9 mm apart" in note for note in made.notes)


def test_a_gap_of_which_nobody_knows(folder):
    folder.ct(slices=[k for k in range(16) if k != 5], change=lambda data, k: setattr(data, "InstanceNumber", 1))
    said = refused(folder, "6 mm between z = -9 and -3 mm", "the files do not say", "--fill-gaps")
    assert "are missing:" not in said
    assert patient(folder, fill_gaps=True).grid.shape[0] == 16


def test_one_gap_that_instance_numbers_run_across_is_how_the_scan_is(folder):
    places = [*heights()[:5], *(heights()[5:] + 3)]
    folder.ct(places=places)
    folder.structure_set(on_places(places))
    assert any("3 to 6 mm apart" in note for note in patient(folder).notes)


def test_a_slice_far_away(folder):
    folder.ct(places=[*heights()[:15], 200.0])
    refused(folder, "no slice between z = 21 and 200 mm", "too far to interpolate")


def test_slices_that_are_there_twice(folder):
    folder.ct(hu=lopsided)
    folder.ct(hu=lopsided, slices=[3, 4], name="again")
    made = patient(folder)
    assert any("2 slices are there twice" in note for note in made.notes)
    as_it_was(made)
    folder.ct(slices=[3], name="again")
    refused(folder, "lie at z = -12 mm and show different things")


def test_one_slice_of_another_kind_is_named_whichever_is_first(folder):
    for k in (0, 7, 15):
        folder.ct(change=lambda data, j, k=k: setattr(data, "PixelSpacing", [2.5, 2.0 + 0.1 * (j == k)]))
        said = refused(folder, "15 slices of one image and 1 of another kind", "another PixelSpacing")
        assert f"ct_{(k * 7) % 17:02d}.dcm" in said
    folder.ct(change=lambda data, k: setattr(data, "ImageOrientationPatient", [1, 0, 0, 1, 0, 0]))
    refused(folder, "no pair of directions")


def test_a_slice_of_another_series_is_said(folder):
    folder.ct(change=lambda data, k: setattr(data, "SeriesInstanceUID", "1.2.3") if k == 0 else None)
    made = patient(folder)
    assert len(made.hu) == 15
    assert any("1 other CT series were not read: 1 slices of 72 x 64 pixels, z from -21" in note for note in made.notes)


@pytest.mark.parametrize("change", [{"RescaleIntercept": 0}, {"RescaleSlope": 3}, {"RescaleIntercept": None}])
def test_a_slice_that_lost_its_rescale_is_named(folder, change):
    folder.ct(change=lambda data, k: [setattr(data, *pair) for pair in change.items()] if k == 4 else None)
    refused(folder, "ct_11.dcm (z = -9 mm) is scaled to HU otherwise than most slices")


def test_slices_that_each_name_a_series_of_their_own_are_one(folder):
    folder.ct(hu=lopsided, change=lambda data, k: setattr(data, "SeriesInstanceUID", f"1.2.3.{k}"))
    made = patient(folder)
    as_it_was(made)
    assert any("16 CT slices name a series of their own each" in note for note in made.notes)


def test_metal_that_is_cut_is_said(folder):
    def metal(data, k):
        values = np.frombuffer(data.PixelData, "<i2").copy()
        values[2000:2003] = 9000
        data.PixelData = values.tobytes()

    folder.ct(change=metal)
    made = patient(folder)
    assert made.hu.max() == 3071
    assert "48 voxels above 3071 HU (metal?) are cut to that" in made.notes


def test_slices_of_two_frames_of_reference_are_said(folder):
    folder.ct(change=lambda data, k: setattr(data, "FrameOfReferenceUID", f"1.2.{k}") if k == 15 else None)
    assert any("different frames of reference" in note for note in patient(folder).notes)


def test_orientations_that_differ_by_noise_are_one(folder):
    folder.ct(
        hu=lopsided,
        change=lambda data, k: setattr(data, "ImageOrientationPatient", [1, 0, 0, 0.0005 * (k % 2), 1, 0]),
    )
    as_it_was(patient(folder), tolerance=1.5)


@pytest.mark.parametrize("k", [0, 7, 8, 15])
def test_a_slice_that_lies_aside_is_named(folder, k):
    def move(data, j):
        if j == k:
            data.ImagePositionPatient[0] += 12.0

    folder.ct(change=move)
    refused(folder, f"ct_{(k * 7) % 17:02d}.dcm", "lies 12 mm aside of the other slices")


def test_slices_whose_first_pixel_drifts_are_tilted(folder):
    """A tilted gantry as some scanners write it: upright slices, each moved by some mm."""

    def drift(data, k):
        data.ImagePositionPatient[1] += 0.5 * k

    folder.ct(hu=lopsided, change=drift)
    made = patient(folder)
    assert any("tilted (by 9.5 degrees)" in note for note in made.notes)
    k, x = 8, made.grid.axes()[2]
    j = int(np.argmin(np.abs(made.grid.axes()[1] - 0.5 * k)))
    assert (
        np.abs(made.hu[k, j, 20:50] - (x[20:50] + 4 * heights()[k] + 2 * (made.grid.axes()[1][j] - 0.5 * k))).max() < 3
    )


def test_slices_of_one_place_and_slices_of_two_patients(folder):
    folder.ct(places=[0.0] * 16)
    refused(folder, "all slices of the CT lie at one place")
    folder.ct(change=lambda data, k: setattr(data, "PatientID", "MRN-1") if k == 3 else None)
    refused(folder, "are slices of one series and of two patients")
