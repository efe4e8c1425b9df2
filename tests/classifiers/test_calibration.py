"""Calibration: probabilities mean what they say, and the ranking is kept."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.calibration import (
    Calibration,
    calibration_error,
    cross_calibrated,
    fit_calibration,
    load_calibration,
    reliability,
    save_calibration,
    with_probability,
)


def drawn(slope: float, intercept: float, count: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and classes drawn with the probability sigmoid(slope * log-odds + intercept)."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, count)
    positive = rng.random(count) < 1 / (1 + np.exp(-(slope * logits + intercept)))
    return 1 / (1 + np.exp(-logits)), positive


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.3, -1.0), (2.0, 1.5)])
def test_finds_what_the_classes_were_drawn_with(slope: float, intercept: float) -> None:
    """Also an overconfident score (slope below 1), and classes of other sizes than it was made for (intercept)."""
    scores, positive = drawn(slope, intercept)
    found = fit_calibration(scores, positive)
    assert found.slope == pytest.approx(slope, abs=0.08)
    assert found.intercept == pytest.approx(intercept, abs=0.08)
    before = calibration_error(reliability(scores, positive))
    after = calibration_error(reliability(found.probability(scores), positive))
    assert after < 0.015
    assert after < before / 3 or slope == 1


def test_is_logistic_regression() -> None:
    """With many documents Platt's smoothing fades, and scikit-learn's unpenalised fit is the same."""
    from sklearn.linear_model import LogisticRegression

    scores, positive = drawn(0.7, 0.4)
    logits = np.log(scores / (1 - scores))
    model = LogisticRegression(C=1e9, tol=1e-8, max_iter=1000).fit(logits[:, None], positive)
    found = fit_calibration(scores, positive)
    assert found.slope == pytest.approx(model.coef_[0, 0], rel=1e-2)
    assert found.intercept == pytest.approx(model.intercept_[0], rel=1e-2)


def test_a_score_that_ranks_the_wrong_way_says_nothing() -> None:
    scores, positive = drawn(-1.0, 0.0)
    found = fit_calibration(scores, positive)
    assert found.slope == 0
    assert found.probability(scores) == pytest.approx(positive.mean(), abs=1e-3)


@given(
    rows=st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50),
    others=st.lists(st.floats(0, 1), min_size=2, max_size=20),
)
def test_keeps_order_and_range(rows: list[tuple[float, bool]], others: list[float]) -> None:
    """Any scores, 0 and 1, ties and a single class among them: probabilities in [0, 1], in the order of the scores."""
    found = fit_calibration(np.array([score for score, _ in rows]), np.array([flag for _, flag in rows]))
    probabilities = found.probability(np.sort(np.array(others)))
    assert np.isfinite([found.slope, found.intercept]).all()
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert (np.diff(probabilities) >= 0).all()


@given(rows=st.lists(st.tuples(st.integers(0, 20).map(lambda n: n / 20), st.booleans()), min_size=1, max_size=80))
def test_reliability_counts_every_document_once(rows: list[tuple[float, bool]]) -> None:
    probabilities, positive = np.array([p for p, _ in rows]), np.array([flag for _, flag in rows])
    bins = reliability(probabilities, positive)
    assert sum(each.documents for each in bins) == len(rows)
    assert sum(each.documents * each.positive for each in bins) == pytest.approx(positive.sum())
    assert all(first.high < second.low for first, second in pairwise(bins))
    assert 0 <= calibration_error(bins) <= 1


def test_error_by_hand() -> None:
    """Two bins of five: 0.2 says a fifth and two fifths are, 0.9 says nine tenths and all are."""
    probabilities = np.repeat([0.2, 0.9], 5)
    positive = np.array([1, 1, 0, 0, 0, 1, 1, 1, 1, 1], dtype=bool)
    assert calibration_error(reliability(probabilities, positive)) == pytest.approx((0.2 + 0.1) / 2)


def test_cross_calibration_does_not_look() -> None:
    """Where there is nothing to learn but luck, fitted on itself it looks better than fitted elsewhere."""
    rng = np.random.default_rng(3)
    scores, positive, parts = rng.random(60), rng.random(60) < 0.5, np.arange(60) % 2
    own = parts == 0
    changed = positive.copy()
    changed[own] = ~changed[own]
    assert np.array_equal(cross_calibrated(scores, positive, parts)[own], cross_calibrated(scores, changed, parts)[own])


def test_saved_and_loaded(tmp_path: Path) -> None:
    assert load_calibration(tmp_path) is None
    calibration = Calibration(slope=1 / 3, intercept=-0.1)
    save_calibration(calibration, tmp_path)
    assert load_calibration(tmp_path) == calibration


def test_without_calibration_the_column_is_null() -> None:
    frame = with_probability(pl.Series([0.2, 0.9]), None)
    assert frame.schema == {"score": pl.Float64, "calibrated": pl.Float64}
    assert frame["calibrated"].null_count() == 2
