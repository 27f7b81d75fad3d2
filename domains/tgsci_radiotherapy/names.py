"""Structure names. They come from files and models: bounded, cleaned; never a path, markup or an order to a model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from tgsci.basics.texts import did_you_mean
from tgsci.errors import UsageError

#: Longest name that is kept, characters. TG-263 allows 16; vendors' systems up to 64.
LONGEST = 32
_REFUSED = re.compile(r"[^A-Za-z0-9_+\-.^~ ]+")


def clean(name: object) -> str:
    """Reduce a structure's name to the characters of TG-263 names, at most `LONGEST` of them; "" where none is left.

    Letters lose their accents, everything else that is not a letter, digit, space or one of `_ + - . ^ ~` becomes `_`.
    """
    text = unicodedata.normalize("NFKD", str(name)[: 8 * LONGEST])
    text = "".join(c for c in text if not unicodedata.combining(c))
    text = re.sub(r"\s+", " ", _REFUSED.sub("_", re.sub(r"\s+", " ", text)))
    return text.strip(" ._")[:LONGEST].strip(" ._")


def folded(name: str) -> str:
    """Reduce a name to what its spellings have in common: `PTV 70`, `ptv_70` and `PTV-70` are the same."""
    return re.sub(r"[ _\-.]+", "", name).casefold()


def find(name: str, known: Iterable[str]) -> str:
    """Find the known name that is meant; case, spaces and `_ - .` do not count.

    Raises:
        UsageError: No known name is meant, or more than one; says which are near.
    """
    names = list(known)
    if name in names:
        return name
    same = [other for other in names if folded(other) == folded(name)]
    if len(same) == 1:
        return same[0]
    hint = f"did you mean {' or '.join(same)}?" if same else did_you_mean(name, names, most=3)
    raise UsageError(f"no structure {clean(name)!r} in this case; {hint}")
