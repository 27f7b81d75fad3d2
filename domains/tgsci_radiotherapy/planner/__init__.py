"""The planner: fluence optimisation with a certificate, and how goals would move with the objectives.

In the order in which to read it: `kernels` compiles the passes over the dose-influence matrix, `matrix` offers them;
`penalties` are what objectives cost, `terms` puts a plan's objectives together; `hessian` is their second derivative
(`triangles`: arithmetic on half of a symmetric matrix). `plan` is what a solver returns and where it stands; `bound`
proves how good a plan is; `lbfgs` finds a start, `newton` minimises, `majorise` does where objectives are not convex;
`sensitivities` differentiates the result; `planner` puts them together; `recent` remembers the planner of a case.
`constraints`, `feasibility` and `hottest` prove that goals exclude each other.

What limits it, on a head and neck of 8,207 beamlets (53 million entries) and one core that multiplies matrices at 86
GFlop/s in float32. A cold solve to a certified 0.1% takes 13 CPU s, in 8 steps. Of that 6.2 s are a dozen Cholesky
factorisations in the 5,000 beamlets that have fluence, at the speed of the library, which uses all cores; 2.5 s is the
Hessian: 1.3 s for the 41,000 voxels that are penalised at the start, less and less for those that cross since; 1 s are
solutions with a factor for sets of beamlets near its own; 2 s are passes over the matrix, 345 MB each. A warm solve
needs two to four steps and four or five factorisations: 3 to 5 s.
"""

from __future__ import annotations

from .plan import Plan
from .planner import Planner
from .sensitivities import Sensitivities

__all__ = ["Plan", "Planner", "Sensitivities"]
