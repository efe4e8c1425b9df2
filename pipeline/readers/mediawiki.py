"""MediaWiki dumps: pages-articles.xml, plain or compressed, wikitext to plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import BinaryIO, NamedTuple

from pipeline.readers.base import BadRecord, Item, Record, Shard, Skipped, too_long
from pipeline.readers.streams import CHUNK, Broken, open_shard
from pipeline.readers.xml_safe import BadXml, parse

OPEN, CLOSE = b"<page>", b"</page>"
_HEAD_BYTES = 64_000
_HIDDEN_NAMESPACE = re.compile(rb'<namespace key="(?:6|14)"[^>]*>([^<]+)</namespace>')


def read_pages(shard: Shard) -> Iterator[Item]:
    """Yield a record for every page of the main namespace that is no redirect; the others are skipped, and counted.

    `id` (page id), `text`, `title`, `revision`, `timestamp`.
    """
    start = shard.piece.start if shard.piece else 0
    by_bytes = shard.piece is not None and not shard.path.lower().endswith(".bz2")
    hidden = hidden_namespaces(shard.path)
    with open_shard(shard.path, shard.piece) as file:
        for row, page in enumerate(pages(file, shard.limit, start)):
            where = page.byte if by_bytes else None
            if page.data is None:
                yield too_long(row, page.size, shard.limit, where)
            else:
                yield _page(page.data, row, where, hidden)


def hidden_namespaces(path: str) -> frozenset[str]:
    """Return the names of the namespaces of files and categories that the head of a dump gives, in lower case, and
    those that hold everywhere."""
    from pipeline.readers.wikitext import HIDDEN

    with open_shard(path) as file:
        try:
            head = file.read(_HEAD_BYTES).partition(OPEN)[0]
        except Broken:  # the shard's own reading says so
            head = b""
    return HIDDEN | {unescape(name.decode(errors="replace")).lower() for name in _HIDDEN_NAMESPACE.findall(head)}


def _page(data: bytes, row: int, byte: int | None, hidden: frozenset[str]) -> Item:
    from pipeline.readers.wikitext import wikitext_to_text

    try:
        page = parse(data)
    except BadXml as error:
        return BadRecord(row, f"not XML: {error}", byte)
    if page.text_of("ns") not in ("0", ""):
        return Skipped(row, "not in the main namespace")
    if page.find("redirect"):
        return Skipped(row, "redirect")
    name, source = page.text_of("id"), page.text_of("revision", "text")
    if not name or page.find("revision", "text") is None:
        return BadRecord(row, "not a page: it has no id or no text", byte)
    try:
        text = wikitext_to_text(source, hidden)
    except Exception as error:  # the parser promises no exception, and users' markup has found some
        return BadRecord(row, f"wikitext that cannot be parsed: {type(error).__name__}", byte)
    if not text:
        return Skipped(row, "page without text")
    title = page.text_of("title")
    values = {"id": name, "text": f"{title}\n\n{text}" if title else text, "title": title}
    values |= {"revision": page.text_of("revision", "id"), "timestamp": page.text_of("revision", "timestamp")}
    return Record(values, row, byte)


class Page(NamedTuple):
    """data: from <page> to </page>, None where that is longer than allowed; byte: where it starts."""

    data: bytes | None
    byte: int
    size: int


def pages(file: BinaryIO, limit: int, start: int = 0) -> Iterator[Page]:
    """Yield the pages of a stream of XML with at most `limit` bytes in memory. A page that never ends is left to the
    reader as one without an end. In wikitext `<` is escaped, so the tags stand for themselves."""
    buffer, at, inside, size = b"", start, False, 0
    while True:
        token = CLOSE if inside else OPEN
        found = buffer.find(token)
        if found >= 0 and not inside:
            buffer, at, inside, size = buffer[found:], at + found, True, 0
        elif found >= 0:
            end = found + len(CLOSE)
            whole = size + end
            yield Page(buffer[:end] if not size and whole <= limit else None, at, whole)
            buffer, at, inside = buffer[end:], at + whole, False
        else:
            if not inside or size or len(buffer) > limit:  # nothing of this is kept, except a token cut in two
                keep = len(token) - 1
                gone = max(0, len(buffer) - keep)
                buffer = buffer[gone:]
                if inside:
                    size += gone
                else:
                    at += gone
            more = file.read(max(CHUNK, len(buffer)))
            if not more:
                break
            buffer += more
    if inside:
        yield Page(buffer if not size else None, at, size + len(buffer))
