"""How a task that a model does becomes units of the stage `rewrite`, and how a worker opens it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.rewriting.llm.backends import BACKENDS
from pipeline.rewriting.llm.model_rewriter import ModelRewriter
from pipeline.rewriting.llm.params import ModelParams
from pipeline.rewriting.llm.reply_cache import ReplyCache
from pipeline.rewriting.llm.task import Task, load_task, task_path
from pipeline.store import Store
from pipeline.units import digest

VERSION = "2"
"""Of the code: raised whenever the same replies may come out as other texts."""


def asked(
    name: str, params: dict[str, Any], shards: int, store: str, fingerprint: Callable[[str], str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (args, place) of the units of a variant: what their texts depend on, and how they are made.

    name: a shipped task, or the path of a user's own. fingerprint: names a file's content. The task's content goes
    with the unit, so that a worker needs no file of it.
    """
    path = task_path(name)
    assert path is not None, "checked when the YAML was loaded"
    task, read = load_task(path), ModelParams.model_validate(params)
    settled = {
        role: BACKENDS[config.kind].settled(config)
        for role, config in (("backend", read.backend), ("judge", read.judge))
        if config is not None
    }
    args: dict[str, Any] = {
        "task": path.stem,
        "task_version": VERSION,
        "definition": task.model_dump(mode="json"),
        **{role: BACKENDS[config.kind].identity(config, fingerprint) for role, config in settled.items()},
    }
    budget = read.budget.part(shards)
    if budget.limited:
        args["budget"] = budget.model_dump(mode="json")
    place = {
        "store": store,
        "shards": shards,
        "gpus": max(BACKENDS[config.kind].gpus(config) for config in settled.values()),
        "params": {
            **{role: config.model_dump(mode="json") for role, config in settled.items()},
            "budget": budget.model_dump(mode="json"),
            "max_unanswered": read.max_unanswered,
        },
    }
    return args, place


def open_rewriter(args: Mapping[str, Any], place: Mapping[str, Any]) -> ModelRewriter:
    """Return the rewriter of a unit, on its worker. Raises InputError for a missing key, library or model."""
    params = ModelParams.model_validate(place["params"])
    workers = at_once(place["shards"])
    backend = BACKENDS[params.backend.kind].open(params.backend, workers)
    judge = BACKENDS[params.judge.kind].open(params.judge, workers) if params.judge else backend
    cache = ReplyCache(Store(place["store"]), args["backend"])
    task = Task.model_validate(args["definition"])
    return ModelRewriter(task, backend, judge, cache, args["seed"], params.budget, params.max_unanswered)


def provenance(args: Mapping[str, Any]) -> dict[str, str]:
    """Return what a rewritten document keeps of how it was made, as text.

    model: name and, of local ones, the first of a hash of its files. prompt: hash of the template. sampling: JSON.
    """
    backend, definition = args["backend"], args["definition"]
    tag = backend.get("revision") or (digest(backend["files"], 12) if "files" in backend else "")
    prompt = json.dumps(definition["prompt"], sort_keys=True, ensure_ascii=False)
    sampling = {**definition["sampling"], "samples": definition["samples"], "seed": args["seed"]}
    return {
        "task": args["task"],
        "backend": backend["kind"],
        "model": f"{backend['model']}@{tag}" if tag else backend["model"],
        "prompt": hashlib.sha256(prompt.encode()).hexdigest()[:16],
        "sampling": json.dumps(sampling, sort_keys=True),
    }


def at_once(shards: int) -> int:
    """Return how many workers of a variant run at once at most: each takes a core and a shard."""
    import ray

    cores = int(ray.cluster_resources().get("CPU", 1)) if ray.is_initialized() else 1
    return max(1, min(shards, cores))
