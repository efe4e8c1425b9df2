"""The document table that every stage reads and writes, a batch at a time.

A shard's documents lie in `documents.parquet`; what is known about them (attributes, selection) lies beside it in
tables of the same rows in the same order, so that scoring again never copies text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

BATCH = 1000
"""Documents held in memory at a time; also the rows of a Parquet row group."""

BATCH_CHARACTERS = 16_000_000
"""Where documents are long a batch ends with the one that reaches this much text."""

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("group", pa.string()),
        ("license", pa.string()),
        ("truth", pa.string()),  # ground truth of OCR text, else null
        ("fields", pa.string()),  # JSON of the source's other fields
    ]
)


class TableWriter:
    """Writes rows of one schema to a Parquet file, a batch as a row group. Use as a context manager."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema, self._rows, self._size = schema, [], 0
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")

    def add(self, row: Mapping[str, Any]) -> None:
        self._rows.append(row)
        self._size += sum(len(value) for value in row.values() if isinstance(value, str))
        if len(self._rows) >= BATCH or self._size >= BATCH_CHARACTERS:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows, self._size = [], 0

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._flush()
        self._writer.close()


def write_frames(path: Path, frames: Iterator[pl.DataFrame], empty: pl.DataFrame) -> int:
    """Write frames of one schema as row groups and return the number of rows; `empty` gives the schema if none come."""
    schema = empty.to_arrow().schema
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for frame in frames:
            writer.write_table(frame.to_arrow().cast(schema))
            rows += len(frame)
    return rows


def batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    """Yield a Parquet table in frames of its batches, so that tables of the same documents stay side by side."""
    file = pq.ParquetFile(path)
    for group in range(file.num_row_groups):
        frame = pl.from_arrow(file.read_row_group(group, list(columns) if columns is not None else None))
        assert isinstance(frame, pl.DataFrame)
        yield frame


def selected(documents: Path, selection: Path, split: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield the kept documents of one side of the held-out split (`train` or `heldout`)."""
    for frame, decision in zip(batches(documents, columns), batches(selection), strict=True):
        yield frame.filter(decision["split"] == split)


def as_mapping(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document's row with the source's own fields beside its id and text, as rewriters see it."""
    return {**json.loads(row["fields"]), "id": row["id"], "text": row["text"]}
