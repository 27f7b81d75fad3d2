"""The commands of `tgsci molecules` as typed, in this process."""

from __future__ import annotations

import argparse

from tgsci_molecules import domain


def run(*words: str) -> int:
    """The exit code of `tgsci molecules` with these words."""
    parser = argparse.ArgumentParser()
    domain.add_commands(parser.add_subparsers())
    namespace = parser.parse_args(words)
    code: int = namespace.run(namespace)
    return code
