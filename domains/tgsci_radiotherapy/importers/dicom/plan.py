"""A plan's prescriptions and fractions; its beams are not used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...names import clean
from .files import DicomFile, Scan, guarded


@dataclass(frozen=True)
class Prescription:
    """What an RTPLAN, or nobody, prescribes.

    Args:
        by_number: Total Gy by ROI number.
        unnamed: Total Gy that is prescribed to no structure, if it is one figure.
        fractions: How many, if it is one figure.
        beams: Numbers of the treatment beams of each plan file, by its instance identifier.
        summary: In words.
        hints: Sentences for a person who has to say the prescription.
    """

    by_number: Mapping[int, float] = field(default_factory=dict)
    unnamed: float | None = None
    fractions: int | None = None
    beams: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    summary: str = ""
    hints: tuple[str, ...] = ()


def read_plan(scan: Scan, structures: DicomFile) -> Prescription:
    """Read the prescription of the plan that refers to a structure set; of several plans, none.

    Raises:
        UsageError: A plan file is damaged.
    """
    plans = []
    for one in scan.plans:
        data = one.data
        with guarded(one.label):
            refers = [
                str(getattr(item, "ReferencedSOPInstanceUID", ""))
                for item in getattr(data, "ReferencedStructureSetSequence", None) or ()
            ]
            if not refers or structures.text("SOPInstanceUID") in refers:
                plans.append((one, *_doses(data), _fractions(data), _beams(data)))
    with guarded(structures.label):
        hints = list(_guesses(structures))
    beams = {one.text("SOPInstanceUID"): numbers for one, _, _, _, numbers in plans}
    if len(plans) > 1:
        hints.append(f"{len(plans)} plans are there; their prescriptions are not used")
        return Prescription(beams=beams, hints=tuple(hints))
    if not plans:
        return Prescription(hints=tuple(hints))
    _, by_number, unnamed, fractions, _ = plans[0]
    doses = sorted({*by_number.values(), *([unnamed] if unnamed else [])}, reverse=True)
    summary = ", ".join(f"{dose:g} Gy" for dose in doses)
    if summary:
        hints.append(f"the plan prescribes {summary}")
        summary = f"RTPLAN: {summary}" + (f" in {fractions} fractions" if fractions else "")
    return Prescription(by_number, unnamed, fractions, beams, summary, tuple(hints))


def _doses(data: Any) -> tuple[dict[int, float], float | None]:
    by_number: dict[int, float] = {}
    unnamed = []
    for item in getattr(data, "DoseReferenceSequence", None) or ():
        if str(getattr(item, "DoseReferenceType", "")).upper() != "TARGET":
            continue
        dose = float(getattr(item, "TargetPrescriptionDose", 0) or 0)
        if not np.isfinite(dose) or not 0 < dose <= 200:
            continue
        number = getattr(item, "ReferencedROINumber", None)
        if number is None:
            unnamed.append(dose)
        else:
            by_number[int(number)] = max(dose, by_number.get(int(number), 0.0))
    return by_number, max(unnamed) if unnamed and not by_number else None


def _fractions(data: Any) -> int | None:
    groups = getattr(data, "FractionGroupSequence", None) or ()
    counts = [int(getattr(group, "NumberOfFractionsPlanned", 0) or 0) for group in groups]
    return counts[0] if len(counts) == 1 and 1 <= counts[0] <= 100 else None


def _beams(data: Any) -> tuple[int, ...]:
    """List the numbers of the beams that the fraction groups give dose with."""
    out = []
    for group in getattr(data, "FractionGroupSequence", None) or ():
        for beam in getattr(group, "ReferencedBeamSequence", None) or ():
            if float(getattr(beam, "BeamMeterset", 1) or 0) > 0:
                out.append(int(beam.ReferencedBeamNumber))
    return tuple(sorted(set(out)))


def _guesses(structures: DicomFile) -> list[str]:
    """Guess prescriptions from targets' names, to suggest them: PTV_7000 is usually 7000 cGy, PTV70 is 70 Gy."""
    data = structures.data
    out = []
    for region in list(getattr(data, "StructureSetROISequence", None) or ())[:300]:
        name = clean(getattr(region, "ROIName", ""))
        figure = re.match(r"(?i)[cp]tv[ _-]*(?:\w*?[ _-])?(\d{4}|\d{2}(?:\.\d)?)(?!\d)", name)
        if figure:
            dose = float(figure[1])
            dose = dose / 100 if dose >= 1000 else dose
            if 10 <= dose <= 90:
                out.append(f"its name suggests {name}={dose:g}")
    return out[:5]
