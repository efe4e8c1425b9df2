"""Protects the sum of laws that searches ask: it says what the laws say one by one, however they are put together."""

import numpy as np
import pytest

from pipeline.mixture.face import OnFace
from pipeline.mixture.laws import MEMBERS, Blend, Law
from pipeline.mixture.laws.mirrored import Mirrored
from pipeline.mixture.together import Together

RNG = np.random.default_rng(0)
WEIGHTS = RNG.dirichlet(np.full(5, 0.7), 60)
BLOCKS = RNG.integers(0, 3, 60)


def values(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 1 + 0.3 * (WEIGHTS @ rng.uniform(0, 1, 5) + 0.03) ** -0.4 + 0.004 * rng.normal(size=60)


def blends() -> list[Law]:
    """Laws of every kind, blended, upside down, and of two sizes of swarm."""
    shares = dict.fromkeys(MEMBERS, 1 / len(MEMBERS))
    found: list[Law] = [Blend(shares).fit(WEIGHTS, values(seed), BLOCKS) for seed in (1, 2)]
    found.append(Mirrored(Blend({"gaussian_process": 0.6, "lightgbm": 0.4})).fit(WEIGHTS, values(3), BLOCKS))
    found.append(MEMBERS["gaussian_process"]().fit(WEIGHTS[:40], values(4)[:40], BLOCKS[:40]))
    return [*found, MEMBERS["power"]().fit(WEIGHTS, values(5))]


@pytest.mark.parametrize("gone", [0, 2])
def test_a_sum_of_laws_says_what_the_laws_say(gone: int) -> None:
    laws, factors = blends(), [0.3, -0.5, 0.7, 0.2, 1.1]
    laws = [OnFace(law, gone) for law in laws] if gone else laws
    together = Together(factors, laws)
    d = 5 - gone
    for mix in [*RNG.dirichlet(np.ones(d), 5), *np.eye(d)]:
        mean = sum(factor * law.predict(mix[None])[0] for factor, law in zip(factors, laws, strict=True))
        slope = sum(factor * law.gradient(mix) for factor, law in zip(factors, laws, strict=True))
        assert together.mean(mix) == pytest.approx(mean, abs=1e-10)
        np.testing.assert_allclose(together.gradient(mix), slope, rtol=1e-8, atol=1e-9)
