"""The trees of LightGBM boosters as tables, for the thousands of single mixes that a search asks about.

LightGBM's own `predict` costs 60 us a call before it looks at a tree, and a search asks for one mix at a time. Here, as
in QuickScorer (Lucchese et al. 2015), a tree's leaves are bits from left to right. A split that sends a mix right rules
out the leaves on its left; the lowest bit that no split rules out is the mix's leaf. What the first k splits of a
feature rule out together, by rising threshold, is one row of a table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

LEAVES = 8
"""Leaves that a tree may have: one bit each."""
# A feature's thresholds lie this far from those of the next, so that one search serves all; weights are below it.
_APART = 2.0
_FIELDS = ("leaf_value=", "left_child=", "right_child=", "split_feature=", "threshold=")
_LOWEST = np.array([(byte & -byte).bit_length() - 1 for byte in range(256)])


@dataclass(frozen=True)
class Tables:
    """One booster's trees. values: (trees, LEAVES) by leaf, left to right.

    edges: (splits,) rising thresholds, feature by feature, each _APART above the last. rows: (splits + features, trees)
    uint8, the bits that are left: every feature has one row more than splits, the first of them where none is passed.
    """

    values: np.ndarray
    edges: np.ndarray
    rows: np.ndarray

    @property
    def features(self) -> int:
        return len(self.rows) - len(self.edges)

    @classmethod
    def of(cls, booster: Any) -> Self:
        """ValueError for trees of more than LEAVES leaves."""
        trees = trees_of(booster)
        values = np.zeros((len(trees), LEAVES))
        splits: list[tuple[int, float, int, int]] = []  # feature, threshold, tree, bits that it leaves
        for t, (held, found) in enumerate(trees):
            if len(held) > LEAVES:
                raise ValueError(f"a tree has {len(held)} leaves, tables hold {LEAVES}")
            values[t, : len(held)] = held
            splits += [(feature, threshold, t, bits) for feature, threshold, bits in found]
        splits.sort()
        features = booster.num_feature()
        edges = np.array([_APART * feature + threshold for feature, threshold, _, _ in splits])
        counts = np.bincount([split[0] for split in splits], minlength=features)
        rows = np.full((len(splits) + features, len(trees)), 255, dtype=np.uint8)
        end = 0
        for feature, count in enumerate(counts):
            for i in range(end, end + count):
                _, _, tree, bits = splits[i]
                rows[i + feature + 1] = rows[i + feature]
                rows[i + feature + 1, tree] &= bits
            end += count
        return cls(values, edges, rows)


class Stairs:
    """A weighted sum of boosters' predictions, up to the last digits of a sum; features are weights from 0 to below 2.

    tables: b boosters over the same d features; factors: (b,).
    """

    def __init__(self, tables: Sequence[Tables], factors: Sequence[float]) -> None:
        trees, d = max(len(each.values) for each in tables), tables[0].features
        self.shape = (len(tables), d, trees)
        # Where a booster has fewer trees than another, trees of value 0 fill up.
        self.values = np.zeros((len(tables), trees, LEAVES))
        for held, each, factor in zip(self.values, tables, factors, strict=True):
            held[: len(each.values)] = factor * each.values
        self.rows = np.vstack(
            [np.pad(each.rows, ((0, 0), (0, trees - len(each.values))), constant_values=255) for each in tables]
        )
        self.edges = np.concatenate([_APART * d * b + each.edges for b, each in enumerate(tables)])
        self.shifts = np.arange(len(tables) * d).reshape(len(tables), d)
        self.trees = LEAVES * np.arange(len(tables) * trees).reshape(len(tables), trees)

    def predict(self, weights: np.ndarray) -> np.ndarray:
        """(m, d) -> (m,)"""
        left = np.bitwise_and.reduce(self._left(weights[:, None]), axis=2)
        return self.values.ravel()[self.trees + _LOWEST[left]].sum(axis=(1, 2))

    def slopes(self, weights: np.ndarray, step: float) -> np.ndarray:
        """(d,) -> (d,): differences over a `step` of each weight up and down, down only as far as 0.

        The steps of a staircase have no slope. What the other features leave of a tree is the same on both sides.
        """
        up, down = weights + step, np.maximum(weights - step, 0.0)
        here = self._left(weights)
        others = np.full(self.shape, 255, dtype=np.uint8)
        others[:, 1:] = np.bitwise_and.accumulate(here, axis=1)[:, :-1]
        others[:, :-1] &= np.bitwise_and.accumulate(here[:, ::-1], axis=1)[:, -2::-1]
        high, low = (
            self.values.ravel()[self.trees[:, None] + _LOWEST[others & self._left(side)]].sum(axis=(0, 2))
            for side in (up, down)
        )
        return (high - low) / (up - down)

    def _left(self, weights: np.ndarray) -> np.ndarray:
        """(..., d) or (..., 1, d) -> (..., boosters, d, trees) bits that each feature leaves."""
        return self.rows[np.searchsorted(self.edges, weights + _APART * self.shifts) + self.shifts]


def trees_of(booster: Any) -> list[tuple[np.ndarray, list[tuple[int, float, int]]]]:
    """A booster's trees: the leaves' values from left to right, and the splits.

    A split is feature, threshold, and the bits of the leaves that are possible where the feature is above it.
    """
    return [_tree(text) for text in booster.model_to_string().split("\nTree=")[1:]]


def _tree(text: str) -> tuple[np.ndarray, list[tuple[int, float, int]]]:
    fields = dict(line.split("=", 1) for line in text.split("\n") if line.startswith(_FIELDS))
    held = [float(value) for value in fields["leaf_value"].split()]
    if len(held) == 1:
        return np.array(held), []
    values, whole = np.zeros(len(held)), (1 << len(held)) - 1
    left, right = ([int(child) for child in fields[f"{side}_child"].split()] for side in ("left", "right"))
    features, thresholds = fields["split_feature"].split(), fields["threshold"].split()
    splits = []
    count = 0

    def leaves(node: int) -> int:
        """Number the leaves below a node from left to right; their bits."""
        nonlocal count
        if node < 0:
            values[count] = held[~node]
            count += 1
            return 1 << (count - 1)
        below_left = leaves(left[node])
        splits.append((int(features[node]), float(thresholds[node]), whole & ~below_left))
        return below_left | leaves(right[node])

    leaves(0)
    return values, splits
