"""Stage `rewrite`: make variants of the training documents; what is held out is never rewritten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from pipeline.documents import TableWriter, as_mapping, selected
from pipeline.rewriting.base import BatchRewriter, Rejected, Rewrite, Rewriter
from pipeline.rewriting.registry import asked, open_rewriter, provenance
from pipeline.run import Run
from pipeline.shards import fingerprint
from pipeline.suite import searched
from pipeline.units import Job, Unit

VERSION = 3
DOCUMENTS = pa.schema(
    [
        ("id", pa.string()),
        ("origin", pa.string()),  # id of the document that it was made from
        ("license", pa.string()),
        ("text", pa.string()),
        ("task", pa.string()),
        ("backend", pa.string()),  # rules, or what a model ran on
        ("model", pa.string()),  # this and the next two are empty where rules wrote
        ("prompt", pa.string()),  # hash of the template
        ("sampling", pa.string()),  # JSON
    ]
)
REJECTED = pa.schema([("origin", pa.string()), ("reason", pa.string()), ("text", pa.string())])


def units(run: Run) -> list[Unit]:
    """One unit per variant and shard of its source."""
    selections = {unit.name: unit.ref for unit in run.of("select")}
    checked = searched(run) if run.config.evals.contamination.drop else []
    suite = {unit.stage: unit.ref for unit in checked}
    units = []
    for name, rewrite in run.config.rewrite.items():
        shards = [shard for shard in run.of("sources") if shard.args["source"] == name.split(".")[0]]
        args, place = asked(
            rewrite.task, rewrite.params, len(shards), run.store.root, lambda path: fingerprint(run, path)
        )
        for shard in shards:
            inputs = {"documents": shard.ref, "selection": selections[shard.name], **suite}
            unit_args = {**args, "variant": name, "seed": run.config.seed}
            units.append(Unit("rewrite", f"{name}/{shard.name.split('/')[1]}", VERSION, unit_args, inputs, place))
    return units


def work(job: Job) -> dict[str, Any]:
    """Write `documents.parquet` (with each one's origin and licence) and `rejected.parquet` (with its reason)."""
    rewriter, made_by = open_rewriter(job.args, job.place), provenance(job.args)
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    with (
        TableWriter(job.out / "documents.parquet", DOCUMENTS) as documents,
        TableWriter(job.out / "rejected.parquet", REJECTED) as rejected,
    ):
        columns = ["id", "text", "license", "fields"]
        paths = job.inputs["documents"] / "documents.parquet", job.inputs["selection"] / "selection.parquet"
        for frame in selected(*paths, "train", columns):
            rewritten = _rewritten(rewriter, frame)
            for row, accepted, refused in without_items(rewritten, job.inputs.get("suite")):
                counts["documents_in"] += 1
                counts["rewritten"] += bool(accepted)
                for i, rewrite in enumerate(accepted):
                    name = {"id": f"{row['id']}#{i}", "origin": row["id"], "license": row["license"]}
                    documents.add({**name, "text": rewrite.text, **made_by})
                    counts["documents"] += 1
                    counts["bytes"] += len(rewrite.text.encode())
                for each in refused:
                    rejected.add({"origin": row["id"], "reason": each.reason, "text": each.text[:2000]})
                    reasons[each.reason] += 1
    spent = rewriter.finish() if isinstance(rewriter, BatchRewriter) else {}
    return {**counts, "rejected": dict(reasons), **spent}


Rewritten = tuple[Mapping[str, Any], list[Rewrite], list[Rejected]]


def _rewritten(rewriter: Rewriter | BatchRewriter, frame: pl.DataFrame) -> Iterator[Rewritten]:
    """Yield (document, accepted, refused) of a batch: one after the other, or all at once where the rewriter can."""
    if not isinstance(rewriter, BatchRewriter):
        yield from ((row, *rewriter.rewrite(as_mapping(row))) for row in frame.iter_rows(named=True))
        return
    rows = frame.to_dicts()
    found = rewriter.rewrite_many([as_mapping(row) for row in rows])
    yield from ((row, *each) for row, each in zip(rows, found, strict=True))


def without_items(rewritten: Iterable[Rewritten], suite: Path | None) -> Iterator[Rewritten]:
    """Pass on (document, accepted, refused), with texts that hold an eval item refused: what a rewriter asks and
    answers may be an eval's question though the document it comes from does not hold it."""
    if suite is None:
        yield from rewritten
        return
    from classifiers.contamination import SUITE_FILE, ContaminationScorer, load_suite

    scorer = ContaminationScorer(load_suite(suite / SUITE_FILE))
    every = list(rewritten)
    texts = pl.Series([each.text for _, accepted, _ in every for each in accepted], dtype=pl.String)
    held = iter(scorer.score(texts)["matched"].is_not_null())
    for row, accepted, refused in every:
        clean, found = [], []
        for each in accepted:
            if next(held):
                found.append(Rejected("contaminated", each.text))
            else:
                clean.append(each)
        yield row, clean, [*refused, *found]


def check(run: Run) -> None:
    """Raise where a rewrite accepted nothing at all."""
    for name in run.config.rewrite:
        units = [unit for unit in run.of("rewrite") if unit.args["variant"] == name]
        if not sum(run.manifest(unit)["counts"].get("documents", 0) for unit in units):
            reasons: Counter[str] = Counter()
            for unit in units:
                reasons.update(run.manifest(unit)["counts"]["rejected"])
            raise run.mix.error(("rewrite", name), f"every output was rejected: {dict(reasons)}")
