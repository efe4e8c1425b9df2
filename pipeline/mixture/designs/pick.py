"""Choosing from mixes that are given: which of a published pool to train."""

import numpy as np

from pipeline.mixture.designs.spread import greedy

# As the start of rounds this ranked the rest of RegMix's training mixtures a little better than w^0.5;
# w^0.25, which suits `spread`'s draws, makes too much of a published mix's 0.4 % against 0.
_POWER = 0.7


def pick(pool: np.ndarray, count: int, seed: int, taken: np.ndarray | None = None) -> np.ndarray:
    """Row indices (count,) into `pool` (n, d), in the order chosen; `taken` (k, d) are mixes that have run already.

    The criterion is that of `spread` on another scale: each row is the one of which a Gaussian process on w^0.7 that
    has seen the others is least sure. Once some have been measured, `pick_next` knows better. Without `taken` the
    first row is drawn from `seed`. ValueError where `count` is not between 0 and n or the columns differ.
    """
    n = len(pool)
    if not 0 <= count <= n:
        raise ValueError(f"{count} mixes cannot be picked from a pool of {n}")
    if taken is not None and taken.shape[1:] != pool.shape[1:]:
        raise ValueError(f"the pool has {pool.shape[1]} domains, the mixes taken {taken.shape[1]}")
    if count == 0:
        return np.zeros(0, dtype=int)
    if taken is not None and len(taken):
        return np.array(greedy(np.vstack([taken, pool]), len(taken), count, power=_POWER), dtype=int) - len(taken)
    first = int(np.random.default_rng(seed).integers(n))
    order = np.append(first, np.delete(np.arange(n), first))
    return np.append(first, order[np.array(greedy(pool[order], 1, count - 1, power=_POWER), dtype=int)])
