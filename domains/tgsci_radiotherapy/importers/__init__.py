"""Cases from elsewhere: a DICOM folder, a matRad file, an OpenKBP folder, pyRadPlan's phantom.

`read(source, kind=None, *, say=..., **options) -> Case` finds out what the source is and reads it. The options are the
fields of `Options`, all of them optional; units are in their names. Where a source brings no dose-influence matrix (all
but matRad files with a `dij`), it is computed, by pyRadPlan where the extra `dose` is installed, else by the built-in
pencil beam, and the case's provenance says by which.

In the order in which to read it: `dicom`, `matrad`, `openkbp` and `pyradplan` each read a source into a `patient`;
`anatomy` settles what its structures are, as `options` say, and finds the `body` where nobody drew it; `assemble` makes
a case of that. `outlines` and `contours` turn polygons into voxels, `masks` moves structures and doses between grids,
`position` turns beams with the patient, `hu_table` reads a scanner's own densities, `mat_file` MATLAB's files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .options import Options

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..case import Case, Grid
    from .anatomy import Anatomy
    from .assemble import SourceDij
    from .patient import Patient

__all__ = ["KINDS", "Options", "compute", "kind_of", "read", "read_patient"]

#: What can be read, and how each is recognised.
KINDS = {
    "dicom": "a folder with a CT series and an RTSTRUCT; RTDOSE and RTPLAN are used where they are there",
    "matrad": "a matRad .mat file with ct and cst, better with dij and pln",
    "openkbp": "an OpenKBP patient's folder: ct.csv, voxel_dimensions.csv, a .csv a structure",
    "pyradplan": "the name tg119: the AAPM TG-119 C-shape phantom that pyRadPlan carries",
}


def read(
    source: str | Path,
    kind: str | None = None,
    *,
    say: Callable[[str], None] = lambda line: None,
    settled: Callable[[Patient, Anatomy], None] | None = None,
    **options: Any,
) -> Case:
    """Read a case from a file, a folder or a name of another program; it is checked and ready to plan.

    Args:
        source: A path, or "tg119".
        kind: One of `KINDS`; recognised where None.
        say: Called with one line before each step that takes more than about two seconds, and with each note: what
            was left out, cut off, guessed. The notes are in the case's provenance too.
        settled: Called once it is clear what the structures are, before any dose is computed: for a picture of them.
        **options: Fields of `Options`.

    Raises:
        UsageError: The source cannot be read, is not safe to plan on, or an option is wrong; it says what to do.
    """
    from .assemble import assemble
    from .hu_table import table_of

    chosen = Options.of(options)
    table_of(chosen)  # a fault there is not to be found after everything was read
    patient, source_dij = read_patient(source, kind, chosen, say)
    return assemble(patient, chosen, say, source_dij, settled)


def read_patient(
    source: str | Path, kind: str | None, options: Options, say: Callable[[str], None] = lambda line: None
) -> tuple[Patient, SourceDij | None]:
    """Read an image with its structures, and the dose-influence matrix where the source brings one.

    Args:
        source: A path, or "tg119".
        kind: One of `KINDS`; recognised where None.
        options: What a person decided.
        say: Called with one line before each step that takes more than about two seconds.

    Raises:
        UsageError: The source cannot be read, or an option is wrong; it says what to do.
    """
    kind = kind_of(source) if kind is None else _known(kind)
    options.check_source(kind)
    if kind == "pyradplan":
        from .pyradplan import phantom

        return phantom(), None
    path = Path(source)
    if kind == "dicom":
        from .dicom import read_dicom

        return read_dicom(path, options, say), None
    if kind == "openkbp":
        from .openkbp import read_openkbp

        return read_openkbp(path, options), None
    from .matrad import read_matrad

    return read_matrad(path, options, say)


def compute(
    hu: ArrayLike,
    grid: Grid,
    masks: Mapping[str, ArrayLike],
    *,
    say: Callable[[str], None] = lambda line: None,
    **options: Any,
) -> Case:
    """Make a case from an image and structures that are arrays already; its dose-influence matrix is computed.

        grid = Grid(hu.shape, spacing=(3, 2, 2), origin=(z0, y0, x0))
        case = compute(hu, grid, {"PTV": ptv, "Cord": cord, "BODY": body}, prescriptions={"PTV": 50}, fractions=25)

    Args:
        hu: Hounsfield units, (z, y, x): z to the head, y to the back, x to the patient's left.
        grid: Of the image and the masks.
        masks: By name, (z, y, x); true, or above 0.5, inside.
        say: As for `read`.
        **options: Fields of `Options`; `prescriptions` and `fractions` are needed.

    Raises:
        UsageError: Something is missing or wrong; it says what to do.
    """
    from .assemble import assemble
    from .patient import patient_of

    chosen = Options.of(options)
    return assemble(patient_of(hu, grid, masks, chosen), chosen, say)


def kind_of(source: str | Path) -> str:
    """Recognise what a source is: one of `KINDS`.

    Raises:
        UsageError: The source does not exist, or is none that can be read.
    """
    from tgsci.basics.texts import quote, shell_word
    from tgsci.errors import UsageError

    path = Path(source)
    label = quote(source, 200)
    if str(source).casefold() in ("tg119", "tg-119") and not path.exists():
        return "pyradplan"
    if not path.exists():
        raise UsageError(f"there is no file or folder {label}; a source is a path, or tg119 for pyRadPlan's phantom")
    if path.is_dir():
        return "openkbp" if any((path / name).is_file() for name in ("ct.csv", "voxel_dimensions.csv")) else "dicom"
    if path.suffix.casefold() == ".mat":
        return "matrad"
    with path.open("rb") as file:
        head = file.read(132)
    if head[:4] == b"PK\x03\x04" and _is_case(path):
        raise UsageError(
            f"{label} is a case of tgsci already; there is nothing to import: use it with --case {shell_word(source)}"
        )
    if head[:4] == b"PK\x03\x04":
        raise UsageError(f"{label} is a zip file; unpack it and give the folder")
    if head[128:] == b"DICM":
        raise UsageError(f"{label} is one DICOM file; give the folder with the CT series and the structure set")
    raise UsageError(f"{label} is none of what can be read: {'; '.join(KINDS.values())}")


def _is_case(path: Path) -> bool:
    """Tell whether a zip file is a case that this package wrote: by its content, or if that is damaged by its name."""
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as members:
            return "zarr.json" in members.namelist()
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        return path.suffix.casefold() == ".zarr"


def _known(kind: str) -> str:
    from tgsci.basics.texts import did_you_mean, quote
    from tgsci.errors import UsageError

    if kind not in KINDS:
        raise UsageError(f"no kind of source {quote(kind)}; {did_you_mean(kind, KINDS)}")
    return kind
