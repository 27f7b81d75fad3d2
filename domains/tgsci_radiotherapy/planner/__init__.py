"""The planner: fluence optimisation with a certificate, and how goals would move with the objectives.

In the order in which to read it: `kernels` compiles the passes over the dose-influence matrix, `matrix` offers them;
`penalties` are what objectives cost, `terms` puts a plan's objectives together; `hessian` is their second derivative
(`triangles`: arithmetic on half of a symmetric matrix). `plan` is what a solver returns and where it stands; `bound`
proves how good a plan is; `lbfgs` finds a start, `newton` minimises, `majorise` does where objectives are not convex;
`sensitivities` differentiates the result; `planner` puts them together; `recent` remembers the planner of a case.
"""

from __future__ import annotations

from .plan import Plan
from .planner import Planner
from .sensitivities import Sensitivities

__all__ = ["Plan", "Planner", "Sensitivities"]
