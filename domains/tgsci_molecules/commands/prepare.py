"""`tgsci molecules prepare`: a target of one's own protein."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tgsci.errors import MeasurementError

from .shared import Commands

if TYPE_CHECKING:
    from ..preparation.choice import Options
    from ..preparation.prepare import Prepared


def add_prepare(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `prepare`: a target of one's own protein."""
    parser = commands.add_parser(
        "prepare",
        help="make a target of your own protein (PDB or mmCIF)",
        description="Make a target of a protein file: chains and missing atoms are repaired, hydrogens are added, atom "
        "types written, and the crystal's ligand is docked back to see whether the site works. The directory that it "
        "leaves is given to --target of the other commands.",
        epilog="Exit code: 0 done, 1 the protein could not be repaired, 2 bad input (nothing was written). "
        "Example: tgsci molecules prepare 1iep.cif --ligand STI --out abl1-imatinib",
    )
    parser.add_argument("protein", type=Path, metavar="FILE", help="PDB or mmCIF, also gzipped")
    site = parser.add_argument_group("the binding site (one of them)")
    site.add_argument("--ligand", metavar="NAME", help="the crystal's ligand: STI, STI:A or STI:A:201")
    site.add_argument("--box", type=float, nargs="+", metavar="X", help="centre X Y Z, and the edge (22), Angstrom")
    site.add_argument("--box-from", type=Path, metavar="SDF", help="a ligand in place, in the frame of the protein")
    what = parser.add_argument_group("what is kept")
    what.add_argument(
        "--chain", type=_names, default=(), metavar="A,B", help="chains (those at the site); a blank one is -"
    )
    what.add_argument(
        "--keep-hetero", type=_names, default=(), metavar="NAMES", help="cofactors and metals: HEM,ZN or ZN:A:301"
    )
    what.add_argument(
        "--keep-water", type=_names, default=(), metavar="NUMBERS", help="waters: 301,A:405 or HOH for all"
    )
    what.add_argument("--ligand-smiles", metavar="SMILES", help="the ligand's, where its bonds are not known")
    how = parser.add_argument_group("how")
    how.add_argument("--ph", type=float, metavar="PH", help="for the hydrogens (7.4)")
    how.add_argument("--loops", type=int, metavar="N", help="longest missing loop that is built, residues (8)")
    how.add_argument("--no-redock", action="store_true", help="do not dock the crystal's ligand back")
    how.add_argument("--out", type=Path, metavar="DIR", help="the directory to make (1iep-target for 1iep.cif)")
    how.add_argument("--name", metavar="NAME", help="of the target (that of the directory)")
    parser.set_defaults(run=run_prepare)


def run_prepare(arguments: argparse.Namespace) -> int:
    """Prepare the protein that the command line names, and say what was done.

    Raises:
        UsageError: Bad input; nothing was written.
    """
    from ..preparation.prepare import prepare

    try:
        made = prepare(
            arguments.protein,
            arguments.out or _default_out(arguments.protein),
            _options(arguments),
            name=arguments.name,
            say=lambda line: print(f"{line} ...", file=sys.stderr),
        )
    except MeasurementError as error:
        print(f"tgsci: {error}", file=sys.stderr)
        return 1
    print("\n".join(_summary(made)))
    return 0


def _options(arguments: argparse.Namespace) -> Options:
    from ..preparation.choice import LONGEST_LOOP, Options
    from ..preparation.repair import PH

    return Options(
        ligand=arguments.ligand,
        box=tuple(arguments.box) if arguments.box is not None else None,
        box_from=arguments.box_from,
        chains=arguments.chain,
        ph=PH if arguments.ph is None else arguments.ph,
        keep_hetero=arguments.keep_hetero,
        keep_water=arguments.keep_water,
        ligand_smiles=arguments.ligand_smiles,
        longest_loop=LONGEST_LOOP if arguments.loops is None else arguments.loops,
        redock=not arguments.no_redock,
    )


def _summary(made: Prepared) -> list[str]:
    target = made.target
    lines = [f"{target.name}: {target.directory}", *(f"  {note}" for note in made.notes)]
    lines.append(f"  {', '.join(f'{step} {seconds:.1f} s' for step, seconds in made.seconds.items())}")
    if made.redocked is not None and not made.redocked.reproduced:
        lines.append(f"  {made.redocked.advice}")
    return [*lines, f"next: tgsci molecules dock --target {target.directory} SMILES"]


def _default_out(protein: Path) -> Path:
    name = protein.name.split(".")[0] or "target"
    return Path(f"{name}-target")


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
