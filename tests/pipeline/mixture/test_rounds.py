"""Protects later rounds: inside every limit, apart, repeatable, and better near the optimum than more of the first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mixture.objective import build
from pipeline.mixture.rounds import next_mixes
from pipeline.mixture.selection import choose
from pipeline.mixture.spaces import Bound, limits, natural
from pipeline.mixture.surface import surface

from .helpers import DOMAINS, caps, measured, truth

TABLE = measured(runs=24)
GOAL = build(TABLE, natural(DOMAINS))
MODEL = surface(TABLE, choose(TABLE, seed=0), GOAL)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 9))
def test_mixes_hold_the_limits_and_differ(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    bounds = [Bound((d.name,), 0.0, float(rng.uniform(0.3, 0.9))) for d in DOMAINS]
    within = limits(DOMAINS, 4e6, 4.0, bounds)
    found = next_mixes(MODEL, TABLE.weights, within, count, seed=seed)
    assert 1 <= len(found.mixes) <= count
    assert found.regret >= 0
    np.testing.assert_allclose(found.mixes.sum(axis=1), 1, atol=1e-12)
    assert found.mixes.min() >= 0
    assert np.all((found.mixes == 0) | (found.mixes >= 1e-3)), "a share that a proxy could not realise is none"
    for i, row in enumerate(found.mixes):
        assert within.violations(row).max() <= 1e-6
        assert all(0.5 * np.abs(row - other).sum() >= 0.03 for other in found.mixes[:i])


def test_the_same_seed_asks_for_the_same_mixes_and_another_for_others() -> None:
    one, two, other = (next_mixes(MODEL, TABLE.weights, caps(), 6, seed=seed).mixes for seed in (3, 3, 4))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_later_mixes_are_truly_better_than_the_first_round() -> None:
    """The point of a round: runs near the best mix, where the laws must be right."""
    found = next_mixes(MODEL, TABLE.weights, caps(), 8, seed=0)
    assert np.median(GOAL.value(truth(found.mixes))) < np.quantile(GOAL.value(truth(TABLE.weights)), 0.2)


@pytest.mark.parametrize("count", [1, 3])
def test_the_first_mix_is_the_best_guess(count: int) -> None:
    found = next_mixes(MODEL, TABLE.weights, caps(), count, seed=0)
    best = MODEL.mean(found.mixes[:1])[0]
    assert best <= MODEL.mean(TABLE.weights[[caps().allow(w) for w in TABLE.weights]]).min() + 1e-6
