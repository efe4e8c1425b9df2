"""The columns that a local file names before its rows are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.readers.base import Shard, twice
from pipeline.readers.columnar import DAMAGED, is_ipc_file
from pipeline.readers.streams import Broken, codec_of, open_shard
from pipeline.readers.tables import header_of


def column_names(form: str, path: str, params: Any) -> list[str] | str | None:
    """Return the names of a file's columns, those inside others as paths (`meta.url`), or what is wrong with them.

    None of formats without columns, and where the file is empty or damaged.
    """
    try:
        if form == "csv":
            return header_of(Shard(path, path, params=params))
        if form == "parquet":
            schema = pq.read_schema(path)
        elif form == "arrow":
            schema = _arrow_schema(path)
        else:
            return None
    except (Broken, *DAMAGED):
        return None
    return twice(schema.names) or [path for field in schema for path in _paths(field)]


def _arrow_schema(path: str) -> pa.Schema:
    if not codec_of(path) and is_ipc_file(path):
        return pa.ipc.open_file(pa.memory_map(path)).schema
    with open_shard(path) as plain:
        return pa.ipc.open_stream(plain).schema


def _paths(field: pa.Field, within: str = "") -> Iterator[str]:
    yield within + field.name
    if pa.types.is_struct(field.type):
        for inner in field.type.fields:
            yield from _paths(inner, f"{within}{field.name}.")
