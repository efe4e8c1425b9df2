"""Counts that heuristics are made of, by document: compiled loops over characters, words and lines (numba)."""

from __future__ import annotations

import numpy as np
from numba import njit

from classifiers.characters import BREAK, DIGIT, LETTER, LOWER, SPACE, SYMBOL, UPPER

_POINT, _ELLIPSIS = 0x2E, 0x2026
_SPELLING = np.array([ord(c) for c in "'’‑-–—./&@_:"], np.uint32)  # symbols that stand between letters in clean text


@njit(cache=True)
def character_counts(codes, kinds, starts, ends):
    """Return [documents, 6]: alphanumeric, digits, not ASCII, symbols, "#", ellipses ("…", or three points)."""
    counts = np.zeros((len(starts), 6), np.int64)
    for doc in range(len(starts)):
        points = 0
        alphanumeric = digits = other = symbols = hashes = ellipses = 0
        for i in range(starts[doc], ends[doc]):
            code, kind = codes[i], kinds[i]
            alphanumeric += kind & (LETTER | DIGIT) > 0
            digits += kind & DIGIT > 0
            other += code > 127
            symbols += kind & SYMBOL > 0
            hashes += code == 35
            points = points + 1 if code == _POINT else 0
            ellipses += code == _ELLIPSIS or (points > 0 and points % 3 == 0)
        counts[doc] = alphanumeric, digits, other, symbols, hashes, ellipses
    return counts


@njit(cache=True)
def _is_noise(codes, kinds, start, end):
    """Tell whether a word bears a mark of misreading (`noisy_words` in `heuristics`)."""
    for i in range(start, end):
        kind = kinds[i]
        before = kinds[i - 1] if i > 0 else 0
        after = kinds[i + 1] if i + 1 < len(kinds) else 0
        if kind & LETTER:
            if (before | after) & DIGIT or (kind & UPPER and before & LOWER):
                return True
            if i > 2 and codes[i] == codes[i - 1] == codes[i - 2] == codes[i - 3]:
                return True
        elif kind & SYMBOL and before & after & LETTER:
            spelt = False
            for code in _SPELLING:
                spelt |= code == codes[i]
            if not spelt:
                return True
    return False


@njit(cache=True)
def word_counts(codes, kinds, starts, ends, first):
    """Return [documents, 5]: words that are not punctuation only, their characters, words with a letter, words of one
    character (no punctuation), words with a mark of misreading. `first`: [documents + 1] first words."""
    counts = np.zeros((len(first) - 1, 5), np.int64)
    for doc in range(len(first) - 1):
        for k in range(first[doc], first[doc + 1]):
            kind = 0
            for i in range(starts[k], ends[k]):
                kind |= kinds[i]
            length = ends[k] - starts[k]
            if kind & (LETTER | DIGIT):
                counts[doc, 0] += 1
                counts[doc, 1] += length
                counts[doc, 3] += length == 1
            counts[doc, 2] += kind & LETTER > 0
            counts[doc, 4] += _is_noise(codes, kinds, starts[k], ends[k])
    return counts


@njit(cache=True)
def distinct_found(hashes, first, wanted):
    """Return [documents] how many of the wanted hashes occur among each document's."""
    found = np.zeros((len(first) - 1, len(wanted)), np.bool_)
    for doc in range(len(first) - 1):
        for k in range(first[doc], first[doc + 1]):
            for n in range(len(wanted)):
                if hashes[k] == wanted[n]:
                    found[doc, n] = True
    return found.sum(axis=1)


@njit(cache=True)
def line_counts(codes, kinds, starts, ends):
    """Return [documents, 3]: lines as `str.splitlines` gives them, those that begin with a bullet ("•", "-") after
    spaces, those that end in an ellipsis before spaces."""
    counts = np.zeros((len(starts), 3), np.int64)
    for doc in range(len(starts)):
        i, end = starts[doc], ends[doc]
        while i < end:
            first, last, start = -1, -1, i
            while i < end and not kinds[i] & BREAK:
                if not kinds[i] & SPACE:
                    last = i
                    if first < 0:
                        first = i
                i += 1
            counts[doc, 0] += 1
            if first >= 0:
                counts[doc, 1] += codes[first] == 45 or codes[first] == 0x2022
                points = last - 2 >= start and codes[last] == codes[last - 1] == codes[last - 2] == _POINT
                counts[doc, 2] += points or codes[last] == _ELLIPSIS
            i += 2 if i + 1 < end and codes[i] == 13 and codes[i + 1] == 10 else 1
    return counts
