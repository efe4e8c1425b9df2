"""Documents as arrays of characters, and the hashes of their words: what makes scoring in numpy possible.

A `Batch` lays documents one after the other as code points, so that one pass over an array serves them all.
Positions and lengths are in characters, as in Python. All hashes are 64-bit, depend on nothing but the text
and never change between runs or machines, so they may be stored.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Hashes = NDArray[np.uint64]

LETTER, DIGIT, SPACE, BREAK, SYMBOL, UPPER, LOWER, ALONE = (1 << bit for bit in range(8))
"""Kinds of characters, as bits. LETTER: as `str.isalpha`. DIGIT: other alphanumerics. SPACE and BREAK: as
`str.isspace` and `str.splitlines` see them. SYMBOL: everything else that shows or controls. ALONE: scripts
written without spaces (Han, kana, Thai and its neighbours), where each character counts as a word of its
own."""
MARK = 0  # combining marks: part of the word they stand in, nothing by themselves

NEWLINE = 10
BATCH_CHARS = 1 << 18  # about 15 MB of temporaries; larger batches fall out of the cache and are slower
_LAST_CODE = 0x323B0  # no letters are assigned above
_ALONE = (
    (0x0E00, 0x0F00),
    (0x1000, 0x10A0),
    (0x1780, 0x1800),
    (0x2E80, 0xA000),
    (0xF900, 0xFB00),
    (0x20000, 0x323B0),
)
_BASE = 0x9E3779B97F4A7C15  # any odd number with well spread bits
_BASE_INVERSE = pow(_BASE, -1, 1 << 64)


@dataclass(frozen=True, eq=False)
class Batch:
    """Documents one after the other, each followed by a newline that is not part of it."""

    codes: NDArray[np.uint32]  # [characters] code points
    kinds: NDArray[np.uint8]  # [characters] bits of the kinds above
    starts: Positions  # [documents] first character
    ends: Positions  # [documents] position after the last one, where the added newline stands

    def lengths(self) -> Positions:
        """Characters of each document."""
        return self.ends - self.starts


@dataclass(frozen=True, eq=False)
class Spans:
    """Pieces of documents (words, lines), in order."""

    starts: Positions
    ends: Positions
    docs: Positions  # index of the document each belongs to, ascending

    def lengths(self) -> Positions:
        return self.ends - self.starts


@dataclass(frozen=True, eq=False)
class Prefix:
    """Sums from which the hash of any span of a batch is read in constant time."""

    sums: Hashes  # [characters + 1]
    inverse: Hashes  # [characters + 1] inverse powers of the base


@lru_cache(maxsize=1)
def _kind_table() -> NDArray[np.uint8]:
    """Kind of every code point below `_LAST_CODE` (0.2 MB; 0.1 s, once per process)."""
    kinds = []
    for char in map(chr, range(_LAST_CODE + 1)):
        if char.isspace():
            kind = SPACE | (BREAK if len(f"{char}.".splitlines()) == 2 else 0)
        elif unicodedata.category(char)[0] == "M":
            kind = MARK if "VARIATION SELECTOR" not in unicodedata.name(char, "") else SYMBOL
        elif char.isalpha():
            kind = LETTER | (UPPER if char.isupper() else 0) | (LOWER if char.islower() else 0)
        else:
            kind = DIGIT if char.isalnum() else SYMBOL
        kinds.append(kind)
    table = np.array(kinds, np.uint8)
    for first, end in _ALONE:
        table[first:end][(table[first:end] & LETTER) > 0] |= ALONE
    return table


def read_batch(texts: list[str], lower: bool = False) -> Batch:
    """Lay out documents for scoring; `lower` folds case first (lengths are then those of the folded text)."""
    if lower:
        texts = [text.lower() for text in texts]
    # surrogatepass: a lone surrogate cannot come out of Polars, but must not crash a direct caller
    raw = "\n".join([*texts, ""]).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(raw, np.uint32)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    ends = np.cumsum(lengths + 1) - 1
    return Batch(codes, _kind_table().take(codes, mode="clip"), ends - lengths, ends)


def batches(texts: list[str], lower: bool = False, size: int = BATCH_CHARS) -> Iterator[Batch]:
    """Cut documents into batches of about `size` characters, never inside a document."""
    first, chars = 0, 0
    for index, text in enumerate(texts):
        if chars and chars + len(text) > size:
            yield read_batch(texts[first:index], lower)
            first, chars = index, 0
        chars += len(text) + 1
    if first < len(texts):
        yield read_batch(texts[first:], lower)


def spans_of(batch: Batch, starts: Positions, ends: Positions) -> Spans:
    """Return ascending pieces with the document that each belongs to."""
    # an empty piece may start where its document ends, hence "right"
    per_doc = np.diff(np.searchsorted(starts, batch.ends, side="right"), prepend=0)
    return Spans(starts, ends, np.repeat(np.arange(len(batch.starts)), per_doc))


def first_of_docs(batch: Batch, spans: Spans) -> Positions:
    """Return the index of the first span of each document, and the number of spans at the end."""
    return np.searchsorted(spans.docs, np.arange(len(batch.starts) + 1))


def count_per_doc(batch: Batch, positions: Positions) -> Positions:
    """Count ascending character positions by document."""
    return np.searchsorted(positions, batch.ends) - np.searchsorted(positions, batch.starts)


def _run_bounds(inside: NDArray[np.bool_], starting: NDArray[np.bool_] | None = None) -> tuple[Positions, Positions]:
    before = np.concatenate(([False], inside[:-1]))
    cut = inside != before
    if starting is not None:
        cut |= starting
    return np.flatnonzero(inside & cut), np.flatnonzero(before & cut)


def runs(batch: Batch, inside: NDArray[np.bool_], starting: NDArray[np.bool_] | None = None) -> Spans:
    """Return maximal runs of `inside`, cut again wherever `starting` is true.

    `inside` is false at the newline after each document.
    """
    return spans_of(batch, *_run_bounds(inside, starting))


def stripped(batch: Batch) -> Batch:
    """The same documents without the spaces around them; a blank one is empty at its own end."""
    solid = np.flatnonzero((batch.kinds & SPACE) == 0)
    first = np.searchsorted(solid, batch.starts)
    after = np.searchsorted(solid, batch.ends)
    some = first < after
    starts, ends = batch.ends.copy(), batch.ends.copy()
    starts[some] = solid[first[some]]
    ends[some] = solid[after[some] - 1] + 1
    return Batch(batch.codes, batch.kinds, starts, ends)


def whitespace_words(batch: Batch) -> Spans:
    """Words as `str.split()` gives them."""
    return runs(batch, (batch.kinds & SPACE) == 0)


def punctuation_words(batch: Batch) -> Spans:
    """Words with punctuation split off, near to what spaCy and NLTK do for English.

    A run of one symbol ("...", "--") is one word; a point or comma between digits does not split; an
    apostrophe before a letter begins the word ("do|n't" of spaCy is "don|'t" here: as many words).
    """
    codes, kinds = batch.codes, batch.kinds
    before, after = np.roll(kinds, 1), np.roll(kinds, -1)
    symbol = (kinds & SYMBOL) > 0
    inner = ((codes == ord(".")) | (codes == ord(","))) & ((before & after & DIGIT) > 0)
    apostrophe = ((codes == ord("'")) | (codes == 0x2019)) & ((before & after & LETTER) > 0)
    symbol &= ~inner
    after_symbol = np.roll(symbol & ~apostrophe, 1)
    starting = (symbol != after_symbol) | (symbol & (codes != np.roll(codes, 1)))
    return runs(batch, (kinds & SPACE) == 0, starting)


def plain_words(batch: Batch) -> Spans:
    """Runs of letters and digits: punctuation stripped. Characters of scripts without spaces stand alone."""
    alone = (batch.kinds & ALONE) > 0
    inside = (batch.kinds & (SPACE | SYMBOL)) == 0
    return runs(batch, inside, (alone | np.roll(alone, 1)) & inside)


def split_lines(batch: Batch) -> Spans:
    """Lines as `str.splitlines` gives them, empty ones included."""
    codes = batch.codes
    is_break = (batch.kinds & BREAK) > 0
    second = np.flatnonzero((codes[1:] == NEWLINE) & (codes[:-1] == ord("\r"))) + 1
    is_break[second] = False  # "\r\n" is one break
    ends = np.flatnonzero(is_break)
    follow = ends + 1
    follow[np.searchsorted(ends, second) - 1] += 1
    starts = np.concatenate(([0], follow[:-1]))
    # the newline added after a document ends its last line, but makes no empty one
    real = (starts < ends) | ~np.isin(ends, batch.ends, assume_unique=True)
    return spans_of(batch, starts[real], ends[real])


def newline_pieces(batch: Batch, least: int = 1) -> Spans:
    """Return pieces between runs of at least `least` newlines.

    A run at either end of a document leaves an empty piece there, as `re.split` does.
    """
    newline = batch.codes == NEWLINE
    newline[batch.ends] = newline[-1] = False
    first, after = _run_bounds(newline)
    docs = np.minimum(np.searchsorted(batch.ends, first), len(batch.ends) - 1)
    kept = (after - first >= least) & (first >= batch.starts[docs]) & (after <= batch.ends[docs])
    starts = np.sort(np.concatenate((batch.starts, after[kept])))
    ends = np.sort(np.concatenate((batch.ends, first[kept])))
    return spans_of(batch, starts, ends)


def mix(values: Hashes) -> Hashes:
    """Spread the bits of 64-bit values (finaliser of SplitMix64, Steele et al. 2014); a bijection."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@lru_cache(maxsize=1)
def _mixed_codes() -> Hashes:
    """Mixed value of every code point (9 MB; 20 ms, once per process)."""
    return mix(np.arange(0x110000, dtype=np.uint64) + np.uint64(_BASE))


def _powers(size: int) -> tuple[Hashes, Hashes]:
    """Return the powers 1, 2, … of the base and 0, 1, … of its inverse, modulo 2^64."""
    inverse = np.cumprod(np.concatenate(([np.uint64(1)], np.full(size, _BASE_INVERSE, np.uint64))))
    return np.cumprod(np.full(size, _BASE, np.uint64)), inverse


_usual_powers = lru_cache(maxsize=1)(_powers)


def prefix(batch: Batch) -> Prefix:
    """Prepare the hashes of a batch: a polynomial in an odd base modulo 2^64 over mixed code points."""
    size = len(batch.codes)
    # a batch is twice as long as usual at most, unless a single document is: that one's powers are not kept
    powers, inverse = _usual_powers(2 * BATCH_CHARS) if size <= 2 * BATCH_CHARS else _powers(size)
    sums = np.zeros(size + 1, np.uint64)
    np.cumsum(_mixed_codes().take(batch.codes) * powers[:size], out=sums[1:])
    return Prefix(sums, inverse[: size + 1])


def span_hashes(sums: Prefix, spans: Spans) -> Hashes:
    """Hash of each span; equal for equal text wherever it stands."""
    return mix((sums.sums[spans.ends] - sums.sums[spans.starts]) * sums.inverse[spans.starts])


def hash_word(word: str) -> np.uint64:
    """Hash of one piece of text, as `span_hashes` gives it."""
    batch = read_batch([word])
    return span_hashes(prefix(batch), Spans(batch.starts, batch.ends, np.zeros(1, np.int64)))[0]


def extend_ngrams(grams: Hashes, words: Hashes) -> Hashes:
    """Hash of n-grams from those one word shorter and the words that follow them."""
    return grams * np.uint64(_BASE) + words


def word_ngrams(words: Hashes, docs: Positions, n: int) -> tuple[Hashes, Positions]:
    """Hashes of all n-grams of consecutive words of one document, and the index of each one's first word."""
    count = max(len(words) - n + 1, 0)
    grams = words[:count]
    for step in range(1, n):
        grams = extend_ngrams(grams, words[step : step + count])
    firsts = np.flatnonzero(docs[:count] == docs[n - 1 :])
    return mix(grams[firsts] ^ np.uint64(n)), firsts
