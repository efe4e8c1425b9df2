"""Drawing an optimum to the prior: what the data do not object to stays as it is in the world."""

import numpy as np

from pipeline.mixture.guards import Allowed
from pipeline.mixture.polytope import Polytope, minimise_quadratic
from pipeline.mixture.spaces import kl
from pipeline.mixture.surface import Surface

# log w has no slope at 0; this share stands in for none in the divergence's derivative.
_KL_FLOOR = 1e-6
_TOLERANCE = 1e-6
SHARE_OF_NOISE = 0.05
"""Loss that nobody would see, in SDs of one run's objective."""


def drawn_to_prior(
    allowed: Allowed, model: Surface, start: np.ndarray, prior: np.ndarray, strength: float
) -> np.ndarray:
    """The allowed mix of least predicted objective + strength * KL(w || prior), by descent from `start` (d,)."""

    def value(w: np.ndarray) -> float:
        return float(model.mean(w[None])[0]) + strength * kl(w, prior)

    def gradient(w: np.ndarray) -> np.ndarray:
        return model.gradient(w) + strength * (np.log(np.maximum(w, _KL_FLOOR) / prior) + 1.0)

    return allowed.descend(value, gradient, start, tolerance=_TOLERANCE)


def within_errors(
    allowed: Allowed, model: Surface, optimum: np.ndarray, prior: np.ndarray, errors: float
) -> tuple[np.ndarray, float]:
    """The strongest pull that the data do not object to, and its mix.

    The mix is predicted no more than `errors` SEs of the difference above the optimum, and no more than SHARE_OF_NOISE
    of what another seed changes: where runs are few one SE is a large part of what there is to gain.
    """
    most = SHARE_OF_NOISE * model.noise

    def near(w: np.ndarray) -> bool:
        gap, se = model.gap(w, optimum)
        return gap <= min(errors * se, most)

    nearest = _nearest_in_kl(allowed.space, prior, optimum)
    if near(nearest) and allowed.guards.hold(nearest[None])[0]:
        return nearest, float("inf")
    spread = max(float(np.ptp(model.mean(allowed.space.corners))), 1e-9)
    low, high = -5.0, 1.0  # log10 of strength / spread of the objective over the swarm
    kept, strength, current = optimum, 0.0, optimum
    for _ in range(9):
        middle = (low + high) / 2
        current = drawn_to_prior(allowed, model, kept, prior, spread * 10**middle)
        if near(current):
            low, kept, strength = middle, current, spread * 10**middle
        else:
            high = middle
    return kept, strength


def _nearest_in_kl(space: Polytope, prior: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The mix of least KL to the prior that the set holds, by Newton steps (the Hessian is 1 / w)."""
    w = start
    for _ in range(30):
        at = np.maximum(w, _KL_FLOOR)
        step = minimise_quadratic(space, np.diag(1 / at), np.log(at / prior) + 1.0, w) - w
        size, now = 1.0, kl(w, prior)
        while size > 1e-4 and kl(np.maximum(w + size * step, 0.0), prior) > now:
            size /= 2
        w = np.maximum(w + size * step, 0.0)
        w = w / w.sum()
        if now - kl(w, prior) < 1e-9:
            break
    return w
