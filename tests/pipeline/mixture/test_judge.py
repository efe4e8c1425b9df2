"""Protects the verdict: the paired t-test, its pooled SD, and what is said when nothing is won."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from pipeline.mixture.judge import judge


def measured(rows: dict[str, list[float]]) -> dict[str, dict[int, float]]:
    return {name: dict(enumerate(row)) for name, row in rows.items()}


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 12))
def test_two_mixes_are_the_paired_t_test(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    ours, theirs = rng.normal(0, 1, n), rng.normal(0.3, 1, n)
    found = judge(measured({"proposal": ours.tolist(), "natural": theirs.tolist()})).comparisons["natural"]
    expected = ttest_rel(theirs, ours, alternative="greater")
    assert found.p_value == pytest.approx(float(expected.pvalue), rel=1e-9)
    assert found.t == pytest.approx(float(expected.statistic), rel=1e-9)


def test_a_seeds_common_effect_is_no_noise_and_all_mixes_pool_the_sd() -> None:
    rng = np.random.default_rng(0)
    seeds, noise = 10 * rng.normal(size=400), 0.1 * rng.normal(size=(4, 400))
    rows = {n: (m + seeds + e).tolist() for n, m, e in zip("abcd", (1.0, 1.1, 1.0, 1.2), noise, strict=True)}
    found = judge(measured({"proposal": rows.pop("a"), **rows}))
    assert found.sd == pytest.approx(0.1, rel=0.05)
    assert found.freedom == 3 * 399
    assert found.comparisons["b"].wins
    assert not found.comparisons["c"].wins
    assert found.comparisons["b"].se == pytest.approx(found.sd * (2 / 400) ** 0.5)
    assert found.headline == "The proposal beats b and d, but not c."


def test_false_wins_come_at_the_stated_level() -> None:
    rng = np.random.default_rng(1)
    wins = [
        judge(measured({n: rng.normal(size=5).tolist() for n in ("proposal", "natural", "uniform")}))
        .comparisons["natural"]
        .wins
        for _ in range(2000)
    ]
    assert np.mean(wins) == pytest.approx(0.025, abs=0.01)


def test_a_baseline_that_is_the_proposal_is_not_tested() -> None:
    found = judge(measured({"proposal": [1.0, 1.1], "natural": [2.0, 2.15]}), same_as_proposal=("best_observed",))
    same = found.comparisons["best_observed"]
    assert same.same
    assert same.gain == 0
    assert same.p_value == 1.0
    assert not same.wins
    assert found.mixes["best_observed"] == found.mixes["proposal"]


def test_losing_is_said_first() -> None:
    found = judge(measured({"proposal": [2.0, 2.1, 2.0], "natural": [1.0, 1.1, 1.05]}))
    assert found.headline == "The proposal does not win: it beats none of natural."
    assert "loses to natural" in found.comparisons["natural"].verdict


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"natural": {0: 1.0}}, "no measurement of proposal"),
        (
            {"proposal": {0: 1.0, 1: 1.0}, "natural": {0: 1.0, 2: 1.0}},
            "not measured on the seeds of proposal: natural",
        ),
        ({"proposal": {0: 1.0}, "natural": {0: 1.0}}, "at least 2"),
        ({"proposal": {0: 1.0, 1: 2.0}, "natural": {0: 1.0, 1: float("nan")}}, "finite"),
    ],
)
def test_unusable_measurements_are_refused(values, message) -> None:
    with pytest.raises(ValueError, match=message):
        judge(values)
