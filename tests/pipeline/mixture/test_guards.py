"""Protects `no_worse_than`: what is guarded is predicted no worse than at the baseline, and the rest is still best."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from pipeline.mixture.guards import guards
from pipeline.mixture.laws import LAWS
from pipeline.mixture.objective import build
from pipeline.mixture.polytope import Polytope
from pipeline.mixture.proposer import Proposal, Proven, propose
from pipeline.mixture.selection import choose
from pipeline.mixture.spaces import Bound, limits, natural, prior, uniform

from .helpers import DOMAINS, caps, measured

TABLE = measured(runs=24)
GOAL = build(TABLE, natural(DOMAINS))
BY_LAW = {law: choose(TABLE, seed=0, laws=(law,)) for law in LAWS}
POWER = BY_LAW["power"]
BASELINES = {"natural": natural(DOMAINS), "uniform": uniform(DOMAINS)}


def solve(wanted: dict[str, str], fits=POWER, goal=GOAL, within=None, **more) -> Proposal:
    within = caps() if within is None else within
    return propose(TABLE, fits, goal, within, prior(DOMAINS), baselines=BASELINES, seed=0, no_worse_than=wanted, **more)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    law=st.sampled_from(list(LAWS)),
    wanted=st.dictionaries(st.sampled_from([*TABLE.tasks, "heldout"]), st.just("natural"), min_size=1),
    maximise=st.sampled_from([(), ("heldout/wiki",), ("bench",)]),
    kl=st.sampled_from([None, 0.0, 0.02]),
)
def test_guards_hold_on_random_problems(
    seed: int, law: str, wanted: dict[str, str], maximise: tuple[str, ...], kl: float | None
) -> None:
    rng = np.random.default_rng(seed)
    fits = BY_LAW[law]
    goal = build(TABLE, natural(DOMAINS), maximise=maximise)
    bounds = [
        Bound((d.name,), float(w * rng.uniform(0, 1)), float(min(1, w * rng.uniform(1, 3) + 0.1)))
        for d, w in zip(DOMAINS, natural(DOMAINS), strict=True)
    ]
    within = limits(DOMAINS, 4e6, 4.0, bounds)
    found = solve(wanted, fits, goal, within, kl_strength=kl)
    kept = guards(wanted, fits, goal, BASELINES)
    mixes = np.stack([found.weights, found.optimum, *(point.weights for point in found.front)])
    assert kept.excess(mixes).max() <= 1e-6
    for w in mixes:
        assert within.violations(w).max(initial=0.0) <= 1e-6
        assert Polytope(TABLE.weights, within).contains(w)
        assert w.min() >= 0
    assert found.optimum_predicted <= found.baselines["natural"].predicted + 1e-9


def test_a_guard_that_holds_anyway_changes_nothing() -> None:
    free = solve({})
    still = solve({"bench": "natural"})
    np.testing.assert_allclose(still.weights, free.weights, atol=1e-4)
    assert not [name for name in still.binding if "bench" in name]


def test_under_linear_laws_the_guarded_optimum_is_that_of_the_linear_program() -> None:
    fits = BY_LAW["linear"]
    within = limits(DOMAINS, bounds=[Bound(("papers",), 0.0, 0.3)])
    found = solve({"heldout/wiki": "natural", "heldout/code": "natural"}, fits, within=within, kl_strength=0.0)
    kept = guards({"heldout": "natural"}, fits, GOAL, BASELINES)
    slopes = np.array([fit.model.gradient(natural(DOMAINS)) for fit in fits])
    corners, rows = TABLE.weights, kept.gradient(natural(DOMAINS))
    exact = linprog(
        corners @ (GOAL.factors @ slopes),
        A_ub=np.vstack([rows @ corners.T, within.A @ corners.T]),
        b_ub=np.concatenate([rows @ natural(DOMAINS), within.b]),
        A_eq=np.ones((1, len(corners))),
        b_eq=[1.0],
    )
    best = corners.T @ exact.x
    assert found.optimum_predicted == pytest.approx(sum(
        factor * fit.model.predict(best[None])[0] for factor, fit in zip(GOAL.factors, fits, strict=True)
    ), abs=1e-5)  # fmt: skip


def test_what_binds_is_named_and_costs_something() -> None:
    heavy = build(TABLE, natural(DOMAINS), weights={"heldout/code": 0.01})
    free, held = solve({}, goal=heavy, kl_strength=0.0), solve({"heldout": "natural"}, goal=heavy, kl_strength=0.0)
    assert "heldout/code no worse than natural" in held.binding
    assert held.optimum_predicted > free.optimum_predicted
    # what guards leave out must not come back through the range of equally good mixes
    assert held.high[2] >= held.weights[2]


def test_guards_that_collide_are_named_and_the_others_are_not() -> None:
    """Nothing is as good for wiki as all wiki and for code as all code."""
    mixes = {**BASELINES, "all_wiki": np.eye(5)[0], "all_code": np.eye(5)[2]}
    wanted = {"bench/papers": "natural", "heldout/wiki": "all_wiki", "heldout/code": "all_code"}
    with pytest.raises(ValueError, match="no mix within") as error:
        propose(
            TABLE, POWER, GOAL, caps(), prior(DOMAINS), baselines=mixes, seed=0, no_worse_than=wanted, extrapolate=True
        )
    assert "all_wiki" in str(error.value) or "all_code" in str(error.value)
    assert "bench/papers" not in str(error.value)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="did you mean `natural`"):
        solve({"bench": "natrual"})
    with pytest.raises(ValueError, match="unknown tasks or families: benhc"):
        solve({"benhc": "natural"})


def test_a_proven_proposal_that_breaks_a_guard_is_kept_with_a_warning() -> None:
    all_papers = TABLE.weights[np.argmax(TABLE.weights[:, 4])]
    kept = solve({"heldout/code": "natural"}, proven=Proven(all_papers, 0.0, TABLE.runs[0]))
    np.testing.assert_array_equal(kept.weights, all_papers)
    assert any("breaks a guard: heldout/code no worse than natural" in text for text in kept.warnings)
