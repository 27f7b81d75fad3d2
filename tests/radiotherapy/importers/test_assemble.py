"""Cases from arrays, and what every route has in common: who owns overlaps, which names are targets, which grid."""

from __future__ import annotations

import numpy as np
import pytest

from tgsci.errors import UsageError
from tgsci_radiotherapy.case import Grid
from tgsci_radiotherapy.importers import compute, read
from tgsci_radiotherapy.importers.patient import guess_type, unique_names

GRID = Grid((14, 36, 40), (3.0, 3.0, 3.0), (-19.5, -52.5, -58.5))
FAST = {"engine": "builtin", "gantry": (0, 90), "fractions": 20}


def balls(**radii):
    z, y, x = np.meshgrid(*GRID.axes(), indexing="ij")
    made = {name: x**2 + y**2 + z**2 <= radius**2 for name, radius in radii.items()}
    return {**made, "BODY": (x / 55) ** 2 + (y / 48) ** 2 <= 1}


def image(masks):
    return np.where(masks["BODY"], 0.0, -1000.0)


def make(masks, **options):
    return compute(image(masks), GRID, masks, **{**FAST, **options})


def test_arrays_become_a_case():
    masks = balls(PTV=12, Cord=5)
    masks["Cord"] = np.roll(masks["Cord"], 8, axis=1).astype(np.uint8)
    case = make(masks, prescriptions={"PTV": 40}, name="ball")
    assert (case.name, case.prescription, case.fractions) == ("ball", 40.0, 20)
    assert [s.type for s in case.structures] == ["target", "oar", "external"]
    assert case.structure("PTV").volume_cc == pytest.approx(masks["PTV"].sum() * GRID.voxel_cc)
    assert len(case.structure("PTV").voxels) == masks["PTV"].sum()  # the dose grid is the image's, cut to the body
    assert len(case.rows("Cord")) == masks["Cord"].sum()


def test_targets_own_by_prescription_and_then_by_size():
    masks = balls(CTV=8, PTV=12, boost=5, BigPTV=16)
    case = make(masks, prescriptions={"PTV": 50, "CTV": 50, "boost": 60, "BigPTV": 40}, types={"boost": "target"})
    assert case.names == ("boost", "PTV", "CTV", "BigPTV", "BODY")
    assert case.own("CTV").start == case.own("CTV").stop
    assert "CTV: all voxels belong to structures before" in case.provenance["notes"]
    other = make(
        masks,
        prescriptions={"PTV": 50, "CTV": 50, "boost": 60, "BigPTV": 40},
        types={"boost": "target"},
        order=("ctv", "BIGPTV"),
    )
    assert other.names == ("CTV", "BigPTV", "boost", "PTV", "BODY")


def test_a_second_external_is_an_organ_or_left_out_and_said():
    masks = {**balls(PTV=12), "Skin": balls(Skin=20)["Skin"]}
    case = make(masks, prescriptions={"PTV": 50})
    assert case.names == ("PTV", "Skin", "BODY")
    assert "BODY is the external; Skin (" in case.provenance["notes"]
    masks["Body 2"] = masks["BODY"] & (np.arange(GRID.shape[2]) > 4)
    case = make(masks, prescriptions={"PTV": 50})
    assert case.names == ("PTV", "Skin", "BODY")
    assert "BODY, the largest, is kept and Body 2 (" in case.provenance["notes"]


def test_a_target_beside_the_body():
    masks = balls(PTV=12)
    masks["PTV"] = np.roll(masks["PTV"], 13, axis=2)
    masks["BODY"] = np.hypot(*np.meshgrid(*GRID.axes(), indexing="ij")[1:]) < 33
    with pytest.raises(UsageError, match="of the target PTV lies outside BODY"):
        make(masks, prescriptions={"PTV": 50})


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda m: m.update(PTV=m["PTV"][1:]), "the mask of PTV"),
        (lambda m: m.update(PTV=np.zeros(GRID.shape, bool)), "the target PTV is empty"),
        (lambda m: m.pop("PTV"), "there is no target"),
        (lambda m: m.update(GTV=np.roll(m["PTV"], 6, axis=2)), "GTV has no prescription and lies in no target"),
    ],
)
def test_masks_that_are_wrong(change, word):
    masks = balls(PTV=9)
    hu = image(masks)
    change(masks)
    given = {"PTV": 50} if "PTV" in masks else {}
    with pytest.raises(UsageError, match=word):
        compute(hu, GRID, masks, prescriptions=given, **FAST)


def test_images_that_are_wrong():
    masks = balls(PTV=9)
    hu = image(masks)
    for wrong, word in (
        (hu[1:], "they must agree"),
        (np.where(masks["PTV"], np.nan, hu), "no numbers"),
        (hu + 1024, "--hu-offset -1024"),
        (np.zeros_like(hu), "not in Hounsfield units"),
    ):
        with pytest.raises(UsageError, match=word):
            compute(wrong, GRID, masks, prescriptions={"PTV": 50}, **FAST)


def test_prescriptions_belong_to_targets():
    masks = balls(PTV=9, Cord=5)
    case = make(masks, prescriptions={"PTV": 50, "Cord": 45})
    assert case.structure("Cord").type == "target"  # a prescription says so
    with pytest.raises(UsageError, match="only targets have one"):
        make(masks, prescriptions={"PTV": 50, "Cord": 45}, types={"Cord": "oar"})
    with pytest.raises(UsageError, match="if it is meant in cGy, give 50"):
        make(masks, prescriptions={"PTV": 5000})
    with pytest.raises(UsageError, match="--fractions"):
        make(masks, prescriptions={"PTV": 50}, fractions=None)


@pytest.mark.parametrize(
    ("gantry", "couch", "words"),
    [
        ((0, 0), (), "beams 1 and 2 are the same: gantry 0, couch 0 degrees"),
        ((0, 90, 360), (), "beams 1 and 3 are the same: gantry 0 and 360, couch 0 degrees"),
        ((-90, 270), (10,), "gantry -90 and 270, couch 10 degrees"),
        ((40, 40), (0, 360), "gantry 40, couch 0 degrees"),
        ((359.9999, 0), (), "beams 1 and 2 are the same"),
    ],
)
def test_two_beams_from_one_direction(gantry, couch, words):
    with pytest.raises(UsageError, match=words):
        make(balls(PTV=12), prescriptions={"PTV": 50}, gantry=gantry, couch=couch)


def test_one_gantry_angle_with_two_couch_angles():
    case = make(balls(PTV=12), prescriptions={"PTV": 50}, gantry=(40, 40), couch=(0, 90))
    assert [(beam.gantry, beam.couch) for beam in case.beams] == [(40, 0), (40, 90)]


def test_a_grid_for_each_axis(monkeypatch):
    masks = balls(PTV=12)
    case = make(masks, prescriptions={"PTV": 50}, grid_mm=(4.0, 5.0, 6.0))
    assert case.grid.spacing == (6.0, 5.0, 4.0)
    assert len(case.structure("PTV").voxels) * case.grid.voxel_cc == pytest.approx(7.2, rel=0.1)
    monkeypatch.setattr("tgsci_radiotherapy.importers.assemble.MOST_DOSE_VOXELS", 10_000)
    with pytest.raises(UsageError, match=r"too large; take a coarser one with --grid"):
        make(masks, prescriptions={"PTV": 50}, grid_mm=1.0)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("PTV", "PTV_70", "ptv 5600", "CTVn", "GTV-1", "ITV", "iGTV", "OuterTarget", "Tumor"), "target"),
        (("BODY", "External", "body 1", "Skin", "Outer Contour"), "external"),
        (("Rectum", "PTV_Ring", "PTVring", "Ring_PTV", "Body-PTV", "SkinFlap", "Target avoid", "Core"), "oar"),
    ],
)
def test_types_by_name(names, kind):
    for name in names:
        assert guess_type(name) == kind, name


def test_names_stay_apart_however_they_are_spelled():
    names, notes = unique_names(["a b", "A_B", "a-b", "x" * 50, "x" * 60, "", "\x00", "/"])
    assert names[:3] == ["a b", "A_B_2", "a-b_3"]
    assert names[5:] == ["ROI_6", "ROI_7", "ROI_8"]
    assert all(len(n) <= 32 for n in names)
    assert len({n.casefold() for n in names}) == 8
    assert len(notes) == 4
    assert "'a b' is now" not in notes[-1]
    assert f"'{'x' * 50}' is now {'x' * 32}" in notes[-1]


def test_reading_needs_a_source_that_is_there(tmp_path):
    with pytest.raises(UsageError, match="no file or folder"):
        read(tmp_path / "nothing")


def test_what_a_reader_noted_is_said_and_recorded():
    masks = balls(PTV=12, Cord=5)
    masks["cord"] = np.roll(masks["Cord"], 8, axis=1)
    lines = []
    case = compute(
        image(masks) + 1024, GRID, masks, say=lines.append, prescriptions={"PTV": 40}, hu_offset=-1024, **FAST
    )
    assert "two structures are called cord; the later one is now cord_2" in lines
    assert "cord_2" in case.provenance["read"]
    assert case.provenance["image"] == "-1024 HU added"
