"""Splits: whole groups on one side, folds alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.labelled import Documents, folds_of, labelled


@given(
    rows=st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=60),
    folds=st.integers(2, 6),
    seed=st.integers(0, 5),
)
def test_groups_stay_whole(rows: list[tuple[int, bool]], folds: int, seed: int) -> None:
    """Every document is in one fold, all of a group in the same; numbers of groups differ by one at most."""
    _, groups = np.unique([group for group, _ in rows], return_inverse=True)
    fold = folds_of(groups, np.array([flag for _, flag in rows]), folds, np.random.default_rng(seed))
    assert len(fold) == len(rows)
    owner = {group: set(fold[groups == group]) for group in set(groups)}
    assert all(len(each) == 1 for each in owner.values())
    counts = [sum(each == {part} for each in owner.values()) for part in range(folds)]
    assert max(counts) - min(counts) <= 1


def test_folds_have_the_same_classes() -> None:
    """Single documents: every fold gets its share of both classes, to one document."""
    positive = np.arange(103) < 31
    fold = folds_of(np.arange(103), positive, 5, np.random.default_rng(0))
    assert sorted(np.bincount(fold[positive])) == [6, 6, 6, 6, 7]
    assert sorted(np.bincount(fold[~positive])) == [14, 14, 14, 15, 15]


def test_texts_once_and_in_one_class() -> None:
    """Case and white space do not make another text; a group of the same name is the same in both classes."""
    data = labelled(
        Documents(["a text", "A  text", "both", "b"], ["1", "2", "3", "1"]),
        Documents(["both", "c", "d"], ["3", "1", "9"]),
    )
    assert data.texts == ["a text", "b", "c", "d"]
    assert data.positive.tolist() == [True, True, False, False]
    assert data.groups.tolist() == [0, 0, 0, 1]
    assert data.dropped == 3
    assert data.of(np.array([1, 3])) == (["b"], ["d"])


def test_without_groups_each_text_is_one() -> None:
    data = labelled(Documents(["a", "b"]), Documents(["c"], ["a"]))
    assert data.groups.tolist() == [0, 1, 2]


def test_groups_must_match() -> None:
    with pytest.raises(ValueError, match="shorter"):
        labelled(Documents(["a", "b"], ["1"]), Documents([]))
