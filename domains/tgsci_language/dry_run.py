"""What a run would ask and cost: the core's, which every domain shares."""

from __future__ import annotations

from tgsci.runs.dry_run import Planned, dry_run

__all__ = ["Planned", "dry_run"]
