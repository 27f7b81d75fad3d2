"""Domain: what a plugin offers. Found through the entry-point group `tgsci.domains`.

A domain's module must import quickly and without its heavy libraries: it is loaded to list commands.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..search.insight import Insight

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    import click

    from ..feedback import Feedback
    from ..loss import Loss
    from ..search.insight import Careful
    from ..search.menu import Options
    from ..search.options import Budget
    from ..search.proposer import Proposer
    from ..search.trial import Outlook, Trial, Trials
    from ..show.report import Section
    from .finalists import Finishing
    from .result import Result

#: Outside packages register here exactly as the built-in domains do.
ENTRY_POINT_GROUP = "tgsci.domains"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Everything that a run needs to know of a domain.

    Args:
        loss: The simulator.
        start: The values to start from, canonical or not; measured first.
        rules: Proposes without a model: the default, and the baseline that a model has to beat. None where only a
            model or a person can propose.
        task: What is designed and what is wanted, for a model: what a value is and may be.
        domain: The domain's name, under which a resumed run finds it again.
        config: JSON-able; `Domain.problem(config)` builds this same problem again when a run resumes.
        name: Short, for the run's directory: the target, the case.
        notes: Sentences that a person should read before a run starts: how wishes were understood, what was left out
            of a start value. Printed by every command that runs the problem, and kept in the run and its report.
        columns: Metrics for tables, in order; all of them where empty.
        draw: A value as an SVG picture, for notebooks and reports.
        export: Writes the domain's own result files into the run directory and returns their paths.
        optimizers: Further proposers without a model, by the name that `--optimizer` takes: baselines to compare with.
        goal: A run is done once a feasible loss is at most this, unless the user names another goal.
        proposals: Values a round, unless the user names another number.
        own_engines: True where the loss asks the engines that the configuration names, and nobody else may propose
            values: `rules` only says what is measured next.
        summary: Tells what the run found, in place of the best trials: where trials are not rivals, the questions of a
            set say. A pure function of the result.
        conclusion: Adds to the best trials what the whole run says, in a few lines: whether the best is better than the
            start on data that nobody had seen. "" for nothing. A pure function of the result.
        budget: Fits a budget to the problem: as many questions of a set as there are calls for. Whatever is asked for,
            by a new run or a resumed one, goes through it; it may refuse a budget that is too small.
        options: Enumerates up to so many legal new values, the most promising first, for a model to choose from
            (`--optimizer menu`). A pure function of (trials, n, rng), as `Proposer.ask` is.
        finish: Runs after a search that was not interrupted, before `export`: measures the finalists again with more
            care, say. It gets the result and a `Finishing`; it may take many minutes. What it hands to
            `Finishing.keep` is in the run at once, so that it can be interrupted: a resumed run calls it again, and it
            skips what `result.finals` holds already.
        sections: Adds sections of its own to the report: a table, a picture, a text. A pure function of the result.
        alike: Gives values that are near-twins the same name, "" for none: the report shows two of a name, at most,
            among the best while there are others.
        key_columns, family, contrast, change, predict, limiting, advice, setting, careful, rivals: What a model at its
            desk is told of the values, how leaders are confirmed, and whether there are leaders: see
            `tgsci.search.insight.Insight`.
    """

    loss: Loss
    start: Sequence[str]
    rules: Proposer | None
    task: str
    domain: str
    config: Mapping[str, Any]
    name: str = ""
    notes: Sequence[str] = ()
    columns: Sequence[str] = ()
    draw: Callable[[str], str] | None = None
    export: Callable[[Result, Path], Sequence[Path]] | None = None
    optimizers: Mapping[str, Proposer] = field(default_factory=dict)
    goal: float | None = None
    proposals: int = 4
    own_engines: bool = False
    summary: Callable[[Result], str] | None = None
    conclusion: Callable[[Result], str] | None = None
    budget: Callable[[Budget], Budget] | None = None
    options: Options | None = None
    finish: Callable[[Result, Finishing], None] | None = None
    sections: Callable[[Result], Sequence[Section]] | None = None
    alike: Callable[[str], str] | None = None
    key_columns: Sequence[str] = ()
    family: Callable[[str], str] | None = None
    contrast: Callable[[Trial, Trial], str] | None = None
    change: Callable[[str, str], str] | None = None
    predict: Callable[[Trials, Sequence[str]], Sequence[Outlook | None]] | None = None
    limiting: Callable[[Feedback], str] | None = None
    advice: Callable[[Trials], str] | None = None
    setting: str = ""
    careful: Careful | None = None
    rivals: bool = True

    @property
    def insight(self) -> Insight:
        """What the domain tells the search of its values."""
        return Insight(**{field.name: getattr(self, field.name) for field in fields(Insight) if field.init})


class Domain(ABC):
    """A plugin. Derive, make one instance, and register it as an entry point.

    Example:
        In `pyproject.toml`: `[project.entry-points."tgsci.domains"]` with `mydomain = "my_package:domain"`.
        `tgsci run JOB.toml` with `domain = "mydomain"` and a `[mydomain]` table then works.
    """

    #: The first word after `tgsci` on the command line, and of a job file's table.
    name: str
    #: One line for `tgsci --help`.
    summary: str = ""

    @abstractmethod
    def problem(self, config: Mapping[str, Any]) -> Problem:
        """Build a problem from a job file's table or from a resumed run's record.

        Raises:
            UsageError: An unknown key, a missing one or a bad value: which one, and what to write.
        """

    def located(self, table: Mapping[str, Any], directory: Path) -> Mapping[str, Any]:
        """Say where the files are that a job file's table names. Unless overridden: as written, from the current one.

        Args:
            table: As the job file has it, not checked.
            directory: Where the job file is.
        """
        return table

    def commands(self) -> click.Group | None:
        """Give this domain's own commands, a click group; None where it has none.

        Called when the command line needs them: import what they need here, not at the top. A command's function
        returns its exit code, or None for 0; it may raise `UsageError` (exit code 2) and other errors of tgsci (1).
        """
        return None

    def doctor(self) -> Iterable[tuple[bool, str]]:
        """Tell `tgsci doctor` of what this domain needs of the machine, found by trying it, in a second or less.

        Returns:
            Lines, each with whether all is well there.
        """
        return ()


@dataclass(frozen=True)
class Domains:
    """The installed domains, loaded when asked for."""

    entries: Mapping[str, EntryPoint] = field(default_factory=dict)

    @classmethod
    def installed(cls) -> Domains:
        """Find every domain that an installed package registers, by name; nothing is imported yet."""
        from importlib.metadata import entry_points

        return cls({entry.name: entry for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=str)})

    def load(self, name: str) -> Domain:
        """Load the domain of that name.

        Raises:
            UsageError: None has it, its package does not import, or there is no domain where it points to.
        """
        if name not in self.entries:
            known = ", ".join(self.entries) or "none"
            raise UsageError(f"no domain {name!r} is installed; there are: {known}")
        try:
            domain = self.entries[name].load()
        except ImportError as error:
            raise UsageError(
                f"the domain {name!r} cannot be imported ({error}); try: pip install 'tgsci[{name}]'"
            ) from error
        except AttributeError as error:
            raise UsageError(f"the entry point {name!r} does not load: {error}") from error
        except Exception as error:  # somebody else's code: whatever it raises, say it in one line
            raise UsageError(
                f"the domain {name!r} does not load ({type(error).__name__}: {error}); "
                "update or reinstall its package, or tell its author"
            ) from error
        if not isinstance(domain, Domain):
            raise UsageError(f"the entry point {name!r} is {domain!r}, not a tgsci.Domain instance")
        return domain
