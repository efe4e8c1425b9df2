"""Gopher-style signals (Rae et al. 2021, arXiv:2112.11446, section A1.1) and signs of OCR noise, as
attributes.

The splitter decides the outcome of limits on words, so it is a parameter. `whitespace`: as `str.split()`.
`punctuation`: punctuation and contractions are words of their own, as in the spaCy words that datatrove counts (see
`words`).

Columns; shares are in [0, 1], and 0 for a text that lacks the denominator:

words               words that are not punctuation only (Gopher keeps 50 to 100,000)
mean_word_length    characters of these, mean (3 to 10)
hashes, ellipses    "#" and "..." or "…" per word, punctuation included (each at most 0.1); may exceed 1
bullet_lines        share of lines that begin with "•" or "-" (at most 0.9)
ellipsis_lines      share of lines that end in "..." or "…" (at most 0.3)
alphabetic_words    share of words with a letter (at least 0.8)
stop_words          how many of the stop words occur, case counts (at least 2)
duplicate_lines, duplicate_line_chars, duplicate_paragraphs, duplicate_paragraph_chars,
top_2gram to top_4gram, duplicate_5gram to duplicate_10gram
                    repetition, see `repetition`
alphanumeric, digits, non_ascii, symbols
                    shares of characters; a symbol is neither alphanumeric nor a space
single_characters   share of words of one character (OCR breaks words up)
noisy_words         share of words with a mark of misreading: a letter beside a digit, a capital after a small
                    letter, four equal letters, or a symbol between letters that spelling does not put there.
                    These are the rules of Taghva et al. 2001 and of Kulp and Kontostathis 2007 that need no
                    lexicon. Identifiers of code count too: use it on prose.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from classifiers import characters as ch
from classifiers.base import ScorerParams, as_list
from classifiers.repetition import (
    DUPLICATED,
    TOP,
    duplicate_pieces,
    hash_spans,
    repeated_ngrams,
    share,
)
from classifiers.signals import character_counts, distinct_found, line_counts, word_counts
from classifiers.words import SPLITTERS, Splitter

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")

COLUMNS = (
    *("words", "mean_word_length", "hashes", "ellipses", "bullet_lines", "ellipsis_lines"),
    *("alphabetic_words", "stop_words"),
    *("duplicate_lines", "duplicate_line_chars", "duplicate_paragraphs", "duplicate_paragraph_chars"),
    *(f"top_{n}gram" for n in TOP),
    *(f"duplicate_{n}gram" for n in DUPLICATED),
    *("alphanumeric", "digits", "non_ascii", "symbols", "single_characters", "noisy_words"),
)
_SCHEMA = {name: pl.UInt32 if name in ("words", "stop_words") else pl.Float64 for name in COLUMNS}


class GopherParams(ScorerParams):
    words: Splitter = "whitespace"
    stop_words: tuple[str, ...] = STOP_WORDS


class GopherScorer:
    """The signals above; counts are UInt32, all else Float64."""

    columns = COLUMNS

    def __init__(self, params: GopherParams) -> None:
        self.split = SPLITTERS[params.words]
        texts = ch.read_batch(list(dict.fromkeys(params.stop_words)))
        self.stop_words = hash_spans(texts.codes, texts.starts, texts.ends)

    def score(self, texts: pl.Series) -> pl.DataFrame:
        parts = [self.score_given(batch, self.split(batch)) for batch in ch.batches(as_list(texts))]
        return pl.concat(parts) if parts else pl.DataFrame(schema=_SCHEMA)

    def score_given(self, batch: ch.Batch, words: ch.Spans) -> pl.DataFrame:
        """Return one row per document of a batch, whose words are given."""
        return pl.DataFrame(score_words(batch, words, self.stop_words)).select(COLUMNS).cast(_SCHEMA)  # type: ignore[arg-type]


def score_words(batch: ch.Batch, words: ch.Spans, stop_words: ch.Hashes) -> dict[str, NDArray]:
    """Return the columns for documents whose words are given; `stop_words`: their `hash_spans`."""
    codes, kinds, chars = batch.codes, batch.kinds, batch.lengths()
    hashes = hash_spans(codes, words.starts, words.ends)
    first = ch.first_of_docs(batch, words)
    every = np.diff(first)
    real, real_chars, alphabetic, single, noisy = word_counts(codes, kinds, words.starts, words.ends, first).T
    of_chars = character_counts(codes, kinds, batch.starts, batch.ends)
    alphanumeric, digits, non_ascii, symbols, number_signs, ellipses = of_chars.T
    lines, bullets, trailing = line_counts(codes, kinds, batch.starts, batch.ends).T
    duplicate_lines, duplicate_line_chars = duplicate_pieces(batch, ch.newline_pieces(batch))
    duplicate_paragraphs, duplicate_paragraph_chars = duplicate_pieces(batch, _paragraphs(batch))
    return {
        "words": real,
        "mean_word_length": real_chars / np.maximum(real, 1),
        "hashes": number_signs / np.maximum(every, 1),
        "ellipses": ellipses / np.maximum(every, 1),
        "bullet_lines": share(bullets, lines),
        "ellipsis_lines": share(trailing, lines),
        "alphabetic_words": share(alphabetic, every),
        "stop_words": distinct_found(hashes, first, stop_words),
        "duplicate_lines": duplicate_lines,
        "duplicate_line_chars": duplicate_line_chars,
        "duplicate_paragraphs": duplicate_paragraphs,
        "duplicate_paragraph_chars": duplicate_paragraph_chars,
        **repeated_ngrams(batch, words, hashes),
        "alphanumeric": share(alphanumeric, chars),
        "digits": share(digits, chars),
        "non_ascii": share(non_ascii, chars),
        "symbols": share(symbols, chars),
        "single_characters": share(single, every),
        "noisy_words": share(noisy, every),
    }


def _paragraphs(batch: ch.Batch) -> ch.Spans:
    """Pieces between blank lines of the stripped text."""
    return ch.newline_pieces(ch.stripped(batch), least=2)
