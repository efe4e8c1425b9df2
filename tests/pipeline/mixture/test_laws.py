"""Protects the laws: planted coefficients come back, contrasts are right, order of rows and domains is no
information."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from pipeline.mixture.laws import LAWS
from pipeline.mixture.laws.linear import Linear
from pipeline.mixture.laws.log_linear import LogLinear
from pipeline.mixture.laws.power import Power

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


@pytest.mark.parametrize("name", LAWS)
def test_order_of_rows_and_domains_does_not_matter(name: str) -> None:
    y = 1 + np.exp(WEIGHTS @ SLOPES) + 0.01 * RNG.normal(size=40)
    plain = LAWS[name]().fit(WEIGHTS, y, BLOCKS).predict(UNSEEN)
    rows, columns = RNG.permutation(40), RNG.permutation(6)
    moved = LAWS[name]().fit(WEIGHTS[rows][:, columns], y[rows], BLOCKS[rows]).predict(UNSEEN[:, columns])
    np.testing.assert_allclose(moved, plain, atol=2e-3 * y.std())


@pytest.mark.parametrize("name", LAWS)
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
