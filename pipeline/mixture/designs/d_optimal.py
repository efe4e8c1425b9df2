"""D-optimal designs: the mixes that make the coefficients of a regression least uncertain together."""

from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import cdist

from pipeline.mixture.designs.base import NONE, Named, Request, cut, realisable
from pipeline.mixture.designs.corners import move
from pipeline.mixture.designs.dirichlet import draw
from pipeline.mixture.designs.spread import CANDIDATES, STRENGTHS, TEMPERS
from pipeline.mixture.polytope import toward

# Prior information, in average candidates: it lets a design of fewer runs than coefficients be judged (Bayesian
# D-optimality; DuMouchel & Jones 1994).
_PRIOR_RUNS = 0.1
_PASSES = 10
_GAIN = 1e-6


def d_optimal(request: Request, rng: np.random.Generator) -> list[Named]:
    """For laws that bend: the regression is on [w, sqrt w], so every domain has a slope and a curvature at 0.

    Those are linear stand-ins for the power law, the log-linear law and the Gaussian process, whose own D-optimal
    designs would depend on parameters that nobody knows before the swarm.
    """
    return _exchange(request, lambda mixes: np.hstack([mixes, np.sqrt(mixes)]), rng)


def d_optimal_linear(request: Request, rng: np.random.Generator) -> list[Named]:
    """For the linear law: the regression is on w itself. Nearly all its mixes lie on the edge of what is allowed."""
    return _exchange(request, lambda mixes: mixes, rng)


def _exchange(request: Request, features: Callable[[np.ndarray], np.ndarray], rng: np.random.Generator) -> list[Named]:
    """Fedorov's exchange (1972) as Cook & Nachtsheim (1980) do it: start greedily; then replace each chosen mix in turn
    by the candidate that raises the determinant of the information most, until none does.

    Candidates: the tempered draws of `spread`, drawn origin first and domain second, and one-at-a-time corners.
    """
    candidates = _candidates(request, rng)
    if not len(candidates) or request.count == 0:
        return []
    taken = np.array([weights for _, weights in request.taken])
    x = _whitened(features(np.vstack([taken, candidates])))
    base, x = x[: len(taken)], x[len(taken) :]
    near = cdist(candidates, candidates, "cityblock") < 2 * request.apart  # twice the total variation
    np.fill_diagonal(near, True)
    blocked = (cdist(candidates, taken, "cityblock") < 2 * request.apart).sum(axis=1)
    known = _PRIOR_RUNS * np.eye(x.shape[1]) + base.T @ base
    covariance = x @ np.linalg.solve(known, x.T)  # of the candidates' predictions, the noise's variance being 1
    rows: list[int] = []
    while len(rows) < request.count and not blocked.all():
        row = int(np.argmax(np.where(blocked == 0, covariance.diagonal(), -1.0)))
        rows.append(row)
        blocked = blocked + near[row]
        covariance = _with(covariance, row, 1.0)
    for _ in range(_PASSES):
        before = list(rows)
        for place, row in enumerate(rows):
            own, shared = covariance.diagonal(), covariance[row]
            gain = own - own[row] - (own * own[row] - shared**2)  # relative, in the determinant (Fedorov's delta)
            best = int(np.argmax(np.where(blocked - near[row] == 0, gain, -1.0)))
            if gain[best] > _GAIN:
                rows[place] = best
                blocked = blocked - near[row] + near[best]
                covariance = _with(_with(covariance, best, 1.0), row, -1.0)
        if rows == before:
            break
    return [(f"optimal-{i:03d}", candidates[row]) for i, row in enumerate(rows)]


def _with(covariance: np.ndarray, row: int, sign: float) -> np.ndarray:
    """The predictions' covariance (n, n) with one more run (sign 1) or one less (-1) of candidate `row`."""
    shared = covariance[row]
    return covariance - sign * np.outer(shared, shared) / (1.0 + sign * shared[row])


def _candidates(request: Request, rng: np.random.Generator) -> np.ndarray:
    points = []
    for i in range(CANDIDATES):
        strength = STRENGTHS[(i // len(TEMPERS)) % len(STRENGTHS)]
        points.append(draw(request.domains, request.centre, TEMPERS[i % len(TEMPERS)], strength, rng, per_part=True))
    drawn = toward(request.within, request.centre, cut(np.array(points), NONE))
    corners = [
        move(request.within, request.centre, i, share)
        for i in range(len(request.domains))
        for share in (request.corner_share, 0.0, 1.0)
    ]
    mixes = [realisable(point, request, request.floor) for point in (*drawn, *corners)]
    return np.array([mix for mix in mixes if mix is not None]).reshape(-1, len(request.domains))


def _whitened(features: np.ndarray) -> np.ndarray:
    """Features (n, p) turned so that their mean outer product is the identity; directions without extent are dropped.

    The determinant's order of designs does not change, and the prior weighs alike in all directions.
    """
    left, values, _ = np.linalg.svd(features, full_matrices=False)
    return left[:, values > 1e-8 * values[0]] * len(features) ** 0.5
