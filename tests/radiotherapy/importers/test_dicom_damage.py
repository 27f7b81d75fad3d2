"""Files damaged at random: an import gives a patient or one sentence, soon, and never a traceback."""

from __future__ import annotations

import shutil
import time

import numpy as np
import pydicom
import pytest

from tests.radiotherapy.dicom_folder import Folder, lopsided, usual_folder
from tgsci.errors import UsageError
from tgsci_radiotherapy.importers import Options
from tgsci_radiotherapy.importers.dicom import read_dicom

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:pydicom.*"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
ODD = ["", "nan", "inf", "1e400", "-1", "0", "999999999", "abc", "1\\2", "1e-300", "4294967296", "\uff11\uff12"]
KINDS = ["US", "SS", "UL", "FD", "DS", "IS", "SQ", "OB", "AT", "LO", "UN"]


def places(data, found=None):
    """Every attribute but the pixels, with the data set that it is in."""
    found = [] if found is None else found
    for element in data:
        if element.tag != 0x7FE00010:
            found.append((data, element.tag))
        if element.VR == "SQ":
            for item in element.value[:2]:
                places(item, found)
    return found


def damage_value(path, rng) -> str:
    """Take an attribute away, or give it another value or another kind of value."""
    data = pydicom.dcmread(path)
    inner, tag = (found := places(data))[rng.integers(len(found))]
    what = rng.integers(4)
    try:
        if what == 0:
            del inner[tag]
        elif what == 1:
            inner[tag] = pydicom.DataElement(tag, "UN", ODD[rng.integers(len(ODD))].encode())
        elif what == 2:
            inner[tag] = pydicom.DataElement(tag, KINDS[rng.integers(len(KINDS))], int(rng.integers(65_536)))
        else:
            inner[tag].value = list(np.atleast_1d(inner[tag].value)) * 2
        data.save_as(path)
    except (TypeError, ValueError, AttributeError, OverflowError, NotImplementedError, OSError):
        return "nothing"  # pydicom would not write that
    return f"{path.name}, {pydicom.datadict.keyword_for_tag(tag)}, {what}"


def damage_bytes(path, rng) -> str:
    """Cut a file short, change some bytes, or write a length of 2 GB into its header."""
    content = bytearray(path.read_bytes())
    what = rng.integers(3)
    if what == 0:
        content = content[: rng.integers(len(content))]
    elif what == 1:
        for place in rng.integers(len(content), size=20):
            content[place] = rng.integers(256)
    else:
        place = rng.integers(132, min(len(content), 1500))
        content[place : place + 4] = b"\xff\xff\xff\x7f"
    path.write_bytes(bytes(content))
    return f"{path.name}, bytes, {what}"


@pytest.mark.slow
@pytest.mark.parametrize("damage", [damage_value, damage_bytes])
@pytest.mark.parametrize("kind", ["single slices", "multi-frame"])
def test_damage_is_one_sentence(tmp_path, damage, kind):
    whole = usual_folder(tmp_path / "whole")
    if kind == "multi-frame":
        for path in whole.path.glob("ct*"):
            path.unlink()
        whole.enhanced_ct(lopsided)
    rng = np.random.default_rng(11)
    names = sorted(path.name for path in whole.path.iterdir())
    refused = 0
    for _ in range(40):
        broken = Folder(tmp_path / "broken")
        shutil.copytree(whole.path, broken.path, dirs_exist_ok=True)
        done = damage(broken.path / names[rng.integers(len(names))], rng)
        start = time.process_time()
        try:
            made = read_dicom(broken.path, Options(), lambda line: None)
        except UsageError as error:
            refused += 1
            assert len(str(error)) < 1500, done  # noqa: PT017
        else:
            assert made.hu.dtype == np.int16
            assert made.hu.shape == made.grid.shape
        assert time.process_time() - start < 10, done
    assert refused >= 3  # the damage was some
