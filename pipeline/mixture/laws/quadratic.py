"""Scheffe's quadratic mixture model y = sum b_i w_i + sum b_ij w_i w_j + block, shrunk by the evidence of the data.

Domains that help each other, or stand in for each other, are what neither the linear law nor a sum of useful tokens can
say (Scheffe 1958; Cornell 2002). With 8 domains it has 36 coefficients, so they need priors: normal, one variance for
the straight part and one for the bends, chosen with the noise by maximum marginal likelihood (MacKay 1992). Computed as
a Gaussian process with kernel s1 w.w' + s2 (w.w')^2, so that 64 domains cost no more than 8.
"""

from typing import Self

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from pipeline.mixture.laws.base import Estimator, block_contrasts, known_blocks, one_block

# (mean, SD) of normal priors of log SDs of: straight part, bends, noise, block; y and w standardised.
_PRIORS = np.array([(0.0, 1.5), (-1.0, 1.5), (-1.0, 1.0), (-2.0, 1.0)])
_JITTER = 1e-8


class Quadratic(Estimator):
    name = "quadratic"
    convex = False
    least_runs = 5

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        n, _ = weights.shape
        blocks = one_block(blocks, n)
        if n < self.least_runs:
            raise ValueError(f"the quadratic law needs at least {self.least_runs} runs, got {n}")
        self.centre = weights.mean(axis=0)
        self.scale = float(np.sqrt(((weights - self.centre) ** 2).sum(axis=1).mean())) or 1.0
        self.mean, self.sd = float(y.mean()), float(y.std()) or 1.0
        self.blocks = known_blocks(blocks)
        self.x, self.indicators = (weights - self.centre) / self.scale, block_contrasts(blocks, self.blocks)
        z = (y - self.mean) / self.sd
        straight = self.x @ self.x.T
        parts = (straight, straight**2, np.eye(n), self.indicators @ self.indicators.T)

        def prior(sizes: np.ndarray) -> np.ndarray:
            return sum((s * p for s, p in zip(sizes, parts, strict=True)), 1.0 + _JITTER * parts[2])

        def negative(theta: np.ndarray) -> tuple[float, np.ndarray]:
            sizes = np.exp(2 * theta)
            lower = np.linalg.cholesky(prior(sizes))
            inverse = cho_solve((lower, True), parts[2])
            alpha = inverse @ z
            pull = (theta - _PRIORS[:, 0]) / _PRIORS[:, 1]
            g = 0.5 * (inverse - np.outer(alpha, alpha))
            slope = np.array([2 * s * (g * p).sum() for s, p in zip(sizes, parts, strict=True)])
            value = 0.5 * z @ alpha + np.log(np.diag(lower)).sum() + 0.5 * pull @ pull
            return float(value), slope + pull / _PRIORS[:, 1]

        self.theta = minimize(negative, _PRIORS[:, 0], jac=True, method="L-BFGS-B", bounds=[(-8, 4)] * 4).x
        self.factor = cho_factor(prior(np.exp(2 * self.theta)), lower=True)
        self.alpha = cho_solve(self.factor, z)
        return self

    def _kernel(self, weights: np.ndarray, x: np.ndarray) -> np.ndarray:
        straight = (weights - self.centre) / self.scale @ x.T
        return np.exp(2 * self.theta[0]) * straight + np.exp(2 * self.theta[1]) * straight**2 + 1.0

    def mean_at(self, weights: np.ndarray, blocks: np.ndarray | None) -> np.ndarray:
        cross = self._kernel(weights, self.x)
        if blocks is not None:
            cross = cross + np.exp(2 * self.theta[3]) * block_contrasts(blocks, self.blocks) @ self.indicators.T
        return self.mean + self.sd * cross @ self.alpha

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        straight = self.x @ ((weights - self.centre) / self.scale)
        pulls = self.alpha * (np.exp(2 * self.theta[0]) + 2 * np.exp(2 * self.theta[1]) * straight)
        return self.sd / self.scale * pulls @ self.x

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        cross = self._kernel(weights, self.x)
        own = self._kernel(weights, (weights - self.centre) / self.scale)
        return self.sd**2 * (own - cross @ cho_solve(self.factor, cross.T))

    def noise(self) -> float:
        return self.sd * float(np.exp(self.theta[2]))
