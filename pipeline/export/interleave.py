"""Format `interleave`: arguments of Hugging Face `interleave_datasets`, and the documents as Parquet.

Its probabilities are of documents, not of tokens: a domain's weight is divided by its mean tokens a document, and the
quotients are made to sum to 1.
"""

from __future__ import annotations

from pipeline.export.base import Export, Format
from pipeline.export.documents import glob, write_parquet
from pipeline.export.mix import Mix

STOPPING = "all_exhausted"
"""A domain that ends is started again until every one has ended once; with `first_exhausted`, the library's default,
the first domain to end would end the training."""


def probabilities(mix: Mix) -> list[float]:
    """Return the probability that the next document is of each weighted domain."""
    shares = [domain.weight / domain.mean_tokens for domain in mix.weighted]
    return [share / sum(shares) for share in shares]


def _config(export: Export) -> None:
    arguments = {
        "probabilities": probabilities(export.mix),
        "seed": export.mix.seed,
        "stopping_strategy": STOPPING,
    }
    files = [glob(export, domain) for domain in export.mix.weighted]
    names = [domain.name for domain in export.mix.weighted]
    export.folder.write_json("interleave.json", {"names": names, "data_files": files, "interleave_datasets": arguments})


FORMAT = Format(_config, write_parquet)
