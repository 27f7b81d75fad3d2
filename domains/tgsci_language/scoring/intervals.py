"""How sure an accuracy is, and the difference of two on the same questions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: Standard deviations of a 95 % interval.
_Z = 1.959963984540054


def accuracy_interval(right: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of an accuracy.

    Args:
        right: How many are right; partly right ones count in part.
        n: Of how many; at least 1.

    Returns:
        The lower and the upper end, as shares from 0 to 1.
    """
    share, z2 = right / n, _Z**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share))


@dataclass(frozen=True, slots=True)
class Difference:
    """A second accuracy minus a first, measured on the same questions.

    Args:
        mean: The difference, as a share.
        low: Lower end of its 95 % interval.
        high: Upper end.
        gained: Questions that only the second has right (or more right).
        lost: Questions that only the first has right.
        n: Questions.
    """

    mean: float
    low: float
    high: float
    gained: int
    lost: int
    n: int

    @property
    def within_noise(self) -> bool:
        """True where the interval holds 0: the difference may be chance."""
        return self.low <= 0 <= self.high

    def __str__(self) -> str:
        verdict = "within noise" if self.within_noise else "better" if self.mean > 0 else "worse"
        return (
            f"{100 * self.mean:+.1f} points (95 % interval {100 * self.low:+.1f} to {100 * self.high:+.1f}, "
            f"n = {self.n}; gained {self.gained}, lost {self.lost}): {verdict}"
        )


def paired_difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Compare two lists of scores of the same questions by the adjusted interval of Agresti and Min (2005).

    It adds one half to each of the four cells of the paired table, so that few questions give a wide interval and not
    none; for scores between 0 and 1 the same two pseudo-pairs are added.

    Args:
        first: Scores from 0 to 1, in the order of the questions.
        second: The other ones.

    Raises:
        ValueError: They are of different length, or empty.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"{len(first)} and {len(second)} scores are no pairs")
    differences = [b - a for a, b in zip(first, second, strict=True)]
    n = len(differences) + 2
    centre = math.fsum(differences) / n
    variance = max(0.0, (math.fsum(d * d for d in differences) + 1) / n - centre * centre)
    half = _Z * math.sqrt(variance / n)
    mean = math.fsum(differences) / len(differences)
    low, high = max(-1.0, min(centre - half, mean)), min(1.0, max(centre + half, mean))
    return Difference(mean, low, high, sum(d > 0 for d in differences), sum(d < 0 for d in differences), len(first))
