"""Find the DICOM files of a folder and sort them by kind; nothing is trusted, and every size is bounded."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tgsci.basics.texts import quote, visible
from tgsci.errors import UsageError

#: Most files looked at, and largest one that is read, bytes.
MOST_FILES, LARGEST = 20_000, 1_500_000_000
_DEFLATED = "1.2.840.10008.1.2.1.99"
_CT, _ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1"
_STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
_PLANS = ("1.2.840.10008.5.1.4.1.1.481.5", "1.2.840.10008.5.1.4.1.1.481.8")
#: Attributes that the first look at a file reads.
_TAGS = [
    "SOPClassUID", "SOPInstanceUID", "Modality", "SeriesInstanceUID", "FrameOfReferenceUID", "PatientID", "PatientName",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns", "PatientPosition",
    "NumberOfFrames", "DoseSummationType",
]  # fmt: skip


@dataclass(frozen=True)
class DicomFile:
    """A DICOM file.

    Args:
        path: Where it is.
        head: Its first few attributes, a pydicom data set.
    """

    path: Path
    head: Any

    @cached_property
    def data(self) -> Any:
        """All of the file, read once; for what is small, not for images.

        Raises:
            UsageError: The file is damaged.
        """
        return read_file(self.path)

    @property
    def label(self) -> str:
        """Its name for messages."""
        return visible(self.path.name[:80])

    def text(self, keyword: str) -> str:
        """Read an attribute as text; "" where it is missing."""
        with guarded(self.label):
            return str(getattr(self.head, keyword, "") or "").strip()


@dataclass
class Series:
    """The slices of one CT.

    Args:
        uid: Its identifier, to compare with.
        files: In no order.
    """

    uid: str
    files: list[DicomFile] = field(default_factory=list)

    @property
    def frame(self) -> str:
        """The frame of reference, to compare with."""
        return self.files[0].text("FrameOfReferenceUID")

    def heights(self) -> list[float]:
        """List the slices' z, ascending, mm, of those that say so."""
        heights = []
        for one in self.files:
            with guarded(one.label):
                position = getattr(one.head, "ImagePositionPatient", None)
                if position is not None and len(position) == 3:
                    heights.append(float(position[2]))
        return sorted(heights)

    def __str__(self) -> str:
        z = self.heights()
        where = f", z from {z[0]:g} to {z[-1]:g} mm" if z else ""
        head = self.files[0].head
        size = f"{getattr(head, 'Columns', '?')} x {getattr(head, 'Rows', '?')}"
        return f"{len(self.files)} slices of {size} pixels{where}"


@dataclass
class Scan:
    """What a folder holds."""

    series: list[Series] = field(default_factory=list)
    structures: list[DicomFile] = field(default_factory=list)
    plans: list[DicomFile] = field(default_factory=list)
    doses: list[DicomFile] = field(default_factory=list)


def scan_folder(folder: Path, say: Callable[[str], None]) -> Scan:
    """Look at every file of a folder and of the folders in it.

    Raises:
        UsageError: No DICOM, no CT, no structure set, a damaged file, or too many.
    """
    if not folder.is_dir():
        raise UsageError(f"{quote(folder, 200)} is no folder")
    paths = list(_paths(folder))
    if len(paths) > 200:
        say(f"looking at {len(paths)} files")
    scan = Scan()
    series: dict[str, Series] = {}
    others: dict[str, int] = {}
    seen: set[str] = set()
    dicom = 0
    for path in paths:
        if not _is_dicom(path):
            if path.suffix.casefold() in (".dcm", ".dicom", ".ima"):
                raise UsageError(
                    f"{visible(path.name[:80])} ends in {visible(path.suffix)} and is no DICOM file; it is empty or "
                    "damaged: export it again, or take it out of the folder"
                )
            continue
        dicom += 1
        one = DicomFile(path, read_file(path, _TAGS))
        kind, instance = one.text("SOPClassUID"), one.text("SOPInstanceUID")
        if not kind:
            raise UsageError(f"{one.label} does not say what it is (no SOPClassUID); it is damaged: export it again")
        if instance and instance in seen:
            continue  # the same file twice, as in a folder beside its own copy
        seen.add(instance)
        if kind == _CT:
            uid = one.text("SeriesInstanceUID")
            series.setdefault(uid, Series(uid)).files.append(one)
        elif kind == _ENHANCED_CT:
            raise UsageError(f"{one.label} is an enhanced (multi-frame) CT, which is not read; export single slices")
        elif kind == _STRUCTURES:
            scan.structures.append(one)
        elif kind == _DOSE:
            scan.doses.append(one)
        elif kind in _PLANS:
            scan.plans.append(one)
        else:
            label = visible(one.text("Modality")[:16]) or "unknown"
            others[label] = others.get(label, 0) + 1
    if not dicom:
        raise UsageError(f"none of the {len(paths)} files in {quote(folder.name, 80)} is DICOM")
    besides = ", ".join(f"{count} of {label}" for label, count in sorted(others.items())[:8])
    besides = f"; besides there are {besides}" if besides else ""
    if not series:
        raise UsageError(f"there is no CT image among the {dicom} DICOM files{besides}; only a CT has Hounsfield units")
    if not scan.structures:
        raise UsageError(f"there is no structure set (RTSTRUCT) among the {dicom} DICOM files{besides}")
    for image in series.values():
        image.files.sort(key=lambda f: (f.text("SOPInstanceUID"), str(f.path)))
    scan.series = sorted(series.values(), key=lambda s: (-len(s.files), s.heights()[:1], s.uid))
    return scan


def read_file(path: Path, tags: list[str] | None = None) -> Any:
    """Read a file as a pydicom data set; where `tags` names attributes, only those.

    Raises:
        UsageError: The file is damaged, too large, or of a kind that unpacks to unknown size.
    """
    import pydicom

    label = visible(path.name[:80])
    if not path.is_file():
        raise UsageError(f"there is no file {label!r}")
    size = path.stat().st_size
    if size > LARGEST:
        raise UsageError(f"{label} has {size / 1e9:.1f} GB; a file of a CT or plan has less than {LARGEST / 1e9:g}")
    with guarded(label):
        bare = not _has_preamble(path)
        if not bare:
            syntax = str(pydicom.filereader.read_file_meta_info(path).get("TransferSyntaxUID", ""))
            if syntax == _DEFLATED:
                raise UsageError(f"{label} is deflated, and what it unpacks to is not known; export it uncompressed")
        if tags is not None:
            return pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(tags), force=bare)
        return pydicom.dcmread(path, force=bare)


@contextmanager
def guarded(label: str) -> Iterator[None]:
    """Turn whatever pydicom meets in a damaged file into one sentence about that file."""
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UsageError:
        raise
    except Exception as error:  # pydicom raises whatever a broken file makes it stumble over
        why = visible(str(error)[:160]).replace("\n", " ")
        fault = f"{type(error).__name__}: {why}"
        raise UsageError(f"{label} is damaged or cut short ({fault}); export it again") from error


def _paths(folder: Path) -> Iterator[Path]:
    count = 0
    for base, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(base) / name
            if not path.is_file() or name.upper() == "DICOMDIR":
                continue
            count += 1
            if count > MOST_FILES:
                raise UsageError(f"more than {MOST_FILES} files; give the folder of one patient")
            yield path


def _has_preamble(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _is_dicom(path: Path) -> bool:
    """Tell whether a file is DICOM: by its mark, or if that is missing by an attribute of group 8 at its beginning."""
    with path.open("rb") as file:
        head = file.read(132)
    if head[128:] == b"DICM":
        return True
    first = (b"\x00\x00", b"\x05\x00", b"\x08\x00", b"\x16\x00")
    return len(head) > 12 and head[:2] == b"\x08\x00" and head[2:4] in first
