"""Rank agreement of two sizes of proxies is that of scipy, counts what it says, and is not flattered by copies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr

from pipeline.mixture.judge import Judgement, judge
from pipeline.mixture.transfer import agreement

NAMES = ("proposal", "natural", "uniform", "best_observed", "ours")


def judgement(means: list[float], noise: float = 0.001, same: tuple[str, ...] = (), seed: int = 0) -> Judgement:
    rng = np.random.default_rng(seed)
    rows = {n: dict(enumerate((m + noise * rng.normal(size=4)).tolist())) for n, m in zip(NAMES, means, strict=False)}
    return judge(rows, same_as_proposal=same)


@settings(max_examples=50, deadline=None)
@given(st.permutations([1.0, 1.1, 1.2, 1.3, 1.4]), st.permutations([1.0, 1.1, 1.2, 1.3, 1.4]))
def test_it_is_kendall_and_spearman_over_the_mixes(low: list[float], high: list[float]) -> None:
    found = agreement(judgement(low), judgement(high, seed=1))
    assert found.kendall == pytest.approx(float(kendalltau(low, high).statistic))
    assert found.spearman == pytest.approx(float(spearmanr(low, high).statistic))
    assert found.pairs == found.told == 10, "mixes 100 SDs apart are told apart"
    assert found.kendall == pytest.approx((2 * found.alike - found.pairs) / found.pairs)
    assert found.kept == found.alike


def test_a_pair_that_the_small_proxies_cannot_tell_apart_is_no_broken_promise() -> None:
    small = judgement([1.0, 1.0001, 1.2], noise=0.01)
    assert small.mixes["proposal"].mean != small.mixes["natural"].mean
    order = [small.mixes[name].mean for name in NAMES[:3]]
    swapped = [order[1], order[0], order[2]]
    found = agreement(small, judgement(swapped, noise=1e-6))
    assert (found.pairs, found.alike) == (3, 2)
    assert (found.told, found.kept) == (2, 2)


def test_a_baseline_that_is_the_proposal_counts_once() -> None:
    one = judgement([1.0, 1.2, 1.1, 1.0], same=("best_observed",))
    found = agreement(one, judgement([1.0, 1.3, 1.1, 1.0], same=("best_observed",), seed=1))
    assert (found.mixes, found.pairs, found.alike) == (3, 3, 3)


def test_mixes_that_all_measure_the_same_have_no_rank() -> None:
    found = agreement(judgement([1.0, 1.0, 1.0], noise=0), judgement([1.0, 1.1, 1.2]))
    assert found.kendall is None
    assert found.spearman is None
    assert found.told == 0


def test_other_mixes_are_refused() -> None:
    with pytest.raises(ValueError, match="measured at one size only: best_observed"):
        agreement(judgement([1.0, 1.1, 1.2, 1.3]), judgement([1.0, 1.1, 1.2]))
