"""Built-in cases calculated before, in the user's cache; whatever is wrong with it, they are calculated again."""

from __future__ import annotations

import logging
import os
from functools import cache
from hashlib import blake2b
from pathlib import Path

from tgsci.errors import UsageError

from .model import Case

#: Where the cache stands; empty for none.
VARIABLE = "TGSCI_CACHE"

_log = logging.getLogger("tgsci.radiotherapy")


def kept(name: str) -> Case | None:
    """A built-in case from the user's cache; None where it is not there, or cannot be read."""
    from .store import load

    place = _file(name)
    try:
        return load(place) if place is not None and place.is_file() else None
    except (UsageError, OSError) as error:
        _log.warning("%s in the cache is not used, and calculated again (%s)", name, error)
        return None


def keep(name: str, case: Case) -> None:
    """Put a built-in case into the user's cache, in place of what earlier code calculated."""
    from .store import save

    place = _file(name)
    if place is None:
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        save(case, place, overwrite=True)
        for other in place.parent.glob(f"{name}-*.zarr"):
            if other != place:
                other.unlink(missing_ok=True)
    except (UsageError, OSError) as error:
        _log.warning("%s is not kept in the cache (%s), but calculated each time; %s= says so", name, error, VARIABLE)


def _file(name: str) -> Path | None:
    directory = os.environ.get(VARIABLE)
    if directory == "":
        return None
    if directory is None:
        from platformdirs import user_cache_path

        place = user_cache_path("tgsci", appauthor=False)
    else:
        place = Path(directory).expanduser().absolute()
    return place / "radiotherapy" / f"{name}-{_code()}.zarr"


@cache
def _code() -> str:
    """Of the source that a case is calculated by: what other code calculated is another case."""
    found = blake2b(digest_size=8)
    package = Path(__file__).parent.parent
    for path in sorted([*(package / "case").glob("*.py"), *(package / "case" / "beams").glob("*.py")]):
        found.update(path.name.encode())
        found.update(path.read_bytes())
    return found.hexdigest()
