"""Protects the tables of trees: they say what LightGBM says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mixture.laws.lightgbm import _TREES, LightGBM, _boost
from pipeline.mixture.laws.stairs import LEAVES, Stairs


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(2, 12), decimals=st.sampled_from([1, 3, 12]))
def test_tables_predict_what_the_booster_does(seed: int, d: int, decimals: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(d, 0.5), 80).round(decimals)
    booster = _boost(weights, rng.normal(size=80), 60)
    asked = np.vstack([weights, rng.dirichlet(np.ones(d), 50), np.eye(d), np.zeros((1, d)), np.full((1, d), 1.02)])
    np.testing.assert_allclose(Stairs(booster).predict(asked), booster.predict(asked), atol=1e-12)


def test_trees_that_cannot_split_predict_the_mean() -> None:
    booster = _boost(np.full((20, 3), 1 / 3), np.linspace(-1, 1, 20), 5)
    asked = np.random.default_rng(0).dirichlet(np.ones(3), 4)
    np.testing.assert_allclose(Stairs(booster).predict(asked), booster.predict(asked), atol=1e-12)


def test_trees_of_more_leaves_are_refused() -> None:
    import lightgbm

    settings_ = {"num_leaves": LEAVES + 1, "min_data_in_leaf": 1, "verbosity": -1}
    weights = np.random.default_rng(0).dirichlet(np.ones(3), 100)
    booster = lightgbm.train(settings_, lightgbm.Dataset(weights, weights[:, 0], params=settings_), 1)
    with pytest.raises(ValueError, match="tables hold 8"):
        Stairs(booster)


def test_a_search_changes_no_prediction_of_the_law() -> None:
    rng = np.random.default_rng(1)
    weights = rng.dirichlet(np.ones(4), 60)
    law = LightGBM().fit(weights, np.sqrt(weights[:, 0]) + 0.01 * rng.normal(size=60))
    before = law.predict(weights)
    law.gradient(weights[0])
    assert law.stairs is not None
    assert len(law.stairs.trees) == _TREES
    np.testing.assert_allclose(law.predict(weights), before, atol=1e-12)
