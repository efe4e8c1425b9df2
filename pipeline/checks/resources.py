"""Checks of `resources`."""

from __future__ import annotations

from pipeline.checks.base import Mistakes, unknown
from pipeline.config import Config
from pipeline.needs import ON_DEVICE
from pipeline.stage_names import WITH_UNITS


def resource_mistakes(config: Config) -> Mistakes:
    for stage, asked in config.resources.items():
        if stage not in WITH_UNITS:
            yield ("resources", stage), unknown(stage, WITH_UNITS, "stage with units of its own")
            continue
        if asked.gpus is None:
            continue
        place = ("resources", stage, "gpus")
        if stage == "rewrite":
            yield place, "a variant made by a model takes the GPUs of its backend: `gpus` in the variant's params"
        elif asked.gpus and stage not in (*ON_DEVICE, "numerics"):
            yield place, f"stage `{stage}` computes on no GPU; {', '.join(ON_DEVICE)} may"
        elif asked.gpus and config.proxy.device == "cpu":
            yield place, "`proxy.device` is cpu"
        elif not asked.gpus and config.proxy.device == "cuda":
            yield place, "`proxy.device` is cuda, which takes a GPU or a part of one"
