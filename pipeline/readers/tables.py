"""CSV and TSV (RFC 4180) in UTF-8, record by record: a broken one costs itself, not the file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import Field

from pipeline.readers.base import BadRecord, Item, Params, Record, Shard, too_long
from pipeline.readers.streams import Line, lines, open_shard


class TableParams(Params):
    separator: str | None = Field(None, min_length=1, max_length=1, description="By default , or of .tsv a tab.")
    quote: str | None = Field('"', min_length=1, max_length=1, description="null where quotes are plain characters.")
    columns: list[str] | None = Field(None, description="Names of the columns of a file without a header line.")


class _Cells(NamedTuple):
    """cells: of one record, or what is wrong with it; byte: where it starts."""

    cells: list[str] | str
    byte: int
    size: int


def read_table(shard: Shard) -> Iterator[Item]:
    """Yield a record of texts for every row below the header. Rows count from 0 behind it."""
    assert isinstance(shard.params, TableParams)
    start = shard.piece.start if shard.piece else 0
    header = shard.params.columns
    if header is None:
        with open_shard(shard.path) as file:
            first = next(_records(shard, lines(file, shard.limit)), None)
        if first is None:
            return
        if isinstance(first.cells, str):
            yield BadRecord(-1, f"unreadable header: {first.cells}")
            return
        header = [cell.strip() for cell in first.cells]
    with open_shard(shard.path, shard.piece) as file:
        records = _records(shard, lines(file, shard.limit, start))
        if shard.params.columns is None and start == 0:
            next(records)
        for row, (cells, byte, size) in enumerate(records):
            where = byte if shard.piece else None
            if isinstance(cells, str):
                yield too_long(row, size, shard.limit, where) if size > shard.limit else BadRecord(row, cells, where)
            elif len(cells) != len(header):
                yield BadRecord(row, f"wrong number of cells: {len(cells)}, expected {len(header)}", where)
            else:
                yield Record(dict(zip(header, cells, strict=True)), row, where)


def _records(shard: Shard, source: Iterator[Line]) -> Iterator[_Cells]:
    """Yield records: lines joined until their quotes are closed. What grows above the limit ends at its line."""
    assert isinstance(shard.params, TableParams)
    quote = (shard.params.quote or "").encode()
    parts: list[bytes] = []
    quotes = size = start = 0
    for line in source:
        if not parts and line.data == b"":
            continue
        start = start if parts else line.byte
        size += line.size
        if line.data is None or size > shard.limit:
            yield _Cells("too long", start, size)
        else:
            parts.append(line.data)
            quotes += line.data.count(quote) if quote else 0
            if quotes % 2:
                continue
            yield _Cells(_cells(shard, b"\n".join(parts)), start, size)
        parts, quotes, size = [], 0, 0
    if parts:
        yield _Cells("the quotes are not closed", start, size)


def _cells(shard: Shard, data: bytes) -> list[str] | str:
    assert isinstance(shard.params, TableParams)
    csv.field_size_limit(max(csv.field_size_limit(), shard.limit))  # the module has one for all readers: 128 kB
    separator = shard.params.separator or ("\t" if ".tsv" in shard.path.lower() else ",")
    quote = shard.params.quote
    try:
        # `newline`s inside quotes come back as they are from a list of one text
        found = csv.reader(
            [data.decode()],
            delimiter=separator,
            quotechar=quote,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            strict=True,
        )
        return next(found)
    except UnicodeDecodeError:
        return "not UTF-8"
    except (csv.Error, StopIteration) as error:
        return f"not CSV: {error}"
