"""A Gaussian process on molecules: a linear trend plus a Tanimoto kernel on Morgan fingerprints.

On budgets of about a hundred dockings this is the strongest known model (Tripp, Simm, Hernandez-Lobato,
"A fresh look at de novo molecular design benchmarks", 2021). It is exact, has no random start, and costs
milliseconds for a few hundred molecules. Several metrics (scores in several targets) share the kernel, and
with it all of the work; their errors go together as far as they did so far.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.spatial.distance import cdist

Array = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint8]

#: How many measurements the belief is worth that the errors of two metrics correlate by one half.
_CORRELATION_WEIGHT = 10.0


@dataclass(frozen=True)
class Prior:
    """What is believed before the first measurement.

    Args:
        weights: Expected weight of each trend feature on each metric, features x metrics.
        spread: Covariance of those weights, features x features, the same for every metric.
        amplitudes: Standard deviations that the fingerprint part may have; the likeliest is taken.
        noises: Standard deviations of a repeated measurement; the likeliest is taken.
        smooth: Share of the kernel that compares trend features (Gaussian, length 1) instead of fingerprints.
    """

    weights: Array
    spread: Array
    amplitudes: tuple[float, ...]
    noises: tuple[float, ...]
    smooth: float = 0.0


@dataclass(frozen=True)
class Belief:
    """What is expected of some molecules.

    Args:
        mean: Molecules x metrics.
        sd: Standard deviation of each molecule's error, the same for every metric.
    """

    mean: Array
    sd: Array


def tanimoto(rows: Bits, columns: Bits) -> Array:
    """Compute Tanimoto similarities of fingerprints (molecules x bits), rows x columns. Two empty ones are alike."""
    # Sums of zeros and ones are exact in single precision, whatever the order and the number of threads.
    a, b = rows.astype(np.float32), columns.astype(np.float32)
    common = (a @ b.T).astype(np.float64)
    either = a.sum(1, dtype=np.float64)[:, None] + b.sum(1, dtype=np.float64)[None, :] - common
    return np.where(either > 0, common / np.maximum(either, 1.0), 1.0)


class Surrogate:
    """The process, given what was measured.

    Args:
        prints: Fingerprints of the measured molecules, molecules x bits.
        trend: Their trend features, molecules x features.
        values: What was measured, molecules x metrics.
        prior: Belief before the first measurement.
    """

    def __init__(self, prints: Bits, trend: Array, values: Array, prior: Prior) -> None:
        self._prints, self._trend, self._prior = prints, trend, prior
        residual = values - trend @ prior.weights
        count, metrics = values.shape
        linear = trend @ prior.spread @ trend.T
        alike = self._alike(prints, trend, prints, trend)
        likelihood = -np.inf
        for amplitude in prior.amplitudes:
            for noise in prior.noises:
                kernel = linear + amplitude**2 * alike + (noise**2 + 1e-8) * np.eye(count)
                factor = cho_factor(kernel, lower=True)
                solved = cho_solve(factor, residual)
                # Log marginal likelihood, without the constant (Rasmussen and Williams 2006, eq. 2.30).
                score = -0.5 * float((residual * solved).sum()) - metrics * float(np.log(np.diag(factor[0])).sum())
                # What is equal but for the last bits is decided by order: threads may add in another one.
                if score > likelihood + 1e-6:
                    likelihood = score
                    self.amplitude, self.noise = amplitude, noise
                    self._factor, self._solved = factor, solved
        white = solve_triangular(self._factor[0], residual, lower=True)
        together = white.T @ white + _CORRELATION_WEIGHT * (0.5 * np.eye(metrics) + 0.5)
        size = np.sqrt(np.diag(together))
        #: How the errors of the metrics correlate, metrics x metrics.
        self.correlation: Array = together / np.outer(size, size)

    def predict(self, prints: Bits, trend: Array) -> Belief:
        """Predict the metrics of molecules."""
        cross = self._cross(prints, trend)
        own = np.einsum("if,fg,ig->i", trend, self._prior.spread, trend) + self.amplitude**2
        explained = solve_triangular(self._factor[0], cross.T, lower=True)
        variance = own - np.einsum("ij,ij->j", explained, explained)
        mean = trend @ self._prior.weights + cross @ self._solved
        return Belief(mean, np.sqrt(np.maximum(variance, 1e-9)))

    def covariance(self, prints: Bits, trend: Array) -> Array:
        """Compute the covariance of the errors of one metric's predictions, molecules x molecules."""
        explained = solve_triangular(self._factor[0], self._cross(prints, trend).T, lower=True)
        own = trend @ self._prior.spread @ trend.T + self.amplitude**2 * self._alike(prints, trend, prints, trend)
        covariance: Array = own - explained.T @ explained
        return covariance

    def _cross(self, prints: Bits, trend: Array) -> Array:
        linear: Array = trend @ self._prior.spread @ self._trend.T
        return linear + self.amplitude**2 * self._alike(prints, trend, self._prints, self._trend)

    def _alike(self, prints: Bits, trend: Array, others: Bits, other_trend: Array) -> Array:
        likeness = tanimoto(prints, others)
        if self._prior.smooth:
            gaussian = np.exp(-0.5 * cdist(trend, other_trend, "sqeuclidean"))
            likeness = (1 - self._prior.smooth) * likeness + self._prior.smooth * gaussian
        return likeness
