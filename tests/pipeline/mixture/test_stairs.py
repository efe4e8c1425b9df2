"""Protects the tables of trees: they say what LightGBM says."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mixture.laws.bag import slopes
from pipeline.mixture.laws.lightgbm import LightGBM, _boost
from pipeline.mixture.laws.stairs import LEAVES, Stairs, Tables


def stairs(booster: Any) -> Stairs:
    return Stairs([Tables.of(booster)], [1.0])


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(2, 12), decimals=st.sampled_from([1, 3, 12]))
def test_tables_predict_what_the_booster_does(seed: int, d: int, decimals: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(d, 0.5), 80).round(decimals)
    booster = _boost(weights, rng.normal(size=80), 60)
    asked = np.vstack([weights, rng.dirichlet(np.ones(d), 50), np.eye(d), np.zeros((1, d)), np.full((1, d), 1.02)])
    np.testing.assert_allclose(stairs(booster).predict(asked), booster.predict(asked), atol=1e-12)


def test_trees_that_cannot_split_predict_the_mean() -> None:
    booster = _boost(np.full((20, 3), 1 / 3), np.linspace(-1, 1, 20), 5)
    asked = np.random.default_rng(0).dirichlet(np.ones(3), 4)
    np.testing.assert_allclose(stairs(booster).predict(asked), booster.predict(asked), atol=1e-12)


def test_trees_of_more_leaves_are_refused() -> None:
    import lightgbm

    settings_ = {"num_leaves": LEAVES + 1, "min_data_in_leaf": 1, "verbosity": -1}
    weights = np.random.default_rng(0).dirichlet(np.ones(3), 100)
    booster = lightgbm.train(settings_, lightgbm.Dataset(weights, weights[:, 0], params=settings_), 1)
    with pytest.raises(ValueError, match="tables hold 8"):
        stairs(booster)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6), sizes=st.lists(st.integers(1, 40), min_size=1, max_size=3))
def test_boosters_of_several_sizes_are_one_sum_with_its_own_differences(seed: int, sizes: list[int]) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(5, 0.5), 60).round(3)
    boosters, factors = [_boost(weights, rng.normal(size=60), size) for size in sizes], rng.normal(size=len(sizes))
    together = Stairs([Tables.of(booster) for booster in boosters], factors.tolist())

    def total(asked: np.ndarray) -> np.ndarray:
        return sum(f * booster.predict(asked) for f, booster in zip(factors, boosters, strict=True))

    np.testing.assert_allclose(together.predict(weights), total(weights), atol=1e-12)
    for mix in [*weights[:4], *np.eye(5)]:
        np.testing.assert_allclose(together.slopes(mix, 0.02), slopes(total, mix), atol=1e-9)


def test_the_laws_gradient_is_the_difference_of_its_predictions() -> None:
    rng = np.random.default_rng(1)
    weights = rng.dirichlet(np.ones(4), 60)
    law = LightGBM().fit(weights, np.sqrt(weights[:, 0]) + 0.01 * rng.normal(size=60))
    for mix in [*weights[:5], np.eye(4)[2]]:
        np.testing.assert_allclose(law.gradient(mix), slopes(law.predict, mix), atol=1e-9)
