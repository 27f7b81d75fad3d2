"""A neck of simple shapes as large as a patient's: three target levels 17 cm long, 13 beams, about 9,000 beamlets."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tgsci_radiotherapy.case import Case
    from tgsci_radiotherapy.plan import PlanParameters

#: What a physicist would write down: structure, type, total Gy, weight.
OBJECTIVES = (
    ("PTV70", "squared_deviation", 71.5, 300.0),
    ("PTV70", "squared_underdose", 69.0, 500.0),
    ("PTV63", "squared_deviation", 65.0, 200.0),
    ("PTV56", "squared_deviation", 57.8, 200.0),
    ("PTV56", "squared_underdose", 56.0, 300.0),
    ("SpinalCord", "squared_overdose", 38.0, 300.0),
    ("Parotid_L", "mean", None, 20.0),
    ("Parotid_R", "mean", None, 20.0),
    ("Larynx", "mean", None, 30.0),
    ("Body", "squared_overdose", 45.0, 40.0),
    ("Body", "squared_overdose", 70.0, 400.0),
)
#: Three edits: the place of an objective, and its new fields.
EDITS = ((0, {"weight": 600.0}), (6, {"weight": 60.0}), (9, {"dose_gy": 40.0}))
_STEPS = 3000


def parameters() -> PlanParameters:
    """The objectives."""
    from tgsci_radiotherapy.plan import Objective, PlanParameters

    return PlanParameters(tuple(Objective(*objective) for objective in OBJECTIVES))


@cache
def case() -> Case:
    """Calculate the phantom, which takes some seconds."""
    from tgsci_radiotherapy.case import Beam, Grid, Structure
    from tgsci_radiotherapy.case.beams.influence import Setup
    from tgsci_radiotherapy.case.phantoms import cylinder, ellipsoid

    grid = Grid((66, 42, 50), (3.5, 3.5, 3.5), (-114.0, -72.0, -86.0))
    body = cylinder((0.0, 0.0, 0.0), (84.0, 70.0), 226.0)
    cord = cylinder((0.0, 28.0, 0.0), (7.0, 7.0), 226.0)
    canal = cylinder((0.0, 28.0, 0.0), (11.0, 11.0), 226.0)
    primary = ellipsoid((18.0, -8.0, 20.0), (30.0, 26.0, 45.0))
    left = cylinder((40.0, 8.0, 0.0), (18.0, 24.0), 170.0) - canal - primary
    right = (cylinder((-40.0, 8.0, 0.0), (17.0, 23.0), 170.0) | cylinder((0.0, 2.0, -60.0), (40.0, 20.0), 50.0)) - canal
    right = right - primary - left
    shapes = (
        ("PTV70", "target", primary - canal, 70.0),
        ("PTV63", "target", left, 63.0),
        ("PTV56", "target", right, 56.0),
        ("SpinalCord", "oar", cord, None),
        ("Parotid_L", "oar", ellipsoid((58.0, 12.0, 60.0), (14.0, 20.0, 25.0)), None),
        ("Parotid_R", "oar", ellipsoid((-58.0, 12.0, 60.0), (14.0, 20.0, 25.0)), None),
        ("Larynx", "oar", ellipsoid((0.0, -24.0, -20.0), (18.0, 18.0, 22.0)), None),
        ("Body", "external", body, None),
    )
    ct = np.full(grid.shape, -1000, np.int16)
    ct[body.mask(grid)] = 30
    return Setup(
        name="neck",
        ct=ct,
        ct_grid=grid,
        grid=grid,
        structures=tuple(
            Structure(name, kind, np.flatnonzero(shape.mask(grid)).astype(np.int32), shape.volume(), dose)
            for name, kind, shape, dose in shapes
        ),
        beams=tuple(Beam(round(360.0 * k / 13, 1)) for k in range(13)),
        fractions=35,
    ).case()


def scipy_seconds(value: float) -> float:
    """CPU seconds that scipy's L-BFGS-B takes to a value, on scipy's sparse matrix: what pyRadPlan and others do.

    Raises:
        RuntimeError: It does not get there.
    """
    from scipy.optimize import Bounds, minimize
    from scipy.sparse import csr_array

    problem, wanted = case(), parameters()
    dij = problem.dij
    matrix = csr_array((dij.values, dij.columns.astype(np.int32), dij.starts), shape=(dij.rows, dij.beamlets))
    back = matrix.T.tocsr()
    linear = np.zeros(dij.beamlets)
    for o in wanted.objectives:
        if o.type == "mean":
            ones = np.zeros(dij.rows, np.float32)
            ones[problem.own(o.structure)] = 1.0
            linear += o.weight * (back @ ones) / ones.sum()

    def evaluate(x):
        dose = matrix @ x.astype(np.float32)
        slopes, found = np.zeros(dij.rows), float(linear @ x)
        for o in wanted.objectives:
            if o.type == "mean":
                continue
            own = problem.own(o.structure)
            away = dose[own].astype(np.float64) - o.dose_gy
            if o.type != "squared_deviation":
                away = np.maximum(away, 0.0) if o.type == "squared_overdose" else np.minimum(away, 0.0)
            found += o.weight * float(away @ away) / len(away)
            slopes[own] += 2 * o.weight / len(away) * away
        if found <= value:
            raise StopIteration
        return found, back @ slopes.astype(np.float32) + linear

    start = np.full(dij.beamlets, 1.0)
    dose = matrix @ start.astype(np.float32)
    start *= problem.prescription / dose[problem.own("PTV70")].mean()
    before = time.process_time()
    try:
        minimize(
            evaluate,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(0.0, np.inf),
            options={"maxiter": _STEPS, "maxfun": 2 * _STEPS, "maxcor": 20, "ftol": 0.0, "gtol": 0.0},
        )
    except StopIteration:
        return time.process_time() - before
    raise RuntimeError(f"scipy did not get to {value:g} in {_STEPS} steps")
