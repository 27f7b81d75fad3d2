"""`tgsci molecules objectives`: what can be optimised, by name or written down."""

from __future__ import annotations

from tgsci.cli.command import command


@command("objectives")
def objectives() -> int:
    """List what --objective takes, and what a job file's terms and limits may be about."""
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
