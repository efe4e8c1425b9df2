"""Documents of two classes, made ready to learn from: each text once, whole groups on one side of every split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from classifiers.duplicates import exact_hash
from classifiers.ranking import Flags


@dataclass(frozen=True)
class Documents:
    """Texts of one class.

    groups: what must stay on one side of a split (question, book, repository), by text; each text alone if None.
    The same name is the same group in both classes.
    origin: where they come from, for the card: JSON values such as names and hashes of files.
    """

    texts: Sequence[str]
    groups: Sequence[str] | None = None
    origin: Sequence[object] = field(default=())


@dataclass(frozen=True)
class Labelled:
    """Distinct texts of both classes, positives first; arrays are [texts]."""

    texts: list[str]
    positive: Flags
    groups: NDArray[np.int64]  # 0 to g - 1
    hashes: NDArray[np.uint64]  # exact hash of each text
    dropped: int  # repeated texts, and those of both classes

    def of(self, rows: NDArray[np.int64] | Flags) -> tuple[list[str], list[str]]:
        """Return the positive and the negative texts among these rows, in order."""
        chosen = np.arange(len(self.texts))[rows]
        return (
            [self.texts[i] for i in chosen if self.positive[i]],
            [self.texts[i] for i in chosen if not self.positive[i]],
        )


def labelled(positive: Documents, negative: Documents) -> Labelled:
    """Join two classes. A text in both is dropped from both, a repeated one is kept once, with its first group."""
    sides = []
    for documents in (positive, negative):
        groups = documents.groups if documents.groups is not None else [None] * len(documents.texts)
        found: dict[int, tuple[str, str | None]] = {}
        for text, group in zip(documents.texts, groups, strict=True):
            found.setdefault(exact_hash(text), (text, group))
        sides.append(found)
    kept = [
        (key, text, group, side == 0)
        for side, found in enumerate(sides)
        for key, (text, group) in found.items()
        if key not in sides[1 - side]
    ]
    numbers: dict[str | int, int] = {}
    codes = [numbers.setdefault(key if group is None else group, len(numbers)) for key, _, group, _ in kept]
    return Labelled(
        texts=[text for _, text, _, _ in kept],
        positive=np.array([flag for *_, flag in kept], dtype=np.bool_),
        groups=np.array(codes, dtype=np.int64),
        hashes=np.array([key for key, *_ in kept], dtype=np.uint64),
        dropped=len(positive.texts) + len(negative.texts) - len(kept),
    )


def folds_of(groups: NDArray[np.int64], positive: Flags, folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Deal whole groups to folds (0 to `folds` - 1) so that sizes and shares of positives are alike; return each
    document's fold [n].

    Groups are put in order by size, then share of positives, then at random, and dealt out in turn: neighbours in
    that order are alike, and each fold gets one of every `folds` of them.
    """
    size = np.bincount(groups)
    share = np.bincount(groups, positive) / np.maximum(size, 1)
    order = np.lexsort((rng.permutation(len(size)), share, -size))
    fold = np.empty(len(size), dtype=np.int64)
    fold[order] = np.arange(len(size)) % folds
    return fold[groups]
