"""The files of a run: written when it ends, and again when it is resumed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgsci.errors import UsageError
from tgsci.files import write_atomically
from tgsci.texts import visible

from .written import writable

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from tgsci.runs.result import Result
    from tgsci.search.trial import Trial

    from ..case.model import Case
    from ..goals import BoundSheet
    from ..loss import PlanLoss

#: What is written, each with what it is; the last ones only where a plan was measured.
FILES = {
    "plans.csv": "every trial, best first: loss, goals, parameters, why it was proposed",
    "columns.csv": "what each column of plans.csv and goals.csv means",
    "plan.json": "the best plan: parameters, fluence, goals, what the solver certifies",
    "page.txt": "what the best plan says about itself: goals, conflicts, hot and cold spots, sensitivities",
    "goals.csv": "the best plan's goals, for a spreadsheet",
    "goals.json": "the same for a script",
    "robustness.txt": "the best plan's goals with the patient shifted by 3 mm (static dose cloud)",
    "dvh.png": "dose-volume histograms of the best plan (solid) and of the first (dashed), with the goals",
    "wash.png": "the best plan's dose on the image",
}


def export(result: Result, directory: Path) -> Sequence[Path]:
    """Write what a physicist looks at after a run.

    Args:
        result: A run's; its problem or its trials know the loss.
        directory: Must exist; files of the same name are replaced, each at once or not at all.

    Returns:
        The paths of the files; see `FILES`.

    Raises:
        OSError: One cannot be written; what was there stays.
    """
    from .tables import columns_sheet, plans_csv

    contents: dict[str, str | bytes] = {"plans.csv": plans_csv(result), "columns.csv": columns_sheet(result)}
    best = result.best
    loss: Any = result.problem.loss if result.problem else result.trials.loss
    if best is not None and best.feedback is not None and "plan.json" in best.feedback.artifacts and loss is not None:
        texts, pictures = _of_the_best(result, best, loss)
        contents |= texts
        contents |= pictures
    for name, content in contents.items():
        write_atomically(directory / name, content)
    return [directory / name for name in contents]


def _of_the_best(result: Result, best: Trial, loss: PlanLoss) -> tuple[dict[str, str], dict[str, bytes]]:
    from ..goals import evaluate
    from ..qa.robustness import under_shifts
    from .plots import dose_wash, dvh_figure, png
    from .tables import goals_csv, goals_json

    case, goals = loss.case, loss.bound
    plan = _plan(best)
    dose = plan.dose(case)
    table = evaluate(goals, case, dose)
    texts = {
        "plan.json": _text(best),
        "page.txt": (best.feedback.text if best.feedback else "") + "\n",
        "goals.csv": goals_csv(table),
        "goals.json": goals_json(table, case),
        "robustness.txt": under_shifts(case, goals, dose=dose, method="cloud").text() + "\n",
    }
    doses = {f"trial {best.number}": dose}
    first = next((t for t in result.trials if t.measured and t.feedback and "plan.json" in t.feedback.artifacts), best)
    if first.number != best.number:
        doses[f"trial {first.number}, the first"] = _plan(first).dose(case)
    title = f"{case.name}, {goals.name}: {table.met} of {len(table.evaluated)} goals met"
    pictures = {
        "dvh.png": png(dvh_figure(case, doses, goals, title=title)),
        "wash.png": png(dose_wash(case, dose, title=f"{case.name}, trial {best.number}")),
    }
    return texts, pictures


def _plan(trial: Trial) -> Any:
    from ..plan.file import read_plan

    return read_plan(_text(trial))


def _text(trial: Trial) -> str:
    assert trial.feedback is not None
    content = trial.feedback.artifacts["plan.json"]
    return content.decode() if isinstance(content, bytes) else content


_KINDS = (".png", ".svg")


def check_figures(wanted: Mapping[str, Path | None], *, force: bool = False) -> dict[str, Path]:
    """The files that are wanted, known to be writable.

    Args:
        wanted: File by the plot's name, "dvh" or "wash"; None for none.
        force: Whether files may be there already.

    Raises:
        UsageError: One is there, cannot be written, or is neither .png nor .svg.
    """
    found = {}
    for name, path in wanted.items():
        if path is None:
            continue
        if path.suffix.lower() not in _KINDS:
            raise UsageError(f"--{name} writes a .png or .svg file, not {visible(path.name)}")
        found[name] = writable(path, force=force)
    return found


def write_figures(
    files: Mapping[str, Path],
    case: Case,
    doses: Mapping[str, NDArray[np.floating]],
    goals: BoundSheet | None = None,
    title: str = "",
) -> Iterator[str]:
    """Draw and write plots.

    Args:
        files: By "dvh" (all doses) or "wash" (the first one).
        case: What the doses are of.
        doses: Total Gy by row, by the plan's name.
        goals: Marked in the histograms.
        title: Of the plots.

    Yields:
        A line a file, once it is written.
    """
    from .plots import dose_wash, dvh_figure

    for name, path in files.items():
        label, first = next(iter(doses.items()))
        figure = (
            dvh_figure(case, doses, goals, title=title or f"{case.name}: {', '.join(doses)}")
            if name == "dvh"
            else dose_wash(case, first, title=title or f"{case.name}: {label}")
        )
        write_atomically(path, content(figure, path))
        yield f"wrote {path}"


def content(figure: Figure, path: Path) -> bytes:
    """A figure as the content of a file of that name."""
    from .style import png, svg

    return svg(figure).encode() if path.suffix.lower() == ".svg" else png(figure)
