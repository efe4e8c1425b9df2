"""Backend `transformers`: a local model, in batches, on a CPU or GPU (optional extra `hf`).

A request's tokens are drawn from its own seeded stream. Its batch can matter through rounding only; batches are
therefore the same whatever the cache already holds (see `reply_cache`), and their size belongs to the model's identity.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.rewriting.llm.base import TOO_LONG, Answer, Likelihood, Reply, Request
from pipeline.rewriting.llm.local_model import LocalModel, load_local, model_files, read_rows
from pipeline.rewriting.llm.sampling import draw_tokens

TAIL = 32
"""Last tokens of a reply in which a stop text is looked for."""


class TransformersConfig(BaseModel):
    """The `backend` of a task's params with `kind: transformers`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["transformers"]
    model: str = Field(description="A folder with config.json and .safetensors, or a .gguf file.")
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="auto: bfloat16 where the machine multiplies it fast."
    )
    batch_size: int = Field(16, ge=1, le=1024)
    gpus: float = Field(0, ge=0, le=1, description="GPUs that a worker holds; 0.5 lets two share one, 0 is a CPU.")


def settled(config: TransformersConfig) -> TransformersConfig:
    """Return the config with its numeric type decided: once, by the driver, so that all workers have the same."""
    import torch

    from proxy_models.hardware import bf16_units

    if config.dtype != "auto":
        return config
    on_gpu = config.gpus > 0 and torch.cuda.is_available()
    fast = torch.cuda.is_bf16_supported() if on_gpu else bool(bf16_units())
    return config.model_copy(update={"dtype": "bfloat16" if fast else "float32"})


def identity(config: TransformersConfig, fingerprint: Callable[[str], str]) -> dict[str, Any]:
    """Return what replies depend on: the bytes of the model, how they are computed, and the batch (it rounds)."""
    path = Path(config.model)
    files = {file.name: fingerprint(str(file)) for file in model_files(path)}
    return {
        "kind": config.kind,
        "model": path.name,
        "files": files,
        "dtype": config.dtype,
        "device": "cuda" if config.gpus else "cpu",
        "batch_size": config.batch_size,
    }


@dataclass
class _Row:
    """One request on its way. tokens: ids drawn so far."""

    request: Request
    position: int
    prompt: list[int]
    draw: random.Random
    tokens: list[int] = field(default_factory=list)


class TransformersBackend:
    def __init__(self, config: TransformersConfig) -> None:
        """Raises InputError for a model that cannot be loaded."""
        self._local: LocalModel = load_local(config.model, config.dtype, config.gpus > 0)
        self._batch = config.batch_size
        self._seconds = 0.0

    def groups(self, requests: Sequence[Request]) -> list[list[int]]:
        """Return batches of requests of about the same length, so that little is padded; last, what is too long."""
        fit = [i for i, request in enumerate(requests) if self._fits(self._row(request, i))]
        fit.sort(key=lambda i: (requests[i].characters, i))
        batches = [fit[i : i + self._batch] for i in range(0, len(fit), self._batch)]
        return batches + [[i] for i in sorted(set(range(len(requests))) - set(fit))]

    def generate(self, requests: Sequence[Request]) -> Iterator[tuple[int, Answer]]:
        rows = []
        for i, request in enumerate(requests):
            row = self._row(request, i)
            if self._fits(row):
                rows.append(row)
            else:
                yield i, TOO_LONG
        for at in range(0, len(rows), self._batch):
            start = time.perf_counter()
            done = self._write(rows[at : at + self._batch])
            self._seconds += time.perf_counter() - start
            yield from done

    def _fits(self, row: _Row) -> bool:
        return len(row.prompt) + row.request.sampling.max_tokens <= self._local.context

    def log_likelihood(self, pairs: Sequence[tuple[str, str]]) -> list[Likelihood]:
        """Return Σ log p of each continuation; −∞ where it does not fit the model with its context."""
        encoder = self._local.encoder
        encoded = [(encoder.text(context), encoder.rest(rest)) for context, rest in pairs]
        length = [len(context) + len(rest) for context, rest in encoded]
        order = sorted((i for i in range(len(pairs)) if length[i] <= self._local.context), key=lambda i: (length[i], i))
        found = {i: Likelihood(-math.inf, len(encoded[i][1])) for i in range(len(pairs))}
        start = time.perf_counter()
        for at in range(0, len(order), self._batch):
            members = order[at : at + self._batch]
            found |= zip(members, self._likelihoods([encoded[i] for i in members]), strict=True)
        self._seconds += time.perf_counter() - start
        return [found[i] for i in range(len(pairs))]

    def spent(self) -> dict[str, int | float]:
        return {"gpu_seconds": round(self._seconds, 3)} if self._local.device == "cuda" else {}

    def _row(self, request: Request, position: int) -> _Row:
        encoder = self._local.encoder
        prompt = encoder.chat(request.messages) if request.messages else encoder.text(request.prompt)
        return _Row(request, position, prompt, random.Random(request.seed))

    def _write(self, rows: list[_Row]) -> list[tuple[int, Reply]]:
        """Write the replies of one batch; rows that have ended leave it when they are half of it."""
        import torch

        local, done = self._local, []
        read = read_rows(local, [row.prompt for row in rows])
        logits, cache, mask, length = read.logits[:, -1], read.cache, read.mask, read.length
        live = list(rows)
        ended: set[int] = set()
        while True:
            chosen = draw_tokens(
                logits.float(),
                *(
                    torch.tensor([value(row) for row in live], dtype=torch.float32, device=local.device)
                    for value in (_temperature, _top_p, lambda row: row.draw.random())
                ),
            )
            for row, token in zip(live, chosen.tolist(), strict=True):
                if row.position in ended:
                    continue
                reply = self._grown(row, token)
                if reply is not None:
                    ended.add(row.position)
                    done.append((row.position, reply))
            keep = [i for i, row in enumerate(live) if row.position not in ended]
            if not keep:
                return done
            if len(keep) <= len(live) // 2:
                index = torch.tensor(keep, device=local.device)
                cache.batch_select_indices(index)
                mask, length, chosen = mask[index], length[index], chosen[index]
                live = [live[i] for i in keep]
            mask = torch.cat([mask, mask.new_ones(len(live), 1)], 1)
            logits = local.model(
                input_ids=chosen[:, None],
                attention_mask=mask,
                position_ids=length[:, None],
                use_cache=True,
                **{local.cache: cache},
            ).logits[:, -1]
            length = length + 1

    def _grown(self, row: _Row, token: int) -> Reply | None:
        """Add a token to a reply; return it where that ends it."""
        sampling = row.request.sampling
        if token not in self._local.ends:
            row.tokens.append(token)
            tail = self._local.decode(row.tokens[-TAIL:])
            stopped = any(stop in tail for stop in sampling.stop)
            if not stopped and len(row.tokens) < sampling.max_tokens:
                return None
            reason = "stop" if stopped else "length"
        else:
            reason = "stop"
        text = self._local.decode(row.tokens)
        cut = min([len(text), *(at for stop in sampling.stop if (at := text.find(stop)) >= 0)])
        return Reply(text[:cut], reason, len(row.prompt), len(row.tokens))

    def _likelihoods(self, pairs: Sequence[tuple[list[int], list[int]]]) -> list[Likelihood]:
        import torch

        longest = max(len(rest) for _, rest in pairs)
        rows = [[*context, *rest] for context, rest in pairs]
        logits = read_rows(self._local, rows, keep=longest + 1).logits
        found = []
        for i, (_, rest) in enumerate(pairs):
            mine = torch.log_softmax(logits[i, -len(rest) - 1 : -1].float(), -1)
            gold = torch.tensor(rest, device=mine.device)
            found.append(Likelihood(float(mine.gather(1, gold[:, None]).double().sum()), len(rest)))
        return found


def _temperature(row: _Row) -> float:
    return row.request.sampling.temperature


def _top_p(row: _Row) -> float:
    return row.request.sampling.top_p
