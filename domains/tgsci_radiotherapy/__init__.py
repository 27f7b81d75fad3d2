"""Radiotherapy for tgsci: plan parameters as values, a dose-volume planner as a loss. Not for clinical use."""

from __future__ import annotations

from .domain import RadiotherapyDomain

#: What the entry point names.
domain = RadiotherapyDomain()
