"""Calibration: from a score that ranks to a probability that means what it says.

Platt scaling (Platt 1999, "Probabilistic outputs for support vector machines"): P(positive) = sigmoid(slope ×
log-odds of the score + intercept), fitted on documents that the classifier was not fitted on, with his smoothed
targets. Chosen over isotonic regression because it keeps the ranking: isotonic steps tie documents, and a threshold
can then not keep a tenth of them. Departure: the input is the log-odds of the score, and a slope below 0 is taken as 0.

The probability holds where positives are as frequent as in the documents it was fitted on.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from classifiers.ranking import Flags, Scores

CALIBRATION_FILE = "calibration.json"
BINS = 10
_LEAST = 1e-12  # a score of 0 or 1 is taken for one this far from it
_STEPS = 100
_RIDGE = 1e-9


class Calibration(BaseModel):
    """The two numbers of Platt scaling."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slope: float
    intercept: float

    def probability(self, scores: Scores) -> Scores:
        """Turn scores in [0, 1] into P(positive), in the same order."""
        return _sigmoid(self.slope * log_odds(scores) + self.intercept)


class Bin(BaseModel):
    """One row of a reliability table: documents of neighbouring probabilities."""

    model_config = ConfigDict(frozen=True)

    low: float  # least and greatest probability in it
    high: float
    documents: int
    predicted: float  # mean probability
    positive: float  # share that are positive


def log_odds(scores: Scores) -> Scores:
    return np.log(np.maximum(scores, _LEAST)) - np.log(np.maximum(1 - scores, _LEAST))


def _sigmoid(values: Scores) -> Scores:
    return 0.5 * (1 + np.tanh(values / 2))


def fit_calibration(scores: Scores, positive: Flags) -> Calibration:
    """Fit Platt scaling to scores [n] in [0, 1] of documents of a known class [n], n >= 1.

    Newton's method, each step halved until the loss falls.
    """
    count = int(positive.sum())
    targets = np.where(positive, (count + 1) / (count + 2), 1 / (len(positive) - count + 2))
    inputs = np.stack([log_odds(scores), np.ones(len(scores))], axis=1)
    values = np.array([0.0, float(np.log(targets.mean() / (1 - targets.mean())))])
    loss = _loss(inputs @ values, targets)
    for _ in range(_STEPS):
        chance = _sigmoid(inputs @ values)
        curvature = (inputs * (chance * (1 - chance))[:, None]).T @ inputs + _RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, inputs.T @ (chance - targets))
        while (after := _loss(inputs @ (values - step), targets)) > loss and np.abs(step).max() > 1e-12:
            step /= 2
        if after > loss or np.abs(step).max() <= 1e-12:
            break
        values, loss = values - step, after
    if values[0] < 0:  # ranks worse than chance: the score says nothing
        mean = targets.mean()
        return Calibration(slope=0.0, intercept=float(np.log(mean / (1 - mean))))
    return Calibration(slope=float(values[0]), intercept=float(values[1]))


def _loss(logits: Scores, targets: Scores) -> float:
    return float((np.logaddexp(0, logits) - targets * logits).sum())


def cross_calibrated(scores: Scores, positive: Flags, parts: NDArray[np.int64]) -> Scores:
    """Return each document's probability from a calibration that was fitted on the other parts (0 to p - 1) only."""
    found = np.empty(len(scores))
    for part in np.unique(parts):
        own = parts == part
        found[own] = fit_calibration(scores[~own], positive[~own]).probability(scores[own])
    return found


def reliability(probabilities: Scores, positive: Flags) -> list[Bin]:
    """Return up to 10 bins of equally many documents, from the least probable up; equal probabilities share a bin."""
    order = np.argsort(probabilities, kind="stable")
    edges = np.unique(np.searchsorted(probabilities[order], probabilities[order][_cuts(len(order))]))
    return [
        Bin(
            low=float(probabilities[rows[0]]),
            high=float(probabilities[rows[-1]]),
            documents=len(rows),
            predicted=float(probabilities[rows].mean()),
            positive=float(positive[rows].mean()),
        )
        for rows in np.split(order, edges)
        if len(rows)
    ]


def _cuts(count: int) -> NDArray[np.int64]:
    return np.arange(1, BINS) * count // BINS


def calibration_error(bins: list[Bin]) -> float:
    """Expected calibration error: mean distance of predicted and found share over the bins, weighted by documents."""
    total = sum(each.documents for each in bins)
    return sum(each.documents * abs(each.predicted - each.positive) for each in bins) / total


def save_calibration(calibration: Calibration, folder: Path) -> None:
    (folder / CALIBRATION_FILE).write_text(calibration.model_dump_json(indent=1) + "\n", encoding="utf-8")


def load_calibration(folder: Path) -> Calibration | None:
    """Return the calibration of a trained model; None where there is none."""
    file = folder / CALIBRATION_FILE
    return Calibration.model_validate_json(file.read_text(encoding="utf-8")) if file.is_file() else None


def with_probability(scores: pl.Series, calibration: Calibration | None) -> pl.DataFrame:
    """Return `score` and `calibrated`, the probability it stands for; null where there is no calibration."""
    if calibration is None:
        return pl.DataFrame({"score": scores, "calibrated": pl.Series([None] * len(scores), dtype=pl.Float64)})
    return pl.DataFrame({"score": scores, "calibrated": calibration.probability(scores.to_numpy())})
