"""Cases as a loss is given them: by name, by path, with other prescriptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tgsci.errors import UsageError

from ..case.model import Case
from ..names import find
from ..planner.recent import Recent
from ..words import shown

_CASES = Recent()


def opened(source: str, prescription: Mapping[str, float]) -> Case:
    """A case by name or path, with other prescriptions.

    Args:
        source: As `case.library.open_case` takes it.
        prescription: Total Gy by target, in place of the case's.

    Raises:
        UsageError: There is none, or no such target.
    """
    from ..case.library import open_case

    key = (source, repr(sorted(prescription.items())))
    case: Case | None = _CASES.get(key)
    if case is None:
        case = prescribed(open_case(source), prescription)
        _CASES.put(key, case)
    return case


def prescribed(case: Case, prescription: Mapping[str, float]) -> Case:
    """A case with other prescriptions.

    Args:
        case: The case.
        prescription: Total Gy by target.

    Raises:
        UsageError: No such target, or a dose that cannot be.
    """
    if not prescription:
        return case
    given: dict[str, float] = {}
    for name, dose in prescription.items():
        found = find(str(name), case.names)
        if case.structure(found).type != "target":
            raise UsageError(
                f"{found} is no target, so it has no prescription; targets: {', '.join(t.name for t in case.targets)}"
            )
        given[found] = between(f"the prescription of {found}", dose, 0.5, 200.0)
    structures = tuple(replace(s, prescription=given.get(s.name, s.prescription)) for s in case.structures)
    return replace(case, structures=structures)


def between(name: str, value: object, low: float, high: float) -> float:
    """A setting as a number in its range.

    Raises:
        UsageError: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError(f"{name} must be a number from {low:g} to {high:g}, not {shown(value)}")
    return float(value)
