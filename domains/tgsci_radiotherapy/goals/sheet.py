"""Sheets of clinical goals: TOML files that people write, and the ones that come with the package.

    title = "Prostate, 70.2 Gy"
    source = "RTOG 0126 (2002)"            # where the figures come from
    fractions = 39                         # optional
    implied = false                        # optional: without the goals that clinics mean without saying (`implied`)
    goals = [
      "PTV D95% >= 70.2 Gy, priority 1",
      "PTV D2% <= 107%, priority 1, tolerance 1%",     # a dose in % is of the prescription
      "Rectum V60Gy <= 50%, priority 2",
      { goal = "Bladder V65Gy <= 50%", priority = 2, note = "QUANTEC" },
      "[external] Dmax <= 110%",                       # the body's outline, whatever its name
      "Femur_Head_L V50Gy <= 10%, priority 3, optional",
    ]

    [prescription]                         # total Gy of each target; a case that prescribes otherwise is refused
    PTV = 70.2

    [structures]                           # other names of the structures, spelling apart
    Femur_Head_L = ["Left femoral head", "Femur Left"]

The keys of the first part stand before the first [table]: that is TOML. `optional = true` there holds for every goal.
A goal's metric is one of `metrics`; after it come the limit and, after commas, `priority` (1 to 4, 1 unless said),
`tolerance` (in the limit's unit: missing a goal by no more is "tolerance", not "fail") and `optional` (a case without
the structure is no fault). `[targets]` stands for each target of the case with its own prescription. In place of a
structure's name a region may stand, made from several (`case.regions`): `ring(PTV, 3 mm, 13 mm) - Rectum`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from tgsci.basics.texts import compact

from .goal import Goal

if TYPE_CHECKING:
    from ..case.model import Case
    from .bind import BoundSheet


@dataclass(frozen=True)
class Sheet:
    """Clinical goals, as they were written.

    Args:
        name: Of the file, or of the sheet that comes with the package.
        title: For people.
        source: Where the figures come from.
        prescription: Total Gy of each target.
        goals: In the order of the sheet.
        aliases: Other names of each structure.
        fractions: What the figures are for; None where it is not said.
        implied: False where nothing is to be added to what is written (see `goals.implied`).
    """

    name: str
    title: str
    source: str
    prescription: Mapping[str, float]
    goals: tuple[Goal, ...]
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fractions: int | None = None
    implied: bool = True

    def bind(self, case: Case) -> BoundSheet:
        """Bind the goals to a case: its structures' names, limits in the metrics' units; add what is implied.

        Raises:
            UsageError: A structure is missing or not clear, a prescription differs, goals exclude each other.
        """
        from .bind import bind

        return bind(self, case)

    def toml(self) -> str:
        """Write the sheet as a TOML file that reads back to the same."""
        q = partial(json.dumps, ensure_ascii=False)  # of printable text a JSON string is a TOML string
        lines = [f"title = {q(self.title)}", f"source = {q(self.source)}"]
        lines += [f"fractions = {self.fractions}"] if self.fractions else []
        lines += [] if self.implied else ["implied = false"]
        lines += ["goals = ["]
        for goal in self.goals:
            note = f", note = {q(goal.note)}" if goal.note else ""
            lines.append(f"  {{ goal = {q(str(goal))}{note} }},")
        lines += ["]", "", "[prescription]"]
        lines += [f"{q(target)} = {compact(dose, 10)}" for target, dose in self.prescription.items()]
        lines += ["", "[structures]"]
        lines += [f"{q(name)} = [{', '.join(map(q, others))}]" for name, others in self.aliases.items()]
        return "\n".join(lines) + "\n"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that changes a result; titles, sources and notes do not."""
        bare = replace(self, name="", title="", source="", goals=tuple(replace(g, note="") for g in self.goals))
        return hashlib.sha256(bare.toml().encode()).hexdigest()
