"""The page of a run: what every test gave, where it went wrong, and where the time went. It is the gradient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .verdict import Verdict, passed

#: Failing tests that are told in full, and in a line; passing ones that are named; lines of a profile.
_TOLD, _LISTED, _NAMED, _PROFILED = 6, 20, 30, 8
#: Characters of a line of code, of what was printed, of a fault, and of the page.
_LINE, _PRINTED, _FAULT, LONGEST = 160, 300, 200, 8000
#: Calls that take less are called short, s; lines that take less than this share of the time are not named.
_SHORT, _SEEN = 0.02, 0.005


def page_of_tests(verdicts: Sequence[Verdict], source: str, seconds: float, kind: str) -> str:
    """Write what every test gave: those that failed first, the first of them in full.

    Args:
        verdicts: Of the tests, in order.
        source: The solution.
        seconds: The longest that a call may take, s.
        kind: "visible" or "hidden".
    """
    lines = source.split("\n")
    wrong = [verdict for verdict in verdicts if not verdict.passed]
    right = [verdict for verdict in verdicts if verdict.passed]
    told = [text for verdict in wrong[:_TOLD] for text in _told(verdict, lines, seconds)]
    told += [f"{each.label}: {_fault(each, seconds)}" for each in wrong[_TOLD : _TOLD + _LISTED]]
    if len(wrong) > _TOLD + _LISTED:
        told.append(f"and {len(wrong) - _TOLD - _LISTED} more tests fail")
    if right:
        named = ", ".join(f"{each.label} ({_time(each.seconds)})" for each in right[:_NAMED])
        told.append(f"passed: {named}" + (f" and {len(right) - _NAMED} more" if len(right) > _NAMED else ""))
    head = f"{passed(verdicts)} of {len(verdicts)} {kind} tests pass."
    return "\n".join([head, *told])


def profile_page(profile: Mapping[int, tuple[int, float]], source: str) -> str:
    """Write where the time went, line by line; "" where nothing was seen.

    Args:
        profile: For each line, how often it ran and how long, s.
        source: The solution.
    """
    total = sum(seconds for _, seconds in profile.values())
    if not total:
        return ""
    lines = source.split("\n")
    slowest = sorted(profile.items(), key=lambda item: -item[1][1])[:_PROFILED]
    rows = [
        f"{100 * seconds / total:5.1f} %  {count:>9,} times  line {number}: {_code(lines, number)}"
        for number, (count, seconds) in slowest
        if seconds >= _SEEN * total
    ]
    return "\n".join(["Where the time goes, by line (traced, which makes short lines look longer):", *rows])


def bounded(parts: Iterable[str]) -> str:
    """Put the parts of a page together, up to the length that a page may have."""
    text = "\n\n".join(filter(None, parts))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 30]}\n... (the page is cut here)"


def _told(verdict: Verdict, lines: Sequence[str], seconds: float) -> list[str]:
    found = [f"{verdict.label}: {verdict.call}"]
    if verdict.expected:
        found.append(f"  expected: {verdict.expected}")
    if verdict.error or verdict.slow:
        where = f" at line {verdict.line}: {_code(lines, verdict.line)}" if verdict.line else ""
        found.append(f"  {'stopped' if verdict.slow else 'failed'}: {_fault(verdict, seconds)}{where}")
    else:
        found.append(f"  got: {verdict.got}" + (f" ({verdict.difference})" if verdict.difference else ""))
    if verdict.printed.strip():
        found.append(f"  printed: {_cut(verdict.printed.strip(), _PRINTED)!r}")
    if not verdict.slow:
        found.append(f"  time: {_time(verdict.seconds)}")
    return found


def _fault(verdict: Verdict, seconds: float) -> str:
    if verdict.slow:
        return f"no result after {seconds:g} s, the time limit"
    return _cut(verdict.error or verdict.difference or "wrong result", _FAULT)


def _code(lines: Sequence[str], number: int | None) -> str:
    return _cut(lines[number - 1].strip(), _LINE) if number and number <= len(lines) else ""


def _time(seconds: float) -> str:
    """Write a time; of a short one only that it is short, so that the page of a solution stays the same."""
    if seconds < _SHORT:
        return f"under {1000 * _SHORT:.0f} ms"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
