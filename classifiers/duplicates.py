"""Exact and near duplicates: a signature per document, and who repeats whom.

Exact: equal text after folding case and collapsing whitespace (64-bit BLAKE2b). Near: MinHash (Broder 1997)
over shingles of 5 plain words (letters and digits, case folded; shorter texts are one shingle), 128
permutations, of each minimum 16 bits kept (b-bit MinHash, Li and König 2010; two different minima agree by
chance once in 65,536). They are stored as 32 unsigned integers of 64 bits, each of which is at once 4 minima
and the key of one band for lookup: two documents with Jaccard similarity s share a band with probability 1 -
(1 - s^4)^32, which is 1 - 5e-8 at 0.8 and 0.87 at 0.5. What shares a band is then judged by the share of the
128 minima that agree: standard error 0.035 at 0.8. Signatures never change between runs or machines, so they
may be stored and compared later.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np
import polars as pl
from numpy.typing import NDArray

from classifiers import characters as ch
from classifiers.base import ScorerParams, as_list

SHINGLE = 5
BANDS, ROWS = 32, 4
PERMUTATIONS = BANDS * ROWS
THRESHOLD = 0.8
_PAIRS = 1 << 15  # candidate pairs compared at once (25 MB)


def exact_hash(text: str) -> int:
    """Return the 64-bit hash of a text without regard to case and amount of whitespace."""
    normal = " ".join(text.lower().split())
    return int.from_bytes(blake2b(normal.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


class DuplicatesParams(ScorerParams):
    """None: signatures are compared across runs, so all are made alike."""


class DuplicatesScorer:
    """`exact` (UInt64): hash of the normalised text. `minhash` (List(UInt64), 32 long): see above.

    A text without any plain word has an empty `minhash`: it has exact duplicates only.
    """

    columns = ("exact", "minhash")

    def __init__(self, params: DuplicatesParams) -> None:
        multiplier, offset = (
            ch.mix(np.arange(1, 2 * PERMUTATIONS + 1, dtype=np.uint64)).astype(np.uint32).reshape(2, -1)
        )
        self.multiplier, self.offset = (
            multiplier | np.uint32(1),
            offset,
        )  # odd: a permutation of 32-bit values

    def score(self, texts: pl.Series) -> pl.DataFrame:
        documents = as_list(texts)
        exact = [exact_hash(text) for text in documents]
        rows: list[list[int]] = []
        for batch in ch.batches(documents, lower=True):
            rows.extend(self._minhash(batch))
        return pl.DataFrame(
            {"exact": exact, "minhash": rows}, schema={"exact": pl.UInt64, "minhash": pl.List(pl.UInt64)}
        )

    def _minhash(self, batch: ch.Batch) -> list[list[int]]:
        words = ch.plain_words(batch)
        hashes = ch.span_hashes(ch.prefix(batch), words)
        full, docs = _shingles(hashes, words.docs)
        values = full.astype(np.uint32)
        minima = np.zeros((len(batch.starts), PERMUTATIONS), np.uint64)
        present, firsts = np.unique(docs, return_index=True)
        if len(present):
            for index in range(PERMUTATIONS):
                permuted = values * self.multiplier[index] + self.offset[index]
                minima[present, index] = np.minimum.reduceat(permuted, firsts)
        # the low bits of a minimum are fair, but mixing also parts equal values of different permutations
        lanes = ch.mix(minima + (np.arange(PERMUTATIONS, dtype=np.uint64) << np.uint64(32))).astype("<u2")
        bands = lanes.view("<u8").tolist()
        has_words = np.isin(np.arange(len(bands)), present)
        return [row if ok else [] for row, ok in zip(bands, has_words, strict=True)]


def _shingles(hashes: ch.Hashes, docs: ch.Positions) -> tuple[ch.Hashes, ch.Positions]:
    """Return the hashes of all 5-word shingles and their documents, ascending.

    A document of 1 to 4 words has one shingle, of all of them.
    """
    grams, firsts = ch.word_ngrams(hashes, docs, SHINGLE)
    size = np.bincount(docs)
    first = np.flatnonzero(np.diff(docs, prepend=-1))  # first word of each document that has words
    pieces, of = [grams], [docs[firsts]]
    for n in range(1, SHINGLE):
        short = first[size[docs[first]] == n]
        total = hashes[short]
        for step in range(1, n):
            total = ch.extend_ngrams(total, hashes[short + step])
        pieces.append(ch.mix(total ^ np.uint64(n)))
        of.append(docs[short])
    values, of_doc = np.concatenate(pieces), np.concatenate(of)
    order = np.argsort(of_doc, kind="stable")
    return values[order], of_doc[order]


def find_duplicates(new: pl.DataFrame, seen: pl.DataFrame | None = None, threshold: float = THRESHOLD) -> pl.Series:
    """Return for each new document the `id` of the earliest earlier document that it duplicates, or null.

    Frames have the columns `id`, `exact` and `minhash` (as `DuplicatesScorer` gives them). Order decides who
    keeps the copy: all of `seen` comes before `new`, and rows count in order. Documents found to be
    duplicates, here or before, stay references for later ones, so `seen` must hold them too. Two documents
    are duplicates when `exact` agrees or the estimated Jaccard similarity is at least `threshold`, in (0, 1].
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must be in (0, 1], not {threshold}")
    parts = [frame.select("id", "exact", "minhash") for frame in ([new] if seen is None else [seen, new])]
    every = pl.concat(parts)
    offset = len(every) - len(new)
    earliest = _first_equal(every["exact"].to_numpy())
    some = np.flatnonzero((every["minhash"].list.len() > 0).to_numpy())
    if len(some):
        bands = every["minhash"].gather(some).explode().to_numpy().reshape(len(some), BANDS)
        np.minimum.at(earliest, some, some[_first_similar(bands, int(np.searchsorted(some, offset)), threshold)])
    found = np.where(earliest < np.arange(len(every)), earliest, -1)[offset:]
    index = pl.Series(found).replace(-1, None)
    return every["id"].gather(index).alias("duplicate_of")


def _first_equal(values: NDArray) -> ch.Positions:
    """Index of the first row with the same value, for each row."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return first[inverse.reshape(-1)].astype(np.int64)


def _first_similar(bands: NDArray[np.uint64], offset: int, threshold: float) -> ch.Positions:
    """Index of the earliest row similar to each row (itself if none); rows before `offset` are not judged.

    Equal rows are judged once, by their first: a text repeated a million times costs no million pairs.
    """
    rows = np.ascontiguousarray(bands).view(np.dtype((np.void, BANDS * 8))).reshape(-1)
    first_same = _first_equal(rows)
    heads = np.unique(first_same)  # ascending: order of documents
    distinct = bands[heads]
    # a head is judged when some row that it stands for is new
    judged = np.zeros(len(heads), bool)
    judged[np.searchsorted(heads, first_same[offset:])] = True
    lanes = distinct.view("<u2")
    earliest = np.arange(len(heads))
    for band in range(BANDS):
        for later, earlier in _pairs(distinct[:, band], judged):
            open_pair = earlier < earliest[later]
            later, earlier = later[open_pair], earlier[open_pair]
            alike = _similarity(lanes, later, earlier) >= threshold
            np.minimum.at(earliest, later[alike], earlier[alike])
    return heads[earliest][np.searchsorted(heads, first_same)]


def _similarity(lanes: NDArray[np.uint16], left: ch.Positions, right: ch.Positions) -> NDArray[np.float64]:
    """Estimated Jaccard similarity of pairs of rows: the share of minima that agree."""
    cuts = range(_PAIRS, len(left), _PAIRS)  # one row may have any number of partners
    blocks = zip(np.split(left, cuts), np.split(right, cuts), strict=True)
    return np.concatenate([(lanes[a] == lanes[b]).mean(axis=1) for a, b in blocks])


def _pairs(keys: NDArray[np.uint64], judged: NDArray[np.bool_]) -> Iterator[tuple[ch.Positions, ch.Positions]]:
    """Yield arrays (later, earlier) of all pairs of rows with one key of which the later is judged."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begin = np.searchsorted(ordered, ordered, side="left")  # first of the same key, per place
    place = np.arange(len(keys))
    count = np.where(judged[order], place - begin, 0)
    later = np.flatnonzero(count)
    total = np.cumsum(count[later])
    start = 0
    while start < len(later):
        done = total[start - 1] if start else 0
        stop = max(int(np.searchsorted(total, done + _PAIRS, side="right")), start + 1)
        block = later[start:stop]
        sizes = count[block]
        within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        yield order[np.repeat(block, sizes)], order[np.repeat(begin[block], sizes) + within]
        start = stop
