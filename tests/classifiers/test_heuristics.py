"""Signals must follow their definitions exactly and survive any text."""

from __future__ import annotations

import time

import polars as pl
import pytest
from classifier_texts import odd_texts
from gopher_reference import signals
from hypothesis import given
from hypothesis import strategies as st

from classifiers.characters import read_batch
from classifiers.heuristics import COLUMNS, GopherParams, GopherScorer
from classifiers.words import english_words

SCORER = GopherScorer(GopherParams())
NOT_SHARES = {"words", "mean_word_length", "hashes", "ellipses", "stop_words"}


def check(texts: list[str]) -> None:
    rows = SCORER.score(pl.Series(texts, dtype=pl.String)).to_dicts()
    for text, row in zip(texts, rows, strict=True):
        assert {name: row[name] for name in signals(text)} == pytest.approx(signals(text), abs=1e-12)


@given(st.lists(odd_texts, max_size=6))
def test_definitions_on_odd_texts(texts: list[str]) -> None:
    check(texts)


def test_definitions_on_real_texts(prose: list[str], code: list[str]) -> None:
    check(prose[:40] + code[:15])


@given(st.lists(odd_texts, max_size=4))
def test_definitions_over_words_of_the_other_splitter(texts: list[str]) -> None:
    rows = GopherScorer(GopherParams(words="punctuation")).score(pl.Series(texts, dtype=pl.String)).to_dicts()
    for text, row in zip(texts, rows, strict=True):
        spans = english_words(read_batch([text]))
        words = [text[start:end] for start, end in zip(spans.starts, spans.ends, strict=True)]
        expected = signals(text, words)
        assert {name: row[name] for name in expected} == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.lists(st.sampled_from("ab"), max_size=80).map(" ".join), max_size=4))
def test_repetition_on_repetitive_texts(texts: list[str]) -> None:
    """Two words only, so that n-grams repeat and overlap in every possible way."""
    check(texts)


@given(st.lists(odd_texts, max_size=4), st.sampled_from(["whitespace", "punctuation"]))
def test_shares_are_shares(texts: list[str], words: str) -> None:
    frame = GopherScorer(GopherParams(words=words)).score(pl.Series(texts, dtype=pl.String))  # type: ignore[arg-type]
    assert frame.columns == list(COLUMNS)
    assert len(frame) == len(texts)
    for column in frame:
        assert column.null_count() == 0
        assert (column >= 0).all()
        assert column.name in NOT_SHARES or (column <= 1).all()


def test_extreme_texts() -> None:
    """A megabyte of one word, of no space, of NUL bytes: quick, and right."""
    started = time.process_time()
    texts = ["word " * 200_000, "x" * 1_000_000, "\0" * 1_000_000, ""]
    frame = SCORER.score(pl.Series(texts))
    assert frame["words"].to_list() == [200_000, 1, 0, 0]
    assert frame["duplicate_10gram"][0] == pytest.approx(0.8, abs=1e-3)
    assert frame["top_2gram"][0] == 1
    assert frame["mean_word_length"].to_list() == [4, 1_000_000, 0, 0]
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("clean words, well-known and don't e.g. and/or", 0),
        ("tbe qu1ck br0wn fox", 0.5),
        ("the quIck fo^x", 2 / 3),
        ("the wwwwhite fox", 1 / 3),
        ("...... ------", 0),
    ],
)
def test_noisy_words(text: str, share: float) -> None:
    assert SCORER.score(pl.Series([text]))["noisy_words"][0] == pytest.approx(share)


def test_splitters_differ_where_punctuation_counts() -> None:
    texts = pl.Series(['"Yes", he said - no (never).'])
    words = GopherScorer(GopherParams(words="punctuation")).score(texts)
    assert words["words"][0] == SCORER.score(texts)["words"][0] == 5
    assert words["alphabetic_words"][0] < SCORER.score(texts)["alphabetic_words"][0]


def test_stop_words_are_a_parameter() -> None:
    scorer = GopherScorer(GopherParams(stop_words=("le", "la", "le")))
    assert scorer.score(pl.Series(["le chat et la souris le", "the cat"]))["stop_words"].to_list() == [2, 0]
