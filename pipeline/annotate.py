"""Stages `classifiers` and `annotate`: write what is known about documents beside them.

No text is copied and nothing is decided here; `select` decides. One unit is one shard under one scorer, so a new
scorer, or a changed one, runs alone.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from classifiers.registry import SCORERS
from pipeline.checks.data import is_trained, scorer_params
from pipeline.documents import batches, write_frames
from pipeline.errors import InputError
from pipeline.run import Run
from pipeline.sources import fingerprint
from pipeline.units import Job, Unit, digest

CLASSIFIERS_VERSION = 1
ANNOTATE_VERSION = 1

SAMPLE = 2000
"""Documents of each side that a classifier learns from, at most."""


# classifiers: quality classifiers that are trained within the run


def classifier_units(run: Run) -> list[Unit]:
    """One unit per trained classifier; what it learnt is pinned, so later sources do not change old scores."""
    units = []
    for name, section in run.config.annotate.items():
        scorer = section.get("scorer", name)
        if not is_trained(name, section):
            continue
        args = {
            "scorer": scorer,
            "scorer_version": SCORERS[scorer].version,
            "params": SCORERS[scorer].params.model_validate(scorer_params(section)).model_dump(mode="json"),
            "positive": section["positive"],
            "negative": section["negative"],
            "seed": run.config.seed,
        }
        inputs = {
            unit.name: unit.ref
            for unit in run.of("sources")
            if unit.args["source"] in (*section["positive"], *section["negative"])
        }
        units.append(run.pinned(Unit("classifiers", name, CLASSIFIERS_VERSION, args, inputs)))
    return units


def train_classifier(job: Job) -> dict[str, Any]:
    """Train one classifier on an even sample of its positive and its negative sources."""
    from classifiers.quality import train

    spec = SCORERS[job.args["scorer"]]
    positive, negative = (
        [text for source in job.args[side] for text in _sample(job, source, SAMPLE // len(job.args[side]))]
        for side in ("positive", "negative")
    )
    params = spec.params.model_validate(job.args["params"])
    try:
        card = train(job.args["scorer"], positive, negative, job.out, job.args["seed"], params)
    except ValueError as error:
        raise InputError(
            f"annotate: a classifier on {job.args['positive']} against {job.args['negative']}: {error}"
        ) from None
    return {"positive": len(positive), "negative": len(negative), "auc": [card.auc_low, card.auc, card.auc_high]}


def _sample(job: Job, source: str, most: int) -> list[str]:
    """Return the texts of the `most` documents whose seeded hash is smallest: the same ones however it is sharded."""

    def ranked() -> Iterator[tuple[str, str]]:
        for name, folder in job.inputs.items():
            if name.split("/")[0] == source:
                for frame in batches(folder / "documents.parquet", ["id", "text"]):
                    for document, text in frame.iter_rows():
                        yield digest([job.args["seed"], source, document]), text

    return [text for _, text in heapq.nsmallest(most, ranked(), key=lambda pair: pair[0])]


# annotate: every scorer over every shard


def annotate_units(run: Run) -> list[Unit]:
    """One unit per shard and scorer: the YAML's, the duplicate signatures, and the overlap with the evals."""
    trained = {unit.name: unit.ref for unit in run.of("classifiers")}
    suite = run.of("suite")
    sections = {**run.config.annotate, "duplicates": {}}
    if suite:
        sections["contamination"] = {}
    units = []
    for shard in run.of("sources"):
        for name, section in sections.items():
            scorer = section.get("scorer", name)
            spec = SCORERS[scorer]
            inputs = {"documents": shard.ref}
            if name in trained:
                inputs["model"] = trained[name]
            if name == "contamination":
                inputs["model"] = suite[0].ref
            args = {
                "scorer": scorer,
                "scorer_version": spec.version,
                "params": spec.params.model_validate(scorer_params(section)).model_dump(mode="json"),
            }
            if "model" in section:
                args["model_content"] = fingerprint(run, section["model"])
            units.append(Unit("annotate", f"{shard.name}/{name}", ANNOTATE_VERSION, args, inputs))
    return units


def annotate(job: Job) -> dict[str, Any]:
    """Write `attributes.parquet`: the scorer's columns, row by row beside the shard's documents."""
    spec = SCORERS[job.args["scorer"]]
    scorer = spec.load(spec.params.model_validate(job.args["params"]), job.inputs.get("model"))
    texts = batches(job.inputs["documents"] / "documents.parquet", ["text"])
    empty = scorer.score(pl.Series("text", [], dtype=pl.String))
    path = job.out / "attributes.parquet"
    counts: dict[str, Any] = {"documents": write_frames(path, (scorer.score(frame["text"]) for frame in texts), empty)}
    if job.args["scorer"] == "contamination":
        counts["matched"] = matches_by_eval(path)
    return counts


def matches_by_eval(path: Path) -> dict[str, int]:
    """Return eval → documents that hold something of it; a document may hold something of several."""
    matched = pl.read_parquet(path, columns=["matched"])["matched"].drop_nulls()
    return dict(Counter(name for names in matched for name in names.split(",")))


def attribute_frames(inputs: dict[str, Path], names: Iterable[str]) -> Iterator[pl.DataFrame]:
    """Yield the attribute columns of one shard as `name_column`, in the document table's batches."""
    streams = []
    for name in names:
        streams.append((name, batches(inputs[name] / "attributes.parquet")))
    while True:
        frames = [
            frame.rename({column: f"{name}_{column}" for column in frame.columns})
            for name, stream in streams
            if (frame := next(stream, None)) is not None
        ]
        if not frames:
            return
        yield pl.concat(frames, how="horizontal")
