"""pass@k: how likely at least one of k samples is right."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from statistics import fmean

from tgsci.basics.checks import whole
from tgsci.errors import UsageError


def pass_at_k(samples: int, right: int, k: int) -> float:
    """Estimate without bias, from n samples of one task of which c are right, how likely one of k is right.

    1 - C(n - c, k) / C(n, k) (Chen et al. 2021, arXiv:2107.03374).

    Args:
        samples: n, the number of samples.
        right: c, how many of them pass.
        k: How many may be tried; at most n.

    Raises:
        UsageError: The numbers do not go together.
    """
    n = whole("samples", samples, 1)
    c = whole("right", right, 0, n)
    k = whole("k", k, 1, n)
    return 1.0 - comb(n - c, k) / comb(n, k)


def mean_pass_at_k(passed: Sequence[Sequence[bool]], k: int) -> float:
    """Average pass@k over tasks.

    Args:
        passed: For each task, whether each of its samples passed; at least k samples each.
        k: How many may be tried.

    Raises:
        UsageError: There is no task, or one has fewer samples than k.
    """
    if not passed:
        raise UsageError("pass@k needs at least one task")
    for number, each in enumerate(passed, 1):
        if len(each) < k:
            raise UsageError(f"pass@{k} needs {k} samples of each task; task {number} has {len(each)}")
    return fmean(pass_at_k(len(each), sum(map(bool, each)), k) for each in passed)
