"""Two runs with their pages: one plain, one hostile."""

from __future__ import annotations

import pytest

import tgsci as tg
from tests.show.report.runs import HOSTILE, SCRIPT, Round, problem
from tgsci.show import report


@pytest.fixture(scope="module")
def hostile():
    """A run in which everybody lies in wait, and its page."""
    texts = [*HOSTILE, "refused", "fail", "fail", "\n".join(HOSTILE[:4]), "x" * 50_000]
    proposals = [tg.Proposal(t, f"reason {t}", 0, f"edit {t}") for t in texts]
    run = problem(
        start=["start <b>"],
        rules=Round(*proposals),
        draw=lambda value: f"<svg width='9' height='9'><title>{value}</title>{SCRIPT}</svg>",
    )
    result = tg.solve(run, engine="rules", budget=14, workers=0)
    return result, report.html(result)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A run with one trial of each state, kept on disk."""
    proposals = [("bb", 0), ("fail", 0), ("bb", 0), ("refused", 0), ("a" * 70, 1), ("c", 1), ("dddd", 1)]
    rules = Round(*(tg.Proposal(value, f"why {value}", parent, f"edit {value}") for value, parent in proposals))
    run = problem(rules=rules, name="Toy", draw=lambda value: f"<svg><text>{len(value)}</text></svg>")
    directory = tmp_path_factory.mktemp("runs") / "run"
    return tg.solve(run, engine="rules", budget=6, workers=0, run=directory)
