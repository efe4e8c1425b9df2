"""The objective as the laws see it: mean, gradient and joint uncertainty over mixes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.mixture.objective import Objective
from pipeline.mixture.selection import TaskFit
from pipeline.mixture.table import Swarm
from pipeline.mixture.together import Together


@dataclass(frozen=True)
class Surface:
    """offset + weighted sum of fitted laws.

    Each law's covariance is scaled as its out-of-fold errors ask for (`TaskFit.scale`); `inflation`: factor >= 1 on the
    covariance of tasks summed as if independent.
    """

    fits: tuple[TaskFit, ...]
    factors: np.ndarray
    offset: float
    inflation: float

    def mean(self, weights: np.ndarray) -> np.ndarray:
        """(m, d) -> (m,) predicted objective, averaged over seed blocks."""
        if len(weights) == 1:
            return np.array([self.offset + self._together.mean(weights[0])])
        total = np.full(len(weights), self.offset)
        for fit, factor in zip(self.fits, self.factors, strict=True):
            total += factor * fit.model.predict(weights)
        return total

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        """(d,) -> (d,)"""
        return self._together.gradient(weights)

    @cached_property
    def _together(self) -> Together:
        return Together(self.factors.tolist(), [fit.model for fit in self.fits])

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        """(m, d) -> (m, m) covariance of the predicted mean objective."""
        total = np.zeros((len(weights), len(weights)))
        for fit, factor in zip(self.fits, self.factors, strict=True):
            total += (factor * fit.scale) ** 2 * fit.model.covariance(weights)
        return self.inflation * total

    @property
    def noise(self) -> float:
        """SD of one run's objective about the mean: what another seed changes."""
        variances = [(factor * fit.model.noise()) ** 2 for fit, factor in zip(self.fits, self.factors, strict=True)]
        return float(np.sqrt(self.inflation * sum(variances)))

    def gap(self, weights: np.ndarray, other: np.ndarray) -> tuple[float, float]:
        """Predicted objective of one mix (d,) minus that of another, and the SE of that difference."""
        pair = np.stack([weights, other])
        mean, covariance = self.mean(pair), self.covariance(pair)
        variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
        return float(mean[0] - mean[1]), float(np.sqrt(max(variance, 0.0)))

    @property
    def convex(self) -> bool:
        """Whether the mean is known to be convex: the factor of a maximised task turns a law upside down."""
        return all(
            fit.model.convex if factor >= 0 else fit.model.concave
            for fit, factor in zip(self.fits, self.factors, strict=True)
        )


def surface(swarm: Swarm, fits: Sequence[TaskFit], objective: Objective) -> Surface:
    """The objective over the laws; tasks of weight 0 are left out.

    All tasks of a run share its seed, so their errors are correlated: the out-of-fold error of the objective, against
    what independent tasks would give, is the factor by which variances are inflated.
    """
    return _surface(swarm, fits, objective.factors, objective.offset)


def family_surfaces(swarm: Swarm, fits: Sequence[TaskFit], objective: Objective) -> dict[str, Surface]:
    """Family -> its part of the objective, relative to natural (about 1 there, lower is better)."""
    return {
        name: _surface(
            swarm,
            fits,
            weights * objective.signs / objective.reference,
            float(np.sum(weights * (1 - objective.signs))),
        )
        for name, weights in objective.families.items()
    }


def _surface(swarm: Swarm, fits: Sequence[TaskFit], factors: np.ndarray, offset: float) -> Surface:
    used = [i for i, factor in enumerate(factors) if factor != 0]
    factors = factors[used]
    errors = np.stack([swarm.values[:, i] - fits[i].score.predicted for i in used], axis=1)
    together = float(np.mean((errors @ factors) ** 2))
    apart = float(np.sum(np.mean(errors**2, axis=0) * factors**2))
    inflation = max(1.0, together / apart) if apart > 0 else 1.0
    return Surface(tuple(fits[i] for i in used), factors, offset, inflation)
