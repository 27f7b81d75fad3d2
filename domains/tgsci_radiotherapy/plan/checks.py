"""Whether objectives fit a case: structures that are there, doses in total Gy, something that asks for dose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tgsci.basics.texts import compact
from tgsci.errors import InvalidValue, UsageError

from .objective import Objective

if TYPE_CHECKING:
    from ..case.model import Case, Structure

#: Least and most dose as multiples of the prescription: others are taken for cGy or the dose of one fraction.
LEAST_SHARE, MOST_SHARE = 0.05, 3.0
#: Relative distance from the dose of one fraction within which a target's dose is taken for it.
_PER_FRACTION = 0.15


def with_case_name(objective: Objective, case: Case) -> Objective:
    """Spell an objective's structure as the case has it.

    Raises:
        InvalidValue: There is no such structure; says which are near.
    """
    from dataclasses import replace

    try:
        name = case.structure(objective.structure).name
    except UsageError as error:
        raise InvalidValue(str(error)) from None
    return objective if name == objective.structure else replace(objective, structure=name)


def check_objective(objective: Objective, case: Case) -> None:
    """Refuse an objective that makes no sense on its structure.

    Raises:
        InvalidValue: The objective does not fit the case; says what to change.
    """
    structure = case.structure(objective.structure)
    _check_rows(structure, case)
    if structure.type != "target" and objective.lifts and objective.type != "squared_deviation":
        raise InvalidValue(
            f"{objective.type}{' with an exponent below 0' if objective.type == 'eud' else ''} asks for more dose, and "
            f"{structure.name} is no target; use squared_overdose, mean, max_dvh or eud with an exponent of 1 or more"
        )
    if objective.dose_gy is not None:
        _check_dose(objective, structure, case)


def check_together(objectives: Sequence[Objective], case: Case) -> None:
    """Refuse objectives that make no plan together.

    Raises:
        InvalidValue: An objective stands twice, none counts, or nothing asks for dose in a target.
    """
    places: dict[str, int] = {}
    for number, objective in enumerate(objectives, 1):
        first = places.setdefault(objective.label, number)
        if first != number:
            raise InvalidValue(
                f"objectives {first} and {number} are the same but for the weight ({objective.label}); keep one of them"
            )
    if not any(objective.weight > 0 for objective in objectives):
        raise InvalidValue("every weight is 0; give those that should count a weight above 0")
    targets = [s.name for s in case.targets]
    lifting = [o for o in objectives if o.lifts and case.structure(o.structure).type == "target" and o.dose_gy != 0]
    if any(o.weight > 0 for o in lifting):
        return
    lifting_types = f"squared_deviation or squared_underdose on {' or '.join(targets[:4])}"
    if lifting:
        raise InvalidValue(
            f"what asks for dose in a target ({lifting[0].label}) has weight 0, so the best plan is no dose; "
            "give it a weight above 0"
        )
    raise InvalidValue(f"nothing asks for dose in a target, so the best plan is no dose; add {lifting_types}")


def _check_rows(structure: Structure, case: Case) -> None:
    if case.count_own(structure.name):
        return
    if structure.name not in case.names:
        raise InvalidValue(f"{structure.name} has no voxel on the dose grid; change the region or take it out")
    if not len(structure.voxels):
        raise InvalidValue(f"{structure.name} has no voxel on the dose grid; take its objectives out")
    places = sorted(set(case.owners[case.rows(structure.name)].tolist()))
    owners = " and ".join(case.structures[place].name for place in places[:3])
    raise InvalidValue(
        f"{structure.name} owns no voxel: all of them belong to {owners}, which stands before it in the case's order; "
        f"put the objective on {owners}"
    )


def _check_dose(objective: Objective, structure: Structure, case: Case) -> None:
    dose, name = objective.dose_gy or 0.0, structure.name
    prescription = structure.prescription or case.prescription
    if prescription <= 0:
        return
    if dose == 0 and structure.type != "target":
        return
    against = f"the prescription of {compact(prescription)} Gy"
    if dose > MOST_SHARE * prescription:
        cgy = f"; {compact(dose)} cGy are {compact(dose / 100)} Gy" if dose / 100 <= MOST_SHARE * prescription else ""
        raise InvalidValue(
            f"dose_gy {compact(dose)} on {name} is more than {MOST_SHARE:g} times {against}; doses are total Gy{cgy}"
        )
    fraction = prescription / max(case.fractions, 1)
    of_one = structure.type == "target" and case.fractions > 2 and abs(dose - fraction) <= _PER_FRACTION * fraction
    if dose < LEAST_SHARE * prescription or of_one:
        total = dose * case.fractions
        one = (
            f"; if that is the dose of one fraction, write {compact(total)} ({case.fractions} fractions)"
            if case.fractions > 1 and LEAST_SHARE * prescription <= total <= MOST_SHARE * prescription
            else ""
        )
        nothing = "" if structure.type == "target" else "; for as little as possible write 0"
        how = "is that of about one fraction" if of_one else f"is less than {100 * LEAST_SHARE:g}% of {against}"
        raise InvalidValue(f"dose_gy {compact(dose)} on {name} {how}; doses are total Gy{one}{nothing}")
