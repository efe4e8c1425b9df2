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
from pydantic import Field

from classifiers.base import ScorerParams, as_list
from classifiers.calibration import load_calibration, with_probability
from classifiers.fasttext_file import load_fasttext
from classifiers.fasttext_labels import reading_of, score_of
from classifiers.language import one_line

MODEL_FILE, FEATURES_FILE = "model.bin", "features.json"
_SEEN, _FEWEST, _MOST = 40_000, 5, 100
POSITIVE, NEGATIVE = "__label__positive", "__label__negative"


class FastTextParams(ScorerParams):
    model: Path | None = Field(
        None, description="A folder that `classifier train` wrote, or any fastText model; trained in the run if absent."
    )
    label: str | None = Field(None, description="Label of a model from elsewhere whose probability is the score.")
    max_chars: int = Field(4000, gt=0, description="Characters from the start of a text that are read.")
    dim: int = Field(16, ge=1, le=300)
    epochs: int | None = Field(
        None,
        ge=1,
        description="If absent as many as show it 40,000 texts, 5 to 100: few texts need more passes.",
    )
    learning_rate: float = Field(0.2, gt=0)
    word_ngrams: int = Field(2, ge=1, le=5)
    buckets: int = Field(65_536, ge=1, description="Slots that word n-grams are hashed into.")
    max_words: int = Field(50_000, ge=1, description="Most frequent words that get a vector of their own.")
    length: bool = Field(
        False, description="Count the length of a text as a feature: for like texts (answers), not for unlike sources."
    )


class FastTextScorer:
    """`score` (Float64): P(positive) in [0, 1], 0.5 for a text without words; or, where a model from elsewhere has
    numbers for labels, the expected number, the lowest for a text without words. `calibrated` (Float64): the
    probability that the model's calibration makes of it, null without one."""

    columns = ("score", "calibrated")

    def __init__(self, params: FastTextParams, model_dir: Path | None) -> None:
        """Load `params.model`, or else the model trained into `model_dir`.

        A model trained here sees text as it was trained to, whatever the other parameters say; one from elsewhere sees
        plain text without newlines. Raises ValueError when there is no model or it lacks the label.
        """
        if params.model is None and model_dir is None:
            raise ValueError("a fastText quality scorer needs a trained model's folder, or `model`")
        path = params.model or Path(model_dir or "")
        self.trained = params.model is None or path.is_dir()
        self.params = params
        if self.trained:
            features = path / FEATURES_FILE
            if not features.is_file() or params.label is not None:
                wrong = "takes no `label`" if features.is_file() else f"has no {FEATURES_FILE}"
                raise ValueError(f"{path}: a folder of a trained fastText classifier {wrong}")
            self.params = FastTextParams.model_validate_json(features.read_text(encoding="utf-8"))
        self.model = load_fasttext(path / MODEL_FILE if self.trained else path)
        self.reading = reading_of(self.model.get_labels(), params.label, path)  # type: ignore[arg-type]
        self.calibration = load_calibration(path) if self.trained else None

    def score(self, texts: pl.Series) -> pl.DataFrame:
        as_list(texts)
        lines = (_lines(texts, self.params) if self.trained else one_line(texts, self.params.max_chars)).to_list()
        labels, values = self.model.predict(lines, k=-1) if lines else ([], [])
        scores = [
            score_of(self.reading, *row) if line.strip(" \0") else self.reading.nothing
            for line, *row in zip(lines, labels, values, strict=True)
        ]
        return with_probability(pl.Series("score", scores, dtype=pl.Float64), self.calibration)


def fit_fasttext(positive: list[str], negative: list[str], out: Path, seed: int, params: FastTextParams) -> None:
    """Train on shuffled, balanced classes and write `model.bin` and the features' parameters into `out`."""
    import fasttext

    larger = max(len(positive), len(negative))
    lines: list[str] = []
    least = 1
    for label, texts in ((POSITIVE, positive), (NEGATIVE, negative)):
        words = _lines(pl.Series(texts, dtype=pl.String), params).to_list()
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
            epoch=params.epochs or min(_MOST, max(_FEWEST, round(_SEEN / len(lines)))),
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
    (out / FEATURES_FILE).write_text(
        params.model_dump_json(indent=2, exclude={"model", "label"}) + "\n", encoding="utf-8"
    )


_WORDS_A_MARK = 8
"""Of so many words one is a mark of the length: a single one would be lost in the mean over all words."""


def _lines(texts: pl.Series, params: FastTextParams) -> pl.Series:
    """Return each text as the line that fastText sees: its words, then marks of its length in half octaves if asked.

    fastText takes the mean of its words' vectors, so it cannot tell a long text from a short one by itself.
    """
    words = _words(texts, params.max_chars)
    if not params.length:
        return words
    line = pl.col("line")
    length = (line.str.len_chars() + 1).log(2) * 2
    # symbols stand alone in a line, so no text has such a word
    mark = pl.lit("length_") + length.cast(pl.Int64).cast(pl.String)
    marks = mark.repeat_by(line.str.count_matches(" ") // _WORDS_A_MARK + 1).list.join(" ")
    marked = pl.when(line == "").then(line).otherwise(line + " " + marks)
    return pl.DataFrame({"line": words}).select(marked)["line"]


def _words(texts: pl.Series, max_chars: int) -> pl.Series:
    """Fold case and set every symbol apart, which also unmakes fastText's own marks (`</s>`, `__label__`)."""
    return (
        texts.str.slice(0, max_chars)
        .str.to_lowercase()
        .str.replace_all(r"([^\p{L}\p{M}\p{N}\s])", " $1 ")
        .str.replace_all(r"[\s\x00]+", " ")
        .str.strip_chars()
    )
