"""pyRadPlan (the extra `dose`): its dose engines for photons and protons, and the TG-119 phantom that it carries.

pyRadPlan gets the image already on the dose grid, with the air around the patient emptied, and each structure as a mask
on that grid: there is nothing left to resample, so that a mask on another grid, a structure that vanishes or a grid
that comes out shifted, all of which it accepts without a word, cannot happen. Its own objectives, whose doses are those
of one fraction, are not used.
"""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.errors import UsageError

from ..case.beams.influence import electron_density
from ..case.model import Beam, Dij, Grid
from .masks import Mask
from .options import Options
from .patient import Patient, Region, guess_type, unique_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The most entries of a matrix; a larger one is refused before it is computed. This many take 4 GB meanwhile.
MOST_ENTRIES = 200_000_000
#: Lateral cutoff of photon beamlets, mm. pyRadPlan's own is 50, which takes 2.7 times the entries. What 30 loses is
#: scatter from afar: on TG-119, with all fluences 1, 4.7% of the target's dose, which the fluence makes up for, and
#: then 0.6% of the core's and 2.7% of the body's.
CUTOFF = 30.0
#: Seconds between two lines about progress.
PATIENCE = 5.0
_MISSING = "pyRadPlan is not installed; it comes with pip install 'tgsci[dose]'"


def available() -> bool:
    """Tell whether the extra `dose` is installed, without importing it."""
    from importlib.util import find_spec

    return find_spec("pyRadPlan") is not None


def influence(
    hu: NDArray[np.int16],
    grid: Grid,
    voxels: NDArray[np.int32],
    target: NDArray[np.int32],
    fractions: int,
    options: Options,
    say: Callable[[str], None] = lambda line: None,
    seen: NDArray[np.int32] | None = None,
    table: Sequence[tuple[float, float]] = (),
) -> tuple[Dij, tuple[Beam, ...], str]:
    """Compute a dose-influence matrix with pyRadPlan.

    Args:
        hu: Hounsfield units on the dose grid, (z, y, x), -1000 outside the body.
        grid: Dose grid.
        voxels: Flat index of the voxel of each row.
        target: Flat indices of the voxels that beams aim at, all targets together, ascending.
        fractions: Number of fractions.
        options: Beams, modality, widths, cutoff.
        say: Called before each long step.
        seen: Flat indices of the voxels that hold the patient and other matter in the beams; None: those of rows.
        table: Points (HU, electron density relative to water), for photons; empty: pyRadPlan's own table.

    Returns:
        The matrix (total Gy; RBE-weighted for protons), the beams, and who made it with what, for people.

    Raises:
        UsageError: pyRadPlan is missing, or cannot plan this.
    """
    protons = options.modality == "protons"
    angles = options.angles()
    outer = voxels if seen is None else seen
    with _quiet() as lib:
        values = hu.astype(np.float32) if not table else _of_density(lib, electron_density(hu, table))
        ct = lib.create_ct({"cube_hu": _image(lib, values, grid)})
        vois = [
            lib.create_voi(voi_type="TARGET", name="targets", ct_image=ct, mask=_image(lib, _mask(target, grid), grid)),
            lib.create_voi(voi_type="EXTERNAL", name="rows", ct_image=ct, mask=_image(lib, _mask(outer, grid), grid)),
        ]
        cst = lib.create_cst(vois, ct=ct)
        plan = (lib.IonPlan if protons else lib.PhotonPlan)(
            **({"radiation_mode": "protons"} if protons else {}), machine="Generic", num_of_fractions=fractions
        )
        plan.prop_stf = {
            "generator": "IMPT" if protons else "photonIMRT",
            "gantry_angles": [gantry for gantry, _ in angles],
            "couch_angles": [couch for _, couch in angles],
            "bixel_width": options.bixel_mm,
        }
        dose: dict[str, Any] = {"engine": "HongPB" if protons else "SVDPB", "dose_grid": ct.grid}
        if not protons:
            dose["geometric_lateral_cutoff"] = options.cutoff_mm or CUTOFF
        plan.prop_dose_calc = dose
        stf = lib.generate_stf(ct, cst, plan)
        beamlets = int(stf.total_number_of_bixels)
        if not beamlets:
            raise UsageError("no beamlet reaches the target from these angles; choose others with --beams")
        radius = 15.0 if protons else (options.cutoff_mm or CUTOFF)
        check_size(grid, len(voxels), beamlets, radius)
        say(f"computing the dose of {beamlets:,} beamlets from {len(angles)} beams with pyRadPlan, on {grid}")
        try:
            with lib.observe_reports(_Progress(say)):
                made = lib.calc_dose_influence(ct, cst, stf, plan)
        except Exception as error:  # whatever a foreign engine does about an input; its words are passed on, bounded
            raise UsageError(f"pyRadPlan could not compute the dose: {str(error)[:300]}") from error
        matrix = made.physical_dose.flat[0]
        if tuple(made.dose_grid.dimensions) != grid.shape[::-1] or matrix.shape != (grid.size, beamlets):
            raise UsageError("pyRadPlan changed the dose grid; its version is not one that is known (0.5)")
        beam_of = np.asarray(made.beam_num)
    factor = float(fractions) * (options.rbe if protons else 1.0)
    dij = by_rows(matrix, voxels, beam_of, factor)
    return dij, tuple(Beam(g, c) for g, c in angles), _engine_in_words(options)


def _of_density(lib: _Library, density: NDArray[np.float32]) -> NDArray[np.float32]:
    """Find the HU that have these electron densities in pyRadPlan's own table, which its engines take no other for."""
    hu, own = np.asarray(lib.default_hlut(), np.float64).T
    rises = np.concatenate([np.diff(own) > 0, [True]])  # of a flat beginning, the last point
    return np.asarray(np.interp(density, own[rises], hu[rises]), np.float32)


def by_rows(matrix: Any, voxels: NDArray[np.integer], beams: NDArray[np.number], factor: float) -> Dij:
    """Take rows of a sparse matrix as those of a case, times a factor; entries that are 0 are left out.

    Raises:
        UsageError: An entry is negative or no number.
    """
    from scipy.sparse import csr_matrix

    if matrix.format in ("csc", "csr"):
        try:
            matrix.check_format(full_check=True)  # scipy's own kernels do not look before they write
        except ValueError as error:
            raise UsageError(f"the dose-influence matrix is damaged: {str(error)[:120]}") from error
    # To float32 first: while it is converted to rows, the matrix is in memory twice.
    values = np.asarray(matrix.data, np.float32)
    if not np.isfinite(values).all() or (values < 0).any():
        raise UsageError("the dose-influence matrix has entries that are negative or no numbers; it is damaged")
    whole = type(matrix)((values * np.float32(factor), *_structure(matrix)), shape=matrix.shape, copy=False)
    rows = csr_matrix(whole)[voxels]
    del whole
    rows.sum_duplicates()
    rows.eliminate_zeros()
    beamlets = int(rows.shape[1])
    columns = rows.indices.astype(np.uint16 if beamlets < 65_536 else np.uint32)
    return Dij(rows.indptr.astype(np.int64), columns, rows.data, beamlets, np.asarray(beams, np.int16))


def _structure(matrix: Any) -> tuple[Any, ...]:
    """Say where a sparse matrix's entries are; of a coordinate list, rows and columns."""
    return ((matrix.row, matrix.col),) if matrix.format == "coo" else (matrix.indices, matrix.indptr)


def phantom() -> Patient:
    """Read the AAPM TG-119 C-shape phantom that pyRadPlan carries: 50 Gy in 25 fractions.

    Raises:
        UsageError: pyRadPlan is missing.
    """
    with _quiet() as lib:
        ct, cst = lib.load_tg119()
        names, _ = unique_names(voi.name for voi in cst.vois)
        structures = []
        for name, voi in zip(names, cst.vois, strict=True):
            kind = "target" if str(voi.voi_type).upper() == "TARGET" else guess_type(name)
            mask = Mask.of(lib.sitk.GetArrayFromImage(voi.mask).astype(bool))
            structures.append(Region(name, kind, mask, prescription=50.0 if kind == "target" else None))
        image = ct.cube_hu
        hu = np.clip(np.rint(lib.sitk.GetArrayFromImage(image)), -1024, 32767).astype(np.int16)
        grid = Grid(hu.shape, tuple(image.GetSpacing()[::-1]), tuple(image.GetOrigin()[::-1]))
    return Patient(
        "tg119",
        hu,
        grid,
        tuple(structures),
        fractions=25,
        provenance={"source": f"the AAPM TG-119 C-shape phantom of pyRadPlan {_version()}"},
    )


def _mask(voxels: NDArray[np.int32], grid: Grid) -> NDArray[np.uint8]:
    full = np.zeros(grid.size, np.uint8)
    full[voxels] = 1
    return full.reshape(grid.shape)


def _image(lib: Any, array: NDArray[np.generic], grid: Grid) -> Any:
    image = lib.sitk.GetImageFromArray(array)
    image.SetSpacing(grid.spacing[::-1])
    image.SetOrigin(grid.origin[::-1])
    return image


def check_size(grid: Grid, rows: int, beamlets: int, radius: float) -> None:
    """Refuse a matrix that would not fit, before it is computed.

    Args:
        grid: Dose grid.
        rows: Voxels that have a row.
        beamlets: How many.
        radius: Of the cylinder through the patient that a beamlet reaches, mm.

    Raises:
        UsageError: The matrix would have more than `MOST_ENTRIES` entries, roughly.
    """
    voxel = grid.voxel_cc * 1000.0
    through = (rows * voxel) ** (1 / 3)
    entries = beamlets * min(np.pi * radius**2 * through / voxel, float(rows))
    if entries > MOST_ENTRIES:
        raise UsageError(
            f"{beamlets:,} beamlets on a grid of {grid} give a matrix of about {entries / 1e6:,.0f} million entries, "
            f"more than {MOST_ENTRIES / 1e6:,.0f}; take a smaller --cutoff, a coarser --grid, wider --bixel or fewer "
            "beams"
        )


def _engine_in_words(options: Options) -> str:
    if options.modality == "protons":
        how = f"HongPB, protons, generic machine, RBE {options.rbe:g}, spots {options.bixel_mm:g} mm apart"
    else:
        cutoff = options.cutoff_mm or CUTOFF
        how = f"SVDPB, photons, generic 6 MV machine, {options.bixel_mm:g} mm beamlets, lateral cutoff {cutoff:g} mm"
    return f"pyRadPlan {_version()}: {how}"


def _version() -> str:
    from importlib.metadata import version

    return version("pyRadPlan")


class _Progress:
    """Says which beam is being computed, every few seconds."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say, self.last, self.beam = say, time.monotonic(), 0

    def __call__(self, report: Any) -> None:
        levels = getattr(report, "levels", ())
        if not levels or levels[0].name != "Beam" or not levels[0].total or levels[0].current == self.beam:
            return
        self.beam = levels[0].current
        if time.monotonic() - self.last > PATIENCE and self.beam < levels[0].total:
            self.last = time.monotonic()
            self.say(f"{self.beam} of {levels[0].total} beams computed")


class _Library:
    """The names of pyRadPlan that are used."""

    def __init__(self) -> None:
        import pyRadPlan as lib
        import SimpleITK as sitk
        from pyRadPlan.core import ProgressReporter, observe_reports
        from pyRadPlan.cst import create_cst, create_voi
        from pyRadPlan.ct import create_ct, default_hlut

        self.sitk, self.create_ct, self.create_voi, self.create_cst = sitk, create_ct, create_voi, create_cst
        self.default_hlut = default_hlut
        self.ProgressReporter, self.observe_reports = ProgressReporter, observe_reports
        self.PhotonPlan, self.IonPlan, self.load_tg119 = lib.PhotonPlan, lib.IonPlan, lib.load_tg119
        self.generate_stf, self.calc_dose_influence = lib.generate_stf, lib.calc_dose_influence


@contextmanager
def _quiet() -> Iterator[_Library]:
    """Lend pyRadPlan without its bars, log lines and warnings, which are about its own workings."""
    import logging

    if not available():
        raise UsageError(_MISSING)
    level, chance = logging.root.manager.disable, random.getstate()
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            lib = _import_pyradplan()
            bars = lib.ProgressReporter.console_progress
            lib.ProgressReporter.console_progress = False
            try:
                yield lib
            finally:
                lib.ProgressReporter.console_progress = bars
    finally:
        logging.disable(level)
        random.setstate(chance)  # its photon engine seeds everybody's


def _import_pyradplan() -> _Library:
    try:
        return _Library()
    except ImportError as error:
        raise UsageError(f"pyRadPlan cannot be imported ({str(error)[:200]}); pip install 'tgsci[dose]'") from error
