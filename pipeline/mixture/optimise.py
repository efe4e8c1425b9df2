"""Minimise a smooth function over a polytope: sequential quadratic programming with BFGS curvature, many starts."""

from collections.abc import Callable

import numpy as np

from pipeline.mixture.polytope import Polytope, minimise_quadratic, toward

Function = Callable[[np.ndarray], float]
Gradient = Callable[[np.ndarray], np.ndarray]

STEPS = 40
TOLERANCE = 1e-8
"""A descent ends when a step gains less than this share of the function's value."""
_POOL = 1000
# Sum of absolute differences above which two mixes may lie in different valleys.
_APART = 0.1
# Shorter steps gain nothing that a law could be trusted with; on the stairs of regression trees they cost most.
_SHORTEST = 1e-3


def descend(
    space: Polytope,
    value: Function,
    gradient: Gradient,
    start: np.ndarray,
    steps: int = STEPS,
    tolerance: float = TOLERANCE,
) -> np.ndarray:
    """A local minimum from `start` (d,), a point of the set. Every iterate stays in the set, which is convex.

    Each step minimises the BFGS model over the set (damped update: Powell 1978) and backtracks until it descends.
    """
    w, f, g = start, value(start), gradient(start)
    d = len(w)
    curvature = np.eye(d) * max(float(np.linalg.norm(g - g.mean())), 1e-6)
    for _ in range(steps):
        step = minimise_quadratic(space, curvature, g, w) - w
        slope = float(g @ step)
        if slope > -tolerance * max(abs(f), 1e-3) * 1e-2:
            break
        size = 1.0
        while size > _SHORTEST:
            f_new = value(w + size * step)
            if f_new <= f + 1e-4 * size * slope:
                break
            size *= 0.4
        else:
            break
        moved = size * step
        g_new = gradient(w + moved)
        change, product = g_new - g, curvature @ moved
        quad = float(moved @ product)
        if quad > 0:
            if moved @ change < 0.2 * quad:  # keeps the model convex where the function is not
                share = 0.8 * quad / (quad - float(moved @ change))
                change = share * change + (1 - share) * product
            curvature = curvature - np.outer(product, product) / quad + np.outer(change, change) / float(moved @ change)
        done = f - f_new <= tolerance * max(abs(f), 1e-3)
        w, f, g = w + moved, f_new, g_new
        if done:
            break
    w = np.maximum(w, 0.0)
    return w / w.sum()


def sample(space: Polytope, inside: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` points of the set: random convex combinations of few or many corners, pulled toward `inside`."""
    k = len(space.corners)
    mixtures = np.array([rng.dirichlet(np.full(k, (0.05, 0.2, 1.0)[i % 3] * min(1.0, 24 / k))) for i in range(count)])
    return toward(space.limits, inside, mixtures @ space.corners)


def minimise(
    space: Polytope,
    mean: Callable[[np.ndarray], np.ndarray],
    gradient: Gradient,
    inside: np.ndarray,
    rng: np.random.Generator,
    starts: int,
) -> np.ndarray:
    """The best of `starts` descents (see `starts_of`). mean: (m, d) -> (m,); inside: (d,)."""

    def value(w: np.ndarray) -> float:
        return float(mean(w[None])[0])

    begin = starts_of(space, mean, inside, rng, starts)
    return min((descend(space, value, gradient, start) for start in begin), key=value)


def starts_of(
    space: Polytope,
    mean: Callable[[np.ndarray], np.ndarray],
    inside: np.ndarray,
    rng: np.random.Generator,
    count: int,
) -> list[np.ndarray]:
    """At most `count` points (d,), the best of: `inside`, the allowed part of corners and, for several, random ones."""
    corners = toward(space.limits, inside, space.corners)
    drawn = [sample(space, inside, _POOL, rng)] if count > 1 else []
    points = np.vstack([inside[None], corners, *drawn])
    return best_apart(points, mean(points), count)


def best_apart(points: np.ndarray, values: np.ndarray, count: int) -> list[np.ndarray]:
    """At most `count` of the points (m, d), lowest of values (m,) first, no two in one valley."""
    picked: list[np.ndarray] = []
    for row in np.argsort(values, kind="stable"):
        if all(np.abs(points[row] - p).sum() > _APART for p in picked):
            picked.append(points[row])
        if len(picked) == count:
            break
    return picked
