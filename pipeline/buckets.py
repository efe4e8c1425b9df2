"""Stages `edges` and `buckets`: a source's training documents by quantiles of a score, each bucket a domain.

Edges are scores, found once on the documents that were kept for training then, and pinned: documents that come later
fall into the buckets as they are, or every proxy of the source would have to be trained again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipeline.classifiers_stage import scorer_args
from pipeline.documents import batches, write_frames
from pipeline.errors import InputError
from pipeline.run import Run
from pipeline.store import write_json
from pipeline.units import Job, Unit

EDGES_VERSION = 1
BUCKETS_VERSION = 1
SELECTION = pl.DataFrame(schema={"reason": pl.String, "split": pl.String})


# edges: the scores between the buckets of a source


def edge_units(run: Run) -> list[Unit]:
    """One pinned unit per source that has buckets."""
    trained = {unit.name: unit.ref for unit in run.of("classifiers")}
    units = []
    for source, buckets in run.config.buckets.items():
        attribute = buckets.attribute(run.config.annotate)
        args = {
            "source": source,
            "by": buckets.by,
            "attribute": attribute,
            "shares": list(buckets.shares.items()),
            "scorer": scorer_args(run, attribute),
            "model": trained.get(attribute),
        }
        inputs = {role: ref for shard in _scored(run, source, attribute).values() for role, ref in shard.items()}
        units.append(run.pinned(Unit("edges", source, EDGES_VERSION, args, inputs)))
    return units


def _scored(run: Run, source: str, attribute: str) -> dict[str, dict[str, str]]:
    """Return, for every shard of a source, the artefacts with its selection and its scores."""
    selections = {unit.name: unit.ref for unit in run.of("select")}
    scores = {unit.name: unit.ref for unit in run.of("annotate")}
    return {
        shard.name: {
            f"{shard.name}|selection": selections[shard.name],
            f"{shard.name}|scores": scores[f"{shard.name}/{attribute}"],
        }
        for shard in run.of("sources")
        if shard.args["source"] == source
    }


def find_edges(job: Job) -> dict[str, Any]:
    """Write `edges.json`: the least score of every bucket but the last, the best first; return documents by bucket.

    Raises InputError where a document has no score, or where ties leave a bucket empty.
    """
    shares = job.args["shares"]
    found: list[np.ndarray] = []
    for shard in dict.fromkeys(role.split("|")[0] for role in job.inputs):
        for decided, scores in _rows(job, shard):
            found.append(scores.filter(decided["split"] == "train").to_numpy())
    scores = np.concatenate(found)
    edges = edges_of(scores, [share for _, share in shares])
    counts = np.bincount(bucket_of(scores, edges), minlength=len(shares)).tolist()
    names = [name for name, _ in shares]
    if not all(counts):
        empty = ", ".join(name for name, count in zip(names, counts, strict=True) if not count)
        raise InputError(
            f"buckets.{job.args['source']}: no document is in {empty}: too many have the same {job.args['by']}; take "
            "fewer buckets or another score"
        )
    write_json(job.out / "edges.json", edges)
    return {"edges": edges, "documents": dict(zip(names, counts, strict=True))}


def edges_of(scores: np.ndarray, shares: Sequence[float]) -> list[float]:
    """Return the least score of every bucket but the last, falling: at least the stated shares reach it from above."""
    ordered = np.sort(scores)[::-1]
    ranks = np.ceil(np.cumsum(shares)[:-1] * len(ordered) - 1e-6).astype(int)
    return [float(ordered[max(rank, 1) - 1]) for rank in ranks]


def bucket_of(scores: np.ndarray, edges: Sequence[float]) -> np.ndarray:
    """Return each document's bucket, 0 the best: the first whose least score it reaches."""
    return np.searchsorted(-np.asarray(edges), -scores, side="left")


# buckets: which documents of a shard belong to one of them


def bucket_units(run: Run) -> list[Unit]:
    """One unit per bucket that is a domain and shard of its source."""
    edges = {unit.name: unit.ref for unit in run.of("edges")}
    units = []
    for source, buckets in run.config.buckets.items():
        attribute = buckets.attribute(run.config.annotate)
        scored = _scored(run, source, attribute)
        for number, bucket in enumerate(buckets.shares):
            domain = f"{source}.{bucket}"
            if domain not in run.config.domain_names():
                continue
            for shard, inputs in scored.items():
                args = {"domain": domain, "number": number, "shard": shard, "by": buckets.by, "attribute": attribute}
                name = f"{domain}/{shard.split('/')[1]}"
                units.append(Unit("buckets", name, BUCKETS_VERSION, args, {**inputs, "edges": edges[source]}))
    return units


def fill_bucket(job: Job) -> dict[str, Any]:
    """Write `selection.parquet`, row by row beside the documents: `split` is `train` for those of the bucket."""
    edges = json.loads((job.inputs["edges"] / "edges.json").read_text())
    count = 0

    def decisions() -> Iterator[pl.DataFrame]:
        nonlocal count
        for decided, scores in _rows(job, job.args["shard"]):
            chosen = (decided["split"] == "train").fill_null(False).to_numpy()
            chosen &= bucket_of(scores.fill_null(math.nan).to_numpy(), edges) == job.args["number"]
            count += int(chosen.sum())
            yield pl.DataFrame({"chosen": chosen}).select(
                reason=pl.lit(None, pl.String), split=pl.when("chosen").then(pl.lit("train"))
            )

    write_frames(job.out / "selection.parquet", decisions(), SELECTION)
    return {"documents": count}


def _rows(job: Job, shard: str) -> Iterator[tuple[pl.DataFrame, pl.Series]]:
    """Yield decisions and scores of a shard's documents. Raises InputError where a training document has no score."""
    column = job.args["by"].removeprefix(f"{job.args['attribute']}_")
    paths: list[Path] = [job.inputs[f"{shard}|selection"], job.inputs[f"{shard}|scores"]]
    pairs = zip(
        batches(paths[0] / "selection.parquet"), batches(paths[1] / "attributes.parquet", [column]), strict=True
    )
    for decided, frame in pairs:
        if not frame[column].dtype.is_numeric():
            raise InputError(f"buckets: {job.args['by']} is no number: it cannot put documents in order")
        scores = frame[column].cast(pl.Float64)
        missing = (scores.is_null() | scores.is_nan()) & (decided["split"] == "train").fill_null(False)
        if missing.any():
            raise InputError(f"buckets: {missing.sum()} documents of {shard} have no {job.args['by']}")
        yield decided, scores
