"""`tgsci molecules refine`: relax poses in their pocket and say whether they hold."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgsci.basics.files import writable, write_atomically
from tgsci.cli.command import command, option
from tgsci.errors import MeasurementError, UsageError
from tgsci.show.tables import print_table

if TYPE_CHECKING:
    from rdkit import Chem

    from ..physics import Check, Refinement
    from ..target.targets import Target


@command("refine", epilog="Exit code: 0 all refined, 1 some could not be, 2 bad input.")
@option("--target", "target_name", required=True, metavar="NAME", help="see: tgsci molecules targets")
@option("--pose", required=True, type=Path, metavar="FILE", help="poses in place: an .sdf, such as poses.sdf of a run")
@option("--report", is_flag=True, help="also print the report on each pose")
@option("--out", type=Path, metavar="FILE", help="write the refined poses as SDF")
def refine(target_name: str, pose: Path, report: bool, out: Path | None) -> int:
    """Relax docked poses under a force field: does the pose hold, is the ligand strained.

    Relax poses in the rigid pocket with OpenMM (ligand MMFF94s, protein Amber ff14SB), measure the strain of the
    ligand, and check the geometry. A check of poses, not a binding free energy. Some seconds a pose.
    """
    from ..pose.files import read_poses
    from ..target.targets import Target
    from ..views.poses import with_tags

    target = Target(target_name)
    if out:
        writable(out, force=True)
    poses = read_poses(pose)
    rows, reports, records, failed = [], [], [], False
    for (number, smiles, result, error), source in zip(_checks(poses, target), poses, strict=True):
        refined = result.refined if result else None
        if result is None or refined is None:
            failed = True
            rows.append([str(number), smiles, "failed", "", "", "", ""])
            print(f"pose {number}: {result.verdict if result else error}", file=sys.stderr)
            continue
        energies = (refined.interaction_before, refined.interaction, result.figures["strain"])
        rows.append([str(number), smiles, f"{refined.rmsd:.2f}", *(f"{e:.1f}" for e in energies), result.verdict])
        reports.append(f"pose {number} {smiles}\n{result.text}\n")
        records.append(with_tags(_record(smiles, result, refined), _tags(source)))
    header = ["pose", "SMILES", "RMSD (A)", "as docked (kcal/mol)", "refined (kcal/mol)", "strain (kcal/mol)", "check"]
    print_table(header, rows, left=("SMILES",))
    if report:
        print("\n" + "\n".join(reports), end="")
    if out:
        write_atomically(out, "".join(records))
        print(f"refined poses: {out}")
    return 1 if failed else 0


#: Number, SMILES, the result, and why there is none.
Row = tuple[int, str, "Check | None", str]


def _checks(poses: Any, target: Target) -> Iterator[Row]:
    """Refine and check each pose."""
    from ..failures import measuring
    from ..physics import check
    from ..pose.files import from_pdbqt

    for number, source in enumerate(poses, 1):
        smiles = ""
        try:
            with measuring("reading the pose"):
                pose = from_pdbqt(source) if isinstance(source, str) else _whole(source)
                smiles = _smiles(pose)
            elsewhere = "" if isinstance(source, str) else _docked_into(source)
            if elsewhere not in ("", target.name):
                print(
                    f"pose {number}: its file says that it was docked into {elsewhere}, not {target}", file=sys.stderr
                )
            yield number, smiles, check(pose, target), ""
        except (MeasurementError, UsageError) as error:
            yield number, smiles, None, str(error)


def _whole(pose: Chem.Mol) -> Chem.Mol:
    """Check that a pose of an SDF file is a molecule in space, and add the hydrogens that it lacks."""
    from rdkit import Chem

    from ..pose.files import typed

    typed(pose)
    return Chem.AddHs(pose, addCoords=True)


def _docked_into(pose: Chem.Mol) -> str:
    """Read the target that the file of a pose names, printable; empty where it names none."""
    name = str(pose.GetProp("target")) if pose.HasProp("target") else ""
    return "".join(c for c in name.partition("\n")[0] if c.isprintable())[:60].strip()


def _tags(source: Chem.Mol | str) -> dict[str, str]:
    """Read the tags of a pose from an SDF file."""
    if isinstance(source, str):
        return {}
    return {name: str(value) for name, value in source.GetPropsAsDict(False, False).items()}


def _smiles(pose: Chem.Mol) -> str:
    from rdkit import Chem

    return str(Chem.MolToSmiles(Chem.RemoveHs(pose)))


def _record(smiles: str, result: Check, refined: Refinement) -> str:
    from rdkit import Chem

    mol = Chem.Mol(refined.pose)
    mol.SetProp("_Name", smiles)
    tags = {
        "refined_rmsd_angstrom": f"{refined.rmsd:.3f}",
        "refined_interaction_kcal_per_mol": f"{refined.interaction:.2f}",
        "strain_of_the_given_pose_kcal_per_mol": f"{result.figures['strain']:.2f}",
        "check": result.verdict,
        "force_field": refined.force_field,
    }
    lines = [Chem.MolToMolBlock(mol).rstrip("\n"), *(f">  <{key}>\n{value}\n" for key, value in tags.items())]
    return "\n".join([*lines, "$$$$\n"])
