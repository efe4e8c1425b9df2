"""Rows are joined by id, rounding is mended, and every misfit is one line that names file, line and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.own_swarm.swarm import mixes, read_mixes, read_swarm
from pipeline.tables import Table

RATIOS = "run,a,b\nx,0.2,0.8\ny,0.5,0.5\nz,1.0,0.0\n"
METRICS = "run,t,u\nz,3,1\nx,1,2\ny,2,5\n"


def written(folder: Path, ratios: str = RATIOS, metrics: str = METRICS) -> tuple[Path, Path]:
    (folder / "r.csv").write_text(ratios, encoding="utf-8")
    (folder / "m.csv").write_text(metrics, encoding="utf-8")
    return folder / "r.csv", folder / "m.csv"


def test_rows_are_joined_by_id(tmp_path: Path) -> None:
    own = read_swarm(*written(tmp_path))
    assert own.swarm.runs == ("x", "y", "z")
    np.testing.assert_array_equal(own.swarm.values, [[1, 2], [2, 5], [3, 1]])
    assert own.notes == ()


@pytest.mark.parametrize("name", ["run", "run_id", "name", "index"])
def test_ids_go_by_four_names_which_may_differ_between_the_tables(tmp_path: Path, name: str) -> None:
    own = read_swarm(*written(tmp_path, RATIOS.replace("run", name)))
    assert own.swarm.runs == ("x", "y", "z")


def test_of_several_id_columns_the_first_that_both_have_is_taken(tmp_path: Path) -> None:
    ratios = "run,name,index,a,b\nr1,x,0,0.2,0.8\nr2,y,1,0.5,0.5\n"
    own = read_swarm(*written(tmp_path, ratios, "name,index,t\ny,0,2\nx,1,1\n"))
    assert own.swarm.runs == ("x", "y")
    assert own.swarm.domains == ("a", "b")
    np.testing.assert_array_equal(own.swarm.values, [[1], [2]])
    assert "named by `name`; `run`, `index` left out" in own.notes[0]


def test_parquet_ids_match_those_of_csv(tmp_path: Path) -> None:
    """pandas turns integer ids into floats as soon as one is missing."""
    ratios = tmp_path / "r.parquet"
    pl.DataFrame({"index": [1.0, 2.0], "a": [0.25, 1.0], "b": [0.75, 0.0]}).write_parquet(ratios)
    _, metrics = written(tmp_path, metrics="index,t\n2,5\n1,6\n")
    own = read_swarm(ratios, metrics)
    assert own.swarm.runs == ("1", "2")
    np.testing.assert_array_equal(own.swarm.values, [[6], [5]])


def test_an_unfinished_swarm_says_how_unfinished_it_is(tmp_path: Path) -> None:
    own = read_swarm(*written(tmp_path, metrics="run,t\nz,3\nx,1\n"))
    assert own.swarm.runs == ("x", "z")
    assert own.planned == 3
    assert "unfinished: 2 of 3 runs have metrics (67%)" in own.notes[-1]


def test_a_domain_that_was_never_tried_is_noted(tmp_path: Path) -> None:
    own = read_swarm(*written(tmp_path, "run,a,b,c\nx,0.2,0.8,0\ny,0.5,0.5,0\nz,1,0,0\n"))
    assert own.notes == ("no run has any weight on `c`: nothing can be known of it",)


@pytest.mark.parametrize(
    ("ratios", "metrics", "message"),
    [
        (RATIOS.replace("run,", "key,"), METRICS, r"r.csv: no column names the runs; .* among: `key`, `a`, `b`$"),
        (RATIOS, METRICS.replace("run,", "key,"), r"m.csv: no column names the runs"),
        (RATIOS.replace("z,", "x,"), METRICS, r"r.csv:4: column `run`: the id `x` stands twice \(first at .*r.csv:2\)"),
        (RATIOS.replace("z,", ","), METRICS, r"r.csv:4: column `run`: the run has no id"),
        (RATIOS.replace("z,", "w,"), METRICS, r"m.csv:2: metrics of runs that have no weights in .*r.csv: `z`$"),
        (RATIOS.replace("0.2,0.8", "-0.2,1.2"), METRICS, r"r.csv:2: column `a`: expected a weight of 0 or more .*-0.2"),
        (RATIOS.replace("0.8", "nan"), METRICS, r"r.csv:2: column `b`: expected a finite number in run `x`, got `nan`"),
        (RATIOS.replace("0.8", "inf"), METRICS, r"r.csv:2: column `b`: expected a finite number"),
        (RATIOS, METRICS.replace("z,3", "z,bad"), r"m.csv:2: column `t`: expected a finite number .*got `bad`"),
        (RATIOS, METRICS.replace("z,3", "z,"), r"m.csv:2: column `t`: the cell of run `z` is empty"),
        (RATIOS.replace("0.8", "0.7"), METRICS, r"r.csv:2: the weights of run `x` sum to 0.9, expected 1"),
        (RATIOS.replace("0.8", "0.8,1"), METRICS, r"r.csv:2: 4 cells in this row, expected 3"),
        (RATIOS, "run,t,u\nz,3,1\nx,3,2\n", r"m.csv: column `t` is 3 in all 2 runs"),
        (RATIOS.replace("a,b", "a,a"), METRICS, r"r.csv: column `a` stands twice"),
        (RATIOS.replace("run,a", "run,"), METRICS, r"r.csv: column 2 has no name .*index=False"),
        ("run,a\nx,1\n", METRICS, r"r.csv: a mix needs at least two domains"),
        ("run,index\nx,1\n", METRICS, r"r.csv: there are no columns of numbers beside"),
        ("run,a,b\n", METRICS, r"r.csv: the table has no rows"),
        ("", METRICS, r"r.csv: the file is empty"),
    ],
)
def test_misfits_are_one_line_that_names_the_place(tmp_path: Path, ratios: str, metrics: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_swarm(*written(tmp_path, ratios, metrics))
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    ratios, metrics = written(tmp_path)
    with pytest.raises(InputError, match=r"none.csv: no such file"):
        read_swarm(tmp_path / "none.csv", metrics)
    with pytest.raises(InputError, match=r"r.xlsx: expected a table that ends in .csv or .parquet"):
        read_swarm(ratios.rename(tmp_path / "r.xlsx"), metrics)
    (tmp_path / "r.parquet").write_text("not parquet")
    with pytest.raises(InputError, match=r"r.parquet: not a Parquet file"):
        read_swarm(tmp_path / "r.parquet", metrics)
    (tmp_path / "r.csv").write_bytes(b"run,a\n\xff\xfe,1\n")
    with pytest.raises(InputError, match=r"r.csv: cannot be read"):
        read_swarm(tmp_path / "r.csv", metrics)


def table(weights: list[list[float]]) -> Table:
    values = np.array(weights)
    runs = tuple(f"r{i}" for i in range(len(values)))
    return Table(Path("r.csv"), runs, tuple("abc"[: values.shape[1]]), values, runs)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.996, 1.003)), min_size=1, max_size=5))
def test_rounded_rows_sum_to_one_afterwards_and_keep_their_proportions(rows: list[tuple[float, float]]) -> None:
    given_rows = table([[share * total, (1 - share) * total] for share, total in rows])
    mended, _ = mixes(given_rows)
    np.testing.assert_allclose(mended.values.sum(axis=1), 1, atol=1e-8)
    np.testing.assert_allclose(mended.values[:, 0], [share for share, _ in rows], atol=1e-8)


def test_the_note_counts_the_rounded_rows_and_gives_their_range() -> None:
    _, notes = mixes(table([[0.5, 0.5], [0.5, 0.497], [0.5, 0.503]]))
    assert notes == ["2 of 3 rows of r.csv sum to 0.997–1.003, not to 1, and were renormalised"]
    assert mixes(table([[0.5, 0.5]]))[1] == []


@pytest.mark.parametrize("total", [0.9955, 1.0035, 100.0, 0.0])
def test_sums_beyond_rounding_are_refused(total: float) -> None:
    with pytest.raises(InputError, match="sum to"):
        mixes(table([[total / 2, total / 2]]))


def test_mixes_to_predict_need_exactly_the_domains_in_any_order(tmp_path: Path) -> None:
    path, _ = written(tmp_path, "index,b,a\n7,0.8,0.2\n")
    found, _ = read_mixes(path, ("a", "b"))
    np.testing.assert_array_equal(found.values, [[0.2, 0.8]])
    with pytest.raises(InputError, match=r"r.csv: column `b` is no domain of the fit \(did you mean `bb`\?\)"):
        read_mixes(path, ("a", "bb"))
    with pytest.raises(InputError, match=r"r.csv: no column for `c`, expected all 3 domains"):
        read_mixes(path, ("a", "b", "c"))
