"""What a recipe says: which law every task follows, and how the mix is found from the laws."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.mixture.spaces import Limits
from pipeline.mixture.surface import Surface

Find = Callable[[Surface, Limits, np.ndarray, float | None, np.random.Generator], tuple[np.ndarray, float]]
"""(predicted objective in the tasks' own unit, limits, prior (d,), `propose.kl`, rng) -> mix (d,), strength of KL.

The mix keeps the limits. ValueError where none does, or where the recipe has no use for a strength of KL.
"""


@dataclass(frozen=True)
class Recipe:
    """law: its name in `laws.PEERS`. says: one sentence for the report, with source and what differs from it."""

    law: str
    find: Find
    says: str
