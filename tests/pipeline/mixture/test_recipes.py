"""Recipes do what the projects of that name do, keep the user's limits, and leave the rest of a proposal alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from pipeline.mixture.laws import LAWS, PEERS
from pipeline.mixture.objective import build
from pipeline.mixture.proposer import Proposal, propose
from pipeline.mixture.recipes import RECIPES, olmix, regmix
from pipeline.mixture.selection import TaskFit, choose
from pipeline.mixture.spaces import Bound, Limits, kl, limits, natural, prior, uniform
from pipeline.mixture.surface import Surface, surface
from tests.pipeline.mixture.helpers import DOMAINS, caps, measured

PRIOR = prior(DOMAINS)
TABLE = measured(runs=64)  # ten folds in place of one a mix
OBJECTIVE = build(TABLE, natural(DOMAINS), force=("heldout", "bench"))
FITS = {name: choose(TABLE, seed=0, laws=("linear", name), force=name) for name in PEERS}
FREE = limits(DOMAINS)


class Planted:
    """A law of known values, here exp(c) + exp(t.w) with c = 0."""

    convex = True

    def __init__(self, slopes: np.ndarray) -> None:
        self.slopes = slopes

    def predict(self, weights: np.ndarray) -> np.ndarray:
        return 1.0 + np.exp(weights @ self.slopes)

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        return np.exp(weights @ self.slopes) * self.slopes


def planted(*slopes: list[float]) -> Surface:
    """The mean of planted tasks."""
    fits = tuple(TaskFit(f"t{i}", "olmix", Planted(np.array(each)), (), 1.0) for i, each in enumerate(slopes))
    return Surface(fits, np.full(len(slopes), 1 / len(slopes)), 0.0, 1.0)


def proposed(name: str, within: Limits = FREE, **options) -> Proposal:
    others = {"natural": natural(DOMAINS), "uniform": uniform(DOMAINS)}
    return propose(
        TABLE, FITS[name], OBJECTIVE, within, PRIOR, baselines=others, seed=1, recipe=RECIPES[name], **options
    )


def test_olmix_minimises_the_mean_of_the_tasks_plus_a_twentieth_of_kl() -> None:
    """Against another solver on the same problem: softmax weights, no simplex, no Clarabel."""
    model = planted([-0.3, 0.1, 0.0, 0.2, -0.1], [0.1, -0.4, 0.05, 0.0, 0.0])
    weights, strength = olmix.find(model, FREE, PRIOR, None, np.random.default_rng(0))

    def value(w: np.ndarray) -> float:
        return float(model.mean(w[None])[0]) + 0.05 * kl(w, PRIOR)

    def softmax(z: np.ndarray) -> np.ndarray:
        return np.exp(z - z.max()) / np.exp(z - z.max()).sum()

    other = minimize(lambda z: value(softmax(z)), np.log(PRIOR), method="BFGS", options={"gtol": 1e-9})
    assert strength == 0.05
    assert value(weights) == pytest.approx(float(other.fun), abs=1e-7)
    assert weights == pytest.approx(softmax(other.x), abs=2e-3)


def test_olmix_takes_the_strength_that_is_asked_for_and_returns_the_prior_where_it_rules() -> None:
    model = planted([-0.3, 0.1, 0.0, 0.2, -0.1])
    near, strength = olmix.find(model, FREE, PRIOR, 100.0, np.random.default_rng(0))
    assert strength == 100.0
    assert near == pytest.approx(PRIOR, abs=1e-3)
    far, _ = olmix.find(model, FREE, PRIOR, 0.0, np.random.default_rng(0))
    assert far[0] == pytest.approx(1.0, abs=1e-5), "without a pull all goes to the domain that helps most"


def test_olmix_law_finds_planted_coefficients() -> None:
    rng = np.random.default_rng(0)
    weights, slopes = rng.dirichlet(np.ones(5), 60), np.array([-0.8, 0.3, 0.0, 0.5, -0.2])
    y = 0.6 + np.exp(weights @ slopes)
    law = PEERS["olmix"]().fit(weights, y)
    unseen = rng.dirichlet(np.ones(5), 40)
    assert law.predict(unseen) == pytest.approx(0.6 + np.exp(unseen @ slopes), abs=2e-3)


def test_regmix_averages_the_best_128_of_100_000_draws_from_the_prior() -> None:
    """The notebook in three lines."""
    model = planted([-0.3, 0.1, 0.0, 0.2, -0.1])
    draws = np.random.default_rng(5).dirichlet(PRIOR, 100_000)
    best = draws[np.argsort(model.mean(draws))[:128]]
    found, strength = regmix.find(model, FREE, PRIOR, None, np.random.default_rng(5))
    assert strength == 0
    assert found == pytest.approx(best.mean(axis=0), abs=1e-12)


def test_regmix_gives_nothing_to_a_domain_without_prior_and_has_no_pull() -> None:
    lonely = np.array([0.5, 0.0, 0.3, 0.1, 0.1])
    found, _ = regmix.find(planted([0.1, -9.0, 0, 0, 0]), FREE, lonely, None, np.random.default_rng(0))
    assert found[1] == 0
    with pytest.raises(ValueError, match="no pull to the prior"):
        regmix.find(planted([0.1, 0, 0, 0, 0]), FREE, PRIOR, 0.1, np.random.default_rng(0))


@pytest.mark.parametrize("name", RECIPES)
@settings(max_examples=15, deadline=None)
@given(
    upper=st.floats(0.25, 0.9),
    lower=st.floats(0.0, 0.1),
    slopes=st.lists(st.floats(-1, 1), min_size=5, max_size=5),
)
def test_limits_hold(name: str, upper: float, lower: float, slopes: list[float]) -> None:
    within = limits(DOMAINS, 4e6, 4.0, [Bound(("code", "papers"), lower, upper)])
    weights, _ = RECIPES[name].find(planted(slopes), within, PRIOR, None, np.random.default_rng(0))
    assert within.violations(weights).max() <= 1e-6
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", RECIPES)
def test_limits_that_no_mix_keeps_are_named(name: str) -> None:
    within = limits(DOMAINS, bounds=[Bound(("code",), 0.7, 1.0), Bound(("papers",), 0.7, 1.0)])
    with pytest.raises(ValueError, match="weight of code >= 0.7.*weight of papers >= 0.7"):
        RECIPES[name].find(planted([0, 0, 0, 0, 0.1]), within, PRIOR, None, np.random.default_rng(0))


@pytest.mark.parametrize("name", RECIPES)
def test_a_proposal_by_a_recipe_is_predicted_by_its_own_laws(name: str) -> None:
    found = proposed(name, caps())
    model = surface(TABLE, FITS[name], OBJECTIVE)
    assert found.predicted == pytest.approx(float(model.mean(found.weights[None])[0]))
    assert found.optimum_predicted <= found.predicted + 1e-12
    assert set(found.baselines) == {"natural", "uniform", "best_observed"}
    assert found.baselines["uniform"].gain > 0
    assert np.all(found.low <= found.weights)
    assert np.all(found.weights <= found.high)
    assert all(fit.law == name for fit in FITS[name])


def test_a_recipe_weighs_tasks_in_their_own_unit() -> None:
    """A task of ten times the bits counts ten times, as in olmix's mean; relative to natural it would not."""
    large = replace(TABLE, values=TABLE.values * np.array([10.0, 1.0, 1.0]))
    goal = build(large, natural(DOMAINS), force=("heldout", "bench"))
    fits = choose(large, seed=0, laws=("olmix",), force="olmix")
    others = {"natural": natural(DOMAINS)}
    mixed = propose(large, fits, goal, FREE, PRIOR, baselines=others, seed=1, recipe=RECIPES["olmix"])
    assert mixed.weights[:2].sum() > 1.2 * proposed("olmix").weights[:2].sum(), "the first task is wiki's"


def test_a_mix_that_the_swarm_did_not_cover_is_called_an_extrapolation() -> None:
    inside = replace(RECIPES["olmix"], find=lambda *_: (TABLE.weights.mean(axis=0), 0.0))
    outside = replace(RECIPES["olmix"], find=lambda *_: (np.array([0.0, 1.0, 0.0, 0.0, 0.0]), 0.0))
    others = {"natural": natural(DOMAINS)}
    says = [
        propose(TABLE, FITS["olmix"], OBJECTIVE, FREE, PRIOR, baselines=others, seed=1, recipe=each).warnings
        for each in (inside, outside)
    ]
    assert [any("outside the mixes" in text for text in each) for each in says] == [False, True]


def test_peers_laws_are_no_candidates_for_our_own_choice() -> None:
    assert not set(PEERS) & set(LAWS)


def test_regmix_needs_two_leaves_of_runs() -> None:
    with pytest.raises(ValueError, match="at least 40 runs"):
        PEERS["regmix"]().fit(TABLE.weights[:39], TABLE.values[:39, 0])
