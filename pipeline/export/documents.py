"""Formats `parquet` and `jsonl`: the selected documents, a folder a domain, a file a shard."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow.parquet as pq

from pipeline.export.base import Export, Format
from pipeline.export.mix import Domain
from pipeline.export.texts import COLUMNS, documents


def write_parquet(export: Export) -> dict[str, Any]:
    """Write `<domain>/<shard>.parquet` with `COLUMNS`; a batch is a row group."""
    schema = pl.DataFrame(schema=COLUMNS).to_arrow().schema
    for domain in export.mix.weighted:
        for part in domain.parts:
            with (
                export.folder.open(f"{domain.name}/{part.name}.parquet") as file,
                pq.ParquetWriter(file, schema, compression="zstd") as writer,
            ):
                for frame in documents(export.mix.store, domain, part):
                    writer.write_table(frame.to_arrow().cast(schema))
        said(export, domain)
    return {}


def write_jsonl(export: Export) -> dict[str, Any]:
    """Write `<domain>/<shard>.jsonl`, a document a line, UTF-8."""
    for domain in export.mix.weighted:
        for part in domain.parts:
            with export.folder.open(f"{domain.name}/{part.name}.jsonl") as file:
                for frame in documents(export.mix.store, domain, part):
                    file.write(frame.write_ndjson().encode())
        said(export, domain)
    return {}


def glob(export: Export, domain: Domain) -> str:
    """Return the pattern of a domain's Parquet files."""
    return export.folder.path(f"{domain.name}/*.parquet")


def said(export: Export, domain: Domain) -> None:
    """Say that a domain is written."""
    export.say(f"{domain.name}: {domain.documents:,} documents, {domain.tokens:,} tokens")


PARQUET = Format(data=write_parquet)
JSONL = Format(data=write_jsonl)
