"""A power law of useful tokens: y = c + exp(a) (1 + q.w)^(-alpha) + block, q >= 0: a domain's use for the task.

The data term of scaling laws with tokens counted by what each domain is worth to the task (the additive-data form of
Hashimoto 2021 with Hoffmann et al. 2022's power). It falls steeply near weight 0, as real proxies do and a log-linear
law cannot, and it is convex because 1 + q.w is affine. On RegMix's swarm, 32 runs, 13 targets: Spearman 95.4,
log-linear 83.8. Priors (normal, on y standardised) keep d + 3 parameters sane on 24 runs; they are weak against the
data.
"""

from typing import Self

import numpy as np

from pipeline.mixture.laws import least_squares
from pipeline.mixture.laws.base import BLOCK_PENALTY, Estimator, block_contrasts, known_blocks, one_block

# (mean, SD) of the priors of c, a, log alpha, and each log q.
_C, _A, _ALPHA, _USE = (-2.0, 2.0), (1.3, 1.0), (-0.7, 0.7), (2.0, 2.0)
# Noise SD, in SDs of y, that the priors are weighed against.
_NOISE = 0.1
_LOG_USE = (-8.0, 8.0)


class Power(Estimator):
    name = "power"
    convex = True
    least_runs = 5

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        n, d = weights.shape
        blocks = one_block(blocks, n)
        if n < self.least_runs:
            raise ValueError(f"the power law needs at least {self.least_runs} runs, got {n}")
        self.mean, self.sd, self.d = float(y.mean()), float(y.std()) or 1.0, d
        self.blocks = known_blocks(blocks)
        k = len(self.blocks)
        indicators, z = block_contrasts(blocks, self.blocks), (y - self.mean) / self.sd

        def model(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            fall, jacobian = _fall(weights, theta[: 3 + d])
            return theta[0] + fall + indicators @ theta[3 + d :], np.hstack([jacobian, indicators])

        centre = np.array([_C[0], _A[0], _ALPHA[0]] + [_USE[0]] * d + [0.0] * k)
        width = np.array([_C[1], _A[1], _ALPHA[1]] + [_USE[1]] * d)
        penalty = np.concatenate([(_NOISE / width) ** 2, np.full(k, BLOCK_PENALTY)])
        self.theta = least_squares.fit(model, z, centre, centre, penalty)
        error, self.cov = least_squares.left_out(model, z, self.theta, penalty)
        self.sigma = float(np.sqrt(error))
        return self

    def mean_at(self, weights: np.ndarray, blocks: np.ndarray | None) -> np.ndarray:
        z = self.theta[0] + _fallen(weights, self.theta[: 3 + self.d])[0]
        if blocks is not None:
            z = z + block_contrasts(blocks, self.blocks) @ self.theta[3 + self.d :]
        return self.mean + self.sd * z

    def parts(self) -> tuple[float, np.ndarray, float]:
        """exp(a), q (d,) and alpha of the fall exp(a) (1 + q.w)^-alpha, in SDs of y."""
        fall, _, use, alpha = _fallen(np.zeros((1, self.d)), self.theta[: 3 + self.d])
        return float(fall[0]), use, alpha

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        use = np.exp(np.clip(self.theta[3 : 3 + self.d], *_LOG_USE))
        alpha, tokens = np.exp(self.theta[2]), 1.0 + weights @ use
        return -self.sd * alpha * np.exp(self.theta[1]) * tokens ** (-alpha - 1) * use

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        jacobian = _fall(weights, self.theta[: 3 + self.d])[1]
        size = 3 + self.d
        return self.sd**2 * jacobian @ self.cov[:size, :size] @ jacobian.T

    def noise(self) -> float:
        return self.sd * self.sigma


def _fallen(weights: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """exp(a) (1 + q.w)^-alpha (n,), useful tokens 1 + q.w (n,), q (d,) and alpha."""
    use = np.exp(np.clip(theta[3:], *_LOG_USE))
    tokens = 1.0 + weights @ use
    alpha = float(np.exp(np.clip(theta[2], -5.0, 3.0)))
    return np.exp(np.clip(theta[1], -20.0, 8.0) - alpha * np.log(tokens)), tokens, use, alpha


def _fall(weights: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """exp(a) (1 + q.w)^-alpha (n,), and the jacobian of c + that by c, a, log alpha, log q (n, 3 + d)."""
    fall, tokens, use, alpha = _fallen(weights, theta)
    by_use = (-alpha * fall / tokens)[:, None] * weights * use
    return fall, np.hstack([np.ones((len(fall), 1)), fall[:, None], (-alpha * np.log(tokens) * fall)[:, None], by_use])
