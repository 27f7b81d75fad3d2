"""`tgsci molecules objectives`: what can be optimised, by name or written down."""

from __future__ import annotations

import argparse

from .shared import Commands


def add_objectives(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `objectives`: what can be optimised."""
    parser = commands.add_parser(
        "objectives",
        help="list the objectives by name, and the metrics, transforms and limits of one's own",
        description="What `--objective` takes, and what a job file's terms and limits may be about.",
    )
    parser.set_defaults(run=run_objectives)


def run_objectives(arguments: argparse.Namespace) -> int:
    """Print everything that an objective can be made of, with a line on each."""
    from ..objective.metrics import kinds
    from ..objective.presets import PRESETS
    from ..objective.terms import AGGREGATES
    from ..objective.transforms import transform_names

    tables = {
        "Objectives (--objective NAME, or objective = 'NAME' in a job)": {n: o.summary for n, o in PRESETS.items()},
        "Metrics, for terms and limits": kinds(),
        "Transforms of a metric x": transform_names(),
        "Aggregates": AGGREGATES,
    }
    width = max(len(name) for table in tables.values() for name in table)
    parts = []
    for title, table in tables.items():
        parts.append("\n".join([f"{title}:", *(f"  {name:<{width}}  {text}" for name, text in table.items())]))
    print("\n\n".join(parts))
    return 0
