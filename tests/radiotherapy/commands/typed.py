"""The commands of `tgsci radiotherapy` as typed, in this process."""

from __future__ import annotations

from tgsci_radiotherapy.commands import radiotherapy


def run(*words: object) -> int:
    """The exit code of `tgsci radiotherapy` with these words; what a command raises comes through."""
    with radiotherapy.make_context("tgsci radiotherapy", [str(word) for word in words]) as context:
        code: int = radiotherapy.invoke(context)
    return code
