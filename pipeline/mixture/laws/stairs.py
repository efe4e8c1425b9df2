"""The trees of a LightGBM booster as tables, for the thousands of single mixes that a search asks about.

LightGBM's own `predict` costs 60 us a call before it looks at a tree, and a search asks for one mix at a time. Here, as
in QuickScorer (Lucchese et al. 2015), a tree's leaves are bits from left to right. A split that sends a mix right rules
out the leaves on its left; the lowest bit that no split rules out is the mix's leaf. What the first k splits of a
feature rule out together, by rising threshold, is one row of a table.
"""

from typing import Any

import numpy as np

LEAVES = 8
"""Leaves that a tree may have: one bit each."""
# A feature's thresholds lie this far from those of the next, so that one search serves all; weights are below it.
_APART = 2.0
_LOWEST = np.array([(byte & -byte).bit_length() - 1 for byte in range(256)])


class Stairs:
    """Predicts as the booster does, up to the last digits of a sum; features are weights from 0 to below 2."""

    def __init__(self, booster: Any) -> None:
        """ValueError for trees of more than LEAVES leaves."""
        texts = booster.model_to_string().split("\nTree=")[1:]
        self.values = np.zeros((len(texts), LEAVES))
        splits: list[tuple[int, float, int, int]] = []  # feature, threshold, tree, bits that it leaves
        for t, text in enumerate(texts):
            self.values[t], found = _tree(text)
            splits += [(feature, threshold, t, bits) for feature, threshold, bits in found]
        splits.sort()
        features = booster.num_feature()
        self.edges = np.array([_APART * feature + threshold for feature, threshold, _, _ in splits])
        counts = np.bincount([split[0] for split in splits], minlength=features)
        # Every feature has one row more than splits; so many rows stand before a feature's first split.
        self.shifts, self.rows = np.arange(features), np.full((len(splits) + features, len(texts)), 255, dtype=np.uint8)
        end = 0
        for feature, count in enumerate(counts):
            for i in range(end, end + count):
                _, _, tree, bits = splits[i]
                self.rows[i + feature + 1] = self.rows[i + feature]
                self.rows[i + feature + 1, tree] &= bits
            end += count
        self.trees = LEAVES * np.arange(len(texts))

    def predict(self, weights: np.ndarray) -> np.ndarray:
        """(m, d) -> (m,)"""
        row = np.searchsorted(self.edges, weights + _APART * self.shifts) + self.shifts
        left = np.bitwise_and.reduce(self.rows[row], axis=1)
        return self.values.ravel()[self.trees + _LOWEST[left]].sum(axis=1)


def _tree(text: str) -> tuple[np.ndarray, list[tuple[int, float, int]]]:
    """A tree as LightGBM writes it -> its leaves' values (LEAVES,) from left to right, and its splits.

    A split is feature, threshold, and the bits of the leaves that are possible where the feature is above it.
    """
    fields = dict(line.split("=", 1) for line in text.split("\n") if "=" in line)
    held = [float(value) for value in fields["leaf_value"].split()]
    if len(held) > LEAVES:
        raise ValueError(f"a tree has {len(held)} leaves, tables hold {LEAVES}")
    values = np.zeros(LEAVES)
    if len(held) == 1:
        values[0] = held[0]
        return values, []
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
        splits.append((int(features[node]), float(thresholds[node]), 255 & ~below_left))
        return below_left | leaves(right[node])

    leaves(0)
    return values, splits
