"""Ridge regression on the weights and on two of their roots: diminishing returns, and still linear in what is fitted.

Roots rise steeply near weight 0, as the worth of a domain's first tokens does. The penalty is the one of least
leave-one-out error, which ridge has in closed form (Allen 1974's PRESS; Golub, Heath & Wahba 1979).
"""

from typing import Self

import numpy as np

from pipeline.mixture.laws.base import BLOCK_PENALTY, Estimator, block_contrasts, known_blocks, one_block

POWERS = (1.0, 0.5, 0.25)
# Keeps the roots' slope finite at weight 0.
FLOOR = 1e-5
# Penalties tried, on features of SD 1 summed over the domains of a power.
_PENALTIES = tuple(10.0**exponent for exponent in np.arange(-5.0, 2.1, 0.5))
# A run that alone decides its own prediction has leverage 1; its left-out error is then unknown, not infinite.
_LEVERAGE = 0.99


class Ridge(Estimator):
    name = "ridge"
    convex = False
    least_runs = 5

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        n, d = weights.shape
        blocks = one_block(blocks, n)
        if n < self.least_runs:
            raise ValueError(f"ridge regression needs at least {self.least_runs} runs, got {n}")
        raw = _features(weights)
        self.centre = raw.mean(axis=0)
        # One scale a power, not a feature: a domain that hardly moves must not be blown up to the size of the others.
        spread = raw.var(axis=0).reshape(len(POWERS), d).sum(axis=1) ** 0.5
        self.scale = np.repeat(np.where(spread > 0, spread, 1.0), d)
        self.blocks = known_blocks(blocks)
        design = np.hstack([self._design(weights), block_contrasts(blocks, self.blocks)])
        best = np.inf
        for strength in _PENALTIES:
            penalty = np.r_[0.0, np.full(len(self.scale), strength), np.full(len(self.blocks), BLOCK_PENALTY)]
            inverse = np.linalg.inv(design.T @ design + np.diag(penalty))
            theta = inverse @ design.T @ y
            leverage = np.einsum("ij,jk,ik->i", design, inverse, design, optimize=True)
            residual = y - design @ theta
            left_out = float(np.mean((residual / (1 - np.minimum(leverage, _LEVERAGE))) ** 2))
            if left_out < best:
                best, self.theta = left_out, theta
                self.sigma = float(np.sqrt(residual @ residual / max(n - leverage.sum(), 1.0)))
                self.cov = inverse * self.sigma**2
        return self

    def _design(self, weights: np.ndarray) -> np.ndarray:
        return np.hstack([np.ones((len(weights), 1)), (_features(weights) - self.centre) / self.scale])

    def mean_at(self, weights: np.ndarray, blocks: np.ndarray | None) -> np.ndarray:
        size = 1 + len(self.scale)
        mean = self._design(weights) @ self.theta[:size]
        return mean if blocks is None else mean + block_contrasts(blocks, self.blocks) @ self.theta[size:]

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        by_feature = (self.theta[1 : 1 + len(self.scale)] / self.scale).reshape(len(POWERS), -1)
        powers = np.array(POWERS)[:, None]
        return (by_feature * powers * (np.maximum(weights, 0.0) + FLOOR) ** (powers - 1)).sum(axis=0)

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        design, size = self._design(weights), 1 + len(self.scale)
        return design @ self.cov[:size, :size] @ design.T

    def noise(self) -> float:
        return self.sigma


def _features(weights: np.ndarray) -> np.ndarray:
    return np.hstack([(np.maximum(weights, 0.0) + FLOOR) ** power for power in POWERS])
