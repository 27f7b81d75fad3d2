"""`tgsci molecules explain`: the page about a pose, docked now or brought along."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgsci.errors import InvalidValue, MeasurementError, UsageError
from tgsci.texts import quote

from .shared import Commands, add_settings, settings_of

if TYPE_CHECKING:
    from rdkit import Chem

    from ..docking.vina import Settings
    from ..pose import PoseReport
    from ..target.targets import Target


def add_explain(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `explain`: the page about a docked pose."""
    parser = commands.add_parser(
        "explain",
        help="say where a docking score comes from and where the molecule could grow",
        description="Dock molecules into a target, or take poses as they are, and explain each pose: contacts by "
        "fragment and residue, hydrogen bonds, what is missing, and what would fit in place of each hydrogen.",
        epilog="Exit code: 0 all explained, 1 some could not be docked, 2 bad input (nothing was docked).",
    )
    parser.add_argument("smiles", nargs="*", metavar="SMILES", help="molecules to dock; quote them for the shell")
    parser.add_argument("--target", required=True, metavar="NAME", help="see: tgsci molecules targets")
    parser.add_argument(
        "--pose", type=Path, metavar="FILE", help="explain the poses of an .sdf, or of Vina's .pdbqt, where they lie"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line; its atoms count from 0")
    parser.add_argument("--strain", action="store_true", help="also the strain of the ligand (some seconds each)")
    add_settings(parser)
    parser.set_defaults(run=run_explain)


def run_explain(arguments: argparse.Namespace) -> int:
    """Explain what the command line names.

    Raises:
        UsageError: Bad input; nothing was docked.
    """
    from ..target.targets import Target

    target, settings = Target(arguments.target), settings_of(arguments)
    if bool(arguments.smiles) == bool(arguments.pose):
        raise UsageError("give either molecules to dock as SMILES, or --pose FILE with poses to explain as they are")
    if arguments.pose:
        found: Iterator[Explained] = _brought(arguments.pose, target, arguments.strain)
    else:
        found = _docked(_checked(arguments.smiles), target, settings, arguments.strain)
    failed = False
    for number, (report, text, error) in enumerate(found):
        if error or report is None:
            failed = True
            print(error, file=sys.stderr)
        elif arguments.json:
            print(json.dumps(report.as_dict()))
        else:
            print(("\n" if number else "") + text, flush=True)
    return 1 if failed else 0


#: A report and its whole text, or why there is none.
Explained = tuple["PoseReport | None", str, str]


def _checked(texts: Sequence[str]) -> list[str]:
    """The molecules as SMILES, each once; what was left out to get there is said."""
    from ..molecule.library import clean

    molecules = []
    faults = []
    for text in texts:
        try:
            molecules.append(clean(text))
        except InvalidValue as error:
            faults.append(str(error))
    if faults:
        raise UsageError("\n".join([*faults, "Nothing was docked."]))
    for remark in (remark for molecule in molecules for remark in molecule.remarks):
        print(remark, file=sys.stderr)
    return list(dict.fromkeys(molecule.smiles for molecule in molecules))


def _docked(smiles: Sequence[str], target: Target, settings: Settings, strain: bool) -> Iterator[Explained]:
    """Each molecule, docked in worker processes: Vina may crash or hang."""
    from tgsci.compute.workers import WorkerPool

    from ..objective import DockingLoss

    timeout = DockingLoss(target, settings).timeout
    with WorkerPool(min(os.cpu_count() or 1, len(smiles)), timeout) as pool:
        futures = [pool.submit(_dock_and_explain, each, target, settings, strain) for each in smiles]
        try:
            for each, future in zip(smiles, futures, strict=True):
                yield _tried(future.result, each)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _brought(path: Path, target: Target, strain: bool) -> Iterator[Explained]:
    """Each pose of a file; all are read, and proven to lie in the box, before the first is explained."""
    from ..pose.files import read_poses

    poses = read_poses(path)
    reports = [_explain_in_place(number, pose, target, strain) for number, pose in enumerate(poses, 1)]
    yield from reports


def _explain_in_place(number: int, pose: Chem.Mol | str, target: Target, strain: bool) -> Explained:
    from ..pose import explain_in_place
    from ..pose.files import from_pdbqt, typed

    try:
        measured = _strain(from_pdbqt(pose if isinstance(pose, str) else typed(pose))) if strain else None
        report = explain_in_place(pose, target, measured)
    except (UsageError, MeasurementError) as error:
        raise UsageError(f"pose {number}: {error}") from None
    return report, "\n".join([report.text(), *_properties(report.smiles)]), ""


def _tried(result: Callable[[], tuple[PoseReport, str]], smiles: str) -> Explained:

    try:
        report, text = result()
    except MeasurementError as error:
        return None, "", f"{quote(smiles)}: {error}"
    return report, text, ""


def _dock_and_explain(smiles: str, target: Target, settings: Settings, strain: bool) -> tuple[PoseReport, str]:
    from ..docking.vina import dock
    from ..pose import explain

    docking = dock(smiles, target, settings)
    report = explain(docking, target, _strain(docking.pose) if strain else None)
    return report, "\n".join([report.text(), *docking.remarks, docking.search, *_properties(smiles)])


def _strain(pose: Any) -> float:
    from ..physics.strain import strain

    measured = strain(pose)
    return measured.local if measured.total is None else measured.total


def _properties(smiles: str) -> list[str]:
    """What is known of the molecule without its pose: properties with their limits, and alerts with their atoms."""
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
    found = alerts(mol)
    lines.append("ALERTS (PAINS, BRENK):" + ("" if found else " none."))
    for alert in found:
        atoms = ", ".join(atom_name(mol, index) for index in alert.atoms)
        lines.append(f"  {alert.catalog} {alert.name}: {alert.fragment} at {atoms}.")
    return lines
