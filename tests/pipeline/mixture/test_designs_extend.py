"""Protects a swarm that grows: new runs only, all for the new domains, inside the limits and apart from the old."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mixture.designs import METHODS, Mix, extend, swarm
from pipeline.mixture.spaces import Bound, Domain, Limits, limits, natural, uniform

RUNS = 24


def planted(seed: int, d: int) -> list[Domain]:
    rng = np.random.default_rng(seed)
    return [Domain(f"d{i}", f"d{i}", float(rng.lognormal(13, 1)), True) for i in range(d)]


def grown(domains: list[Domain], new: list[str], old: list[Mix], **options) -> list[Mix]:
    """Extend a swarm over all domains but the new ones, which stand last."""
    taken = [np.append(mix.weights, np.zeros(len(new))) for mix in old]
    filled = [sum(mix.block == block for mix in old) for block in range(4)]
    return extend(domains, new, taken, RUNS, filled=filled, seed=5, **options)


@settings(max_examples=15, deadline=None)
@given(
    method=st.sampled_from(sorted(METHODS)),
    seed=st.integers(0, 10**6),
    d=st.integers(3, 8),
    count=st.integers(1, 2),
    repeat=st.floats(2, 8),
)
def test_new_runs_keep_limits_distance_and_a_weight_on_a_new_domain(
    method: str, seed: int, d: int, count: int, repeat: float
) -> None:
    domains = planted(seed, d + count)
    budget = sum(x.tokens for x in domains)
    within = limits(domains, budget, repeat)
    # the corners' own levels leave room for fewer
    old = swarm(domains[:d], RUNS, seed=seed, within=limits(domains[:d], budget, 20), apart=0.01)
    new = [x.name for x in domains[d:]]
    added = grown(domains, new, old, method=method, within=within, apart=0.01)
    assert len({mix.name for mix in added}) == len(added)
    others = [np.append(mix.weights, np.zeros(count)) for mix in old]
    seen: set[str] = set()
    most = min(1.0, sum(repeat * x.tokens / budget for x in domains[d:]))
    for mix in added:
        assert mix.weights.sum() == pytest.approx(1)
        assert mix.weights[d:].sum() >= min(0.01, most / 2) - 1e-6
        if mix.mix not in ("natural", "uniform"):
            assert within.violations(mix.weights).max() <= 1e-6
        if mix.mix not in seen:
            assert min(0.5 * np.abs(mix.weights - other).sum() for other in others) >= min(0.01, most / 2) - 1e-6
            others.append(mix.weights)
        seen.add(mix.mix)
    blocks = [sum(mix.block == block for mix in (*old, *added)) for block in range(4)]
    assert max(blocks) - min(blocks) <= 1, "blocks are balanced over old and new runs"
    again = grown(domains, new, old, method=method, within=within, apart=0.01)
    assert all(a.name == b.name and np.array_equal(a.weights, b.weights) for a, b in zip(added, again, strict=True))


def test_a_domain_gets_its_share_of_the_runs_a_corner_and_the_baselines() -> None:
    domains = planted(3, 6)
    old = swarm(domains[:5], RUNS, seed=3)
    added = grown(domains, ["d5"], old)
    assert [mix.name for mix in added[:4]] == ["natural-b0", "natural-b1", "uniform-b0", "uniform-b1"]
    np.testing.assert_array_equal(added[0].weights, natural(domains))
    np.testing.assert_array_equal(added[2].weights, uniform(domains))
    assert added[4].mix == "corner-d5"
    assert added[4].weights[5] == pytest.approx(0.35)
    assert len(added) == 4 + 4, "a sixth of 24 runs beside the baselines"
    assert all(mix.mix.startswith("dirichlet-") for mix in added[5:]), "no corner of a domain that has one"


def test_what_is_measured_is_not_asked_for_again() -> None:
    """A variant has no part in natural, which stays the same mix."""
    raw = planted(3, 4)
    domains = [*raw, Domain("d0.qa", "d0", raw[0].tokens / 3, False)]
    added = grown(domains, ["d0.qa"], swarm(raw, RUNS, seed=3))
    assert {mix.mix.split("-")[0] for mix in added} == {"uniform", "corner", "dirichlet"}


def test_a_swarm_of_which_little_is_left_is_filled_up() -> None:
    domains = planted(3, 6)
    old = swarm(domains[:5], RUNS, seed=3)[:7]
    assert len(old) + len(grown(domains, ["d5"], old)) == RUNS


def test_limits_that_leave_too_little_room_are_named() -> None:
    domains = planted(3, 4)
    old = swarm(domains[:3], RUNS, seed=3)
    narrow: Limits = limits(domains, bounds=[Bound((x.name,), 0.24, 0.26) for x in domains])
    with pytest.raises(ValueError, match="with a weight on d3 fit inside the limits, 6 are wanted: loosen the limits"):
        grown(domains, ["d3"], old, within=narrow)
