"""Data sets through Hugging Face's `datasets`: names on its hub, local builders, folders of `save_to_disk`."""

from __future__ import annotations

import glob
import itertools
from collections.abc import Iterator
from datetime import date, time
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import Field

from pipeline.readers.base import Item, Params, Piece, Record, Shard
from pipeline.readers.streams import Broken


class HuggingFaceParams(Params):
    config: str | None = Field(None, description="Configuration of the data set, e.g. a language.")
    split: str = Field("train", description="Split that is read.")
    revision: str | None = Field(None, description="Commit of a data set on the hub; without it a new one goes unseen.")
    data_files: str | list[str] | None = Field(None, description="Files or globs for a builder such as json or text.")


def is_saved(path: str) -> bool:
    """Tell whether a path is a folder that `save_to_disk` wrote."""
    return any((Path(path) / name).is_file() for name in ("state.json", "dataset_dict.json"))


def open_dataset(path: str, params: HuggingFaceParams) -> Any:
    """Return a data set: saved ones with their length, all others streaming. Raises what `datasets` raises."""
    import datasets

    if path == "pandas":  # before datasets 5.0 it loaded them
        raise ValueError("the builder `pandas` reads pickled files, which may hold code")
    if not is_saved(path):
        return datasets.load_dataset(
            path,
            name=params.config,
            split=params.split,
            revision=params.revision,
            data_files=params.data_files,
            streaming=True,
        )
    saved = datasets.load_from_disk(path)
    if not isinstance(saved, datasets.DatasetDict):
        return saved
    if params.split not in saved:
        raise ValueError(f"there is no split `{params.split}` (it has {', '.join(map(str, saved))})")
    return saved[params.split]


def dataset_pieces(path: str, step: int, params: HuggingFaceParams) -> list[Piece]:
    """Return the pieces of a data set: rows of a saved one, by its bytes; files of a streamed one, by their number."""
    dataset = open_dataset(path, params)
    if is_saved(path):
        rows = len(dataset)
        n = max(1, -(-dataset.data.nbytes // step))
        borders = [rows * i // n for i in range(n + 1)]
        return [Piece(a, b, a) for a, b in itertools.pairwise(borders) if b > a] if n > 1 else []
    return [Piece(i, i + 1) for i in range(dataset.num_shards)] if dataset.num_shards > 1 else []


def dataset_files(path: str, params: HuggingFaceParams) -> list[str]:
    """Return the local files that a data set is made of, none of one on the hub."""
    if Path(path).is_dir():
        return sorted(str(file) for file in Path(path).rglob("*") if file.is_file())
    patterns = [params.data_files] if isinstance(params.data_files, str) else params.data_files or []
    return sorted(file for pattern in patterns for file in glob.glob(pattern, recursive=True))


def _plain(value: Any) -> Any:
    """Return dates and times as ISO 8601 text, other values as they are."""
    return value.isoformat() if isinstance(value, (date, time)) else value


def read_dataset(shard: Shard) -> Iterator[Item]:
    """Yield the rows of a data set, or of a piece of it."""
    from datasets.exceptions import DatasetsError

    assert isinstance(shard.params, HuggingFaceParams)
    dataset = open_dataset(shard.path, shard.params)
    if shard.piece and is_saved(shard.path):
        dataset = dataset.select(range(shard.piece.start, shard.piece.end))
    elif shard.piece:
        dataset = dataset.shard(num_shards=dataset.num_shards, index=shard.piece.start)
    try:
        for row, values in enumerate(dataset, shard.first_row):
            yield Record({key: _plain(value) for key, value in values.items()}, row)
    except (pa.ArrowException, ValueError, DatasetsError) as error:
        raise Broken(str(error).splitlines()[0] if str(error) else type(error).__name__) from None
