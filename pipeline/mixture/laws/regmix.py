"""RegMix's regressor: LightGBM with the settings of its notebook (Liu et al. 2024, arXiv:2407.01492).

Source: github.com/sail-sg/regmix, regression_fitting/regression.ipynb. 1,000 trees at rate 0.01, seed 42, the rest as
LightGBM has it. Departures: the notebook stops early on the very mixtures that it then reports correlations on; here
all 1,000 trees are grown, because a fit has no such mixtures. The covariance, which RegMix does not have, is that of
boosters on bootstrapped runs. Seed blocks are not looked at, as RegMix knows none.
"""

from typing import Any, Self

import numpy as np

from pipeline.mixture.laws.bag import Bag, slopes
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


class RegMix(Estimator):
    name = "regmix"
    convex = False
    # LightGBM's default leaf holds 20 runs: with fewer than two leaves' worth no tree can split.
    least_runs = 40

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        if len(y) < self.least_runs:
            raise ValueError(f"RegMix's trees need at least {self.least_runs} runs (leaves of 20), got {len(y)}")
        self.weights, self.y = weights, y
        self.booster = _boost(weights, y)
        self.bag = Bag(_boost, weights, y)
        return self

    def mean_at(self, weights: np.ndarray, blocks: np.ndarray | None) -> np.ndarray:
        return np.asarray(self.booster.predict(weights, num_threads=1))

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        return slopes(self.predict, weights)

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        return self.bag.covariance(weights)

    def noise(self) -> float:
        """RMS of what runs outside a bootstrap differ from its booster."""
        return float(np.sqrt(np.mean((self.bag.means(self.weights) - self.y)[self.bag.outside()] ** 2)))


def _boost(weights: np.ndarray, y: np.ndarray) -> Any:
    import lightgbm  # only where trees are fitted: it is slow to import

    return lightgbm.train(_SETTINGS, lightgbm.Dataset(weights, y, params=_SETTINGS), _TREES)
