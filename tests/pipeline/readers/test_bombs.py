"""Records that are made to grow or to take for ever cost themselves, in bounded time and memory, and nothing else."""

from __future__ import annotations

import time
from html import escape
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.readers.html_safe import DEEPEST, BadHtml, check_depth
from pipeline.readers.html_text import html_to_text
from tests.pipeline.readers.helpers import bad, good, read

N = 100_000
LONGEST = 10.0
"""Seconds; what these guard against took minutes to years."""


@pytest.mark.parametrize(
    "unit",
    ["<!--", "<a ", "<a b='", "</", "<?", "<![CDATA[", "<![if"],
    ids=["comment", "tag", "value", "end", "pi", "cdata", "if"],
)
def test_markup_without_an_end_takes_no_time(tmp_path: Path, unit: str) -> None:
    """The parser reads all of the rest for each of them: 10 to the 12 characters of a document of 4 MB."""
    body = escape(unit * (4_000_000 // len(unit)))
    (tmp_path / "a.Posts.xml").write_text(
        f'<posts>\n<row Id="1" PostTypeId="2" Body="{body}" />\n<row Id="2" PostTypeId="2" Body="x" />\n</posts>\n'
    )
    (tmp_path / "a.hocr").write_text(
        f"<html><div class='ocr_page'><span class='ocrx_word'>a{unit * (900_000 // len(unit))}"
    )
    started = time.process_time()
    posts = read(tmp_path / "a.Posts.xml")
    assert [record["id"] for record in good(posts)] == ["2"]
    assert bad(posts) == [(1, "not HTML")]
    assert len(read(tmp_path / "a.hocr")) == 1
    assert time.process_time() - started < LONGEST


@pytest.mark.parametrize("unit", ["<ul><li>x", "<ol><li>x", "<blockquote>x", "<blockquote><ul><li>x"])
def test_deep_lists_and_quotes_make_no_long_text(unit: str) -> None:
    """Each level is indented: 9 bytes a level would make a text as large as the square of its depth."""
    text = html_to_text(unit * 2000)
    assert len(text) < 2000 * 150
    assert text.count("x") == 2000


def test_a_page_of_many_elements_is_set_aside(tmp_path: Path) -> None:
    """As a tree, 16 MB of empty elements take 2 GB."""
    ends = ("<a/>" * N, "<a>" * N + "</a>" * N)
    page = "<page><title>t</title><ns>0</ns><id>{}</id><revision><id>2</id><text>{}</text></revision></page>\n"
    texts = [*(page.format(i, f"x{end}") for i, end in enumerate(ends)), page.format(9, "kept")]
    (tmp_path / "pages-articles.xml").write_text(f"<mediawiki>\n{''.join(texts)}</mediawiki>\n")
    pages = read(tmp_path / "pages-articles.xml")
    assert [record["id"] for record in good(pages)] == ["9"]
    assert bad(pages) == [(0, "not XML"), (1, "not XML")]


@pytest.mark.parametrize("name", ["UTF-7", "no-such", "base64", "idna", "utf-16"])
def test_an_encoding_that_xml_does_not_know_is_the_file_s_fault(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.alto.xml").write_text(f"<?xml version='1.0' encoding='{name}'?><alto/>")
    assert bad(read(tmp_path / "a.alto.xml", "alto")) == [(0, "not XML")]


@pytest.mark.parametrize("unit", ["<div>", "<a><b><div>", "<DIV class=x></span>"])
def test_a_page_too_deep_for_the_native_parser_is_set_aside(tmp_path: Path, unit: str) -> None:
    """It takes the square of the depth: 12 seconds for 30,000 elements, hours for the 16 MB that a page may have."""
    pytest.importorskip("resiliparse")
    pages = [unit * N, "<p>" + "<br>word <li><td>" * N + "<b>x</b>" * N]
    (tmp_path / "a.warc").write_bytes(b"".join(map(response, pages)))
    started = time.process_time()
    found = read(tmp_path / "a.warc")
    assert bad(found) == [(0, "not HTML")]
    assert len(found) == 2, "many elements beside each other are no depth"
    assert time.process_time() - started < LONGEST


def response(page: str) -> bytes:
    body = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{page}"
    head = "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:a>\r\nWARC-Target-URI: http://a/\r\n"
    head += "Content-Type: application/http; msgtype=response\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}\r\n\r\n".encode()


def test_depth_is_that_of_open_elements() -> None:
    check_depth("<div>" * DEEPEST + "</div>" * DEEPEST)
    check_depth("<div><b>x</b></div>" * 10 * DEEPEST)
    with pytest.raises(BadHtml):
        check_depth("<div>" * (DEEPEST + 1) + "</div>" * (DEEPEST + 1))


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_an_arrow_batch_that_unpacks_to_too_much_is_set_aside(tmp_path: Path, kind: str) -> None:
    """pyarrow unpacks a batch as a whole: 3 MB of it would take 100 GB."""
    table = pa.table({"id": ["a"], "text": pa.array([b"\0" * 100_000_000]).cast(pa.string())})
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    new = pa.ipc.new_file if kind == "file" else pa.ipc.new_stream
    for name, each in (("bomb", table), ("good", pa.table({"id": ["a"], "text": ["b" * 1000]}))):
        with pa.OSFile(str(tmp_path / f"{name}.arrow"), "wb") as out, new(out, each.schema, options=options) as writer:
            writer.write_table(each)
    assert (tmp_path / "bomb.arrow").stat().st_size < 100_000
    before = pa.default_memory_pool().max_memory()
    assert bad(read(tmp_path / "bomb.arrow")) == [(0, "decompression bomb")]
    assert pa.default_memory_pool().max_memory() == before, "nothing of it was unpacked"
    assert [record["id"] for record in good(read(tmp_path / "good.arrow"))] == ["a"]


def test_an_offset_beyond_its_buffer_reads_no_other_memory(tmp_path: Path) -> None:
    offsets = pa.array([0, 2_000_000, 64], pa.int32()).buffers()[1]
    text = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"ab" * 32)])
    batch = pa.RecordBatch.from_arrays([pa.array(["a", "b"]), text], names=["id", "text"])
    with pa.OSFile(str(tmp_path / "a.arrow"), "wb") as out, pa.ipc.new_file(out, batch.schema) as writer:
        writer.write_batch(batch)
    found = read(tmp_path / "a.arrow")
    assert not good(found)
    assert bad(found) == [(0, "unreadable Arrow")]
