"""Stages `suite` and `overlap`: eval items that training text contains.

The suite is built from the evals of the first run, and documents that hold something of it are dropped. Where an eval
comes later the training text stays as it is, and the items of it that are found there are dropped instead, so that
nothing is trained again.

Of an item its question and its right answer are looked for, without the instructions, solved examples and labels that
all items of the eval share: a document that holds those alone is not contaminated. All items of a file are looked for,
also those that proxies are not scored on (`evals.benchmarks.<name>.items`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from pipeline.errors import InputError
from pipeline.run import Run
from pipeline.shards import fingerprint
from pipeline.store import write_json
from pipeline.tokenize import domain_units, texts
from pipeline.units import Job, Unit
from proxy_models.readers import read_requests
from proxy_models.requests import Request

if TYPE_CHECKING:
    from classifiers.contamination import Suite

SUITE_VERSION = 3
OVERLAP_VERSION = 2

_LABEL_BEFORE = re.compile(r"[:\n]\s*")
_LABEL_AFTER = re.compile(r"\n|(?<=\s)\w+:\s*$")


def suite_units(run: Run) -> list[Unit]:
    """One pinned unit over the files of all benchmarks of the first run; empty where it had none, so that the first
    benchmark comes as late as any other does."""
    n = run.config.evals.contamination.n
    place = {name: benchmark.path for name, benchmark in run.config.evals.benchmarks.items()}
    return [run.pinned(replace(_empty(n), args={"n": n, "evals": _files(run)}, place=place))]


def searched(run: Run) -> list[Unit]:
    """Return the suite that documents are searched for; none where the first run had no benchmark."""
    empty = _empty(run.config.evals.contamination.n).key
    return [unit for unit in run.of("suite") if unit.key != empty]


def _empty(n: int) -> Unit:
    return Unit("suite", "suite", SUITE_VERSION, {"n": n, "evals": {}}, pinned_by={"n": n})


def build_suite(job: Job) -> dict[str, Any]:
    """Write the contamination suite and the files of the evals in it; return how many items of each it holds. Raises
    InputError on a bad line."""
    from classifiers.contamination import SUITE_FILE, save_suite

    items = [(name, text) for name, file in job.args["evals"].items() for _, text in _items(job.place[name], file)]
    suite = _suite(items, job.args["n"])
    save_suite(suite, job.out / SUITE_FILE)
    write_json(job.out / "evals.json", job.args["evals"])
    short = dict(zip(suite.evals, suite.items_skipped.tolist(), strict=True))
    return {"items": len(items), "of": dict(Counter(name for name, _ in items)), "too_short": short}


def _files(run: Run) -> dict[str, dict[str, Any]]:
    """Return by benchmark what its items depend on: the bytes of its file, and its format where the YAML names one."""
    return {
        name: {"content": fingerprint(run, each.path)} | ({"format": each.format} if each.format else {})
        for name, each in run.config.evals.benchmarks.items()
    }


def _items(path: str, file: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (item, question and right answer) of every item of a benchmark's file."""
    try:
        return item_texts(read_requests(Path(path), file.get("format")))
    except ValueError as error:
        raise InputError(str(error)) from None


def benchmarks_of(run: Run) -> dict[str, Unit]:
    """Return the units of gold continuations by benchmark."""
    return {unit.name: unit for unit in run.of("benchmarks") if "|" not in unit.name}


def requests_of(folder: Path) -> list[Request]:
    """Return the requests of a `benchmarks` artefact."""
    with open(folder / "requests.jsonl", encoding="utf-8") as file:
        return [Request(**json.loads(line)) for line in file]


def item_texts(requests: Sequence[Request]) -> list[tuple[str, str]]:
    """Return (item, question and right answer) of every item of one eval."""
    answers = [request for request in requests if request.is_answer]
    asked = questions([request.context for request in answers])
    return [(each.item, f"{question} {each.continuation}") for each, question in zip(answers, asked, strict=True)]


def questions(contexts: Sequence[str]) -> list[str]:
    """Return the contexts without what all of them begin with, up to a colon or line break, and end with, from a line
    break or a last label on: `Question: … Answer:`, and solved examples before."""
    if len(set(contexts)) < 2:
        return list(contexts)
    before = max((found.end() for found in _LABEL_BEFORE.finditer(_common_start(contexts))), default=0)
    tail = _common_start([context[before:][::-1] for context in contexts])[::-1]
    found = _LABEL_AFTER.search(tail)
    after = len(tail) - found.start() if found else 0
    return [context[before : len(context) - after] for context in contexts]


def _common_start(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)
    return first[: next((i for i, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), len(first))]


# overlap: what training text holds of evals that came later


def overlap_units(run: Run) -> list[Unit]:
    """One unit per later benchmark and shard of training text, raw or rewritten."""
    known = _pinned_evals(run)
    texts_of = domain_units(run)
    return [
        Unit(
            "overlap",
            f"{name}/{shard}",
            OVERLAP_VERSION,
            {"n": run.config.evals.contamination.n, "eval": file},
            inputs,
            {"path": run.config.evals.benchmarks[name].path},
        )
        for name, file in _files(run).items()
        if file not in known
        for parts in texts_of.values()
        for shard, inputs in parts
    ]


def _pinned_evals(run: Run) -> list[dict[str, Any]]:
    """Return the files of the benchmarks in the suite."""
    for unit in run.of("suite"):
        run.manifest(unit)  # NotYet where it has not been built
        return list(run.store.read_json(unit.ref, "evals.json").values())
    return []


def find_items(job: Job) -> dict[str, Any]:
    """Write `items.json`: the items that a training text holds; count the texts that hold one."""
    from classifiers.contamination import ContaminationScorer

    items = _items(job.place["path"], job.args["eval"])
    scorer = ContaminationScorer(_suite(items, job.args["n"]))
    found, documents = np.zeros(len(items), bool), 0
    for batch in texts(job.inputs["documents"], job.inputs.get("selection")):
        series = pl.Series(batch, dtype=pl.String)
        matched = scorer.score(series)["matched"].is_not_null()
        documents += int(matched.sum())
        found |= scorer.items(series.filter(matched))
    write_json(job.out / "items.json", [item for (item, _), hit in zip(items, found, strict=True) if hit])
    return {"documents": documents, "items": int(found.sum())}


def _suite(items: Sequence[tuple[str, str]], n: int) -> Suite:
    from classifiers.contamination import ContaminationParams, build_suite

    return build_suite(items, ContaminationParams(n=n))  # type: ignore[call-arg]
