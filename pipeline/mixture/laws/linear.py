"""Linear regression on the weights: always fitted and shown, because its coefficients can be read.

Weights sum to 1, so raw coefficients are undefined up to a constant; what is shown are contrasts to the prior, the
effect of one more point of a domain while all others shrink in proportion (Scheffe's mixture models; Cornell 2002).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import stats

from pipeline.mixture.laws.base import BLOCK_PENALTY, Estimator, block_contrasts, known_blocks, one_block

# Only keeps the normal equations solvable: the sum-to-one direction and unused domains get coefficient 0.
_RIDGE = 1e-8


@dataclass(frozen=True)
class Contrast:
    """Effect on the task of +1 percentage point of `domain` from the prior, others scaled down; unit of y."""

    domain: str
    effect: float
    low: float
    high: float
    p_value: float


class Linear(Estimator):
    name = "linear"
    convex = True
    concave = True
    least_runs = 3

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        n, d = weights.shape
        blocks = one_block(blocks, n)
        if n < self.least_runs:
            raise ValueError(f"the linear law needs at least {self.least_runs} runs, got {n}")
        self.centre = weights.mean(axis=0)
        self.blocks = known_blocks(blocks)
        design = self._design(weights, blocks)
        penalty = np.concatenate([[0.0], np.full(d, _RIDGE * n), np.full(len(self.blocks), BLOCK_PENALTY)])
        inverse = np.linalg.inv(design.T @ design + np.diag(penalty))
        self.theta = inverse @ design.T @ y
        residual = y - design @ self.theta
        used = float(np.trace(inverse @ design.T @ design))
        self.freedom = n - used
        # With no freedom left the residual says nothing; intervals are then as wide as the data.
        self.sigma = float(np.sqrt(residual @ residual / self.freedom)) if self.freedom > 0.5 else float(np.std(y))
        self.cov = inverse * self.sigma**2
        self.d = d
        return self

    def _design(self, weights: np.ndarray, blocks: np.ndarray) -> np.ndarray:
        return np.hstack([np.ones((len(weights), 1)), weights - self.centre, block_contrasts(blocks, self.blocks)])

    def _mean_design(self, weights: np.ndarray) -> np.ndarray:
        return np.hstack([np.ones((len(weights), 1)), weights - self.centre])

    def mean_at(self, weights: np.ndarray, blocks: np.ndarray | None) -> np.ndarray:
        if blocks is not None:
            return self._design(weights, blocks) @ self.theta
        return self._mean_design(weights) @ self.theta[: self.d + 1]

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        return self.theta[1 : self.d + 1]

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        design = self._mean_design(weights)
        return design @ self.cov[: self.d + 1, : self.d + 1] @ design.T

    def noise(self) -> float:
        return self.sigma

    def contrasts(self, names: tuple[str, ...], prior: np.ndarray, level: float = 0.95) -> tuple[Contrast, ...]:
        """One contrast a domain with its two-sided t interval; prior (d,) with every weight below 1.

        From the prior p, +0.01 on domain j with the others scaled moves w along 0.01 (e_j - p) / (1 - p_j).
        """
        freedom = max(self.freedom, 1.0)
        width = float(stats.t.ppf(0.5 + level / 2, freedom))
        found = []
        for j, name in enumerate(names):
            if prior[j] >= 1:
                raise ValueError(f"the prior puts everything on {name}: no other domain could be scaled down")
            step = -prior / (1 - prior[j])
            step[j] = 1.0
            step *= 0.01
            effect = float(step @ self.theta[1 : self.d + 1])
            error = float(np.sqrt(max(step @ self.cov[1 : self.d + 1, 1 : self.d + 1] @ step, 0.0)))
            p_value = float(2 * stats.t.sf(abs(effect) / error, freedom)) if error > 0 else float(effect == 0)
            found.append(Contrast(name, effect, effect - width * error, effect + width * error, p_value))
        return tuple(found)
