"""The AAPM TG-119 C-shape phantom that pyRadPlan carries, its dose influence, and pyRadPlan's own fluence optimiser.

7 beams, 5 mm beamlets, 5 mm dose grid, the default lateral cutoff of 50 mm: 2,226 beamlets, 29 million entries. They
take pyRadPlan 15 s, so they are kept in the cache directory.
"""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tgsci_radiotherapy.case import Case
    from tgsci_radiotherapy.plan import PlanParameters

FRACTIONS = 25
#: What is optimised on either side: structure, type, total Gy, weight.
OBJECTIVES = (
    ("OuterTarget", "squared_deviation", 51.8, 1000.0),
    ("Core", "squared_overdose", 18.0, 300.0),
    ("BODY", "squared_overdose", 30.0, 300.0),
)
_SPACING, _BEAMS = 5.0, 7
#: Tight enough that it gets to 0.1% of the optimum; its own default stops before.
_TOLERANCE, _STEPS = 1e-9, 2000


def parameters(**weights: float) -> PlanParameters:
    """The objectives; weights of structures may be given."""
    from tgsci_radiotherapy.plan import Objective, PlanParameters

    return PlanParameters(
        tuple(Objective(name, kind, dose, weights.get(name, weight)) for name, kind, dose, weight in OBJECTIVES)
    )


def case() -> Case:
    """The phantom as a case of ours, with the rows and the overlaps that pyRadPlan's optimiser uses."""
    from tgsci_radiotherapy.case import Case, Dij, Grid, Structure

    path = _made() / "case.npz"
    with np.load(path) as kept:
        names = [name for name, *_ in OBJECTIVES]
        grid = Grid(tuple(int(n) for n in kept["shape"]), (_SPACING,) * 3)
        structures = tuple(
            Structure(name, kind, kept[name], len(kept[name]) * grid.voxel_cc, dose)
            for name, kind, dose in zip(names, ("target", "oar", "external"), (50.0, None, None), strict=True)
        )
        beamlets = len(kept["beams"])
        dij = Dij(kept["starts"], kept["columns"], kept["values"], beamlets, kept["beams"])
        return Case("tg119", grid, structures, dij, kept["voxels"], kept["owners"], FRACTIONS)


def seconds_to(value: float, **weights: float) -> float:
    """CPU seconds from pyRadPlan's first evaluation to the first one that is not above a value.

    Its solver is scipy's L-BFGS-B, from no fluence, as always; reading the case and setting up are not counted.
    """
    _quiet()
    from pyRadPlan.optimization.objectives import SquaredDeviation, SquaredOverdosing
    from pyRadPlan.optimization.problems import NonLinearFluencePlanningProblem

    with (_made() / "pyradplan.pickle").open("rb") as file:
        ct, cst, stf, dij, plan = pickle.load(file)  # written by this file  # noqa: S301
    for name, kind, dose, weight in OBJECTIVES:
        # Its doses are those of one fraction.
        priority, per_fraction = weights.get(name, weight) * FRACTIONS**2, dose / FRACTIONS
        (voi,) = [voi for voi in cst.vois if voi.name == name]
        voi.objectives = [
            SquaredDeviation(priority=priority, d_ref=per_fraction)
            if kind == "squared_deviation"
            else SquaredOverdosing(priority=priority, d_max=per_fraction)
        ]
    plan.prop_opt = {"solver": {"name": "scipy", "display": False, "max_iter": _STEPS, "abs_obj_tol": _TOLERANCE}}
    problem = NonLinearFluencePlanningProblem(plan)
    problem.obj_history = history = _History(value)
    try:
        problem.solve(ct, cst, stf, dij)
    except _Reached:
        return history.times[-1] - history.times[0]
    raise RuntimeError(f"pyRadPlan's best is {min(history)}, above {value}")


class _Reached(Exception):
    """The optimiser is where it should get to."""


class _History(list[float]):
    """What pyRadPlan notes the objective of each evaluation in."""

    def __init__(self, value: float) -> None:
        self.value, self.times = value, list[float]()

    def append(self, value: float) -> None:
        super().append(value)
        self.times.append(time.process_time())
        if value <= self.value:
            raise _Reached


def _made() -> Path:
    """Where the case is kept; it is computed where it is missing."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    from importlib.metadata import version

    directory = cache / "tgsci-benchmarks" / f"pyRadPlan-{version('pyRadPlan')}"
    if not (directory / "ready").exists():
        directory.mkdir(parents=True, exist_ok=True)
        _make(directory)
        (directory / "ready").touch()
    return directory


def _make(directory: Path) -> None:
    _quiet()
    from pyRadPlan import PhotonPlan, calc_dose_influence, generate_stf, load_tg119

    ct, cst = load_tg119()
    plan = PhotonPlan(machine="Generic", num_of_fractions=FRACTIONS, prescribed_dose=50.0)
    plan.prop_stf = {
        "generator": "photonIMRT",
        "gantry_angles": np.linspace(0, 360, _BEAMS, endpoint=False).tolist(),
        "couch_angles": [0.0] * _BEAMS,
        "bixel_width": 5.0,
    }
    plan.prop_dose_calc = {"engine": "SVDPB", "dose_grid": {"resolution": dict.fromkeys("xyz", _SPACING)}}
    stf = generate_stf(ct, cst, plan)
    dij = calc_dose_influence(ct, cst, stf, plan)
    with (directory / "pyradplan.pickle").open("wb") as file:
        pickle.dump((ct, cst, stf, dij, plan), file, protocol=5)
    image = ct.resample_to_grid(dij.dose_grid)
    own = {v.name: np.sort(v.indices_numpy) for v in cst.apply_overlap_priorities().resample_on_new_ct(image).vois}
    whole = {v.name: np.sort(v.indices_numpy) for v in cst.resample_on_new_ct(image).vois}
    names = [name for name, *_ in OBJECTIVES]
    voxels = np.concatenate([own[name] for name in names])
    rows: Any = dij.physical_dose.flat[0].tocsr()[voxels]
    rows.sort_indices()
    np.savez(
        directory / "case.npz",
        starts=rows.indptr.astype(np.int64),
        columns=rows.indices.astype(np.uint16),
        values=(rows.data * FRACTIONS).astype(np.float32),
        voxels=voxels.astype(np.int32),
        owners=np.repeat(np.arange(len(names), dtype=np.int16), [len(own[name]) for name in names]),
        beams=np.asarray(dij.beam_num).astype(np.int16),
        shape=np.array(dij.dose_grid.dimensions[::-1]),
        **{name: whole[name].astype(np.int32) for name in names},
    )


def _quiet() -> None:
    """No progress bars, and no remarks about a GPU that is not there."""
    import logging
    import warnings

    os.environ["TQDM_DISABLE"] = "1"
    logging.basicConfig(level=logging.ERROR)
    warnings.simplefilter("ignore")
