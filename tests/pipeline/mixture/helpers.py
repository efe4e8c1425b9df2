"""Small problems that the mixture tests share."""

import numpy as np

from pipeline.mixture.designs import swarm
from pipeline.mixture.spaces import Domain, Limits, limits
from pipeline.mixture.table import Swarm, join

DOMAINS = (
    Domain("wiki", "wiki", 3e6, True),
    Domain("wiki.qa", "wiki", 1e6, False),
    Domain("code", "code", 6e6, True),
    Domain("ocr", "ocr", 5e5, True),
    Domain("papers", "papers", 2e6, True),
)


def caps() -> Limits:
    return limits(DOMAINS, 4e6, 4.0)


def truth(weights: np.ndarray) -> np.ndarray:
    """Three tasks that fall as powers of useful tokens: (n, 5) -> (n, 3)."""
    use = np.array([[1.0, 0.4, 0.05, 0.1, 0.1], [0.02, 0.05, 1.0, 0.0, 0.1], [0.1, 0.1, 0.1, 0.2, 1.0]])
    return 1.0 + 0.3 * (weights @ use.T + 0.03) ** -0.4


def measured(seed: int = 0, runs: int = 20, noise: float = 0.004) -> Swarm:
    mixes = swarm(DOMAINS, runs, seed=seed, within=caps())
    rng = np.random.default_rng(seed)
    weights = np.array([m.weights for m in mixes])
    values = truth(weights) + noise * rng.normal(size=(runs, 3))
    tasks = ("heldout/wiki", "heldout/code", "bench/papers")
    return join(
        {m.name: dict(zip((d.name for d in DOMAINS), m.weights.tolist(), strict=True)) for m in mixes},
        {m.name: dict(zip(tasks, row.tolist(), strict=True)) for m, row in zip(mixes, values, strict=True)},
        {m.name: m.block for m in mixes},
    )
