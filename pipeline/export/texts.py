"""The documents of a domain that a trainer may see: those selected for training, never a held-out one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl
import pyarrow.parquet as pq

from pipeline.export.mix import Domain, Part
from pipeline.store import Store
from pipeline.tokenize import training

COLUMNS = {
    "id": pl.String,
    "text": pl.String,
    "domain": pl.String,
    "shard": pl.String,
    "license": pl.String,
    "origin": pl.String,  # of rewritten text, the id of the document it was made from
    "made_by": pl.String,  # of rewritten text, JSON: task, backend, model, prompt, sampling
    "fields": pl.String,  # of raw text, JSON: the source's other fields
}
"""Columns of an exported document."""
_MADE_BY = ("task", "backend", "model", "prompt", "sampling")


def texts(store: Store, part: Part, columns: Sequence[str] = ("text",)) -> Iterator[pl.DataFrame]:
    """Yield columns of the training documents of one shard of a domain, a batch at a time."""
    selection = store.local(part.selection) if part.selection else None
    yield from training(store.local(part.documents), selection, columns)


def documents(store: Store, domain: Domain, part: Part) -> Iterator[pl.DataFrame]:
    """Yield the training documents of one shard of a domain with where they come from (`COLUMNS`)."""
    there = pq.read_schema(store.local(part.documents) / "documents.parquet").names
    made_by = [name for name in _MADE_BY if name in there]
    columns = ["id", "text", *(name for name in ("license", "origin", "fields") if name in there), *made_by]
    for frame in texts(store, part, columns):
        yield frame.with_columns(
            pl.lit(domain.name).alias("domain"),
            pl.lit(part.name).alias("shard"),
            (pl.struct(made_by).struct.json_encode() if made_by else pl.lit(None, pl.String)).alias("made_by"),
            *(pl.lit(None, pl.String).alias(name) for name in ("license", "origin", "fields") if name not in there),
        ).select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
