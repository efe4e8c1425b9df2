"""What curation cost, by domain: seconds from the manifests of the units that did it, tokens from their counts.

Seconds differ from run to run and so are in no artefact; they are read as a run folder is filled. Of very many shards
a part of the manifests stands for all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.run import Run
from pipeline.spent import sampled
from pipeline.units import Unit

CURATION = ("sources", "annotate", "matches", "duplicates", "select")
"""Stages whose units are those of a source."""


@dataclass(frozen=True)
class Cost:
    """What one domain took, over all runs on the store that made its units.

    curation: CPU seconds of its source's stages up to `select`; every domain of the source has them in common.
    rewriting: CPU seconds of making a variant; gpu: seconds that GPUs were held for it. asked, written: tokens of a
    language model's prompts and replies that were paid; reused: its replies that came from the cache. tokens: of the
    target's tokenizer, that came out.
    """

    domain: str
    curation: float
    rewriting: float
    gpu: float
    asked: int
    written: int
    reused: int
    tokens: float


def costs(run: Run, tokens: dict[str, float]) -> list[Cost]:
    """Return the cost of every domain of a finished run; tokens: domain → target tokens."""
    units = {stage: _by_name(run, stage) for stage in (*CURATION, "rewrite")}

    def total(stage: str, name: str, value: Callable[[dict[str, Any]], float]) -> float:
        seen, scale = sampled(run, units[stage].get(name, []))
        return scale * sum(map(value, seen))

    def seconds(stage: str, name: str) -> float:
        return round(total(stage, name, lambda each: each["cpu_seconds"]), 3)

    def counted(variant: str, what: str) -> float:
        return total("rewrite", variant, lambda each: each["counts"].get(what, 0))

    return [
        Cost(
            domain=domain,
            curation=sum(seconds(stage, run.config.origin(domain)) for stage in CURATION),
            rewriting=seconds("rewrite", domain),
            gpu=counted(domain, "gpu_seconds"),
            asked=round(counted(domain, "prompt_tokens")),
            written=round(counted(domain, "completion_tokens")),
            reused=round(counted(domain, "cached")),
            tokens=tokens[domain],
        )
        for domain in run.config.domain_names()
    ]


def _by_name(run: Run, stage: str) -> dict[str, list[Unit]]:
    """Return source or variant → its finished units of a stage."""
    found: dict[str, list[Unit]] = {}
    for unit in filter(run.is_done, run.of(stage)):
        found.setdefault(unit.name.split("/")[0], []).append(unit)
    return found
