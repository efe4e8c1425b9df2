"""Plain text in UTF-8: a document is a file, a paragraph or a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from pipeline.readers.base import BadRecord, Item, Params, Piece, Record, Shard, too_long
from pipeline.readers.jsonl import shard_lines
from pipeline.readers.pieces import after
from pipeline.readers.streams import open_shard


class TextParams(Params):
    by: Literal["file", "paragraph", "line"] = Field(
        "file", description="What a document is; paragraphs end at blank lines."
    )


def read_text(shard: Shard) -> Iterator[Item]:
    """Yield records of `text` and `id`: the file's name, of lines and paragraphs with `:` and the row; of a whole file
    with form feeds also `pages`."""
    assert isinstance(shard.params, TextParams)
    if shard.params.by == "file":
        yield _whole(shard)
        return
    for row, (data, byte) in enumerate(_lines(shard) if shard.params.by == "line" else _paragraphs(shard)):
        where = byte if shard.piece else None
        if isinstance(data, int):
            yield too_long(row, data, shard.limit, where)
        else:
            yield _record(data, place(shard, row, where), row, where)


def place(shard: Shard, row: int, byte: int | None) -> str:
    """Return the id of a record that has none: `file:row`, or `file@byte` where the file is cut by bytes."""
    return f"{shard.name}:{row}" if byte is None else f"{shard.name}@{byte}"


def _record(data: bytes, name: str, row: int, byte: int | None) -> Record | BadRecord:
    try:
        return Record({"id": name, "text": data.decode()}, row, byte)
    except UnicodeDecodeError:
        return BadRecord(row, "not UTF-8", byte)


def _whole(shard: Shard) -> Record | BadRecord:
    with open_shard(shard.path) as file:
        data = file.read(shard.limit + 1)
        if len(data) <= shard.limit:
            return _with_pages(_record(data.removeprefix(b"\xef\xbb\xbf"), shard.name, 0, None))
        size = len(data)
        while part := file.read(1 << 20):
            size += len(part)
    return too_long(0, size, shard.limit)


def _with_pages(record: Record | BadRecord) -> Record | BadRecord:
    """Add how many pages form feeds part a file into; one at its very end begins no page."""
    if isinstance(record, Record) and "\f" in record["text"]:
        record["pages"] = record["text"].removesuffix("\f").count("\f") + 1
    return record


def _lines(shard: Shard) -> Iterator[tuple[bytes | int, int | None]]:
    for line, byte in shard_lines(shard):
        if line.data is None:
            yield line.size, byte
        elif line.data.strip():
            yield line.data, byte


def _paragraphs(shard: Shard) -> Iterator[tuple[bytes | int, int | None]]:
    """Yield the paragraphs; of one that is too long only its size."""
    parts: list[bytes] = []
    size, start, over = 0, None, False
    for line, byte in shard_lines(shard):
        if line.data is not None and not line.data.strip():
            if size:
                yield size if over else b"\n".join(parts), start
            parts, size, over = [], 0, False
            continue
        start = start if size else byte
        size += line.size
        over = over or size > shard.limit
        parts = [] if over or line.data is None else [*parts, line.data]
    if size:
        yield size if over else b"\n".join(parts), start


def cut_text(path: str, step: int, params: Any) -> list[Piece]:
    """Cut text between lines or paragraphs; a document that is a file stays whole."""
    tokens = {"line": b"\n", "paragraph": b"\n\n"}
    return after(tokens[params.by])(path, step, params) if params.by in tokens else []
