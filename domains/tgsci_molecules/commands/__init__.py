"""The commands of `tgsci molecules`, one a file; `COMMANDS` is their order in the help."""

from __future__ import annotations

from .design import add_design
from .dock import add_dock
from .targets import add_targets

#: Each adds its own parser.
COMMANDS = (add_design, add_dock, add_targets)
