"""The `params` of a task that a model does: who writes, who judges, and what it may cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from pipeline.config import Count, Section
from pipeline.errors import InputError, nearest
from pipeline.rewriting.llm.backends import BACKENDS, BackendConfig
from pipeline.rewriting.llm.local_model import model_files
from pipeline.rewriting.llm.task import Task
from pipeline.yaml_lines import Path_, kind_of


class Budget(Section):
    """What a variant may cost, over all its shards; each shard has the same part of it. No limit where absent."""

    tokens: Count | None = Field(None, description="Of prompts and replies.")
    cost: float | None = Field(None, gt=0, description="In the currency of the prices.")
    prompt_price: float = Field(0.0, ge=0, description="Of a million tokens.")
    completion_price: float = Field(0.0, ge=0, description="Of a million tokens.")

    @model_validator(mode="after")
    def _priced(self) -> Budget:
        if self.cost is not None and not self.prompt_price + self.completion_price:
            raise ValueError("`cost` needs `prompt_price` and `completion_price`")
        return self

    @property
    def limited(self) -> bool:
        return self.tokens is not None or self.cost is not None

    def part(self, shards: int) -> Budget:
        """Return one shard's part."""
        tokens = self.tokens // shards if self.tokens is not None else None
        cost = self.cost / shards if self.cost is not None else None
        return self.model_copy(update={"tokens": tokens, "cost": cost})

    def price(self, prompt_tokens: int, completion_tokens: int) -> float:
        return (prompt_tokens * self.prompt_price + completion_tokens * self.completion_price) / 1e6

    def covers(self, prompt_tokens: int, completion_tokens: int) -> bool:
        if self.tokens is not None and prompt_tokens + completion_tokens > self.tokens:
            return False
        return self.cost is None or self.price(prompt_tokens, completion_tokens) <= self.cost


class ModelParams(Section):
    backend: BackendConfig
    judge: BackendConfig | None = Field(None, description="Who does the round trip; the backend itself if absent.")
    budget: Budget = Budget()  # type: ignore[call-arg]
    max_unanswered: float = Field(
        0.01,
        ge=0,
        le=1,
        description="Share of a shard's requests that may stay unanswered or be refused; above it the unit fails.",
    )


def params_mistakes(params: dict[str, Any], task: Task) -> Iterator[tuple[Path_, str]]:
    """Yield what is wrong with the params of a task."""
    try:
        read = ModelParams.model_validate(params)
    except ValidationError as error:
        for mistake in error.errors():
            section, *rest = [str(part) for part in mistake["loc"]] or [""]
            kind = rest.pop(0) if rest and rest[0] in BACKENDS else None
            known = (
                BACKENDS[kind].config.model_fields
                if kind
                else Budget.model_fields
                if rest
                else ModelParams.model_fields
            )
            path: tuple[str, ...] = (section, *rest) if section else ()
            if mistake["type"] == "extra_forbidden":
                yield path, f"unknown key{nearest(rest[-1] if rest else section, known)}"
            elif mistake["type"] == "missing":
                yield path, "is required and missing"
            elif mistake["type"] == "union_tag_invalid":
                asked = str((mistake.get("ctx") or {}).get("tag"))
                yield (*path, "kind"), f"there is no backend `{asked}`{nearest(asked, BACKENDS)}"
            elif mistake["type"] == "union_tag_not_found":
                yield path, f"`kind` says which backend: {', '.join(BACKENDS)}"
            elif path[-1:] in (("key_env",), ("base_url",)):  # what stands there may be a key
                yield path, mistake["msg"].removeprefix("Value error, ")
            else:
                yield path, f"{mistake['msg'].removeprefix('Value error, ')}, got {kind_of(mistake['input'])}"
        return
    for section, config in (("backend", read.backend), ("judge", read.judge)):
        if config is not None and BACKENDS[config.kind].files:
            try:
                model_files(Path(config.model))
            except InputError as error:
                yield (section, "model"), str(error)
    judge = read.judge or read.backend
    if {read.backend.kind, judge.kind} == {"vllm"} and judge != read.backend:
        yield ("judge",), "a worker's GPUs have room for one model of vLLM: name a small judge of kind `transformers`"
    if task.round_trip and not BACKENDS[judge.kind].scores:
        yield (
            ("judge" if read.judge else "backend",),
            f"the task has a round trip, for which `{judge.kind}` gives no likelihoods: name a `judge` of another kind "
            "(a small model serves), or copy the task without its `round_trip`",
        )
