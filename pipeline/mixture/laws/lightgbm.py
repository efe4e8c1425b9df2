"""Boosted regression trees (LightGBM, the regressor of RegMix): no form assumed, but many runs needed.

Trees know no weights that were not tried and their surface is a staircase, so they serve large swarms, mostly as a
part of a blend. Trees have no term for seed blocks: effects estimated by ridge regression are taken off before.
Trees are small and each sees a fresh 70 % of the runs (stochastic gradient boosting, Friedman 2002); on RegMix's
training mixtures that beat RegMix's own settings at every size tried.
"""

from typing import Any, Self

import numpy as np

from pipeline.mixture.laws.base import Estimator, one_block
from pipeline.mixture.laws.ridge import Ridge

_SETTINGS = {
    "objective": "regression",
    "learning_rate": 0.05,
    "num_leaves": 8,
    "min_data_in_leaf": 3,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    # Published weights have three decimals: every value may be an edge.
    "min_data_in_bin": 1,
    "feature_pre_filter": False,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "seed": 0,
    "verbosity": -1,
}
_TREES = 400
# Boosters on bootstrapped runs that the covariance is taken from.
_BAG = 6
# Half width of the difference that stands for a slope: wide enough to cross the edges of a few leaves.
_STEP = 0.02


class LightGBM(Estimator):
    name = "lightgbm"
    convex = False
    least_runs = 16

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        n = len(weights)
        blocks = one_block(blocks, n)
        if n < self.least_runs:
            raise ValueError(f"boosted trees need at least 16 runs, got {n}")
        self.ridge = Ridge().fit(weights, y, blocks)
        plain = y - (self.ridge.predict(weights, blocks) - self.ridge.predict(weights))
        self.mean, self.sd = float(plain.mean()), float(plain.std()) or 1.0
        self.weights, self.z = weights, (plain - self.mean) / self.sd
        self.booster = _boost(weights, self.z)
        self.bag: tuple[tuple[Any, np.ndarray], ...] = ()
        return self

    def mean_at(self, weights: np.ndarray, blocks: np.ndarray | None) -> np.ndarray:
        mean = self.mean + self.sd * self.booster.predict(weights, num_threads=1)
        if blocks is None:
            return mean
        return mean + self.ridge.predict(weights, blocks) - self.ridge.predict(weights)

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        """Central differences over 2 points of a weight, one-sided at 0: the steps of a staircase have no slope."""
        up = weights + np.diag(np.full(len(weights), _STEP))
        down = np.maximum(weights - np.diag(np.full(len(weights), _STEP)), 0.0)
        return (self.predict(up) - self.predict(down)) / (np.diag(up) - np.diag(down))

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        """Sample covariance of the bootstrapped boosters' means, (m, m) of rank below their number."""
        means = np.stack([booster.predict(weights, num_threads=1) for booster, _ in self._bagged()])
        return self.sd**2 * np.atleast_2d(np.cov(means, rowvar=False))

    def noise(self) -> float:
        """SD of what runs outside a bootstrap differ from its booster, less the boosters' own variance."""
        means = np.stack([booster.predict(self.weights, num_threads=1) for booster, _ in self._bagged()])
        outside = np.stack([~seen for _, seen in self._bagged()])
        left_out = float(np.mean((means - self.z)[outside] ** 2))
        return self.sd * float(np.sqrt(max(left_out - means.var(axis=0, ddof=1).mean(), 0.05 * left_out)))

    def _bagged(self) -> tuple[tuple[Any, np.ndarray], ...]:
        """Boosters with the rows (n,) bool that each saw; fitted when first asked for, since most fits never are."""
        if not self.bag:
            rng, found = np.random.default_rng(0), []
            for _ in range(_BAG):
                rows = rng.integers(len(self.z), size=len(self.z))
                seen = np.isin(np.arange(len(self.z)), rows)
                found.append((_boost(self.weights[rows], self.z[rows]), seen))
            self.bag = tuple(found)
        return self.bag


def _boost(weights: np.ndarray, z: np.ndarray) -> Any:
    import lightgbm  # only where trees are fitted: it is slow to import

    return lightgbm.train(_SETTINGS, lightgbm.Dataset(weights, z, params=_SETTINGS), _TREES)
