"""How well a text was read by OCR, with no truth to compare it with; English.

Columns; shares are in [0, 1]:

unknown_words   share of words of two letters and more that the English lexicon lacks (1 without words): rises with the
                character error rate, and with names and terms
misread_words   share of the commonest English words ("the", "which") that are misread ("tbe", "wbich"), drawn towards
                0 where there are few: near 0 for clean text of whatever subject
english_words   share of words that are such common words, misread or not: below 0.12 the other two say nothing
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from classifiers.base import ScorerParams, as_list
from classifiers.ocr.edits import DEFAULT, load_edits
from classifiers.ocr.lexicon import load_lexicon
from classifiers.ocr.noise import noise_of_text, unknown_share
from classifiers.ocr.reading import Channel, build_channel

COLUMNS = ("unknown_words", "misread_words", "english_words")


class OCRQualityParams(ScorerParams):
    pass


@lru_cache(maxsize=1)
def _channel() -> Channel:
    return build_channel(load_lexicon(), load_edits(DEFAULT))


class OCRQualityScorer:
    """The columns above, all Float64."""

    columns = COLUMNS

    def __init__(self, params: OCRQualityParams) -> None:
        self.channel = _channel()

    def score(self, texts: pl.Series) -> pl.DataFrame:
        rows = []
        for text in as_list(texts):
            noise, english = noise_of_text(text, self.channel)
            rows.append((unknown_share(text, self.channel.lexicon), noise, english))
        return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.Float64), orient="row")
