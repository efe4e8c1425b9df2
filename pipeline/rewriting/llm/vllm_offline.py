"""Backend `vllm`: a model on GPU workers, through vLLM's offline engine (optional extra `vllm`).

vLLM is imported when the engine is built and not before; what is asked of it and how its outputs are read are plain
functions of plain data.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import InputError
from pipeline.rewriting.llm.base import TOO_LONG, Answer, Failure, Likelihood, Reply, Request
from pipeline.rewriting.llm.encoding import Encoder
from pipeline.rewriting.llm.loaded import loaded
from pipeline.rewriting.llm.local_model import model_files

GROUP = 1024
"""Requests that are handed over together: vLLM batches them itself, and what is cached is lost by a kill at most."""


class VLLMConfig(BaseModel):
    """The `backend` of a task's params with `kind: vllm`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["vllm"]
    model: str = Field(description="A folder with config.json and .safetensors, or a .gguf file.")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    gpus: int = Field(1, ge=1, description="GPUs of one worker; the model is parted among them.")
    context: int | None = Field(
        None, ge=1, description="Longest prompt and reply in tokens; the model's own if absent."
    )
    gpu_memory: float = Field(0.9, gt=0, le=1, description="Share of a GPU's memory that is used.")


def identity(config: VLLMConfig, fingerprint: Callable[[str], str]) -> dict[str, Any]:
    """Return what replies depend on: the bytes of the model and how they are computed."""
    path = Path(config.model)
    files = {file.name: fingerprint(str(file)) for file in model_files(path)}
    return {
        "kind": config.kind,
        "model": path.name,
        "files": files,
        "dtype": config.dtype,
        "gpus": config.gpus,
        "context": config.context,
    }


def engine_options(config: VLLMConfig) -> dict[str, Any]:
    """Return the arguments of `vllm.LLM`: a local model, no code of its own, the same draws on every run."""
    return {
        "model": config.model,
        "dtype": config.dtype,
        "tensor_parallel_size": config.gpus,
        "gpu_memory_utilization": config.gpu_memory,
        "trust_remote_code": False,
        "load_format": "gguf" if config.model.endswith(".gguf") else "safetensors",
        "seed": 0,
        **({"max_model_len": config.context} if config.context else {}),
    }


def sampling_options(request: Request) -> dict[str, Any]:
    """Return the arguments of `vllm.SamplingParams` for a request, drawn from its own seed."""
    sampling = request.sampling
    return {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "stop": list(sampling.stop),
        "seed": request.seed,
    }


def read_output(output: Any) -> Answer:
    """Return the answer in one `vllm.RequestOutput`; what was aborted or is empty of outputs is a lasting failure."""
    if not output.outputs or output.outputs[0].finish_reason not in ("stop", "length"):
        return Failure("aborted", lasting=True)
    first = output.outputs[0]
    return Reply(first.text, first.finish_reason, len(output.prompt_token_ids or ()), len(first.token_ids))


def read_likelihood(prompt_logprobs: Sequence[Mapping[int, Any] | None], ids: Sequence[int], rest: int) -> Likelihood:
    """Return Σ log p of the last `rest` tokens of a prompt.

    prompt_logprobs: per position, token id → an object with `logprob`, among which the prompt's own always is.
    """
    last = list(zip(ids, prompt_logprobs, strict=True))[len(ids) - rest :]
    total = math.fsum(float(each[token].logprob) for token, each in last if each is not None)
    return Likelihood(total, rest)


def _vllm() -> Any:
    try:
        return import_module("vllm")
    except ImportError:
        raise InputError(
            "the backend `vllm` needs vLLM on the workers: pip install 'mixwright[vllm]' (Linux with a GPU); "
            "without a GPU take `kind: transformers`, or `openai` for a server elsewhere"
        ) from None


class VLLMBackend:
    def __init__(self, config: VLLMConfig) -> None:
        """Raises InputError without vLLM, or for a model that is not read."""
        model_files(Path(config.model))
        self._engine = loaded(config.model_dump_json(), lambda: _vllm().LLM(**engine_options(config)))
        self._encoder = Encoder(self._engine.get_tokenizer())
        self._context: int = config.context or self._engine.llm_engine.model_config.max_model_len
        self._gpus = config.gpus
        self._seconds = 0.0

    def groups(self, requests: Sequence[Request]) -> list[list[int]]:
        return [[i] for i in range(len(requests))]

    def generate(self, requests: Sequence[Request]) -> Iterator[tuple[int, Answer]]:
        vllm = _vllm()
        for at in range(0, len(requests), GROUP):
            part = requests[at : at + GROUP]
            ids = [self._encoder.chat(r.messages) if r.messages else self._encoder.text(r.prompt) for r in part]
            fit = [i for i, each in enumerate(ids) if self._fits(each)]
            yield from ((at + i, TOO_LONG) for i in sorted(set(range(len(part))) - set(fit)))
            params = [vllm.SamplingParams(**sampling_options(part[i])) for i in fit]
            outputs = self._outputs([ids[i] for i in fit], params)
            yield from ((at + i, read_output(output)) for i, output in zip(fit, outputs, strict=True))

    def log_likelihood(self, pairs: Sequence[tuple[str, str]]) -> list[Likelihood]:
        """Return Σ log p of each continuation; −∞ where it does not fit the model with its context."""
        rests = [self._encoder.rest(rest) for _, rest in pairs]
        ids = [[*self._encoder.text(context), *rest] for (context, _), rest in zip(pairs, rests, strict=True)]
        fit = [i for i, each in enumerate(ids) if self._fits(each)]
        params = _vllm().SamplingParams(max_tokens=1, prompt_logprobs=0, temperature=0.0)
        found = [Likelihood(-math.inf, len(rest)) for rest in rests]
        for i, output in zip(fit, self._outputs([ids[i] for i in fit], params), strict=True):
            found[i] = read_likelihood(output.prompt_logprobs, ids[i], len(rests[i]))
        return found

    def _fits(self, ids: Sequence[int]) -> bool:
        """Whether the engine takes a prompt: it needs room for a token more. One that it does not take ends a call."""
        return len(ids) < self._context

    def _outputs(self, ids: Sequence[list[int]], params: Any) -> list[Any]:
        """params: `vllm.SamplingParams`, one for all or one each."""
        if not ids:
            return []
        start = time.perf_counter()
        outputs = self._engine.generate([{"prompt_token_ids": each} for each in ids], params, use_tqdm=False)
        self._seconds += time.perf_counter() - start
        return outputs

    def spent(self) -> dict[str, int | float]:
        return {"gpu_seconds": round(self._seconds * self._gpus, 3)}
