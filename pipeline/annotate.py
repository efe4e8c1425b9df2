"""Stages `classifiers`, `annotate` and `duplicates`: write what is known about documents beside them.

No text is copied and nothing is decided here; `select` decides. One unit is one shard under one scorer, so a new
scorer, or a changed one, runs alone.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from classifiers.base import Scorer
from classifiers.registry import SCORERS
from pipeline.checks.data import is_trained, scorer_params
from pipeline.documents import batches, write_frames
from pipeline.errors import InputError
from pipeline.run import Run
from pipeline.sources import fingerprint
from pipeline.store import to_json, write_json
from pipeline.units import Job, Unit, digest

CLASSIFIERS_VERSION = 1
ANNOTATE_VERSION = 1
DUPLICATES_VERSION = 1

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
    params = to_json(job.args["params"])
    scorer = _loaded(job.args["scorer"], params, job.inputs.get("model"), job.args.get("model_content"))
    texts = batches(job.inputs["documents"] / "documents.parquet", ["text"])
    empty = scorer.score(pl.Series("text", [], dtype=pl.String))
    rows = write_frames(job.out / "attributes.parquet", (scorer.score(frame["text"]) for frame in texts), empty)
    return {"documents": rows}


@lru_cache(maxsize=8)
def _loaded(name: str, params: str, model: Path | None, content: str | None) -> Scorer:
    """Load a scorer once a worker: reading a model takes a quarter of the time of scoring a small shard.

    params: JSON; model: artefact of the run, named by its recipe; content: fingerprint of a file that `params` names.
    """
    spec = SCORERS[name]
    return spec.load(spec.params.model_validate_json(params), model)


# duplicates: which documents repeat an earlier one


def duplicates_units(run: Run) -> list[Unit]:
    """One unit per source. Sources come in the YAML's order and the earlier copy survives, so a source that is added
    at the end changes nothing before it."""
    signatures = {u.name.removesuffix("/duplicates"): u for u in run.of("annotate") if u.name.endswith("/duplicates")}
    shards = run.of("sources")
    units = []
    for name in run.config.sources:
        last = max(i for i, shard in enumerate(shards) if shard.args["source"] == name)
        inputs = {}
        for shard in shards[: last + 1]:
            inputs[f"{shard.name}/documents"] = shard.ref
            inputs[f"{shard.name}/signatures"] = signatures[shard.name].ref
        units.append(_beside_removed(run, Unit("duplicates", name, DUPLICATES_VERSION, {"source": name}, inputs)))
    return units


def _beside_removed(run: Run, unit: Unit) -> Unit:
    """Return the unit with its earlier references where the YAML only dropped sources before it.

    They keep their copies, or a removed source would change the text, and with it the proxies, of all that stand after.
    """
    text = run.store.read_text(_references(run, unit))
    if text is None or run.is_done(unit):
        return unit
    earlier = dict(json.loads(text)["inputs"])
    dropped = {role.split("/")[0] for role in earlier.keys() - unit.inputs.keys()}
    kept = replace(unit, inputs=earlier)
    same = unit.inputs.items() <= earlier.items() and not dropped & set(run.config.sources)
    return kept if same and run.is_done(kept) else unit


def remember_references(run: Run) -> None:
    """Remember what every source was compared with, in order."""
    for unit in run.of("duplicates"):
        text = to_json({"inputs": list(unit.inputs.items())})
        if run.store.read_text(_references(run, unit)) != text:
            run.store.write_text(_references(run, unit), text)


def _references(run: Run, unit: Unit) -> str:
    return f"pins/{run.mix.stem}/duplicates-{unit.name}.json"


def mark_duplicates(job: Job) -> dict[str, Any]:
    """Write `duplicates.json`: shard → {row: id of the earlier document that it repeats}."""
    from classifiers.duplicates import find_duplicates

    shards = list(dict.fromkeys(name.rpartition("/")[0] for name in job.inputs))
    own = [name for name in shards if name.split("/")[0] == job.args["source"]]
    tables = {name: _signatures(job, name) for name in shards}
    earlier = [table for name, table in tables.items() if name not in own]
    new = pl.concat([tables[name] for name in own])
    found = find_duplicates(new, pl.concat(earlier) if earlier else None)
    marks: dict[str, dict[str, str]] = {name: {} for name in own}
    places = ((name, row) for name in own for row in range(len(tables[name])))
    for (name, row), original in zip(places, found, strict=True):
        if original is not None:
            marks[name][str(row)] = original
    write_json(job.out / "duplicates.json", marks)
    return {"duplicates": sum(len(rows) for rows in marks.values())}


def _signatures(job: Job, shard: str) -> pl.DataFrame:
    ids = pl.read_parquet(job.inputs[f"{shard}/documents"] / "documents.parquet", columns=["id"])
    signatures = pl.read_parquet(job.inputs[f"{shard}/signatures"] / "attributes.parquet")
    named = ids.select(pl.lit(shard.split("/")[0] + ":") + pl.col("id"))
    return pl.concat([named, signatures], how="horizontal").rename({named.columns[0]: "id"})


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
