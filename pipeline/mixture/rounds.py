"""Later rounds of a swarm: runs where they teach most about where the best mix is."""

from dataclasses import dataclass

import numpy as np

from pipeline.mixture.guards import unguarded
from pipeline.mixture.polytope import Polytope, minimise_quadratic, whole_simplex
from pipeline.mixture.posterior import posterior
from pipeline.mixture.spaces import Limits, total_variation
from pipeline.mixture.surface import Surface

_POOL = 600
_STARTS = 6
# Concentrations of the pool's Dirichlet draws over the set's ends: few ends, some, many.
_STRENGTHS = (1.0, 3.0, 8.0)
# A share that a proxy could not realise is none.
_LEAST = 1e-3


@dataclass(frozen=True)
class Round:
    """mixes: (k, d) to train next, the best guess first; regret: its expected loss against the best there is."""

    mixes: np.ndarray
    regret: float


def next_mixes(
    model: Surface, tried: np.ndarray, limits: Limits, count: int, *, seed: int, apart: float = 0.03
) -> Round:
    """At most `count` mixes to train next.

    Thompson sampling (Thompson 1933): each mix is the best of a pool under one draw of the surface from its posterior,
    so that mixes are tried as often as they are likely to be the best. The first is the best under the mean. The pool
    lies anywhere inside the limits, not only between the mixes tried (n, d): the best may lie outside. `apart`: least
    total-variation distance between two of them; fewer than `count` come back where the pool holds no more.
    """
    space = whole_simplex(limits)
    rng = np.random.default_rng(seed)
    within = unguarded(space)
    inside = within.feasible
    best = within.minimise(model.mean, model.gradient, inside, rng, 1 if model.convex else _STARTS)
    pool = np.vstack([best, _pool(space, best, inside, tried, rng)])
    pool = np.where(pool < _LEAST, 0.0, pool)
    pool /= pool.sum(axis=1, keepdims=True)
    pool = pool[[limits.allow(w, 1e-6) for w in pool]]
    beliefs = posterior(model, pool, rng)
    picked = [0]
    free = total_variation(pool, pool[0]) >= apart
    for drawn in beliefs.draws:
        if len(picked) == count or not free.any():
            break
        row = int(np.argmin(np.where(free, drawn, np.inf)))
        picked.append(row)
        free &= total_variation(pool, pool[row]) >= apart
    return Round(pool[picked], beliefs.regret(0))


def _pool(
    space: Polytope, best: np.ndarray, inside: np.ndarray, tried: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Ends of the set in random directions, mixes tried, mixtures of these, and mixtures drawn toward the best."""
    d = len(best)
    ends = [minimise_quadratic(space, np.zeros((d, d)), slope, inside) for slope in rng.normal(size=(8 * d, d))]
    every = np.vstack([*ends, *(w for w in tried if space.limits.allow(w))])
    shares = [rng.dirichlet(np.full(len(every), _STRENGTHS[i % 3] / len(every))) for i in range(_POOL)]
    mixtures = np.array(shares) @ every
    near = best + rng.uniform(0, 1, (_POOL, 1)) ** 2 * (mixtures - best)
    return np.vstack([every, mixtures, near])
