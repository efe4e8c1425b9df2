"""Many Gaussian processes on as many runs as one sum, for the single mixes that a search asks about.

One process spends more time on calling than on its 512 runs; all of them together cost little more than one.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.mixture.laws.gaussian_process import GaussianProcess, feature_slopes, features, matern, matern_slope


class Processes:
    """sum_p factors_p mean_p. laws: p fitted processes, each on n runs over d domains; factors: (p,)."""

    def __init__(self, factors: Sequence[float], laws: Sequence[GaussianProcess]) -> None:
        units = np.array([factor * law.sd for factor, law in zip(factors, laws, strict=True)])
        alpha = np.stack([law.alpha for law in laws])
        self.runs = np.stack([law.x.T for law in laws])  # (p, d, n)
        self.norms, self.scales = np.stack([law.norms for law in laws]), np.stack([law.scales for law in laws])
        self.centres = np.stack([law.centre / law.scales for law in laws])
        self.pulls = (units * [law.signal for law in laws])[:, None] * alpha  # (p, n)
        # Trends and intercepts are straight in the features: one slope and one offset for all.
        trends = (units * [law.trend for law in laws])[:, None] * (self.runs @ alpha[:, :, None])[:, :, 0]
        self.straight = (trends / self.scales).sum(axis=0)
        means = sum(factor * law.mean for factor, law in zip(factors, laws, strict=True))
        self.offset = float(means + units @ alpha.sum(axis=1) - (trends * self.centres).sum())

    def mean(self, weights: np.ndarray) -> float:
        """(d,) -> predicted sum"""
        feature = features(weights)
        _, squares = self._to_runs(feature)
        return float(np.vdot(self.pulls, matern(squares)) + self.straight @ feature) + self.offset

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        """(d,) -> (d,)"""
        x, squares = self._to_runs(features(weights))
        pulls = 2 * self.pulls * matern_slope(squares)
        by_scaled = pulls.sum(axis=1)[:, None] * x - (self.runs @ pulls[:, :, None])[:, :, 0]
        return ((by_scaled / self.scales).sum(axis=0) + self.straight) * feature_slopes(weights)

    def _to_runs(self, feature: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(d,) -> scaled features (p, d), and squared distances to the runs (p, n)."""
        x = feature / self.scales - self.centres
        product = (x[:, None] @ self.runs)[:, 0]
        return x, np.maximum((x**2).sum(axis=1)[:, None] + self.norms - 2 * product, 0.0)
