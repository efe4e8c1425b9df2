"""A synthetic swarm as its owner would bring it: long column names, integer ids, weights rounded to three digits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipeline.cli import main

DOMAINS = ("arxiv", "code", "web", "wiki")
TASKS = ("arxiv", "code", "web")
USE = np.array([[1.0, 0.1, 0.1, 0.3], [0.05, 1.0, 0.02, 0.02], [0.1, 0.05, 1.0, 0.6]])


def truth(weights: np.ndarray) -> np.ndarray:
    """(n, 4) -> (n, 3) losses that fall as powers of useful tokens."""
    return 2.0 + (weights @ USE.T + 0.05) ** -0.4


def mixes(runs: int, seed: int, first: int = 1) -> pl.DataFrame:
    weights = np.random.default_rng(seed).dirichlet(np.full(4, 1.5), runs).round(3)
    columns = {f"train_{name}": weights[:, i] for i, name in enumerate(DOMAINS)}
    return pl.DataFrame({"index": range(first, first + runs), **columns})


def losses(table: pl.DataFrame, noise: float = 0.005) -> pl.DataFrame:
    weights = table.drop("index").to_numpy()
    values = truth(weights / weights.sum(axis=1, keepdims=True))
    values += noise * np.random.default_rng(7).normal(size=values.shape)
    columns = {f"metric/{name}_loss": values[:, i] for i, name in enumerate(TASKS)}
    return pl.DataFrame({"index": table["index"], **columns})


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    """ratios.csv and metrics.csv of 24 runs; the metrics are in another order."""
    ratios, metrics = tmp_path / "r.csv", tmp_path / "m.csv"
    table = mixes(24, seed=0)
    table.write_csv(ratios)
    losses(table).sample(fraction=1, shuffle=True, seed=3).write_csv(metrics)
    return ratios, metrics


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], Path]:
    """Write a config; two quick laws unless it says otherwise."""

    def write(text: str = "") -> Path:
        path = tmp_path / "c.yaml"
        path.write_text(text if "fit:" in text else f"{text}\nfit: {{laws: [linear, power]}}\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run `mixwright …` in this process; returns exit code, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["mixwright", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return run
