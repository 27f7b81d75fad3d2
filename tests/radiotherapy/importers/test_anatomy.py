"""What the structures of a patient become: kept whole, typed, with the body around them, and nothing in silence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tgsci.errors import UsageError
from tgsci_radiotherapy.case import Grid
from tgsci_radiotherapy.importers import Options
from tgsci_radiotherapy.importers.anatomy import hounsfield_of, settle
from tgsci_radiotherapy.importers.masks import Mask
from tgsci_radiotherapy.importers.patient import Patient, Region

GRID = Grid((10, 40, 40), (3.0, 3.0, 3.0), (-13.5, -58.5, -58.5))
Z, Y, X = np.meshgrid(*GRID.axes(), indexing="ij")
BODY = np.hypot(X, Y) <= 45


def ball(radius, x=0.0, y=0.0):
    return (X - x) ** 2 + (Y - y) ** 2 + Z**2 <= radius**2


def region(name, kind, mask, **more):
    return Region(name, kind, Mask.of(mask), **more)


def patient(*structures, body=True, hu=None):
    drawn = [region("PTV", "target", ball(9), prescription=50.0), *structures]
    drawn += [region("BODY", "external", BODY)] if body else []
    image = np.where(BODY, 0, -1000) if hu is None else hu
    return Patient("p", image.astype(np.int16), GRID, tuple(drawn))


def decide(made, **options):
    return settle(made, Options.of(options))


def cc(mask):
    return f"{np.count_nonzero(mask) * GRID.voxel_cc:.1f} cc"


def test_organs_and_targets_beyond_a_drawn_body_are_whole_and_seen():
    breast = ball(15, x=45)
    anatomy = decide(patient(region("Breast", "oar", breast), region("Flap", "target", ball(12, y=-42))))
    kept = {one.name: one.mask.full(GRID.shape) for one in anatomy.regions}
    assert np.array_equal(kept["Breast"], breast)
    assert np.array_equal(kept["BODY"], BODY)  # as it was drawn
    assert anatomy.seen.full(GRID.shape)[breast].all()
    (note,) = [n for n in anatomy.notes if "beyond BODY" in n]
    assert f"Breast {cc(breast & ~BODY)}" in note
    assert f"Flap {cc(ball(12, y=-42) & ~BODY)}" in note


def test_a_body_that_is_found_grows_around_what_was_drawn():
    ear = (np.hypot(X - 48, Y) <= 6) & (abs(Z) < 8)
    leg = (np.hypot(X + 56, Y) <= 3) & (abs(Z) < 8)
    ring = np.hypot(X + 56, Y + 50) <= 3
    regions = (region("Ear", "oar", ear), region("Leg", "oar", leg), region("Ring", "oar", ring))
    anatomy = decide(patient(*regions, body=False, hu=np.where(BODY | leg, 0, -1000)))
    assert [one.name for one in anatomy.regions] == ["PTV", "Ear", "Leg", "Body"]  # nothing is where the ring is
    full = anatomy.body.mask.full(GRID.shape)
    assert full[BODY | ear | leg].all()
    assert any(note.startswith(f"Body was enlarged by {cc((ear | leg) & ~BODY)}") for note in anatomy.notes)
    assert any("no external is drawn" in note and cc(BODY) in note for note in anatomy.notes)


def test_a_sources_own_body_is_taken_and_tissue_beyond_it_stays_in_the_image():
    made = replace(patient(body=False), body_hint=Mask.of(BODY & (Z > 0)))
    anatomy = decide(made, only=("PTV",))
    assert (anatomy.hu == made.hu).all()
    assert any(note.startswith("the image is kept beyond Body") for note in anatomy.notes)


def test_couch_and_what_else_stands_around_become_air_and_said():
    couch = (Y > 48) & (Y < 55)
    anatomy = decide(patient(hu=np.where(BODY | couch, 0, -1000)))
    assert (anatomy.hu[couch] == -1000).all()
    assert f"{cc(couch)} of the image outside BODY, denser than -350 HU, are made air" in anatomy.notes
    kept = decide(patient(region("Couch", "support", couch), hu=np.where(BODY | couch, 0, -1000)))
    assert (kept.hu[couch] == 0).all()
    assert [one.name for one in kept.regions] == ["PTV", "BODY"]
    assert [one.name for one in kept.matter] == ["Couch"]


def test_a_body_that_leaves_tissue_out_is_asked_about():
    limb = (abs(X - 40) < 14) & (abs(Y) < 30)
    small = Patient("p", np.where(BODY | limb, 0, -1000).astype(np.int16), GRID, patient(body=False).structures)
    small = replace(small, structures=(*small.structures, region("BODY", "external", np.hypot(X, Y) <= 30)))
    (note,) = [n for n in decide(small).notes if "look like tissue" in n]
    assert "--type BODY=ignore" in note
    assert not [n for n in decide(patient(hu=np.where(BODY | (Y > 48), 0, -1000))).notes if "look like tissue" in n]


def test_what_lies_wholly_outside_is_left_out_unless_somebody_asks():
    made = patient(region("Ring", "oar", ball(6, x=-54)))
    assert [one.name for one in decide(made).regions] == ["PTV", "BODY"]
    assert any("lies outside BODY and is left out; --type Ring=oar keeps it" in n for n in decide(made).notes)
    assert [one.name for one in decide(made, types={"ring": "oar"}).regions] == ["PTV", "Ring", "BODY"]


def test_only_a_person_crops():
    breast = ball(15, x=45)
    anatomy = decide(patient(region("Breast", "oar", breast)), crop=("breast",))
    kept = next(one for one in anatomy.regions if one.name == "Breast")
    assert np.array_equal(kept.mask.full(GRID.shape), breast & BODY)
    assert any(note.startswith(f"Breast is cut to BODY: {cc(breast & ~BODY)}") for note in anatomy.notes)


def test_an_organ_with_an_outlines_name_is_the_external_only_if_it_holds_the_others():
    organ = decide(patient(region("Body", "oar", BODY, said=True), body=False))
    assert (organ.body.name, organ.body.type) == ("Body", "external")
    shell = BODY & (np.hypot(X, Y) > 40)
    other = decide(patient(region("Skin", "oar", shell, said=True), body=False))
    assert [one.name for one in other.regions] == ["PTV", "Skin", "Body"]


def test_the_smaller_of_two_densities_counts_and_one_of_what_is_left_out_counts_too():
    made = patient(
        region("Dental", "density", ball(12, x=20), density=1.0),
        region("Filling", "density", ball(6, x=20), density=1.8),
        region("Cord", "oar", ball(6, y=25), density=0.9),
        hu=np.where(BODY, 500, -1000),
    )
    anatomy = decide(made)
    assert (anatomy.hu[ball(6, x=20)] == hounsfield_of(1.8)).all()
    assert (anatomy.hu[ball(12, x=20) & ~ball(6, x=20)] == 0).all()
    assert (anatomy.hu[ball(6, y=25)] == -100).all()
    assert [one.name for one in anatomy.regions] == ["PTV", "Cord", "BODY"]
    assert sum("of water" in note for note in anatomy.notes) == 3


@given(st.floats(0.0, 2.5))
@settings(max_examples=40, deadline=None)
def test_a_density_comes_back_from_its_hounsfield_units(density):
    from tgsci_radiotherapy.case.beams import electron_density

    assert float(electron_density(np.array([hounsfield_of(density)]))[0]) == pytest.approx(density, abs=6e-4)


@pytest.mark.parametrize(
    ("structures", "options", "word"),
    [
        ([region("GTV", "target", np.zeros(GRID.shape, bool), prescription=60.0)], {}, "the target GTV is empty"),
        ([region("GTV", "target", ball(8, x=54), prescription=60.0)], {}, "of the target GTV lies outside BODY"),
        ([], {"types": {"PTV": "oar"}}, "there is no target"),
    ],
)
def test_why_no_plan_can_be_made(structures, options, word):
    faults = decide(patient(*structures), **options).faults
    assert any(word in fault for fault in faults), faults
    with pytest.raises(UsageError, match="no structure 'Lung'"):
        decide(patient(), crop=("Lung",))
