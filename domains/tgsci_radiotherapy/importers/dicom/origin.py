"""Whose scan it is, told by check sums: they tell two scans or two patients apart, and lead to neither.

A case keeps no identifier. Of the frame of reference, a random number of up to 64 digits that a scan and all that is
planned on it share, it keeps 64 bits of a SHA-256; of the patient's number, which could be found by trying all numbers,
16 bits only: another patient has the same once in 65,536 times.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from ...case.model import Case

if TYPE_CHECKING:
    from .files import DicomFile, Series


def check_sum(text: str, digits: int = 16) -> str:
    """Sum up a text in so many hexadecimal digits."""
    return sha256(f"tgsci {text.strip().casefold()}".encode()).hexdigest()[:digits]


def patient_sum(file: DicomFile) -> str:
    """Sum up the patient's number; "" where there is none."""
    return check_sum(file.text("PatientID"), 4) if file.text("PatientID") else ""


def same_patient(one: DicomFile, other: DicomFile) -> bool:
    """Tell whether two files can be of one patient: not where both say who it is and do not agree."""
    for keyword in ("PatientID", "PatientName"):
        mine, theirs = one.text(keyword), other.text(keyword)
        if mine and theirs and _plain(mine) != _plain(theirs):
            return False
    return True


def _plain(text: str) -> str:
    """Leave out what programs write differently: case, empty parts of a name at its end, spaces."""
    return " ".join(text.casefold().rstrip("^= ").split())


def origin_of(series: Series) -> Mapping[str, str]:
    """Sum up what a case is to know of the scan that it is made from."""
    found = {"frame": check_sum(series.frame) if series.frame else "", "patient": patient_sum(series.files[0])}
    return {key: value for key, value in found.items() if value}


def frame_of_file(head: Any) -> str:
    """Find the frame of reference of an image or a dose, or of what a structure set was drawn on; "" if none."""
    frame = str(getattr(head, "FrameOfReferenceUID", "") or "")
    for item in getattr(head, "ReferencedFrameOfReferenceSequence", None) or ():
        frame = frame or str(getattr(item, "FrameOfReferenceUID", "") or "")
    return frame


def frame_of_case(case: Case) -> str:
    """Make the frame of reference of files that are written of a case without a patient: its image gives it."""
    from pydicom.uid import generate_uid

    image, grid = (case.ct, case.ct_grid) if case.ct is not None else (case.structures[-1].voxels, case.grid)
    place = repr([[float(v) for v in part] for part in (grid.shape, grid.spacing, grid.origin)]) if grid else ""
    return str(generate_uid(entropy_srcs=[place, sha256(np.ascontiguousarray(image).data).hexdigest()]))
