"""Format `olmo-core`: a source mixture, and its domains as OLMo-core's token files.

A `target_ratio` is a share of the requested tokens. OLMo-core's `.npy` files are flat arrays without a header, of the
smallest unsigned type that holds the vocabulary, documents ended by the end of text.
"""

from __future__ import annotations

import math
from typing import Any

from pipeline.export.base import Export, Format
from pipeline.export.documents import said
from pipeline.export.ids import encoded, open_vocabulary, said_ids
from pipeline.export.mix import Domain, Mix

COMMENT = """\
A SourceMixtureList of OLMo-core (SourceMixtureList.from_yaml) for SourceMixtureDatasetConfig(source_list=...,
requested_tokens={tokens}, global_batch_size=...). max_repetition_ratio is what that many tokens need."""


def write_data(export: Export) -> dict[str, Any]:
    """Write `<domain>/<shard>.npy`."""
    vocabulary = open_vocabulary(export.mix)
    dtype = vocabulary.dtype()
    for domain in export.mix.weighted:
        for part in domain.parts:
            with export.folder.open(f"{domain.name}/{part.name}.npy") as file:
                for batch in encoded(export.mix, vocabulary, part, dtype):
                    for document in batch:
                        file.write(document.tobytes())
        said(export, domain)
    return said_ids(export, vocabulary, dtype)


def _source(export: Export, domain: Domain) -> dict[str, object]:
    return {
        "source_name": domain.name,
        "target_ratio": domain.weight,
        "paths": [export.folder.path(f"{domain.name}/{part.name}.npy") for part in domain.parts],
        "max_repetition_ratio": allowance(export.mix, domain),
        "max_source_fraction": 1.0,
    }


def allowance(mix: Mix, domain: Domain) -> float:
    """Return the repetition of a domain, rounded up to hundredths with one to spare for whole samples; at least 1."""
    return max(1.0, (math.ceil(100 * mix.repetition(domain)) + 1) / 100)


def _config(export: Export) -> None:
    sources = [_source(export, domain) for domain in export.mix.weighted]
    comment = COMMENT.format(tokens=export.mix.target_tokens)
    export.folder.write_yaml("source_mixture.yaml", {"sources": sources}, comment)


FORMAT = Format(_config, write_data)
