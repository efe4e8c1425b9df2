"""Measures of a ranking, against scikit-learn's own and by their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.ranking import auc, auc_interval, average_precision, keep_threshold, point_at

values = st.lists(st.tuples(st.integers(0, 8).map(lambda n: n / 8), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: len({flag for _, flag in rows}) == 2
)


def arrays(rows: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([score for score, _ in rows]), np.array([flag for _, flag in rows])


@given(rows=values)
def test_equal_to_scikit_learn(rows: list[tuple[float, bool]]) -> None:
    """Ties everywhere: the area and the average precision are those of scikit-learn."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    scores, positive = arrays(rows)
    assert auc(scores, positive) == pytest.approx(roc_auc_score(positive, scores))
    assert average_precision(scores, positive) == pytest.approx(average_precision_score(positive, scores))


@given(rows=values, recall=st.floats(0.01, 1))
def test_points_do_what_they_say(rows: list[tuple[float, bool]], recall: float) -> None:
    """The stated threshold finds the stated share at the stated precision, and no higher one finds enough."""
    scores, positive = arrays(rows)
    point = point_at(scores, positive, recall)
    found = scores >= point.score
    assert point.recall == pytest.approx(positive[found].sum() / positive.sum())
    assert point.precision == pytest.approx(positive[found].mean())
    assert point.recall >= recall - 1e-9
    above = scores > point.score
    assert positive[above].sum() < recall * positive.sum() + 1e-9


@given(rows=values, times=st.lists(st.integers(1, 3), min_size=40, max_size=40))
def test_weights_are_repetitions(rows: list[tuple[float, bool]], times: list[int]) -> None:
    scores, positive = arrays(rows)
    weights = np.array(times[: len(scores)])
    expected = auc(np.repeat(scores, weights), np.repeat(positive, weights))
    assert auc(scores, positive, weights.astype(float)) == pytest.approx(expected)


@given(
    scores=st.lists(st.floats(0, 1), min_size=1, max_size=60),
    keep=st.floats(0, 1, exclude_min=True),
)
def test_threshold_keeps_enough_and_hardly_more(scores: list[float], keep: float) -> None:
    """At least the fraction is kept; without the ties and what six decimals cannot tell apart, not one more."""
    array = np.array(scores)
    threshold = keep_threshold(array, keep)
    kept = (array >= threshold).sum()
    assert kept >= keep * len(array) - 1e-6
    assert (array > threshold + 1e-6).sum() <= max(1, np.ceil(keep * len(array) - 1e-9))
    assert float(f"{threshold:.6f}") == threshold


@pytest.mark.parametrize("keep", [0, -0.1, 1.5])
def test_threshold_refuses_other_fractions(keep: float) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        keep_threshold(np.array([0.5]), keep)


def test_interval_covers_as_stated() -> None:
    """Scores without any signal: the 95 % interval misses one half about once in twenty times."""
    rng = np.random.default_rng(0)
    positive, groups = np.arange(80) < 40, np.arange(80)
    intervals = [auc_interval(rng.normal(size=80), positive, groups, rng) for _ in range(60)]
    missed = sum(not low <= 0.5 <= high for low, high in intervals)
    assert missed <= 9  # of a binomial with mean 3: more once in a thousand times


def test_interval_knows_groups() -> None:
    """Ten copies of a document say no more than one: the interval by groups stays as wide, the one by documents not."""
    rng = np.random.default_rng(1)
    scores, positive = np.repeat(rng.normal(size=40), 10), np.repeat(np.arange(40) < 20, 10)
    groups = np.repeat(np.arange(40), 10)
    low, high = auc_interval(scores, positive, groups, np.random.default_rng(2))
    narrow_low, narrow_high = auc_interval(scores, positive, np.arange(400), np.random.default_rng(2))
    assert high - low > 2 * (narrow_high - narrow_low)


def test_interval_of_a_certain_ranking() -> None:
    scores, positive = np.repeat([1.0, 0.0], 5), np.repeat([True, False], 5)
    assert auc_interval(scores, positive, np.arange(10), np.random.default_rng(0)) == (1, 1)
