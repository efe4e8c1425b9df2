"""A law upside down, for metrics that are better when higher.

The laws describe losses: they fall steeply at first and level off from above (c + exp, c + a power). An accuracy rises
steeply and levels off from below, so what follows a law is the metric's negative.
"""

from typing import Self

import numpy as np

from pipeline.mixture.laws.base import Estimator, Law


class Mirrored(Estimator):
    """Fits `law` to -y and says everything about y."""

    def __init__(self, law: Law) -> None:
        self.law = law
        self.name, self.least_runs = law.name, law.least_runs

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        self.law.fit(weights, -y, blocks)
        self.convex, self.concave = self.law.concave, self.law.convex
        return self

    def mean_at(self, weights: np.ndarray, blocks: np.ndarray | None) -> np.ndarray:
        return -self.law.predict(weights, blocks)

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        return -self.law.gradient(weights)

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        return self.law.covariance(weights)

    def noise(self) -> float:
        return self.law.noise()
