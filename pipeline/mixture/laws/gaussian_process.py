"""A Gaussian process on transformed weights, one length scale a domain (automatic relevance determination).

Diminishing returns are steepest near weight 0, so distance is measured on (w + floor)^power with a small power. The
surface is a straight trend plus a Matern 5/2 process, both in units of the length scales. Hyper-parameters maximise
the posterior density (marginal likelihood times log-normal priors; Rasmussen & Williams 2006, ch. 5): the priors keep
9 length scales sane on 24 runs. Their centre grows with the square root of the number of domains, as distances do
(Hvarfner et al. 2024), so that 64 domains are not taken for 64 reasons to be far apart.
"""

from collections.abc import Callable
from typing import Self

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from pipeline.mixture.laws.base import Estimator, block_contrasts, known_blocks, one_block

_POWER = 0.25
_FLOOR = 1e-5
# Centre of the prior of the log length scales for one domain, and its SD.
_LENGTH = (0.1, 1.0)
# (mean, SD) of the normal priors of: log signal SD, log trend SD, log noise SD, log block SD (y standardised).
_OTHERS = ((0.0, 1.0), (-1.0, 1.0), (-2.0, 1.0), (-3.0, 1.0))
# Hyper-parameters are found on at most this many rows (O(n^3) a step); the mean then uses all of them.
_SUBSAMPLE = 256
_JITTER = 1e-8
_ROOT5 = 5**0.5


class GaussianProcess(Estimator):
    name = "gaussian_process"
    convex = False
    least_runs = 5

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        n, d = weights.shape
        blocks = one_block(blocks, n)
        if n < self.least_runs:
            raise ValueError(f"the Gaussian process needs at least {self.least_runs} runs, got {n}")
        self.mean, self.sd = float(y.mean()), float(y.std()) or 1.0
        self.blocks = known_blocks(blocks)
        self.centre = features(weights).mean(axis=0)
        x, self.indicators, z = (
            features(weights) - self.centre,
            block_contrasts(blocks, self.blocks),
            (y - self.mean) / self.sd,
        )
        rows = np.arange(n)
        if n > _SUBSAMPLE:
            rows = np.sort(np.random.default_rng(0).permutation(n)[:_SUBSAMPLE])
        theta = _maximum_posterior(x[rows], self.indicators[rows], z[rows])
        self.scales = np.exp(theta[:d])
        self.signal, self.trend, self.error, self.block = np.exp(2 * theta[d:])
        self.x = x / self.scales
        self.norms = (self.x**2).sum(axis=1)
        prior = self._prior(self.x, self.x) + self.block * self.indicators @ self.indicators.T
        self.factor = cho_factor(prior + (self.error + _JITTER) * np.eye(n), lower=True)
        self.alpha = cho_solve(self.factor, z)
        return self

    def _scaled(self, weights: np.ndarray) -> np.ndarray:
        return (features(weights) - self.centre) / self.scales

    def _prior(self, x: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Prior covariance of the surface at scaled features x (m, d) and other (n, d), (m, n); 1: the intercept."""
        return self.signal * matern(_squares(x, other)) + self.trend * x @ other.T + 1.0

    def _to_runs(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Squared distances and products of scaled features x (m, d) with the runs', (m, n) each."""
        product = x @ self.x.T
        return np.maximum((x**2).sum(axis=1)[:, None] + self.norms - 2 * product, 0.0), product

    def mean_at(self, weights: np.ndarray, blocks: np.ndarray | None) -> np.ndarray:
        squares, product = self._to_runs(self._scaled(weights))
        cross = self.signal * matern(squares) + self.trend * product + 1.0
        if blocks is not None:
            cross = cross + self.block * block_contrasts(blocks, self.blocks) @ self.indicators.T
        return self.mean + self.sd * cross @ self.alpha

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        x = self._scaled(weights[None])
        slope = matern_slope(self._to_runs(x)[0])[0]
        by_scaled = 2 * self.signal * (self.alpha * slope) @ (x - self.x) + self.trend * self.alpha @ self.x
        return self.sd * by_scaled / self.scales * feature_slopes(weights)

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        return self.covariance_with(weights, weights)

    def covariance_with(self, weights: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Covariance of the mean at weights (m, d) with that at others (k, d) -> (m, k)."""
        x = self._scaled(weights)
        y = x if others is weights else self._scaled(others)
        cross = self._prior(x, self.x)
        back = cross if others is weights else self._prior(y, self.x)
        return self.sd**2 * (self._prior(x, y) - cross @ cho_solve(self.factor, back.T))

    def noise(self) -> float:
        return self.sd * float(np.sqrt(self.error))


def features(weights: np.ndarray) -> np.ndarray:
    """What distances are measured on, of the same shape as the weights."""
    return (np.maximum(weights, 0.0) + _FLOOR) ** _POWER


def feature_slopes(weights: np.ndarray) -> np.ndarray:
    """d feature / d weight."""
    return _POWER * (np.maximum(weights, 0.0) + _FLOOR) ** (_POWER - 1)


def _squares(x: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Squared distances of rows x (m, d) and other (n, d) -> (m, n); no (m, n, d) array is ever made."""
    apart = (x**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None] - 2 * x @ other.T
    return np.maximum(apart, 0.0)


def matern(r2: np.ndarray) -> np.ndarray:
    """Matern 5/2 of squared distances."""
    return _matern(r2, *_decay(r2))


def matern_slope(r2: np.ndarray) -> np.ndarray:
    """d matern / d(r^2)."""
    return _matern_slope(*_decay(r2))


def _decay(r2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """r in units of the process, and exp(-r)."""
    r = np.sqrt(r2)
    r *= _ROOT5
    return r, np.exp(-r)


def _matern(r2: np.ndarray, r: np.ndarray, decay: np.ndarray) -> np.ndarray:
    total = 1 + r  # in place from here: hundreds of thousands of distances would be five times in memory
    total += 5 / 3 * r2
    total *= decay
    return total


def _matern_slope(r: np.ndarray, decay: np.ndarray) -> np.ndarray:
    total = 1 + r
    total *= -(5 / 6)
    total *= decay
    return total


def _priors(d: int) -> tuple[np.ndarray, np.ndarray]:
    """Means and SDs of the log hyper-parameters of d domains."""
    mean = np.array([_LENGTH[0] + 0.5 * np.log(d)] * d + [mean for mean, _ in _OTHERS])
    return mean, np.array([_LENGTH[1]] * d + [sd for _, sd in _OTHERS])


def _maximum_posterior(x: np.ndarray, indicators: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Log length scales (d), then log SDs of signal, trend, noise and block, by L-BFGS from the priors' means."""
    mean, sd = _priors(x.shape[1])
    edges = list(zip(mean - 5 * sd, mean + 5 * sd, strict=True))
    value = negative_log_posterior(x, indicators, z)
    return minimize(value, mean, jac=True, method="L-BFGS-B", bounds=edges, options={"maxiter": 100}).x


def negative_log_posterior(
    x: np.ndarray, indicators: np.ndarray, z: np.ndarray
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Of the log hyper-parameters (d + 4,), with its gradient. x: (n, d) features; indicators: (n, k); z: (n,)."""
    n, d = x.shape
    centre, width = _priors(d)
    same_block, eye = indicators @ indicators.T, np.eye(n)

    def negative(theta: np.ndarray) -> tuple[float, np.ndarray]:
        signal, trend, noise, block = np.exp(2 * theta[d:])
        u = x / np.exp(theta[:d])
        squares = _squares(u, u)
        r, decay = _decay(squares)
        kernel, slope = _matern(squares, r, decay), _matern_slope(r, decay)
        straight = u @ u.T
        covariance = signal * kernel + trend * straight + block * same_block + 1.0 + (noise + _JITTER) * eye
        lower = np.linalg.cholesky(covariance)
        inverse = cho_solve((lower, True), eye, check_finite=False)
        alpha = inverse @ z
        value = 0.5 * z @ alpha + np.log(np.diag(lower)).sum() + 0.5 * (((theta - centre) / width) ** 2).sum()
        g = 0.5 * (inverse - np.outer(alpha, alpha))  # d value / d covariance
        h = g * slope
        # sum_ij h_ij (u_ik - u_jk)^2 and sum_ij g_ij u_ik u_jk, without an (n, n, d) array
        apart = 2 * (h.sum(axis=1) @ u**2 - (u * (h @ u)).sum(axis=0))
        along = (u * (g @ u)).sum(axis=0)
        slopes = np.empty(d + 4)
        slopes[:d] = -2 * signal * apart - 2 * trend * along
        slopes[d:] = (
            2 * signal * (g * kernel).sum(),
            2 * trend * along.sum(),
            2 * noise * np.trace(g),
            2 * block * (g * same_block).sum(),
        )
        return float(value), slopes + (theta - centre) / width**2

    return negative
