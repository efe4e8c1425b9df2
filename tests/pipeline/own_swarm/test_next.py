"""`mixwright next` as a user runs it: what it chooses from a pool, what it leaves out, and how it fails."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipeline.mixture.designs import pick_next
from pipeline.tables import read_table
from tests.pipeline.own_swarm.conftest import DOMAINS, mixes

FULL = [f"train_{name}" for name in DOMAINS]


@pytest.fixture
def fitted(tables, config, command, tmp_path: Path) -> Path:
    out = tmp_path / "fits"
    options = config("objective: {tasks: {arxiv: 0}}")
    code, _, error = command("fit", "--ratios", tables[0], "--metrics", tables[1], "--config", options, "--out", out)
    assert code == 0, error
    return out


def test_next_writes_what_tells_most_first_and_nothing_that_was_run(fitted: Path, command, tmp_path: Path) -> None:
    pool, out = tmp_path / "pool.csv", tmp_path / "deep" / "next.csv"
    fresh, run = mixes(40, seed=9, first=100), mixes(24, seed=0)
    pl.concat([run, fresh]).select(["index", *reversed(FULL)]).write_csv(pool)
    code, said, noted = command("next", fitted, "--pool", pool, "--runs", 6, "--out", out)
    assert code == 0, noted
    assert "6 mixes to train next" in said
    assert "24 of 64 mixes of pool.csv were run already" in noted
    assert "of 2 tasks" in noted, "a task without weight has no say"
    chosen = read_table(out)
    assert list(next(iter(chosen.values()))) == FULL
    assert all(sum(row.values()) == pytest.approx(1) for row in chosen.values())
    weights, values = (read_table(fitted / name) for name in ("ratios.csv", "metrics.csv"))
    counted = [task for task, each in json.loads((fitted / "fit.json").read_text())["tasks"].items() if each["weight"]]
    assert len(counted) == 2
    left = fresh.select(FULL).to_numpy()
    rows = pick_next(
        left / left.sum(axis=1, keepdims=True),
        6,
        np.array([list(row.values()) for row in weights.values()]),
        np.array([[row[task] for task in counted] for row in values.values()]),
    )
    assert list(chosen) == [str(100 + row) for row in rows]


def test_what_is_trained_next_goes_back_into_a_fit(fitted: Path, command, tmp_path: Path) -> None:
    """Its table has the form that `fit` and `next` read, Parquet too."""
    pool, out = tmp_path / "pool.csv", tmp_path / "next.parquet"
    mixes(12, seed=9, first=100).write_csv(pool)
    assert command("next", fitted, "--pool", pool, "--runs", 5, "--out", out)[0] == 0
    assert command("next", fitted, "--pool", out, "--runs", 5, "--out", tmp_path / "again.csv")[0] == 0
    assert list(read_table(tmp_path / "again.csv")) == pl.read_parquet(out)["run"].to_list()


def test_wrong_input_to_next_ends_with_one_line_and_exit_code_2(fitted: Path, command, tmp_path: Path) -> None:
    pool = tmp_path / "pool.csv"
    mixes(8, seed=9, first=100).write_csv(pool)

    def failed(message: str, pool: Path = pool, runs: int = 3, out: Path = tmp_path / "n.csv") -> None:
        code, said, error = command("next", fitted, "--pool", pool, "--runs", runs, "--out", out)
        assert (code, said) == (2, "")
        assert message in error.splitlines()[-1]
        assert not (tmp_path / "n.csv").exists()

    failed("--runs 9: expected 1 to 8, the mixes that have not been run", runs=9)
    failed("--runs 0: expected 1 to 8", runs=0)
    failed("would be lost", out=pool)
    failed("ends in .csv or .parquet", out=tmp_path / "n.json")
    (tmp_path / "bad.csv").write_text(pool.read_text().replace("train_code", "train_cod"))
    failed("did you mean `train_code`?", pool=tmp_path / "bad.csv")
