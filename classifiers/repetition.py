"""Repetition inside a document: the measures of Gopher (Rae et al. 2021, arXiv:2112.11446, table A1).

Counting follows datatrove's `GopherRepetitionFilter`, so that its published limits mean the same here, with
two departures: empty pieces are never duplicates (a text between two newlines would repeat its empty ends),
and shares are cut at 1 (overlapping occurrences of a top n-gram can cover more characters than there are).

All documents of a batch are counted at once. An n-gram that repeats contains an (n-1)-gram that repeats at
the same place, so each n looks only at the places that the last one left: most text is out after 4-grams.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classifiers.characters import Batch, Hashes, Positions, Prefix, Spans, extend_ngrams, mix, span_hashes

TOP = (2, 3, 4)
DUPLICATED = (5, 6, 7, 8, 9, 10)

Floats = NDArray[np.float64]


def share(part: NDArray, whole: NDArray) -> Floats:
    """Return part / whole, cut at 1; 0 where the whole is empty."""
    return np.minimum(part / np.maximum(whole, 1), 1.0)


def duplicate_pieces(batch: Batch, sums: Prefix, pieces: Spans) -> tuple[Floats, Floats]:
    """Share of pieces (lines, paragraphs) that occurred before in their document, and of the characters in
    them.

    The first occurrence is no duplicate. Denominators: all pieces, empty ones included; all characters.
    """
    size = len(batch.starts)
    lengths = pieces.lengths()
    full = np.flatnonzero(lengths > 0)
    keys = _salted(span_hashes(sums, pieces)[full], pieces.docs[full])
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    docs, extra = pieces.docs[full][first], counts - 1
    repeated = np.bincount(docs, extra, size)
    characters = np.bincount(docs, extra * lengths[full][first], size)
    return share(repeated, np.bincount(pieces.docs, minlength=size)), share(characters, batch.lengths())


def repeated_ngrams(batch: Batch, words: Spans, hashes: Hashes) -> dict[str, Floats]:
    """Shares of characters in repeated word n-grams, by column name.

    `top_2gram` … `top_4gram`: length (with a space between words) times count of the most frequent n-gram, of
    the first of them when several are equally frequent. `duplicate_5gram` … `duplicate_10gram`: letters of
    the n-grams that stood earlier in the document, reading left to right and leaping over each one found.
    Denominator: all characters of the document. `hashes` are those of `words`.
    """
    size, chars = len(batch.starts), batch.lengths()
    letters = np.concatenate(([0], np.cumsum(words.lengths())))
    salted = _salted(hashes, words.docs)
    last = np.searchsorted(words.docs, words.docs, side="right")  # end of the words of the same document
    places = np.arange(len(hashes))
    grams = salted
    columns = {}
    for n in range(2, max(DUPLICATED) + 1):
        inside = places + n <= last[places]
        places = places[inside]
        grams = extend_ngrams(grams[inside], salted[places + n - 1])
        if n == 2:  # the first n-gram of a document is its top one as long as none repeats
            first_word = np.searchsorted(words.docs, np.arange(size))
            total = np.bincount(words.docs, minlength=size)
        group, counts = _groups(grams)
        repeats = counts[group] > 1
        places, grams, group = places[repeats], grams[repeats], group[repeats]
        if n in TOP:
            top = np.zeros(size)
            some = total >= n
            start = first_word[some]
            top[some] = letters[start + n] - letters[start] + n - 1
            _raise_to_top(top, words.docs, places, letters[places + n] - letters[places] + n - 1, group, counts)
            columns[f"top_{n}gram"] = share(top, chars)
        elif n in DUPLICATED:
            found = _leap(places, group, n)
            covered = np.bincount(words.docs[found], letters[found + n] - letters[found], size)
            columns[f"duplicate_{n}gram"] = share(covered, chars)
    return columns


def _salted(hashes: Hashes, docs: Positions) -> Hashes:
    """Make equal text of different documents differ."""
    return mix(hashes + mix(docs.astype(np.uint64) + np.uint64(1)))


def _groups(grams: Hashes) -> tuple[Positions, Positions]:
    """Number the distinct values: the group of each position, the size of each group."""
    order = np.argsort(grams)
    ordered = grams[order]
    new = np.concatenate(([False], ordered[1:] != ordered[:-1])) if len(grams) else np.zeros(0, bool)
    number = np.cumsum(new)
    group = np.empty(len(grams), np.int64)
    group[order] = number
    return group, np.bincount(number)


def _raise_to_top(
    top: Floats, docs: Positions, places: Positions, lengths: Positions, group: Positions, counts: Positions
) -> None:
    """Write length × count of the most frequent repeated n-gram of each document into `top`."""
    # places ascend, so the first index of a group is its first occurrence
    _, first = np.unique(group, return_index=True)
    doc, count = docs[places[first]], counts[group[first]]
    order = np.lexsort((places[first], -count, doc))
    doc, best = doc[order], order[np.flatnonzero(np.diff(doc[order], prepend=-1))]
    top[docs[places[first[best]]]] = lengths[first[best]] * count[best]


def _leap(places: Positions, group: Positions, n: int) -> Positions:
    """Places of the n-grams found when reading left to right, leaping n words after each one found.

    A plain loop, because each step depends on the last; it visits repeated places only.
    """
    seen: set[int] = set()
    found: list[int] = []
    free = 0
    for place, number in zip(places.tolist(), group.tolist(), strict=True):
        if place < free:
            continue
        if number in seen:
            found.append(place)
            free = place + n
        else:
            seen.add(number)
    return np.array(found, np.int64)
