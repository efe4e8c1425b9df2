"""Protects the proposal: inside every constraint, better than the baselines where there is signal, KL as
stated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mixture.laws import LAWS
from pipeline.mixture.objective import build
from pipeline.mixture.polytope import Polytope
from pipeline.mixture.proposer import Proven, propose
from pipeline.mixture.selection import choose, without_blocks
from pipeline.mixture.spaces import Bound, limits, natural, prior, uniform

from .helpers import DOMAINS, caps, measured, truth

TABLE = measured(runs=24)
GOAL = build(TABLE, natural(DOMAINS))
FITS = choose(TABLE, seed=0)
BY_LAW = {law: choose(TABLE, seed=0, laws=(law,)) for law in LAWS}
BASELINES = {"natural": natural(DOMAINS), "uniform": uniform(DOMAINS)}


def test_the_proposal_beats_the_baselines_on_the_truth() -> None:
    found = propose(TABLE, FITS, GOAL, caps(), prior(DOMAINS), baselines=BASELINES, seed=0)
    ours, natural_, uniform_ = GOAL.value(truth(np.stack([found.weights, *BASELINES.values()])))
    assert ours < natural_ - 0.005
    assert ours < uniform_ - 0.005
    assert found.baselines["natural"].gain > 2 * found.baselines["natural"].se
    assert set(found.baselines) == {"natural", "uniform", "best_observed"}
    assert np.all(found.low <= found.weights + 1e-9)
    assert np.all(found.weights <= found.high + 1e-9)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), law=st.sampled_from(list(LAWS)))
def test_constraints_hold_on_random_problems(seed: int, law: str) -> None:
    rng = np.random.default_rng(seed)
    fits = BY_LAW[law]
    inner = rng.dirichlet(np.ones(len(TABLE.runs))) @ TABLE.weights  # inside the hull, so that the set is not empty
    bounds = [
        Bound((d.name,), float(w * rng.uniform(0, 1)), float(min(1, w * rng.uniform(1.0, 3))))
        for d, w in zip(DOMAINS, inner, strict=True)
    ]
    cap = float((limits(DOMAINS, 4e6, 1.0).A @ inner).max() * rng.uniform(1, 2))
    within = limits(DOMAINS, 4e6, cap, bounds)
    found = propose(TABLE, fits, GOAL, within, prior(DOMAINS), baselines=BASELINES, seed=seed)
    for w in (found.weights, found.optimum):
        assert w.min() >= 0
        assert w.sum() == pytest.approx(1, abs=1e-9)
        assert within.violations(w).max() <= 1e-6
        assert Polytope(TABLE.weights, within).contains(w)


def test_more_kl_is_nearer_to_the_prior_and_one_error_away_at_most() -> None:
    def run(strength: float | None):
        return propose(TABLE, FITS, GOAL, caps(), prior(DOMAINS), baselines=BASELINES, seed=0, kl_strength=strength)

    half = propose(TABLE, FITS, GOAL, caps(), prior(DOMAINS), baselines=BASELINES, seed=0, kl_errors=0.5)
    free, some, much, automatic = run(0.0), run(0.01), run(1.0), run(None)
    assert free.kl > some.kl > much.kl
    assert automatic.kl <= free.kl
    assert automatic.predicted >= free.predicted - 1e-9
    assert automatic.kl <= half.kl <= free.kl
    np.testing.assert_array_equal(free.weights, free.optimum)


def test_linear_stays_in_the_swarms_region_unless_told_otherwise() -> None:
    fits = BY_LAW["linear"]
    args = (TABLE, fits, GOAL, limits(DOMAINS), prior(DOMAINS))
    inside = propose(*args, baselines=BASELINES, seed=0, kl_strength=0.0)
    outside = propose(*args, baselines=BASELINES, seed=0, kl_strength=0.0, extrapolate=True)
    assert outside.weights.max() > 0.999
    assert outside.predicted < inside.predicted
    assert Polytope(TABLE.weights, limits(DOMAINS)).contains(inside.weights)
    assert any("linear law" in w for w in inside.warnings)


def test_best_observed_is_the_lowest_mean_over_replicates() -> None:
    best = propose(TABLE, FITS, GOAL, caps(), prior(DOMAINS), baselines=BASELINES, seed=0).best_observed
    values = GOAL.value(without_blocks(TABLE, FITS))
    means = [values[TABLE.groups == group].mean() for group in TABLE.groups]
    assert best.measured == pytest.approx(min(means))
    assert means[TABLE.runs.index(best.run)] == pytest.approx(min(means))


def test_same_inputs_give_the_same_bytes() -> None:
    one, two = (propose(TABLE, FITS, GOAL, caps(), prior(DOMAINS), baselines=BASELINES, seed=4) for _ in range(2))
    assert one.weights.tobytes() == two.weights.tobytes()
    assert one.high.tobytes() == two.high.tobytes()


def test_colliding_limits_are_named() -> None:
    within = limits(DOMAINS, bounds=[Bound(("code",), 0.7), Bound(("papers",), 0.6)])
    with pytest.raises(ValueError, match=r"weight of code >= 0.7; weight of papers >= 0.6"):
        propose(TABLE, FITS, GOAL, within, prior(DOMAINS), baselines=BASELINES, seed=0)


def test_a_proven_proposal_stays_and_what_is_better_stands_beside_it() -> None:
    """New evals must train nothing: the mixes with a proof stay, and a better one is named with its gain and SE."""

    def run(proven: Proven | None):
        return propose(
            TABLE, BY_LAW["gaussian_process"], GOAL, caps(), prior(DOMAINS), baselines=BASELINES, seed=0, proven=proven
        )

    free = run(None)
    assert free.successor is None
    near = run(Proven(0.999 * free.weights + 0.001 * natural(DOMAINS), 0.5, TABLE.runs[3]))
    assert near.successor is None, "a proven mix that the laws cannot tell from the best needs no successor"
    assert near.kl_strength == 0.5
    far = run(Proven(natural(DOMAINS), 0.5, TABLE.runs[3]))
    assert np.array_equal(far.weights, natural(DOMAINS))
    assert far.successor is not None
    np.testing.assert_allclose(far.successor.weights, free.weights)
    assert far.successor.gain == pytest.approx(free.baselines["natural"].gain)
    assert far.successor.se == pytest.approx(free.baselines["natural"].se)
    assert far.best_observed.run in TABLE.runs
    same_mix = far.best_observed.weights == TABLE.weights[TABLE.runs.index(TABLE.runs[3])]
    assert same_mix.all()
    assert any(text.startswith(f"run {free.best_observed.run} measures best") for text in far.warnings)
