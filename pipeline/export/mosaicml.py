"""Format `mosaicml`: streams with proportions for MosaicML Streaming, and its domains as MDS shards.

A proportion is a share of samples; all samples here have the same tokens, so that it is a share of tokens. A sample is
the column `tokens`, `ndarray:int32:<context>`, as LLM Foundry's `StreamingTextDataset` reads it. A shard: number of
samples (uint32), where each starts and the last ends (uint32, from the start of the file), the configuration as JSON,
the samples; all little-endian.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from pipeline.export.base import Export, Format
from pipeline.export.documents import said
from pipeline.export.ids import Vocabulary, open_vocabulary, pieces, said_ids
from pipeline.export.mix import Domain

COMMENT = """\
Of `dataset` in LLM Foundry; each stream has the arguments of streaming.Stream, and epoch_size is StreamingDataset's:
the samples of {context} tokens in the run that the mix is for. Domains are repeated as often as that needs."""
SHARD_BYTES = 1 << 26
_KIND = np.dtype("<i4")


def _config(export: Export) -> None:
    streams = {
        domain.name: {"local": export.folder.path(domain.name), "proportion": domain.weight}
        for domain in export.mix.weighted
    }
    if "://" in export.folder.url:
        streams = {name: {"remote": each.pop("local"), **each} for name, each in streams.items()}
    settings = {"epoch_size": export.mix.target_tokens // export.context, "streams": streams}
    export.folder.write_yaml("streams.yaml", settings, COMMENT.format(context=export.context))


def write_data(export: Export) -> dict[str, Any]:
    """Write `<domain>/shard.00000.mds` … and `<domain>/index.json`; a domain's last, shorter sample is left out."""
    vocabulary = open_vocabulary(export.mix)
    for domain in export.mix.weighted:
        write_domain(export, vocabulary, domain)
        said(export, domain)
    return said_ids(export, vocabulary, _KIND)


def write_domain(export: Export, vocabulary: Vocabulary, domain: Domain) -> None:
    """Write one domain's shards and their index."""
    size = export.context * _KIND.itemsize
    settings: dict[str, Any] = {
        "column_encodings": [f"ndarray:int32:{export.context}"],
        "column_names": ["tokens"],
        "column_sizes": [size],
        "compression": None,
        "format": "mds",
        "hashes": [],
        "size_limit": SHARD_BYTES,
        "version": 2,
    }
    head = json.dumps(settings, sort_keys=True).encode()
    shards = []
    for data in pieces(export, vocabulary, domain, _KIND, max(1, SHARD_BYTES // (size + 8)) * size):
        count = len(data) // size
        if not count:
            continue
        first = 4 + 4 * (count + 1) + len(head)
        starts = (first + size * np.arange(count + 1)).astype("<u4")
        name = f"shard.{len(shards):05d}.mds"
        with export.folder.open(f"{domain.name}/{name}") as file:
            file.write(np.array(count, "<u4").tobytes() + starts.tobytes() + head)
            file.write(data[: count * size])
        raw = {"basename": name, "bytes": first + count * size, "hashes": {}}
        shards.append({**settings, "raw_data": raw, "samples": count, "zip_data": None})
    export.folder.write_json(f"{domain.name}/index.json", {"shards": shards, "version": 2})


FORMAT = Format(_config, write_data)
