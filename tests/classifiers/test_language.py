"""Language identification on real sentences, and on what fastText cannot read."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from classifiers.language import LanguageParams, LanguageScorer

SENTENCES = {
    "en": "All human beings are born free and equal in dignity and rights.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
    "ru": "Все люди рождаются свободными и равными в своем достоинстве и правах.",
    "zh": "人人生而自由，在尊严和权利上一律平等。",
}


def test_languages() -> None:
    frame = LanguageScorer(LanguageParams()).score(pl.Series(SENTENCES.values()))
    assert frame["label"].to_list() == list(SENTENCES)
    assert frame["probability"].is_between(0.6, 1).all()


def test_only_the_start_is_read() -> None:
    text = SENTENCES["en"] + "\n" + SENTENCES["de"] * 50
    assert LanguageScorer(LanguageParams(max_chars=60)).score(pl.Series([text]))["label"][0] == "en"
    assert LanguageScorer(LanguageParams()).score(pl.Series([text]))["label"][0] == "de"


def test_marks_of_fasttext_are_only_text() -> None:
    """`</s>` ends a line and `__label__` hides a word in fastText; a document can contain both."""
    scorer = LanguageScorer(LanguageParams())
    texts = [f"</s>\n\0{SENTENCES['fr']}", SENTENCES["fr"].replace(" ", " __label__")]
    assert scorer.score(pl.Series(texts))["label"].to_list() == ["fr", "fr"]


def test_no_letters_no_language() -> None:
    frame = LanguageScorer(LanguageParams()).score(pl.Series(["", "12 + 3 = 15", "\0\n"]))
    assert frame["label"].to_list() == ["und"] * 3
    assert frame["probability"].to_list() == [0.0] * 3


def test_wrong_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_text("no model")
    for path in (tmp_path / "model.bin", tmp_path / "absent.bin"):
        with pytest.raises(ValueError):
            LanguageScorer(LanguageParams(model=path))
