"""Options of an import: what is refused, and the beams that are taken where none are given."""

from __future__ import annotations

import pytest

from tgsci.errors import UsageError
from tgsci_radiotherapy.importers import Options


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"gantry": (400.0,)}, "gantry angle must be a number from -360 to 360 degrees, not 400"),
        ({"gantry": tuple(range(100))}, "100 beams"),
        ({"couch": (0, 10, 20), "gantry": (0, 90)}, "3 couch and 2 gantry angles"),
        ({"bixel_mm": 0.1}, "bixel_mm"),
        ({"bixel_mm": float("nan")}, "bixel_mm must be a number from 1 to 20 mm, not nan"),
        ({"grid_mm": 0.5}, "from 1 to 10 mm, not 0.5"),
        ({"grid_mm": (3.0, 3.0)}, "2 figures"),
        ({"modality": "carbon"}, "photons, protons"),
        ({"engine": "topas"}, "builtin"),
        ({"engine": "builtin", "modality": "protons"}, "photons only"),
        ({"prescriptions": {"PTV": 5000}}, "in cGy, give 50"),
        ({"prescriptions": {"PTV": 0.1}}, "0.5 to 200 Gy"),
        ({"fractions": 0}, "from 1 to 100"),
        ({"fractions": 2.5}, "whole number"),
        ({"types": {"PTV": "organ"}}, "target, oar, external, bolus, support, ignore"),
        ({"densities": {"Bone": 30.0}}, "the density of 'Bone' must be a number from 0 to 2.6"),
        ({"densities": {"Bone": "heavy"}}, "the density of 'Bone'"),
        ({"hu_offset": 1e9}, "hu_offset"),
        ({"series": 0}, "whole number of 1 or more"),
        ({"only": "PTV"}, "list of text"),
        ({"gantries": (0,)}, "did you mean gantry?"),
    ],
)
def test_options_that_are_wrong(options, word):
    with pytest.raises(UsageError) as caught:
        Options.of(options)
    assert word in str(caught.value)


def test_default_beams():
    assert [g for g, _ in Options().angles()] == [0, 40, 80, 120, 160, 200, 240, 280, 320]
    assert Options(modality="protons").angles() == ((90.0, 0.0), (270.0, 0.0))
    assert Options(gantry=(-90, 360), couch=(10,)).angles() == ((270.0, 10.0), (0.0, 10.0))


def test_what_is_about_dicom_folders_is_refused_elsewhere():
    for name, value in {"series": 1, "plan": 2, "position": "FFS", "fill_gaps": True, "any_frame": True}.items():
        Options.of({name: value}).check_source("dicom")
        with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} is about DICOM folders.*matrad"):
            Options.of({name: value}).check_source("matrad")
    Options().check_source("openkbp")
