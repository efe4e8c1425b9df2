"""Tables are joined by run id and survive a round trip; weights are shares of target tokens and sum to 1."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.proposal import realised_weights
from pipeline.records import finite, normalised
from pipeline.swarm import block_seed
from pipeline.tables import read_table, write_table

shares = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(lambda x: dict(zip("abc", x, strict=True)))


@given(shares, shares)
def test_realised_weights_turn_own_tokens_into_target_tokens(own: dict, ratio: dict) -> None:
    total = sum(own.values())
    realised = {name: value / total for name, value in own.items()}
    weights = realised_weights(realised, {"own_per_target": ratio, "domains": list("abc"), "gone": []})
    assert sum(weights.values()) == pytest.approx(1)
    # a domain that needs twice the proxy tokens for the same text weighs half
    for a, b in (("a", "b"), ("b", "c")):
        assert weights[a] / weights[b] == pytest.approx(own[a] / ratio[a] / (own[b] / ratio[b]))


def test_a_domain_that_was_not_trained_on_weighs_nothing() -> None:
    weights = realised_weights({"a": 1.0}, {"own_per_target": {"a": 1, "b": 2}, "domains": ["a", "b"], "gone": []})
    assert weights == {"a": 1.0, "b": 0.0}


@given(st.dictionaries(st.text("abc-", min_size=1), shares, min_size=1, max_size=4))
def test_tables_keep_every_bit(rows: dict) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        write_table(Path(folder) / "t.csv", rows)
        assert read_table(Path(folder) / "t.csv") == rows


@given(shares)
def test_normalised_weights_have_no_negatives_and_sum_to_one(weights: dict) -> None:
    result = normalised({**weights, "d": -1e-12})
    assert sum(result.values()) == pytest.approx(1, abs=1e-12)
    assert min(result.values()) == 0


def test_seed_blocks_are_stable_distinct_and_no_function_of_the_block_alone() -> None:
    assert block_seed(1, 0) == block_seed(1, 0)
    assert len({block_seed(seed, block) for seed in range(5) for block in [0, 1, 2, 3, 1000, 1004]}) == 30


def test_infinity_is_text_in_json() -> None:
    assert finite(float("inf")) == "inf"
    assert finite(2.0) == 2.0
