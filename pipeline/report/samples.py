"""Seeded samples of documents: what was kept of every source, what was rewritten and what of it was refused.

A few row groups are read, not the corpus: which ones, and which rows of them, is drawn by the run's seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from pipeline.units import seed_of

SHARDS, ROWS = 2, 3
"""Shards a source or variant, and rows a shard."""
CHARACTERS = 700


def kept_samples(inputs: Mapping[str, Path], seed: int) -> dict[str, list[dict[str, Any]]]:
    """Return source → `id`, `bytes` and `text` of documents that were kept for training.

    inputs: folders by role, of which `sources|<source>/<shard>` and `select|<source>/<shard>` are read.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for source, shards in shards_of(inputs, "select").items():
        for shard in drawn(shards, SHARDS, seed, source):
            documents = inputs[f"sources|{shard}"] / "documents.parquet"
            group, draw = group_of(documents, seed, shard)
            if group is None:
                continue
            frame = read_group(documents, group, ["id", "text"])
            split = read_group(inputs[f"select|{shard}"] / "selection.parquet", group, ["split"])["split"]
            frame = frame.filter(split == "train")
            for row in picked(frame, draw):
                text = row["text"]
                shown = {"id": row["id"], "bytes": len(text.encode()), "text": text[:CHARACTERS]}
                found.setdefault(source, []).append(shown)
    return found


def rewritten_samples(folder: Path, shard: str, seed: int) -> dict[str, list[dict[str, str]]]:
    """Return `documents` (`origin`, `text`) and `rejected` (also `reason`) of one shard of a variant."""
    found = {}
    for name, columns in (("documents", ["origin", "text"]), ("rejected", ["origin", "reason", "text"])):
        file = folder / f"{name}.parquet"
        group, draw = group_of(file, seed, f"{shard} {name}")
        rows = [] if group is None else picked(read_group(file, group, columns), draw)
        found[name] = [{**row, "text": row["text"][:CHARACTERS]} for row in rows]
    return found


def shards_of(inputs: Mapping[str, Path], stage: str) -> dict[str, list[str]]:
    """Return source or variant → its shards."""
    found: dict[str, list[str]] = {}
    for role in inputs:
        kind, _, unit = role.partition("|")
        if kind == stage:
            found.setdefault(unit.split("/")[0], []).append(unit)
    return found


def drawn(names: list[str], most: int, seed: int, what: str) -> list[str]:
    """Return at most so many of the names, in their order."""
    rng = np.random.default_rng(seed_of(["report samples", seed, what]))
    return [names[i] for i in np.sort(rng.permutation(len(names))[:most])]


def group_of(file: Path, seed: int, what: str) -> tuple[int | None, np.random.Generator]:
    """Return a row group of a Parquet file that has rows, None where none has, and the draws to go on with."""
    rng = np.random.default_rng(seed_of(["report samples", seed, what]))
    metadata = pq.ParquetFile(file).metadata
    full = [i for i in range(metadata.num_row_groups) if metadata.row_group(i).num_rows]
    return (int(rng.choice(full)) if full else None), rng


def read_group(file: Path, group: int, columns: list[str]) -> pl.DataFrame:
    frame = pl.from_arrow(pq.ParquetFile(file).read_row_group(group, columns=columns))
    assert isinstance(frame, pl.DataFrame)
    return frame


def picked(frame: pl.DataFrame, rng: np.random.Generator) -> list[dict[str, Any]]:
    return frame[np.sort(rng.permutation(len(frame))[:ROWS]).tolist()].to_dicts()
