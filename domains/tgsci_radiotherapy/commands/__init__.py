"""The commands of `tgsci radiotherapy`, one a file; `COMMANDS` is their order in the help."""

from __future__ import annotations

from .plan import add_plan

#: Each adds its own parser.
COMMANDS = (add_plan,)
