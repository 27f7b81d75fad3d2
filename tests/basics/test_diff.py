"""What changed between two texts: readable, and bounded in time for whatever a model writes."""

import time

from tgsci.basics.diff import changed_lines


def test_changed_lines_stand_with_their_signs():
    assert changed_lines("a\nb\nc", "a\nB\nc") == ["@@ -1,3 +1,3 @@", " a", "-b", "+B", " c"]
    assert changed_lines("a\nb\nc\nd\ne", "a\nb\nc\nd\nE", context=0) == ["@@ -5 +5 @@", "-e", "+E"]


def test_texts_that_are_alike_have_no_changes():
    assert changed_lines("a\nb", "a\nb") == []
    assert changed_lines("", "") == []


def test_very_long_texts_are_not_compared():
    started = time.monotonic()
    assert "1001 lines" in changed_lines("x\n" * 1001, "y")[0]
    changed_lines("\n".join("ab"[i % 2] for i in range(1000)), "\n".join("ab"[i % 3 == 0] for i in range(1000)))
    assert time.monotonic() - started < 5


def test_the_end_of_the_last_line_is_no_line():
    assert changed_lines("a\n", "b\n") == ["@@ -1 +1 @@", "-a", "+b"]
    assert changed_lines("a\n", "a") == []
