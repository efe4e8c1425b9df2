"""CSV and TSV: records with line breaks in quotes stay whole, also at the cuts; a broken record costs itself."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.base import BadRecord
from tests.pipeline.readers.helpers import bad, good, pieces, read, read_pieces, without_rows

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


def test_a_stray_quote_costs_no_more_than_its_line(tmp_path: Path) -> None:
    """It must not join all that follows into one lost record, also not in front of fields of several lines."""
    path = tmp_path / "a.csv"
    rows = [f'{i},"several\nlines, {i}"\n' if i % 3 == 0 else f"{i},plain {i}\n" for i in range(60)]
    expected = [{"id": str(i), "text": f"several\nlines, {i}" if i % 3 == 0 else f"plain {i}"} for i in range(60)]
    for stray, cells in ((b'5,5" disk\n', [{"id": "5", "text": '5" disk'}]), (b'5,"5 inch\n', [])):
        path.write_bytes(b"id,text\n" + "".join(rows[:5]).encode() + stray + "".join(rows[6:]).encode())
        whole = read(path)
        assert good(whole) == expected[:5] + cells + expected[6:]
        assert bad(whole) == [(5, "not CSV")] * (not cells)
        assert len(pieces(path, 300)) > 3
        assert without_rows(read_pieces(path, 300)) == without_rows(whole)


def test_a_quote_that_never_ends_costs_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,"open\n' + "2,two\n" * 50 + "3,three\n")
    for limit in (100, 10_000):
        items = read(path, limit=limit)
        assert bad(items) == [(0, "the quotes are not closed")]
        assert good(items) == [{"id": "2", "text": "two"}] * 50 + [{"id": "3", "text": "three"}]
    path.write_text('id,text\n1,"open\n2,two\n3,three\n4,"four",\n5,five\n')
    assert bad(read(path)) == [(0, "not CSV"), (3, "wrong number of cells")]
    path.write_text('id,text\n1,"open\n2,two\n3,three\n4,",four\n5,five\n')
    assert bad(read(path)) == [(0, "the quotes are not closed"), (3, "the quotes are not closed")]
    assert [record["id"] for record in good(read(path))] == ["2", "3", "5"]


@pytest.mark.parametrize("size", range(28, 34))
def test_a_line_about_as_long_as_the_limit_costs_no_other(size: int, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for mark in ("", '"'):
        path.write_text("id,text\n1," + mark + "x" * (size - 3 - 2 * len(mark)) + mark + "\n2,two\n")
        items = read(path, limit=30)
        assert bad(items) == [(0, "above max_document_bytes")] * (size > 30)
        assert good(items)[-1] == {"id": "2", "text": "two"}


@pytest.mark.parametrize("last", ["", "2,two\n"])
def test_a_long_text_in_quotes_is_one_record_above_the_limit(last: str, tmp_path: Path) -> None:
    """Its lines are no rows, so they must not become documents or bad records of their own."""
    path = tmp_path / "a.csv"
    text = 'He said ""no"", and, oddly, left.\n' * 50
    path.write_text(f'id,text\n1,"{text}"\n{last}')
    items = read(path, limit=200)
    assert items[0] == BadRecord(0, f"above max_document_bytes: {len(text) + 5:,} bytes, limit 200")
    assert [record["id"] for record in good(items)] == (["2"] if last else [])


def test_a_file_cut_off_in_a_text_of_several_lines_loses_one_record(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,one\n2,"a poem\nof several lines\nwithout')
    assert good(read(path)) == [{"id": "1", "text": "one"}]
    assert bad(read(path)) == [(1, "the quotes are not closed")]
    path.write_text('id,text\n1,one\n2,"' + "a line of a poem\n" * 50)
    items = read(path, limit=200)
    assert items[1:] == [BadRecord(1, "the quotes are not closed", uncounted=True)]


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
    (found,) = read(path)
    assert isinstance(found, BadRecord)
    assert (found.row, found.reason, found.uncounted) == (-1, "unreadable header: not UTF-8", True)


def test_a_column_that_stands_twice_makes_the_header_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text, text\n1,one,uno\n")
    assert read(path) == [BadRecord(-1, "unreadable header: the column `text` stands twice", uncounted=True)]
    path.write_text("id,text,,\n1,one,,\n")
    assert good(read(path)) == [{"id": "1", "text": "one", "": ""}], "columns without a name are no fields of anyone"
