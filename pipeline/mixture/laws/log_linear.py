"""The log-linear law y = c + exp(a + b.w) + block (Data Mixing Laws, Ye et al. 2024; olmix's default regressor).

Fitted by penalised least squares with Levenberg-Marquardt steps. L2 on b is needed (unpenalised fits run away); its
strength is chosen among a few by leave-one-out error of the linearised fit, e_i / (1 - h_ii). Unlike olmix, which
uses a fixed 1e-4, because at 24 runs the right strength differs by task by orders of magnitude.
"""

from typing import Self

import numpy as np

from pipeline.mixture.laws.base import BLOCK_PENALTY, known_blocks, one_hot

# Strengths tried, in units of the squared residual of a standardised y and standardised weights.
_STRENGTHS = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003)
# Weak pulls on c and a (standardised), so that a nearly straight surface does not send c to minus infinity.
_START_C, _START_A = -2.0, 0.7
_PENALTY_C, _PENALTY_A = 1e-4, 1e-2
_EXPONENT = (-30.0, 8.0)


class LogLinear:
    name = "log_linear"
    convex = True

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray) -> Self:
        n, d = weights.shape
        if n < 5:
            raise ValueError(f"the log-linear law needs at least 5 runs, got {n}")
        self.centre = weights.mean(axis=0)
        self.scale = float(np.sqrt(((weights - self.centre) ** 2).sum(axis=1).mean())) or 1.0
        self.mean, self.sd, self.d = float(y.mean()), float(y.std()) or 1.0, d
        self.blocks = known_blocks(blocks)
        x, indicators, z = (weights - self.centre) / self.scale, one_hot(blocks, self.blocks), (y - self.mean) / self.sd
        k = len(self.blocks)
        start = np.concatenate([[_START_C, _START_A], np.zeros(d + k)])
        theta, best = start, np.inf
        for strength in _STRENGTHS:  # from stiff to loose, each one starting where the last ended
            penalty = np.concatenate([[_PENALTY_C, _PENALTY_A], np.full(d, strength), np.full(k, BLOCK_PENALTY)])
            theta = _levenberg_marquardt(x, indicators, z, theta, start, penalty)
            error, sigma, covariance = _leave_one_out(x, indicators, z, theta, penalty)
            if error < best:
                best, self.theta, self.sigma, self.cov, self.strength = error, theta, sigma, covariance, strength
        return self

    def _exponential(self, weights: np.ndarray) -> np.ndarray:
        x = (weights - self.centre) / self.scale
        return np.exp(np.clip(self.theta[1] + x @ self.theta[2 : 2 + self.d], *_EXPONENT))

    def predict(self, weights: np.ndarray, blocks: np.ndarray | None = None) -> np.ndarray:
        z = self.theta[0] + self._exponential(weights)
        if blocks is not None:
            z = z + one_hot(blocks, self.blocks) @ self.theta[2 + self.d :]
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


def _residual(
    x: np.ndarray, indicators: np.ndarray, z: np.ndarray, theta: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    d = x.shape[1]
    e = np.exp(np.clip(theta[1] + x @ theta[2 : 2 + d], *_EXPONENT))
    return e, z - theta[0] - e - indicators @ theta[2 + d :]


def _levenberg_marquardt(
    x: np.ndarray, indicators: np.ndarray, z: np.ndarray, theta: np.ndarray, start: np.ndarray, penalty: np.ndarray
) -> np.ndarray:
    """Minimise |residual|^2 + sum penalty (theta - start)^2; theta = (c, a, b..., blocks...)."""
    damping = 1e-2
    e, r = _residual(x, indicators, z, theta)
    value = r @ r + penalty @ (theta - start) ** 2
    ones = np.ones((len(z), 1))
    for _ in range(60):
        jacobian = np.hstack([ones, e[:, None], e[:, None] * x, indicators])
        slope = jacobian.T @ r - penalty * (theta - start)
        normal = jacobian.T @ jacobian
        for _ in range(10):
            step = np.linalg.solve(normal + np.diag(penalty + damping * (np.diag(normal) + 1e-3)), slope)
            e_new, r_new = _residual(x, indicators, z, theta + step)
            value_new = r_new @ r_new + penalty @ (theta + step - start) ** 2
            if value_new <= value:
                break
            damping *= 4
        else:
            return theta
        damping = max(damping / 5, 1e-9)
        theta, e, r = theta + step, e_new, r_new
        if value - value_new <= 1e-9 * (value + 1e-12):
            return theta
        value = value_new
    return theta


def _leave_one_out(
    x: np.ndarray, indicators: np.ndarray, z: np.ndarray, theta: np.ndarray, penalty: np.ndarray
) -> tuple[float, float, np.ndarray]:
    """Linearised leave-one-out mean square, its root as the noise SD, and the parameters' covariance."""
    e, r = _residual(x, indicators, z, theta)
    jacobian = np.hstack([np.ones((len(z), 1)), e[:, None], e[:, None] * x, indicators])
    inverse = np.linalg.inv(jacobian.T @ jacobian + np.diag(penalty))
    leverage = np.clip(np.einsum("ij,jk,ik->i", jacobian, inverse, jacobian), 0.0, 0.97)
    error = float(np.mean((r / (1 - leverage)) ** 2))
    # Left-out error rather than the residual: it holds what the law's form misses, which a residual hides.
    return error, float(np.sqrt(error)), inverse * error
