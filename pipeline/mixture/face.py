"""Domains that are no longer on offer: runs that hold them teach the laws, and no mix that is proposed has any.

They stand last among the swarm's domains. The mixes that are still possible are a face of its simplex; everything after
the laws is over that face, and knows nothing of the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from pipeline.mixture.laws.base import Law
from pipeline.mixture.selection import TaskFit

# A mix that lies further than this from the face says little about the mix that is left without what is gone.
_MOST_GONE = 0.5


@dataclass(frozen=True)
class OnFace:
    """A fitted law over d + gone domains, as a law over the first d: the others are 0."""

    law: Law
    gone: int

    @property
    def name(self) -> str:
        return self.law.name

    @property
    def convex(self) -> bool:
        return self.law.convex

    @property
    def least_runs(self) -> int:
        return self.law.least_runs

    def fit(self, weights: np.ndarray, y: np.ndarray, blocks: np.ndarray | None = None) -> Self:
        raise TypeError("a law is fitted over all domains before it is seen on a face")

    def predict(self, weights: np.ndarray, blocks: np.ndarray | None = None, return_std: bool = False) -> Any:
        return self.law.predict(self._whole(weights), blocks, return_std)

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        return self.law.gradient(self._whole(weights))[: len(weights)]

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        return self.law.covariance(self._whole(weights))

    def noise(self) -> float:
        return self.law.noise()

    def _whole(self, weights: np.ndarray) -> np.ndarray:
        """(..., d) -> (..., d + gone)"""
        return np.concatenate([weights, np.zeros((*weights.shape[:-1], self.gone))], axis=-1)


def on_face(fits: Sequence[TaskFit], gone: int) -> tuple[TaskFit, ...]:
    """The laws over the domains that are left; the same ones where none is gone."""
    return tuple(replace(fit, model=OnFace(fit.model, gone)) for fit in fits) if gone else tuple(fits)


def without(weights: np.ndarray, gone: int) -> tuple[np.ndarray, np.ndarray]:
    """Mixes (n, d + gone) without the domains that are gone, the rest in proportion: (k, d), and their rows (k,).

    Left out are those of which more than half is gone, unless that is so of all; then all that have anything left and
    least gone. ValueError where nothing is left of any.
    """
    if gone == 0:
        return weights, np.arange(len(weights))
    left = weights[:, :-gone]
    shares = left.sum(axis=1)
    most = float(shares.max(initial=0.0))
    if most <= 0:
        raise ValueError("no run of the swarm has any of the domains that are left")
    rows = np.flatnonzero(shares >= min(1 - _MOST_GONE, most))
    return left[rows] / shares[rows, None], rows
