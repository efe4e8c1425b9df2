"""Protects the join: by run id, never by position, and with a clear error for what does not fit."""

import numpy as np
import pytest

from pipeline.mixture.table import group_rows, join

RATIOS = {"r1": {"a": 0.2, "b": 0.8}, "r2": {"a": 0.5, "b": 0.499}, "r3": {"a": 1.0, "b": 0.0}}


def test_rows_are_joined_by_id_and_columns_by_name() -> None:
    table = join(RATIOS, {"r3": {"t": 3.0, "u": 1.0}, "r1": {"u": 7.0, "t": 5.0}}, {"r1": 2, "r3": 0})
    assert table.runs == ("r1", "r3")
    assert table.tasks == ("u", "t")
    np.testing.assert_array_equal(table.values, [[7, 5], [1, 3]])
    np.testing.assert_array_equal(table.blocks, [2, 0])


def test_rounded_rows_are_renormalised() -> None:
    assert join(RATIOS, {"r2": {"t": 1.0}}).weights.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("ratios", "metrics", "blocks", "message"),
    [
        (RATIOS, {"r9": {"t": 1.0}}, None, "without ratios: r9"),
        (RATIOS, {}, None, "no run"),
        (RATIOS, {"r1": {"t": float("nan")}}, None, "run r1 hold no finite number in: t"),
        (RATIOS, {"r1": {"t": 1.0}, "r2": {"u": 1.0}}, None, "other columns"),
        ({"r1": {"a": -0.1, "b": 1.1}}, {"r1": {"t": 1.0}}, None, "negative weight in run r1"),
        ({"r1": {"a": 0.3, "b": 0.5}}, {"r1": {"t": 1.0}}, None, "sum to 1"),
        (RATIOS, {"r1": {"t": 1.0}}, {"r2": 0}, "without a seed block: r1"),
    ],
)
def test_misfits_are_named(ratios, metrics, blocks, message) -> None:
    with pytest.raises(ValueError, match=message):
        join(ratios, metrics, blocks)


def test_runs_of_one_mix_share_a_group_although_quotas_round() -> None:
    rows = np.array([[0.5, 0.5], [0.2, 0.8], [0.5004, 0.4996], [0.2, 0.8]])
    np.testing.assert_array_equal(group_rows(rows), [0, 1, 0, 1])
