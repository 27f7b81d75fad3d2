"""The commands of `tgsci molecules`, one a file; `docking_options.py` has the options of those that dock."""

from __future__ import annotations

import click

from tgsci.cli.command import Group


@click.group(cls=Group, package=__name__, extra="molecules", places={
    "design": ("design:design", "search for molecules that dock better and look like drugs"),
    "dock": ("dock:dock", "dock molecules into a target and show their scores"),
    "explain": ("explain:explain", "say where a docking score comes from and where the molecule could grow"),
    "objectives": (
        "objectives:objectives",
        "list the objectives by name, and the metrics, transforms and limits of one's own",
    ),
    "prepare": ("prepare:prepare", "make a target of your own protein (PDB or mmCIF)"),
    "refine": ("refine:refine", "relax docked poses under a force field: does the pose hold, is the ligand strained"),
    "targets": ("targets:targets", "list the targets that can be docked into"),
    "cache": ("cache:cache", "show or clear the docking results that are kept across runs"),
})  # fmt: skip
def molecules() -> None:
    """Design small molecules that bind a protein and look like drugs."""
