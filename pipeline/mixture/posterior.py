"""What the data leave open about the best mix: joint draws of the surface over many mixes."""

from dataclasses import dataclass

import numpy as np

from pipeline.mixture.surface import Surface

_DRAWS = 2000
LEVEL = 0.9
"""The region of mixes that cannot be told from the best is to hold the best one with this probability."""


@dataclass(frozen=True)
class Posterior:
    """Draws of the objective at some mixes.

    points: (m, d), the first is the optimum under the mean; mean: (m,); draws: (s, m); gaps: (m,) how many standard
    errors of the difference a point is predicted worse than the optimum. threshold: the gap that a mix may have and
    still be in the region.
    """

    model: Surface
    points: np.ndarray
    mean: np.ndarray
    draws: np.ndarray
    gaps: np.ndarray
    threshold: float

    @property
    def held(self) -> np.ndarray:
        """(m,) bool: the points that the data cannot tell from the best."""
        return self.gaps <= self.threshold + 1e-9

    def holds(self, weights: np.ndarray) -> np.ndarray:
        """(k, d) -> (k,) bool: the data cannot tell these mixes from the best."""
        return standardised_gap(self.model, weights, self.points[0]) <= self.threshold + 1e-9

    def regret(self, row: int) -> float:
        """Expected regret of point `row`: its objective less that of the best point, mean over the draws."""
        return float(np.mean(self.draws[:, row] - self.draws.min(axis=1)))

    def beats(self, row: int, other: int) -> float:
        """Probability that point `row` has the lower objective of the two."""
        return float(np.mean(self.draws[:, row] < self.draws[:, other]))


def posterior(model: Surface, points: np.ndarray, rng: np.random.Generator) -> Posterior:
    """Draw the surface at points (m, d); the first must be the optimum under the mean.

    The region's threshold is the LEVEL quantile, over the draws, of how many SEs the best point of a draw is predicted
    worse than the optimum. A fixed number of SEs would be right for one other mix; the best of many is further off.
    """
    mean, covariance = model.mean(points), model.covariance(points)
    root = root_of(covariance)
    draws = mean + rng.normal(size=(_DRAWS, root.shape[1])) @ root.T
    gaps = _standardised(mean, covariance)
    best = draws.argmin(axis=1)
    return Posterior(model, points, mean, draws, gaps, float(np.quantile(gaps[best], LEVEL)))


def standardised_gap(model: Surface, weights: np.ndarray, optimum: np.ndarray) -> np.ndarray:
    """(k, d) -> (k,): how much worse than `optimum` mixes are predicted, in SEs of the difference."""
    every = np.vstack([optimum[None], weights])
    return _standardised(model.mean(every), model.covariance(every))[1:]


def _standardised(mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    variance = np.diag(covariance) + covariance[0, 0] - 2 * covariance[0]
    error = np.sqrt(np.maximum(variance, 1e-16 * max(float(covariance[0, 0]), 1e-300)))
    return np.where(mean - mean[0] <= 0, 0.0, (mean - mean[0]) / error)


def root_of(covariance: np.ndarray) -> np.ndarray:
    """A matrix R with R R' = covariance (m, m) -> (m, k); directions of no variance are left out."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > 1e-9 * max(values[-1], 1e-300)
    return vectors[:, kept] * np.sqrt(values[kept])
