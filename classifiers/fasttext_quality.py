"""fastText quality classifiers (Joulin et al. 2016, arXiv:1607.01759): bags of hashed word n-grams, one
linear layer.

Trained here with one thread and a seed, which makes the model's bytes reproducible (two threads do not), and
small: 16 dimensions, 65,536 buckets and at most 50,000 words make 7 MB at most. The classes are balanced by
repeating documents of the smaller one, because fastText knows no class weights.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, model_validator

from classifiers.base import ScorerParams, as_list
from classifiers.language import one_line

MODEL_FILE = "model.bin"
_LEAST_SEEN = 8_000
POSITIVE, NEGATIVE = "__label__positive", "__label__negative"


class FastTextParams(ScorerParams):
    model: Path | None = Field(
        None, description="A fastText model from elsewhere; one is trained in the run if absent."
    )
    label: str | None = Field(None, description="Label of that model whose probability is the score.")
    max_chars: int = Field(4000, gt=0, description="Characters from the start of a text that are read.")
    dim: int = Field(16, ge=1, le=300)
    epochs: int | None = Field(
        None,
        ge=1,
        description="10 if absent, or more until 8,000 texts were seen: few texts need more passes.",
    )
    learning_rate: float = Field(0.1, gt=0)
    word_ngrams: int = Field(2, ge=1, le=5)
    buckets: int = Field(65_536, ge=1, description="Slots that word n-grams are hashed into.")
    max_words: int = Field(50_000, ge=1, description="Most frequent words that get a vector of their own.")

    @model_validator(mode="after")
    def _label_with_model(self) -> FastTextParams:
        if (self.model is None) != (self.label is None):
            raise ValueError("`model` and `label` belong together: give both or neither")
        return self


class FastTextScorer:
    """`score` (Float64): P(positive) in [0, 1]; 0.5 for a text without words."""

    columns = ("score",)

    def __init__(self, params: FastTextParams, model_dir: Path | None) -> None:
        """Load `params.model`, or else the model trained into `model_dir`.

        A model trained here sees text as `_words` cuts it, one from elsewhere plain text without newlines.
        Raises ValueError when there is no model or it lacks the label.
        """
        import fasttext

        if params.model is None and model_dir is None:
            raise ValueError("a fastText quality scorer needs a trained model's folder, or `model` and `label`")
        path = params.model or Path(model_dir or "") / MODEL_FILE
        self.params = params
        self.label = POSITIVE if params.label is None else params.label
        self.model = fasttext.load_model(str(path))
        labels: list[str] = list(self.model.get_labels())  # type: ignore[arg-type]
        if self.label not in labels:
            self.label = f"__label__{self.label}"
        if self.label not in labels:
            raise ValueError(f"{path} has no label {params.label!r}; it has {', '.join(labels[:20])}")

    def score(self, texts: pl.Series) -> pl.DataFrame:
        as_list(texts)
        prepare = _words if self.params.model is None else one_line
        lines = prepare(texts, self.params.max_chars).to_list()
        labels, values = self.model.predict(lines, k=-1) if lines else ([], [])
        scores = [
            _probability(self.label, *row) if line.strip(" \0") else 0.5
            for line, *row in zip(lines, labels, values, strict=True)
        ]
        return pl.DataFrame({"score": scores}, schema={"score": pl.Float64})


def _probability(label: str, labels: list[str], values: NDArray[np.float32]) -> float:
    """Probability of one label. fastText leaves out labels of probability 0 and adds 1e-5 to the others."""
    return min(float(values[labels.index(label)]), 1.0) if label in labels else 0.0


def fit_fasttext(positive: list[str], negative: list[str], out: Path, seed: int, params: FastTextParams) -> None:
    """Train on shuffled, balanced classes and write `model.bin` into `out`."""
    import fasttext

    larger = max(len(positive), len(negative))
    lines: list[str] = []
    least = 1
    for label, texts in ((POSITIVE, positive), (NEGATIVE, negative)):
        words = _words(pl.Series(texts, dtype=pl.String), params.max_chars).to_list()
        lines += [f"{label} {words[i % len(words)]}" for i in range(larger)]
    counts = pl.Series(lines).str.split(" ").explode().value_counts()["count"]
    if len(counts) > params.max_words:
        # fastText keeps words of a least count only; the one that leaves at most `max_words`
        least = int(counts.top_k(params.max_words + 1).min()) + 1  # type: ignore[arg-type]
    order = np.random.default_rng(seed).permutation(len(lines))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.txt"
        file.write_text("".join(f"{lines[i]}\n" for i in order), encoding="utf-8")
        model = fasttext.train_supervised(
            input=str(file),
            lr=params.learning_rate,
            dim=params.dim,
            epoch=params.epochs or max(10, _LEAST_SEEN // len(lines)),
            wordNgrams=params.word_ngrams,
            bucket=params.buckets,
            minCount=least,
            thread=1,
            seed=seed,
            verbose=0,
        )
    if not np.isfinite(model.get_output_matrix()).all():
        raise ValueError("fastText diverged: its weights are not finite; lower `learning_rate`")
    model.save_model(str(out / MODEL_FILE))


def _words(texts: pl.Series, max_chars: int) -> pl.Series:
    """Fold case and set every symbol apart, which also unmakes fastText's own marks (`</s>`, `__label__`)."""
    return (
        texts.str.slice(0, max_chars)
        .str.to_lowercase()
        .str.replace_all(r"([^\p{L}\p{M}\p{N}\s])", " $1 ")
        .str.replace_all(r"[\s\x00]+", " ")
        .str.strip_chars()
    )
