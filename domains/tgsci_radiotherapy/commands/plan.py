"""`tgsci radiotherapy plan`: tune a plan until it meets a sheet of clinical goals."""

from __future__ import annotations

import argparse
from typing import Any

from tgsci.cli import add_run_options, run_problem

from ..keys import KEYS
from .shared import Commands


def add_plan(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `plan`: tune a plan to a sheet of goals."""
    parser = commands.add_parser("plan", help="tune a plan to a sheet of clinical goals")
    parser.add_argument("--case", required=True)
    parser.add_argument("--goals", required=True)
    add_run_options(parser)
    parser.set_defaults(run=run_plan)


def run_plan(arguments: argparse.Namespace) -> int:
    """Build the problem that the command line describes, and run it."""
    from .. import domain

    config: dict[str, Any] = {"case": arguments.case, "goals": arguments.goals}
    assert set(config) <= set(KEYS)
    return run_problem(domain.problem(config), arguments)
