"""The log-linear law y = c + exp(a + b.w) + block (Data Mixing Laws, Ye et al. 2024).

L2 on b is needed (unpenalised fits run away); its strength is chosen among a few by leave-one-out error of the
linearised fit, because at 24 runs the right strength differs by task by orders of magnitude.
"""

from typing import Self

import numpy as np

from pipeline.mixture.laws import least_squares
from pipeline.mixture.laws.base import BLOCK_PENALTY, Estimator, block_contrasts, known_blocks, one_block

# Strengths tried, in units of the squared residual of a standardised y and standardised weights.
_STRENGTHS = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003)
# Weak pulls on c and a (standardised), so that a nearly straight surface does not send c to minus infinity.
_START_C, _START_A = -2.0, 0.7
_PENALTY_C, _PENALTY_A = 1e-4, 1e-2
EXPONENT = (-30.0, 8.0)


class LogLinear(Estimator):
    name = "log_linear"
    convex = True
    least_runs = 5

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        n, d = weights.shape
        blocks = one_block(blocks, n)
        if n < self.least_runs:
            raise ValueError(f"the log-linear law needs at least {self.least_runs} runs, got {n}")
        self.centre = weights.mean(axis=0)
        self.scale = float(np.sqrt(((weights - self.centre) ** 2).sum(axis=1).mean())) or 1.0
        self.mean, self.sd, self.d = float(y.mean()), float(y.std()) or 1.0, d
        self.blocks = known_blocks(blocks)
        k = len(self.blocks)
        x, indicators, z = (
            (weights - self.centre) / self.scale,
            block_contrasts(blocks, self.blocks),
            (y - self.mean) / self.sd,
        )
        ones = np.ones((n, 1))

        def model(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            e = np.exp(np.clip(theta[1] + x @ theta[2 : 2 + d], *EXPONENT))
            jacobian = np.hstack([ones, e[:, None], e[:, None] * x, indicators])
            return theta[0] + e + indicators @ theta[2 + d :], jacobian

        centre = np.concatenate([[_START_C, _START_A], np.zeros(d + k)])
        theta, best = centre, np.inf
        for strength in _STRENGTHS:  # from stiff to loose, each one starting where the last ended
            penalty = np.concatenate([[_PENALTY_C, _PENALTY_A], np.full(d, strength), np.full(k, BLOCK_PENALTY)])
            theta = least_squares.fit(model, z, theta, centre, penalty)
            error, covariance = least_squares.left_out(model, z, theta, penalty)
            if error < best:
                best, self.theta, self.sigma, self.cov = error, theta, float(np.sqrt(error)), covariance
        return self

    def _exponential(self, weights: np.ndarray) -> np.ndarray:
        x = (weights - self.centre) / self.scale
        return np.exp(np.clip(self.theta[1] + x @ self.theta[2 : 2 + self.d], *EXPONENT))

    def mean_at(self, weights: np.ndarray, blocks: np.ndarray | None) -> np.ndarray:
        z = self.theta[0] + self._exponential(weights)
        if blocks is not None:
            z = z + block_contrasts(blocks, self.blocks) @ self.theta[2 + self.d :]
        return self.mean + self.sd * z

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        e = self._exponential(weights[None])[0]
        return self.sd * e * self.theta[2 : 2 + self.d] / self.scale

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        e = self._exponential(weights)[:, None]
        jacobian = np.hstack([np.ones_like(e), e, e * (weights - self.centre) / self.scale])
        size = 2 + self.d
        return self.sd**2 * jacobian @ self.cov[:size, :size] @ jacobian.T

    def noise(self) -> float:
        return self.sd * self.sigma
