"""`tgsci molecules prepare`: a target of one's own protein."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tgsci.basics.texts import shell_word
from tgsci.cli.command import command, option, options
from tgsci.errors import MeasurementError

if TYPE_CHECKING:
    from ..preparation.prepare import PreparedTarget


def _names(context: click.Context, parameter: click.Parameter, text: str) -> tuple[str, ...]:
    """Read names that are separated by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _names_or_none(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    return None if text is None else _names(context, parameter, text)


_listed = partial(option, section="What is kept", default="", callback=_names)
_site = partial(option, section="The binding site (one of them)")
_how = partial(option, section="How")


@command(
    "prepare",
    epilog="Exit code: 0 done, 1 the protein could not be repaired, 2 bad input (nothing was written). "
    "Example: tgsci molecules prepare 1iep.cif --ligand STI --out abl1-imatinib",
)
@click.argument("protein", type=Path, metavar="FILE", help="PDB or mmCIF, also gzipped")
@options(
    "choice",
    _site("--ligand", metavar="NAME", help="the crystal's ligand: STI, STI:A or STI:A:201"),
    _site("--box", type=float, several=True, metavar="X...", help="centre X Y Z, and the edge (22), Angstrom"),
    _site("--box-residues", metavar="A:1,A:2", callback=_names_or_none, help="residues that line the site"),
    _site("--pocket", type=int, metavar="N", help="the N-th pocket that --pockets lists"),
    _site("--box-from", type=Path, metavar="SDF", help="a ligand in place, in the frame of the protein"),
    _listed("--chain", "chains", metavar="A,B", help="chains (those at the site); a blank one is -"),
    _listed("--keep-hetero", metavar="NAMES", help="cofactors and metals: HEM,ZN or ZN:A:301"),
    _listed("--keep-water", metavar="NUMBERS", help="waters: 301,A:405 or HOH for all"),
    _listed("--altloc", "altlocs", metavar="LETTERS", help="alternative positions: B, or A:120:B for one residue"),
    _listed("--flip", metavar="NAMES", help="Asn, Gln, His to turn: A:44,A:102, or proposed"),
    option(
        "--ligand-smiles", section="What is kept", metavar="SMILES", help="the ligand's, where its bonds are not known"
    ),
    _how("--ph", type=float, metavar="PH", help="pH of the hydrogens (7.4)"),
    _how("--protonate", is_flag=True, help="let PROPKA choose the states of Asp, Glu, His, Lys, Cys at the pH"),
    _how("--exhaustiveness", type=int, metavar="N", help="restarts when the ligand is docked back (16)"),
    _how("--ring-conformers", type=int, metavar="N", help="its conformers where a ring has 8 atoms or more (4)"),
    _how("--loops", "longest_loop", type=int, metavar="N", help="longest missing loop that is built, residues (8)"),
    _how(
        "--no-redock",
        "redock",
        is_flag=True,
        flag_value=False,
        default=True,
        help="do not dock the crystal's ligand back",
    ),
    into=dict,
)
@_site("--pockets", "list_pockets", is_flag=True, help="list the pockets of the protein, and prepare nothing")
@_how("--out", type=Path, metavar="DIR", help="the directory to make (1iep-target for 1iep.cif)")
@_how("--name", metavar="NAME", help="of the target (that of the directory)")
def prepare(protein: Path, list_pockets: bool, out: Path | None, name: str | None, choice: dict[str, Any]) -> int:
    """Make a target of your own protein (PDB or mmCIF).

    Chains and missing atoms are repaired, hydrogens are added, atom types written, and the crystal's ligand is docked
    back to see whether the site works. The directory that it leaves is given to --target of the other commands.
    """
    from ..preparation.choice import Options
    from ..preparation.prepare import prepare as prepare_target

    if list_pockets:
        return _list_pockets(protein, choice)
    try:
        made = prepare_target(
            protein,
            out or Path(f"{protein.name.split('.')[0] or 'target'}-target"),
            Options(**{key: value for key, value in choice.items() if value not in (None, ())}),
            name=name,
            say=lambda line: print(f"{line} ...", file=sys.stderr),
        )
    except MeasurementError as error:
        print(f"tgsci: {error}", file=sys.stderr)
        return 1
    print("\n".join(_summary(made)))
    return 0


def _list_pockets(protein: Path, choice: dict[str, Any]) -> int:
    from tgsci.show.tables import print_table

    from ..preparation.choice import SMALLEST_BOX, pockets_of
    from ..preparation.structures import read_structure

    found = pockets_of(read_structure(protein, choice["altlocs"]), choice["chains"])
    if not found:
        print("no pocket that would hold a small molecule was found", file=sys.stderr)
        return 1
    rows = [
        [str(n), *(f"{x:.1f}" for x in pocket.center), f"{pocket.score:.0f}", words]
        for n, (pocket, words) in enumerate(found, 1)
    ]
    print_table(["pocket", "x (A)", "y (A)", "z (A)", "score", "volume and lining"], rows, left=("volume and lining",))
    print(
        f"next: tgsci molecules prepare {shell_word(protein)} --pocket 1, a box of {SMALLEST_BOX:g} Angstrom around it"
    )
    return 0


def _summary(made: PreparedTarget) -> list[str]:
    target = made.target
    lines = [f"{target.name}: {target.directory}", *(f"  {note}" for note in made.notes)]
    lines.append(f"  {', '.join(f'{step} {seconds:.1f} s' for step, seconds in made.seconds.items())}")
    if made.redocked is not None and not made.redocked.reproduced:
        lines.append(f"  {made.redocked.advice}")
    return [*lines, f"next: tgsci molecules dock --target {target.directory} SMILES"]
