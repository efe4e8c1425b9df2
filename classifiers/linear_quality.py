"""Logistic regression over hashed word 1- and 2-grams, punctuation included: scikit-learn trains, numpy
scores.

A text is the bag of its n-grams, hashed into buckets with the stable hashes of `characters`, weighted (1 +
ln(count)) × inverse document frequency and the whole scaled to length 1. Stored are the coefficients
(safetensors) and the parameters that make the features (JSON); nothing is pickled.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from classifiers import characters as ch
from classifiers.base import ScorerParams, as_list
from classifiers.calibration import load_calibration, with_probability

WEIGHTS_FILE, FEATURES_FILE = "weights.safetensors", "features.json"
Matrix = Any  # scipy.sparse.csr_matrix, whose stubs know neither its arrays nor its shape
_STEPS = 1000
_LENGTH = 0.06  # standard deviation of the length's feature; a text's other features have length 1 together


class LinearParams(ScorerParams):
    model: Path | None = Field(
        None, description="A folder that `classifier train` wrote; trained in the run if absent."
    )
    max_chars: int = Field(4000, gt=0, description="Characters from the start of a text that are read.")
    bucket_bits: int = Field(18, ge=8, le=24, description="Base-2 logarithm of the number of buckets.")
    word_ngrams: int = Field(2, ge=1, le=5)
    length: bool = Field(
        False, description="Count the length of a text as a feature: for like texts (answers), not for unlike sources."
    )
    inverse_penalty: float = Field(3.0, gt=0, description="C of scikit-learn's logistic regression.")


class LinearScorer:
    """`score` (Float64): P(positive) in [0, 1]; 0.5 for a text without words. `calibrated` (Float64): the probability
    that the model's calibration makes of it, null without one."""

    columns = ("score", "calibrated")

    def __init__(self, params: LinearParams, model_dir: Path | None) -> None:
        """Load the model in `params.model`, or else `model_dir`; the features are those it was trained with.

        Raises ValueError when the folder is missing or holds no such model.
        """
        from safetensors.numpy import load_file

        folder = params.model or model_dir
        if folder is None or not (folder / WEIGHTS_FILE).is_file():
            raise ValueError(f"no trained scikit-learn classifier in {folder}")
        self.params = LinearParams(**json.loads((folder / FEATURES_FILE).read_text(encoding="utf-8")))
        weights = load_file(folder / WEIGHTS_FILE)
        self.rarity = weights["rarity"].astype(np.float64)
        self.coefficients = weights["coefficients"].astype(np.float64)
        self.intercept = float(weights["intercept"][0])
        self.length = weights["length"] if self.params.length else None
        self.calibration = load_calibration(folder)

    def score(self, texts: pl.Series) -> pl.DataFrame:
        features = _unit_rows(_counts(as_list(texts), self.params), self.rarity)
        logits = features @ self.coefficients + self.intercept
        if self.length is not None:
            mean, spread, coefficient = self.length
            logits += (_lengths(texts, self.params) - mean) / spread * coefficient
        scores = np.where(np.diff(features.indptr) > 0, 0.5 * (1 + np.tanh(logits / 2)), 0.5)
        return with_probability(pl.Series("score", scores, dtype=pl.Float64), self.calibration)


def fit_linear(positive: list[str], negative: list[str], out: Path, seed: int, params: LinearParams) -> None:
    """Fit with balanced class weights and write the weights and the features' parameters into `out`.

    Nothing is drawn at random: `seed` is there because other kinds of classifier draw.

    Raises ValueError when the solver does not converge.
    """
    del seed
    from safetensors.numpy import save_file
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression

    counts = _counts([*positive, *negative], params)
    documents = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = (np.log((1 + counts.shape[0]) / (1 + documents)) + 1).astype(np.float32)  # smoothed idf
    labels = np.repeat([1, 0], [len(positive), len(negative)])
    # liblinear's Newton method draws nothing at random and took a third of the time of lbfgs
    model = LogisticRegression(C=params.inverse_penalty, class_weight="balanced", solver="liblinear", max_iter=_STEPS)
    features = _unit_rows(counts, rarity)
    if params.length:
        lengths = _lengths(pl.Series([*positive, *negative], dtype=pl.String), params)
        mean, spread = lengths.mean(), max(lengths.std(), 1e-9) / _LENGTH
        features = csr_matrix(hstack([features, ((lengths - mean) / spread)[:, None]]))
    model.fit(features, labels)
    if model.n_iter_[0] >= _STEPS:
        raise ValueError(f"logistic regression did not converge in {_STEPS} steps; lower `inverse_penalty`")
    weights = {
        "coefficients": model.coef_[0][: len(rarity)].astype(np.float32),
        "intercept": np.atleast_1d(np.asarray(model.intercept_, np.float64)),
        "rarity": rarity,
    }
    if params.length:
        weights["length"] = np.array([mean, spread, model.coef_[0][-1]])
    save_file(weights, out / WEIGHTS_FILE)
    (out / FEATURES_FILE).write_text(params.model_dump_json(indent=2, exclude={"model"}) + "\n", encoding="utf-8")


def _lengths(texts: pl.Series, params: LinearParams) -> NDArray[np.float64]:
    """ln(1 + characters that are read) of each text."""
    return np.log1p(texts.str.slice(0, params.max_chars).str.len_chars().to_numpy().astype(np.float64))


def _counts(texts: list[str], params: LinearParams) -> Matrix:
    """Sparse [texts, 2^bucket_bits]: 1 + ln(how often an n-gram of the bucket occurs)."""
    from scipy.sparse import csr_matrix, vstack

    width = 1 << params.bucket_bits
    parts = [csr_matrix((0, width))]
    for batch in ch.batches([text[: params.max_chars] for text in texts], lower=True):
        words = ch.punctuation_words(batch)
        hashes = ch.span_hashes(ch.prefix(batch), words)
        cells = []
        for n in range(1, params.word_ngrams + 1):
            values, places = ch.word_ngrams(hashes, words.docs, n)
            buckets = (values >> np.uint64(64 - params.bucket_bits)).astype(np.int64)
            cells.append(words.docs[places] * width + buckets)
        cell, count = np.unique(np.concatenate(cells), return_counts=True)
        shape = (len(batch.starts), width)
        parts.append(csr_matrix((1 + np.log(count), (cell // width, cell % width)), shape=shape))
    return csr_matrix(vstack(parts))


def _unit_rows(counts: Matrix, rarity: NDArray[np.floating]) -> Matrix:
    """Weight by rarity and scale each row to length 1; empty rows stay 0."""
    from scipy.sparse import csr_matrix

    weighted = counts.data * rarity[counts.indices]
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    length = np.sqrt(np.bincount(row, weighted**2, counts.shape[0]))
    return csr_matrix((weighted / length[row], counts.indices, counts.indptr), shape=counts.shape)
