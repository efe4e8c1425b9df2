"""Protects a fit whose runs hold a domain that is gone: the laws know it, nothing that is proposed has any of it."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.mixture.face import on_face, without
from pipeline.mixture.objective import build
from pipeline.mixture.polytope import Polytope
from pipeline.mixture.proposer import propose
from pipeline.mixture.selection import choose
from pipeline.mixture.spaces import limits, natural, prior, uniform

from .helpers import DOMAINS, measured, truth

TABLE = measured(runs=24)
LEFT = DOMAINS[:-1]  # papers are gone
FITS = choose(TABLE, seed=0, laws=("power", "gaussian_process"))
NATURAL = np.append(natural(LEFT), 0.0)
GOAL = build(
    TABLE, NATURAL, predicted=np.array([float(fit.model.predict(NATURAL[None])[0]) for fit in FITS]), force=["bench"]
)
WITHIN = limits(LEFT, 4e6, 4.0)
BASELINES = {"natural": natural(LEFT), "uniform": uniform(LEFT)}


@pytest.mark.parametrize("law", ["linear", "power", "quadratic", "gaussian_process"])
def test_a_law_on_the_face_says_what_it_says_of_the_whole_mix(law: str) -> None:
    fits = choose(TABLE, seed=0, laws=(law,))
    some = np.random.default_rng(0).dirichlet(np.ones(4), 6)
    whole = np.hstack([some, np.zeros((6, 1))])
    for fit, faced in zip(fits, on_face(fits, 1), strict=True):
        np.testing.assert_array_equal(faced.model.predict(some), fit.model.predict(whole))
        np.testing.assert_array_equal(faced.predict(some)[1], fit.predict(whole)[1])
        np.testing.assert_array_equal(faced.model.covariance(some), fit.model.covariance(whole))
        np.testing.assert_array_equal(faced.model.gradient(some[0]), fit.model.gradient(whole[0])[:4])
        assert (faced.model.name, faced.model.convex) == (fit.model.name, fit.model.convex)
    assert on_face(fits, 0) == fits


def test_mixes_without_what_is_gone_keep_their_proportions_and_must_have_half_left() -> None:
    rows = np.array([[0.5, 0.5, 0.0], [0.3, 0.3, 0.4], [0.1, 0.2, 0.7]])
    left, kept = without(rows, 1)
    np.testing.assert_array_equal(kept, [0, 1])
    np.testing.assert_allclose(left, [[0.5, 0.5], [0.5, 0.5]])
    left, kept = without(rows[2:], 1)
    np.testing.assert_allclose(
        left, [[1 / 3, 2 / 3]], err_msg="where all lose more than half, the one that loses least"
    )
    assert without(rows, 0)[0] is rows
    with pytest.raises(ValueError, match="no run of the swarm has any of the domains that are left"):
        without(np.array([[0.0, 0.0, 1.0]]), 1)


@pytest.mark.parametrize("extrapolate", [False, True])
def test_the_proposal_is_over_what_is_left_and_better_than_the_baselines(extrapolate: bool) -> None:
    found = propose(
        TABLE, FITS, GOAL, WITHIN, prior(LEFT), baselines=BASELINES, seed=0, gone=1, extrapolate=extrapolate
    )
    assert found.weights.shape == (4,)
    assert found.weights.sum() == pytest.approx(1)
    assert WITHIN.violations(found.weights).max() <= 1e-6
    assert extrapolate or Polytope(without(TABLE.weights, 1)[0], WITHIN).contains(found.weights)
    mixes = np.stack([found.weights, *BASELINES.values()])
    ours, natural_, uniform_ = GOAL.value(truth(np.hstack([mixes, np.zeros((3, 1))])))
    assert ours < min(natural_, uniform_) - 0.001
    assert found.baselines["natural"].predicted == pytest.approx(1), "the reference is the law's own"
    assert np.isfinite(found.kl)


def test_best_observed_has_nothing_of_what_is_gone_or_is_said_to_have_lost_it() -> None:
    weights = TABLE.weights.copy()
    weights[7] = np.append(without(weights[7:8], 1)[0][0], 0.0)
    some = replace(TABLE, weights=weights)
    found = propose(some, FITS, GOAL, WITHIN, prior(LEFT), baselines=BASELINES, seed=0, gone=1)
    free = np.flatnonzero(weights[:, -1] == 0)
    assert len(free) < len(weights)
    assert found.best_observed.run in [TABLE.runs[row] for row in free]
    assert not found.best_observed.altered
    none = replace(TABLE, weights=0.9 * TABLE.weights + 0.1 * np.eye(5)[4])
    found = propose(none, FITS, GOAL, WITHIN, prior(LEFT), baselines=BASELINES, seed=0, gone=1)
    assert found.best_observed.altered
    assert found.best_observed.weights.sum() == pytest.approx(1)
    text = (
        f"every run has some of what is no longer on offer: best observed is run {found.best_observed.run} without it"
    )
    assert text in found.warnings
