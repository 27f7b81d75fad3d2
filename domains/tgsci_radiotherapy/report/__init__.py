"""What a plan has to say: the page that is the gradient, and which goals cannot be met together."""

from __future__ import annotations

from .page import page

__all__ = ["page"]
