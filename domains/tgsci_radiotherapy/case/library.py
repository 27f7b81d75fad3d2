"""Cases by name or by file: the built-in ones, calculated when first asked for, and saved ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import isfinite

from tgsci.errors import UsageError
from tgsci.texts import visible

from .kept import keep, kept
from .model import Case, Dij
from .photons import Setup

#: What is built in, a line each.
_BUILT_IN = {
    "cshape": "AAPM TG-119 C-shape: a PTV around a core, water phantom; 50 Gy in 25 fractions, 9 photon beams",
    "prostate": "pelvis of simple shapes: PTV, bladder, rectum, femoral heads; 70.2 Gy in 39 fractions, 7 photon beams",
}
#: A patient further off is not set up at all, mm.
_FURTHEST = 100.0


def case_names() -> dict[str, str]:
    """The built-in cases, with a line about each."""
    return dict(_BUILT_IN)


def open_case(name_or_path: str) -> Case:
    """A built-in case by its name, or a saved one by its path.

    A built-in case takes some seconds the first time; then it is read from the user's cache (TGSCI_CACHE names its
    directory, empty for none), and within a process it is the same object. Do not write into its arrays.

    Args:
        name_or_path: As `case_names` says, or the path of a file that `save` wrote.

    Raises:
        UsageError: Neither; or a file that cannot be read.
    """
    text = str(name_or_path)
    if text in _BUILT_IN:
        return _built_in(text)
    from .store import load

    if text.casefold() in _BUILT_IN:
        raise UsageError(f"no case {text}; did you mean {text.casefold()}?")
    return load(text)


def shifted(name: str, shift_mm: Sequence[float]) -> Dij:
    """What `beams.shifted_dij` gives."""
    if name not in _BUILT_IN:
        raise UsageError(
            f"{visible(str(name))[:40]!r} is no built-in case ({', '.join(_BUILT_IN)}); no other's beams are known"
        )
    try:
        x, y, z = (float(s) for s in shift_mm)
    except (TypeError, ValueError):
        x = y = z = float("nan")
    if not all(isfinite(s) and abs(s) <= _FURTHEST for s in (x, y, z)):
        said = visible(repr(shift_mm))[:80]
        raise UsageError(f"a shift is three figures of at most {_FURTHEST:g} mm, along x, y and z; not {said}")
    return _setup(name).dij((x, y, z))


@cache
def _setup(name: str) -> Setup:
    from . import phantoms

    made: Callable[[], Setup] = {"cshape": phantoms.cshape, "prostate": phantoms.prostate}[name]
    return made()


@cache
def _built_in(name: str) -> Case:
    found = kept(name)
    if found is None:
        found = _setup(name).case()
        keep(name, found)
    return found
