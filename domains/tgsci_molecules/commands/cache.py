"""`tgsci molecules cache`: what was docked before on this machine."""

from __future__ import annotations

import argparse

from tgsci.errors import UsageError

from .shared import Commands


def add_cache(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `cache`: where docking results are kept, how many, and how to delete them."""
    parser = commands.add_parser(
        "cache",
        help="show or clear the docking results that are kept across runs",
        description="What was docked before is not docked again: results are kept by molecule, receptor, box, settings "
        "and versions. TGSCI_CACHE names another directory; set to nothing, it switches the cache off.",
    )
    parser.add_argument("--clear", action="store_true", help="delete what it holds; runs that use it go on")
    parser.set_defaults(run=run_cache)


def run_cache(arguments: argparse.Namespace) -> int:
    """Print where the cache is and what it holds, or delete it.

    Raises:
        UsageError: It cannot be deleted.
    """
    from tgsci.files import CACHE_VARIABLE

    from ..docking.cache import MAX_BYTES, user_cache

    cache = user_cache()
    if cache is None:
        print(f"there is no cache: {CACHE_VARIABLE} is set to nothing")
        return 0
    found = cache.statistics()
    if arguments.clear:
        try:
            cache.clear()
        except OSError as error:
            raise UsageError(f"cannot delete {str(found.path)!r}: {error.strerror}") from None
        print(f"deleted what {found.path} held ({_size(found.size)})")
        return 0
    print(f"file: {found.path}")
    for kind, count in found.entries.items():
        print(f"{kind}: {count}")
    print(f"size: {_size(found.size)} of at most {_size(MAX_BYTES)}")
    return 0


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
