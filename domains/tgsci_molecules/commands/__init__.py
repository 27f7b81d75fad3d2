"""The commands of `tgsci molecules`, one a file."""

from __future__ import annotations

import click

from tgsci.cli.command import Group


@click.group(cls=Group, extra="molecules", places={
    "design": ("tgsci_molecules.commands.design:design", "search for molecules that dock better and look like drugs"),
    "dock": ("tgsci_molecules.commands.dock:dock", "dock molecules into a target and show their scores"),
    "explain": (
        "tgsci_molecules.commands.explain:explain",
        "say where a docking score comes from and where the molecule could grow",
    ),
    "objectives": (
        "tgsci_molecules.commands.objectives:objectives",
        "list the objectives by name, and the metrics, transforms and limits of one's own",
    ),
    "prepare": ("tgsci_molecules.commands.prepare:prepare", "make a target of your own protein (PDB or mmCIF)"),
    "refine": (
        "tgsci_molecules.commands.refine:refine",
        "relax docked poses under a force field: does the pose hold, is the ligand strained",
    ),
    "targets": ("tgsci_molecules.commands.targets:targets", "list the targets that can be docked into"),
    "cache": ("tgsci_molecules.commands.cache:cache", "show or clear the docking results that are kept across runs"),
})  # fmt: skip
def molecules() -> None:
    """Design small molecules that bind a protein and look like drugs."""
