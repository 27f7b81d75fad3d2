"""The planner: fluence optimisation with a certificate, and how goals would move with the objectives.

In the order in which to read it: `kernels` compiles the passes over the dose-influence matrix, `matrix` offers them;
`penalties` are what objectives cost, `terms` puts a plan's objectives together; `hessian` is their second derivative
(`triangles`: arithmetic on half of a symmetric matrix). `plan` is what a solver returns and where it stands; `bound`
proves how good a plan is; `newton` and `lbfgs` minimise; `sensitivities` differentiates the result; `planner` chooses
among them; `recent` remembers the planner of a case.

What limits it, on the TG-119 phantom (2,226 beamlets, 29 million entries) and one core that reads 38 GB/s and
multiplies matrices at 105 GFlop/s in float32. A pass over the matrix must read its 166 MB, 4.4 ms: a dose takes 4.8,
value and gradient together 6.3. A cold solve takes 0.8 CPU s. Of that 0.3 s are the Gram matrices: 5,000 voxels cross
a penalised dose on the way, and each costs as many multiply-adds as there are pairs of beamlets, so that the 4,500 at
the end alone are 0.21 s of pure multiplication; 0.15 s are some 18 Cholesky factorisations in the 1,250 beamlets that
have fluence, at the speed of the library; 0.3 s are about a hundred passes or parts of passes. A warm solve needs no
matrix but for the voxels that crossed since, and two or three steps: 0.2 s.
"""

from __future__ import annotations

from .plan import Plan
from .planner import Planner
from .sensitivities import Sensitivities

__all__ = ["Plan", "Planner", "Sensitivities"]
