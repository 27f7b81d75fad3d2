"""A plan's prescriptions and fractions; its beams are only counted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tgsci.errors import UsageError

from ...names import clean, folded
from ..options import Options
from .files import DicomFile, Scan, Series, guarded
from .origin import same_patient

#: Highest dose that is believed to be Gy, and highest that is then believed to be cGy.
_GY, _CGY = 200.0, 20_000.0


@dataclass(frozen=True)
class Prescription:
    """What an RTPLAN, or nobody, prescribes.

    Args:
        by_number: Total Gy by ROI number.
        unnamed: Total Gy that is prescribed to no structure, if it is one figure.
        fractions: How many, if it is one figure.
        beams: Numbers of the treatment beams of each plan file, by its instance identifier.
        uid: Instance identifier of the plan that prescribes; "" where none does.
        summary: In words.
        hints: Sentences for a person who has to say the prescription.
        notes: Sentences for everybody.
    """

    by_number: Mapping[int, float] = field(default_factory=dict)
    unnamed: float | None = None
    fractions: int | None = None
    beams: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    uid: str = ""
    summary: str = ""
    hints: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Plan:
    """One plan file."""

    file: DicomFile
    uid: str
    by_number: Mapping[int, float]
    unnamed: float | None
    fractions: int | None
    beams: tuple[int, ...]
    approved: bool
    hints: tuple[str, ...]

    @property
    def doses(self) -> list[float]:
        """What it prescribes, Gy, the highest first."""
        return sorted({*self.by_number.values(), *([self.unnamed] if self.unnamed else [])}, reverse=True)

    def __str__(self) -> str:
        doses = ", ".join(f"{dose:g} Gy" for dose in self.doses) or "no dose to a target"
        return doses + (f" in {self.fractions} fractions" if self.fractions else "")


def read_plan(scan: Scan, structures: DicomFile, series: Series, options: Options) -> Prescription:
    """Read the prescription of the plan that was made for a structure set.

    Of several plans it is the one that a person says, else the one whose dose is there, else the only approved one,
    else whichever if all prescribe the same; else none.

    Raises:
        UsageError: A plan file is damaged, or there is no plan of the number that a person says.
    """
    with guarded(structures.label):
        hints = list(_guesses(structures))
        names = _numbers(structures)
    plans = []
    others = 0
    for one in sorted(scan.plans, key=lambda file: str(file.path)):
        if not same_patient(one, series.files[0]) or not _made_for(one, structures):
            others += 1
            continue
        with guarded(one.label):
            plans.append(_read(one, names))
    notes = [f"{others} plan(s) of other structure sets or patients were not read"] if others else []
    beams = {plan.uid: plan.beams for plan in plans}
    if options.plan is not None:
        if options.plan > len(plans):
            raise UsageError(f"plan is {options.plan}; there are {len(plans)} made for this structure set")
        plans = [plans[options.plan - 1]]
    chosen, how = _choose(plans, scan)
    if chosen is None:
        if plans:
            listed = "; ".join(f"{n}: {plan}" for n, plan in enumerate(plans, start=1))
            hints.append(f"{len(plans)} plans are there and none is used; choose with --plan: {listed[:600]}")
        return Prescription(beams=beams, hints=tuple(hints), notes=tuple(notes))
    if how:
        notes.append(f"{len(plans)} plans are there; the prescriptions are those of {how}")
    summary = ""
    if chosen.doses:
        hints.append(f"the plan prescribes {', '.join(f'{dose:g} Gy' for dose in chosen.doses)}")
        summary = f"RTPLAN: {chosen}"
    return Prescription(
        chosen.by_number,
        chosen.unnamed,
        chosen.fractions,
        beams,
        chosen.uid,
        summary,
        (*hints, *chosen.hints),
        tuple(notes),
    )


def _made_for(one: DicomFile, structures: DicomFile) -> bool:
    """Tell whether a plan was made for a structure set, as far as it says."""
    with guarded(one.label):
        refers = [
            str(getattr(item, "ReferencedSOPInstanceUID", ""))
            for item in getattr(one.data, "ReferencedStructureSetSequence", None) or ()
        ]
        return not refers or structures.text("SOPInstanceUID") in refers


def _read(one: DicomFile, names: Mapping[str, int]) -> _Plan:
    by_number, unnamed, hints = _doses(one.data, names)
    groups = list(getattr(one.data, "FractionGroupSequence", None) or ())
    counts = [int(getattr(group, "NumberOfFractionsPlanned", 0) or 0) for group in groups]
    fractions = counts[0] if len(counts) == 1 and 1 <= counts[0] <= 100 else None
    if len(counts) > 1:
        hints.append(f"the plan has {len(counts)} fraction groups, of {', '.join(map(str, counts[:6]))} fractions")
    approved = str(getattr(one.data, "ApprovalStatus", "")).upper() == "APPROVED"
    uid = one.text("SOPInstanceUID")
    return _Plan(one, uid, by_number, unnamed, fractions, _beams(groups), approved, tuple(hints))


def _choose(plans: Sequence[_Plan], scan: Scan) -> tuple[_Plan | None, str]:
    """Choose the plan that prescribes, and say why it if there were several."""
    if len(plans) <= 1:
        return (plans[0] if plans else None), ""
    of_dose = set()
    for dose in scan.doses:
        with guarded(dose.label):
            for item in getattr(dose.head, "ReferencedRTPlanSequence", None) or ():
                of_dose.add(str(getattr(item, "ReferencedSOPInstanceUID", "")))
    for those, how in (
        ([plan for plan in plans if plan.uid in of_dose], "the one whose dose is there"),
        ([plan for plan in plans if plan.approved], "the only approved one"),
    ):
        if len(those) == 1:
            return those[0], how
    if all((plan.by_number, plan.unnamed, plan.fractions) == _same(plans[0]) for plan in plans):
        return plans[0], "all of them, which are the same"
    return None, ""


def _same(plan: _Plan) -> tuple[Mapping[int, float], float | None, int | None]:
    return plan.by_number, plan.unnamed, plan.fractions


def _doses(data: Any, names: Mapping[str, int]) -> tuple[dict[int, float], float | None, list[str]]:
    """Read the doses of targets by ROI number, the one of no structure, and hints on what could not be used.

    A dose reference that names no structure by number may do so by its description, as some systems export it.
    """
    by_number: dict[int, float] = {}
    unnamed, hints = [], []
    for item in getattr(data, "DoseReferenceSequence", None) or ():
        if str(getattr(item, "DoseReferenceType", "")).upper() != "TARGET":
            continue
        dose = float(getattr(item, "TargetPrescriptionDose", 0) or 0)
        if _GY < dose <= _CGY:
            hints.append(f"the plan prescribes {dose:g}, and DICOM's unit is Gy; if it is cGy, say {dose / 100:g} Gy")
        if not np.isfinite(dose) or not 0 < dose <= _GY:
            continue
        number = getattr(item, "ReferencedROINumber", None)
        if number in (None, ""):
            number = names.get(folded(clean(getattr(item, "DoseReferenceDescription", ""))))
        if number is None:
            unnamed.append(dose)
        else:
            by_number[int(number)] = max(dose, by_number.get(int(number), 0.0))
    return by_number, max(unnamed) if unnamed and not by_number else None, hints


def _numbers(structures: DicomFile) -> dict[str, int]:
    """List the ROI numbers by name; names that clean to nothing, or are there twice, name nobody."""
    found: dict[str, list[int]] = {}
    for region in list(getattr(structures.data, "StructureSetROISequence", None) or ())[:2000]:
        found.setdefault(folded(clean(getattr(region, "ROIName", ""))), []).append(int(region.ROINumber))
    return {name: numbers[0] for name, numbers in found.items() if name and len(numbers) == 1}


def _beams(groups: Sequence[Any]) -> tuple[int, ...]:
    """List the numbers of the beams that the fraction groups give dose with."""
    out = []
    for group in groups:
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
