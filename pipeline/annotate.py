"""Stage `annotate`: write what is known about documents beside them.

No text is copied and nothing is decided here; `select` decides. One unit is one shard under one scorer, so a new
scorer, or a changed one, runs alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from classifiers.base import Scorer
from classifiers.registry import SCORERS
from pipeline.classifiers_stage import scorer_args, scorer_place
from pipeline.documents import batches, write_frames
from pipeline.errors import InputError
from pipeline.run import Run
from pipeline.store import to_json
from pipeline.suite import searched
from pipeline.units import Job, Unit

ANNOTATE_VERSION = 1

# annotate: every scorer over every shard


def annotate_units(run: Run) -> list[Unit]:
    """One unit per shard and scorer: the YAML's, the duplicate signatures, and the overlap with the evals."""
    trained = {unit.name: unit.ref for unit in run.of("classifiers")}
    suite = searched(run)
    sections = [*run.config.annotate, "duplicates", *(["contamination"] if suite else [])]
    asked = {name: (scorer_args(run, name), scorer_place(run, name)) for name in sections}
    units = []
    for shard in run.of("sources"):
        for name, (args, place) in asked.items():
            inputs = {"documents": shard.ref}
            if name in trained:
                inputs["model"] = trained[name]
            if name == "contamination":
                inputs["model"] = suite[0].ref
            units.append(Unit("annotate", f"{shard.name}/{name}", ANNOTATE_VERSION, args, inputs, place))
    return units


def annotate(job: Job) -> dict[str, Any]:
    """Write `attributes.parquet`: the scorer's columns, row by row beside the shard's documents."""
    params = to_json({**job.args["params"], **job.place})
    content = to_json(job.args.get("model_content"))
    scorer = _loaded(job.args["scorer"], params, job.inputs.get("model"), content)
    texts = batches(job.inputs["documents"] / "documents.parquet", ["text"])
    empty = scorer.score(pl.Series("text", [], dtype=pl.String))
    path = job.out / "attributes.parquet"
    counts: dict[str, Any] = {"documents": write_frames(path, (scorer.score(frame["text"]) for frame in texts), empty)}
    if job.args["scorer"] == "contamination":
        counts["matched"] = matches_by_eval(path)
    return counts


def by_shard(run: Run, units: Sequence[Unit]) -> list[list[Unit]]:
    """Return the units of each shard as one task: a small shard's scorers take less time than submitting them apart."""
    groups: dict[str, list[Unit]] = {}
    for unit in units:
        groups.setdefault(unit.inputs["documents"], []).append(unit)
    return list(groups.values())


def annotate_together(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Do the units of one shard, one after the other."""
    return [annotate(job) for job in jobs]


@lru_cache(maxsize=8)
def _loaded(name: str, params: str, model: Path | None, content: str) -> Scorer:
    """Load a scorer once a worker: reading a model takes a quarter of the time of scoring a small shard.

    params: JSON; model: artefact of the run, named by its recipe; content: fingerprint of a file that `params` names.
    Raises InputError where the model is none.
    """
    spec = SCORERS[name]
    try:
        return spec.load(spec.params.model_validate_json(params), model)
    except ValueError as error:
        raise InputError(f"annotate: scorer {name}: {error}") from None


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
