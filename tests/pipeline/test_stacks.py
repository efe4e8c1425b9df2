"""Protects stacked training in a run: the same proxies within rounding, under keys of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.walk import grouped
from tests.pipeline.conftest import walk_here

ONE_ROUND = ("rounds: [9, 3], ", "")
FEW = ("runs: 12", "runs: 9")


def test_stacked_proxies_are_those_trained_alone(tiny_yaml: Callable[..., Path]) -> None:
    alone = walk_here(tiny_yaml(ONE_ROUND, FEW), until="train")
    stacked = walk_here(tiny_yaml(ONE_ROUND, FEW, ("tokens: 24k}", "tokens: 24k, stack: 4}")), until="train")
    assert [len(group) for group in grouped(stacked, stacked.of("train"))] == [4, 4, 1]
    assert {len(group) for group in grouped(alone, alone.of("train"))} == {1}
    for mine, other in zip(stacked.of("train"), alone.of("train"), strict=True):
        assert mine.name == other.name
        assert mine.key != other.key
        found, expected = (run.manifest(unit)["counts"] for run, unit in ((stacked, mine), (alone, other)))
        assert found["realised"] == expected["realised"]
        assert found["last_loss"] == pytest.approx(expected["last_loss"], rel=0.01)
