"""A plan solved and judged: how far plan parameters are from their goals."""

from __future__ import annotations

from .plan_loss import PlanLoss

__all__ = ["PlanLoss"]
