"""`tgsci molecules design`: search for better molecules from a start, for one target or a batch of them."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgsci.cli.command import command, option, options
from tgsci.cli.run import RunArguments, exit_code, run_options, run_problem
from tgsci.errors import UsageError
from tgsci.runs.domain import Domains
from tgsci.show.tables import print_table

from ..job import FINALISTS
from .docking_options import docking_options

if TYPE_CHECKING:
    from tgsci.runs.domain import Problem
    from tgsci.runs.result import Result

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_LIMIT = re.compile(rf"^\s*(?:({_NUMBER})\s*<=?\s*)?([^<>=]+?)\s*(<=?|>=?)\s*({_NUMBER})\s*$")


_wish = partial(option, section="Objective (see: tgsci molecules objectives)")


@command(
    "design",
    epilog="Exit code: 0 done, 1 failed or a file is missing, 2 bad input (nothing was started), 130 interrupted.",
)
@option(
    "--target", "targets", several=True, metavar="NAME...",
    help="see: tgsci molecules targets; or a directory that prepare wrote. Several: one run each, below --run",
)  # fmt: skip
@option(
    "--start",
    required=True,
    several=True,
    metavar="SMILES...",
    help="molecules, or one file of them (.smi, .csv, .sdf)",
)
@options(
    "wishes",
    _wish("--objective", metavar="NAME", help="a published one by name (default: dockstring)"),
    _wish("--qed-weight", type=float, metavar="W", help="worth of one whole QED, kcal/mol (10)"),
    _wish("--off-target", "off_targets", several=True, metavar="NAME...",
          help="what the molecule should bind less well, by 2 kcal/mol"),
    _wish("--limit", "limits", multiple=True, metavar="RANGE", help="'MW<=450', '1<=cLogP<=4'"),
    _wish("--keep", multiple=True, metavar="SMARTS", help="a group that must stay; repeat for more"),
    _wish("--avoid", multiple=True, metavar="SMARTS", help="a group that must not appear; repeat"),
    _wish("--core", metavar="SMILES", help="stays intact and grows only at its [*:1]: 'Nc1nccc([*:1])n1'"),
    _wish("--contact", "contacts", multiple=True, metavar="CONTACT",
          help="'hbond Met318' in the docked pose; of several targets: 'ABL1 hbond Met318'"),
    _wish("--alerts", several=True, metavar="SET...", help="no alert of PAINS, BRENK, UNSTABLE, NIH, CHEMBL"),
    _wish("--alert-cost", type=float, metavar="C", help="of each alert of PAINS, BRENK, UNSTABLE, kcal/mol (0.5)"),
    _wish("--strain-cost", type=float, metavar="C", help="of each kcal/mol of strain above 12 (0.2); 0: not computed"),
    _wish("--reference", several=True, metavar="SMILES...", help="for --limit 'similarity>=0.4'"),
    _wish("--advise", metavar="TEXT", help="'keep the aminopyrimidine hinge binder, no nitro groups'"),
    _wish("--finalists", type=int, metavar="N",
          help=f"best molecules docked again at full effort ({FINALISTS}); 0: none"),
)  # fmt: skip
@docking_options
@run_options
def design(
    targets: tuple[str, ...], start: tuple[str, ...], wishes: dict[str, Any], docking: dict[str, Any], run: RunArguments
) -> int:
    """Search for molecules with a lower loss: vina (kcal/mol) + 10 x (1 - QED) unless --objective says otherwise.

    Every molecule is docked; the table, the poses and the record of the run are left in its directory. Terms with
    weights and transforms are written in a job file: see tgsci run.
    """
    table = {**_start(start), **wishes, **docking}
    if "limits" in wishes:
        table["limits"] = read_limits(wishes["limits"])
    build = Domains.installed().load("molecules").problem
    names = list(dict.fromkeys(targets))
    if len(names) < 2:
        return exit_code(run_problem(build({**table, "target": names[0]} if names else table), run))
    contacts = _contacts(table.pop("contacts", []), names, table.get("off_targets", []))
    return _batch(
        [build({**table, "target": n, **({"contacts": contacts[n]} if contacts[n] else {})}) for n in names], run
    )


def _start(texts: Sequence[str]) -> dict[str, Any]:
    """Write --start as an entry of a job's table."""
    from ..molecule.library import is_library

    files = [text for text in texts if is_library(text)]
    if files and len(texts) > 1:
        raise UsageError(f"--start takes SMILES or one file, not both; {files[0]!r} is a file")
    return {"start_file": files[0]} if files else {"start": list(texts)}


def _contacts(texts: Sequence[str], names: Sequence[str], off_targets: Sequence[str]) -> dict[str, list[str]]:
    """List the wanted contacts of each target of a batch; one that begins with a target's name is for that target only.

    Raises:
        UsageError: One of the targets has no such contact; says how to ask for it in another one only.
    """
    from ..objective.contacts import read_contact
    from ..target.targets import Target

    targets, others = {name: Target(name) for name in names}, [Target(name) for name in off_targets]
    contacts: dict[str, list[str]] = {name: [] for name in names}
    for text in texts:
        own = [n for n, target in targets.items() if text.strip().upper().startswith(f"{target.name.upper()} ")]
        for name in own or names:
            try:
                read_contact(text, [targets[name], *others])
            except UsageError as error:
                other = next(target for target in targets.values() if target is not targets[name])
                hint = "" if own else f" For a contact in one target only: --contact '{other} {text.strip()}'."
                raise UsageError(f"{error}.{hint}") from None
            contacts[name].append(text)
    return contacts


def read_limits(texts: Sequence[str]) -> dict[str, list[float | None]]:
    """Read limits such as 'MW<=450' and '1 <= cLogP <= 4' as a job file's table of them.

    Raises:
        UsageError: A text is no limit, or gives the same end of a range twice.
    """
    limits: dict[str, list[float | None]] = {}
    for text in texts:
        match = _LIMIT.match(text)
        if match is None:
            raise UsageError(f"--limit {text!r} must be a metric, a sign and a number: 'MW<=450' or '1<=cLogP<=4'")
        first, name, sign, last = match.groups()
        if first is not None and not sign.startswith("<"):
            raise UsageError(f"--limit {text!r}: write the smaller number first, as in '1<=cLogP<=4'")
        ends = limits.setdefault(name, [None, None])
        given = [(0, first), (1 if sign.startswith("<") else 0, last)]
        for end, figure in given:
            if figure is None:
                continue
            if ends[end] is not None:
                raise UsageError(f"--limit {text!r}: that end of the range of {name} is given already")
            ends[end] = float(figure)
    return limits


def _batch(problems: Sequence[Problem], run: RunArguments) -> int:
    """Run one search a target, each in a directory of its own, and print a table over them at the end."""
    names = [problem.name for problem in problems]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise UsageError(f"the target {twice} is given twice")
    root = Path(run.directory or f"runs/batch-{time.strftime('%Y%m%d-%H%M%S')}").expanduser()
    results: list[Result] = []
    for number, problem in enumerate(problems, 1):
        print(f"\nTarget {number} of {len(problems)}: {problem.name}", file=sys.stderr)
        results.append(run_problem(problem, replace(run, directory=str(root / problem.name))))
        if exit_code(results[-1]) == 130:
            break
    _summarise(results, problems)
    code = max(map(exit_code, results))
    if code == 130:
        print(f"\nThe same command with --run {root} goes on with this target and all after it.", file=sys.stderr)
    return code


def _summarise(results: Sequence[Result], problems: Sequence[Problem]) -> None:
    rows = []
    for result, problem in zip(results, problems, strict=False):
        best = result.best
        metrics = best.feedback.metrics if best and best.feedback else {}
        score = next((f"{metrics[m]:.2f}" for m in problem.columns if m.endswith("vina") and m in metrics), "")
        qed = f"{metrics['QED']:.2f}" if "QED" in metrics else ""
        loss = f"{best.loss:.2f}" if best else "nothing measured"
        feasible = "" if best is None or best.feedback is None else "yes" if best.feedback.feasible else "no"
        rows.append([problem.name, loss, score, qed, feasible, best.value if best else "", str(result.directory)])
    print("\nThe best of every target:")
    header = ["target", "loss", "vina (kcal/mol)", "QED", "limits kept", "SMILES", "run"]
    print_table(header, rows, left=("SMILES",))
