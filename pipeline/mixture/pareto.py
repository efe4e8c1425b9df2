"""The Pareto front between task families: what a gain in one costs in another.

Weighted sums of the families are minimised for a lattice of weights (Zadeh 1963), so the front is the part that such
sums reach: all of it where the laws are convex, its convex hull where they are not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from pipeline.mixture.guards import Allowed
from pipeline.mixture.optimise import best_apart
from pipeline.mixture.surface import Surface

# Parts of 1 on the lattice for two and for three families; more have vertices, pairs and the centre.
_PARTS = {2: 10, 3: 4}
_MOST_WITH_PAIRS = 6
_STARTS = 4
_STEPS = 15
_TOLERANCE = 1e-5
# Family values, relative to natural, that differ by less are the same.
_SAME = 1e-5


@dataclass(frozen=True)
class Estimate:
    """A family's predicted value relative to natural (about 1 there, lower is better) and its standard error."""

    predicted: float
    se: float


@dataclass(frozen=True)
class FrontPoint:
    """family_weights: the weights, summing to 1, that this mix (d,) is best for; families: what is predicted for it."""

    family_weights: dict[str, float]
    weights: np.ndarray
    families: dict[str, Estimate]


def front(allowed: Allowed, surfaces: Mapping[str, Surface], starts: np.ndarray) -> tuple[FrontPoint, ...]:
    """The non-dominated mixes found, by falling weight of the first family, then of the second, and so on.

    surfaces: family -> its part of the objective; starts: (m, d) allowed mixes to begin at. Empty for one family.
    """
    if len(surfaces) < 2:
        return ()
    every = tuple(surfaces.values())
    shares = np.array(list(lattice(len(every))))
    mixes, values = starts, _values(every, starts)
    for share in shares:
        # A family alone has the front's end, and its law may have several valleys.
        begin = best_apart(mixes, values @ share, _STARTS if share.max() == 1 else 1)
        end = min(
            (_best_for(allowed, every, share, w) for w in begin),
            key=lambda w: float(_values(every, w[None])[0] @ share),
        )
        mixes = np.vstack([mixes, end])
        values = np.vstack([values, _values(every, end[None])])
    # A later search may have found a better mix for an earlier share.
    mixes, values = mixes[-len(shares) :], values[-len(shares) :]
    chosen = np.argmin(values @ shares.T, axis=0)
    kept = [i for i, row in enumerate(chosen) if _is_new(values, chosen[:i], row) and not _is_dominated(values, row)]
    found = families_at(surfaces, mixes[chosen[kept]])
    return tuple(
        FrontPoint(
            dict(zip(surfaces, (float(each) for each in shares[i]), strict=True)),
            mixes[chosen[i]],
            families,
        )
        for i, families in zip(kept, found, strict=True)
    )


def families_at(surfaces: Mapping[str, Surface], weights: np.ndarray) -> list[dict[str, Estimate]]:
    """(m, d) -> for each mix, family -> predicted value and its SE."""
    columns = {}
    for name, each in surfaces.items():
        errors = np.sqrt(np.maximum(np.diag(each.covariance(weights)), 0.0))
        columns[name] = list(zip(each.mean(weights), errors, strict=True))
    return [{name: Estimate(*map(float, columns[name][i])) for name in columns} for i in range(len(weights))]


def lattice(families: int) -> Iterator[tuple[float, ...]]:
    """Weights of the families, each summing to 1, by falling weight of the first, then of the second, and so on."""
    if families in _PARTS:
        parts = _PARTS[families]
        points = [tuple(n / parts for n in each) for each in product(range(parts + 1), repeat=families)]
        points = [each for each in points if abs(sum(each) - 1) < 1e-9]
    else:
        sizes = (1, 2, families) if families <= _MOST_WITH_PAIRS else (1, families)
        groups = [group for size in sizes for group in combinations(range(families), size)]
        points = [tuple(1 / len(group) if i in group else 0.0 for i in range(families)) for group in groups]
    yield from sorted(points, reverse=True)


def _values(surfaces: tuple[Surface, ...], weights: np.ndarray) -> np.ndarray:
    """(m, d) -> (m, k)"""
    return np.stack([each.mean(weights) for each in surfaces], axis=1)


def _best_for(allowed: Allowed, surfaces: tuple[Surface, ...], share: np.ndarray, start: np.ndarray) -> np.ndarray:
    used = [(part, each) for part, each in zip(share, surfaces, strict=True) if part > 0]

    def value(w: np.ndarray) -> float:
        return float(sum(part * each.mean(w[None])[0] for part, each in used))

    def gradient(w: np.ndarray) -> np.ndarray:
        return np.sum([part * each.gradient(w) for part, each in used], axis=0)

    return allowed.descend(value, gradient, start, _STEPS, _TOLERANCE)


def _is_new(values: np.ndarray, before: np.ndarray, row: int) -> bool:
    return not any(np.abs(values[row] - values[other]).max() < _SAME for other in before)


def _is_dominated(values: np.ndarray, row: int) -> bool:
    better = (values <= values[row]).all(axis=1) & (values < values[row] - _SAME).any(axis=1)
    return bool(better.any())
