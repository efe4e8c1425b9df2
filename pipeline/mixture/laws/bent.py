"""The log-linear law and bends about it: y = c + exp(a + b.w) + sum q_ij w_i w_j + block.

Domains that help each other, or stand in for each other, bend a surface that otherwise falls off as the log-linear law
says. The bends are Scheffe's products (1958), normal with one variance, which is chosen with the noise by maximum
marginal likelihood of what the log-linear part leaves (MacKay 1992): where the data show none, they vanish and the law
is log-linear. The two parts are fitted in turn (backfitting; Breiman & Friedman 1985).
"""

from typing import Self

import numpy as np
from scipy.optimize import minimize

from pipeline.mixture.laws.base import Estimator, one_block
from pipeline.mixture.laws.log_linear import LogLinear

# (mean, SD) of normal priors of log SDs of bends and noise, in SDs of y and standardised weights.
_PRIORS = np.array([(-2.0, 1.0), (-1.0, 1.0)])
_BOUNDS = (-6.0, 2.0)
_TURNS = 3


class Bent(Estimator):
    name = "bent"
    convex = False
    least_runs = 8

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        n, _ = weights.shape
        blocks = one_block(blocks, n)
        if n < self.least_runs:
            raise ValueError(f"the bent law needs at least {self.least_runs} runs, got {n}")
        self.centre = weights.mean(axis=0)
        self.scale = float(np.sqrt(((weights - self.centre) ** 2).sum(axis=1).mean())) or 1.0
        self.x, self.sd = (weights - self.centre) / self.scale, float(y.std()) or 1.0
        # both variances share the kernel's eigenvectors, so that a step of their search costs n, not n^3
        values, vectors = np.linalg.eigh((self.x @ self.x.T) ** 2)
        values = np.maximum(values, 0.0)
        bends = np.zeros(n)
        for _ in range(_TURNS):
            self.law = LogLinear().fit(weights, y - bends, blocks)
            turned = vectors.T @ ((y - self.law.predict(weights, blocks)) / self.sd)
            self.bend, self.error = np.exp(2 * _most_likely(turned, values))
            self.inverse = vectors / (self.bend * values + self.error) @ vectors.T
            self.alpha = vectors @ (turned / (self.bend * values + self.error))
            bends = self.sd * self.bend * vectors @ (values * (vectors.T @ self.alpha))
        return self

    def _kernel(self, weights: np.ndarray) -> np.ndarray:
        return self.bend * ((weights - self.centre) / self.scale @ self.x.T) ** 2

    def mean_at(self, weights: np.ndarray, blocks: np.ndarray | None) -> np.ndarray:
        mean: np.ndarray = self.law.predict(weights, blocks)
        return mean + self.sd * self._kernel(weights) @ self.alpha

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        straight = self.x @ ((weights - self.centre) / self.scale)
        return self.law.gradient(weights) + 2 * self.sd * self.bend / self.scale * (straight * self.alpha) @ self.x

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        """That of both parts, as if what one takes up were not taken from the other."""
        x, cross = (weights - self.centre) / self.scale, self._kernel(weights)
        return self.law.covariance(weights) + self.sd**2 * (self.bend * (x @ x.T) ** 2 - cross @ self.inverse @ cross.T)

    def noise(self) -> float:
        return self.sd * float(np.sqrt(self.error))


def _most_likely(turned: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Log SDs of bends and noise of the largest posterior density. turned: (n,) residuals along the kernel's
    eigenvectors; values: (n,) its eigenvalues."""

    def negative(theta: np.ndarray) -> tuple[float, np.ndarray]:
        bend, error = np.exp(2 * theta)
        spread = bend * values + error
        pull = (theta - _PRIORS[:, 0]) / _PRIORS[:, 1]
        each = (1 - turned**2 / spread) / spread  # twice the slope by the variance
        slope = np.array([bend * (each @ values), error * each.sum()])
        value = 0.5 * (np.log(spread).sum() + (turned**2 / spread).sum() + pull @ pull)
        return float(value), slope + pull / _PRIORS[:, 1]

    found: np.ndarray = minimize(negative, _PRIORS[:, 0], jac=True, method="L-BFGS-B", bounds=[_BOUNDS] * 2).x
    return found
