"""Words for messages: what came from outside, quoted, cut and harmless; figures; what was probably meant."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from difflib import get_close_matches

from tgsci import texts
from tgsci.texts import visible

#: Characters of a foreign text that a message repeats, at most.
_LONGEST = 60


def shown(text: object, limit: int = _LONGEST) -> str:
    """A text from outside, quoted, cut and harmless."""
    return texts.shown(text, limit)


def quoted(path: object) -> str:
    """A path as one word of a command that a person copies: quoted for the shell, without control characters."""
    return shlex.quote(visible(str(path)))


def figure(value: float, digits: int = 4) -> str:
    """A figure with at most so many digits and none to spare: 51.5, 1000, 0.035, 1e-06."""
    text = f"{value:.{digits}g}"
    if "e" in text and 1e-4 <= abs(value) < 1e15:
        text = f"{float(text):.0f}"
    return "0" if text == "-0" else text


def rounded(value: float, digits: int = 4) -> float:
    """The figure that has at most so many significant digits."""
    return float(f"{value:.{digits}g}") + 0.0


def meant(text: object, known: Iterable[str], hints: dict[str, str] | None = None) -> str:
    """What was probably meant, as the end of a message: "; did you mean dose_gy?"; else all there is."""
    names = list(known)
    plain = {_plain(name): name for name in names}
    wanted = _plain(str(text)[:_LONGEST])
    for word, name in (hints or {}).items():
        if _plain(word) == wanted:
            return f"; did you mean {name}?"
    near = get_close_matches(wanted, plain, n=1, cutoff=0.6)
    return f"; did you mean {plain[near[0]]}?" if near else f"; there are: {', '.join(names)}"


def _plain(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
