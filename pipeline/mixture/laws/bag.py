"""What two laws of boosted trees share: boosters on bootstrapped runs, and slopes of a staircase."""

from collections.abc import Callable
from typing import Any

import numpy as np

# Boosters that a covariance is taken from.
_BOOSTERS = 6
STEP = 0.02
"""Half width of the difference that stands for a slope: wide enough to cross the edges of a few leaves."""


class Bag:
    """Boosters on bootstrapped runs, grown when first asked for, since most fits never are.

    boost: (weights (n, d), y (n,)) -> a booster.
    """

    def __init__(self, boost: Callable[[np.ndarray, np.ndarray], Any], weights: np.ndarray, y: np.ndarray) -> None:
        self._boost, self._weights, self._y = boost, weights, y
        self._boosters: list[Any] = []
        self._seen: list[np.ndarray] = []

    def means(self, weights: np.ndarray) -> np.ndarray:
        """(m, d) -> (boosters, m)"""
        self._grow()
        return np.stack([booster.predict(weights, num_threads=1) for booster in self._boosters])

    def outside(self) -> np.ndarray:
        """(boosters, n) bool: the runs that a booster has not seen."""
        self._grow()
        return ~np.stack(self._seen)

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        """Sample covariance of the boosters' means, (m, m) of rank below their number."""
        return np.atleast_2d(np.cov(self.means(weights), rowvar=False))

    def _grow(self) -> None:
        n, rng = len(self._y), np.random.default_rng(0)
        while len(self._boosters) < _BOOSTERS:
            rows = rng.integers(n, size=n)
            self._seen.append(np.isin(np.arange(n), rows))
            self._boosters.append(self._boost(self._weights[rows], self._y[rows]))


def slopes(mean: Callable[[np.ndarray], np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Central differences of `mean` (m, d) -> (m,) over 2 STEP of a weight at (d,), one-sided at 0.

    The steps of a staircase have no slope.
    """
    steps = np.diag(np.full(len(weights), STEP))
    up, down = weights + steps, np.maximum(weights - steps, 0.0)
    return (mean(up) - mean(down)) / (np.diag(up) - np.diag(down))
