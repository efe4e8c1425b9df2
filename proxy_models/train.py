"""Train one proxy: a model, a feed and a seed in, a checkpoint folder out; the same bytes every time."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save

from proxy_models.feed import Feed
from proxy_models.hardware import NumericPlan
from proxy_models.model import Decoder, ModelConfig
from proxy_models.optimiser import Optimiser, OptimiserConfig

LOSSES_KEPT = 50  # points of the training curve


class Diverged(RuntimeError):
    """The loss became infinite or not a number."""


@dataclass(frozen=True)
class TrainConfig:
    """tokens: of the whole run, rounded down to whole batches. batch_tokens: of one step, a multiple of the
    context.

    seed: of the first weights (the order of the data has its own seed, in the feed).
    """

    tokens: int
    batch_tokens: int
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    seed: int = 0


@dataclass(frozen=True)
class TrainResult:
    """checkpoint: the folder. losses: (tokens seen, nats per token) along the run. The rest is the plan's."""

    checkpoint: Path
    tokens: int
    losses: tuple[tuple[int, float], ...]
    realised: dict[str, float]
    repetition: dict[str, float]


def chunks_of(model: ModelConfig, config: TrainConfig) -> int:
    """Chunks a run reads: what to ask ``feed.chunk_plan`` for. Raises ValueError when sizes do not fit."""
    if config.batch_tokens < model.context or config.batch_tokens % model.context:
        raise ValueError(f"batch_tokens {config.batch_tokens} must be a multiple of the context {model.context}")
    steps = config.tokens // config.batch_tokens
    if steps < 1:
        raise ValueError(f"tokens {config.tokens} are fewer than one batch of {config.batch_tokens}")
    return steps * config.batch_tokens // model.context


def train(
    model: ModelConfig,
    config: TrainConfig,
    feed: Feed,
    plan: NumericPlan,
    out: Path,
    progress: Callable[[int, float], object] | None = None,
    init_from: Path | None = None,
) -> TrainResult:
    """Train and write ``model.safetensors`` and ``train.json`` into the folder ``out``.

    progress: called with (tokens seen, loss) about ``LOSSES_KEPT`` times. init_from: a checkpoint folder of
    the same model to start from. Raises Diverged, and ValueError when the feed and the sizes do not fit.
    """
    chunks = chunks_of(model, config)
    contexts = {array.context for array in feed.arrays.values()}
    if contexts != {model.context}:
        raise ValueError(f"the feed's chunks have context {sorted(contexts)}, the model {model.context}")
    if len(feed.plan) != chunks:
        raise ValueError(f"the feed has {len(feed.plan)} chunks, the run needs {chunks}")
    if plan.device == "cpu":
        torch.set_num_threads(1)  # one process per core; two spinning threads on a busy core are far slower
    per_step = config.batch_tokens // model.context
    steps = chunks // per_step
    decoder = load(init_from, plan, expected=model) if init_from else fresh(model, config.seed, plan)
    if plan.compile:
        decoder.compile()
    optimiser = Optimiser(decoder, config.optimiser, steps, plan.torch_dtype)
    every = max(1, steps // LOSSES_KEPT)
    losses: list[tuple[int, float]] = []
    total = 0.0
    for step in range(steps):
        batch = torch.from_numpy(feed.batch(step * per_step, per_step)).to(plan.device)
        loss = decoder.loss(batch)
        loss.backward()
        value = loss.item()
        if not math.isfinite(value):
            raise Diverged(f"loss {value} at step {step + 1} of {steps}: lower lr ({config.optimiser.lr})")
        optimiser.step()
        total += value
        if (step + 1) % every == 0:
            losses.append(((step + 1) * config.batch_tokens, round(total / every, 6)))
            total = 0.0
            if progress:
                progress(*losses[-1])
    result = TrainResult(out, steps * config.batch_tokens, tuple(losses), feed.plan.realised, feed.plan.repetition)
    _write(out, decoder, model, config, plan, result)
    return result


def fresh(model: ModelConfig, seed: int, plan: NumericPlan) -> Decoder:
    """A decoder with weights drawn from the seed, on the plan's device."""
    decoder = Decoder(model, plan)
    decoder.init(seed)
    return decoder.to(plan.device)


def _write(
    out: Path,
    decoder: Decoder,
    model: ModelConfig,
    config: TrainConfig,
    plan: NumericPlan,
    result: TrainResult,
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    weights = {name: weight.detach().cpu().contiguous() for name, weight in decoder.named_parameters()}
    metadata = {"model": json.dumps(asdict(model), sort_keys=True)}
    (out / "model.safetensors").write_bytes(save(weights, metadata))
    record = {
        "model": asdict(model),
        "config": asdict(config),
        "plan": asdict(plan),
        "tokens": result.tokens,
        "losses": result.losses,
        "realised": result.realised,
        "repetition": result.repetition,
    }
    (out / "train.json").write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")


def load(checkpoint: Path, plan: NumericPlan, expected: ModelConfig | None = None) -> Decoder:
    """The decoder of a checkpoint folder, on the plan's device. Raises ValueError when it is another one."""
    file = checkpoint / "model.safetensors"
    if not file.is_file():
        raise ValueError(f"{checkpoint} holds no model.safetensors")
    with safe_open(file, framework="pt") as opened:
        metadata = opened.metadata() or {}
    if "model" not in metadata:
        raise ValueError(f"{file} does not say which model it holds")
    config = ModelConfig(**json.loads(metadata["model"]))
    if expected is not None and config != expected:
        raise ValueError(f"{file} holds {config}, expected {expected}")
    decoder = Decoder(config, plan)
    decoder.load_state_dict(load_file(file))
    return decoder.to(plan.device)
