"""Protects the baselines' definitions and the repetition cap per origin."""

import numpy as np
import pytest

from pipeline.mixture.spaces import Bound, Domain, kl, limits, natural, prior, repetition, uniform

from .helpers import DOMAINS


def test_natural_is_raw_parents_by_tokens() -> None:
    np.testing.assert_allclose(natural(DOMAINS), np.array([3, 0, 6, 0.5, 2]) / 11.5)


def test_prior_spreads_an_origins_share_over_its_variants() -> None:
    np.testing.assert_allclose(prior(DOMAINS), np.array([1.5, 1.5, 6, 0.5, 2]) / 11.5)
    assert uniform(DOMAINS).sum() == pytest.approx(1)


def test_an_origin_with_only_a_variant_still_has_a_prior() -> None:
    only = (Domain("a", "a", 10, True), Domain("b.clean", "b", 10, False))
    np.testing.assert_allclose(prior(only), [0.5, 0.5])
    np.testing.assert_allclose(natural(only), [1, 0])


BUCKETS = (
    Domain("web.top", "web", 1e6, True),
    Domain("web.rest", "web", 3e6, True),
    Domain("web.qa", "web", 2e6, False),
    Domain("books", "books", 4e6, True),
)


def test_buckets_are_raw_text_in_parts() -> None:
    """Natural counts every bucket; the prior gives the origin its share, half to the rewrite, half to the buckets by
    their tokens."""
    np.testing.assert_allclose(natural(BUCKETS), [1 / 8, 3 / 8, 0, 1 / 2])
    np.testing.assert_allclose(prior(BUCKETS), [1 / 16, 3 / 16, 1 / 4, 1 / 2])


def test_a_buckets_repetition_is_its_own_and_its_rewrites() -> None:
    """Two buckets hold different documents: epochs of one do not use up the other's, those of the rewrite do both."""
    rows = limits(BUCKETS, 4e6, 4.0)
    assert rows.names == ("repetition of web.top <= 4", "repetition of web.rest <= 4", "repetition of books <= 4")
    assert rows.allow(np.array([1.0, 0, 0, 0]))
    assert rows.allow(np.array([0.5, 0.5, 0, 0]))
    assert not rows.allow(np.array([0.8, 0, 0.6, 0]))
    assert repetition(BUCKETS, np.array([0.5, 0.25, 0.25, 0]), 4e6) == {"web": 0.5 * 4 + 0.25 * 2, "books": 0}


def test_repetition_adds_up_over_an_origins_domains() -> None:
    row = limits(DOMAINS, 4e6, 4.0)
    assert row.names[0] == "repetition of wiki <= 4"
    np.testing.assert_allclose(row.A[0], [4 / 3, 4, 0, 0, 0])
    assert repetition(DOMAINS, uniform(DOMAINS), 4e6)["wiki"] == pytest.approx(0.2 * (4 / 3 + 4))


@pytest.mark.parametrize("bound", [Bound(("nope",)), Bound(("code",), 0.5, 0.2), Bound(())])
def test_bad_bounds_are_refused(bound: Bound) -> None:
    with pytest.raises(ValueError, match="bound on"):
        limits(DOMAINS, bounds=[bound])


def test_bad_domains_are_refused() -> None:
    with pytest.raises(ValueError, match="named twice: a"):
        natural((Domain("a", "a", 1, True), Domain("a", "a", 1, True)))
    with pytest.raises(ValueError, match="without tokens: a"):
        uniform((Domain("a", "a", 0, True),))
    with pytest.raises(ValueError, match="raw domain"):
        natural((Domain("a.x", "a", 1, False),))


def test_kl_is_zero_at_the_reference_and_infinite_off_it() -> None:
    assert kl(np.array([0.5, 0.5]), np.array([0.5, 0.5])) == 0
    assert kl(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == float("inf")
