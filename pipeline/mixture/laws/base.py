"""What every law offers: a scikit-learn estimator of one task from weights, with uncertainty and gradient."""

from abc import abstractmethod
from typing import Any, Protocol, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

_ROWS = 256


class Law(Protocol):
    """One task's metric as a function of the mix.

    `name` is its key in the registry; `convex` and `concave` say that the fitted mean is such a function of the
    weights; `least_runs`: fewer cannot be fitted.
    """

    name: str
    convex: bool
    concave: bool
    least_runs: int

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        """weights (n, d) rows sum to 1; y (n,) metric; blocks (n,) int labels of seed blocks (default: all one).

        Returns itself. ValueError where n is too small for the law.
        """
        ...

    def predict(self, weights: np.ndarray, blocks: np.ndarray | None = None, return_std: bool = False) -> Any:
        """Mean at weights (m, d) -> (m,), averaged over blocks, or with the effect of the blocks (m,) given.

        With `return_std` also the SD (m,) of one measurement there: of the mean and of the noise together.
        """
        ...

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        """d mean / d w at one mix (d,) -> (d,); only its part along the simplex has a meaning."""
        ...

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        """Joint covariance of the mean at weights (m, d) -> (m, m), noise of a measurement not included."""
        ...

    def noise(self) -> float:
        """SD of one measurement about the mean, in the unit of y."""
        ...


class Estimator(RegressorMixin, BaseEstimator):
    """What laws share: scikit-learn's parameters and score, and `predict` from a law's mean, covariance and noise."""

    concave = False

    @abstractmethod
    def mean_at(self, weights: np.ndarray, blocks: np.ndarray | None) -> np.ndarray: ...

    @abstractmethod
    def covariance(self, weights: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def noise(self) -> float: ...

    def predict(self, weights: np.ndarray, blocks: np.ndarray | None = None, return_std: bool = False) -> Any:
        mean = self.mean_at(weights, blocks)
        if not return_std:
            return mean
        parts = [np.diag(self.covariance(weights[i : i + _ROWS])) for i in range(0, len(weights), _ROWS)]
        return mean, np.sqrt(np.maximum(np.concatenate(parts), 0.0) + self.noise() ** 2)


def one_block(blocks: np.ndarray | None, rows: int) -> np.ndarray:
    """The blocks given, or one for all rows."""
    return np.zeros(rows, dtype=int) if blocks is None else blocks


def block_contrasts(blocks: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(n, k) indicators of the known blocks less 1 / k, so that effects sum to zero; an unknown block is zeros."""
    indicators = (np.asarray(blocks)[:, None] == known[None, :]).astype(float)
    return indicators - indicators.sum(axis=1, keepdims=True) / max(len(known), 1)


def known_blocks(blocks: np.ndarray) -> np.ndarray:
    """Sorted labels; none when all rows share one block, because it cannot be told from the intercept."""
    labels = np.unique(blocks)
    return labels if len(labels) > 1 else labels[:0]


# Penalty of a block's effect in units of the noise variance: 1 says blocks differ about as much as two
# seeds do.
BLOCK_PENALTY = 1.0
