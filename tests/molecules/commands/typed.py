"""The commands of `tgsci molecules` as typed, in this process."""

from __future__ import annotations

from tgsci_molecules.commands import molecules


def run(*words: str) -> int:
    """The exit code of `tgsci molecules` with these words; what a command raises comes through."""
    with molecules.make_context("tgsci molecules", list(words)) as context:
        code: int = molecules.invoke(context)
    return code
