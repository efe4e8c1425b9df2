"""How likely letters are to make a word: letter trigrams over the words of a lexicon, each once."""

from __future__ import annotations

import numpy as np
from numba import njit

from classifiers.ocr.search import LETTERS, Trie, letter_of


class Spelling:
    """How likely letters are to make a word at all: letter trigrams over the words of a lexicon, each once."""

    def __init__(self, trie: Trie) -> None:
        size = len(LETTERS) + 2  # an end of the word, and a sign that is no letter
        counts = np.full((size, size, size), 0.05)
        for word in trie.words:
            _count(counts, np.frombuffer(word.encode("ascii"), np.uint8))
        self.log = np.log(counts / counts.sum(axis=2, keepdims=True)).astype(np.float32)

    def log_probability(self, word: str) -> float:
        """log P (nats) of a folded word, given that it is one the lexicon lacks."""
        return float(_spell(self.log, np.frombuffer(word.encode("utf-32-le"), np.uint32)))


@njit(cache=True)
def _count(counts, codes):
    a = b = 28
    for code in codes:
        c = letter_of(code)
        counts[a, b, c] += 1
        a, b = b, c
    counts[a, b, 28] += 1


@njit(cache=True)
def _spell(log, codes):
    a = b = 28
    total = np.float32(0.0)
    for code in codes:
        c = letter_of(code)
        if c < 0:
            c = 29
        total += log[a, b, c]
        a, b = b, c
    return total + log[a, b, 28]
