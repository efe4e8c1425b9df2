"""How well a score ranks: AUC, precision and recall, and the threshold that keeps a stated fraction."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Scores = NDArray[np.float64]
Flags = NDArray[np.bool_]

RECALLS = (0.1, 0.25, 0.5, 0.75, 0.9)
_RESAMPLES = 1000
_DIGITS = 1e6


class Point(BaseModel):
    """One point of the precision-recall curve: documents that score at least `score`."""

    model_config = ConfigDict(frozen=True)

    recall: float  # share of the positives among them that were found, [0, 1]
    precision: float  # share of positives among those found, [0, 1]
    score: float


class Measures(BaseModel):
    """How well scores tell positives from negatives."""

    model_config = ConfigDict(frozen=True)

    auc: float  # area under the ROC curve; 0.5 is chance
    auc_low: float  # 95 % bootstrap interval, whole groups drawn again
    auc_high: float
    average_precision: float
    positive_share: float  # what average precision and precision are by chance
    precision_recall: list[Point]


def measures(scores: Scores, positive: Flags, groups: NDArray[np.int64], rng: np.random.Generator) -> Measures:
    """Measure scores [n] of documents against their class [n]; `groups` [n] numbers what is resampled as one."""
    low, high = auc_interval(scores, positive, groups, rng)
    return Measures(
        auc=auc(scores, positive),
        auc_low=low,
        auc_high=high,
        average_precision=average_precision(scores, positive),
        positive_share=float(positive.mean()),
        precision_recall=[point_at(scores, positive, recall) for recall in RECALLS],
    )


def auc(scores: Scores, positive: Flags, weights: Scores | None = None) -> float:
    """Area under the ROC curve: P(a positive scores higher than a negative), ties count half.

    By the Mann-Whitney statistic; both classes must be there. `weights` [n]: how often each document counts.
    """
    _, place = np.unique(scores, return_inverse=True)
    return _auc(place, positive, np.ones(len(scores)) if weights is None else weights)


def _auc(place: NDArray[np.int64], positive: Flags, weights: Scores) -> float:
    above = np.bincount(place, weights * positive)
    below = np.bincount(place, weights * ~positive)
    wins = np.cumsum(below) - below / 2
    return float((above * wins).sum() / (above.sum() * below.sum()))


def auc_interval(
    scores: Scores, positive: Flags, groups: NDArray[np.int64], rng: np.random.Generator
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the AUC. Groups (0 to g - 1) are drawn with replacement, whole.

    Documents of one group are alike, so drawing documents would make the interval too narrow. A draw without one of
    the classes is drawn again.
    """
    _, place = np.unique(scores, return_inverse=True)
    count = int(groups.max()) + 1
    draws: list[float] = []
    while len(draws) < _RESAMPLES:
        times = np.bincount(rng.integers(count, size=count), minlength=count)[groups].astype(np.float64)
        if times[positive].any() and times[~positive].any():
            draws.append(_auc(place, positive, times))
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(low), float(high)


def average_precision(scores: Scores, positive: Flags) -> float:
    """Mean precision at the positives, step by step down the ranking (no interpolation); ties are one step."""
    kept, right = _steps(scores, positive)
    gained = np.diff(right, prepend=0) / right[-1]
    return float((gained * right / kept).sum())


def point_at(scores: Scores, positive: Flags, recall: float) -> Point:
    """Return the highest threshold that finds at least this share of the positives."""
    kept, right = _steps(scores, positive)
    step = int(np.searchsorted(right, math.ceil(recall * right[-1])))
    found, total = float(right[step]), float(right[-1])
    value = np.unique(scores)[::-1][step]
    return Point(recall=found / total, precision=found / float(kept[step]), score=float(value))


def _steps(scores: Scores, positive: Flags) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Documents and positives that score at least each distinct score, from the highest down."""
    _, place = np.unique(-scores, return_inverse=True)
    return np.cumsum(np.bincount(place)), np.cumsum(np.bincount(place, positive).astype(np.int64))


def check_keep(keep: float) -> None:
    """Raise ValueError for a fraction to keep that is none."""
    if not 0 < keep <= 1:
        raise ValueError(f"the fraction to keep must be above 0 and at most 1, not {keep:g}")


def keep_threshold(scores: Scores, keep: float) -> float:
    """Return the score that at least the fraction `keep` (0 to 1) of the documents reach, and hardly more.

    Rounded down to six decimals, so that the number that is written is the number that was meant; ties and the
    rounding may keep a few more. Raises ValueError on another fraction or without scores.
    """
    check_keep(keep)
    if not len(scores):
        raise ValueError("a threshold needs at least one document")
    count = max(1, math.ceil(keep * len(scores) - 1e-9))
    value = float(np.partition(scores, len(scores) - count)[len(scores) - count])
    return math.floor(value * _DIGITS) / _DIGITS
