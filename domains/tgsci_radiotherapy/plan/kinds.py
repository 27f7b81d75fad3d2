"""The types of objective: what each penalises, which fields it has, and what the planner can prove about it."""

from __future__ import annotations

from dataclasses import dataclass

#: Weights are 0 or lie between these: below, an objective is lost in rounding; above, the others are.
LEAST_WEIGHT, MOST_WEIGHT = 1e-6, 1e9
#: Largest exponent of a generalised equivalent uniform dose, either sign: beyond, it is the maximum or minimum dose.
MOST_EXPONENT = 50.0
#: No dose is higher, total Gy, whatever the prescription.
MOST_DOSE = 1000.0


@dataclass(frozen=True)
class Kind:
    """A type of objective.

    Args:
        name: As it is written in the parameters.
        formula: What is penalised, over the N voxels that the structure owns; d is their dose, ref `dose_gy`.
        dose: True where it has the field `dose_gy`.
        volume: True where it has the field `volume_percent`.
        exponent: True where it has the field `exponent`.
        convex: True where the planner's bound covers it.
        advice: When to use it.
    """

    name: str
    formula: str
    dose: bool = True
    volume: bool = False
    exponent: bool = False
    convex: bool = True
    advice: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of such an objective, in the order in which they are written."""
        more = (("dose_gy", self.dose), ("volume_percent", self.volume), ("exponent", self.exponent))
        return ("structure", "type", *(name for name, there in more if there), "weight")


#: Every type by its name.
KINDS = {
    kind.name: kind
    for kind in (
        Kind("squared_deviation", "w/N sum (d - ref)^2", advice="a uniform dose in a target"),
        Kind("squared_overdose", "w/N sum max(d - ref, 0)^2", advice="a maximum dose, in organs, body or target"),
        Kind("squared_underdose", "w/N sum max(ref - d, 0)^2", advice="a minimum dose in a target"),
        Kind("mean", "w * Dmean", dose=False, advice="a low mean dose of an organ"),
        Kind(
            "eud",
            "w * max(gEUD - ref, 0)^2 where exponent a >= 1; w * max(ref - gEUD, 0)^2 where a < 0; "
            "gEUD = (1/N sum d^a)^(1/a)",
            exponent=True,
            advice="an organ's equivalent dose (a near 1: mean, a of 8 or more: the hot part); a < 0 for targets",
        ),
        Kind(
            "max_dvh",
            "w/N sum (d - ref)^2 over the voxels above ref, up to the dose that volume_percent of the volume gets",
            volume=True,
            convex=False,
            advice="at most volume_percent of an organ above ref",
        ),
        Kind(
            "min_dvh",
            "w/N sum (ref - d)^2 over the voxels below ref, down to the dose that volume_percent of the volume gets",
            volume=True,
            convex=False,
            advice="at least volume_percent of a target above ref",
        ),
    )
}

#: What other systems and people call the types and the fields.
TYPE_HINTS = {
    "max_dose": "squared_overdose",
    "dmax": "squared_overdose",
    "min_dose": "squared_underdose",
    "dmin": "squared_underdose",
    "uniform_dose": "squared_deviation",
    "mean_dose": "mean",
    "dmean": "mean",
    "geud": "eud",
    "square_overdosing": "squared_overdose",
    "square_underdosing": "squared_underdose",
    "dvh_max": "max_dvh",
    "dvh_min": "min_dvh",
}
FIELD_HINTS = {
    "dose": "dose_gy",
    "dose_cgy": "dose_gy (in Gy)",
    "d_ref": "dose_gy",
    "d_max": "dose_gy",
    "d_min": "dose_gy",
    "reference": "dose_gy",
    "priority": "weight",
    "penalty": "weight",
    "importance": "weight",
    "volume": "volume_percent",
    "v_max": "volume_percent",
    "v_min": "volume_percent",
    "a": "exponent",
    "k": "exponent",
    "organ": "structure",
    "roi": "structure",
    "voi": "structure",
    "name": "structure",
    "objective": "type",
    "kind": "type",
}
