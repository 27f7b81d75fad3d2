"""`tgsci molecules design`: search for better molecules from a start, for one target or a batch of them."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgsci.cli.main import add_run_options, run_problem
from tgsci.errors import UsageError

from ..job import FINALISTS, KEYS, SETTINGS
from .shared import Commands, add_settings, print_table

if TYPE_CHECKING:
    from tgsci.runs.domain import Problem

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_LIMIT = re.compile(rf"^\s*(?:({_NUMBER})\s*<=?\s*)?([^<>=]+?)\s*(<=?|>=?)\s*({_NUMBER})\s*$")


def add_design(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `design`: search for better molecules from a start."""
    parser = commands.add_parser(
        "design",
        help="search for molecules that dock better and look like drugs",
        description="Search for molecules with a lower loss: vina (kcal/mol) + 10 x (1 - QED) unless --objective says "
        "otherwise. Every molecule is docked; the table, the poses and the record of the run are left in its "
        "directory. Terms with weights and transforms are written in a job file: see tgsci run.",
        epilog="Exit code: 0 done, 1 failed or a file is missing, 2 bad input (nothing was started), 130 interrupted.",
    )
    parser.add_argument(
        "--target", nargs="+", action="extend", metavar="NAME",
        help="see: tgsci molecules targets; or a directory that prepare wrote. Several: one run each, below --run",
    )  # fmt: skip
    parser.add_argument(
        "--start", required=True, nargs="+", metavar="SMILES", help="molecules, or one file of them (.smi, .csv, .sdf)"
    )
    group = parser.add_argument_group("objective", "see: tgsci molecules objectives")
    group.add_argument("--objective", metavar="NAME", help="a published one by name (default: dockstring)")
    group.add_argument("--qed-weight", type=float, metavar="W", help="worth of one whole QED, kcal/mol (10)")
    group.add_argument(
        "--off-target", dest="off_targets", nargs="+", action="extend", metavar="NAME",
        help="what the molecule should bind less well, by 2 kcal/mol",
    )  # fmt: skip
    group.add_argument("--limit", dest="limits", action="append", metavar="RANGE", help="'MW<=450', '1<=cLogP<=4'")
    group.add_argument("--keep", action="append", metavar="SMARTS", help="a group that must stay; repeat for more")
    group.add_argument("--avoid", action="append", metavar="SMARTS", help="a group that must not appear; repeat")
    group.add_argument("--core", metavar="SMILES", help="stays intact and grows only at its [*:1]: 'Nc1nccc([*:1])n1'")
    group.add_argument(
        "--contact",
        dest="contacts",
        action="append",
        metavar="CONTACT",
        help="'hbond Met318' in the docked pose; of several targets: 'ABL1 hbond Met318'",
    )
    group.add_argument(
        "--alerts", nargs="+", action="extend", metavar="SET", help="no structural alert of PAINS, BRENK, NIH, CHEMBL"
    )
    group.add_argument(
        "--reference", nargs="+", action="extend", metavar="SMILES", help="for --limit 'similarity>=0.4'"
    )
    group.add_argument("--advise", metavar="TEXT", help="'keep the aminopyrimidine hinge binder, no nitro groups'")
    group.add_argument(
        "--finalists", type=int, metavar="N", help=f"best molecules docked again at full effort ({FINALISTS}); 0: none"
    )
    add_settings(parser)
    add_run_options(parser)
    parser.set_defaults(run=run_design)


def run_design(arguments: argparse.Namespace) -> int:
    """Build the problem or the problems that the command line describes, and run them.

    Raises:
        UsageError: Bad input; nothing was started.
    """
    from .. import domain

    config = _config(arguments)
    targets = list(dict.fromkeys(arguments.target or []))
    if len(targets) < 2:
        return run_problem(domain.problem({**config, "target": targets[0]} if targets else config), arguments)
    contacts = _contacts(config.pop("contacts", []), targets, config.get("off_targets", []))
    problems = [
        domain.problem({**config, "target": target, **({"contacts": contacts[target]} if contacts[target] else {})})
        for target in targets
    ]
    return _batch(problems, arguments)


def _config(arguments: argparse.Namespace) -> dict[str, Any]:
    """The table of a job file that says the same as the options, without the target."""
    from ..molecule.library import is_library

    names = ("objective", "qed_weight", "off_targets", "keep", "avoid", "core", "contacts", "alerts", "reference",
             "advise", "finalists", *SETTINGS)  # fmt: skip
    config = {key: getattr(arguments, key) for key in names if getattr(arguments, key) is not None}
    files = [text for text in arguments.start if is_library(text)]
    if files and len(arguments.start) > 1:
        raise UsageError(f"--start takes SMILES or one file, not both; {files[0]!r} is a file")
    config["start_file" if files else "start"] = files[0] if files else arguments.start
    if arguments.limits:
        config["limits"] = read_limits(arguments.limits)
    assert set(config) <= set(KEYS)
    return config


def _contacts(texts: Sequence[str], names: Sequence[str], off_targets: Sequence[str]) -> dict[str, list[str]]:
    """For each target of a batch the contacts that are asked for: one with a target's name is only for that one.

    Raises:
        UsageError: No such contact in one of them: how to ask for it in another one only.
    """
    from ..objective.contacts import read_contact
    from ..target.targets import Target

    targets, others = {name: Target(name) for name in names}, [Target(name) for name in off_targets]
    found: dict[str, list[str]] = {name: [] for name in names}
    for text in texts:
        own = [n for n, target in targets.items() if text.strip().upper().startswith(f"{target.name.upper()} ")]
        for name in own or names:
            try:
                read_contact(text, [targets[name], *others])
            except UsageError as error:
                other = next(target for target in targets.values() if target is not targets[name])
                hint = "" if own else f" For a contact in one target only: --contact '{other} {text.strip()}'."
                raise UsageError(f"{error}.{hint}") from None
            found[name].append(text)
    return found


def read_limits(texts: Sequence[str]) -> dict[str, list[float | None]]:
    """The table of limits that texts such as 'MW<=450' and '1 <= cLogP <= 4' stand for.

    Raises:
        UsageError: A text is no limit, or gives the same end of a range twice.
    """
    found: dict[str, list[float | None]] = {}
    for text in texts:
        match = _LIMIT.match(text)
        if match is None:
            raise UsageError(f"--limit {text!r} must be a metric, a sign and a number: 'MW<=450' or '1<=cLogP<=4'")
        first, name, sign, last = match.groups()
        if first is not None and not sign.startswith("<"):
            raise UsageError(f"--limit {text!r}: write the smaller number first, as in '1<=cLogP<=4'")
        ends = found.setdefault(name, [None, None])
        given = [(0, first), (1 if sign.startswith("<") else 0, last)]
        for end, figure in given:
            if figure is None:
                continue
            if ends[end] is not None:
                raise UsageError(f"--limit {text!r}: that end of the range of {name} is given already")
            ends[end] = float(figure)
    return found


def _batch(problems: Sequence[Problem], arguments: argparse.Namespace) -> int:
    """One run a target, each in a directory of its own, and a table over them at the end."""
    names = [problem.name for problem in problems]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise UsageError(f"the target {twice} is given twice")
    root = Path(arguments.directory or f"runs/batch-{time.strftime('%Y%m%d-%H%M%S')}").expanduser()
    code = 0
    done = []
    for number, problem in enumerate(problems, 1):
        print(f"\nTarget {number} of {len(problems)}: {problem.name}", file=sys.stderr)
        own = argparse.Namespace(**{**vars(arguments), "directory": str(root / problem.name)})
        found = run_problem(problem, own)
        done.append(root / problem.name)
        code = max(code, found)
        if found == 130:
            break
    _summarise(done, problems)
    if code == 130:
        print(f"\nThe same command with --run {root} goes on with this target and all after it.", file=sys.stderr)
    return code


def _summarise(directories: Sequence[Path], problems: Sequence[Problem]) -> None:
    from tgsci.runs.result import Result

    rows = []
    for directory, problem in zip(directories, problems, strict=False):
        result = Result.load(directory)
        best = result.best
        metrics: Mapping[str, float] = best.feedback.metrics if best and best.feedback else {}
        score = next((f"{metrics[m]:.2f}" for m in problem.columns if m.endswith("vina") and m in metrics), "")
        qed = f"{metrics['QED']:.2f}" if "QED" in metrics else ""
        loss = f"{best.loss:.2f}" if best else "nothing measured"
        feasible = "" if best is None or best.feedback is None else "yes" if best.feedback.feasible else "no"
        rows.append([problem.name, loss, score, qed, feasible, best.value if best else "", str(directory)])
    print("\nThe best of every target:")
    print_table(["target", "loss", "vina (kcal/mol)", "QED", "limits kept", "SMILES", "run"], rows)
