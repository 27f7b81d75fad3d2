"""`tgsci molecules explain`: the report about a pose, docked now or read from a file."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tgsci.basics.texts import quote
from tgsci.cli.command import command, option
from tgsci.errors import InvalidValue, MeasurementError, UsageError

from .docking_options import docking_options, settings_of

if TYPE_CHECKING:
    from rdkit import Chem

    from ..docking.vina import Settings
    from ..pose import PoseReport
    from ..target.targets import Target


@command("explain", epilog="Exit code: 0 all explained, 1 some could not be docked, 2 bad input (nothing was docked).")
@click.argument("smiles", nargs=-1, help="molecules to dock; quote them for the shell")
@option("--target", "target_name", required=True, metavar="NAME", help="see: tgsci molecules targets")
@option("--pose", type=Path, metavar="FILE", help="explain the poses of an .sdf, or of Vina's .pdbqt, where they lie")
@option("--json", "as_json", is_flag=True, help="one JSON object a line; its atoms count from 0")
@option("--strain", is_flag=True, help="also the strain of the ligand (some seconds each)")
@docking_options
def explain(
    smiles: tuple[str, ...], target_name: str, pose: Path | None, as_json: bool, strain: bool, docking: dict[str, Any]
) -> int:
    """Say where a docking score comes from and where the molecule could grow.

    Dock molecules into a target, or take poses as they are, and explain each pose: contacts by fragment and residue,
    hydrogen bonds, what is missing, and what would fit in place of each hydrogen.
    """
    from ..target.targets import Target

    target, settings = Target(target_name), settings_of(docking)
    if bool(smiles) == bool(pose):
        raise UsageError("give either molecules to dock as SMILES, or --pose FILE with poses to explain as they are")
    if pose:
        explanations: Iterator[Explanation] = _in_place(pose, target, strain)
    else:
        explanations = _dock_each(_molecules(smiles), target, settings, strain)
    failed = False
    for number, (report, text, error) in enumerate(explanations):
        if error or report is None:
            failed = True
            print(error, file=sys.stderr)
        elif as_json:
            print(json.dumps(report.as_dict()))
        else:
            print(("\n" if number else "") + text, flush=True)
    return 1 if failed else 0


#: A report and its whole text, or why there is none.
Explanation = tuple["PoseReport | None", str, str]


def _molecules(texts: Sequence[str]) -> list[str]:
    """Read the molecules as SMILES, each once, and print what was left out of them."""
    from ..molecule.library import clean

    molecules = []
    faults = []
    for text in texts:
        try:
            molecules += clean(text).both
        except InvalidValue as error:
            faults.append(str(error))
    if faults:
        raise UsageError("\n".join([*faults, "Nothing was docked."]))
    for remark in (remark for molecule in molecules for remark in molecule.remarks):
        print(remark, file=sys.stderr)
    return list(dict.fromkeys(molecule.smiles for molecule in molecules))


def _dock_each(smiles: Sequence[str], target: Target, settings: Settings, strain: bool) -> Iterator[Explanation]:
    """Dock and explain each molecule in worker processes: Vina may crash or hang."""
    from tgsci.compute.workers import WorkerPool

    from ..objective import DockingLoss

    timeout = DockingLoss(target, settings).timeout
    with WorkerPool(min(os.cpu_count() or 1, len(smiles)), timeout) as pool:
        futures = [pool.submit(_dock_and_explain, each, target, settings, strain) for each in smiles]
        try:
            for each, future in zip(smiles, futures, strict=True):
                yield _outcome(future.result, each)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _in_place(path: Path, target: Target, strain: bool) -> Iterator[Explanation]:
    """Explain each pose of a file, once all are read and proven to lie in the box."""
    from ..pose.files import read_poses

    poses = read_poses(path)
    reports = [_explain_in_place(number, pose, target, strain) for number, pose in enumerate(poses, 1)]
    yield from reports


def _explain_in_place(number: int, pose: Chem.Mol | str, target: Target, strain: bool) -> Explanation:
    from ..failures import measuring
    from ..pose import explain_in_place
    from ..pose.files import from_pdbqt, typed

    try:
        with measuring("explanation"):
            measured = _strain(from_pdbqt(pose if isinstance(pose, str) else typed(pose))) if strain else None
            report = explain_in_place(pose, target, measured)
    except (UsageError, MeasurementError) as error:
        raise UsageError(f"pose {number}: {error}") from None
    return report, "\n".join([report.text(), *_properties(report.smiles)]), ""


def _outcome(result: Callable[[], tuple[PoseReport, str]], smiles: str) -> Explanation:
    try:
        report, text = result()
    except MeasurementError as error:
        return None, "", f"{quote(smiles)}: {error}"
    return report, text, ""


def _dock_and_explain(smiles: str, target: Target, settings: Settings, strain: bool) -> tuple[PoseReport, str]:
    from ..docking.vina import dock
    from ..failures import measuring
    from ..pose import explain

    with measuring("explanation"):
        docking = dock(smiles, target, settings)
        report = explain(docking, target, _strain(docking.pose) if strain else None)
        return report, "\n".join([report.text(), *docking.remarks, docking.search, *_properties(smiles)])


def _strain(pose: Any) -> float:
    from ..physics.strain import strain

    measured = strain(pose)
    return measured.local if measured.total is None else measured.total


def _properties(smiles: str) -> list[str]:
    """Describe the molecule without its pose: properties with their limits, and alerts with their atoms."""
    from ..molecule.catalogs import USUAL_CATALOGS
    from ..molecule.properties import PROPERTIES, above_usual, alerts, properties_of
    from ..molecule.smiles import atom_name, molecule

    mol = molecule(smiles)
    figures = properties_of(mol)
    limits = ", ".join(f"{name} {p.most:g}" for name, p in PROPERTIES.items() if p.most is not None)
    above = above_usual(figures)
    usual = f"Above the usual limits of oral drugs: {', '.join(above)}."
    if not above:
        usual = f"None above the usual limits of oral drugs ({limits})."
    lines = [
        f"PROPERTIES {', '.join(f'{name} {figures[name]:.4g} {p.unit}'.rstrip() for name, p in PROPERTIES.items())}.",
        f"  {usual}",
    ]
    raised = alerts(mol)
    lines.append(f"ALERTS ({', '.join(USUAL_CATALOGS)}):" + ("" if raised else " none."))
    for alert in raised:
        atoms = ", ".join(atom_name(mol, index) for index in alert.atoms)
        lines.append(f"  {alert.catalog} {alert.name}: {alert.fragment} at {atoms}.")
    return lines
