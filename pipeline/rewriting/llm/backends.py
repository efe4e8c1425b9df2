"""The backends by name. Adding one is a file and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field

from pipeline.rewriting.llm import openai_api, transformers_local, vllm_offline
from pipeline.rewriting.llm.base import Backend
from pipeline.rewriting.llm.openai_api import OpenAIBackend, OpenAIConfig
from pipeline.rewriting.llm.transformers_local import TransformersBackend, TransformersConfig
from pipeline.rewriting.llm.vllm_offline import VLLMBackend, VLLMConfig

BackendConfig = Annotated[OpenAIConfig | TransformersConfig | VLLMConfig, Field(discriminator="kind")]


@dataclass(frozen=True)
class BackendSpec:
    """A backend as a mix names it.

    identity: (config, function that names a file's content) → JSON that its replies depend on, with `kind` and `model`.
    open: (config, workers that share its limits) → the backend. settled: decides what is left to the machine.
    scores: whether it gives likelihoods. gpus: GPUs that a worker holds.
    """

    config: type[BaseModel]
    identity: Callable[[Any, Callable[[str], str]], dict[str, Any]]
    open: Callable[[Any, int], Backend]
    scores: bool
    settled: Callable[[Any], Any] = lambda config: config
    gpus: Callable[[Any], float] = lambda config: 0
    files: bool = True


BACKENDS: dict[str, BackendSpec] = {
    "openai": BackendSpec(
        OpenAIConfig, lambda config, _: openai_api.identity(config), OpenAIBackend, scores=False, files=False
    ),
    "transformers": BackendSpec(
        TransformersConfig,
        transformers_local.identity,
        lambda config, _: TransformersBackend(config),
        scores=True,
        settled=transformers_local.settled,
        gpus=lambda config: config.gpus,
    ),
    "vllm": BackendSpec(
        VLLMConfig,
        vllm_offline.identity,
        lambda config, _: VLLMBackend(config),
        scores=True,
        gpus=lambda config: config.gpus,
    ),
}
