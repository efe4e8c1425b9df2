"""Eval items inside documents: n-grams of words that a document shares with a suite of evals.

As GPT-3 (Brown et al. 2020, appendix C) and most since: 13-grams of words, case folded, punctuation stripped.
An item shorter than that is looked for whole, its question followed by its answer, when it has at least `min_words`
words; still shorter ones ("Stars are hot") would match by chance and are left out and counted. A suite stores hashes
only (64 bits), never eval text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from classifiers import characters as ch
from classifiers.base import ScorerParams, as_list

SUITE_FILE = "suite.npz"
_TABLE_BITS = 20  # a table of 1 MB says at once that most n-grams are in no suite


class ContaminationParams(ScorerParams):
    """How a suite is built; scoring takes it from the suite."""

    n: int = Field(13, ge=2, le=50, description="Words of an n-gram.")
    min_words: int = Field(4, ge=2, description="Items with fewer words are left out.")


@dataclass(frozen=True, eq=False)
class Suite:
    """The n-grams of evals. One n-gram may stand several times, once per item that holds it."""

    evals: tuple[str, ...]  # names, in the order of their first item
    item_evals: NDArray[np.int32]  # [items] index into `evals`
    items_skipped: NDArray[np.int64]  # [evals] items too short to look for
    lengths: tuple[int, ...]  # words of the n-grams in use, ascending
    grams: ch.Hashes  # [entries] ascending
    owners: NDArray[np.int32]  # [entries] item of each, ascending among equal n-grams


def build_suite(items: Sequence[tuple[str, str]], params: ContaminationParams | None = None) -> Suite:
    """Make a suite of (eval name, text) items.

    The order of first items decides which eval a document is said to match.
    """
    params = params or ContaminationParams()  # type: ignore[call-arg]
    order_of = {name: index for index, name in enumerate(dict.fromkeys(name for name, _ in items))}
    evals, item_evals = tuple(order_of), np.array([order_of[name] for name, _ in items], np.int32)
    sizes = np.zeros(len(items), np.int64)
    grams, owners, lengths = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)], set()
    first = 0
    for batch in ch.batches([text for _, text in items], lower=True):
        hashes, docs = _words(batch)
        count = np.bincount(docs, minlength=len(batch.starts))
        sizes[first : first + len(count)] = count
        for n in range(min(params.min_words, params.n), params.n + 1):
            chosen = count >= n if n == params.n else (count == n) & (n >= params.min_words)
            keep = chosen[docs]
            values, places = ch.word_ngrams(hashes[keep], docs[keep], n)
            if len(values):
                lengths.add(n)
                grams.append(values)
                owners.append(first + docs[keep][places])
        first += len(count)
    gram, owner = np.concatenate(grams), np.concatenate(owners)
    order = np.lexsort((owner, gram))
    gram, owner = gram[order], owner[order]
    fresh = np.ones(len(gram), bool)
    fresh[1:] = (gram[1:] != gram[:-1]) | (owner[1:] != owner[:-1])
    skipped = np.bincount(item_evals[sizes < min(params.min_words, params.n)], minlength=len(evals)).astype(np.int64)
    return Suite(evals, item_evals, skipped, tuple(sorted(lengths)), gram[fresh], owner[fresh].astype(np.int32))


def save_suite(suite: Suite, path: Path) -> None:
    """Write a suite as .npz without pickle; equal suites give equal bytes."""
    with path.open("wb") as file:
        np.savez(
            file,
            evals=np.array(suite.evals, np.str_),
            item_evals=suite.item_evals,
            items_skipped=suite.items_skipped,
            lengths=np.array(suite.lengths, np.int64),
            grams=suite.grams,
            owners=suite.owners,
        )


def load_suite(path: Path) -> Suite:
    """Read what `save_suite` wrote. Raises ValueError when the file is something else."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return Suite(
                tuple(map(str, file["evals"])),
                file["item_evals"],
                file["items_skipped"],
                tuple(map(int, file["lengths"])),
                file["grams"],
                file["owners"],
            )
    except (OSError, KeyError, EOFError, ValueError, BadZipFile) as error:
        raise ValueError(f"{path} is not a contamination suite: {error}") from error


class ContaminationScorer:
    """`matched` (String): the evals of the suite that share an n-gram, in its order, joined by commas, else null.
    `overlap` (UInt32): n-grams shared with any of them.

    An n-gram that occurs twice in the document counts twice.
    """

    columns = ("matched", "overlap")

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self.table = _table(suite)

    def score(self, texts: pl.Series) -> pl.DataFrame:
        documents = as_list(texts)
        overlap = np.zeros(len(documents), np.uint32)
        matched = np.zeros((len(documents), len(self.suite.evals)), bool)
        for docs, entries in _hits(self.suite, self.table, documents):
            np.add.at(overlap, docs, 1)
            owners, of = _all_owners(self.suite, entries)
            matched[docs[of], self.suite.item_evals[owners]] = True
        names: list[str | None] = [None] * len(documents)
        for document in np.flatnonzero(matched.any(axis=1)).tolist():
            names[document] = ",".join(self.suite.evals[i] for i in np.flatnonzero(matched[document]))
        return pl.DataFrame({"matched": names, "overlap": overlap}, schema={"matched": pl.String, "overlap": pl.UInt32})

    def items(self, texts: pl.Series) -> NDArray[np.bool_]:
        """Return for each item of the suite whether any of the texts shares an n-gram with it.

        For evals that come after the training text is pinned: build a suite of their items, drop those found.
        """
        found = np.zeros(len(self.suite.item_evals), bool)
        for _, entries in _hits(self.suite, self.table, as_list(texts)):
            found[_all_owners(self.suite, entries)[0]] = True
        return found


def _words(batch: ch.Batch) -> tuple[ch.Hashes, ch.Positions]:
    words = ch.plain_words(batch)
    return ch.span_hashes(ch.prefix(batch), words), words.docs


def _table(suite: Suite) -> NDArray[np.bool_]:
    table = np.zeros(1 << _TABLE_BITS, bool)
    table[suite.grams >> np.uint64(64 - _TABLE_BITS)] = True
    return table


def _hits(suite: Suite, table: NDArray[np.bool_], texts: list[str]) -> Iterator[tuple[ch.Positions, ch.Positions]]:
    """Yield (document, first entry of the suite) for each n-gram of the texts that the suite holds."""
    first = 0
    for batch in ch.batches(texts, lower=True):
        hashes, docs = _words(batch)
        for n in suite.lengths:
            values, places = ch.word_ngrams(hashes, docs, n)
            maybe = np.flatnonzero(table[values >> np.uint64(64 - _TABLE_BITS)])
            entries = np.minimum(np.searchsorted(suite.grams, values[maybe]), len(suite.grams) - 1)
            sure = suite.grams[entries] == values[maybe]
            if sure.any():
                yield first + docs[places[maybe[sure]]], entries[sure]
        first += len(batch.starts)


def _all_owners(suite: Suite, entries: ch.Positions) -> tuple[NDArray[np.int32], ch.Positions]:
    """Items that hold the n-grams at `entries`, and for each the index into `entries` it comes from."""
    counts = np.searchsorted(suite.grams, suite.grams[entries], side="right") - entries
    of = np.repeat(np.arange(len(entries)), counts)
    within = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    return suite.owners[entries[of] + within], of
