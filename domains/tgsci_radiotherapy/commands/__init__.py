"""The commands of `tgsci radiotherapy`, one a file; `COMMANDS` is their order in the help."""

from __future__ import annotations

from .cases import add_cases
from .compare import add_compare
from .evaluate import add_evaluate
from .export import add_export
from .goals import add_goals
from .import_ import add_import
from .plan import add_plan

#: Each adds its own parser.
COMMANDS = (add_plan, add_evaluate, add_compare, add_export, add_import, add_cases, add_goals)
