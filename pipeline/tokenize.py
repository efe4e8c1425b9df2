"""Stages `vocabulary` and `tokenize`: one small pinned BPE, then every domain as arrays of token ids.

The arrays of a domain are read in the order of its shards, as one long sequence with an end-of-text id after every
document. They are memory-mapped, so a mix is never written out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipeline.documents import batches, selected
from pipeline.own_tokenizer import END_OF_TEXT, open_tokenizer, vocabulary_size
from pipeline.run import Run, larger_proxy, preset_values
from pipeline.shards import fingerprint
from pipeline.units import Job, Unit

VOCABULARY_VERSION = 1
TOKENIZE_VERSION = 2

UNKNOWN = "unknown"
"""The licence of documents for which none is stated."""


def domain_units(run: Run) -> dict[str, list[tuple[str, dict[str, str]]]]:
    """Return domain → (shard name, inputs) of every artefact that holds its documents."""
    parts: dict[str, list[tuple[str, dict[str, str]]]] = {name: [] for name in run.config.domain_names()}
    shards = {shard.name: shard for shard in run.of("sources")}
    for unit in run.of("buckets"):
        inputs = {"documents": shards[unit.args["shard"]].ref, "selection": unit.ref}
        parts[unit.args["domain"]].append((unit.name, inputs))
    for unit in run.of("rewrite"):
        if unit.args["variant"] in parts:
            parts[unit.args["variant"]].append((unit.name, {"documents": unit.ref}))
    selections = {unit.name: unit.ref for unit in run.of("select")}
    for name, shard in shards.items():
        if shard.args["source"] in parts:
            parts[shard.args["source"]].append((name, {"documents": shard.ref, "selection": selections[name]}))
    return parts


def training(documents: Path, selection: Path | None, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield columns of the training documents of one shard, raw or rewritten, in batches."""
    path = documents / "documents.parquet"
    return selected(path, selection / "selection.parquet", "train", columns) if selection else batches(path, columns)


def texts(documents: Path, selection: Path | None) -> Iterator[list[str]]:
    """Yield the training texts of one shard, raw or rewritten, in batches."""
    for frame in training(documents, selection, ["text"]):
        yield frame["text"].to_list()


# vocabulary


def vocabulary_units(run: Run) -> list[Unit]:
    """One pinned unit: a byte-level BPE trained on the prior mix (each source its natural share, over its variants), or
    the tokenizer that the YAML names."""
    own = run.config.tokenize.tokenizer
    if own:
        args = {"content": fingerprint(run, own)}
        return [run.pinned(Unit("vocabulary", "own", VOCABULARY_VERSION, args, place={"tokenizer": own}))]
    inputs = {
        f"{domain}|{i}|{role}": ref
        for domain, parts in domain_units(run).items()
        for i, (_, roles) in enumerate(parts)
        for role, ref in roles.items()
    }
    args = {"vocab_size": run.config.tokenize.vocab_size, "sample": run.config.tokenize.sample}
    return [run.pinned(Unit("vocabulary", "bpe", VOCABULARY_VERSION, args, inputs))]


def train_vocabulary(job: Job) -> dict[str, Any]:
    """Train the BPE on at most `sample` bytes, or take the tokenizer from elsewhere, and write `tokenizer.json`.

    Natural shares are taken in bytes here, as there are no tokens yet.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    from pipeline.mixture.spaces import Domain, prior

    if "tokenizer" in job.place:
        own = open_tokenizer(Path(job.place["tokenizer"]))
        own.save(str(job.out / "tokenizer.json"))
        return {"vocab_size": vocabulary_size(own)}
    shards: dict[str, dict[str, dict[str, Path]]] = {}
    for name, folder in job.inputs.items():
        domain, shard, role = name.split("|")
        shards.setdefault(domain, {}).setdefault(shard, {})[role] = folder
    size = {
        domain: sum(len(t.encode()) for roles in parts.values() for batch in _shard_texts(roles) for t in batch)
        for domain, parts in shards.items()
    }
    domains = [
        Domain(name, name.split(".")[0], size[name], is_raw=any("selection" in roles for roles in parts.values()))
        for name, parts in shards.items()
        if size[name]
    ]
    share = dict(zip((domain.name for domain in domains), prior(domains).tolist(), strict=True))

    def sample() -> Iterator[list[str]]:
        for domain, parts in shards.items():
            left = job.args["sample"] * share.get(domain, 0)
            for roles in parts.values():
                for batch in _shard_texts(roles):
                    if left > 0:
                        yield batch
                        left -= sum(len(text.encode()) for text in batch)

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=job.args["vocab_size"],
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sample(), trainer=trainer)
    tokenizer.save(str(job.out / "tokenizer.json"))
    return {"vocab_size": tokenizer.get_vocab_size()}


def _shard_texts(roles: dict[str, Path]) -> Iterator[list[str]]:
    return texts(roles["documents"], roles.get("selection"))


# tokenize


def tokenize_units(run: Run) -> list[Unit]:
    """One unit per domain and shard."""
    (vocabulary,) = run.of("vocabulary")
    target = run.config.target.tokenizer
    args = {"target": fingerprint(run, target) if target else None}
    return [
        Unit(
            "tokenize",
            f"{domain}/{shard.rpartition('/')[2]}",
            TOKENIZE_VERSION,
            {**args, "domain": domain},
            {**inputs, "vocabulary": vocabulary.ref},
            {"target": target},
        )
        for domain, parts in domain_units(run).items()
        for shard, inputs in parts
    ]


def tokenize(job: Job) -> dict[str, Any]:
    """Write `tokens.bin` (little-endian uint16, or uint32 above 65,536 ids) and return counts.

    `target_tokens` counts the same text in the target's tokenizer; weights are shares of those, and `licenses` says
    how many of them are under which licence.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(job.inputs["vocabulary"] / "tokenizer.json"))
    target = open_tokenizer(Path(job.place["target"])) if job.place.get("target") else None
    end = tokenizer.token_to_id(END_OF_TEXT)
    kind = np.dtype("<u2") if job.counts("vocabulary")["vocab_size"] <= 2**16 else np.dtype("<u4")
    counts = {"documents": 0, "bytes": 0, "tokens": 0, "target_tokens": 0}
    licenses = Counter[str]()
    with open(job.out / "tokens.bin", "wb") as file:
        for frame in training(job.inputs["documents"], job.inputs.get("selection"), ["text", "license"]):
            batch = frame["text"].to_list()
            lengths = []
            for text, encoded in zip(batch, tokenizer.encode_batch_fast(batch, add_special_tokens=False), strict=True):
                ids = [*encoded.ids, end]
                file.write(np.asarray(ids, dtype=kind).tobytes())
                counts["documents"] += 1
                counts["bytes"] += len(text.encode())
                counts["tokens"] += len(ids)
                lengths.append(len(ids))
            if target is not None:
                lengths = [len(each.ids) + 1 for each in target.encode_batch_fast(batch, add_special_tokens=False)]
            counts["target_tokens"] += sum(lengths)
            for license, length in zip(frame["license"], lengths, strict=True):
                licenses[license or UNKNOWN] += length
    return {**counts, "bytes_per_id": kind.itemsize, "licenses": dict(sorted(licenses.items()))}


def check(run: Run) -> None:
    """Raise where a domain has fewer tokens than one chunk of a proxy, of the largest that is trained."""
    larger = larger_proxy(run)
    context = max(run.model_context, preset_values(larger)["context"] if larger else 0)
    found = dict.fromkeys(run.config.domain_names(), 0)
    for unit in run.of("tokenize"):
        found[unit.args["domain"]] += run.manifest(unit)["counts"]["tokens"]
    for domain, tokens in found.items():
        if tokens <= context:
            place = ("rewrite", domain) if domain in run.config.rewrite else ("sources", domain)
            if domain in run.config.bucket_domains():
                place = ("buckets", run.config.origin(domain))
            raise run.mix.error(place, f"domain `{domain}` has {tokens} tokens, fewer than one chunk of {context + 1}")
