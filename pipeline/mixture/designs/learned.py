"""Choosing more mixes from a pool by what those trained so far have taught about each task."""

import numpy as np

from pipeline.mixture.laws.gaussian_process import GaussianProcess


def pick_next(
    pool: np.ndarray, count: int, weights: np.ndarray, values: np.ndarray, blocks: np.ndarray | None = None
) -> np.ndarray:
    """Row indices (count,) into `pool` (n, d) of the mixes to train next, in the order chosen.

    weights (k, d), values (k, t), blocks (k,): the mixes measured so far, k >= 5, with all t tasks and their seed
    blocks (default: all one). `pool` holds the mixes that are left; none is chosen twice.

    Each task gets the Gaussian process that its measurements ask for, which knows by its length scales what domains
    matter to the task. The mix chosen is the one whose measurement tells most about all tasks' surfaces,

        argmax_w  sum_t log(1 + v_t(w) / s_t^2),

    v_t the variance of task t's mean at w given all mixes measured and chosen before, s_t its noise: greedy
    maximisation of the information gain (Shewry & Wynn 1987; Srinivas et al. 2010), summed over tasks. v_t depends on
    no value at the mixes chosen, so that a whole round is chosen at once. The length scales need something to go by:
    two thirds of all mixes from `pick`, and the rest in a few rounds.
    ValueError where `count` is not between 0 and n, the columns differ or k < 5.
    """
    n = len(pool)
    if not 0 <= count <= n:
        raise ValueError(f"{count} mixes cannot be picked from a pool of {n}")
    if weights.shape[1] != pool.shape[1]:
        raise ValueError(f"the pool has {pool.shape[1]} domains, the mixes measured {weights.shape[1]}")
    if count == 0:
        return np.zeros(0, dtype=int)
    fits = [GaussianProcess().fit(weights, y, blocks) for y in values.T]
    # In units of each task's noise. Only the columns of what is chosen are ever made: a pool may hold 100,000 mixes.
    variances = np.stack([fit.predict(pool, return_std=True)[1] ** 2 / fit.noise() ** 2 - 1.0 for fit in fits])
    columns = np.zeros((len(fits), count, n))
    free, picked = np.ones(n, dtype=bool), []
    for step in range(count):
        gain = np.log1p(np.maximum(variances, 0.0)).sum(axis=0)
        row = int(np.argmax(np.where(free, gain, -1.0)))
        picked.append(row)
        free[row] = False
        for fit, column, variance in zip(fits, columns, variances, strict=True):
            seen = fit.covariance_with(pool[[row]], pool)[0] / fit.noise() ** 2 - column[:step, row] @ column[:step]
            column[step] = seen / np.sqrt(1.0 + max(seen[row], 0.0))
            variance -= column[step] ** 2
    return np.array(picked, dtype=int)
