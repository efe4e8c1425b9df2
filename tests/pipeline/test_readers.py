"""A bad record or shard is set aside with its row and reason; what is good is read."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from pipeline.readers import BadRecord, read_shard, reader_of


def split(path: Path) -> tuple[list, list[BadRecord]]:
    records = list(read_shard(str(path)))
    return [r for r in records if isinstance(r, dict)], [r for r in records if isinstance(r, BadRecord)]


def test_jsonl_keeps_good_lines_and_names_bad_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"id": 1}\nnot json\n[1]\n"\xff"\n\n{"id": 2}\n')
    good, bad = split(path)
    assert good == [{"id": 1}, {"id": 2}]
    assert [(each.row, each.reason.split(":")[0]) for each in bad] == [
        (1, "not JSON"),
        (2, "not a JSON object"),
        (3, "not UTF-8"),
    ]


def test_a_truncated_gz_gives_its_whole_lines_and_one_bad_record(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(b'{"id": %d, "text": "%d"}\n' % (i, i * 7919) for i in range(5000)))
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    good, bad = split(path)
    assert good
    assert [r["id"] for r in good] == list(range(len(good)))
    assert bad[-1].reason.startswith("unreadable after this row") or "not JSON" in bad[-1].reason


def test_a_parquet_file_cut_in_half_is_one_bad_record(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": range(100)}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:300])
    good, bad = split(path)
    assert good == []
    assert len(bad) == 1
    assert "Parquet" in bad[0].reason


@pytest.mark.parametrize("name", ["a.csv", "a.txt", "parquet"])
def test_an_unknown_ending_has_no_reader(name: str) -> None:
    assert reader_of(name) is None
