"""Parquet and Arrow: rows with bounded memory, pieces by row groups, damage as stated bad records."""

from __future__ import annotations

import datetime
import gzip
import io
import random
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.readers.base import BadRecord, Item, Record, Shard
from pipeline.readers.columnar import Unreachable
from pipeline.readers.registry import read_shard
from tests.pipeline.readers.helpers import bad, good, pieces, read, read_pieces

ROWS = [{"id": str(i), "text": f"text {i} " * (i % 7)} for i in range(3000)]


def test_parquet_gives_every_row_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path, row_group_size=700)
    items = read(path)
    assert items == ROWS
    assert [record.row for record in good(items)] == list(range(3000))


def test_pieces_of_parquet_are_row_groups_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path, row_group_size=500)
    found = pieces(path, path.stat().st_size // 3)
    assert 3 <= len(found) <= 6
    items = [item for piece in found for item in read(path, piece=piece)]
    assert items == ROWS
    assert [record.row for record in good(items)] == list(range(3000))


def test_a_parquet_file_cut_in_half_is_one_bad_record_and_is_not_split(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": range(100)}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:300])
    assert bad(read(path)) == [(0, "unreadable Parquet")]
    assert lost(read(path)) == [(0, 1, True)]
    assert pieces(path, 10) == []


def damage(path: Path, group: int) -> None:
    """Overwrite the texts of a row group with zeros."""
    about = pq.ParquetFile(path).metadata.row_group(group).column(1)
    data = bytearray(path.read_bytes())
    end = about.data_page_offset + about.total_compressed_size
    data[about.data_page_offset : end] = bytes(about.total_compressed_size)
    path.write_bytes(data)


def lost(items: list[Item]) -> list[tuple[int, int, bool]]:
    """Return (row, records, more that is not counted) of the bad records."""
    return [(item.row, item.records, item.uncounted) for item in items if isinstance(item, BadRecord)]


def test_a_damaged_row_group_costs_its_rows_and_the_later_ones_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path, row_group_size=500, compression="zstd", use_dictionary=False)
    damage(path, 2)
    damage(path, 5)
    items = read(path)
    assert good(items) == ROWS[:1000] + ROWS[1500:2500]
    assert [record.row for record in good(items)] == [*range(1000), *range(1500, 2500)]
    assert bad(items) == [(1000, "unreadable Parquet"), (2500, "unreadable Parquet")]
    assert lost(items) == [(1000, 500, False), (2500, 500, False)]


@pytest.mark.parametrize("compression", ["zstd", None])
def test_a_damaged_batch_of_an_arrow_file_costs_its_rows(compression: str | None, tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    table = pa.Table.from_pylist(ROWS)
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=500)
    data = path.read_bytes()
    if compression:  # the texts of the third batch, its ids stay readable
        frames = [i for i in range(len(data)) if data.startswith(b"\x28\xb5\x2f\xfd", i)]
        path.write_bytes(data[: frames[4 * 2 + 3]] + b"\0\0\0\0" + data[frames[4 * 2 + 3] + 4 :])
    else:
        at = data.index(b"\xff\xff\xff\xff", data.index(b"text 900 "))
        path.write_bytes(data[: at + 8] + bytes(16) + data[at + 24 :])
    items = read(path)
    assert bad(items) == [(1000, "unreadable Arrow")]
    if compression:
        assert good(items) == ROWS[:1000] + ROWS[1500:]
        assert lost(items) == [(1000, 500, False)]
    else:  # how many rows it had stood in what is damaged
        assert good(items)[:1000] == ROWS[:1000]
        assert [record["id"] for record in good(items)[1000:]] == [row["id"] for row in ROWS[1500:]]
        assert lost(items) == [(1000, 1, True)]


def test_text_that_is_no_utf8_costs_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    values = pa.array([b"one", b"caf\xe9", b"three"]).view(pa.string())
    pq.write_table(pa.table({"id": ["1", "2", "3"], "text": values}), path)
    items = read(path)
    assert [record["id"] for record in good(items)] == ["1", "3"]
    assert bad(items) == [(1, "not UTF-8")]


def test_nested_columns_are_read_only_where_they_are_mapped(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.Table.from_pylist([{"text": "t", "meta": {"url": "u", "n": 1}, "vector": [1.0, 2.0], "n": 3}])
    pq.write_table(table, path)
    assert read(path) == [{"text": "t", "n": 3}]
    assert read(path, columns=("text", "meta.url")) == [{"text": "t", "meta": {"url": "u", "n": 1}, "n": 3}]


WHEN = datetime.datetime(2024, 1, 2, 3, 4, 5)
TIMES = {
    "day": (pa.array([WHEN.date(), None]), ["2024-01-02", None]),
    "day64": (pa.array([WHEN.date(), None], pa.date64()), ["2024-01-02", None]),
    "clock": (pa.array([WHEN.time(), None], pa.time64("us")), ["03:04:05.000000", None]),
    "naive": (pa.array([WHEN, None], pa.timestamp("us")), ["2024-01-02T03:04:05.000000", None]),
    "nanos": (pa.array([1_704_164_645_000_000_001, None], pa.timestamp("ns")), ["2024-01-02T03:04:05.000000001", None]),
    "zoned": (pa.array([WHEN, None], pa.timestamp("us", "Asia/Tokyo")), ["2024-01-02T03:04:05.000000Z", None]),
    "beyond": (pa.array([2**62, None], pa.timestamp("us")), None),
}


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_dates_and_times_become_iso_text(form: str, tmp_path: Path) -> None:
    """Also those that Python's own types cannot hold: none may make a row unreadable or lose its column."""
    path = tmp_path / f"a.{form}"
    table = pa.table({"text": ["one", "two"], **{name: values for name, (values, _) in TIMES.items()}})
    if form == "parquet":
        pq.write_table(table, path)
    else:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    items = good(read(path))
    assert [item["text"] for item in items] == ["one", "two"]
    for name, (_, expected) in TIMES.items():
        found = [item[name] for item in items]
        assert found == expected if expected else isinstance(found[0], str), name


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_a_column_that_stands_twice_makes_the_file_unreadable(form: str, tmp_path: Path) -> None:
    """Which of the two is meant nobody can tell."""
    path = tmp_path / f"a.{form}"
    table = pa.table([["a"], ["b"], ["c"]], names=["id", "text", "text"])
    if form == "parquet":
        pq.write_table(table, path)
    else:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    (found,) = read(path)
    assert isinstance(found, BadRecord)
    assert found.reason.endswith("the column `text` stands twice")


@pytest.mark.parametrize("letters", ["0", "abcdefghijklmnop"])
def test_a_long_value_in_a_dictionary_is_not_copied_for_every_row(letters: str, tmp_path: Path) -> None:
    long = "".join(random.Random(1).choices(letters, k=20_000_000))
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 100, pa.int32()), pa.array([long]))
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": [str(i) for i in range(100)], "text": texts}), path)
    assert path.stat().st_size < 24_000_000
    before, most, rows = pa.total_allocated_bytes(), 0, 0
    for item in read_shard("parquet", Shard(str(path), "a")):
        assert isinstance(item, Record)
        assert len(item["text"]) == 20_000_000
        most, rows = max(most, pa.total_allocated_bytes() - before), rows + 1
    assert rows == 100
    assert most < 150_000_000, "2 GB as plain text, 640 MB in the plain reader's batches"


def test_a_row_group_that_is_a_bomb_is_set_aside_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    schema = pa.schema([("id", pa.string()), ("text", pa.string())])
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=False) as writer:
        writer.write_table(pa.table({"id": ["1", "2"], "text": ["0" * 60_000_000] * 2}, schema=schema))
        writer.write_table(pa.table({"id": ["3"], "text": ["three"]}, schema=schema))
    items = read(path)
    assert good(items) == [{"id": "3", "text": "three"}]
    assert bad(items) == [(0, "decompression bomb")]
    assert good(items)[0].row == 2
    assert lost(items) == [(0, 2, False)]


@pytest.mark.parametrize("kind", ["file", "stream", "zst file", "stream.gz"])
def test_arrow_files_and_streams(kind: str, tmp_path: Path) -> None:
    table = pa.Table.from_pylist(ROWS)
    path = tmp_path / "a.arrow"
    options = pa.ipc.IpcWriteOptions(compression="zstd" if "zst" in kind else None)
    with pa.OSFile(str(path), "wb") as sink:
        make = pa.ipc.new_file if "file" in kind else pa.ipc.new_stream
        with make(sink, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=400)
    if kind.endswith(".gz"):
        packed = tmp_path / "a.arrow.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        path = packed
    assert read(path) == ROWS
    if "file" in kind:
        assert len(pieces(path, 40_000)) > 2
        assert read_pieces(path, 40_000) == ROWS
    else:
        assert pieces(path, 40_000) == []


def test_a_cut_arrow_stream_keeps_the_rows_before_the_cut(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(ROWS)
    path = tmp_path / "a.arrows"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=400)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    items = read(path)
    assert good(items) == ROWS[: len(good(items))]
    assert len(good(items)) >= 400
    assert bad(items) == [(len(good(items)), "unreadable Arrow")]
    assert lost(items) == [(len(good(items)), 1, True)]


def test_a_failing_disk_is_no_damaged_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shard that could not be reached must not count as unreadable for good: its unit fails and is tried again."""
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path, row_group_size=500)

    class Failing(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() < 5000:
                raise OSError("Input/output error")
            return super().read(-1 if size is None else size)

    monkeypatch.setattr("pipeline.readers.columnar.open_raw", lambda path: Failing(path))
    with pytest.raises(Unreachable, match="Input/output error"):
        read(path)
