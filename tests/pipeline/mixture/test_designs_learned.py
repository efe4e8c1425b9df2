"""Protects picks from what was measured: nothing twice, seedless and the same again, where a task is least known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mixture.designs import pick_next
from pipeline.mixture.laws.gaussian_process import GaussianProcess


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 20), share=st.floats(0, 1), tasks=st.integers(1, 3))
def test_rows_are_distinct_and_the_same_again_in_any_unit(seed: int, n: int, share: float, tasks: int) -> None:
    rng = np.random.default_rng(seed)
    pool, count = rng.dirichlet(np.full(4, 0.4), n), round(share * n)
    weights, values = rng.dirichlet(np.ones(4), 8), rng.normal(size=(8, tasks))
    rows = pick_next(pool, count, weights, values)
    assert len(rows) == count == len(set(rows.tolist()))
    assert set(rows.tolist()) <= set(range(n))
    np.testing.assert_array_equal(rows, pick_next(pool, count, weights, values))
    np.testing.assert_array_equal(rows, pick_next(pool, count, weights, 4 * values))


def test_what_has_been_measured_comes_last() -> None:
    rng = np.random.default_rng(0)
    weights, fresh = rng.dirichlet(np.ones(4), 12), rng.dirichlet(np.full(4, 0.4), 12)
    values = np.sqrt(weights[:, :1]) + 0.001 * rng.normal(size=(12, 1))
    assert pick_next(np.vstack([weights, fresh]), 6, weights, values).min() >= 12


def test_the_first_is_the_one_that_tells_most_about_all_tasks() -> None:
    rng = np.random.default_rng(3)
    weights, pool = rng.dirichlet(np.ones(4), 15), rng.dirichlet(np.full(4, 0.4), 30)
    values = np.sqrt(weights[:, :2]) + 0.01 * rng.normal(size=(15, 2))
    gain = np.zeros(30)
    for y in values.T:
        fit = GaussianProcess().fit(weights, y)
        gain += np.log1p(np.diag(fit.covariance(pool)) / fit.noise() ** 2)
    assert pick_next(pool, 1, weights, values)[0] == np.argmax(gain)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("active", [0, 1])
def test_the_first_goes_along_the_domain_that_matters(active: int, seed: int) -> None:
    """Two mixes, each without a domain that all mixes tried had; the task depends on only one of the two."""
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(4), 400)
    weights = weights[weights[:, :2].min(axis=1) > 0.1][:30]
    values = np.sin(9 * weights[:, [active]]) + 0.01 * rng.normal(size=(len(weights), 1))
    pool = np.array([[0.0, 0.4, 0.3, 0.3], [0.4, 0.0, 0.3, 0.3]])
    assert pick_next(pool, 1, weights, values)[0] == active


def test_refuses_what_it_cannot_do() -> None:
    weights, values = np.random.default_rng(0).dirichlet(np.ones(2), 6), np.arange(6.0)[:, None]
    with pytest.raises(ValueError, match="9 mixes cannot be picked from a pool of 8"):
        pick_next(np.full((8, 2), 0.5), 9, weights, values)
    with pytest.raises(ValueError, match="pool has 3 domains, the mixes measured 2"):
        pick_next(np.full((8, 3), 1 / 3), 2, weights, values)
    with pytest.raises(ValueError, match="at least 5 runs"):
        pick_next(np.full((8, 2), 0.5), 2, weights[:4], values[:4])
