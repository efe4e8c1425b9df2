"""olmix's exact proposer: least mean task + lambda * KL(w || prior) over the simplex, under repetition caps.

Source: github.com/allenai/olmix, olmix/fit/utils.py (LogLinearExactProposer) and configs/examples/fit: lambda 0.05 in
both configurations of the paper (arXiv:2602.12237); prior floored at 1e-12. Departures: solved by sequential quadratic
programs on Clarabel and checked, in place of ECOS with its status unread; caps hold per origin, rewritten variants
included, and bounds may be set beside them. Its simulation proposer is not offered.
"""

import numpy as np

from pipeline.mixture.guards import unguarded
from pipeline.mixture.polytope import whole_simplex
from pipeline.mixture.pull import drawn_to_prior
from pipeline.mixture.recipes.base import Recipe
from pipeline.mixture.spaces import Limits
from pipeline.mixture.surface import Surface

_LAMBDA = 0.05
_FLOOR = 1e-12


def find(
    model: Surface, limits: Limits, prior: np.ndarray, kl: float | None, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """The one optimum: every law is convex in the weights, KL strictly so. ValueError naming limits that collide."""
    strength = _LAMBDA if kl is None else kl
    floored = np.maximum(prior, _FLOOR)
    space = unguarded(whole_simplex(limits))
    return drawn_to_prior(space, model, space.feasible, floored / floored.sum(), strength), strength


RECIPE = Recipe(
    law="olmix",
    find=find,
    says=(
        "olmix (Chen et al. 2026): exp(c) + exp(t.w) of least Huber loss a task, then the least mean of the tasks plus "
        "0.05 KL to the prior (or `propose.kl`). Unlike its code: 5 starts a fit in place of 300"
    ),
)
