"""What a variant adds to the proposal: predicted, beside the same mix with the variant's share, or part of it, given
back to raw text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.mixture.polytope import Polytope
from pipeline.mixture.spaces import Limits
from pipeline.mixture.surface import Surface

_PARTS = (1.0, 0.5, 0.25, 0.125)
"""Parts of its share that are given back: the largest whose mix the swarm covered, for beyond it a law is a guess."""
_OUTSIDE = 0.01
"""A mix further than this from what the swarm covered (in some weight) is an extrapolation."""


@dataclass(frozen=True)
class Worth:
    """part: of the variant's share that is given back, 0 to 1; weights (d,): the mix then. gain: its predicted
    objective less that of the proposal; above 0 the variant helps. se: its standard error, given the swarm. covered:
    the swarm covered that mix."""

    part: float
    weights: np.ndarray
    gain: float
    se: float
    covered: bool


def worths(
    model: Surface, mixes: np.ndarray, weights: np.ndarray, domains: Sequence[str], variants: Mapping[str, str]
) -> dict[str, Worth]:
    """Return variant → its worth, for those that have a share in the proposal (d,).

    mixes: (k, d), the swarm's. variants: variant → its origin. Its share goes to the origin's raw text: the domain of
    the origin's name, else the origin's other domains as they stand to each other, evenly where all are 0; to all other
    domains in proportion where the origin has none.
    """
    hull = Polytope(mixes, Limits(np.zeros((0, len(domains))), np.zeros(0), ()))
    found = {}
    for variant, origin in variants.items():
        at = domains.index(variant)
        if weights[at] <= 0:
            continue
        raw = np.array([name == origin for name in domains])
        kin = np.array([name != variant and name.split(".")[0] == origin for name in domains])
        others = np.arange(len(domains)) != at
        chosen = next(each for each in (raw, kin, others) if each.any())
        shares = np.where(chosen, weights, 0.0)
        shares = shares / shares.sum() if shares.sum() > 0 else chosen / chosen.sum()
        moved = weights[at] * (shares - np.eye(len(domains))[at])
        covered = (part for part in _PARTS if hull.contains(weights + part * moved, _OUTSIDE))
        part = next(covered, 0.0)
        without = np.maximum(weights + (part or _PARTS[-1]) * moved, 0.0)
        gain, se = model.gap(without, weights)
        found[variant] = Worth(part or _PARTS[-1], without, gain, se, covered=part > 0)
    return found
