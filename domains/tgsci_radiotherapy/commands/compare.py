"""`tgsci radiotherapy compare`: two plans or doses of one case, goal by goal, and by the gamma index."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tgsci.basics.texts import quote
from tgsci.cli.command import command, option, options
from tgsci.errors import UsageError
from tgsci.show.tables import print_table

from ..notice import NOTICE
from .dose import Dose, anyway_option, case_and_goals, dose_argument, goals_of, knows_its_case, open_dose, replace_files

_GAMMA = "Gamma index (AAPM TG-218's criteria by default)"


@command("compare", epilog=f"Exit code: 0 compared, 2 bad input. {NOTICE}")
@dose_argument("a", "A", "the first, the reference of the gamma index")
@dose_argument("b", "B", "the second")
@case_and_goals
@option("--dvh", type=Path, metavar="FILE", help="write both histograms as .png or .svg")
@options(
    "gamma",
    option("--gamma", "criteria", section=_GAMMA, metavar="PERCENT/MM", help="criteria, % and mm (3/2); 0 for none"),
    option("--local", section=_GAMMA, is_flag=True, help="percent of each point's own dose, not of the maximum"),
    option("--threshold", section=_GAMMA, type=float, metavar="PERCENT", help="points below it are not judged, % (10)"),
)
@anyway_option
@option("--json", "as_json", is_flag=True, help="print JSON instead of tables")
@replace_files
def compare(
    a: str,
    b: str,
    case: str | None,
    sheet: str | None,
    dvh: Path | None,
    anyway: bool,
    as_json: bool,
    force: bool,
    gamma: dict[str, Any],
) -> int:
    """Put two plans or doses of one case side by side: goals, histograms, gamma index.

    Their goals stand side by side, then how far the doses agree (gamma index, A is the reference), and with --dvh
    their histograms in one plot, A solid and B dashed.
    """
    from ..goals import evaluate
    from ..qa.gamma import gamma_index
    from ..views.export import check_plots, write_plots
    from ..views.tables import side_by_side

    criteria = _criteria(**gamma)
    files = check_plots({"dvh": dvh}, force=force)
    first, second = _pair(a, b, case, anyway)
    if first.case.fingerprint != second.case.fingerprint:
        raise UsageError(
            f"{first.label} is of the case {quote(first.case.name)}, {second.label} of {quote(second.case.name)}; only "
            "doses of one case can be compared"
        )
    of = first.case
    goals = goals_of(first if first.plan or not second.plan else second, sheet)
    names = _distinct_labels(first.label, second.label)
    doses = dict(zip(names, (first.dose, second.dose), strict=True))
    tables = {name: evaluate(goals, of, dose) for name, dose in doses.items()}
    if criteria:
        print("calculating the gamma index ...", file=sys.stderr)
    index = gamma_index(of, first.dose, second.dose, **criteria) if criteria else None
    if as_json:
        plans = {name: table.as_dict() for name, table in tables.items()}
        more: dict[str, Any] = {"gamma": index.as_dict()} if index else {}
        more |= {"notes": [*first.notes, *second.notes]} if first.notes or second.notes else {}
        print(json.dumps({"notice": NOTICE, "fingerprint": of.fingerprint, "plans": plans, **more}))
    else:
        print(f"{goals.name} on {of.name}, dose grid {of.grid}")
        for note in (*first.notes, *second.notes):
            print(f"  note: {note}")
        print_table(*side_by_side(tables), left=("goal", "status"))
        if index:
            print(f"{names[0]} against {names[1]}: {index.text()}")
        print(NOTICE)
    for line in write_plots(files, of, doses, goals):
        print(line, file=sys.stderr)
    return 0


def _pair(a: str, b: str, case: str | None, anyway: bool) -> tuple[Dose, Dose]:
    """Open both doses; a plan knows its case, an RTDOSE file takes that of the other one."""
    if case is None and not knows_its_case(a) and knows_its_case(b):
        second = open_dose(b)
        return open_dose(a, second.case, anyway=anyway), second
    first = open_dose(a, case, anyway=anyway)
    other = case or (None if knows_its_case(b) else first.case)
    return first, open_dose(b, other, anyway=anyway)


def _criteria(criteria: str = "3/2", threshold: float | None = None, local: bool = False) -> dict[str, Any]:
    """Read the options as keywords of `gamma_index`; none where it is not wanted."""
    if criteria == "0":
        return {}
    percent, _, mm = criteria.partition("/")
    try:
        keywords: dict[str, Any] = {"dose_percent": float(percent), "distance_mm": float(mm)}
    except ValueError:
        raise UsageError(f"--gamma is PERCENT/MM, for example 3/2, or 0 for none; not {quote(criteria)}") from None
    if threshold is not None:
        keywords["threshold_percent"] = threshold
    return {**keywords, "local": local}


def _distinct_labels(first: str, second: str) -> tuple[str, str]:
    return (first, second) if first != second else (f"A {first}", f"B {second}")
