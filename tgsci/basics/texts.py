"""Write for people: figures, time spans, differences, near names, and texts from outside made harmless."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher, get_close_matches
from typing import Any

#: Most characters of a foreign text that a message repeats, and most known names that it lists.
LONGEST, _MOST_LISTED = 80, 40


def figure(value: float | None) -> str:
    """Write a figure with about four digits: -12.00, 0.8530, 489.6, 12345. "" for None and for nan."""
    if value is None or math.isnan(value):
        return ""
    return fixed(value, places([value]))


def metric(value: float | None, unit: str = "") -> str:
    """Write a metric's figure; a whole one without a unit is a count: 3, not 3.000."""
    if value is None or math.isnan(value):
        return ""
    return f"{value:.0f}" if counts([value], unit) else figure(value)


def named_metric(name: str, value: float | None, unit: str = "") -> str:
    """Write a metric with its name and unit: "vina -9.870 kcal/mol", "rings 3"."""
    return f"{name} {metric(value, unit)} {unit}".rstrip()


def column(values: Iterable[float | None], unit: str | None = None) -> list[str]:
    """Write the figures of a table's column, all with the same decimals.

    Args:
        values: The figures; None and nan stay empty.
        unit: Of a metric, "" where it has none: whole figures are then counts. None for what is always a quantity.
    """
    values = list(values)
    there = [v for v in values if v is not None and not math.isnan(v)]
    decimals = 0 if unit is not None and counts(there, unit) else places(there)
    return ["" if v is None or math.isnan(v) else fixed(v, decimals) for v in values]


def counts(values: Iterable[float], unit: str) -> bool:
    """Tell whether figures are counts: whole, and without a unit. Infinite ones and nan are left out of it."""
    return not unit and all(v == int(v) for v in values if math.isfinite(v))


def places(values: Iterable[float]) -> int:
    """Choose the decimals that show figures of these magnitudes to about four digits; -1 where no fixed number does."""
    largest = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    if largest == 0.0:
        return 3
    magnitude = math.floor(math.log10(largest) + 1e-4)  # 9.9999 is shown as 10.00
    return -1 if magnitude < -4 or magnitude > 8 else max(0, 3 - magnitude)


def fixed(value: float, decimals: int) -> str:
    """Write a figure with so many decimals; with an exponent where there are -1, as `places` may say."""
    if decimals < 0 or not math.isfinite(value):
        return f"{value:.3g}"
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def compact(value: float, digits: int = 4) -> str:
    """Write a figure with at most so many digits and no zeros at its end: 51.5, 1000, 0.035, 1e-06."""
    text = f"{value:.{digits}g}"
    if "e" in text and 1e-4 <= abs(value) < 1e15:
        text = f"{float(text):.0f}"
    return "0" if text == "-0" else text


def rounded(value: float, digits: int = 4) -> float:
    """Round a number to so many significant digits."""
    return float(f"{value:.{digits}g}") + 0.0


def duration(seconds: float) -> str:
    """Write a time span as a person says it: 42 s, 3 min 05 s, 2 h 10 min."""
    whole = int(seconds + 0.5)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def visible(text: str) -> str:
    """Make a text from outside safe for a terminal: control characters become their escapes."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def one_line(text: str) -> str:
    """Put a text on one line, without control characters and repeated spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def quote(text: object, limit: int = LONGEST) -> str:
    """Quote a text from outside in a message: cut, printable ASCII as it is, the rest escaped."""
    return f"'{_harmless(str(text), limit)}'"


def literal(value: object, limit: int = LONGEST) -> str:
    """Write a value of any kind in a message: text as `quote` does, else as Python writes it, cut and harmless."""
    if isinstance(value, str):
        return quote(value, limit)
    if hasattr(value, "tolist"):  # numpy: 1.5, not np.float64(1.5)
        value = value.tolist()
    return _harmless(repr(value), limit)


def with_type(value: object) -> str:
    """Write a value that is of the wrong type in a message: "list [1, 2]", "str 'a'", "None"."""
    return "None" if value is None else f"{type(value).__name__} {literal(value)}"


def shell_word(path: object) -> str:
    """Write a path as one word of a command that a person copies: quoted for the shell, no control characters."""
    return shlex.quote(visible(str(path)))


def _harmless(text: str, limit: int) -> str:
    written = ""
    for character in text[: limit + 1]:
        piece = character if " " <= character <= "~" else ascii(character)[1:-1]
        if len(written) + len(piece) > limit:
            return f"{written}..."
        written += piece
    return written


def folded(text: str) -> str:
    """Keep a name's letters and digits, in lower case: what its spellings have in common."""
    return "".join(c for c in text.casefold() if c.isalnum())


def nearest(word: object, known: Iterable[str], most: int = 1, cutoff: float = 0.6) -> list[str]:
    """Find the known names that a misspelt one is nearest to, best first; case and punctuation do not count.

    Args:
        word: What somebody wrote.
        known: The names that exist.
        most: How many are returned at most.
        cutoff: How alike they must be, from 0 to 1.
    """
    by_spelling: dict[str, str] = {}
    for name in known:
        by_spelling.setdefault(folded(name), name)
    near = get_close_matches(folded(str(word)[:LONGEST]), by_spelling, n=most, cutoff=cutoff)
    return [by_spelling[spelling] for spelling in near]


def did_you_mean(
    word: object, known: Iterable[str], hints: Mapping[str, str] | None = None, most: int = 1, cutoff: float = 0.6
) -> str:
    """Finish a message on an unknown name: "did you mean dose_gy?", or "there are: ..." where none is near.

    `f"unknown key {quote(key)}; {did_you_mean(key, KEYS)}"`

    Args:
        word: What somebody wrote.
        known: The names that exist.
        hints: Names by what people write instead of them: `{"aliases": "structures"}`.
        most: How many names are suggested at most.
        cutoff: How alike they must be, from 0 to 1.
    """
    names = list(known)
    meant = [name for other, name in (hints or {}).items() if folded(other) == folded(str(word)[:LONGEST])][:1]
    near = meant or nearest(word, names, most, cutoff)
    if near:
        return f"did you mean {' or '.join(map(visible, near))}?"
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return f"there are: {', '.join(map(visible, names[:_MOST_LISTED])) or 'none'}{more}"


#: Words of a fingerprint: names, figures, digests.
_WORD = re.compile(r"[^\s,;{}()\[\]=:'\"]+")
_MOST_DIFFERENCES, _LONGEST_SETTING = 3, 80


def differences(there: str, now: str, first: str = "there", second: str = "now") -> str:
    """Say where two descriptions of settings differ: "target 3.0 there, 4.0 now"."""
    before, after = _WORD.findall(there), _WORD.findall(now)
    found = []
    for kind, i, i_end, j, j_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            name = f"{_cut(before[i - 1])} " if i else ""
            both = [(before[i:i_end], first), (after[j:j_end], second)]
            said = [f"{_cut(' '.join(words))} {where}" for words, where in both if words]
            found.append(name + ", ".join(said) + (" only" if len(said) == 1 else ""))
    more = f" and {len(found) - _MOST_DIFFERENCES} more" if len(found) > _MOST_DIFFERENCES else ""
    return ", ".join(found[:_MOST_DIFFERENCES]) + more or "written differently"


def settings_differences(ours: Mapping[str, Any], theirs: Mapping[str, Any], first: str, second: str) -> list[str]:
    """Say where two tables of settings differ: "target: ABL1 in A, JAK2 in B".

    Args:
        ours: JSON-able.
        theirs: JSON-able.
        first: What to call the first table.
        second: What to call the other.
    """
    found = []
    for key in dict.fromkeys((*ours, *theirs)):
        here, there = ours.get(key), theirs.get(key)
        if here == there:
            continue
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            found += [f"{key} {inner}" for inner in settings_differences(here, there, first, second)]
        else:
            found.append(f"{key}: {_setting(here)} in {first}, {_setting(there)} in {second}")
    return found


def _setting(value: Any) -> str:
    """Write one value of a table as people do."""
    if isinstance(value, list | tuple) and len(value) == 2 and None in value and any(value):
        low, high = value
        return f"up to {_setting(high)}" if low is None else f"from {_setting(low)}"
    if isinstance(value, list | tuple):
        text = ", ".join(map(_setting, value))
    elif isinstance(value, Mapping):
        text = " ".join(f"{key} {_setting(each)}" for key, each in value.items())
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, float):
        text = f"{value:g}"
    else:
        text = "" if value is None else str(value)
    return _cut(visible(text), _LONGEST_SETTING) or "none"


def _cut(text: str, longest: int = 40) -> str:
    text = re.sub(r"\b[0-9a-f]{16,}\b", lambda digest: digest.group()[:8], text)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def trimmed(text: str) -> str:
    """Cut off what stands around a value by chance; the indentation of the first of several lines belongs to the value.

    Blank lines at the beginning and blanks at the end go; a single line has no blanks around it.
    """
    if "\n" not in text:
        return text.strip()
    text = re.sub(r"\A(?:[^\S\n]*+\n)++", "", text).rstrip()
    return text if "\n" in text else text.strip()


def well_formed(text: str) -> str:
    """Replace lone surrogates (half a character, as broken JSON escapes leave them) by U+FFFD.

    No file, database or server takes them.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
