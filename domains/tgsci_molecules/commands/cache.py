"""`tgsci molecules cache`: what was docked before on this machine."""

from __future__ import annotations

from tgsci.basics.files import CACHE_VARIABLE
from tgsci.cli.command import command, option
from tgsci.errors import UsageError


@command("cache")
@option("--clear", is_flag=True, help="delete what it holds; runs that use it go on")
def cache(clear: bool) -> int:
    """Show or clear the docking results that are kept across runs.

    What was docked before is not docked again: results are kept by molecule, receptor, box, settings and versions.
    TGSCI_CACHE names another directory; set to nothing, it switches the cache off.
    """
    from ..docking.cache import MAX_BYTES, user_cache

    store = user_cache()
    if store is None:
        print(f"there is no cache: {CACHE_VARIABLE} is set to nothing")
        return 0
    statistics = store.statistics()
    if clear:
        try:
            store.clear()
        except OSError as error:
            raise UsageError(f"cannot delete {str(statistics.path)!r}: {error.strerror}") from None
        print(f"deleted what {statistics.path} held ({_size(statistics.size)})")
        return 0
    print(f"file: {statistics.path}")
    for kind, count in statistics.entries.items():
        print(f"{kind}: {count}")
    print(f"size: {_size(statistics.size)} of at most {_size(MAX_BYTES)}")
    return 0


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
