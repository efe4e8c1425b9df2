"""How fast proxies were trained and scored here, from the manifests of finished units."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any

from pipeline.budget import CPU, GPU, Speed
from pipeline.config import Config
from pipeline.store import Store
from pipeline.tasks import requests_of, task_names
from proxy_models.presets import PRESETS

_MOST = 200
"""Manifests of each stage that are read at most."""


def speed_of(store: Store, config: Config, device: str) -> Speed:
    """Return the measured speed of one GPU (`cuda`) or core (`cpu`), or what is assumed where nothing is measured.

    A core's time is CPU seconds, so that a busy machine does not look slow; a GPU's are those on the clock.
    """
    assumed, clock = (GPU, "seconds") if device == "cuda" else (CPU, "cpu_seconds")

    @cache
    def manifest(ref: str) -> dict[str, Any]:
        return store.manifest(ref)

    def finished(stage: str) -> list[dict[str, Any]]:
        return [manifest(f"{stage}/{key}") for key in sorted(store.finished(stage))[:_MOST]]

    def is_there(inputs: dict[str, str]) -> bool:
        return manifest(inputs["numerics"])["counts"]["plan"]["device"].startswith(device)

    flops, seconds, count = defaultdict[str, float](float), defaultdict[str, float](float), 0
    for each in finished("train"):
        name, inputs = each["recipe"]["args"]["preset"], each["recipe"]["inputs"]
        if name in PRESETS and is_there(inputs):
            vocab_size = manifest(inputs["vocabulary"])["counts"]["vocab_size"]
            flops[name] += 6 * PRESETS[name].parameters(vocab_size) * each["counts"]["tokens"]
            seconds[name] += each[clock]
            count += 1
    scored = defaultdict[str, list[float]](list)
    for each in finished("score"):
        name = manifest(each["recipe"]["inputs"]["proxy"])["recipe"]["args"]["preset"]
        if is_there(each["recipe"]["inputs"]):
            scored[name].append(each[clock])
    rates = {name: flops[name] / seconds[name] for name in flops if seconds[name] > 0}
    if not rates:
        return assumed
    tasks = len(set(map(requests_of, task_names(config))))
    scoring = {name: tasks * sum(times) / len(times) for name, times in scored.items()}
    fast = ", ".join(f"{rate / 1e9:.3g} GFLOP/s on {name}" for name, rate in rates.items())
    return Speed(
        rates, scoring, assumed.default, f"measured on {count} proxies in {store.root}, scoring included: {fast}"
    )
