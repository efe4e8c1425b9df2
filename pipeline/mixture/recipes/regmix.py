"""RegMix's search: draw mixes around the prior, average the ones predicted best.

Source: github.com/sail-sg/regmix, regression_fitting/regression.ipynb: 100,000 draws from Dirichlet(prior), the mean
of the best 128. Departures: draws that break the user's limits are drawn again (RegMix has no limits; without any,
nothing is rejected), and several tasks are averaged (RegMix's notebook aims at one).
"""

import numpy as np

from pipeline.mixture.recipes.base import Recipe
from pipeline.mixture.spaces import Limits
from pipeline.mixture.surface import Surface

_DRAWS = 100_000
_BEST = 128
# Batches of _DRAWS that are drawn, at most, until as many are within the limits.
_BATCHES = 20


def find(
    model: Surface, limits: Limits, prior: np.ndarray, kl: float | None, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """The mean of the best 128 draws; limits are convex, so the mean keeps them. Strength of KL is 0."""
    if kl:
        raise ValueError("RegMix's recipe has no pull to the prior: leave `propose.kl` out")
    draws = _within(limits, prior, rng)
    best = np.argsort(model.mean(draws), kind="stable")[:_BEST]
    return draws[best].mean(axis=0), 0.0


def _within(limits: Limits, prior: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(m, d) draws that keep the limits, m at most _DRAWS. ValueError where there is none."""
    found: list[np.ndarray] = []
    for _ in range(_BATCHES):
        draws = np.zeros((_DRAWS, len(prior)))
        draws[:, prior > 0] = rng.dirichlet(prior[prior > 0], _DRAWS)
        found.append(draws[np.all(draws @ limits.A.T <= limits.b, axis=1)])
        if sum(map(len, found)) >= _DRAWS:
            break
    kept = np.concatenate(found)[:_DRAWS]
    if len(kept) == 0:
        raise ValueError(
            f"RegMix's recipe drew {_BATCHES * _DRAWS:,} mixes around the prior and none satisfies all of: "
            + "; ".join(limits.names)
        )
    return kept


RECIPE = Recipe(
    law="regmix",
    find=find,
    says=(
        "RegMix (Liu et al. 2024): LightGBM of 1,000 trees a task, then the mean of the best 128 of 100,000 mixes "
        "drawn from Dirichlet(prior). Unlike its notebook: no early stopping on test mixtures, and limits hold"
    ),
)
