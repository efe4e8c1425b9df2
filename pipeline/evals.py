"""Stages `benchmarks` and `requests`: what every checkpoint is scored on.

Every eval is split by item into a `steer` side, which fit and propose see, and a `confirm` side, which only validate
sees.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.documents import selected
from pipeline.errors import InputError
from pipeline.run import Run
from pipeline.shards import fingerprint
from pipeline.suite import benchmarks_of, requests_of
from pipeline.units import Job, Unit, digest
from proxy_models.metrics import Metric
from proxy_models.readers import read_requests
from proxy_models.requests import Request, RequestSet, encode, save_requests

BENCHMARKS_VERSION = 1
REQUESTS_VERSION = 3
SIDES = ("steer", "confirm")
MOST_TRUNCATED = 0.2
"""A benchmark of which more contexts than this lose text on their left measures something else: it is refused."""


# benchmarks: published request files, read once


def benchmark_units(run: Run) -> list[Unit]:
    """One unit per benchmark, keyed by the bytes of its file: gold continuations, by which its items are known; and,
    where accuracies are asked for, one of all choices of the same items."""
    units = []
    for name, benchmark in run.config.evals.benchmarks.items():
        args = {"content": fingerprint(run, benchmark.path), "items": benchmark.items, "seed": run.config.seed}
        if benchmark.format is not None:
            args["format"] = benchmark.format
        units.append(Unit("benchmarks", name, BENCHMARKS_VERSION, args, place={"path": benchmark.path}))
        rows = rows_for(benchmark.metric)
        if rows != "gold":
            args = {**args, "rows": rows}
            units.append(Unit("benchmarks", f"{name}|{rows}", BENCHMARKS_VERSION, args, place={"path": benchmark.path}))
    return units


def rows_for(metrics: Iterable[Metric]) -> str:
    """Return which rows of a benchmark metrics need, and no metric's name: so another one of the same rows scores
    nothing again."""
    asked = set(metrics)
    return "gold" if asked == {"bpb"} else "unconditional" if "acc_uncond" in asked else "choices"


def read_benchmark(job: Job) -> dict[str, Any]:
    """Write `requests.jsonl`: the asked rows of a seeded sample of items. Raises InputError on a bad line, and where
    choices or rows without the question are asked for and an item has none."""
    path, rows = Path(job.place["path"]), job.args.get("rows", "gold")
    try:
        found = read_requests(path, job.args.get("format"))
    except ValueError as error:
        raise InputError(str(error)) from None
    place = sampled_items(found, job.args["items"], job.args["seed"])
    chosen = [request for request in found if request.item in place and _is_asked(request, rows)]
    chosen.sort(key=lambda request: place[request.item])
    _check_rows(chosen, rows, path)
    with open(job.out / "requests.jsonl", "w", encoding="utf-8") as file:
        for request in chosen:
            file.write(json.dumps(asdict(request), ensure_ascii=False) + "\n")
    return {"items": len(place)}


def sampled_items(requests: Iterable[Request], most: int, seed: int) -> dict[str, int]:
    """Return a seeded sample of items, numbered in its order; whole items, whatever their rows."""
    items = [request.item for request in requests if request.is_answer]
    chosen = heapq.nsmallest(most, items, key=lambda item: digest([seed, item]))
    return {item: i for i, item in enumerate(chosen)}


def _is_asked(request: Request, rows: str) -> bool:
    if rows == "gold":
        return request.is_answer
    return rows == "unconditional" or not request.unconditional


def _check_rows(requests: list[Request], rows: str, path: Path) -> None:
    """Raise InputError where an item lacks what its accuracy is told by."""
    if rows == "gold":
        return
    choices: dict[bool, dict[str, set[int | None]]] = {False: {}, True: {}}
    for request in requests:
        choices[request.unconditional].setdefault(request.item, set()).add(request.choice)
    for item, each in choices[False].items():
        if len(each) < 2:
            raise InputError(f"{path}: item {item} has no choices: an accuracy cannot be its metric, only bpb")
        if rows == "unconditional" and choices[True].get(item) != each:
            raise InputError(f"{path}: item {item} has no rows without the question: its metric cannot be acc_uncond")


# requests: token ids of every task, on both sides


def request_units(run: Run) -> list[Unit]:
    """One unit per task: `heldout/<source>` and `bench/<name>`."""
    (vocabulary,) = run.of("vocabulary")
    evals = run.config.evals
    base = {"context": run.model_context, "confirm": evals.confirm, "seed": run.config.seed}
    selections = {unit.name: unit.ref for unit in run.of("select")}
    units = []
    for source in dict.fromkeys(run.config.origin(domain) for domain in run.config.domain_names()):
        inputs = {"vocabulary": vocabulary.ref}
        for shard in run.of("sources"):
            if shard.args["source"] == source:
                inputs[f"{shard.name}|documents"] = shard.ref
                inputs[f"{shard.name}|selection"] = selections[shard.name]
        args = {**base, "characters": evals.heldout.characters}
        units.append(Unit("requests", f"heldout/{source}", REQUESTS_VERSION, args, inputs))
    scored = {unit.name.split("|")[0]: unit for unit in run.of("benchmarks")}  # the last: all choices where asked for
    overlaps = run.of("overlap")
    for name in benchmarks_of(run):
        inputs = {"vocabulary": vocabulary.ref, "benchmark": scored[name].ref}
        inputs |= {f"found in {unit.name}": unit.ref for unit in overlaps if unit.name.split("/")[0] == name}
        units.append(Unit("requests", f"bench/{name}", REQUESTS_VERSION, base, inputs))
    return units


def encode_requests(job: Job) -> dict[str, Any]:
    """Write `steer.npz` and `confirm.npz`; return items, bytes and rows of both, and what was left out."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(job.inputs["vocabulary"] / "tokenizer.json"))
    counts: dict[str, Any] = {}
    if "benchmark" in job.inputs:
        requests = requests_of(job.inputs["benchmark"])
        held = {
            item
            for role, folder in job.inputs.items()
            if role.startswith("found in ")
            for item in json.loads((folder / "items.json").read_text())
        }
        counts["contaminated"] = len(held & {request.item for request in requests})  # others are not scored anyway
        requests = [request for request in requests if request.item not in held]
        sides = _split([(request.item, request) for request in requests], job)
    else:
        sides = _split(list(_heldout(job)), job)
        sides = {side: _excerpts(each, job.args["characters"], job.args["seed"]) for side, each in sides.items()}
    for side, requests in sides.items():
        if not requests:  # `check` says it with the place in the YAML
            counts[side] = {"items": 0}
            continue
        encoded = encode(requests, tokenizer, job.args["context"])
        save_requests(encoded, job.out / f"{side}.npz")
        counts[side] = _counts(encoded)
    return counts


def _counts(requests: RequestSet) -> dict[str, int]:
    """Return items, bytes of their gold continuations, tokens scored, and items of which a row lost context."""
    gold = requests.gold & ~requests.unconditional
    cut = np.unique(requests.item[requests.truncated & ~requests.unconditional])
    return {
        "items": int(gold.sum()),
        "bytes": int(requests.bytes[gold].sum()),
        "tokens": int(requests.scored.sum()),
        "truncated": int(np.isin(requests.item[gold], cut).sum()),
    }


def _split(items: list[tuple[str, Request]], job: Job) -> dict[str, list[Request]]:
    """Split (group, request) pairs into the two sides, whole groups, in a seeded order.

    Each group goes to the side that has less of its share so far, so that even a few groups give both sides something.
    """
    seed, fraction = job.args["seed"], job.args["confirm"]
    groups: dict[str, list[Request]] = {}
    for group, request in items:
        groups.setdefault(group, []).append(request)
    share = dict(zip(SIDES, (1 - fraction, fraction), strict=True))
    filled = dict.fromkeys(SIDES, 0)
    sides: dict[str, list[Request]] = {side: [] for side in SIDES}
    for group in sorted(groups, key=lambda name: digest([seed, name])):
        side = min(SIDES, key=lambda name: filled[name] / share[name])
        sides[side] += sorted(groups[group], key=lambda request: digest([seed, request.item]))
        filled[side] += sum(len(request.continuation) for request in groups[group] if request.is_answer)
    return sides


def _heldout(job: Job) -> Iterator[tuple[str, Request]]:
    """Yield (group, request) of every held-out document; OCR text is scored on its ground truth where there is one."""
    for name in dict.fromkeys(name.split("|")[0] for name in job.inputs if "|" in name):
        documents = job.inputs[f"{name}|documents"] / "documents.parquet"
        selection = job.inputs[f"{name}|selection"] / "selection.parquet"
        for frame in selected(documents, selection, "heldout", ["id", "text", "group", "truth"]):
            for item, text, group, truth in frame.iter_rows():
                yield group, Request(item=item, context="", continuation=truth or text)


def _excerpts(requests: list[Request], most: int, seed: int) -> list[Request]:
    """Return a seeded excerpt of every document, together at most `most` characters.

    Many short excerpts say more than a few whole documents: what a mix gains on one long paper is that paper's.
    """
    left, cap = most, 0
    for i, length in enumerate(sorted(len(request.continuation) for request in requests)):
        cap = left // (len(requests) - i)  # shorter documents leave the rest of their share to longer ones
        if length > cap:
            break
        left -= length
    excerpts = []
    for request in requests:
        start = int(digest([seed, "excerpt", request.item]), 16) % max(1, len(request.continuation) - cap + 1)
        text = request.continuation[start : start + cap]
        if text.strip():
            excerpts.append(Request(item=request.item, context="", continuation=text))
    return excerpts


def check(run: Run) -> None:
    """Raise where a task has no item left on one side, or a benchmark loses too many contexts to truncation."""
    for unit in run.of("requests"):
        counts = run.manifest(unit)["counts"]
        family, name = unit.name.split("/")
        place = ("evals", "heldout") if family == "heldout" else ("evals", "benchmarks", name)
        for side in SIDES:
            if not counts[side]["items"]:
                raise run.mix.error(place, f"task `{unit.name}` has no {side} items; it needs more documents")
        cut = sum(counts[side]["truncated"] for side in SIDES) / sum(counts[side]["items"] for side in SIDES)
        if family == "bench" and cut > MOST_TRUNCATED:
            raise run.mix.error(
                place,
                f"{cut:.0%} of its contexts do not fit the proxies' context of {run.model_context} tokens (at most "
                f"{MOST_TRUNCATED:.0%} may be cut): leave it out, or take a preset with a longer context",
            )
