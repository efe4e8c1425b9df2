"""Protects the laws: planted coefficients come back, contrasts are right, order of rows and domains is no
information."""

import importlib
import itertools
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from pipeline.mixture.laws import LAWS, bent, gaussian_process
from pipeline.mixture.laws.bent import Bent
from pipeline.mixture.laws.blend import Blend, members_for, shares_of
from pipeline.mixture.laws.gaussian_process import GaussianProcess
from pipeline.mixture.laws.linear import Linear
from pipeline.mixture.laws.log_linear import LogLinear
from pipeline.mixture.laws.power import Power
from pipeline.mixture.laws.ridge import Ridge
from pipeline.mixture.selection import choose

from .helpers import measured

# Trees are a staircase that a fresh draw of runs for every tree shapes: they have tests of their own.
SMOOTH = [name for name in LAWS if name != "lightgbm"]
RNG = np.random.default_rng(0)
WEIGHTS = RNG.dirichlet(np.ones(6), 40)
BLOCKS = np.arange(40) % 4
SHIFTS = np.array([0.03, -0.01, -0.03, 0.01])
UNSEEN = np.random.default_rng(1).dirichlet(np.ones(6) * 2, 200)
SLOPES = np.array([-3.0, 0.5, -1.0, 0.0, 1.0, -0.5])


def test_linear_contrasts_are_the_effect_of_one_more_point() -> None:
    prior = np.array([0.4, 0.2, 0.1, 0.1, 0.1, 0.1])
    y = 2 + WEIGHTS @ SLOPES + SHIFTS[BLOCKS] * 0 + 1e-4 * RNG.normal(size=40)
    contrasts = Linear().fit(WEIGHTS, y, BLOCKS).contrasts(tuple("abcdef"), prior)
    for j, contrast in enumerate(contrasts):
        moved = prior * (1 - prior[j] - 0.01) / (1 - prior[j])
        moved[j] = prior[j] + 0.01
        assert contrast.effect == pytest.approx((moved - prior) @ SLOPES, abs=2e-5)
        assert contrast.low < contrast.effect < contrast.high
    assert contrasts[0].p_value < 1e-6


def test_linear_intervals_hold_the_truth_at_their_level() -> None:
    prior, held = np.full(6, 1 / 6), []
    for seed in range(60):
        y = WEIGHTS @ SLOPES + 0.05 * np.random.default_rng(seed).normal(size=40)
        for j, c in enumerate(Linear().fit(WEIGHTS, y, np.zeros(40)).contrasts(tuple("abcdef"), prior)):
            true = 0.01 * (SLOPES[j] - prior @ SLOPES) / (1 - prior[j])
            held.append(c.low <= true <= c.high)
    assert 0.91 <= np.mean(held) <= 0.985


@pytest.mark.parametrize(
    ("law", "surface"),
    [
        (LogLinear, lambda w: 1 + np.exp(0.3 + w @ SLOPES)),
        (Power, lambda w: 1 + 0.8 * (1 + w @ np.array([20.0, 1, 5, 0.1, 2, 0.5])) ** -0.5),
    ],
)
def test_curved_laws_recover_their_own_surface(law: type[LogLinear] | type[Power], surface) -> None:
    clean = surface(WEIGHTS)
    y = clean + SHIFTS[BLOCKS] * clean.std() + 0.01 * clean.std() * RNG.normal(size=40)
    model = law().fit(WEIGHTS, y, BLOCKS)
    error = model.predict(UNSEEN) - surface(UNSEEN)
    assert np.sqrt(np.mean(error**2)) < 0.06 * surface(UNSEEN).std()


@pytest.mark.parametrize("name", LAWS)
def test_a_block_shifts_known_blocks_only_and_sums_to_zero(name: str) -> None:
    y = WEIGHTS @ SLOPES + 20 * SHIFTS[BLOCKS]
    model = LAWS[name]().fit(WEIGHTS, y, BLOCKS)
    one = np.repeat(WEIGHTS[:1], 5, axis=0)
    effects = model.predict(one, np.array([0, 1, 2, 3, 99])) - model.predict(one)
    assert effects[:4].sum() == pytest.approx(0, abs=1e-9)
    assert effects[4] == pytest.approx(0, abs=1e-12)
    assert np.all(np.sign(effects[:4]) == np.sign(SHIFTS))


@pytest.mark.parametrize("name", [name for name in SMOOTH if name != "blend"])
def test_order_of_rows_and_domains_does_not_matter(name: str) -> None:
    y = 1 + np.exp(WEIGHTS @ SLOPES) + 0.01 * RNG.normal(size=40)
    plain = LAWS[name]().fit(WEIGHTS, y, BLOCKS).predict(UNSEEN)
    rows, columns = RNG.permutation(40), RNG.permutation(6)
    moved = LAWS[name]().fit(WEIGHTS[rows][:, columns], y[rows], BLOCKS[rows]).predict(UNSEEN[:, columns])
    np.testing.assert_allclose(moved, plain, atol=2e-3 * y.std())


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_and_covariances_are_consistent(name: str) -> None:
    y = 1 + np.exp(WEIGHTS @ SLOPES) + 0.02 * RNG.normal(size=40)
    model = LAWS[name]().fit(WEIGHTS, y, BLOCKS)
    at, step = WEIGHTS[7], 1e-6 * np.eye(6)
    numeric = (model.predict(at + step) - model.predict(at - step)) / 2e-6
    np.testing.assert_allclose(model.gradient(at), numeric, rtol=1e-3, atol=1e-5)
    assert np.linalg.eigvalsh(model.covariance(UNSEEN[:30])).min() > -1e-8
    assert model.noise() > 0


@pytest.mark.parametrize("name", LAWS)
def test_pure_noise_does_not_blow_up(name: str) -> None:
    rng = np.random.default_rng(2)
    weights, y = rng.dirichlet(np.ones(9), 24), rng.normal(size=24)
    model = LAWS[name]().fit(weights, y, np.arange(24) % 4)
    assert np.abs(model.predict(rng.dirichlet(np.ones(24), 500) @ weights)).max() < 3
    assert np.all(np.isfinite(model.predict(np.eye(9))))


@pytest.mark.parametrize("name", LAWS)
def test_too_few_runs_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="at least"):
        LAWS[name]().fit(WEIGHTS[:2], np.ones(2), np.zeros(2))


@pytest.mark.parametrize("name", LAWS)
def test_laws_are_scikit_learn_estimators(name: str) -> None:
    """Users bring their own cross-validation; `return_std` is the SD of one measurement, noise included."""
    y = WEIGHTS @ SLOPES + 0.1 * RNG.normal(size=40)
    assert cross_val_score(clone(LAWS[name]()), WEIGHTS, y, cv=4).mean() > 0.8
    model = LAWS[name]().fit(WEIGHTS, y)
    mean, std = model.predict(UNSEEN, return_std=True)
    np.testing.assert_array_equal(mean, model.predict(UNSEEN))
    assert std.shape == mean.shape
    assert np.all(std >= model.noise())


def test_trees_slope_the_way_their_staircase_falls() -> None:
    rng = np.random.default_rng(5)
    weights = rng.dirichlet(np.ones(5), 200)
    y = 3 * (weights[:, 0] + 0.02) ** 0.5 - weights[:, 1] + 0.02 * rng.normal(size=200)
    model = LAWS["lightgbm"]().fit(weights, y)
    gradient = np.mean([model.gradient(w) for w in rng.dirichlet(np.ones(5) * 3, 40)], axis=0)
    assert gradient[0] > 1
    assert gradient[1] < -0.5
    assert np.abs(gradient[2:]).max() < 0.4
    edge = model.gradient(np.array([0.0, 0.0, 0.0, 0.0, 1.0]))
    assert np.all(np.isfinite(edge))
    assert np.linalg.eigvalsh(model.covariance(weights[:20])).min() > -1e-8


def test_trees_fitted_twice_are_the_same() -> None:
    y = WEIGHTS @ SLOPES + 0.1 * np.random.default_rng(4).normal(size=40)
    one, two = LAWS["lightgbm"]().fit(WEIGHTS, y), LAWS["lightgbm"]().fit(WEIGHTS, y)
    for a, b in zip(one.predict(UNSEEN, return_std=True), two.predict(UNSEEN, return_std=True), strict=True):
        np.testing.assert_array_equal(a, b)


def test_trees_are_not_imported_where_no_tree_is_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing LightGBM costs time and memory in every worker."""
    monkeypatch.setitem(sys.modules, "lightgbm", None)  # from here on an import of it raises ImportError
    module = importlib.reload(importlib.import_module("pipeline.mixture.laws.lightgbm"))
    choose(measured(), seed=0, laws=("linear", "blend"))
    with pytest.raises(ImportError):
        module.LightGBM().fit(WEIGHTS, WEIGHTS @ SLOPES)


def test_ridge_finds_diminishing_returns_and_states_its_errors() -> None:
    clean = 2 - 1.5 * WEIGHTS[:, 0] ** 0.5 - 0.7 * WEIGHTS[:, 1]
    y = clean + SHIFTS[BLOCKS] * 2 + 0.02 * np.random.default_rng(6).normal(size=40)
    model = Ridge().fit(WEIGHTS, y, BLOCKS)
    near = np.random.default_rng(8).dirichlet(np.ones(6), 400)
    true = 2 - 1.5 * near[:, 0] ** 0.5 - 0.7 * near[:, 1]
    error = np.abs(model.predict(near) - true)
    assert error.mean() < 0.08 * true.std()
    assert 0.7 < np.mean(error < 1.645 * np.sqrt(np.diag(model.covariance(near)))) <= 1.0
    assert model.noise() == pytest.approx(0.02, rel=0.5)


def test_bends_show_where_domains_help_each_other_and_vanish_where_they_do_not() -> None:
    """What a pair of domains does together is the whole difference between the two laws."""
    straight = 1 + np.exp(0.3 + WEIGHTS @ SLOPES)
    noise = 0.02 * straight.std() * np.random.default_rng(9).normal(size=40)
    together = -3.0 * WEIGHTS[:, 1] * WEIGHTS[:, 2]
    unseen = 1 + np.exp(0.3 + UNSEEN @ SLOPES) - 3.0 * UNSEEN[:, 1] * UNSEEN[:, 2]
    errors = [
        np.sqrt(np.mean((law().fit(WEIGHTS, straight + together + noise).predict(UNSEEN) - unseen) ** 2))
        for law in (Bent, LogLinear)
    ]
    assert errors[0] < 0.6 * errors[1]
    plain = [law().fit(WEIGHTS, straight + noise).predict(UNSEEN) for law in (Bent, LogLinear)]
    assert np.sqrt(np.mean((plain[0] - plain[1]) ** 2)) < 0.02 * straight.std()


def test_the_search_for_bends_knows_the_likelihood(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong slope would end the search early and leave bends too small or too large."""
    asked = {}
    monkeypatch.setattr(bent, "minimize", lambda f, start, **_: asked.setdefault("f", f) and Found(start))
    rng = np.random.default_rng(2)
    bent._most_likely(rng.normal(size=12), rng.uniform(0, 3, 12))
    at, step = np.array([-1.1, -0.4]), 1e-5 * np.eye(2)
    numeric = [(asked["f"](at + s)[0] - asked["f"](at - s)[0]) / 2e-5 for s in step]
    np.testing.assert_allclose(asked["f"](at)[1], numeric, rtol=1e-6)


@dataclass(frozen=True)
class Found:
    x: np.ndarray


def test_the_gaussian_process_knows_the_likelihood_of_its_hyperparameters() -> None:
    """A wrong slope would end the search early and show only as a slightly worse law."""
    rng = np.random.default_rng(7)
    x, indicators, z = rng.normal(size=(12, 3)), rng.normal(size=(12, 2)), rng.normal(size=12)
    at = np.array([0.2, -0.3, 0.5, 0.1, -0.5, -1.0, -0.7])
    value = gaussian_process.negative_log_posterior(x, indicators, z)
    step = 1e-5 * np.eye(len(at))
    numeric = [(value(at + s)[0] - value(at - s)[0]) / 2e-5 for s in step]
    np.testing.assert_allclose(value(at)[1], numeric, rtol=1e-5, atol=1e-6)


@given(st.lists(st.floats(1e-12, 1e6), min_size=1, max_size=6))
def test_shares_sum_to_one_and_follow_the_errors(squares: list[float]) -> None:
    found = shares_of({str(i): square for i, square in enumerate(squares)})
    assert sum(found.values()) == pytest.approx(1)
    assert min(found.values()) >= 0.03
    ordered = sorted(found, key=lambda name: squares[int(name)])
    assert all(found[a] >= found[b] for a, b in itertools.pairwise(ordered))
    assert str(int(np.argmin(squares))) in found


def test_a_blend_is_the_mean_of_its_laws_and_owns_up_to_their_difference() -> None:
    y = 1 + np.exp(WEIGHTS @ SLOPES) + 0.02 * RNG.normal(size=40)
    blend = Blend({"linear": 0.25, "gaussian_process": 0.75}).fit(WEIGHTS, y, BLOCKS)
    parts = Linear().fit(WEIGHTS, y, BLOCKS), GaussianProcess().fit(WEIGHTS, y, BLOCKS)
    means = [part.predict(UNSEEN) for part in parts]
    np.testing.assert_allclose(blend.predict(UNSEEN), 0.25 * means[0] + 0.75 * means[1])
    within = [np.diag(part.covariance(UNSEEN)) for part in parts]
    apart = 0.25 * 0.75 * (means[0] - means[1]) ** 2
    np.testing.assert_allclose(np.diag(blend.covariance(UNSEEN)), 0.25 * within[0] + 0.75 * within[1] + apart)
    assert not blend.convex
    assert Blend({"linear": 0.5, "power": 0.5}).fit(WEIGHTS, y, BLOCKS).convex


def test_a_blend_without_shares_trusts_the_law_that_is_true() -> None:
    y = 1 + np.exp(0.3 + WEIGHTS @ SLOPES) + 0.01 * RNG.normal(size=40)
    portions = dict(zip((found := Blend().fit(WEIGHTS, y)).laws, found.portions, strict=True))
    assert max(portions, key=lambda name: portions[name]) == "log_linear"
    assert "lightgbm" not in members_for(127, 100)
    assert "lightgbm" in members_for(128, 100)
