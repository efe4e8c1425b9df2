"""Readers: turn one shard of a source into records, good ones and bad ones.

Adding a reader is one function and one line in READERS.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

import fsspec

BATCH = 1000
"""Records held in memory at a time."""


class Record(dict[str, Any]):
    """One document's fields as the shard gives them."""


class BadRecord(Exception):
    """A record, or the rest of a shard, that cannot be read. `row` counts from 0."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(reason)
        self.row, self.reason = row, reason


class Reader(Protocol):
    """Yields the records of one open shard in order, and a BadRecord in place of each that cannot be read."""

    def __call__(self, file: BinaryIO) -> Iterator[Record | BadRecord]: ...


def read_parquet(file: BinaryIO) -> Iterator[Record | BadRecord]:
    """Rows of a Parquet file, one batch in memory at a time."""
    import pyarrow.parquet as pq

    row = 0
    try:
        for batch in pq.ParquetFile(file).iter_batches(batch_size=BATCH):
            for record in batch.to_pylist():
                yield Record(record)
                row += 1
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        yield BadRecord(row, f"unreadable Parquet: {error}")


def read_jsonl(file: BinaryIO) -> Iterator[Record | BadRecord]:
    """Lines of JSON objects in UTF-8; empty lines are skipped."""
    row = 0
    try:
        for line in file:
            if line.strip():
                yield _json_record(line, row)
            row += 1
    except (OSError, EOFError, zlib.error) as error:
        yield BadRecord(row, f"unreadable after this row: {error}")


def _json_record(line: bytes, row: int) -> Record | BadRecord:
    try:
        value = json.loads(line)
    except UnicodeDecodeError:
        return BadRecord(row, "not UTF-8")
    except json.JSONDecodeError as error:
        return BadRecord(row, f"not JSON: {error.msg}")
    return Record(value) if isinstance(value, dict) else BadRecord(row, "not a JSON object")


def read_jsonl_gz(file: BinaryIO) -> Iterator[Record | BadRecord]:
    """The same, compressed with gzip."""
    with gzip.open(file) as plain:
        yield from read_jsonl(io.BufferedReader(plain))  # type: ignore[arg-type]


READERS: dict[str, Reader] = {
    ".parquet": read_parquet,
    ".jsonl": read_jsonl,
    ".jsonl.gz": read_jsonl_gz,
}


def reader_of(path: str) -> Reader | None:
    """Return the reader for a file's ending, or None where there is none."""
    return next((reader for ending, reader in READERS.items() if path.lower().endswith(ending)), None)


def read_shard(path: str) -> Iterator[Record | BadRecord]:
    """Yield the records of one shard, from any fsspec URL."""
    reader = reader_of(path)
    if reader is None:
        raise ValueError(f"{path}: no reader for this ending")
    try:
        with fsspec.open(path, "rb") as file:
            yield from reader(file)  # type: ignore[arg-type]
    except (OSError, EOFError) as error:
        yield BadRecord(-1, f"unreadable shard: {error}")
