"""The finalists: what the fast search liked best, docked again as carefully as Vina can, with both figures shown."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tgsci.errors import MeasurementError, UsageError
from tgsci.feedback import Feedback
from tgsci.loss import Loss
from tgsci.result import Result
from tgsci.texts import duration

from .docking import NOISE, Settings, dock
from .protein.targets import Target
from .smiles import canonical

if TYPE_CHECKING:
    from tgsci.finish import Finishing

L = TypeVar("L", bound=Loss)

#: Longest that one finalist may take in one target, s: ten times a large drug's.
LONGEST = 4 * 3600.0


@dataclass(frozen=True)
class Finalist:
    """One molecule in one target, docked twice.

    Args:
        smiles: Canonical.
        target: The target's name.
        fast: Vina's score at the setting of the search, kcal/mol; nan where there is none.
        full: Vina's score at the full setting, kcal/mol; nan where it could not be docked.
        error: Why not.
    """

    smiles: str
    target: str
    fast: float
    full: float
    error: str = ""

    @property
    def verdict(self) -> str:
        """What the second figure says about the first."""
        return self.error or compared(self.fast, self.full)


def compared(fast: float, full: float) -> str:
    """Two scores of one molecule in words; what lies within the noise of the search is called noise.

    Args:
        fast: At the setting of the search, kcal/mol.
        full: At the full setting, kcal/mol.
    """
    difference = full - fast
    if math.isnan(difference):
        return "there is only one figure"
    if abs(difference) < NOISE:
        return f"the same within the noise of the fast search ({NOISE:g} kcal/mol)"
    if difference < 0:
        return f"{-difference:.1f} kcal/mol better than the fast search found"
    return f"{difference:.1f} kcal/mol worse than the fast search found: trust the pose of the lower figure"


def ranked(finalists: Sequence[Finalist]) -> list[str]:
    """The finalists of each target by their full figure, in sentences; who is no better than the next is said."""
    lines = []
    for target in dict.fromkeys(each.target for each in finalists):
        measured = [f for f in finalists if f.target == target and not math.isnan(f.full)]
        order = sorted(measured, key=lambda f: (f.full, f.smiles))
        for rank, each in enumerate(order, 1):
            below = order[rank] if rank < len(order) else None
            tie = " (the difference to the next is noise)" if below and below.full - each.full < NOISE else ""
            lines.append(
                f"{target} {rank}. {each.smiles}: {each.full:.2f} kcal/mol at the full setting, {each.fast:.2f} in the "
                f"search; {each.verdict}{tie}"
            )
        lines += [f"{target} {f.smiles}: {f.error}" for f in finalists if f.target == target and math.isnan(f.full)]
    return lines


def in_full(loss: L) -> L:
    """The same objective at the full docking setting: exhaustiveness 8 without a cap, each target's whole box.

    Args:
        loss: One with `settings`, such as `Objective` and `DockingLoss`.

    Raises:
        UsageError: It does not dock.
    """
    settings = getattr(loss, "settings", None)
    if not isinstance(settings, Settings):
        raise UsageError(f"{loss.name or type(loss).__name__} has no docking settings to raise")
    careful: Any = copy.copy(loss)
    careful.settings = Settings.full(settings=settings)
    careful.timeout = LONGEST * len(getattr(loss, "targets", (None,)))
    return careful  # type: ignore[no-any-return]


def finish(result: Result, finishing: Finishing, *, count: int) -> None:
    """Measure the best feasible trials of a run again, at the full setting; for `Problem.finish`.

    What is there already is not measured again, and what was docked before comes from the cache: an interrupted finish
    goes on where it stopped.

    Args:
        result: A run's; its loss docks.
        finishing: Where to measure, and what keeps the figures.
        count: How many finalists; 0 for none.
    """
    loss = result.problem.loss if result.problem else result.trials.loss
    if loss is None or count <= 0:
        return
    careful = in_full(loss)
    best = [trial for trial in result.trials.ranked() if trial.feedback and trial.feedback.feasible][:count]
    todo = {trial.value: trial for trial in best if trial.number not in result.finals}
    if not todo:
        return
    measured = finishing.each(
        partial(_again, careful), list(todo), "re-docking the finalists at the full setting", timeout=careful.timeout
    )
    for value, outcome in measured:
        trial = todo[value]
        if isinstance(outcome, MeasurementError):
            finishing.keep(trial, Feedback.failed(str(outcome)))
            continue
        feedback, seconds = outcome
        if feedback.measured and trial.feedback:
            feedback = replace(feedback, text="\n".join([*_both(trial.feedback, feedback), feedback.text]))
        finishing.keep(trial, feedback, seconds)


def load(directory: str | Path) -> list[Finalist]:
    """The finalists of a run that were measured again, in each of its targets.

    Raises:
        LedgerError: There is no such run.
    """
    result = Result.load(directory)
    found = []
    for number, feedback in result.finals.items():
        before = result.trials[number].feedback
        first = before.metrics if before else {}
        names = [name for name in first if name == "vina" or name.endswith(" vina")]
        for name in names:
            found.append(
                Finalist(
                    result.trials[number].value,
                    name.removesuffix("vina").strip(),
                    first[name],
                    feedback.metrics.get(name, math.nan),
                    feedback.error or "",
                )
            )
    return found


def redock(
    smiles: Sequence[str],
    targets: Target | str | Sequence[Target | str],
    settings: Settings | None = None,
    *,
    workers: int = 1,
    executor: Executor | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> list[Finalist]:
    """Dock molecules at a fast and at the full setting.

    Each result is kept in the cache as it comes: called again after an interruption, it goes on.

    Args:
        smiles: Any spellings.
        targets: One or several, each a `Target` or its name.
        settings: The fast setting; its seed and forms are those of the full one.
        workers: Processes that dock, where no executor is given.
        executor: Where to dock instead.
        say: Hears of each result, with the time that is left.

    Returns:
        Each molecule in each target, in the order given.

    Raises:
        InvalidValue: One is no molecule that can be docked.
        UsageError: No such target.
    """
    given = [targets] if isinstance(targets, Target | str) else list(targets)
    places = [Target(each) if isinstance(each, str) else each for each in given]
    tasks = [(canonical(text), target) for text in smiles for target in places]
    found: dict[int, Finalist] = {}
    started = time.monotonic()
    with _executor(executor, min(workers, len(tasks)) or 1) as pool:
        futures: dict[Future[tuple[float, float]], int] = {
            pool.submit(_twice, text, target, settings or Settings()): number
            for number, (text, target) in enumerate(tasks)
        }
        for done, future in enumerate(as_completed(futures), 1):
            text, target = tasks[futures[future]]
            try:
                finalist = Finalist(text, target.name, *future.result())
            except MeasurementError as error:
                finalist = Finalist(text, target.name, math.nan, math.nan, str(error))
            found[futures[future]] = finalist
            left = (time.monotonic() - started) / done * (len(tasks) - done)
            after = f"; about {duration(left)} left" if done < len(tasks) else ""
            say(f"{done} of {len(tasks)}: {finalist.smiles} in {finalist.target}: {_figures(finalist)}{after}")
    return [found[number] for number in range(len(tasks))]


def _twice(smiles: str, target: Target, settings: Settings) -> tuple[float, float]:
    """The fast and the full score, kcal/mol."""
    return dock(smiles, target, settings).score, dock(smiles, target, Settings.full(settings=settings)).score


def _again(loss: Loss, value: str) -> tuple[Feedback, float]:
    started = time.perf_counter()
    return loss.measure(value), time.perf_counter() - started


def _both(fast: Feedback, full: Feedback) -> list[str]:
    """Both figures of each target, at the head of the careful report."""
    lines = []
    for name, score in full.metrics.items():
        if (name == "vina" or name.endswith(" vina")) and name in fast.metrics:
            before = fast.metrics[name]
            lines.append(
                f"FULL SETTING: {name} {score:.2f} kcal/mol; {before:.2f} in the search: {compared(before, score)}."
            )
    return lines


def _figures(finalist: Finalist) -> str:
    return finalist.error or f"{finalist.full:.2f} kcal/mol at the full setting, {finalist.fast:.2f} at the fast one"


@contextmanager
def _executor(given: Executor | None, workers: int) -> Iterator[Executor]:
    if given is not None:
        yield given
        return
    from tgsci.workers import WorkerPool

    with WorkerPool(workers, LONGEST) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
