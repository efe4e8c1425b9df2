"""Protects the swarm: baselines in, caps honoured by construction, no near-duplicates, blocks rotated,
seeded."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mixture.designs import swarm
from pipeline.mixture.spaces import Bound, Domain, limits, natural, uniform

from .helpers import DOMAINS, caps


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(3, 10), repeat=st.floats(1.2, 8))
def test_every_mix_but_the_baselines_honours_the_caps(seed: int, d: int, repeat: float) -> None:
    rng = np.random.default_rng(seed)
    domains = [Domain(f"d{i}", f"d{i}", float(rng.lognormal(13, 1)), True) for i in range(d)]
    within = limits(domains, sum(x.tokens for x in domains), repeat)
    mixes = swarm(domains, 24, seed=seed, within=within, apart=0.01)
    assert len(mixes) == 24
    assert len({m.name for m in mixes}) == 24
    for m in mixes:
        assert m.weights.sum() == pytest.approx(1)
        assert m.weights.min() >= 0
        if m.mix not in ("natural", "uniform"):
            assert within.violations(m.weights).max() <= 1e-6


def test_baselines_replicates_and_blocks() -> None:
    mixes = swarm(DOMAINS, 24, seed=3, within=caps())
    by_name = {m.name: m for m in mixes}
    np.testing.assert_array_equal(by_name["natural-b0"].weights, natural(DOMAINS))
    np.testing.assert_array_equal(by_name["uniform-b1"].weights, uniform(DOMAINS))
    assert sorted(Counter(m.mix for m in mixes).values())[-3:] == [2, 2, 2]
    assert Counter(m.block for m in mixes) == {0: 6, 1: 6, 2: 6, 3: 6}


def test_three_mixes_measure_the_noise_where_natural_is_uniform_too() -> None:
    same = [Domain(name, name, 1e6, True) for name in "abcd"]
    mixes = swarm(same, 16, seed=3)
    counts = Counter(m.mix for m in mixes)
    assert len(mixes) == 16
    assert counts["natural"] == 2
    assert "uniform" not in counts
    repeated = np.array([next(m.weights for m in mixes if m.mix == mix) for mix, count in counts.items() if count > 1])
    assert len(repeated) == 3
    assert (0.5 * np.abs(repeated[:, None] - repeated[None]).sum(axis=2) + np.eye(3)).min() > 0.2


def test_corners_lift_one_domain_and_keep_the_others_proportions() -> None:
    code = next(m for m in swarm(DOMAINS, 24, seed=0, corner_share=0.5) if m.mix == "corner-ocr")
    assert code.weights[3] == pytest.approx(0.5)
    assert code.weights[2] / code.weights[0] == pytest.approx(4.0)


def test_no_two_mixes_are_near() -> None:
    distinct = {m.mix: m.weights for m in swarm(DOMAINS, 24, seed=1)}
    rows = np.array(list(distinct.values()))
    distances = 0.5 * np.abs(rows[:, None] - rows[None]).sum(axis=2) + np.eye(len(rows))
    assert distances.min() >= 0.03


def test_the_seed_decides_and_nothing_else() -> None:
    first, again, other = (swarm(DOMAINS, 16, seed=s) for s in (5, 5, 6))
    assert [m.name for m in first] == [m.name for m in again]
    assert all(np.array_equal(a.weights, b.weights) for a, b in zip(first, again, strict=True))
    assert any(not np.array_equal(a.weights, b.weights) for a, b in zip(first, other, strict=True))


def test_too_few_runs_or_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        swarm(DOMAINS, 5, seed=0)
    narrow = limits(DOMAINS, bounds=[Bound((x.name,), 0.19, 0.21) for x in DOMAINS])
    with pytest.raises(ValueError, match="loosen the limits"):
        swarm(DOMAINS, 24, seed=0, within=narrow)
    with pytest.raises(ValueError, match="no mix satisfies all of"):
        swarm(DOMAINS, 24, seed=0, within=limits(DOMAINS, 1e9, 1.0))
