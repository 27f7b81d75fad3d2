"""Who proposed what in a run, and the ideas that nobody measured: sections of the page about every search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...basics.texts import column
from ..origin import ROLES, shares
from .section import Section

if TYPE_CHECKING:
    from ...runs.result import Result

#: Ideas that are listed, the best first.
MOST_IDEAS = 100


def sections_on_proposals(result: Result) -> list[Section]:
    """Make the sections: who proposed, where several did; ideas, where there are any.

    Args:
        result: The result of a run.
    """
    return [*_proposers(result), *_ideas(result)]


def _proposers(result: Result) -> Sequence[Section]:
    found = shares(result.trials, result.trials.ranked())
    if len(found) < 2:
        return []
    losses = column(share.best.loss if share.best else None for share in found)
    rows = [
        [share.proposer, share.trials, share.measured, share.gains, loss, f"#{share.best.number}" if share.best else ""]
        for share, loss in zip(found, losses, strict=True)
    ]
    header = ["proposer", "trials", "measured", "gains", "best loss", "its trial"]
    best = [i for i, share in enumerate(found) if share.best is not None and share.best is result.best]
    return [Section("Who proposed", "A gain became the best so far.", header, rows, marked=best)]


def _ideas(result: Result) -> Sequence[Section]:
    ideas = result.ideas
    if not ideas:
        return []
    shown = ideas[:MOST_IDEAS]
    text = f"{len(ideas)} {'idea was' if len(ideas) == 1 else 'ideas were'} had and not measured"
    text += f"; the first {MOST_IDEAS} by rank" if len(ideas) > MOST_IDEAS else ""
    outlooks = column(idea.outlook.loss if idea.outlook else None for idea in shown)
    deviations = column(idea.outlook.sd if idea.outlook else None for idea in shown)
    expected = column(idea.proposal.expected for idea in shown)
    rows = [
        [
            idea.rank or "",
            idea.proposal.value,
            outlook,
            deviation,
            own,
            idea.proposer,
            ROLES.get(idea.proposal.role, ""),
            idea.proposal.reason or idea.proposal.edit,
            idea.why,
        ]
        for idea, outlook, deviation, own in zip(shown, outlooks, deviations, expected, strict=True)
    ]
    text += ". Outlook: the loss that what was measured lets expect; expected: the loss that its proposer did."
    header = ["rank", "value", "outlook", "its sd", "expected", "by", "for", "reason", "why not measured"]
    return [Section("Ideas not measured", text, header, rows)]
