"""The careful measurement of a leader: a second docking, from other conformers and seeds, off-targets hardest."""

from __future__ import annotations

from tgsci.search.insight import Careful

from ..docking.settings import Settings
from ..docking.vina import NOISE
from .limiting import worth_of_a_unit
from .loss import Objective

#: Careful measurements for each evaluation, at most: they cost three fast dockings in a target, six in an off-target.
SHARE = 0.2


def careful(objective: Objective) -> Careful:
    """Say how what would become the best of a run is confirmed before it leads.

    It is docked again with four times the effort from other conformers and other seeds, with nine times where a target
    is one to avoid: there a missed pose is what a search finds. The box is the same, so that a process keeps its maps;
    the finalists are docked in the whole box. The better pose of both measurements counts in each target, so that care
    never gives a worse score than haste: for a target that is fair, and for an off-target it is the point.

    Args:
        objective: The run's own.
    """
    settings = objective.settings
    confirmed = objective.searching(
        Settings.careful(settings), {name: Settings.careful(settings, harder=True) for name in objective.spared}
    )
    return Careful(confirmed, margin=NOISE * worth_of_a_unit(objective.aggregated, objective.metrics), share=SHARE)
