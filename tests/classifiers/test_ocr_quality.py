"""Reference-free OCR quality: it must follow the true error rate, and not mind what a text is about."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from scipy.stats import spearmanr

from classifiers.ocr_quality import OCRQualityParams, OCRQualityScorer
from classifiers.registry import SCORERS

SAMPLES = Path(__file__).parents[2] / "samples"
SCORER = OCRQualityScorer(OCRQualityParams())


def test_it_follows_the_true_error_rate_of_read_pages() -> None:
    pages = pl.read_parquet(SAMPLES / "ocr.parquet", columns=["text", "cer"])[::3]
    scores = SCORER.score(pages["text"])
    assert spearmanr(scores["misread_words"], pages["cer"]).statistic > 0.6
    assert spearmanr(scores["unknown_words"], pages["cer"]).statistic > 0.6


def test_clean_text_is_not_misread_however_many_names_and_terms_it_has() -> None:
    papers = pl.read_parquet(SAMPLES / "papers.parquet", columns=["text"])["text"][:5]
    assert SCORER.score(papers)["misread_words"].max() < 0.01  # type: ignore[operator]
    assert SCORER.score(pl.Series(["le chat est dans la maison avec les autres"]))["english_words"][0] == 0.0


def test_columns_and_texts_without_words() -> None:
    frame = SCORER.score(pl.Series(["", "1234 5678"]))
    assert tuple(frame.columns) == SCORERS["ocr_quality"].columns
    assert frame["unknown_words"].to_list() == [1.0, 1.0]
    assert frame["english_words"].to_list() == [0.0, 0.0]
    with pytest.raises(ValueError, match="are null"):
        SCORER.score(pl.Series([None], dtype=pl.String))
