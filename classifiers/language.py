"""Language identification with fastText's lid.176 (Joulin et al. 2016, arXiv:1607.01759), 176 languages."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from pydantic import Field

from classifiers.base import ScorerParams, as_list
from classifiers.fasttext_file import load_fasttext

MODEL = Path(__file__).parent / "models" / "lid.176.ftz"
UNDETERMINED = "und"  # ISO 639-2 code for text without language
_LABEL = "__label__"


class LanguageParams(ScorerParams):
    model: Path | None = Field(None, description="Another fastText language model; the packaged lid.176.ftz if absent.")
    max_chars: int = Field(2000, gt=0, description="Characters from the start of a text that are read.")


def one_line(texts: pl.Series, max_chars: int) -> pl.Series:
    """Return the first `max_chars` characters of each text as fastText can read them.

    Newlines raise, and fastText stops reading at its end mark `</s>` and skips words with its label mark: all
    three become a space.
    """
    return texts.str.slice(0, max_chars).str.replace_all(r"\s+|</s>|__label__", " ")


class LanguageScorer:
    """`label` (String): ISO 639 code of the most likely language; `probability` (Float64), in [0, 1].

    A text without letters is "und" (undetermined) with probability 0.
    """

    columns = ("label", "probability")

    def __init__(self, params: LanguageParams) -> None:
        """Load the model. Raises ValueError when the file is missing, cut off or not a fastText model."""
        self.params = params
        self.model = load_fasttext(params.model or MODEL)

    def score(self, texts: pl.Series) -> pl.DataFrame:
        as_list(texts)
        lines = one_line(texts, self.params.max_chars)
        # always a list: `predict` of one string fails under numpy 2 in other builds of fastText
        labels, values = self.model.predict(lines.to_list(), k=1) if len(lines) else ([], [])
        found = lines.str.contains(r"\p{L}").to_list()
        languages = [row[0].removeprefix(_LABEL) if ok else UNDETERMINED for row, ok in zip(labels, found, strict=True)]
        # fastText adds 1e-5 to probabilities
        probabilities = [min(float(row[0]), 1.0) if ok else 0.0 for row, ok in zip(values, found, strict=True)]
        return pl.DataFrame(
            {"label": languages, "probability": probabilities},
            schema={"label": pl.String, "probability": pl.Float64},
        )
