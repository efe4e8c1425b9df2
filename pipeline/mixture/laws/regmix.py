"""RegMix's regressor: LightGBM with the settings of its notebook (Liu et al. 2024, arXiv:2407.01492).

Source: github.com/sail-sg/regmix, regression_fitting/regression.ipynb. 1,000 trees at rate 0.01, seed 42, the rest as
LightGBM has it. Departures: the notebook stops early on the very mixtures that it then reports correlations on; here
all 1,000 trees are grown, because a fit has no such mixtures. The covariance, which RegMix does not have, is that of
boosters on bootstrapped runs. Seed blocks are not looked at, as RegMix knows none.
"""

from typing import Any, Self

import numpy as np

from pipeline.mixture.laws.base import Estimator

_SETTINGS = {
    "objective": "regression",
    "boosting_type": "gbdt",
    "learning_rate": 1e-2,
    "seed": 42,
    # one thread and a fixed order of sums, so that the same runs give the same trees
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}
_TREES = 1000
# LightGBM's default leaf holds 20 runs: with fewer than two leaves' worth no tree can split.
_FEWEST = 40
_BAG = 6
# Half width of the difference that stands for a slope: wide enough to cross the edges of a few leaves.
_STEP = 0.02


class RegMix(Estimator):
    name = "regmix"
    convex = False
    least_runs = 2

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        if len(y) < _FEWEST:
            raise ValueError(f"RegMix's trees need at least {_FEWEST} runs (leaves of 20), got {len(y)}")
        self.weights, self.y = weights, y
        self.booster = _boost(weights, y)
        self.bag: tuple[tuple[Any, np.ndarray], ...] = ()
        return self

    def mean_at(self, weights: np.ndarray, blocks: np.ndarray | None) -> np.ndarray:
        return np.asarray(self.booster.predict(weights, num_threads=1))

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        """Central differences, one-sided at 0: the steps of a staircase have no slope."""
        up = weights + np.diag(np.full(len(weights), _STEP))
        down = np.maximum(weights - np.diag(np.full(len(weights), _STEP)), 0.0)
        return (self.mean_at(up, None) - self.mean_at(down, None)) / (np.diag(up) - np.diag(down))

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        """Sample covariance of the bootstrapped boosters' means, (m, m) of rank below their number."""
        return np.atleast_2d(np.cov(self._bagged(weights), rowvar=False))

    def noise(self) -> float:
        """RMS of what runs outside a bootstrap differ from its booster."""
        outside = np.stack([~seen for _, seen in self._boosters()])
        return float(np.sqrt(np.mean((self._bagged(self.weights) - self.y)[outside] ** 2)))

    def _bagged(self, weights: np.ndarray) -> np.ndarray:
        """(boosters, m)"""
        return np.stack([booster.predict(weights, num_threads=1) for booster, _ in self._boosters()])

    def _boosters(self) -> tuple[tuple[Any, np.ndarray], ...]:
        """Boosters with the rows (n,) bool that each saw; fitted when first asked for, since most fits never are."""
        if not self.bag:
            rng, found = np.random.default_rng(0), []
            for _ in range(_BAG):
                rows = rng.integers(len(self.y), size=len(self.y))
                seen = np.isin(np.arange(len(self.y)), rows)
                found.append((_boost(self.weights[rows], self.y[rows]), seen))
            self.bag = tuple(found)
        return self.bag


def _boost(weights: np.ndarray, y: np.ndarray) -> Any:
    import lightgbm  # only where trees are fitted: it is slow to import

    return lightgbm.train(_SETTINGS, lightgbm.Dataset(weights, y, params=_SETTINGS), _TREES)
