"""Predictions of runs that a fit did not see."""

from collections.abc import Callable, Sequence

import numpy as np

from pipeline.mixture.laws.base import Law

# Leave-one-mix-out up to this many mixes.
LEAVE_ONE_OUT = 48
# Above, K folds: ten while mixes are few enough for a tenth of them to matter, then five, which cost half as much.
_MANY = 256


def folds_of(groups: np.ndarray, seed: int, count: int | None = None) -> list[np.ndarray]:
    """Row indices held out together; all runs of one mix are in the same fold, because one would betray the other.

    groups: (n,) labels of mixes. `count` None takes as many folds as suit the number of mixes.
    """
    labels = np.unique(groups)
    if count is None:
        count = len(labels) if len(labels) <= LEAVE_ONE_OUT else 10 if len(labels) <= _MANY else 5
    order = np.random.default_rng(seed).permutation(labels)
    return [np.flatnonzero(np.isin(groups, order[i::count])) for i in range(min(count, len(labels)))]


def out_of_fold(
    law: Callable[[], Law], weights: np.ndarray, y: np.ndarray, blocks: np.ndarray, folds: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Mean (n,), seed block included, and SD (n,) of one measurement, of each run by a fit without its fold."""
    mean, std = np.empty(len(y)), np.empty(len(y))
    for held in folds:
        seen = np.setdiff1d(np.arange(len(y)), held)
        fitted = law().fit(weights[seen], y[seen], blocks[seen])
        mean[held], std[held] = fitted.predict(weights[held], blocks[held], return_std=True)
    return mean, std
