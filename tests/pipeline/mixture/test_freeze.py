"""Protects frozen groups: ratios held in every mix, limits that mean the same before and after, mistakes by name."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mixture.designs import METHODS, swarm
from pipeline.mixture.freeze import Freeze, freeze, mistakes
from pipeline.mixture.spaces import Bound, Domain, Limits, limits, natural

from .helpers import DOMAINS, caps

GROUPS = {"text": {"wiki": 0.25, "papers": 0.75}}
NAMES = tuple(domain.name for domain in DOMAINS)


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[Domain], Freeze, Limits, np.random.Generator]:
    """Random domains, some of them in random groups, under repetition caps and bounds on domains and pairs."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    d = draw(st.integers(4, 12))
    domains = [Domain(f"d{i}", f"o{i // 2}", float(rng.lognormal(12, 2)), i % 2 == 0) for i in range(d)]
    order = [f"d{i}" for i in rng.permutation(d)]
    size = draw(st.integers(2, d - 2))
    shares = rng.dirichlet(np.ones(size))
    groups: dict = {"fixed": dict(zip(order[:size], shares.tolist(), strict=True))}
    if d - size > 3:
        groups["listed"] = order[size : size + 2]
    frozen = freeze(domains, groups)
    bounds = [Bound((order[0],), 0.0, 0.3), Bound((order[0], order[-1]), 0.05, 0.8)]
    return domains, frozen, limits(domains, 1e6, 3.0, bounds), rng


@settings(max_examples=60, deadline=None)
@given(problem=problems())
def test_collapsing_undoes_expanding_and_frozen_mixes_survive_both(problem) -> None:
    _, frozen, _, rng = problem
    v = rng.dirichlet(np.full(len(frozen.domains), 0.5), 5)
    w = frozen.expand(v)
    np.testing.assert_allclose(w.sum(axis=1), 1)
    np.testing.assert_allclose(frozen.collapse(w), v, atol=1e-12)
    np.testing.assert_allclose(frozen.expand(frozen.collapse(w)), w, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(problem=problems())
def test_limits_on_totals_are_exactly_those_on_the_domains(problem) -> None:
    _, frozen, within, rng = problem
    virtual = frozen.limits(within)
    assert virtual.names == within.names
    for v in rng.dirichlet(np.full(len(frozen.domains), 0.5), 5):
        full = within.A @ frozen.expand(v) - within.b
        np.testing.assert_allclose(virtual.A @ v - virtual.b, full, rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(problem=problems())
def test_the_natural_mix_keeps_every_groups_total(problem) -> None:
    domains, frozen, _, _ = problem
    np.testing.assert_allclose(natural(frozen.domains), frozen.collapse(natural(domains)), atol=1e-12)


def test_a_list_is_frozen_in_proportion_to_tokens() -> None:
    frozen = freeze(DOMAINS, {"big": ["code", "wiki"]})
    assert frozen.shares["big"] == pytest.approx({"code": 2 / 3, "wiki": 1 / 3})
    assert [domain.name for domain in frozen.domains] == ["big", "wiki.qa", "ocr", "papers"]


def test_without_groups_nothing_changes_by_a_bit() -> None:
    frozen, w = freeze(DOMAINS, {}), np.random.default_rng(0).dirichlet(np.ones(5))
    assert frozen.domains == DOMAINS
    assert np.array_equal(frozen.expand(w), w)
    assert np.array_equal(frozen.collapse(w), w)
    assert np.array_equal(frozen.limits(caps()).A, caps().A)


@pytest.mark.parametrize("method", METHODS)
def test_a_design_over_totals_holds_the_ratios_and_the_caps_of_the_domains(method: str) -> None:
    frozen = freeze(DOMAINS, GROUPS)
    for mix in swarm(frozen.domains, 16, seed=2, method=method, within=frozen.limits(caps())):
        w = frozen.expand(mix.weights)
        assert w[NAMES.index("papers")] == pytest.approx(3 * w[NAMES.index("wiki")])
        if mix.mix not in ("natural", "uniform"):
            assert caps().violations(w).max() <= 1e-6


@pytest.mark.parametrize(
    ("groups", "place", "message"),
    [
        ({"g": {"wiki": 0.5, "coder": 0.5}}, ("g", "coder"), "no domain `coder` (did you mean `code`?)"),
        ({"g": ["wiki", "papes"]}, ("g", 1), "no domain `papes` (did you mean `papers`?)"),
        ({"g": ["wiki", "ocr"], "h": ["code", "ocr"]}, ("h", 1), "`ocr` is in `g` already"),
        ({"g": ["wiki", "wiki"]}, ("g", 1), "`wiki` stands twice"),
        ({"g": {"wiki": 0.5, "code": 0.6}}, ("g",), "sum to 1, got 1.1"),
        ({"g": {"wiki": 1.0, "code": 0.0}}, ("g",), "shares must be above 0"),
        ({"g": {"wiki": float("nan"), "code": 0.5}}, ("g",), "shares must be above 0"),
        ({"g": ["wiki"]}, ("g",), "at least two domains"),
        ({"code": ["wiki", "ocr"]}, ("code",), "a group needs a name of its own"),
        ({"g": list(NAMES)}, (), "everything is frozen"),
    ],
)
def test_mistakes_name_their_place(groups: dict, place: tuple, message: str) -> None:
    found = list(mistakes(groups, NAMES))
    assert [p for p, _ in found] == [place]
    assert message in found[0][1]
    with pytest.raises(ValueError, match="freeze"):
        freeze(DOMAINS, groups)
