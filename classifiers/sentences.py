"""Sentences of a text, counted from its words."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from classifiers.characters import Batch, Positions, Spans, first_of_docs

TERMINAL, PUNCTUATION = 1, 2
"""What a character is, as bits: it ends sentences (Unicode's Sentence_Terminal); it is in a category P*."""


@lru_cache(maxsize=1)
def sentence_marks() -> NDArray[np.uint8]:
    """Return the bits of every code point below 0x20000; there are none above."""
    chars = [chr(code) if not 0xD800 <= code < 0xE000 else "" for code in range(0x20000)]
    terminal = pl.Series(chars).str.contains(r"\p{Sentence_Terminal}").to_numpy()
    punctuation = np.array([char != "" and unicodedata.category(char)[0] == "P" for char in chars])
    return (terminal * TERMINAL + punctuation * PUNCTUATION).astype(np.uint8)


@njit(cache=True)
def _count(codes, marks, starts, ends, first):
    found = np.zeros(len(first) - 1, np.int64)
    for doc in range(len(first) - 1):
        ended = True
        for k in range(first[doc], first[doc + 1]):
            only = PUNCTUATION
            for i in range(starts[k], ends[k]):
                only &= marks[codes[i]] if codes[i] < len(marks) else 0
            code = codes[starts[k]]
            terminal = ends[k] - starts[k] == 1 and code < len(marks) and marks[code] & TERMINAL
            if k == first[doc] or (ended and not only and not terminal):
                found[doc] += 1
                ended = False
            if terminal:
                ended = True
    return found


def count_sentences(batch: Batch, words: Spans) -> Positions:
    """Return the sentences of each document, as spaCy's sentencizer counts them.

    A sentence begins with the first word and with every word after a terminal mark that is no punctuation itself. The
    mark must be a word of its own, so abbreviations end none.
    """
    return _count(batch.codes, sentence_marks(), words.starts, words.ends, first_of_docs(batch, words))
