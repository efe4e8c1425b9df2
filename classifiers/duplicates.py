"""Exact and near duplicates: a signature per document, the pairs that are alike, and the clusters they make.

Exact: equal text after folding case and collapsing whitespace (64-bit BLAKE2b). Near: MinHash (Broder 1997) over
shingles of 5 plain words (letters and digits, case folded; shorter texts are one shingle), 128 permutations, of each
minimum 16 bits kept (b-bit MinHash, Li and König 2010; two different minima agree by chance once in 65,536).

Pairs are looked for among documents that share one of 21 bands of 6 minima, and are alike when at least 73 % of all
128 agree. The share that agrees has the standard error sqrt(s (1 - s) / 128) about the true Jaccard similarity s: of
pairs at 0.8 it finds 97 % (the bands lose 0.2 % of them), of pairs at 0.5 it would merge two in a hundred million.
Signatures never change between runs or machines, so they may be stored and compared later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import polars as pl
from numpy.typing import NDArray

from classifiers import characters as ch
from classifiers.base import ScorerParams, as_list

SHINGLE = 5
PERMUTATIONS = 128
BANDS, ROWS = 21, 6
THRESHOLD = 0.73
FIRST = 64
"""In a bucket of more documents than this the later ones are compared with its first ones only: so many share a band
because of a common part, and a true copy shares others too."""
_PAIRS = 1 << 12  # pairs compared at once: 2 MB, which stays in the cache

Pairs = NDArray[np.int64]
"""[pairs, 2] later and earlier document, as numbers in their order; ascending, each once."""


def exact_hash(text: str) -> int:
    """Return the 64-bit hash of a text without regard to case and amount of whitespace."""
    normal = " ".join(text.lower().split())
    return int.from_bytes(blake2b(normal.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


class DuplicatesParams(ScorerParams):
    """None: signatures are compared across runs, so all are made alike."""


class DuplicatesScorer:
    """`exact` (UInt64): hash of the normalised text. `minhash` (Binary): 128 minima of 16 bits, little-endian.

    A text without any plain word has an empty `minhash`: it has exact duplicates only.
    """

    columns = ("exact", "minhash")

    def __init__(self, params: DuplicatesParams) -> None:
        draws = ch.mix(np.arange(1, 2 * PERMUTATIONS + 1, dtype=np.uint64)).astype(np.uint32)
        multiplier, self.offset = draws.reshape(2, -1)
        self.multiplier = multiplier | np.uint32(1)  # odd: a permutation of 32-bit values

    def score(self, texts: pl.Series) -> pl.DataFrame:
        documents = as_list(texts)
        rows = [row for batch in ch.batches(documents, lower=True) for row in self._minhash(batch)]
        return pl.DataFrame(
            {"exact": [exact_hash(text) for text in documents], "minhash": rows},
            schema={"exact": pl.UInt64, "minhash": pl.Binary},
        )

    def _minhash(self, batch: ch.Batch) -> list[bytes]:
        words = ch.plain_words(batch)
        shingles, docs = _shingles(ch.span_hashes(ch.prefix(batch), words), words.docs)
        rows = [b""] * len(batch.starts)
        present, firsts = np.unique(docs, return_index=True)
        if len(present):
            values = shingles.astype(np.uint32)
            minima = np.empty((len(present), PERMUTATIONS), np.uint64)
            permuted = np.empty_like(values)
            for index, (multiplier, offset) in enumerate(zip(self.multiplier, self.offset, strict=True)):
                np.add(np.multiply(values, multiplier, out=permuted), offset, out=permuted)
                minima[:, index] = np.minimum.reduceat(permuted, firsts)
            # the low bits of a minimum are fair, but mixing also parts equal values of different permutations
            lanes = ch.mix(minima + (np.arange(PERMUTATIONS, dtype=np.uint64) << np.uint64(32))).astype("<u2")
            for row, document in zip(lanes, present.tolist(), strict=True):
                rows[document] = row.tobytes()
        return rows


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


@dataclass(frozen=True, eq=False)
class Signatures:
    """Signatures of consecutive documents as arrays."""

    exact: NDArray[np.uint64]  # [documents]
    minima: NDArray[np.uint16]  # [documents, 128]; 0 where a text has no word
    wordy: NDArray[np.bool_]  # [documents] whether it has one

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Signatures:
        """Read the columns that `DuplicatesScorer` writes."""
        wordy = (frame["minhash"].bin.size() > 0).to_numpy()
        minima = np.zeros((len(frame), PERMUTATIONS), "<u2")
        minima[wordy] = np.frombuffer(b"".join(frame["minhash"].to_list()), "<u2").reshape(-1, PERMUTATIONS)
        return cls(frame["exact"].to_numpy(), minima, wordy)

    def keys(self) -> NDArray[np.uint64]:
        """Return [documents, 22] keys: two documents with the same one at the same place are compared.

        The first is of the exact text, the others are of bands; a text without words has the first one 22 times.
        """
        bands = self.minima[:, : BANDS * ROWS].reshape(-1, BANDS, ROWS).astype(np.uint64)
        keys = np.broadcast_to(np.arange(1, BANDS + 1, dtype=np.uint64), bands.shape[:2])
        for rows in (range(3), range(3, ROWS)):
            for row in rows:
                keys = (keys << np.uint64(16)) + bands[:, :, row]
            keys = ch.mix(keys)
        exact = ch.mix(self.exact)[:, None]
        return np.concatenate((exact, np.where(self.wordy[:, None], keys, exact)), axis=1)


Reading = Callable[[], Iterable[tuple[ch.Positions, pl.DataFrame]]]
"""Reads all documents from the start, a frame at a time, with their ascending numbers in the order of survival."""


def similar_pairs(read: Reading, total: int, first_new: int = 0, part: int = 0, parts: int = 1) -> Pairs:
    """Return the pairs that are alike and of which the later document is `first_new` or after it.

    total: more than any number of a document. The work falls into `parts` by ranges of keys: together they give all
    pairs, a pair perhaps in several. One holds about 22 / parts keys of 8 bytes a document in memory, and the
    signatures (256 bytes) of those documents that share a key in its range. `read` is asked twice.
    """
    bits = max(total - 1, 1).bit_length()
    documents, begins = _buckets(_entries(read, bits, part, parts), np.uint64((1 << bits) - 1), first_new)
    needed = np.unique(documents)
    signatures = _gather(read, needed)
    place = np.searchsorted(needed, documents)
    found = [np.zeros((0, 2), np.int64)]
    for later, earlier in _compared(signatures, place, begins, documents >= first_new):
        found.append(needed[np.stack((place[later], place[earlier]), axis=1)])
    return np.unique(np.concatenate(found), axis=0)


def _entries(read: Reading, bits: int, part: int, parts: int) -> NDArray[np.uint64]:
    """Return sorted entries of all keys in the part's range: the key's upper bits, then the document's number.

    Packed so that plain sorting orders buckets and the documents in them; keys that differ only below meet by chance,
    and are told apart when they are compared.
    """
    low = np.uint64(bits)
    pieces = [np.zeros(0, np.uint64)]
    for numbers, frame in read():
        keys = Signatures.of(frame).keys()
        packed = (keys >> low << low) | numbers.astype(np.uint64)[:, None]
        pieces.append(packed[keys % np.uint64(parts) == np.uint64(part)] if parts > 1 else packed.reshape(-1))
    entries = np.concatenate(pieces)
    entries.sort()
    return entries


def _buckets(entries: NDArray[np.uint64], mask: np.uint64, first_new: int) -> tuple[ch.Positions, ch.Positions]:
    """Return the documents of all buckets that hold two or more and a new one, and for each entry where its bucket
    begins."""
    keys = entries & ~mask
    starting = np.ones(len(entries), bool)
    starting[1:] = keys[1:] != keys[:-1]
    bucket = np.cumsum(starting) - 1
    documents = (entries & mask).astype(np.int64)
    last = np.append(np.flatnonzero(starting)[1:], len(entries)) - 1
    several = last > np.flatnonzero(starting)
    kept = (several & (documents[last] >= first_new))[bucket] if len(entries) else np.zeros(0, bool)
    starting = starting[kept]
    begins = np.flatnonzero(starting)[np.cumsum(starting) - 1] if len(starting) else np.zeros(0, np.int64)
    return documents[kept], begins


def _gather(read: Reading, needed: ch.Positions) -> Signatures:
    """Return the signatures of the documents with these ascending numbers."""
    pieces = [Signatures(np.zeros(0, np.uint64), np.zeros((0, PERMUTATIONS), "<u2"), np.zeros(0, bool))]
    for numbers, frame in read():
        rows = np.flatnonzero(np.isin(numbers, needed, assume_unique=True))
        if len(rows):
            pieces.append(Signatures.of(frame[rows]))
    return Signatures(
        np.concatenate([each.exact for each in pieces]),
        np.concatenate([each.minima for each in pieces]),
        np.concatenate([each.wordy for each in pieces]),
    )


def _compared(
    signatures: Signatures, place: ch.Positions, begins: ch.Positions, judged: NDArray[np.bool_]
) -> Iterator[tuple[ch.Positions, ch.Positions]]:
    """Yield (later, earlier) entries that are alike: each is compared with the first of its bucket, then the second …

    One whose signature equals that of an earlier one leaves: it is like nothing else that the earlier one is not like,
    so a text repeated a million times costs no million pairs.
    """
    open_ = np.flatnonzero(judged)
    for rank in range(FIRST):
        open_ = open_[begins[open_] + rank < open_]
        if not len(open_):
            return
        same = np.zeros(len(open_), bool)
        for start in range(0, len(open_), _PAIRS):
            later = open_[start : start + _PAIRS]
            earlier = begins[later] + rank
            left, right = place[later], place[earlier]
            exact = signatures.exact[left] == signatures.exact[right]
            equal = signatures.minima.take(left, axis=0) == signatures.minima.take(right, axis=0)
            agree = equal.view(np.uint8).sum(axis=1, dtype=np.uint8)  # 128 at most
            agree[~(signatures.wordy[left] & signatures.wordy[right])] = 0
            alike = (exact | (agree >= THRESHOLD * PERMUTATIONS)) & (left != right)
            same[start : start + _PAIRS] = (left == right) | exact | (agree == PERMUTATIONS)
            yield later[alike], earlier[alike]
        open_ = open_[~same]


def clusters(pairs: Pairs) -> tuple[ch.Positions, ch.Positions]:
    """Return the documents that stand in a pair, ascending, and for each the first one of its cluster.

    A cluster is all that pairs connect, however many steps apart.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    documents, ends = np.unique(pairs, return_inverse=True)
    later, earlier = ends.reshape(-1, 2).T
    size = len(documents)
    graph = coo_array((np.ones(len(pairs), np.bool_), (later, earlier)), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    _, first = np.unique(label, return_index=True)  # labels are 0, 1, …
    return documents, documents[first[label]]
