"""Protects laws as numbers: a form says what its law says, wherever a mix lies, and SDs are near those of the law."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mixture.compact import LEAVES, Smoother, anchors, checks, form_of, form_record, leaves_of, mean_of
from pipeline.mixture.laws import EVERY, Blend, Law
from pipeline.mixture.laws.mirrored import Mirrored

RNG = np.random.default_rng(0)
WEIGHTS = RNG.dirichlet(np.full(5, 0.7), 60)
BLOCKS = RNG.integers(0, 3, 60)
VALUES = 2 + 0.4 * np.exp(-3 * WEIGHTS[:, 0]) - 0.3 * WEIGHTS[:, 1] * WEIGHTS[:, 2] + 0.01 * RNG.normal(size=60)


def fitted(name: str) -> Law:
    if name == "mirrored":
        return Mirrored(Blend({"bent": 0.5, "lightgbm": 0.3, "ridge": 0.2})).fit(WEIGHTS, VALUES, BLOCKS)
    return EVERY[name]().fit(WEIGHTS, VALUES, BLOCKS)


@pytest.mark.parametrize("name", [*EVERY, "mirrored"])
def test_a_form_says_what_its_law_says(name: str) -> None:
    law, mixes = fitted(name), np.vstack([checks(WEIGHTS), np.eye(5), WEIGHTS])
    np.testing.assert_allclose(mean_of(form_of(law, 5), WEIGHTS, mixes), law.predict(mixes), rtol=0, atol=1e-12)


def test_a_form_survives_json() -> None:
    law = fitted("mirrored")
    record = json.loads(json.dumps(form_record(law, 1.3, WEIGHTS)))
    mixes = checks(WEIGHTS)
    form = {**record, "slope": np.array(record["slope"])}
    np.testing.assert_allclose(mean_of(form, WEIGHTS, mixes), record["checked"]["mean"], rtol=0, atol=1e-12)
    _, sd = law.predict(anchors(WEIGHTS), return_std=True)
    np.testing.assert_allclose(record["sds"], 1.3 * sd)


@pytest.mark.parametrize("name", ["linear", "log_linear", "gaussian_process", "blend"])
def test_interpolated_sds_are_near_the_laws(name: str) -> None:
    law, points, mixes = fitted(name), anchors(WEIGHTS), checks(WEIGHTS)
    smoother = Smoother.fit(points, law.predict(points, return_std=True)[1][:, None])
    off = np.abs(smoother.sd(mixes)[:, 0] / law.predict(mixes, return_std=True)[1] - 1)
    assert np.quantile(off, 0.5) < 0.1
    assert np.quantile(off, 0.9) < 0.25


def test_many_trees_have_something_smaller_in_their_place() -> None:
    law = EVERY["regmix"]().fit(WEIGHTS, VALUES, BLOCKS)
    record = form_record(law, 1.0, WEIGHTS)
    assert "small" not in record, "sixty runs make small trees"
    weights = np.random.default_rng(1).dirichlet(np.ones(5), 400)
    law = EVERY["regmix"]().fit(weights, 2 - 0.3 * np.sqrt(weights[:, 0]), np.zeros(400, dtype=int))
    record = form_record(law, 1.0, weights)
    assert leaves_of(record) > LEAVES
    small = {**record["small"], "slope": np.array(record["small"]["slope"])}
    assert small["trees"] == []
    off = mean_of(small, weights, checks(weights)) - record["checked"]["mean"]
    assert np.sqrt(np.mean(off**2)) < 0.1 * np.std(record["checked"]["mean"])


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 8), st.integers(8, 40), st.integers(0, 99))
def test_anchors_and_checks_are_mixes_and_the_same_each_time(domains: int, runs: int, seed: int) -> None:
    weights = np.random.default_rng(seed).dirichlet(np.ones(domains), runs)
    for found in (anchors(weights), checks(weights)):
        assert (found >= 0).all()
        np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_array_equal(anchors(weights), anchors(weights.copy()))
