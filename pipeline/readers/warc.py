"""WARC and WET files of web crawls: the main text of HTML pages, or the text that the crawler took (extra `warc`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlsplit

from pipeline.readers.base import BadRecord, Item, Record, Shard, Skipped, too_long
from pipeline.readers.html_safe import BadHtml, check_depth
from pipeline.readers.streams import CHUNK, open_shard

MODULES = ("fastwarc", "resiliparse")
_HTML = ("text/html", "application/xhtml+xml")
_LENGTH = re.compile(rb"^content-length:\s*(\d{1,15})\s*$", re.IGNORECASE | re.MULTILINE)
_HEADER_BYTES = 64_000


def read_warc(shard: Shard) -> Iterator[Item]:
    """Yield a record for every HTML response of status 200 with main text, and for every text of a WET file.

    `id` (WARC-Record-ID), `text`, `group` (the host), `url`, `date`. Requests, other types of content, redirects and
    pages without main text are skipped. A damaged record costs itself: reading goes on at the next one's first line.
    """
    with open_shard(shard.path) as file:
        for row, block in enumerate(_blocks(file, shard.limit)):
            if block.problem:
                yield BadRecord(row, block.problem)
            elif block.data is None:
                yield too_long(row, block.size, shard.limit)
            else:
                yield _document(block.data, row, shard.limit)


class _Block(NamedTuple):
    """data: a whole record, None where it is longer than allowed; problem: why it cannot be read."""

    data: bytes | None
    size: int
    problem: str = ""


def _blocks(file: BinaryIO, limit: int) -> Iterator[_Block]:
    """Yield the records of a WARC file by the lengths that they state."""
    lost = 0
    while line := file.readline(_HEADER_BYTES):
        if not line.startswith(b"WARC/"):
            lost += len(line.strip())
            continue
        if lost:
            yield _Block(None, lost, f"damaged: {lost:,} bytes belong to no record")
            lost = 0
        header = line
        while len(header) < _HEADER_BYTES and (line := file.readline(_HEADER_BYTES)):
            header += line
            if not line.strip():
                break
        stated = _LENGTH.search(header)
        if stated is None or line.strip():
            yield _Block(None, len(header), "damaged: a header without an end or a Content-Length")
            continue
        size = int(stated[1])
        if size > limit:
            left = size
            while left and (part := file.read(min(CHUNK, left))):
                left -= len(part)
            yield _Block(None, size) if not left else _cut(size - left, size)
            continue
        body = file.read(size)
        yield _Block(header + body, size) if len(body) == size else _cut(len(body), size)
    if lost:
        yield _Block(None, lost, f"damaged: {lost:,} bytes belong to no record")


def _cut(found: int, size: int) -> _Block:
    return _Block(None, found, f"cut off: {found:,} of {size:,} bytes")


def _document(data: bytes, row: int, limit: int) -> Item:
    from fastwarc.warc import WarcRecord, WarcRecordType

    try:
        record = WarcRecord.from_bytes(data)
        if record.record_type == WarcRecordType.conversion:
            return _extracted(record, record.reader.read().decode(), row)
        if record.record_type == WarcRecordType.response:
            return _page(record, row, limit)
        return Skipped(row, f"{record.record_type} record")
    except UnicodeDecodeError:
        return BadRecord(row, "not UTF-8")
    except (OSError, ValueError, EOFError) as error:
        return BadRecord(row, f"damaged: {error}")
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # how the library's Rust code fails
            raise
        return BadRecord(row, f"damaged: {str(error)[:200]}")


def _page(record: Any, row: int, limit: int) -> Item:
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding

    record.parse_http(auto_decode="all", strict_mode=False)
    headers = record.http_headers
    if headers is None or headers.status_code != 200:
        return Skipped(row, "status other than 200")
    if (record.http_content_type or "").lower() not in _HTML:
        return Skipped(row, "not HTML")
    data = record.reader.read(limit + 1)  # compressed content may grow
    if len(data) > limit:
        return too_long(row, len(data), limit)
    html = bytes_to_str(data, record.http_charset or detect_encoding(data) or "utf-8")
    try:
        check_depth(html)
    except BadHtml as error:
        return BadRecord(row, f"not HTML: {error}")
    return _extracted(record, extract_plain_text(html, main_content=True), row)


def _extracted(record: Any, text: str, row: int) -> Item:
    if not text.strip():
        return Skipped(row, "page without main text")
    url = record.headers.get("WARC-Target-URI") or ""
    try:
        host = urlsplit(url).hostname
    except ValueError:  # brackets that are no IPv6 address
        host = None
    name = (record.record_id or url).strip("<>")
    date = record.headers.get("WARC-Date")
    return Record({"id": name, "text": text, "group": host or url, "url": url, "date": date}, row)
