"""Protects what a report says a variant is worth: the mix without it keeps all weight, and the sign is right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.mixture.objective import build
from pipeline.mixture.selection import choose
from pipeline.mixture.spaces import natural
from pipeline.mixture.surface import surface
from pipeline.mixture.worth import worths

from .helpers import DOMAINS, measured, truth

TABLE = measured(runs=24)
GOAL = build(TABLE, natural(DOMAINS))
MODEL = surface(TABLE, choose(TABLE, seed=0, laws=("log_linear",)), GOAL)
NAMES = [each.name for each in DOMAINS]
VARIANTS = {"wiki.qa": "wiki"}


@given(st.integers(0, 10**6))
def test_the_share_goes_to_the_origins_raw_text(seed: int) -> None:
    weights = np.random.default_rng(seed).dirichlet(np.ones(5))
    worth = worths(MODEL, np.eye(5), weights, NAMES, VARIANTS)["wiki.qa"]
    found = worth.weights
    assert worth.part == 1.0, "every mix was covered"
    assert found.sum() == pytest.approx(1.0)
    assert found[1] == 0.0
    assert found[0] == pytest.approx(weights[0] + weights[1])
    np.testing.assert_allclose(found[2:], weights[2:])


def test_a_variant_that_hurts_has_a_negative_worth_and_one_that_helps_a_positive_one() -> None:
    weights = np.array([0.1, 0.3, 0.3, 0.1, 0.2])
    hurts = worths(MODEL, np.eye(5), weights, NAMES, VARIANTS)["wiki.qa"]
    true = GOAL.value(truth(np.stack([hurts.weights, weights])))
    assert true[0] < true[1], "in the truth raw text is better than its rewrite"
    assert hurts.gain < -2 * hurts.se
    helps = worths(MODEL, np.eye(5), weights, NAMES, {"papers": "nothing"})["papers"]
    assert helps.gain > 2 * helps.se
    assert helps.weights[:4] == pytest.approx(weights[:4] / weights[:4].sum())


def test_a_variant_without_a_share_has_no_worth_and_a_mix_the_swarm_has_not_seen_is_marked() -> None:
    assert worths(MODEL, TABLE.weights, np.array([0.4, 0.0, 0.3, 0.1, 0.2]), NAMES, VARIANTS) == {}
    even = np.full(5, 0.2)
    half = worths(MODEL, np.stack([even, [0.32, 0.08, 0.2, 0.2, 0.2]]), even, NAMES, VARIANTS)["wiki.qa"]
    assert (half.part, half.covered) == (0.5, True)
    assert half.weights == pytest.approx([0.3, 0.1, 0.2, 0.2, 0.2])
    outside = worths(MODEL, even[None], even, NAMES, VARIANTS)["wiki.qa"]
    assert (outside.part, outside.covered) == (0.125, False)
