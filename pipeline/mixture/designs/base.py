"""What every design method is asked, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipeline.mixture.polytope import Polytope, project, try_project, whole_simplex
from pipeline.mixture.spaces import Bound, Domain, Limits, limits, prior, total_variation

# A drawn share below this is none: a proxy of some 10^5 tokens could not realise it.
NONE = 1e-3

Named = tuple[str, np.ndarray]


@dataclass(frozen=True)
class Mix:
    """One run of the swarm. `name` is unique; runs with the same `mix` share weights (d,) and differ in `block`."""

    name: str
    weights: np.ndarray
    block: int
    mix: str


@dataclass(frozen=True)
class Request:
    """`count` mixes are wanted beside those `taken`, at least `apart` (total variation) from those and each other.

    centre: (d,) the prior, or the allowed mix nearest to it. `corner_share`: what a one-at-a-time corner lifts its
    domain to; `lift`: indices of the domains that get one. Every mix keeps `within`, and has no weight between 0 and
    `min_weight`; 0 asks for nothing.
    """

    domains: tuple[Domain, ...]
    within: Limits
    centre: np.ndarray
    taken: tuple[Named, ...]
    count: int
    apart: float
    corner_share: float
    lift: tuple[int, ...]
    min_weight: float

    @property
    def floor(self) -> float:
        """The least positive weight of all methods but `spread`, which keeps the bytes of the swarms it has made."""
        return max(self.min_weight, NONE)

    def is_apart(self, weights: np.ndarray, others: Sequence[Named]) -> bool:
        return all(total_variation(weights, other) >= self.apart for _, other in others)


def allowed_centre(domains: Sequence[Domain], within: Limits) -> np.ndarray:
    """The prior (d,), or the allowed mix nearest to it."""
    centre = prior(domains)
    return centre if within.allow(centre) else project(whole_simplex(within), centre)


class Method(Protocol):
    """A way to choose mixes. All its randomness comes from `rng`; it may find fewer than `count`."""

    def __call__(self, request: Request, rng: np.random.Generator) -> list[Named]: ...


def cut(weights: np.ndarray, floor: float) -> np.ndarray:
    """Weights below `floor` become 0, the others grow in proportion; the largest always stays. (m, d) -> (m, d)."""
    kept = np.where((weights < floor) & (weights < weights.max(axis=1, keepdims=True)), 0.0, weights)
    return kept / kept.sum(axis=1, keepdims=True)


def realisable(weights: np.ndarray, request: Request, floor: float) -> np.ndarray | None:
    """The mix (d,) without weights between 0 and `floor`, inside the limits; None where there is none such.

    Small weights are set to 0 and redistributed in proportion. Where the limits object, the nearest mix over the
    domains that are left takes its place; a domain that the limits then miss comes back with at least `floor`, the
    largest first.
    """
    if floor <= 0 or not np.any((weights > 0) & (weights < floor)):
        return weights
    kept = cut(weights[None], floor)[0]
    if request.within.allow(kept) and np.all((kept == 0) | (kept >= floor)):
        return kept
    order = np.argsort(-weights, kind="stable")
    order = order[(weights[order] > 0) & (_reach(request.within)[order] >= floor)]
    names = [domain.name for domain in request.domains]
    for size in range(max(1, int((weights >= floor).sum())), len(order) + 1):
        used = np.sort(order[:size])
        least = limits(request.domains, bounds=[Bound((names[i],), lower=floor) for i in used])
        both = Limits(
            np.vstack([request.within.A, least.A]),
            np.concatenate([request.within.b, least.b]),
            (*request.within.names, *least.names),
        )
        found = try_project(Polytope(np.eye(len(weights))[used], both), weights)
        if found is not None:
            return found
    return None


def _reach(within: Limits) -> np.ndarray:
    """(d,) the greatest weight that any one row allows each domain by itself, as repetition caps do."""
    reach = np.ones(within.A.shape[1])
    for row, most in zip(within.A, within.b, strict=True):
        if np.all(row >= 0):
            used = row > 0
            reach[used] = np.minimum(reach[used], most / row[used])
    return reach
