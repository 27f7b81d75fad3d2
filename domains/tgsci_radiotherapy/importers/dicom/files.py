"""Find the DICOM files of a folder and sort them by kind; nothing is trusted, and every size is bounded."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.basics.texts import quote, visible
from tgsci.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Most files looked at, and largest one that is read, bytes.
MOST_FILES, LARGEST = 20_000, 1_500_000_000
#: Most that a deflated file may unpack to, bytes.
MOST_UNPACKED = 400_000_000
#: So many slices that each are a series of their own, and fit together, are one.
_ENOUGH = 4
_DEFLATED, _DIRECTORY = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.3.10"
_CT = "1.2.840.10008.5.1.4.1.1.2"
#: Multi-frame CT: Enhanced CT Image Storage, Legacy Converted Enhanced CT Image Storage.
ENHANCED_CT = ("1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")
_STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
_PLANS = ("1.2.840.10008.5.1.4.1.1.481.5", "1.2.840.10008.5.1.4.1.1.481.8")
#: What a file is that says its modality only.
_BY_MODALITY = {"CT": _CT, "RTSTRUCT": _STRUCTURES, "RTDOSE": _DOSE, "RTPLAN": _PLANS[0]}
#: Attributes that the first look at a file reads.
_TAGS = [
    "SOPClassUID", "SOPInstanceUID", "Modality", "SeriesInstanceUID", "FrameOfReferenceUID", "PatientID", "PatientName",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns", "PatientPosition",
    "NumberOfFrames", "DoseSummationType", "InstanceNumber", "SliceLocation", "ImageType", "AcquisitionNumber",
    "PatientOrientationCodeSequence", "PatientGantryRelationshipCodeSequence", "ReferencedRTPlanSequence",
    "DoseUnits", "DoseType",
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

    @property
    def frames(self) -> int:
        """How many images are in it, as it says."""
        with guarded(self.label):
            return int(getattr(self.head, "NumberOfFrames", 1) or 1)

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
        size = " x ".join(self.files[0].text(keyword) or "?" for keyword in ("Columns", "Rows"))
        return f"{sum(one.frames for one in self.files)} slices of {size} pixels{where}"


@dataclass
class Scan:
    """What a folder holds.

    Args:
        series: The CT series, the longest first.
        structures: Structure sets.
        plans: Plans, of photons and of ions.
        doses: RTDOSE files.
        notes: What was not read, a sentence each; without names of files, which are often patients'.
    """

    series: list[Series] = field(default_factory=list)
    structures: list[DicomFile] = field(default_factory=list)
    plans: list[DicomFile] = field(default_factory=list)
    doses: list[DicomFile] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def scan_folder(folder: Path, say: Callable[[str], None]) -> Scan:
    """Look at every file of a folder and of the folders in it; what is no DICOM, or not needed, is said and left out.

    Raises:
        UsageError: No DICOM, no CT, no structure set, a damaged file, or too many.
    """
    if not folder.is_dir():
        raise UsageError(f"{quote(folder, 200)} is no folder")
    paths = list(_paths(folder))
    if len(paths) > 200:
        say(f"looking at {len(paths)} files")
    scan = Scan()
    series: dict[tuple[str, bool], Series] = {}
    others: dict[str, int] = {}
    seen: set[str] = set()
    strangers: list[Path] = []
    dicom = localizers = 0
    for path in paths:
        one = _look(path)
        if one is None:
            strangers.append(path)
            continue
        dicom += 1
        kind, instance = _kind(one), one.text("SOPInstanceUID")
        if kind == _DIRECTORY or (instance and instance in seen):
            continue  # an index, or the same file twice, as in a folder beside its own copy
        seen.add(instance)
        if kind == _CT or kind in ENHANCED_CT:
            if _is_localizer(one):
                localizers += 1
                continue
            key = one.text("SeriesInstanceUID"), kind != _CT
            series.setdefault(key, Series(key[0])).files.append(one)
        elif kind == _STRUCTURES:
            scan.structures.append(one)
        elif kind == _DOSE and not one.text("Rows"):
            others["RTDOSE without a grid"] = others.get("RTDOSE without a grid", 0) + 1  # histograms, or isodoses
        elif kind == _DOSE:
            scan.doses.append(one)
        elif kind in _PLANS:
            scan.plans.append(one)
        else:
            label = visible(one.text("Modality")[:16]) or "unknown kind"
            others[label] = others.get(label, 0) + 1
    listed = _listed(strangers)
    if not dicom:
        raise UsageError(
            f"none of the {len(paths)} files in {quote(folder.name, 80)} is DICOM{f' ({listed})' if listed else ''}"
        )
    if strangers:
        say(f"not DICOM, and left out: {listed}")
        scan.notes.append(f"{len(strangers)} of the folder's files are no DICOM and were not read")
    besides = ", ".join(f"{count} of {label}" for label, count in sorted(others.items())[:8])
    if besides:
        scan.notes.append(f"files of other kinds were not read: {besides}")
    if localizers:
        scan.notes.append(f"{localizers} localizer (scout) image(s) were left out")
    besides = (f"; besides there are {besides}" if besides else "") + (f"; not DICOM: {listed}" if listed else "")
    if not series:
        raise UsageError(f"there is no CT image among the {dicom} DICOM files{besides}; only a CT has Hounsfield units")
    if not scan.structures:
        raise UsageError(f"there is no structure set (RTSTRUCT) among the {dicom} DICOM files{besides}")
    found = _joined(list(series.values()), scan.notes)
    for image in found:
        image.files.sort(key=lambda f: (f.text("SOPInstanceUID"), str(f.path)))
    scan.series = sorted(found, key=lambda s: (-sum(f.frames for f in s.files), s.heights()[:1], s.uid))
    return scan


def _joined(series: list[Series], notes: list[str]) -> list[Series]:
    """Join slices that each name a series of their own, as some programs that remove names write them."""
    alone: dict[tuple[str, ...], list[Series]] = {}
    for one in series:
        if len(one.files) == 1 and one.files[0].frames == 1:
            same = ("FrameOfReferenceUID", "PatientID", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns")
            alone.setdefault(tuple(one.files[0].text(keyword) for keyword in same), []).append(one)
    out = [one for one in series if len(one.files) > 1 or one.files[0].frames > 1]
    for group in alone.values():
        first = group[0]
        if len(group) >= _ENOUGH:
            first = Series(first.uid, [file for one in group for file in one.files])
            notes.append(f"{len(group)} CT slices name a series of their own each; they were taken for one series")
            group = [first]
        out += group
    return out


def dicom_files(folder: Path) -> Iterator[DicomFile]:
    """Look at the DICOM files of a folder and of the folders in it.

    Raises:
        UsageError: A damaged file, or too many.
    """
    for path in _paths(folder):
        one = _look(path)
        if one is not None:
            yield one


def _look(path: Path) -> DicomFile | None:
    """Read the first attributes of a file; None where it is no DICOM.

    Raises:
        UsageError: The file has DICOM's mark and is damaged, or too large.
    """
    try:
        marked, likely = _has_preamble(path), _begins_like_dicom(path)
    except OSError as error:
        raise UsageError(f"{visible(path.name[:80])} cannot be read: {error.strerror or error}") from None
    if not marked and not likely:
        return None
    try:
        one = DicomFile(path, read_file(path, _TAGS))
        # A file that is cut short after its header still says what it was to be.
        known = _kind(one) == _DIRECTORY or (bool(_kind(one)) and len(one.head) > 0)
    except UsageError:
        if marked:
            raise
        return None
    if not known and marked:
        raise UsageError(
            f"{one.label} does not say what it is (no SOPClassUID) or is cut short; export it again, or take it out"
        )
    return one if known else None


def _kind(one: DicomFile) -> str:
    """Find the SOP class of a file: in its data, else in its header, else by its modality."""
    with guarded(one.label):
        header = getattr(one.head, "file_meta", None)
        of_header = str(getattr(header, "MediaStorageSOPClassUID", "") or "")
    # Of a file that is cut short in its header, the class may be cut short as well.
    of_header = of_header if of_header in (_CT, *ENHANCED_CT, _STRUCTURES, _DOSE, *_PLANS, _DIRECTORY) else ""
    return one.text("SOPClassUID") or of_header or _BY_MODALITY.get(one.text("Modality").upper(), "")


def _is_localizer(one: DicomFile) -> bool:
    with guarded(one.label):
        kinds = getattr(one.head, "ImageType", None) or ()
        return "LOCALIZER" in [str(kind).upper() for kind in ([kinds] if isinstance(kinds, str) else kinds)]


def _listed(paths: list[Path]) -> str:
    """Name the first few files."""
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    return ", ".join(visible(path.name[:60]) for path in paths[:5]) + more


def read_file(path: Path, tags: Sequence[str | int] | None = None) -> Any:
    """Read a file as a pydicom data set; where `tags` names attributes, only those.

    A file without a header, or without one that says how it is written, gets the header that it should have.

    Raises:
        UsageError: The file is damaged, or larger, also unpacked, than a file of a CT or plan is.
    """
    import pydicom
    from pydicom.dataset import FileMetaDataset

    label = visible(path.name[:80])
    if not path.is_file():
        raise UsageError(f"there is no file {label!r}")
    size = path.stat().st_size
    if size > LARGEST:
        raise UsageError(f"{label} has {size / 1e9:.1f} GB; a file of a CT or plan has less than {LARGEST / 1e9:g}")
    with guarded(label):
        source = _unpacked(path, label) if _has_preamble(path) else path
        only: Any = None if tags is None else list(tags)
        data = pydicom.dcmread(source, stop_before_pixels=only is not None, specific_tags=only, force=True)
        header = getattr(data, "file_meta", None)
        if header is None:
            header = data.file_meta = FileMetaDataset()
        if not header.get("TransferSyntaxUID"):
            implicit, little = data.original_encoding
            endian = pydicom.uid.ExplicitVRLittleEndian if little else pydicom.uid.ExplicitVRBigEndian
            header.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian if implicit else endian
        return data


def _unpacked(path: Path, label: str) -> Path | BytesIO:
    """Unpack a deflated file, within bounds, since it may unpack to a thousand times its size; others stay on disk.

    Raises:
        UsageError: It unpacks to more than `MOST_UNPACKED`.
    """
    import zlib

    from pydicom.filereader import read_dataset

    with path.open("rb") as file:
        file.seek(132)
        header = read_dataset(file, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2)
        if str(header.get("TransferSyntaxUID", "")) != _DEFLATED:
            return path
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        content = inflate.decompress(file.read(), MOST_UNPACKED)
    if inflate.unconsumed_tail:
        most = f"{MOST_UNPACKED / 1e6:g} MB"
        raise UsageError(f"{label} is deflated and unpacks to more than {most}; export it uncompressed")
    if not inflate.eof:
        raise UsageError(f"{label} is deflated and cut short; export it again")
    return BytesIO(content)


def figures(data: Any, keyword: str, count: int) -> NDArray[np.float64] | None:
    """Read so many numbers of an attribute; None where it is missing, of another length, or no finite numbers."""
    values = getattr(data, keyword, None)
    if values is None or isinstance(values, str) or np.ndim(values) != 1 or len(values) != count:
        return None
    out = np.array([float(v) for v in values], np.float64)
    return out if np.isfinite(out).all() else None


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


def _begins_like_dicom(path: Path) -> bool:
    """Tell whether a file without DICOM's mark begins with an attribute of group 2 or 8."""
    with path.open("rb") as file:
        head = file.read(12)
    if len(head) < 12:
        return False
    for order in ("<", ">"):
        group, _ = struct.unpack(f"{order}HH", head[:4])
        if group in (2, 8):
            explicit = head[4:6].isalpha() and head[4:6].isupper()
            (length,) = struct.unpack(f"{order}I", head[4:8])
            return explicit or (order == "<" and 0 < length <= 1024)
    return False
