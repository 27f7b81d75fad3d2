"""The commands of `tgsci language`, one a file."""

from __future__ import annotations

import click

from tgsci.cli.command import Group


@click.group(cls=Group, package=__name__, extra="language", places={
    "code": ("code:code", "improve a function until its tests pass, then until it is fast"),
    "prompt": ("prompt:prompt", "improve an instruction for a model, by its error on examples"),
    "answer": ("answer:answer", "answer questions by refinement, beside plain sampling at the same number of calls"),
})  # fmt: skip
def language() -> None:
    """Improve code, prompts and answers."""
