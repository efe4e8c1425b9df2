"""Gopher-style signals (Rae et al. 2021, arXiv:2112.11446, section A1.1) and signs of OCR noise, as
attributes.

The splitter decides the outcome of limits on words, so it is a parameter. `whitespace`: as `str.split()`.
`punctuation`: punctuation stands alone, near to the spaCy words that datatrove counts.

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

from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from classifiers import characters as ch
from classifiers.base import ScorerParams, as_list
from classifiers.repetition import DUPLICATED, TOP, duplicate_pieces, repeated_ngrams, share

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
_SPELLING = np.array([ord(c) for c in "'’‑-–—./&@_:"], np.uint32)  # symbols that stand between letters in clean text
_ELLIPSIS = 0x2026

COLUMNS = (
    *("words", "mean_word_length", "hashes", "ellipses", "bullet_lines", "ellipsis_lines"),
    *("alphabetic_words", "stop_words"),
    *("duplicate_lines", "duplicate_line_chars", "duplicate_paragraphs", "duplicate_paragraph_chars"),
    *(f"top_{n}gram" for n in TOP),
    *(f"duplicate_{n}gram" for n in DUPLICATED),
    *("alphanumeric", "digits", "non_ascii", "symbols", "single_characters", "noisy_words"),
)


class GopherParams(ScorerParams):
    words: Literal["whitespace", "punctuation"] = "whitespace"
    stop_words: tuple[str, ...] = STOP_WORDS


class GopherScorer:
    """The signals above; counts are UInt32, all else Float64."""

    columns = COLUMNS

    def __init__(self, params: GopherParams) -> None:
        self.split = ch.whitespace_words if params.words == "whitespace" else ch.punctuation_words
        self.stop_words = [ch.hash_word(word) for word in dict.fromkeys(params.stop_words)]

    def score(self, texts: pl.Series) -> pl.DataFrame:
        schema = {name: pl.UInt32 if name in ("words", "stop_words") else pl.Float64 for name in COLUMNS}
        parts = [_score(batch, self.split(batch), self.stop_words) for batch in ch.batches(as_list(texts))]
        columns = {name: np.concatenate([part[name] for part in parts] or [np.zeros(0)]) for name in COLUMNS}
        return pl.DataFrame(columns).cast(schema)  # type: ignore[arg-type]


def _score(batch: ch.Batch, words: ch.Spans, stop_words: list[np.uint64]) -> dict[str, NDArray]:
    sums = ch.prefix(batch)
    hashes = ch.span_hashes(sums, words)
    lines, lines_chars = duplicate_pieces(batch, sums, ch.newline_pieces(batch))
    paragraphs, paragraphs_chars = duplicate_pieces(batch, sums, _paragraphs(batch))
    return {
        **_word_signals(batch, words),
        **_line_signals(batch),
        "stop_words": _stop_words(len(batch.starts), words, hashes, stop_words),
        "duplicate_lines": lines,
        "duplicate_line_chars": lines_chars,
        "duplicate_paragraphs": paragraphs,
        "duplicate_paragraph_chars": paragraphs_chars,
        **repeated_ngrams(batch, words, hashes),
        **_character_signals(batch),
    }


def _word_signals(batch: ch.Batch, words: ch.Spans) -> dict[str, NDArray]:
    size, lengths = len(batch.starts), words.lengths()
    # the characters between two words are spaces, whose bits do no harm
    kinds = np.bitwise_or.reduceat(batch.kinds, words.starts) if len(words.starts) else np.zeros(0, np.uint8)
    real = (kinds & (ch.LETTER | ch.DIGIT)) > 0

    def count(chosen: NDArray[np.bool_]) -> NDArray:
        return np.bincount(words.docs[chosen], minlength=size)

    every, counted = np.bincount(words.docs, minlength=size), count(real)
    noisy = np.unique(np.searchsorted(words.starts, _noise(batch), side="right") - 1)
    return {
        "words": counted,
        "mean_word_length": np.bincount(words.docs[real], lengths[real], size) / np.maximum(counted, 1),
        "hashes": ch.count_per_doc(batch, np.flatnonzero(batch.codes == ord("#"))) / np.maximum(every, 1),
        "ellipses": ch.count_per_doc(batch, _ellipses(batch)) / np.maximum(every, 1),
        "alphabetic_words": share(count((kinds & ch.LETTER) > 0), every),
        "single_characters": share(count((lengths == 1) & real), every),
        "noisy_words": share(np.bincount(words.docs[noisy], minlength=size), every),
    }


def _ellipses(batch: ch.Batch) -> ch.Positions:
    """Positions of "…" and of each three points in a row, as `str.count` counts them."""
    points = ch.runs(batch, batch.codes == ord("."))
    threes = np.repeat(points.starts, points.lengths() // 3)
    return np.sort(np.concatenate((threes, np.flatnonzero(batch.codes == _ELLIPSIS))))


def _noise(batch: ch.Batch) -> ch.Positions:
    """Positions of characters that mark a word as misread, see `noisy_words` above. None is a space."""
    kinds, codes = batch.kinds, batch.codes
    before, after = np.roll(kinds, 1), np.roll(kinds, -1)
    letter = (kinds & ch.LETTER) > 0
    beside_digit = letter & (((before | after) & ch.DIGIT) > 0)
    capital_inside = ((kinds & ch.UPPER) > 0) & ((before & ch.LOWER) > 0)
    same = codes[1:] == codes[:-1]
    four = np.zeros_like(same)
    four[2:] = same[2:] & same[1:-1] & same[:-2]
    four_equal = np.concatenate(([False], four)) & letter
    odd = ((kinds & ch.SYMBOL) > 0) & ((before & after & ch.LETTER) > 0)
    odd_places = np.flatnonzero(odd)
    odd[odd_places[np.isin(codes[odd_places], _SPELLING)]] = False
    return np.flatnonzero(beside_digit | capital_inside | four_equal | odd)


def _line_signals(batch: ch.Batch) -> dict[str, NDArray]:
    lines, codes = ch.split_lines(batch), batch.codes
    size = len(batch.starts)
    solid = np.flatnonzero((batch.kinds & ch.SPACE) == 0)
    solid = np.concatenate((solid, [len(codes)]))  # what a search past the last one finds
    first = solid[np.searchsorted(solid, lines.starts)]
    last = solid[np.searchsorted(solid, lines.ends) - 1]
    some = first < lines.ends
    lines_of, first, last, start = lines.docs[some], first[some], last[some], lines.starts[some]
    bullet = (codes[first] == ord("-")) | (codes[first] == ord("•"))
    point = codes == ord(".")
    dots = (last - 2 >= start) & point[last] & point[last - 1] & point[last - 2]
    dots |= codes[last] == _ELLIPSIS
    every = np.bincount(lines.docs, minlength=size)
    return {
        "bullet_lines": share(np.bincount(lines_of[bullet], minlength=size), every),
        "ellipsis_lines": share(np.bincount(lines_of[dots], minlength=size), every),
    }


def _paragraphs(batch: ch.Batch) -> ch.Spans:
    """Pieces between blank lines of the stripped text."""
    return ch.newline_pieces(ch.stripped(batch), least=2)


def _stop_words(size: int, words: ch.Spans, hashes: ch.Hashes, stop_words: list[np.uint64]) -> NDArray:
    found = np.zeros(size, np.int64)
    for word in stop_words:
        found[np.unique(words.docs[hashes == word])] += 1
    return found


def _character_signals(batch: ch.Batch) -> dict[str, NDArray]:
    lengths = batch.lengths()

    def part(chosen: NDArray[np.bool_]) -> NDArray:
        total = np.concatenate(([0], np.cumsum(chosen)))
        return share(total[batch.ends] - total[batch.starts], lengths)

    return {
        "alphanumeric": part((batch.kinds & (ch.LETTER | ch.DIGIT)) > 0),
        "digits": part((batch.kinds & ch.DIGIT) > 0),
        "non_ascii": part(batch.codes > 127),
        "symbols": part((batch.kinds & ch.SYMBOL) > 0),
    }
