"""CSV and TSV (RFC 4180) in UTF-8, record by record: a broken one costs itself, not the file."""

from __future__ import annotations

import csv
import mmap
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from pydantic import Field

from pipeline.readers.base import BadRecord, Item, Params, Piece, Record, Shard, too_long, twice
from pipeline.readers.pieces import between, targets
from pipeline.readers.streams import Line, codec_of, lines, open_shard, size_of

_JUDGED = 100
"""Lines behind an open quote, at most, that are looked at to tell rows of the table from lines of a long text."""


class TableParams(Params):
    separator: str | None = Field(None, min_length=1, max_length=1, description="By default , or of .tsv a tab.")
    quote: str | None = Field('"', min_length=1, max_length=1, description="null where quotes are plain characters.")
    columns: list[str] | None = Field(None, description="Names of the columns of a file without a header line.")


class _Row(NamedTuple):
    """cells: of one record; byte: where it starts; problem: what is wrong with it, empty where nothing is; rest: all
    that follows it is lost too."""

    cells: list[str]
    byte: int
    size: int
    problem: str = ""
    rest: bool = False


def read_table(shard: Shard) -> Iterator[Item]:
    """Yield a record of texts for every row below the header. Rows count from 0 behind it."""
    assert isinstance(shard.params, TableParams)
    start = shard.piece.start if shard.piece else 0
    header = header_of(shard)
    if header is None:
        return
    if isinstance(header, str):
        yield BadRecord(-1, f"unreadable header: {header}", uncounted=True)
        return
    with open_shard(shard.path, shard.piece) as file:
        records = _records(shard, lines(file, shard.limit, start), len(header))
        if shard.params.columns is None and start == 0:
            next(records)
        for row, (cells, byte, size, problem, rest) in enumerate(records):
            where = byte if shard.piece else None
            if problem and size > shard.limit and not rest:
                yield too_long(row, size, shard.limit, where)
            elif problem:
                yield BadRecord(row, problem, where, uncounted=rest)
            elif len(cells) != len(header):
                yield BadRecord(row, f"wrong number of cells: {len(cells)}, expected {len(header)}", where)
            else:
                yield Record(dict(zip(header, cells, strict=True)), row, where)


def header_of(shard: Shard) -> list[str] | str | None:
    """Return the names of the columns, or why they cannot be told; None of an empty file."""
    assert isinstance(shard.params, TableParams)
    names = shard.params.columns
    if names is None:
        with open_shard(shard.path) as file:
            first = next(_records(shard, lines(file, shard.limit)), None)
        if first is None or first.problem:
            return first and first.problem
        names = [cell.strip() for cell in first.cells]
    return twice(names) or names


def cut_table(path: str, step: int, params: Any) -> list[Piece]:
    """Cut an uncompressed file at line breaks that are in no quoted field.

    That takes one pass over the file, so files behind a URL stay whole; so do those with marks beyond ASCII.
    """
    if codec_of(path) or "://" in path or not f"{params.quote}{_separator(path, params)}".isascii():
        return []
    size, borders, behind = size_of(path), [], 0
    waiting = list(targets(size, step))[::-1]
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for start, end in (*_quoted_fields(data, path, params), (size, size)):
            while waiting and end > waiting[-1]:
                border = data.find(b"\n", max(waiting[-1], behind), start) + 1
                if not border:
                    break
                borders.append(border)
                while waiting and waiting[-1] < border:
                    waiting.pop()
            if not waiting:
                break
            behind = end
    return between(borders, size)


def _quoted_fields(data: mmap.mmap, path: str, params: TableParams) -> Iterator[tuple[int, int]]:
    """Yield where the well-formed quoted fields start and end; a quote elsewhere is a plain or a stray one."""
    if params.quote is None:
        return iter(())
    quote, separator = (re.escape(mark.encode()) for mark in (params.quote, _separator(path, params)))
    field = rb"Q(?<![^S\n]Q)[^Q]*+(?:QQ[^Q]*+)*+Q(?=[S\r\n]|\Z)".replace(b"Q", quote).replace(b"S", separator)
    return (match.span() for match in re.finditer(field, data))


def _separator(path: str, params: TableParams) -> str:
    return params.separator or ("\t" if ".tsv" in path.lower() else ",")


def _records(shard: Shard, source: Iterator[Line], width: int = 0) -> Iterator[_Row]:
    """Yield records: a line, with those after it for as long as a quote is open.

    A quote out of place costs its line; the lines that it joined to it are read again. A quote that stays open above
    the limit or to the end may also belong to a long text: then the lines behind it are mostly no rows, and it is one
    bad record up to its closing quote. width: cells of a row.
    """
    assert isinstance(shard.params, TableParams)
    quote = (shard.params.quote or "").encode()
    again: deque[Line] = deque()  # lines to read once more
    taken: list[Line] = []  # lines of the present record
    ended = False  # nothing more follows in `texts`

    def following() -> Line | None:
        return again.popleft() if again else next(source, None)

    def texts() -> Iterator[str]:
        """Yield lines up to the end, or to the one with which a record grows above the limit."""
        nonlocal ended
        ended, size = False, 0
        while line := following():
            size = line.size + (size if taken else 0)
            taken.append(line)
            if line.data is None or size > shard.limit:
                break
            yield line.data.decode(errors="surrogateescape") + "\n"
        ended = True

    while True:
        problem = "too long"  # where no record was begun
        try:
            for cells in _parsed(shard, texts()):
                if len(taken) > 1 and len(cells) != width and _are_rows(shard, taken[1:], width):
                    problem = "the quotes are not closed"
                    break
                if cells:
                    yield _Row(cells, taken[0].byte, sum(line.size for line in taken), _encoding_problem(cells))
                taken.clear()
        except csv.Error as error:
            problem = "the quotes are not closed" if ended else f"not CSV: {error}"
        if not taken:
            return
        first, *rest = taken
        if not ended or _are_rows(shard, rest, width):
            again.extendleft(reversed(rest))
            yield _Row([], first.byte, first.size, problem)
        else:
            size = sum(line.size for line in taken)
            quotes = sum(line.data.count(quote) for line in taken if line.data) if quote else 0
            line: Line | None = taken[-1]
            while size > shard.limit and quotes % 2 and line and line.data is not None and (line := following()):
                size += line.size
                quotes += line.data.count(quote) if line.data else 0
            yield _Row([], first.byte, size, problem, rest=line is None)
        taken.clear()


def _are_rows(shard: Shard, found: list[Line], width: int) -> bool:
    """Tell whether most of some lines are rows of the table, each by itself."""
    judged = [line.data for line in found[:_JUDGED] if line.data]
    rows = 0
    for data in judged:
        try:
            rows += len(next(_parsed(shard, [data.decode(errors="surrogateescape")]))) == width
        except csv.Error:
            continue
    return 2 * rows > len(judged)


def _parsed(shard: Shard, texts: Iterable[str]) -> Iterator[list[str]]:
    assert isinstance(shard.params, TableParams)
    csv.field_size_limit(max(csv.field_size_limit(), shard.limit))  # the module has one for all readers: 128 kB
    quote = shard.params.quote
    return csv.reader(
        texts,
        delimiter=_separator(shard.path, shard.params),
        quotechar=quote,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        strict=True,
    )


def _encoding_problem(cells: list[str]) -> str:
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:  # bytes that were no UTF-8 stand as surrogates
        return "not UTF-8"
    return ""
