"""CSV and TSV: records with line breaks in quotes stay whole, also at the cuts; a broken record costs itself."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.base import BadRecord
from tests.pipeline.readers.helpers import bad, good, pieces, read, read_pieces

CELLS = st.text('ab"\n,é\t ', max_size=12)


def written(rows: list[list[str]], **options) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL, **options).writerows(rows)
    return out.getvalue().encode()


@given(st.lists(st.tuples(CELLS, CELLS), max_size=25), st.integers(1, 150))
def test_what_was_written_is_read_whole_and_in_pieces(tmp_path_factory, rows, step: int) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(written([["id", "text"], *map(list, rows)]))
    expected = [{"id": a, "text": b} for a, b in rows]
    assert read(path) == expected
    if pieces(path, step):
        assert read_pieces(path, step) == expected


def test_broken_records_cost_themselves(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'\xef\xbb\xbfid,text\r\n1,one\r\n\r\n2\r\n3,"a ""b"" \r\nc"\r\n4,caf\xe9\r\n5,"x" y\r\n6,six\r\n')
    items = read(path)
    assert good(items) == [{"id": "1", "text": "one"}, {"id": "3", "text": 'a "b" \nc'}, {"id": "6", "text": "six"}]
    assert bad(items) == [(1, "wrong number of cells"), (3, "not UTF-8"), (4, "not CSV")]


def test_a_quote_that_never_ends_costs_what_the_limit_allows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,"open\n' + "2,two\n" * 50 + "3,three\n")
    items = read(path, limit=100)
    assert bad(items)[0] == (0, "above max_document_bytes")
    assert good(items)[-1] == {"id": "3", "text": "three"}
    path.write_text('id,text\n1,"open\n2,two\n')
    assert bad(read(path)) == [(0, "the quotes are not closed")]


def test_tsv_without_quotes_and_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text('1\t"one\n2\ttwo\n')
    items = read(path, params={"quote": None, "columns": ["id", "text"]})
    assert items == [{"id": "1", "text": '"one'}, {"id": "2", "text": "two"}]


def test_fields_longer_than_the_modules_own_limit_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text\n1," + "x" * 200_000 + "\n")
    assert len(good(read(path))[0]["text"]) == 200_000


def test_a_bad_record_in_a_piece_is_found_by_its_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text\n" + "".join(f'{i},"line\nbreak"\n' for i in range(50)) + "broken\n" + "9,x\n" * 9)
    (found,) = [item for item in read_pieces(path, 200) if isinstance(item, BadRecord)]
    assert found.byte is not None
    assert path.read_bytes()[found.byte :].startswith(b"broken\n")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"id,text\n"])
def test_a_table_without_rows_gives_none(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    assert read(path) == []


def test_an_unreadable_header_is_one_bad_record_of_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,t\xff\n1,one\n")
    assert bad(read(path)) == [(-1, "unreadable header")]
