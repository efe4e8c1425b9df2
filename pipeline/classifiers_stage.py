"""Stage `classifiers`: train the quality classifiers that the YAML describes by sources; name those it has by path."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifiers.registry import SCORERS
from pipeline.checks.data import is_trained, scorer_params
from pipeline.documents import batches
from pipeline.errors import InputError
from pipeline.run import Run
from pipeline.shards import fingerprint
from pipeline.units import Job, Unit, digest

if TYPE_CHECKING:
    from classifiers.labelled import Documents

VERSION = 2

SAMPLE = 2000
"""Documents of each side that a classifier learns from, at most."""


def units(run: Run) -> list[Unit]:
    """One unit per trained classifier; what it learnt is pinned, so later sources do not change old scores."""
    units = []
    for name, section in run.config.annotate.items():
        if not is_trained(name, section):
            continue
        args = {
            **scorer_args(run, name),
            "positive": section["positive"],
            "negative": section["negative"],
            "seed": run.config.seed,
        }
        inputs = {
            unit.name: unit.ref
            for unit in run.of("sources")
            if unit.args["source"] in (*section["positive"], *section["negative"])
        }
        units.append(run.pinned(Unit("classifiers", name, VERSION, args, inputs)))
    return units


def work(job: Job) -> dict[str, Any]:
    """Train one classifier on an even sample of its positive and its negative sources."""
    from classifiers.quality import train

    spec = SCORERS[job.args["scorer"]]
    positive, negative = (_documents(job, job.args[side]) for side in ("positive", "negative"))
    params = spec.params.model_validate(job.args["params"])
    try:
        card = train(job.args["scorer"], positive, negative, job.out, job.args["seed"], params)
    except ValueError as error:
        raise InputError(
            f"annotate: a classifier on {job.args['positive']} against {job.args['negative']}: {error}"
        ) from None
    measured = card.measures
    return {
        "positive": card.positive.documents,
        "negative": card.negative.documents,
        "auc": [measured.auc_low, measured.auc, measured.auc_high],
        "calibration_error": card.calibration.error,
    }


def _documents(job: Job, sources: list[str]) -> Documents:
    """Return an even sample of some sources. Groups of different sources are different groups."""
    from classifiers.labelled import Documents

    rows = [row for source in sources for row in _sample(job, source, SAMPLE // len(sources))]
    return Documents([text for text, _ in rows], [group for _, group in rows], origin=sources)


def _sample(job: Job, source: str, most: int) -> list[tuple[str, str]]:
    """Return text and group of the `most` documents whose seeded hash is smallest: the same however it is sharded."""

    def ranked() -> Iterator[tuple[str, str, str]]:
        for name, folder in job.inputs.items():
            if name.split("/")[0] == source:
                for frame in batches(folder / "documents.parquet", ["id", "text", "group"]):
                    for document, text, group in frame.iter_rows():
                        yield digest([job.args["seed"], source, document]), text, f"{source}/{group}"

    return [(text, group) for _, text, group in heapq.nsmallest(most, ranked(), key=lambda row: row[0])]


def scorer_args(run: Run, name: str) -> dict[str, Any]:
    """Return what an `annotate` entry's scores depend on beside the text: scorer, parameters, content of its model.

    Where the model lies is not among them (see `scorer_place`): moved, it scores nothing again.
    """
    section = run.config.annotate.get(name, {})
    scorer = section.get("scorer", name)
    spec = SCORERS[scorer]
    params = spec.params.model_validate(scorer_params(section)).model_dump(mode="json")
    args = {"scorer": scorer, "scorer_version": spec.version, "params": params}
    if section.get("model") is not None:
        args = {**args, "params": {**params, "model": None}, "model_content": _content(run, Path(section["model"]))}
    return args


def scorer_place(run: Run, name: str) -> dict[str, Any]:
    """Return where the model of an `annotate` entry lies, if it has one."""
    model = run.config.annotate.get(name, {}).get("model")
    return {} if model is None else {"model": model}


def _content(run: Run, model: Path) -> str:
    """Name the content of a model: of its file, or of all files of its folder but what is for people."""
    if model.is_file():
        return fingerprint(run, str(model))
    files = sorted(file for file in model.iterdir() if not file.name.startswith("card"))
    return digest([[file.name, fingerprint(run, str(file))] for file in files])
