"""The loss of plan parameters: how far the plan that they lead to is from its clinical goals.

In the order in which to read it: `plan_loss` is the loss; `protocol` says what may be tuned and how plans are scaled;
`solution` evaluates a solved plan and differentiates its goals into `effects`; `scoring` sums the goals up in one
figure. `page` writes the gradient: `effects_table` puts sensitivities into words, `linear` finds the best step by them,
`places` says where the plan is hot and cold. `relaxation` turns goals into convex constraints, and `possibility` asks
whether they exclude each other for every fluence.
"""

from __future__ import annotations

from .plan_loss import PlanLoss

__all__ = ["PlanLoss"]
