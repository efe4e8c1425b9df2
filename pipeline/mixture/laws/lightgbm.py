"""Boosted regression trees (LightGBM, the regressor of RegMix): no form assumed, but many runs needed.

Trees know no weights that were not tried and their surface is a staircase, so they serve large swarms, mostly as a
part of a blend. Trees have no term for seed blocks: effects estimated by ridge regression are taken off before.
Trees are small and each sees a fresh 70 % of the runs (stochastic gradient boosting, Friedman 2002); on RegMix's
training mixtures that beat RegMix's own settings at every size tried.
"""

from functools import cached_property
from typing import Any, Self

import numpy as np

from pipeline.mixture.laws.bag import STEP, Bag
from pipeline.mixture.laws.base import Estimator, one_block
from pipeline.mixture.laws.ridge import Ridge
from pipeline.mixture.laws.stairs import Stairs, Tables

_SETTINGS = {
    "objective": "regression",
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
_TREES, _RATE = 400, 0.05


class LightGBM(Estimator):
    name = "lightgbm"
    convex = False
    least_runs = 16

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        n = len(weights)
        blocks = one_block(blocks, n)
        if n < self.least_runs:
            raise ValueError(f"boosted trees need at least {self.least_runs} runs, got {n}")
        self.ridge = Ridge().fit(weights, y, blocks)
        plain = y - (self.ridge.predict(weights, blocks) - self.ridge.predict(weights))
        self.mean, self.sd = float(plain.mean()), float(plain.std()) or 1.0
        self.weights, self.z = weights, (plain - self.mean) / self.sd
        self.booster = _boost(weights, self.z, _TREES)
        self.bag = Bag(_quick, weights, self.z)
        return self

    @cached_property
    def tables(self) -> Tables:
        """The trees as searches ask for them (`together.Together`), made when first asked for: most fits never are."""
        return Tables.of(self.booster)

    def mean_at(self, weights: np.ndarray, blocks: np.ndarray | None) -> np.ndarray:
        mean = self.mean + self.sd * self.booster.predict(weights, num_threads=1)
        if blocks is None:
            return mean
        return mean + self.ridge.predict(weights, blocks) - self.ridge.predict(weights)

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        return Stairs([self.tables], [self.sd]).slopes(weights, STEP)

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        return self.sd**2 * self.bag.covariance(weights)

    def noise(self) -> float:
        """SD of what runs outside a bootstrap differ from its booster, less the boosters' own variance."""
        means = self.bag.means(self.weights)
        left_out = float(np.mean((means - self.z)[self.bag.outside()] ** 2))
        return self.sd * float(np.sqrt(max(left_out - means.var(axis=0, ddof=1).mean(), 0.05 * left_out)))


def _quick(weights: np.ndarray, z: np.ndarray) -> Any:
    """A quarter of the trees at four times the rate, on fewer edges: two fifths of the time of half the trees.

    Its SDs are larger, by a third at most on RegMix's 512 runs. `TaskFit.scale` takes that off again, as it is measured
    on SDs of the same kind: calibrated, their mean and the coverage of intervals stayed the same there.
    """
    return _boost(weights, z, _TREES // 4, max_bin=63)


def _boost(weights: np.ndarray, z: np.ndarray, trees: int, **more: Any) -> Any:
    import lightgbm  # only where trees are fitted: it is slow to import

    settings = {**_SETTINGS, **more, "learning_rate": _RATE * _TREES / trees}
    # as lightgbm.train does it, less its callbacks and a model written and read again, which cost a tenth
    booster = lightgbm.Booster(settings, lightgbm.Dataset(weights, z, params=settings))
    for _ in range(trees):
        booster.update()
    return booster
