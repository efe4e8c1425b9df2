"""Laws averaged by how well each predicts unseen mixes: what one misses another has, and their errors partly cancel.

A law's share falls with the sixth power of its out-of-fold RMSE. Stacking by least squares (Breiman 1996) was no
better at 32 to 400 runs of RegMix's training mixtures, and has more to fit. The average of a Gaussian process and a
power law predicts unseen mixes there 5 % closer than the better of the two.
"""

from collections.abc import Mapping
from typing import Self

import numpy as np

from pipeline.mixture.laws.base import Estimator, Law, one_block
from pipeline.mixture.laws.bent import Bent
from pipeline.mixture.laws.gaussian_process import GaussianProcess
from pipeline.mixture.laws.lightgbm import LightGBM
from pipeline.mixture.laws.linear import Linear
from pipeline.mixture.laws.log_linear import LogLinear
from pipeline.mixture.laws.out_of_fold import folds_of, out_of_fold
from pipeline.mixture.laws.power import Power
from pipeline.mixture.laws.quadratic import Quadratic
from pipeline.mixture.laws.ridge import Ridge
from pipeline.mixture.table import group_rows

MEMBERS: dict[str, type[Law]] = {
    "linear": Linear,
    "log_linear": LogLinear,
    "bent": Bent,
    "power": Power,
    "quadratic": Quadratic,
    "ridge": Ridge,
    "gaussian_process": GaussianProcess,
    "lightgbm": LightGBM,
}
# Trees know too little of smaller swarms to be worth their time.
_RUNS_FOR_TREES = 128
_SHARPNESS = 3.0
# Where a blend finds its shares itself.
_FOLDS = 5
# A law of a smaller share changes nothing that is worth fitting it for.
_LEAST_SHARE = 0.03


def members_for(runs: int, seen: int) -> tuple[str, ...]:
    """The laws that can pay on a swarm of so many runs, of which a fit sees at least `seen`."""
    able = (name for name, law in MEMBERS.items() if law.least_runs <= seen)
    return tuple(name for name in able if name != "lightgbm" or runs >= _RUNS_FOR_TREES)


def shares_of(squares: Mapping[str, float]) -> dict[str, float]:
    """Law -> mean square error out of fold, to law -> share > 0, summing to 1; the least shares are dropped."""
    least = min(squares.values())
    raw = {name: (max(least, 1e-300) / max(each, 1e-300)) ** _SHARPNESS for name, each in squares.items()}
    total = sum(raw.values())
    kept = {name: each for name, each in raw.items() if each >= _LEAST_SHARE * total}
    return {name: each / sum(kept.values()) for name, each in kept.items()}


class Blend(Estimator):
    """Mean of other laws by `shares`, law -> share; None finds them by one cross-validation in `fit`.

    Uncertainty is that of a mixture of models (Hoeting et al. 1999): their variances averaged, and how far they differ.
    """

    name = "blend"
    convex = False
    least_runs = 10

    def __init__(self, shares: Mapping[str, float] | None = None) -> None:
        self.shares = shares

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        n = len(weights)
        blocks = one_block(blocks, n)
        shares = self.shares
        if shares is None:
            if n < self.least_runs:
                raise ValueError(f"a blend of laws needs at least {self.least_runs} runs to find its shares, got {n}")
            folds = folds_of(group_rows(weights), 0, _FOLDS)
            seen = n - max(len(held) for held in folds)
            found = {name: out_of_fold(MEMBERS[name], weights, y, blocks, folds)[0] for name in members_for(n, seen)}
            shares = shares_of({name: float(np.mean((mean - y) ** 2)) for name, mean in found.items()})
        self.laws = {name: MEMBERS[name]().fit(weights, y, blocks) for name in shares}
        self.convex = all(law.convex for law in self.laws.values())
        self.concave = all(law.concave for law in self.laws.values())
        self.portions = np.array([shares[name] for name in self.laws])
        return self

    def mean_at(self, weights: np.ndarray, blocks: np.ndarray | None) -> np.ndarray:
        return self.portions @ np.stack([law.predict(weights, blocks) for law in self.laws.values()])

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        return self.portions @ np.stack([law.gradient(weights) for law in self.laws.values()])

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        means = np.stack([law.predict(weights) for law in self.laws.values()])
        apart = means - self.portions @ means
        total = (apart * self.portions[:, None]).T @ apart
        for law, share in zip(self.laws.values(), self.portions, strict=True):
            total += share * law.covariance(weights)
        return total

    def noise(self) -> float:
        variances = np.array([law.noise() ** 2 for law in self.laws.values()])
        return float(np.sqrt(self.portions @ variances))
