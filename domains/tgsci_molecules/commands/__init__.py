"""The commands of `tgsci molecules`, one a file; `COMMANDS` is their order in the help."""

from __future__ import annotations

from .cache import add_cache
from .design import add_design
from .dock import add_dock
from .explain import add_explain
from .objectives import add_objectives
from .prepare import add_prepare
from .refine import add_refine
from .targets import add_targets

#: Each adds its own parser.
COMMANDS = (add_design, add_dock, add_explain, add_objectives, add_prepare, add_refine, add_targets, add_cache)
