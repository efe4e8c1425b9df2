"""Parquet and Arrow (IPC file or stream): rows in batches whose memory is bounded."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.readers.arrow_safe import bomb_in, validated
from pipeline.readers.base import BadRecord, Item, Piece, Record, Shard, twice
from pipeline.readers.streams import MAX_RATIO, RATIO_FROM, Broken, codec_of, open_raw, open_shard

BATCH_BYTES = 16_000_000
BATCH_ROWS = 1000
PARQUET_ROWS = 32
"""Rows decoded at a time. A value that stands once in a dictionary is copied out for each of them; more rows are hardly
faster."""
_STREAMED: dict[str, Any] = {"buffer_size": 1 << 20, "pre_buffer": False}
"""Options of ParquetFile with which a row group is read page by page; by default all of it is in memory at once."""
DAMAGED = (pa.ArrowException, OSError, ValueError)


def read_parquet(shard: Shard) -> Iterator[Item]:
    """Yield the rows of a Parquet file or of some of its row groups.

    Columns of nested values are read only where the source maps a field inside.
    """
    row = shard.first_row
    with _Raw(shard.path) as source:
        try:
            file = pq.ParquetFile(source, **_STREAMED)
            columns = _columns(file.schema_arrow, shard.columns)
        except DAMAGED as error:
            yield BadRecord(row, f"unreadable Parquet: {error}", uncounted=True)
            return
        for group in range(shard.piece.start, shard.piece.end) if shard.piece else range(file.num_row_groups):
            about = file.metadata.row_group(group)
            if _is_bomb(about):
                reason = f"decompression bomb: row group {group} grows over {MAX_RATIO} times"
                yield BadRecord(row, reason, records=max(1, about.num_rows))
            else:
                batches = _group_batches(file, source, group, columns)
                yield from _guarded("Parquet", batches, row, lambda rows=about.num_rows: rows)
            row += about.num_rows


def _group_batches(file: pq.ParquetFile, source: _Raw, group: int, columns: list[str]) -> Iterator[pa.RecordBatch]:
    about = file.metadata.row_group(group)
    texts = _risky_texts(about, file.schema_arrow)
    chosen = pq.ParquetFile(source, **_STREAMED, read_dictionary=texts) if texts else file
    size = max(1, about.total_byte_size // max(1, about.num_rows))
    yield from chosen.iter_batches(
        max(1, min(PARQUET_ROWS, BATCH_BYTES // size)), row_groups=[group], columns=columns, use_threads=False
    )


def _guarded(
    what: str, batches: Iterator[pa.RecordBatch], first: int, number: Callable[[], int | None]
) -> Iterator[Item]:
    """Yield the rows of batches that belong together; those that damage hides are one bad record.

    first: number of the first row; number: returns how many rows there should be, None where that is unknown.
    """
    row = first
    try:
        for batch in batches:
            for item in rows(batch, row):
                row = item.row + 1
                yield item
    except Broken as error:
        yield BadRecord(row, f"unreadable after this row: {error}", uncounted=True)
    except DAMAGED as error:
        known = number()
        lost = 1 if known is None else max(1, first + known - row)
        yield BadRecord(row, f"unreadable {what}: {error}", records=lost, uncounted=known is None)


def _is_bomb(group: Any) -> bool:
    whole, packed = group.total_byte_size, sum(group.column(i).total_compressed_size for i in range(group.num_columns))
    return whole > RATIO_FROM and whole > MAX_RATIO * max(1, packed)


def _risky_texts(group: Any, schema: pa.Schema) -> list[str]:
    """Return the text columns that are mostly a large dictionary, whose values may be many times what the column takes.

    Read as dictionaries they stay small, but that takes five times as long, and where only the first rows are in the
    dictionary, as in most files of long texts, it would hold the whole column.
    """
    risky = []
    for i in range(group.num_columns):
        column = group.column(i)
        at = schema.get_field_index(column.path_in_schema)
        if at < 0 or not _is_text(schema.field(at).type) or not column.has_dictionary_page:
            continue
        dictionary = column.data_page_offset - column.dictionary_page_offset
        if column.total_uncompressed_size > BATCH_BYTES and 2 * dictionary > column.total_compressed_size:
            risky.append(column.path_in_schema)
    return risky


def cut_parquet(path: str, step: int, params: Any) -> list[Piece]:
    """Cut between row groups, by their compressed sizes. A damaged file stays whole."""
    with _Raw(path) as source:
        try:
            about = pq.ParquetFile(source).metadata
        except DAMAGED:
            return []
        groups = [about.row_group(i) for i in range(about.num_row_groups)]
    sizes = [sum(g.column(i).total_compressed_size for i in range(g.num_columns)) for g in groups]
    return _gather(sizes, [group.num_rows for group in groups], step)


def _gather(sizes: list[int], counts: list[int], step: int) -> list[Piece]:
    """Return runs of groups of at most `step` bytes each where no single one is larger."""
    pieces, start, first, size, seen = [], 0, 0, 0, 0
    for i, (more, count) in enumerate(zip(sizes, counts, strict=True)):
        if size and size + more > step:
            pieces.append(Piece(start, i, first))
            start, first, size = i, seen, 0
        size += more
        seen += count
    return [*pieces, Piece(start, len(sizes), first)] if pieces else []


def read_arrow(shard: Shard) -> Iterator[Item]:
    """Yield the rows of an Arrow IPC file or stream; which one it is says its beginning."""
    if codec_of(shard.path):
        with open_shard(shard.path) as plain:
            yield from _guarded("Arrow", _chosen(_streamed(plain), shard), shard.first_row, lambda: None)
        return
    if "://" not in shard.path and (problem := bomb_in(shard.path, is_ipc_file(shard.path))):
        yield BadRecord(shard.first_row, problem, uncounted=True)
        return
    with _Raw(shard.path) as source:
        if is_ipc_file(shard.path):
            yield from _ipc_rows(source if "://" in shard.path else pa.memory_map(shard.path), shard)
        else:
            yield from _guarded("Arrow", _chosen(_streamed(source), shard), shard.first_row, lambda: None)


def _ipc_rows(source: Any, shard: Shard) -> Iterator[Item]:
    row = shard.first_row
    try:
        file = pa.ipc.open_file(source)
    except DAMAGED as error:
        yield BadRecord(row, f"unreadable Arrow: {error}", uncounted=True)
        return
    for i in range(shard.piece.start, shard.piece.end) if shard.piece else range(file.num_record_batches):
        batch = _chosen(map(file.get_batch, (i,)), shard)
        for item in _guarded("Arrow", batch, row, lambda i=i: _batch_length(source, file.schema, i)):
            yield item
            row = item.row + (item.records if isinstance(item, BadRecord) else 1)


def _batch_length(source: Any, schema: pa.Schema, i: int) -> int | None:
    """Return how many rows a damaged batch has, by any column that can be read; None where there is none."""
    for column in range(len(schema)):
        try:
            only = pa.ipc.IpcReadOptions(included_fields=[column])
            return len(pa.ipc.open_file(source, options=only).get_batch(i))
        except DAMAGED:
            continue
    return None


def _streamed(source: Any) -> Iterator[pa.RecordBatch]:
    yield from pa.ipc.open_stream(source)


def _chosen(batches: Iterable[pa.RecordBatch], shard: Shard) -> Iterator[pa.RecordBatch]:
    return (validated(batch.select(_columns(batch.schema, shard.columns))) for batch in batches)


def is_ipc_file(path: str) -> bool:
    """Tell whether an uncompressed file of Arrow is no stream."""
    with open_raw(path) as file:
        return file.read(6) == b"ARROW1"


def cut_arrow(path: str, step: int, params: Any) -> list[Piece]:
    """Cut an IPC file on a disk between record batches; streams, compressed files and URLs stay whole."""
    if codec_of(path) or "://" in path or not is_ipc_file(path) or bomb_in(path, is_file=True):
        return []
    try:
        file = pa.ipc.open_file(pa.memory_map(path))
        batches = map(file.get_batch, range(file.num_record_batches))  # compressed ones are large: one at a time
        sizes = [(batch.nbytes, len(batch)) for batch in batches]
        return _gather([size for size, _ in sizes], [count for _, count in sizes], step)
    except DAMAGED:
        return []


class Unreachable(Exception):
    """A disk or network failed. Not an OSError, as which pyarrow also reports damaged files."""


class _Raw(io.RawIOBase):
    """A file whose own failures pass through pyarrow as Unreachable."""

    def __init__(self, path: str) -> None:
        self._file = open_raw(path)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            data = self._file.read(len(buffer))
        except OSError as error:
            raise Unreachable(str(error)) from error
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        super().close()


def rows(batch: pa.RecordBatch, first: int) -> Iterator[Record | BadRecord]:
    """Yield a batch's rows, a few in memory at a time; dates and times as ISO 8601 text. first: the number of its first
    row in the shard."""
    for i, field in enumerate(batch.schema):
        if any(is_kind(field.type) for is_kind in _TIMES):
            batch = batch.set_column(i, field.name, _iso(batch.column(i)))
    step = max(1, min(BATCH_ROWS, BATCH_BYTES // max(1, batch.nbytes // max(1, len(batch)))))
    if any(pa.types.is_dictionary(field.type) for field in batch.schema):
        step = 1  # every row copies its value out
    for start in range(0, len(batch), step):
        part = batch.slice(start, step)
        try:
            values = part.to_pylist()
        except (UnicodeDecodeError, OverflowError, ValueError):
            yield from _one_by_one(part, first + start)
            continue
        yield from (Record(value, first + start + i) for i, value in enumerate(values))


def _iso(times: pa.Array) -> pa.Array:
    """Return dates or times as text; Python's own types would not hold all of them."""
    kind = times.type
    if not pa.types.is_timestamp(kind):
        return times.cast(pa.string())
    plain = times.cast(pa.timestamp(kind.unit, "UTC")) if kind.tz else times
    return pc.replace_substring(plain.cast(pa.string()), " ", "T", max_replacements=1)  # type: ignore[attr-defined]


def _one_by_one(part: pa.RecordBatch, first: int) -> Iterator[Record | BadRecord]:
    for i in range(len(part)):
        try:
            yield Record(part.slice(i, 1).to_pylist()[0], first + i)
        except UnicodeDecodeError:
            yield BadRecord(first + i, "not UTF-8")
        except (OverflowError, ValueError) as error:
            yield BadRecord(first + i, f"not a value that Python has: {error}")


_PLAIN: tuple[Callable[[pa.DataType], bool], ...] = (
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
)
_TIMES = (pa.types.is_date, pa.types.is_time, pa.types.is_timestamp)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _columns(schema: pa.Schema, mapped: tuple[str, ...]) -> list[str]:
    """Return the columns to read: those whose values a document keeps, and those that the source maps.

    Raises ValueError where one of them stands twice.
    """
    heads = {path.split(".")[0] for path in mapped} | set(mapped)
    chosen = [
        field.name
        for field in schema
        if field.name in heads
        or _is_text(field.type)
        or (pa.types.is_dictionary(field.type) and _is_text(field.type.value_type))
        or any(is_kind(field.type) for is_kind in (*_PLAIN, *_TIMES))
    ]
    if problem := twice(chosen):
        raise ValueError(problem)
    return chosen
