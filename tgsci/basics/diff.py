"""What changed between two texts of several lines, as a unified diff."""

from __future__ import annotations

from difflib import unified_diff

#: Lines of each text that are compared, at most: of hostile texts a comparison takes the square of it.
_MOST_LINES = 1000


def changed_lines(before: str, after: str, context: int = 3) -> list[str]:
    """List what changed, line by line, as `diff -u` writes it without the names of the files.

    Args:
        before: The text as it was.
        after: The text as it is.
        context: Lines around a change that are shown with it.

    Returns:
        Lines that begin with "@@", " ", "-" or "+"; none where the texts are alike. Of very long texts, one "@@" line
        that says why there is no comparison.
    """
    old, new = (text.removesuffix("\n").split("\n") for text in (before, after))
    longest = max(len(old), len(new))
    if longest > _MOST_LINES and before != after:
        return [f"@@ not compared: {longest} lines are more than {_MOST_LINES} @@"]
    return [line.rstrip("\n") for line in list(unified_diff(old, new, n=context, lineterm=""))[2:]]
