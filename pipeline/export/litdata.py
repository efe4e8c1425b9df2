"""Format `litdata`: weights of a CombinedStreamingDataset, and its domains as chunks for litdata's TokensLoader.

The weights are of samples; TokensLoader's samples are all blocks of `block_size` tokens, so that they are shares of
tokens. A chunk, little-endian: number of items (uint32), where each starts and the last ends (uint32, from the start
of the file), the items. Here a chunk is one item, for TokensLoader cuts its blocks out of the whole chunk.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.export.base import Export, Format
from pipeline.export.documents import said
from pipeline.export.ids import Vocabulary, open_vocabulary, pieces, said_ids
from pipeline.export.mix import Domain

CHUNK_BYTES = 1 << 26
_HEADER = 4 * 3
_KINDS = {"uint16": 5, "uint32": 6}
"""Number of the type among litdata's, in `no_header_numpy:<number>`."""
_LEAF = '[1, {"type": null, "context": null, "children_spec": []}]'
"""A sample that is one array, as torch's pytree writes it."""


def _config(export: Export) -> None:
    mix = export.mix
    export.folder.write_json(
        "combined.json",
        {
            "names": [domain.name for domain in mix.weighted],
            "input_dirs": [export.folder.path(domain.name) for domain in mix.weighted],
            "CombinedStreamingDataset": {
                "weights": [domain.weight for domain in mix.weighted],
                "iterate_over_all": False,
                "seed": mix.seed,
            },
        },
    )


def write_data(export: Export) -> dict[str, Any]:
    """Write `<domain>/chunk-0-0.bin` … and `<domain>/index.json`."""
    vocabulary = open_vocabulary(export.mix)
    dtype = vocabulary.dtype()
    for domain in export.mix.weighted:
        write_domain(export, vocabulary, domain, dtype)
        said(export, domain)
    return said_ids(export, vocabulary, dtype)


def write_domain(export: Export, vocabulary: Vocabulary, domain: Domain, dtype: np.dtype[Any]) -> None:
    """Write one domain's chunks and their index."""
    chunks: list[dict[str, Any]] = []
    for data in pieces(export, vocabulary, domain, dtype, CHUNK_BYTES):
        name = f"chunk-0-{len(chunks)}.bin"
        with export.folder.open(f"{domain.name}/{name}") as file:
            file.write(np.array([1, _HEADER, _HEADER + len(data)], "<u4").tobytes())
            file.write(data)
        size = {"chunk_bytes": _HEADER + len(data), "chunk_size": 1, "dim": len(data) // dtype.itemsize}
        chunks.append({**size, "filename": name})
    config = {
        "chunk_bytes": CHUNK_BYTES,
        "chunk_size": None,
        "compression": None,
        "data_format": [f"no_header_numpy:{_KINDS[dtype.name]}"],
        "data_spec": _LEAF,
        "encryption": None,
        "item_loader": "TokensLoader",
    }
    export.folder.write_json(f"{domain.name}/index.json", {"chunks": chunks, "config": config})


FORMAT = Format(_config, write_data)
