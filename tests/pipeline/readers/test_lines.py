"""JSON lines, plain text and Reddit dumps: a bad line costs itself, with its place; pieces read as the whole."""

from __future__ import annotations

import itertools
import json
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.base import BadRecord, Record
from tests.pipeline.readers.helpers import bad, good, pieces, read, read_pieces, skipped

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def test_jsonl_keeps_good_lines_and_names_bad_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    deep = b"[" * 100_000
    number = b'{"id": 1' + b"0" * 5000 + b"}"
    rows = [b'\xef\xbb\xbf{"id": 1}', b"not json", b"[1]", b'{"t": "\xff"}', b"", b'{"id": 2}', b"\0\0\0", deep, number]
    path.write_bytes(b"\n".join(rows))
    items = read(path)
    assert good(items) == [{"id": 1}, {"id": 2}]
    assert [record.row for record in good(items)] == [0, 5]
    assert bad(items) == [
        (1, "not JSON"),
        (2, "not a JSON object"),
        (3, "not UTF-8"),
        (6, "not JSON"),
        (7, "not JSON"),
        (8, "not JSON"),
    ]


def test_a_line_above_the_limit_costs_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"id": 1}\n{"id": "' + b"x" * 3_000_000 + b'"}\n{"id": 2}\n')
    items = read(path, limit=1_000_000)
    assert good(items) == [{"id": 1}, {"id": 2}]
    assert [item for item in items if isinstance(item, BadRecord)] == [
        BadRecord(1, "above max_document_bytes: 3,000,011 bytes, limit 1,000,000")
    ]


@given(st.lists(st.text("ab\u00e9 ", max_size=30), max_size=40), st.integers(1, 200), st.booleans())
def test_pieces_of_jsonl_read_as_the_whole(tmp_path_factory, texts: list[str], step: int, ends: bool) -> None:
    path = tmp_path_factory.mktemp("pieces") / "a.jsonl"
    data = "\n".join(json.dumps({"text": text}, ensure_ascii=False) for text in texts) + ("\n" if ends else "")
    path.write_text(data, encoding="utf-8")
    size = len(data.encode())
    found = pieces(path, step)
    if found:
        assert found[0].start == 0
        assert found[-1].end == size
        assert all(a.end == b.start for a, b in itertools.pairwise(found))
        assert read_pieces(path, step) == read(path)
    else:
        assert size <= step or len(texts) < 3 or max(map(len, data.split("\n"))) * 2 > step


def test_a_bad_line_in_a_piece_is_found_by_its_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [json.dumps({"id": i}).encode() for i in range(100)]
    rows[70] = b"broken"
    path.write_bytes(b"\n".join(rows))
    (found,) = [item for item in read_pieces(path, 200) if isinstance(item, BadRecord)]
    assert found.byte is not None
    assert path.read_bytes()[found.byte :].startswith(b"broken")


def test_text_is_one_document_a_file(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_bytes(b"\xef\xbb\xbfOne.\r\n\r\nTwo.\n")
    assert read(path) == [{"id": "book.txt", "text": "One.\r\n\r\nTwo.\n"}]
    assert bad(read(path, limit=5)) == [(0, "above max_document_bytes")]
    path.write_bytes(b"caf\xe9")
    assert bad(read(path)) == [(0, "not UTF-8")]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("line", [("a.txt:0", "one"), ("a.txt:1", "two"), ("a.txt:2", "three"), ("a.txt:3", "four")]),
        ("paragraph", [("a.txt:0", "one\ntwo"), ("a.txt:1", "three\nfour")]),
    ],
)
def test_text_by_lines_or_paragraphs(by: str, expected: list[tuple[str, str]], tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\none\r\ntwo\n\n \n\nthree\nfour")
    assert [(record["id"], record["text"]) for record in good(read(path, params={"by": by}))] == expected


def test_a_paragraph_above_the_limit_costs_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("short\n\n" + "word\n" * 100 + "\nshort too\n\n" + "x" * 500)
    items = read(path, params={"by": "paragraph"}, limit=300)
    assert [record["text"] for record in good(items)] == ["short", "short too"]
    assert bad(items) == [(1, "above max_document_bytes"), (3, "above max_document_bytes")]


def test_a_long_paragraph_takes_time_in_proportion_to_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"

    def seconds(n: int) -> float:
        path.write_text("ab\n" * n)
        start = time.process_time()
        (found,) = good(read(path, params={"by": "paragraph"}))
        assert len(found["text"]) == 3 * n - 1
        return time.process_time() - start

    assert min(seconds(60_000) for _ in range(2)) < 12 * max(0.005, min(seconds(15_000) for _ in range(3)))


@pytest.mark.parametrize("by", ["line", "paragraph"])
def test_pieces_of_text_read_as_the_whole_and_name_documents_by_their_byte(by: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("".join(f"line {i}\n" + ("\n" if i % 3 == 0 else "") for i in range(200)))
    whole, parts = good(read(path, params={"by": by})), good(read_pieces(path, 300, params={"by": by}))
    assert [record["text"] for record in parts] == [record["text"] for record in whole]
    data = path.read_text()
    for record in parts:
        name, _, byte = record["id"].partition("@")
        assert name == "a.txt"
        assert data[int(byte) :].startswith(record["text"])
    assert len({record["id"] for record in parts}) == len(parts)


def test_text_by_files_is_never_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("line\n" * 1000)
    assert pieces(path, 100) == []


REDDIT = [
    {"id": "a1", "title": "A &amp; B", "selftext": "Why &gt; how?", "subreddit": "s", "score": 7, "created_utc": 1},
    {"id": "a2", "title": "A link", "selftext": "", "url": "https://example.org", "subreddit": "s", "score": 1},
    {"id": "a3", "title": "Gone", "selftext": "[removed]", "subreddit": "s"},
    {"id": "c1", "body": "Because.", "link_id": "t3_a1", "parent_id": "t3_a1", "subreddit": "s", "score": 3},
    {"id": "c2", "body": "[deleted]", "link_id": "t3_a1", "parent_id": "t1_c1", "subreddit": "s"},
    {"id": "c3"},
]


def test_reddit_posts_and_comments_of_a_thread_are_one_group(tmp_path: Path) -> None:
    path = tmp_path / "RC_2012-01.zst"
    path.write_bytes(zstd.compress("\n".join(map(json.dumps, REDDIT)).encode()))
    items = read(path)
    assert [(record["id"], record["group"], record["text"]) for record in good(items)] == [
        ("t3_a1", "t3_a1", "A & B\n\nWhy > how?"),
        ("t3_a2", "t3_a2", "A link"),
        ("t1_c1", "t3_a1", "Because."),
    ]
    assert good(items)[2] | {"text": ""} == {
        "id": "t1_c1",
        "text": "",
        "group": "t3_a1",
        "kind": "comment",
        "parent": "t3_a1",
        "subreddit": "s",
        "score": 3,
    }
    assert skipped(items) == ["deleted", "deleted"]
    assert bad(items) == [(5, "neither a post nor a comment")]


def test_a_record_knows_its_row() -> None:
    assert Record({"a": 1}, 3) == {"a": 1}
    assert Record({"a": 1}, 3).row == 3
