"""olmix's regressor: y = exp(c) + exp(t.w), least Huber loss (Chen et al. 2026, arXiv:2602.12237; Ye et al. 2024).

Source: github.com/allenai/olmix, olmix/fit/utils.py and law.py: Huber loss with delta 0.02, L-BFGS from many starts
(c over -2 to 1.5, small random t), the best one kept; no penalty on t. Departures: 5 starts in place of 300, in
double precision and to convergence, from t in 0 to 0.1 for every domain (olmix starts the domain that has the
task's number below 0). The covariance, which olmix does not have, is that of least squares at the fit. Seed blocks are
not looked at, as olmix knows none.
"""

from typing import Self

import numpy as np
from scipy.optimize import minimize

from pipeline.mixture.laws.base import Estimator

_DELTA = 0.02
# Five starts; on RegMix's 512 runs ten ended within 0.3 % of each other's loss.
_LEVELS = np.linspace(-2.0, 1.5, 5)
EXPONENT = 30.0
# Keeps the covariance of directions that no run tells apart finite; relative to the mean curvature.
_RIDGE = 1e-6


class Olmix(Estimator):
    name = "olmix"
    convex = True
    least_runs = 3

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        n, d = weights.shape
        if n < d + 2:
            raise ValueError(f"olmix's law has a coefficient a domain: {d} domains need at least {d + 2} runs, got {n}")

        def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
            level, rise = _parts(theta, weights)
            residual = level + rise - y
            clipped = np.clip(residual, -_DELTA, _DELTA)  # the derivative of Huber's loss
            value = np.sum(clipped * residual - clipped**2 / 2)
            return float(value), np.concatenate([[level * clipped.sum()], weights.T @ (clipped * rise)])

        rng = np.random.default_rng(42)
        starts = [np.concatenate([[c], rng.uniform(0.0, 0.1, d)]) for c in _LEVELS]
        found = [minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000}) for start in starts]
        self.theta = min(found, key=lambda each: each.fun).x
        level, rise = _parts(self.theta, weights)
        jacobian = _jacobian(level, rise, weights)
        self.sigma = float(np.sqrt(np.sum((level + rise - y) ** 2) / (n - d - 1)))
        curvature = jacobian.T @ jacobian
        ridge = _RIDGE * np.trace(curvature) / (d + 1) * np.eye(d + 1)
        self.cov = self.sigma**2 * np.linalg.inv(curvature + ridge)
        return self

    def mean_at(self, weights: np.ndarray, blocks: np.ndarray | None) -> np.ndarray:
        level, rise = _parts(self.theta, weights)
        return level + rise

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        return _parts(self.theta, weights[None])[1][0] * self.theta[1:]

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        jacobian = _jacobian(*_parts(self.theta, weights), weights)
        return jacobian @ self.cov @ jacobian.T

    def noise(self) -> float:
        return self.sigma


def _parts(theta: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """exp(c), and exp(t.w) (m,)."""
    return float(np.exp(np.clip(theta[0], -EXPONENT, EXPONENT))), np.exp(
        np.clip(weights @ theta[1:], -EXPONENT, EXPONENT)
    )


def _jacobian(level: float, rise: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(m, 1 + d)"""
    return np.hstack([np.full((len(rise), 1), level), rise[:, None] * weights])
