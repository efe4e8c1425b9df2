"""Mixes that fill the allowed part of the simplex evenly, whatever the law and the prior."""

import numpy as np

from pipeline.mixture.designs.base import NONE, Named, Request, cut, realisable
from pipeline.mixture.polytope import project, whole_simplex
from pipeline.mixture.spaces import total_variation

# Candidates, at least, and for every mix wanted.
_CANDIDATES, _PER_MIX = 400, 8


def space_filling(request: Request, rng: np.random.Generator) -> list[Named]:
    """Maximin: each mix is the candidate farthest from its nearest neighbour among those chosen (Kennard & Stone 1969).

    Distance is Hellinger's, Euclidean on sqrt(w), in which a share's step from 0 to 1 % counts like one from 25 to
    36 %. Candidates are uniform on the simplex and on its faces, each dimension as often as any other (points of the
    whole simplex never leave a domain out); one outside the limits moves to the nearest mix inside.
    """
    points = np.array([weights for _, weights in request.taken] + _candidates(request, rng))
    features = np.sqrt(points)
    free = np.arange(len(points)) >= len(request.taken)
    nearest = np.full(len(points), np.inf)
    chosen: list[Named] = []

    def condition(row: int) -> None:
        nearest[:] = np.minimum(nearest, ((features - features[row]) ** 2).sum(axis=1))
        free[total_variation(points, points[row]) < request.apart] = False
        free[row] = False

    for row in range(len(request.taken)):
        condition(row)
    while len(chosen) < request.count and free.any():
        row = int(np.argmax(np.where(free, nearest, -1.0)))
        chosen.append((f"filling-{len(chosen):03d}", points[row]))
        condition(row)
    return chosen


def _candidates(request: Request, rng: np.random.Generator) -> list[np.ndarray]:
    d = len(request.domains)
    space = whole_simplex(request.within)
    found = []
    for i in range(max(_CANDIDATES, _PER_MIX * request.count)):
        point = np.zeros(d)
        used = rng.permutation(d)[: i % d + 1]
        point[used] = rng.dirichlet(np.ones(len(used)))
        point = cut(point[None], NONE)[0]
        mix = realisable(point if request.within.allow(point) else project(space, point), request, request.floor)
        if mix is not None:
            found.append(mix)
    return found
