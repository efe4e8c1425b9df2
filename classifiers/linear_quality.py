"""Logistic regression over hashed word 1- and 2-grams, punctuation included: scikit-learn trains, numpy scores.

A text is the bag of its n-grams, hashed into buckets with the stable hashes of `characters`, each weighted 1 + ln(count)
and the whole scaled to length 1. Stored are the coefficients (safetensors) and the parameters that make the features
(JSON); nothing is pickled.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from pydantic import Field

from classifiers import characters as ch
from classifiers.base import ScorerParams, as_list

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

WEIGHTS_FILE, FEATURES_FILE = "weights.safetensors", "features.json"


class LinearParams(ScorerParams):
    max_chars: int = Field(4000, gt=0, description="Characters from the start of a text that are read.")
    bucket_bits: int = Field(18, ge=8, le=24, description="Base-2 logarithm of the number of buckets.")
    word_ngrams: int = Field(2, ge=1, le=5)
    inverse_penalty: float = Field(10.0, gt=0, description="C of scikit-learn's logistic regression.")


class LinearScorer:
    """`score` (Float64): P(positive) in [0, 1]."""

    columns = ("score",)

    def __init__(self, params: LinearParams, model_dir: Path | None) -> None:
        """Load the model trained into `model_dir`; the features are those it was trained with.

        Raises ValueError when the folder is missing or holds no such model.
        """
        from safetensors.numpy import load_file

        if model_dir is None or not (model_dir / WEIGHTS_FILE).is_file():
            raise ValueError(f"no trained scikit-learn classifier in {model_dir}")
        self.params = LinearParams(**json.loads((model_dir / FEATURES_FILE).read_text(encoding="utf-8")))
        weights = load_file(model_dir / WEIGHTS_FILE)
        self.coefficients, self.intercept = weights["coefficients"].astype(np.float64), float(weights["intercept"][0])

    def score(self, texts: pl.Series) -> pl.DataFrame:
        logits = _features(as_list(texts), self.params) @ self.coefficients + self.intercept
        return pl.DataFrame({"score": 0.5 * (1 + np.tanh(logits / 2))}, schema={"score": pl.Float64})


def fit_linear(positive: list[str], negative: list[str], out: Path, params: LinearParams) -> None:
    """Fit with balanced class weights and write the weights and the features' parameters into `out`.

    Raises ValueError when the solver does not converge.
    """
    from safetensors.numpy import save_file
    from sklearn.linear_model import LogisticRegression

    features = _features([*positive, *negative], params)
    labels = np.repeat([1, 0], [len(positive), len(negative)])
    model = LogisticRegression(C=params.inverse_penalty, class_weight="balanced", max_iter=1000)
    model.fit(features, labels)
    if model.n_iter_[0] >= 1000:
        raise ValueError("logistic regression did not converge in 1,000 steps; lower `inverse_penalty`")
    weights = {"coefficients": model.coef_[0].astype(np.float32), "intercept": model.intercept_.astype(np.float64)}
    save_file(weights, out / WEIGHTS_FILE)
    (out / FEATURES_FILE).write_text(params.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _features(texts: list[str], params: LinearParams) -> csr_matrix:
    """Sparse rows [texts, 2^bucket_bits] of length 1, or 0 for a text without words."""
    from scipy.sparse import csr_matrix, vstack

    width = 1 << params.bucket_bits
    parts = [csr_matrix((0, width))]
    for batch in ch.batches([text[: params.max_chars] for text in texts], lower=True):
        words = ch.punctuation_words(batch)
        hashes = ch.span_hashes(ch.prefix(batch), words)
        buckets, docs = [], []
        for n in range(1, params.word_ngrams + 1):
            values, places = ch.word_ngrams(hashes, words.docs, n)
            buckets.append(values >> np.uint64(64 - params.bucket_bits))
            docs.append(words.docs[places])
        cells = np.concatenate(docs) * width + np.concatenate(buckets).astype(np.int64)
        cell, count = np.unique(cells, return_counts=True)
        row, column = cell // width, cell % width
        value = 1 + np.log(count)
        length = np.sqrt(np.bincount(row, value**2, len(batch.starts)))
        parts.append(csr_matrix((value / length[row], (row, column)), shape=(len(batch.starts), width)))
    return csr_matrix(vstack(parts))
