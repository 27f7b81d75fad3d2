"""What a run leaves behind for a physicist: the best plan, its goals, plots, every trial with its columns explained."""

from __future__ import annotations

from .export import export

__all__ = ["export"]
