"""A Gaussian process on transformed weights, one length scale a domain (automatic relevance determination).

Diminishing returns are steepest near weight 0, so distance is measured on (w + floor)^power with a small power.
Hyper-parameters maximise the posterior density (marginal likelihood times log-normal priors; Rasmussen & Williams 2006,
ch. 5): the priors keep 9 length scales sane on 24 runs.
"""

from typing import Self

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from pipeline.mixture.laws.base import Estimator, block_contrasts, known_blocks, one_block

_POWER = 0.25
_FLOOR = 1e-5
# (mean, SD) of the normal priors of: log length scale, log signal SD, log noise SD, log block SD (y
# standardised).
_LENGTH, _SIGNAL, _NOISE, _BLOCK = (0.5, 1.0), (0.0, 1.0), (-2.0, 1.0), (-3.0, 1.0)
# Hyper-parameters are found on at most this many rows (O(n^3) a step); the mean then uses all of them.
_SUBSAMPLE = 192
_JITTER = 1e-8
_ROOT5 = 5**0.5


class GaussianProcess(Estimator):
    name = "gaussian_process"
    convex = False

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        n, d = weights.shape
        blocks = one_block(blocks, n)
        if n < 5:
            raise ValueError(f"the Gaussian process needs at least 5 runs, got {n}")
        self.d, self.mean, self.sd = d, float(y.mean()), float(y.std()) or 1.0
        self.blocks = known_blocks(blocks)
        self.x, self.indicators, z = (
            _features(weights),
            block_contrasts(blocks, self.blocks),
            (y - self.mean) / self.sd,
        )
        rows = np.arange(n)
        if n > _SUBSAMPLE:
            rows = np.sort(np.random.default_rng(0).permutation(n)[:_SUBSAMPLE])
        self.theta = _maximum_posterior(self.x[rows], self.indicators[rows], z[rows])
        signal, noise, block = np.exp(2 * self.theta[d:])
        prior = signal * _matern(self.x, self.x, self.theta[:d])[0] + block * self.indicators @ self.indicators.T
        self.factor = cho_factor(prior + 1.0 + (noise + _JITTER) * np.eye(n), lower=True)
        self.alpha = cho_solve(self.factor, z)
        return self

    def _cross(self, weights: np.ndarray) -> np.ndarray:
        """Prior covariance of the mean surface at weights (m, d) with the training rows, (m, n); +1: intercept."""
        return np.exp(2 * self.theta[self.d]) * _matern(_features(weights), self.x, self.theta[: self.d])[0] + 1.0

    def mean_at(self, weights: np.ndarray, blocks: np.ndarray | None) -> np.ndarray:
        cross = self._cross(weights)
        if blocks is not None:
            cross = (
                cross + np.exp(2 * self.theta[self.d + 2]) * block_contrasts(blocks, self.blocks) @ self.indicators.T
            )
        return self.mean + self.sd * cross @ self.alpha

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        x, scales = _features(weights[None])[0], np.exp(self.theta[: self.d])
        _, slope, _ = _matern(x[None], self.x, self.theta[: self.d])
        by_feature = (2 * np.exp(2 * self.theta[self.d]) * self.alpha * slope[0]) @ ((x - self.x) / scales**2)
        return self.sd * by_feature * _POWER * (np.maximum(weights, 0) + _FLOOR) ** (_POWER - 1)

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        x, cross = _features(weights), self._cross(weights)
        prior = np.exp(2 * self.theta[self.d]) * _matern(x, x, self.theta[: self.d])[0] + 1.0
        return self.sd**2 * (prior - cross @ cho_solve(self.factor, cross.T))

    def noise(self) -> float:
        return self.sd * float(np.exp(self.theta[self.d + 1]))


def _features(weights: np.ndarray) -> np.ndarray:
    return (np.maximum(weights, 0.0) + _FLOOR) ** _POWER


def _matern(x: np.ndarray, other: np.ndarray, log_scales: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Matern 5/2 of rows x (m, d) and other (n, d): k, dk / d(r^2), and squared scaled differences (m, n, d)."""
    squares = (x[:, None] - other[None]) ** 2 / np.exp(2 * log_scales)
    r2 = squares.sum(axis=2)
    r = np.sqrt(r2)
    decay = np.exp(-_ROOT5 * r)
    return (1 + _ROOT5 * r + 5 / 3 * r2) * decay, -(5 / 6) * (1 + _ROOT5 * r) * decay, squares


def _maximum_posterior(x: np.ndarray, indicators: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Log length scales (d), then log SDs of signal, noise and block, by L-BFGS from the priors' means."""
    n, d = x.shape
    centre = np.array([_LENGTH[0]] * d + [_SIGNAL[0], _NOISE[0], _BLOCK[0]])
    width = np.array([_LENGTH[1]] * d + [_SIGNAL[1], _NOISE[1], _BLOCK[1]])
    same_block, eye = indicators @ indicators.T, np.eye(n)

    def negative(theta: np.ndarray) -> tuple[float, np.ndarray]:
        signal, noise, block = np.exp(2 * theta[d:])
        kernel, slope, squares = _matern(x, x, theta[:d])
        lower = np.linalg.cholesky(signal * kernel + block * same_block + 1.0 + (noise + _JITTER) * eye)
        inverse = cho_solve((lower, True), eye)
        alpha = inverse @ z
        value = 0.5 * z @ alpha + np.log(np.diag(lower)).sum() + 0.5 * (((theta - centre) / width) ** 2).sum()
        g = 0.5 * (inverse - np.outer(alpha, alpha))  # d value / d covariance
        slopes = np.empty(d + 3)
        slopes[:d] = -2 * signal * np.einsum("ij,ijk->k", g * slope, squares)
        slopes[d:] = (
            2 * signal * (g * kernel).sum(),
            2 * noise * np.trace(g),
            2 * block * (g * same_block).sum(),
        )
        return float(value), slopes + (theta - centre) / width**2

    edges = list(zip(centre - 5 * width, centre + 5 * width, strict=True))
    return minimize(negative, centre, jac=True, method="L-BFGS-B", bounds=edges, options={"maxiter": 100}).x
