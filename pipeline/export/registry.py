"""Formats by name."""

from __future__ import annotations

from pipeline.export import (
    arrays,
    documents,
    interleave,
    litdata,
    megatron,
    mosaicml,
    olmo_core,
    plain,
    torchtitan,
)
from pipeline.export.base import Format

FORMATS: dict[str, Format] = {
    "yaml": plain.YAML,
    "json": plain.JSON,
    "csv": plain.CSV,
    "parquet": documents.PARQUET,
    "jsonl": documents.JSONL,
    "bin": arrays.FORMAT,
    "olmo-core": olmo_core.FORMAT,
    "megatron": megatron.FORMAT,
    "nemo": megatron.FORMAT,
    "interleave": interleave.FORMAT,
    "mosaicml": mosaicml.FORMAT,
    "litdata": litdata.FORMAT,
    "torchtitan": torchtitan.FORMAT,
}
