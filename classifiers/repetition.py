"""Repetition inside a document: the measures of Gopher (Rae et al. 2021, arXiv:2112.11446, table A1).

Counting follows datatrove's `GopherRepetitionFilter`, so that its published limits mean the same here, with
two departures: empty pieces are never duplicates (a text between two newlines would repeat its empty ends),
and shares are cut at 1 (overlapping occurrences of a top n-gram can cover more characters than there are).

Equal text is found by 64-bit hashes in a table of the document's own size, which stays in the cache. An n-gram that
repeats begins with an (n-1)-gram that repeats, so each n looks only at the places that the last one left: most text is
out after 4-grams. The loops are compiled (numba).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from classifiers.characters import Batch, Hashes, Positions, Spans, first_of_docs

TOP = (2, 3, 4)
DUPLICATED = (5, 6, 7, 8, 9, 10)
LAST = DUPLICATED[-1]

Floats = NDArray[np.float64]


def share(part: NDArray, whole: NDArray) -> Floats:
    """Return part / whole, cut at 1; 0 where the whole is empty."""
    return np.minimum(part / np.maximum(whole, 1), 1.0)


@njit(cache=True)
def _mixed(value):
    """Spread the bits of a 64-bit value (finaliser of SplitMix64, Steele et al. 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(cache=True)
def hash_spans(codes, starts, ends):
    """Return a 64-bit hash of the text of each span; equal for equal text wherever it stands."""
    hashes = np.empty(len(starts), np.uint64)
    for k in range(len(starts)):
        value = np.uint64(0x9E3779B97F4A7C15)
        for i in range(starts[k], ends[k]):
            value = (value ^ np.uint64(codes[i])) * np.uint64(0x100000001B3)
        hashes[k] = _mixed(value)
    return hashes


@njit(cache=True)
def _slot(keys, stamps, stamp, key, mask):
    """Return the slot of a key in an open table: its own, or the free one that it may take (another stamp)."""
    slot = key & mask
    while stamps[slot] == stamp and keys[slot] != key:
        slot = (slot + np.uint64(1)) & mask
    return slot


@njit(cache=True)
def _mask(entries):
    """Return the size of a table that `entries` leave at least half empty, less one; a power of two, less one."""
    size = 4
    while size < 2 * entries:
        size *= 2
    return np.uint64(size - 1)


@njit(cache=True)
def _most(first):
    most = 0
    for doc in range(len(first) - 1):
        most = max(most, first[doc + 1] - first[doc])
    return most


@njit(cache=True)
def _duplicates(hashes, lengths, first):
    """Count pieces that occurred before in their document, and their characters: [documents] each."""
    docs = len(first) - 1
    size = int(_mask(_most(first))) + 1
    keys, stamps = np.empty(size, np.uint64), np.full(size, -1, np.int64)
    repeated, characters = np.zeros(docs, np.int64), np.zeros(docs, np.int64)
    for doc in range(docs):
        mask = _mask(first[doc + 1] - first[doc])
        for k in range(first[doc], first[doc + 1]):
            if lengths[k] == 0:
                continue
            slot = _slot(keys, stamps, doc, hashes[k], mask)
            if stamps[slot] == doc:
                repeated[doc] += 1
                characters[doc] += lengths[k]
            else:
                keys[slot], stamps[slot] = hashes[k], doc
    return repeated, characters


@njit(cache=True)
def _repeated(hashes, letters, first):
    """Return characters in repeated n-grams: [documents, n], columns 2 to 4 as `top`, 5 to 10 as `duplicate`.

    hashes: of words; letters: [words + 1] characters in the words before each; first: [documents + 1] first words.
    """
    docs, most = len(first) - 1, _most(first)
    size = int(_mask(most)) + 1
    keys, stamps = np.empty(size, np.uint64), np.full(size, -1, np.int64)
    counts, firsts, seen = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.bool_)
    places, slots, grams = np.empty(most, np.int64), np.empty(most, np.uint64), np.empty(most, np.uint64)
    result = np.zeros((docs, LAST + 1), np.int64)
    stamp = 0
    for doc in range(docs):
        begin, end = first[doc], first[doc + 1]
        active = end - begin
        for k in range(active):
            places[k], grams[k] = begin + k, hashes[begin + k]
        for n in range(2, LAST + 1):
            while active and places[active - 1] + n > end:
                active -= 1
            if n < 5 and end - begin >= n:  # the first n-gram is the top one as long as none repeats
                result[doc, n] = letters[begin + n] - letters[begin] + n - 1
            stamp += 1
            mask = _mask(active)
            for k in range(active):
                key = _mixed(grams[k] * np.uint64(0x9E3779B97F4A7C15) + hashes[places[k] + n - 1])
                slot = _slot(keys, stamps, stamp, key, mask)
                if stamps[slot] != stamp:
                    keys[slot], stamps[slot], counts[slot], firsts[slot] = key, stamp, 0, places[k]
                    seen[slot] = False
                counts[slot] += 1
                grams[k], slots[k] = key, slot
            if n < 5:
                best = 1
                for k in range(active):
                    slot, place = slots[k], places[k]
                    if counts[slot] > best and firsts[slot] == place:
                        best = counts[slot]
                        result[doc, n] = (letters[place + n] - letters[place] + n - 1) * best
            else:
                free = begin
                for k in range(active):
                    slot, place = slots[k], places[k]
                    if place < free:
                        continue
                    if seen[slot]:
                        result[doc, n] += letters[place + n] - letters[place]
                        free = place + n
                    seen[slot] = True
            kept = 0
            for k in range(active):
                if counts[slots[k]] > 1:
                    places[kept], grams[kept] = places[k], grams[k]
                    kept += 1
            active = kept
    return result


def count_duplicates(batch: Batch, pieces: Spans) -> tuple[Positions, Positions]:
    """Return, by document, how many pieces occurred before in it and the characters in them; empty ones never do."""
    hashes = hash_spans(batch.codes, pieces.starts, pieces.ends)
    return _duplicates(hashes, pieces.lengths(), first_of_docs(batch, pieces))


def duplicate_pieces(batch: Batch, pieces: Spans) -> tuple[Floats, Floats]:
    """Share of pieces (lines, paragraphs) that occurred before in their document, and of the characters in
    them.

    The first occurrence is no duplicate. Denominators: all pieces, empty ones included; all characters.
    """
    repeated, characters = count_duplicates(batch, pieces)
    return share(repeated, np.bincount(pieces.docs, minlength=len(batch.starts))), share(characters, batch.lengths())


def repeated_ngrams(batch: Batch, words: Spans, hashes: Hashes) -> dict[str, Floats]:
    """Shares of characters in repeated word n-grams, by column name.

    `top_2gram` … `top_4gram`: length (with a space between words) times count of the most frequent n-gram, of
    the first of them when several are equally frequent. `duplicate_5gram` … `duplicate_10gram`: letters of
    the n-grams that stood earlier in the document, reading left to right and leaping over each one found.
    Denominator: all characters of the document. `hashes` are those of `words`.
    """
    letters = np.concatenate(([0], np.cumsum(words.lengths())))
    found, chars = _repeated(hashes, letters, first_of_docs(batch, words)), batch.lengths()
    names = {n: f"top_{n}gram" if n in TOP else f"duplicate_{n}gram" for n in (*TOP, *DUPLICATED)}
    return {name: share(found[:, n], chars) for n, name in names.items()}
