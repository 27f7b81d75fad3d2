"""Plots of plans, as functions that return matplotlib figures; pyplot is not involved."""

from __future__ import annotations

from .dvh_plot import dvh_figure
from .style import png, svg
from .wash import dose_wash

__all__ = ["dose_wash", "dvh_figure", "png", "svg"]
