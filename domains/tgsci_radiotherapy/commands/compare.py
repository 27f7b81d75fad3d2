"""`tgsci radiotherapy compare`: two plans or doses of one case, goal by goal, and by the gamma index."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgsci.errors import UsageError

from ..notice import NOTICE
from ..words import shown
from .evaluate import add_case_and_goals, add_given
from .extra import needs_extra
from .shared import Commands, print_table

if TYPE_CHECKING:
    from .given import Given


def add_compare(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `compare`: two plans or doses side by side."""
    parser = commands.add_parser(
        "compare",
        help="put two plans or doses side by side: goals, histograms, gamma index",
        description="Compare two plans or doses of one case: their goals side by side, how far the doses agree (gamma "
        "index, A is the reference), and with --dvh their histograms in one plot, A solid and B dashed.",
        epilog=f"Exit code: 0 compared, 2 bad input. {NOTICE}",
    )
    add_given(parser, "a", "the first, the reference of the gamma index")
    add_given(parser, "b", "the second")
    add_case_and_goals(parser)
    parser.add_argument("--dvh", type=Path, metavar="FILE", help="write both histograms as .png or .svg")
    gamma = parser.add_argument_group("gamma index", "AAPM TG-218's criteria by default")
    gamma.add_argument("--gamma", metavar="PERCENT/MM", help="criteria (3/2); 0 for none")
    gamma.add_argument("--local", action="store_true", help="percent of each point's own dose, not of the maximum")
    gamma.add_argument("--threshold", type=float, metavar="PERCENT", help="points below it are not judged (10)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    parser.set_defaults(run=needs_extra(run_compare))


def run_compare(arguments: argparse.Namespace) -> int:
    """Compare what the command line names.

    Raises:
        UsageError: Bad input, or the two are of different cases.
    """
    from ..goals import evaluate
    from ..qa.gamma import gamma_index
    from ..views.export import check_figures, write_figures
    from ..views.tables import side_by_side
    from .given import goals_of

    criteria = _criteria(arguments)
    files = check_figures({"dvh": arguments.dvh}, force=arguments.force)
    first, second = _pair(arguments)
    if first.case.fingerprint != second.case.fingerprint:
        raise UsageError(
            f"{first.label} is of the case {shown(first.case.name)}, {second.label} of {shown(second.case.name)}; only "
            "doses of one case can be compared"
        )
    case = first.case
    goals = goals_of(first if first.plan or not second.plan else second, arguments.goals)
    names = _told_apart(first.label, second.label)
    doses = dict(zip(names, (first.dose, second.dose), strict=True))
    tables = {name: evaluate(goals, case, dose) for name, dose in doses.items()}
    if criteria:
        print("calculating the gamma index ...", file=sys.stderr)
    found = gamma_index(case, first.dose, second.dose, **criteria) if criteria else None
    if arguments.json:
        said = {name: table.as_dict() for name, table in tables.items()}
        more = {"gamma": found.as_dict()} if found else {}
        print(json.dumps({"notice": NOTICE, "fingerprint": case.fingerprint, "plans": said, **more}))
    else:
        print(f"{goals.name} on {case.name}, dose grid {case.grid}")
        print_table(*side_by_side(tables), left=("goal", "status"))
        if found:
            print(f"{names[0]} against {names[1]}: {found.text()}")
        print(NOTICE)
    for line in write_figures(files, case, doses, goals):
        print(line, file=sys.stderr)
    return 0


def _pair(arguments: argparse.Namespace) -> tuple[Given, Given]:
    """Both doses; a plan knows its case, an RTDOSE file takes that of the other one."""
    from .given import given, knows_its_case

    if arguments.case is None and not knows_its_case(arguments.a) and knows_its_case(arguments.b):
        second = given(arguments.b)
        return given(arguments.a, second.case), second
    first = given(arguments.a, arguments.case)
    other = arguments.case or (None if knows_its_case(arguments.b) else first.case)
    return first, given(arguments.b, other)


def _criteria(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options as keywords of `gamma_index`; none where it is not wanted."""
    if arguments.gamma == "0":
        return {}
    percent, _, mm = (arguments.gamma or "3/2").partition("/")
    try:
        found: dict[str, Any] = {"dose_percent": float(percent), "distance_mm": float(mm)}
    except ValueError:
        raise UsageError(
            f"--gamma is PERCENT/MM, for example 3/2, or 0 for none; not {shown(arguments.gamma)}"
        ) from None
    if arguments.threshold is not None:
        found["threshold_percent"] = arguments.threshold
    return {**found, "local": arguments.local}


def _told_apart(first: str, second: str) -> tuple[str, str]:
    return (first, second) if first != second else (f"A {first}", f"B {second}")
