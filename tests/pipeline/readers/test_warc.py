"""WARC and WET files: the main text of pages, everything else skipped and counted, damage costs its record."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from pipeline.readers.registry import missing_modules
from tests.pipeline.readers.helpers import bad, good, read, skipped

pytestmark = pytest.mark.skipif(bool(missing_modules("warc")), reason="the extra `warc` is not installed")

PAGE = (
    "<html><head><title>T</title></head><body><nav><a href='/'>Home</a><a href='/b'>About</a></nav><main><h1>Tea</h1>"
    "<p>Tea is a drink that is made by pouring hot water over leaves, and é is a letter.</p></main></body></html>"
)
TEXT = "Tea is a drink that is made by pouring hot water over leaves, and é is a letter."


def record(number: int, block: bytes, kind: str = "response", url: str = "http://example.org/") -> bytes:
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}{number}\r\nWARC-Date: 2024-01-02T03:04:05Z\r\n"
        f"WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-{number:012d}>\r\n"
        f"Content-Type: application/http; msgtype={kind}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def http(body: bytes, *headers: str, status: str = "200 OK", kind: str = "text/html; charset=utf-8") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def response(number: int, body: bytes = PAGE.encode(), *headers: str, **options: str) -> bytes:
    return record(number, http(body, *headers, **options))


def crawl(path: Path, *records: bytes) -> Path:
    """Write records as crawls do: each a gzip member."""
    path.write_bytes(b"".join(map(gzip.compress, records)) if path.suffix == ".gz" else b"".join(records))
    return path


@pytest.mark.parametrize("name", ["a.warc.gz", "a.warc"])
def test_pages_are_read_and_the_rest_is_counted(name: str, tmp_path: Path) -> None:
    path = crawl(
        tmp_path / name,
        record(0, b"software: x", kind="warcinfo"),
        record(1, b"GET / HTTP/1.1\r\n\r\n", kind="request"),
        response(2),
        response(3, b"%PDF", kind="application/pdf"),
        response(4, b"", status="404 Not Found"),
        response(5, b"<html><body></body></html>"),
    )
    items = read(path)
    (found,) = good(items)
    assert found["text"].endswith(TEXT)
    assert "About" not in found["text"]
    assert found | {"text": ""} == {
        "id": "urn:uuid:00000000-0000-0000-0000-000000000002",
        "text": "",
        "group": "example.org",
        "url": "http://example.org/2",
        "date": "2024-01-02T03:04:05Z",
    }
    assert skipped(items) == [
        "warcinfo record",
        "request record",
        "not HTML",
        "status other than 200",
        "page without main text",
    ]


def test_transfer_and_content_encodings_and_charsets(tmp_path: Path) -> None:
    body = PAGE.encode()
    chunked = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    path = crawl(
        tmp_path / "a.warc.gz",
        response(1, gzip.compress(body), "Content-Encoding: gzip"),
        response(2, chunked, "Transfer-Encoding: chunked"),
        response(3, PAGE.encode("latin-1"), kind="text/html; charset=ISO-8859-1"),
        response(4, PAGE.encode("latin-1"), kind="text/html"),
    )
    assert [record["text"].endswith(TEXT) for record in good(read(path))] == [True] * 4


def test_wet_files_give_their_text(tmp_path: Path) -> None:
    text = "Café and more."
    path = crawl(tmp_path / "a.warc.wet.gz", record(1, text.encode(), "conversion"), record(2, b"\xff", "conversion"))
    items = read(path)
    assert [record["text"] for record in good(items)] == [text]
    assert bad(items) == [(1, "not UTF-8")]


def test_damage_costs_its_record(tmp_path: Path) -> None:
    whole = response(3)
    path = tmp_path / "a.warc"
    path.write_bytes(response(1) + b"garbage\r\n\r\n" + response(2)[:-60] + whole + b"WARC/1.0\r\nWARC-Type: x\r\n")
    items = read(path)
    # the record that is cut short takes the start of the next one into its body, which is then lost as well
    assert [record["id"][-1] for record in good(items)] == ["1", "2"]
    assert {reason for _, reason in bad(items)} == {"damaged"}
    path.write_bytes(response(1) + whole[:-100])
    items = read(path)
    assert [record["id"][-1] for record in good(items)] == ["1"]
    assert bad(items) == [(1, "cut off")]


def test_a_page_that_grows_above_the_limit_is_set_aside(tmp_path: Path) -> None:
    bomb = gzip.compress(b"<p>" + b"a " * 5_000_000)
    path = crawl(
        tmp_path / "a.warc.gz", response(1, bomb, "Content-Encoding: gzip"), response(2), record(3, b"x" * 2_000_000)
    )
    items = read(path, limit=1_000_000)
    assert [record["id"][-1] for record in good(items)] == ["2"]
    assert bad(items) == [(0, "above max_document_bytes"), (2, "above max_document_bytes")]


def test_a_cut_archive_keeps_what_stands_before(tmp_path: Path) -> None:
    path = crawl(tmp_path / "a.warc.gz", response(1), response(2))
    path.write_bytes(path.read_bytes()[:-40])
    items = read(path)
    assert [record["id"][-1] for record in good(items)] == ["1"]
    assert bad(items) == [(1, "unreadable after this row")]
