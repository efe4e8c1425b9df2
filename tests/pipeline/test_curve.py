"""The swarm is scored along its training when the YAML asks; the report says whether the order of the mixes moved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.report.curves import curves_chart, curves_table, verdict
from tests.pipeline.conftest import walk_here


def test_curves_are_scored_from_snapshots(tiny_yaml: Callable[..., Path]) -> None:
    changes = (("rounds: [9, 3], ", ""), ("tokens: 24k", "tokens: 24k, curve: [0.5, 0.75], average: 0.2"))
    run = walk_here(tiny_yaml(*changes, ("runs: 12", "runs: 6")), until="curve")
    units = run.of("curve")
    assert [unit.name for unit in units] == [unit.name for unit in run.of("train")]
    curves = {unit.name: run.manifest(unit)["counts"]["bpb"] for unit in units}
    for points in curves.values():
        assert set(points) == {"heldout/wikipedia", "heldout/questions", "heldout/ocr"}
        for each in points.values():
            assert list(each) == ["0.5", "0.75", "1"]
            assert each["1"] < each["0.5"]
    table = curves_table({"curves": curves})
    assert table is not None
    assert len(table.rows) == 3
    files = {file.name for file in run.store.local(run.of("train")[0].ref).iterdir()}
    assert files == {"model.safetensors", "snapshot-0.5.safetensors", "snapshot-0.75.safetensors", "train.json"}
    assert sum(run.manifest(unit)["cpu_seconds"] for unit in units) < 10


def test_no_curve_is_asked_for_unless_the_yaml_does(curated) -> None:
    assert curated.config.proxy.identity == {"preset": "tiny", "tokens": 24_000, "numeric": "auto"}
    assert curves_table({"curves": {}}) is None
    assert verdict({"curves": {}}) == ""


def test_the_verdict_is_about_the_last_point_before_the_end() -> None:
    def runs(*orders: tuple[float, float, float]) -> dict:
        shares = ("0.25", "0.75", "1")
        return {
            f"run-{i}": {"heldout/a": dict(zip(shares, each, strict=True))}
            for i, each in enumerate(zip(*orders, strict=True))
        }

    early = runs((4, 3, 2, 1, 5), (1, 2, 3, 4, 5), (1, 2, 3, 4, 5))
    assert verdict({"curves": early}).startswith("From 75 % of the training to its end the mixes keep their order")
    late = runs((1, 2, 3, 4, 5), (4, 3, 2, 1, 5), (1, 2, 3, 4, 5))
    assert "still moved after 75 % of the training" in verdict({"curves": late})
    assert "on 1 of 1 held-out tasks: heldout/a" in verdict({"curves": late})
    constant = runs((1, 2, 3), (2, 2, 2), (1, 2, 3))
    assert "still moved" in verdict({"curves": constant}), "an order that does not exist has not settled"


def test_the_chart_of_curves_ends_in_full_agreement() -> None:
    curves = {f"run{i}": {"heldout/a": {"0.5": [3.0, 1.0, 2.0][i], "1": float(i)}} for i in range(3)}
    chart = curves_chart({"curves": curves})
    assert chart is not None
    (line,) = chart.figure["data"]
    assert line["x"] == [50.0, 100.0]
    assert line["y"] == pytest.approx([-0.5, 1.0])
    assert curves_chart({"curves": {}}) is None
