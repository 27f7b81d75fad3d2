"""Cases by name or by path: the built-in ones, calculated when first asked for and then cached, and saved ones."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from functools import cache
from math import isfinite
from pathlib import Path

from tgsci.basics.files import CACHE_VARIABLE, cache_directory, source_digest
from tgsci.basics.texts import literal, quote
from tgsci.errors import UsageError

from . import phantoms
from .archive import path_text
from .beams.influence import Setup
from .model import Case, Dij
from .store import load, save

#: Each built-in case with a line about it.
_BUILT_IN = {
    "cshape": "AAPM TG-119 C-shape: a PTV around a core, water phantom; 50 Gy in 25 fractions, 9 photon beams",
    "prostate": "pelvis of simple shapes: PTV, bladder, rectum, femoral heads; 70.2 Gy in 39 fractions, 7 photon beams",
    "headneck": "head and neck of simple shapes: three target levels around the cord, 70, 63 and 56 Gy; "
    "70 Gy in 35 fractions, 7 photon beams",
}
#: Largest shift, mm: nobody treats a patient who lies further off.
_FURTHEST = 100.0

_log = logging.getLogger("tgsci.radiotherapy")


def case_names() -> dict[str, str]:
    """List the built-in cases, with a line about each."""
    return dict(_BUILT_IN)


def open_case(name_or_path: str) -> Case:
    """Open a built-in case by its name, or a saved one by its path.

    A built-in case takes some seconds the first time; then it is read from the user's cache (TGSCI_CACHE names its
    directory, empty for none), and within a process it is the same object. Do not write into its arrays.

    Args:
        name_or_path: As `case_names` says, or the path of a file that `save` wrote.

    Raises:
        UsageError: Neither; or a file that cannot be read.
    """
    text = str(name_or_path)
    if text in _BUILT_IN:
        return built_in_case(text)
    if text.casefold() in _BUILT_IN:
        raise UsageError(f"no case {text}; did you mean {text.casefold()}?")
    if not _exists(text):
        raise UsageError(
            f"no file {path_text(Path(text))}, and no built-in case of that name; built in are {', '.join(_BUILT_IN)}"
        )
    return load(text)


def shifted_dij(name: str, shift_mm: Sequence[float], density: float = 1.0) -> Dij:
    """Calculate the dij of a built-in case with the patient moved or denser, the beams and bixels staying as planned.

    The rows are the same voxels of the patient as those of `open_case(name)`, in the same order, so that a plan's
    fluence gives the dose that the shifted patient gets.

    Args:
        name: Of a built-in case.
        shift_mm: How far the patient moves along (x, y, z), mm: to the left, to the back, to the head.
        density: What every electron density is multiplied by.

    Raises:
        UsageError: No such case, or a shift that is not three finite numbers.
    """
    if name not in _BUILT_IN:
        raise UsageError(f"{quote(name)} is no built-in case ({', '.join(_BUILT_IN)}); no other's beams are known")
    try:
        x, y, z = (float(s) for s in shift_mm)
    except (TypeError, ValueError):
        x = y = z = float("nan")
    if not all(isfinite(s) and abs(s) <= _FURTHEST for s in (x, y, z)):
        raise UsageError(
            f"a shift is three figures of at most {_FURTHEST:g} mm, along x, y and z; not {literal(shift_mm)}"
        )
    return built_in_setup(name).dij((x, y, z), density)


def _exists(path: str) -> bool:
    try:
        os.stat(path)
    except (FileNotFoundError, ValueError):  # ValueError: no path has a null character in it
        return False
    except OSError:
        return True  # `load` says why it cannot be read
    return True


@cache
def built_in_setup(name: str) -> Setup:
    """Make what a built-in case is calculated from."""
    made: dict[str, Callable[[], Setup]] = {
        "cshape": phantoms.cshape,
        "prostate": phantoms.prostate,
        "headneck": phantoms.headneck,
    }
    return made[name]()


@cache
def built_in_case(name: str) -> Case:
    """Read a built-in case from the cache, or calculate it."""
    path = _cache_path(name)
    case = _read_cache(name, path) if path is not None and path.is_file() else None
    if case is None:
        case = built_in_setup(name).case()
        if path is not None:
            _write_cache(name, case, path)
    return case


def _read_cache(name: str, path: Path) -> Case | None:
    try:
        return load(path)
    except (UsageError, OSError) as error:
        _log.warning("%s in the cache is not used, and calculated again (%s)", name, error)
        return None


def _write_cache(name: str, case: Case, path: Path) -> None:
    """Put a case into the cache, in place of what earlier code calculated."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save(case, path, overwrite=True)
        for other in path.parent.glob(f"{name}-*.zarr"):
            if other != path:
                other.unlink(missing_ok=True)
    except (UsageError, OSError) as error:
        hint = f"set {CACHE_VARIABLE} to nothing for no cache"
        _log.warning("%s is not kept in the cache (%s), but calculated each time; %s", name, error, hint)


def _cache_path(name: str) -> Path | None:
    """Say where a case is cached: the name tells the source that calculated it, since other code makes another case."""
    directory = cache_directory()
    return directory / "radiotherapy" / f"{name}-{source_digest(Path(__file__).parent)}.zarr" if directory else None
