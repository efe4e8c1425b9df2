"""Protects every design method: limits and minimum weight by construction, no near-duplicates, seeded; and `pick`."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mixture.designs import METHODS, Mix, pick, swarm
from pipeline.mixture.designs.dirichlet import STRENGTHS, draw
from pipeline.mixture.spaces import Bound, Domain, limits

from .helpers import DOMAINS, caps


def tried(mixes: Sequence[Mix]) -> np.ndarray:
    """Distinct mixes that a method chose: (m, d)."""
    return np.array(list({m.mix: m.weights for m in mixes if m.mix not in ("natural", "uniform")}.values()))


# What `spread` gave before there were other methods: published figures rest on it.
SPREAD = {
    "dirichlet-005-b0": (0.0, 0.126369172, 0.814544678, 0.054857293, 0.004228856),
    "corner-wiki.qa-b3": (0.0975, 0.35, 0.39, 0.0325, 0.13),
    "corner-code-b2": (0.130434783, 0.130434783, 0.52173913, 0.043478261, 0.173913043),
    "dirichlet-000-b3": (0.080086408, 0.113072105, 0.547775301, 0.0, 0.259066185),
    "dirichlet-001-b0": (0.3785567, 0.229053566, 0.0, 0.269740832, 0.122648902),
    "dirichlet-004-b3": (0.146077901, 0.181350358, 0.056943147, 0.365952499, 0.249676095),
}


def test_the_default_gives_the_mixes_that_it_always_gave() -> None:
    mixes = {m.name: m.weights for m in swarm(DOMAINS, 16, seed=5, within=caps())}
    for name, weights in SPREAD.items():
        np.testing.assert_allclose(mixes[name], weights, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(4, 9), floor=st.sampled_from([0.0, 0.01, 0.04]))
def test_limits_hold_and_no_weight_is_too_small(method: str, seed: int, d: int, floor: float) -> None:
    rng = np.random.default_rng(seed)
    domains = [Domain(f"d{i}", f"o{i // 2}", float(rng.lognormal(13, 1)), i % 2 == 0) for i in range(d)]
    bounds = [Bound(("d0",), 0.01, 0.5), Bound(("d1", "d2"), 0.05, 0.8)]
    within = limits(domains, sum(x.tokens for x in domains), 6.0, bounds)
    mixes = swarm(domains, 12, seed=seed, method=method, within=within, apart=0.01, min_weight=floor)
    assert len(mixes) == 12
    assert len({m.name for m in mixes}) == 12
    rows = tried(mixes)
    least = floor if method == "spread" else max(floor, 1e-3)
    assert rows[rows > 0].min() >= least - 1e-9
    for w in rows:
        assert w.sum() == pytest.approx(1)
        assert w.min() >= 0
        assert within.violations(w).max() <= 1e-6
    every = np.vstack([rows, *(m.weights[None] for m in mixes if m.name in ("natural-b0", "uniform-b0"))])
    distances = 0.5 * np.abs(every[:, None] - every[None]).sum(axis=2) + np.eye(len(every))
    assert distances.min() >= 0.01 - 1e-12


@pytest.mark.parametrize("method", METHODS)
def test_baselines_are_in_and_the_seed_decides(method: str) -> None:
    first, again, other = (swarm(DOMAINS, 16, seed=s, method=method, within=caps()) for s in (5, 5, 6))
    assert {"natural-b0", "natural-b1", "uniform-b0", "uniform-b1"} <= {m.name for m in first}
    assert all(np.array_equal(a.weights, b.weights) for a, b in zip(first, again, strict=True))
    same = all(np.array_equal(a.weights, b.weights) for a, b in zip(first, other, strict=True))
    assert same == (method == "corners")  # which draws nothing


def test_an_unknown_method_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="no design method `d_optimum` \\(did you mean `d_optimal`"):
        swarm(DOMAINS, 16, seed=0, method="d_optimum")


def test_a_domain_that_its_cap_holds_below_the_least_weight_is_left_out() -> None:
    tiny = (*DOMAINS, Domain("notes", "notes", 2e3, True))
    within = limits(tiny, 4e6, 4.0)  # four epochs of the notes are 0.2 % of the run
    rows = tried(swarm(tiny, 16, seed=0, within=within, min_weight=0.01))
    assert rows[:, -1].max() == 0
    assert (rows[:, :-1].max(axis=0) > 0.1).all()


def test_dirichlet_tries_edges_and_middles_as_its_strengths_say() -> None:
    rng = np.random.default_rng(0)
    prior = np.array([0.5, 0.3, 0.2])
    flat = [Domain(n, n, 1.0, True) for n in "abc"]
    largest = {s: np.mean([draw(flat, prior, 1.0, s, rng).max() for _ in range(300)]) for s in (STRENGTHS[0], 50.0)}
    assert largest[STRENGTHS[0]] > 0.9
    assert largest[50.0] < 0.65
    mean = np.mean([draw(flat, prior, 1.0, 5.0, rng) for _ in range(4000)], axis=0)
    np.testing.assert_allclose(mean, prior, atol=0.02)


def test_draws_are_hierarchical_a_source_first_and_then_its_variants() -> None:
    rng = np.random.default_rng(0)
    family = [
        Domain("a", "a", 1.0, True),
        *(Domain(f"a.{i}", "a", 1.0, False) for i in range(3)),
        Domain("b", "b", 1.0, True),
    ]
    centre = np.array([0.125] * 4 + [0.5])
    rows = np.array([draw(family, centre, 1.0, 2.0, rng) for _ in range(4000)])
    source = rows[:, :4].sum(axis=1)
    # Dirichlet(1, 1) over two sources: the first one's share is uniform, whatever number of variants it has
    assert source.mean() == pytest.approx(0.5, abs=0.02)
    assert source.var() == pytest.approx(1 / 12, abs=0.005)
    inside = rows[:, 0] / source
    assert inside.mean() == pytest.approx(0.25, abs=0.02)
    assert np.corrcoef(inside, source)[0, 1] == pytest.approx(0.0, abs=0.06)


def test_d_optimal_designs_tell_more_of_the_coefficients_than_random_ones() -> None:
    def information(rows: np.ndarray, curved: bool) -> float:
        x = np.hstack([rows, np.sqrt(rows)]) if curved else rows
        return float(np.linalg.slogdet(x.T @ x + 1e-6 * np.eye(x.shape[1]))[1])

    for method, curved in (("d_optimal", True), ("d_optimal_linear", False)):
        found = information(tried(swarm(DOMAINS, 24, seed=1, method=method)), curved)
        for other in ("spread", "dirichlet", "space_filling"):
            assert found > information(tried(swarm(DOMAINS, 24, seed=1, method=other)), curved)


def test_space_filling_leaves_no_hole_that_spread_leaves() -> None:
    def hole(method: str) -> float:
        rows = np.sqrt(tried(swarm(DOMAINS, 40, seed=3, method=method)))
        probe = np.sqrt(np.random.default_rng(9).dirichlet(np.full(5, 0.6), 2000))
        return float(np.sqrt(((probe[:, None] - rows[None]) ** 2).sum(axis=2)).min(axis=1).max())

    assert hole("space_filling") < hole("dirichlet")


def test_corners_move_one_domain_and_keep_the_others_proportions() -> None:
    mixes = {m.mix: m.weights for m in swarm(DOMAINS, 24, seed=0, method="corners")}
    assert mixes["corner-ocr"][3] == pytest.approx(0.35)
    assert mixes["corner-code-0"][2] == 0
    assert mixes["corner-code-0"][4] / mixes["corner-code-0"][0] == pytest.approx(2 / 1.5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 40), share=st.floats(0, 1), before=st.integers(0, 4))
def test_pick_gives_distinct_rows_and_repeats_itself(seed: int, n: int, share: float, before: int) -> None:
    rng = np.random.default_rng(seed)
    pool, count = rng.dirichlet(np.full(6, 0.4), n), round(share * n)
    taken = rng.dirichlet(np.ones(6), before)
    rows = pick(pool, count, seed, taken)
    assert len(rows) == count == len(set(rows.tolist()))
    assert set(rows.tolist()) <= set(range(n))
    np.testing.assert_array_equal(rows, pick(pool, count, seed, taken))


def test_pick_avoids_what_has_run_and_what_it_has_picked() -> None:
    rng = np.random.default_rng(1)
    taken = rng.dirichlet(np.ones(5), 8)
    fresh = rng.dirichlet(np.full(5, 0.3), 8)
    pool = np.vstack([taken, fresh, fresh])
    rows = pick(pool, 8, 0, taken)
    assert rows.min() >= 8
    assert len({(row - 8) % 8 for row in rows.tolist()}) == 8
    start = {int(pick(pool, 1, seed)[0]) for seed in range(10)}
    assert len(start) > 1  # with nothing taken, the seed says where to begin


def test_pick_refuses_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match="9 mixes cannot be picked from a pool of 8"):
        pick(np.full((8, 2), 0.5), 9, 0)
    with pytest.raises(ValueError, match="pool has 2 domains, the mixes taken 3"):
        pick(np.full((8, 2), 0.5), 2, 0, np.full((1, 3), 1 / 3))
