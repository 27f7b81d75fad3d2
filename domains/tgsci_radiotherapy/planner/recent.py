"""What a process used last: planners, cases and plans hold hundreds of MB each, so only a few stay in memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..case.model import Case
    from .planner import Planner

#: Entries that a mapping keeps.
_MOST = 2


class Recent(OrderedDict[Any, Any]):
    """A mapping that forgets all but the entries that were used last."""

    def get(self, key: Any, default: Any = None) -> Any:
        if key in self:
            self.move_to_end(key)
        return super().get(key, default)

    def put(self, key: Any, value: Any) -> None:
        self[key] = value
        self.move_to_end(key)
        while len(self) > _MOST:
            self.popitem(last=False)


_PLANNERS = Recent()


def planner_of(case: Case) -> Planner:
    """Make the planner of a case; it is the same one for as long as the process remembers it."""
    from .planner import Planner

    planner: Planner | None = _PLANNERS.get(case.fingerprint)
    if planner is None:
        planner = Planner(case)
        _PLANNERS.put(case.fingerprint, planner)
    return planner
