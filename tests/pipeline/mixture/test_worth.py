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
    found = worths(MODEL, TABLE.weights, weights, NAMES, VARIANTS)["wiki.qa"].weights
    assert found.sum() == pytest.approx(1.0)
    assert found[1] == 0.0
    assert found[0] == pytest.approx(weights[0] + weights[1])
    np.testing.assert_allclose(found[2:], weights[2:])


def test_a_variant_that_hurts_has_a_negative_worth_and_one_that_helps_a_positive_one() -> None:
    weights = np.array([0.1, 0.3, 0.3, 0.1, 0.2])
    hurts = worths(MODEL, TABLE.weights, weights, NAMES, VARIANTS)["wiki.qa"]
    true = GOAL.value(truth(np.stack([hurts.weights, weights])))
    assert true[0] < true[1], "in the truth raw text is better than its rewrite"
    assert hurts.gain < -2 * hurts.se
    helps = worths(MODEL, TABLE.weights, weights, NAMES, {"papers": "nothing"})["papers"]
    assert helps.gain > 2 * helps.se
    assert helps.weights[:4] == pytest.approx(weights[:4] / weights[:4].sum())


def test_a_variant_without_a_share_has_no_worth_and_a_mix_the_swarm_has_not_seen_is_marked() -> None:
    assert worths(MODEL, TABLE.weights, np.array([0.4, 0.0, 0.3, 0.1, 0.2]), NAMES, VARIANTS) == {}
    inside = worths(MODEL, np.eye(5), np.full(5, 0.2), NAMES, VARIANTS)["wiki.qa"]
    outside = worths(MODEL, np.full((1, 5), 0.2), np.full(5, 0.2), NAMES, VARIANTS)["wiki.qa"]
    assert (inside.covered, outside.covered) == (True, False)
