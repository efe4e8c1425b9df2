"""Data sets through `datasets`, all local: saved folders in pieces of rows, builders streaming, one piece a file."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from tests.pipeline.readers.helpers import bad, good, pieces, read, read_pieces

datasets = pytest.importorskip("datasets")
ROWS = [{"id": str(i), "text": f"text {i}", "meta": {"url": f"u{i}"}} for i in range(300)]


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)


def test_a_saved_data_set_and_its_pieces(tmp_path: Path) -> None:
    datasets.Dataset.from_list(ROWS).save_to_disk(str(tmp_path))
    assert read(tmp_path, "huggingface") == ROWS
    found = pieces(tmp_path, 2000, "huggingface")
    assert len(found) > 3
    items = read_pieces(tmp_path, 2000, "huggingface")
    assert items == ROWS
    assert [record.row for record in good(items)] == list(range(300))


def test_a_split_of_a_saved_dictionary(tmp_path: Path) -> None:
    whole = datasets.Dataset.from_list(ROWS)
    datasets.DatasetDict({"train": whole, "test": whole.select([7, 3])}).save_to_disk(str(tmp_path))
    assert [record["id"] for record in good(read(tmp_path, "huggingface", {"split": "test"}))] == ["7", "3"]
    with pytest.raises(ValueError, match=r"no split `dev` \(it has train, test\)"):
        read(tmp_path, "huggingface", {"split": "dev"})


def test_a_local_builder_streams_one_piece_a_file(tmp_path: Path) -> None:
    for k in range(3):
        (tmp_path / f"{k}.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS[100 * k : 100 * k + 100]))
    params = {"data_files": f"{tmp_path}/*.jsonl"}
    assert len(pieces(Path("json"), 1, "huggingface", params)) == 3
    assert read_pieces(Path("json"), 1, "huggingface", params) == ROWS
    assert read(tmp_path, "huggingface") == ROWS, "a folder of data files, as on the hub"


def test_damaged_files_keep_the_rows_before(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(ROWS[0]) + '\n{"id": "1", "te\n')
    items = read(Path("json"), "huggingface", {"data_files": f"{tmp_path}/a.jsonl"})
    assert bad(items) == [(len(good(items)), "unreadable after this row")]


def test_dates_and_times_become_iso_text(tmp_path: Path) -> None:
    when = datetime.datetime(2024, 1, 2, 3, 4, 5)
    row = {"text": "a", "at": when, "day": when.date(), "clock": when.time(), "none": None}
    datasets.Dataset.from_list([row]).save_to_disk(str(tmp_path))
    (found,) = good(read(tmp_path, "huggingface"))
    assert found == {"text": "a", "at": "2024-01-02T03:04:05", "day": "2024-01-02", "clock": "03:04:05", "none": None}


def test_pickled_files_are_not_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pickled files, which may hold code"):
        read(Path("pandas"), "huggingface", {"data_files": str(tmp_path / "x.pkl")})
