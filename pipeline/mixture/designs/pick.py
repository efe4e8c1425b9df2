"""Choosing from mixes that are given: which of a published pool to train."""

import numpy as np

from pipeline.mixture.designs.spread import greedy


def pick(pool: np.ndarray, count: int, seed: int, taken: np.ndarray | None = None) -> np.ndarray:
    """Row indices (count,) into `pool` (n, d), in the order chosen; `taken` (k, d) are mixes that have run already.

    The criterion is that of `spread`: each row is the one of which a Gaussian process on w^(1/4) that has seen the
    others is least sure. Without `taken` the first row is drawn from `seed`. ValueError where `count` is not between 0
    and n or the columns differ.
    """
    n = len(pool)
    if not 0 <= count <= n:
        raise ValueError(f"{count} mixes cannot be picked from a pool of {n}")
    if taken is not None and taken.shape[1:] != pool.shape[1:]:
        raise ValueError(f"the pool has {pool.shape[1]} domains, the mixes taken {taken.shape[1]}")
    if count == 0:
        return np.zeros(0, dtype=int)
    if taken is not None and len(taken):
        return np.array(greedy(np.vstack([taken, pool]), len(taken), count)) - len(taken)
    first = int(np.random.default_rng(seed).integers(n))
    # The first row stands before the pool as one that is taken, and once more in it, where it is not to be picked.
    others = np.delete(np.arange(n), first)
    return np.append(first, others[np.array(greedy(pool[np.append(first, others)], 1, count - 1), dtype=int) - 1])
