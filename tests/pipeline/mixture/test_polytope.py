"""Protects the constraints: never violated by more than 1e-6, and an empty set names what collides."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mixture.polytope import (
    Polytope,
    collisions,
    interior,
    minimise_near,
    minimise_quadratic,
    project,
    toward,
    whole_simplex,
)
from pipeline.mixture.spaces import Bound, Domain, limits

from .helpers import DOMAINS


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(2, 12), hull=st.booleans())
def test_projections_satisfy_random_limits(seed: int, d: int, hull: bool) -> None:
    rng = np.random.default_rng(seed)
    domains = [Domain(f"d{i}", f"o{i // 2}", float(rng.lognormal(12, 2)), True) for i in range(d)]
    inner = rng.dirichlet(np.ones(d))
    bounds = [Bound((f"d{i}",), inner[i] * rng.uniform(0, 1), min(1, inner[i] * rng.uniform(1, 3))) for i in range(d)]
    free = limits(domains, 1e6, 1.0)
    cap = float((free.A @ inner).max() * rng.uniform(1.0, 2.0))
    within = limits(domains, 1e6, cap, bounds)
    corners = np.vstack([inner, rng.dirichlet(np.ones(d), d + 3)]) if hull else np.eye(d)
    space = Polytope(corners, within)
    for _ in range(3):
        w = project(space, rng.dirichlet(np.full(d, 0.3)))
        assert w.min() >= 0
        assert w.sum() == pytest.approx(1, abs=1e-9)
        assert within.violations(w).max() <= 1e-6
        assert space.contains(w)


def test_collisions_are_named_and_irreducible() -> None:
    within = limits(
        DOMAINS,
        bounds=[Bound(("code",), 0.8, 0.9), Bound(("ocr", "papers"), 0.5), Bound(("wiki",), 0.0, 0.5)],
    )
    names = collisions(whole_simplex(within))
    assert names == ["weight of code >= 0.8", "weight of ocr + papers >= 0.5", "weights sum to 1"]
    with pytest.raises(ValueError, match=r"weight of code >= 0.8; weight of ocr"):
        project(whole_simplex(within), np.full(5, 0.2))


def test_a_bound_outside_the_swarm_names_the_hull() -> None:
    corners = np.array([[0.5, 0.1, 0.2, 0.1, 0.1], [0.1, 0.5, 0.1, 0.1, 0.2]])
    names = collisions(Polytope(corners, limits(DOMAINS, bounds=[Bound(("code",), 0.5)])))
    assert names == ["weight of code >= 0.5", "the region the swarm covered", "weights sum to 1"]


def test_toward_stops_at_the_limits() -> None:
    within = limits(DOMAINS, bounds=[Bound(("code",), 0.0, 0.4)])
    inside = interior(whole_simplex(within))
    ends = toward(within, inside, np.eye(5))
    assert within.violations(ends[2]).max() < 1e-12
    assert ends[2, 2] == pytest.approx(0.4)
    np.testing.assert_allclose(ends[0], np.eye(5)[0])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), bend=st.floats(-3, 3))
def test_a_step_over_many_corners_ends_where_the_whole_program_does(seed: int, bend: float) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.dirichlet(np.full(8, 0.4), 150)
    domains = [Domain(name, name, 1.0, True) for name in "abcdefgh"]
    space = Polytope(corners, limits(domains, bounds=[Bound(("a", "b"), 0.1, 0.3), Bound(("c",), 0, 0.4)]))
    at, used = interior(space), np.zeros(0, dtype=int)
    for _ in range(3):  # each step begins with the corners that the last one used
        root = rng.normal(size=(8, 8))
        hessian, gradient = 10**bend * root @ root.T, rng.normal(size=8)
        whole = minimise_quadratic(space, hessian, gradient, at)
        near, used = minimise_near(space, hessian, gradient, at, used)
        steps = np.stack([near - at, whole - at])
        values = steps @ gradient + 0.5 * np.einsum("ij,jk,ik->i", steps, hessian, steps)
        assert values[0] <= values[1] + 1e-6 * np.ptp(corners @ gradient)
        assert space.contains(near, 1e-6)
        at = near
