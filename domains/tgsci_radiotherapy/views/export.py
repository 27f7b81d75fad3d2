"""The files of a run, written when it ends and again when it is resumed; and plots as files."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgsci.basics.files import writable, write_atomically
from tgsci.basics.texts import visible
from tgsci.errors import UsageError

from ..editor import insight
from ..loss.possibility import Possibility
from ..plan.file import FILE, PlanFile, read_plan
from ..planner.recent import Recent, planner_of
from ..qa.robustness import NOMINAL, under_shifts
from .conflicts import account, questions
from .over_plans import near_miss
from .tables import columns_sheet, goals_csv, goals_json, plans_csv

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from tgsci.runs.result import Result
    from tgsci.search.trial import Trial, Trials

    from ..case.model import Case
    from ..goals import BoundSheet, Goal, GoalTable
    from ..loss import PlanLoss
    from ..loss.possibility import Answer
    from ..qa.robustness import Robustness

#: The file that says which goals could not be met together.
CONFLICTS = "conflicts.txt"
#: Longest that a run looks for a proof that its goals exclude each other, s.
_PROOF = 40.0
#: The endings of plots' files.
_KINDS = (".png", ".svg")


@dataclass(frozen=True, eq=False)
class BestPlan:
    """A plan of a run. Its dose, goals and robustness are worked out once, for files, report and command line.

    Args:
        trial: The trial that made it.
        loss: What it was measured by.
    """

    trial: Trial
    loss: PlanLoss

    @cached_property
    def plan(self) -> PlanFile:
        """What its file holds."""
        return read_plan(plan_text(self.trial))

    @cached_property
    def dose(self) -> NDArray[np.float32]:
        """Total Gy of each row of the case."""
        return self.plan.dose(self.loss.case)

    @cached_property
    def table(self) -> GoalTable:
        """Its goals, with the values that were measured."""
        metrics = self.trial.feedback.metrics if self.trial.feedback else {}
        return self.loss.bound.table(
            self.loss.case, [metrics.get(goal.name, math.nan) for goal in self.loss.bound.goals]
        )

    @cached_property
    def robustness(self) -> Robustness:
        """Its goals with the patient shifted by 3 mm or denser by 3%, by the quick method."""
        fluence = self.plan.fluence
        return under_shifts(self.loss.case, self.loss.bound, dose=self.dose, fluence=fluence, method="cloud")

    def answers(self, trials: Trials) -> tuple[Answer, ...]:
        """Say what can be proven of the goals that no plan of the run met together; asked once, within `_PROOF` s.

        Args:
            trials: All of the run.
        """
        asked = tuple(questions(trials, self.loss.bound.goals))
        if asked not in self._answers:
            answers: list[Answer] = []
            for goals in asked:
                if answers and answers[0].conflict:
                    break  # more goals cannot be met either
                seconds = _PROOF / len(asked)
                possibility = Possibility(planner_of(self.loss.case), self.loss.bound.prescriptions, seconds)
                answers.append(possibility.ask(goals))
            self._answers[asked] = tuple(answers)
        return self._answers[asked]

    @cached_property
    def _answers(self) -> dict[tuple[tuple[Goal, ...], ...], tuple[Answer, ...]]:
        return {}


_BEST = Recent()


def best_plan(result: Result) -> BestPlan | None:
    """Find the best plan of a run, the same object for whoever asks again; None where there is none.

    Args:
        result: The result of a run whose problem or trials know the loss, or for which this process asked before.
    """
    trial = result.best
    if trial is None or trial.feedback is None or FILE not in trial.feedback.artifacts:
        return None
    text = plan_text(trial)  # with the case's fingerprint and the goals in it
    best: BestPlan | None = _BEST.get(text)
    loss: Any = result.loss
    if best is None and loss is not None:
        best = BestPlan(trial, loss)
        _BEST.put(text, best)
    return best


def first_plan(result: Result) -> BestPlan | None:
    """Find the first plan of a run, with its dose and goals; None where there is none."""
    loss: Any = result.loss
    first = next((t for t in result.trials if t.measured and t.feedback and FILE in t.feedback.artifacts), None)
    return BestPlan(first, loss) if first is not None and loss is not None else None


def export(result: Result, directory: Path) -> Sequence[Path]:
    """Write what a physicist looks at after a run.

    `plans.csv` has every trial and `columns.csv` what its columns mean. Where a plan was measured, the best one is
    `plan.json`, with its page (`page.txt`), goals (`goals.csv`, `goals.json`), goals with the patient shifted
    (`robustness.txt`), histograms (`dvh.png`, dashed those of the first plan) and dose on the image (`wash.png`); where
    it misses goals, `conflicts.txt` says which were never met together.

    Args:
        result: The result of a run whose problem or trials know the loss.
        directory: Must exist; files of the same name are replaced, each at once or not at all.

    Returns:
        The paths of the files.

    Raises:
        OSError: A file cannot be written; what was there stays.
    """
    contents: dict[str, str | bytes] = {"plans.csv": plans_csv(result), "columns.csv": columns_sheet(result)}
    best = best_plan(result)
    if best is not None:
        contents |= _files_of(best, result)
    conflicts = account(result.trials, best.answers(result.trials) if best else ())
    if conflicts:
        contents[CONFLICTS] = f"{conflicts}\n"
    else:
        (directory / CONFLICTS).unlink(missing_ok=True)  # of an earlier session: they are met now
    for name, content in contents.items():
        write_atomically(directory / name, content)
    return [directory / name for name in contents]


def _files_of(best: BestPlan, result: Result) -> dict[str, str | bytes]:
    from tgsci.show.canvas import png

    from .dvh_plot import dvh_figure
    from .wash import dose_wash

    case, goals, table = best.loss.case, best.loss.bound, best.table
    doses = {f"trial {best.trial.number}": best.dose}
    first = first_plan(result)
    if first is not None and first.trial.number != best.trial.number:
        doses[f"trial {first.trial.number}, the first"] = first.dose
    scenarios = [dose for scenario, dose in best.robustness.doses.items() if scenario != NOMINAL]
    title = f"{case.name}, {goals.name}: {table.met} of {len(table.evaluated)} goals met"
    return {
        FILE: plan_text(best.trial),
        "page.txt": "\n".join(_page(best, result)) + "\n",
        "goals.csv": goals_csv(table),
        "goals.json": goals_json(table, case),
        "robustness.txt": best.robustness.text() + "\n",
        "dvh.png": png(dvh_figure(case, doses, goals, title=title, bands=scenarios)),
        "wash.png": png(dose_wash(case, best.dose, title=f"{case.name}, trial {best.trial.number}")),
    }


def _page(best: BestPlan, result: Result) -> list[str]:
    """Write the best plan's page; below it what was predicted of the step to it and what came, and the nearest miss."""
    trial = best.trial
    lines = [trial.feedback.text if trial.feedback else ""]
    if trial.parent is not None and trial.parent < trial.number:
        came = insight.contrast(result.trials[trial.parent], trial)
        edit = f": {trial.edit}" if trial.edit else ""
        lines += [f"THE LAST STEP, from trial {trial.parent}{edit}", came] if came else []
    near = near_miss(result.trials)
    return [*lines, *([near[1]] if near else [])]


def plan_text(trial: Trial) -> str:
    """Give the text of a trial's plan file."""
    assert trial.feedback is not None
    content = trial.feedback.artifacts[FILE]
    return content.decode() if isinstance(content, bytes) else content


def check_plots(wanted: Mapping[str, Path | None], *, force: bool = False) -> dict[str, Path]:
    """Check that the wanted plots can be written.

    Args:
        wanted: File by the plot's name, "dvh" or "wash"; None for none.
        force: Whether files may be there already.

    Raises:
        UsageError: A file is there already, cannot be written, or is neither .png nor .svg.
    """
    checked = {}
    for name, path in wanted.items():
        if path is None:
            continue
        if path.suffix.lower() not in _KINDS:
            raise UsageError(f"--{name} writes a .png or .svg file, not {visible(path.name)}")
        checked[name] = writable(path, force=force)
    return checked


def write_plots(
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
    from .dvh_plot import dvh_figure
    from .wash import dose_wash

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
    """Draw a figure as the content of a file of that name."""
    from tgsci.show.canvas import png, svg

    return svg(figure).encode() if path.suffix.lower() == ".svg" else png(figure)
