"""Protects the region of mixes that the data cannot tell from the best, and what is expected of the proposal."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.mixture.posterior import LEVEL, posterior, root_of

rng = np.random.default_rng(0)


class Line:
    """A surface with a known normal posterior: slopes over three domains."""

    def __init__(self, slopes: list[float], sd: list[float]) -> None:
        self.slopes, self.sd = np.array(slopes), np.array(sd)

    def mean(self, weights: np.ndarray) -> np.ndarray:
        return weights @ self.slopes

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        return weights @ np.diag(self.sd**2) @ weights.T


CORNERS = np.eye(3)


def test_draws_have_the_mean_and_covariance_of_the_surface() -> None:
    beliefs = posterior(Line([0, 1, 2], [0.5, 1.0, 2.0]), CORNERS, np.random.default_rng(1))  # type: ignore[arg-type]
    np.testing.assert_allclose(beliefs.draws.mean(axis=0), [0, 1, 2], atol=0.15)
    np.testing.assert_allclose(np.cov(beliefs.draws.T), np.diag([0.25, 1, 4]), atol=0.35)


def test_the_region_holds_the_best_mix_as_often_as_it_says() -> None:
    """Truths drawn from the posterior itself: the region must hold the best corner in LEVEL of them."""
    model = Line([0.0, 0.3, 2.0], [0.5, 0.5, 0.5])
    beliefs = posterior(model, CORNERS, np.random.default_rng(2))  # type: ignore[arg-type]
    kept = beliefs.holds(CORNERS)
    truths = rng.normal(model.slopes, model.sd, (5000, 3)).argmin(axis=1)
    assert np.mean(kept[truths]) >= LEVEL - 0.02
    assert kept.tolist() == [True, True, False]


def test_a_clear_winner_is_alone() -> None:
    beliefs = posterior(Line([0, 9, 9], [0.1] * 3), CORNERS, np.random.default_rng(0))  # type: ignore[arg-type]
    assert beliefs.holds(CORNERS).tolist() == [True, False, False]
    assert beliefs.regret(0) == 0
    assert beliefs.beats(0, 1) == 1


def test_regret_and_probability_are_those_of_the_normal() -> None:
    beliefs = posterior(Line([0, 0.5, 9], [0.4, 0.3, 0.1]), CORNERS, np.random.default_rng(5))  # type: ignore[arg-type]
    # P(N(0.5, 0.5) > 0) = Phi(1); E max(0, N(-0.5, 0.5)) = 0.5 (phi(1) - 1 Phi(-1))
    assert beliefs.beats(0, 1) == pytest.approx(0.8413, abs=0.025)
    assert beliefs.regret(0) == pytest.approx(0.5 * (0.24197 - 0.15866), abs=0.012)


def test_a_root_rebuilds_a_covariance_that_is_not_of_full_rank() -> None:
    tall = rng.normal(size=(6, 2))
    root = root_of(tall @ tall.T)
    assert root.shape == (6, 2)
    np.testing.assert_allclose(root @ root.T, tall @ tall.T, atol=1e-9)
