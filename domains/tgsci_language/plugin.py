"""The language domain: what it offers to the core. Imports quickly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgsci.basics.texts import literal
from tgsci.errors import UsageError
from tgsci.runs.domain import Domain, Problem

if TYPE_CHECKING:
    import click

#: The module that builds the problem of each kind of task.
_KINDS = {"code": "code.problem", "prompt": "prompts.problem", "answer": "answers.problem"}


class LanguageDomain(Domain):
    """Code, prompts and answers: run the tests or the data set, read the failures, change the text."""

    name = "language"
    summary = "improve code, prompts and answers (tests in a sandbox, data sets, questions)"

    def problem(self, config: Mapping[str, Any]) -> Problem:
        """Build the problem of a task.

        Args:
            config: `kind` says which; the other keys are that kind's own.

        Raises:
            UsageError: An unknown kind, an unknown key, a missing one or a bad value.
        """
        kind = config.get("kind")
        if not isinstance(kind, str) or kind not in _KINDS:
            raise UsageError(f"kind must be one of {', '.join(_KINDS)}, not {literal(kind)}")
        module = import_module(f".{_KINDS[kind]}", __package__)
        problem: Problem = module.problem({key: value for key, value in config.items() if key != "kind"})
        return problem

    def doctor(self) -> Iterable[tuple[bool, str]]:
        from .sandbox.selftest import report

        return report()

    def located(self, table: Mapping[str, Any], directory: Path) -> Mapping[str, Any]:
        """The files of a prompt task are meant beside it."""
        if table.get("kind") != "prompt":
            return table
        from .prompts.job import absolute

        return absolute(table, directory)

    def commands(self) -> click.Group:
        from .commands import language

        return language


domain = LanguageDomain()
