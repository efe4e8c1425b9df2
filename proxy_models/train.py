"""Train one proxy: a model, a feed and a seed in, a checkpoint folder out; the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from proxy_models.feed import Feed
from proxy_models.going import Going, Kept
from proxy_models.hardware import NumericPlan
from proxy_models.model import Decoder
from proxy_models.optimiser import Optimiser
from proxy_models.resume import Resume, load_state, save_state
from proxy_models.settings import ModelConfig, TrainConfig, chunks_of

LOSSES_KEPT = 50  # points of the training curve


class Diverged(RuntimeError):
    """The loss became infinite or not a number. tokens: how many had been read."""

    def __init__(self, reason: str, tokens: int) -> None:
        super().__init__(reason)
        self.tokens = tokens


@dataclass(frozen=True)
class TrainResult:
    """checkpoint: the folder. losses: (tokens seen, nats per token) along the run. The rest is the plan's."""

    checkpoint: Path
    tokens: int
    losses: tuple[tuple[int, float], ...]
    realised: dict[str, float]
    repetition: dict[str, float]


def checked_chunks(model: ModelConfig, config: TrainConfig, feed: Feed) -> int:
    """Chunks a run reads. Raises ValueError when the feed and the sizes do not fit."""
    chunks = chunks_of(model, config)
    contexts = {array.context for array in feed.arrays.values()}
    if contexts != {model.context}:
        raise ValueError(f"the feed's chunks have context {sorted(contexts)}, the model {model.context}")
    if len(feed.plan) != chunks:
        raise ValueError(f"the feed has {len(feed.plan)} chunks, the run needs {chunks}")
    return chunks


def train(
    model: ModelConfig,
    config: TrainConfig,
    feed: Feed,
    plan: NumericPlan,
    out: Path,
    progress: Callable[[int, float], object] | None = None,
    init_from: Path | None = None,
    resume: Resume | None = None,
) -> TrainResult:
    """Train and write ``model.safetensors``, the snapshots asked for and ``train.json`` into the folder ``out``.

    progress: called with (tokens seen, loss) about ``LOSSES_KEPT`` times. init_from: a checkpoint folder of
    the same model to start from. resume: where the state is kept now and then, and found by a training that goes
    on where a killed one stopped; on a CPU it ends in the same bytes.
    Raises Diverged, and ValueError when the feed and the sizes do not fit.
    """
    chunks = checked_chunks(model, config, feed)
    if plan.device == "cpu":
        torch.set_num_threads(1)  # one process per core; two spinning threads on a busy core are far slower
    per_step = config.batch_tokens // model.context
    steps = chunks // per_step
    decoder = load(init_from, plan, expected=model) if init_from else fresh(model, config.seed, plan)
    run = _name(model, config, feed, plan, decoder) if resume else ""
    if plan.compile:
        decoder.compile()
    at_once = max(1, (config.micro_tokens or config.batch_tokens) // model.context)
    going = Going(decoder, Optimiser(decoder, config.optimiser, steps, plan.torch_dtype), Kept.of(config, steps))
    if resume and (state := load_state(resume.file, run)):
        going.restore(state)
    saved = time.monotonic()
    every = max(1, steps // LOSSES_KEPT)
    for step in range(going.step, steps):
        batch = torch.from_numpy(feed.batch(step * per_step, per_step)).to(plan.device)
        value = _gradients(decoder, batch, at_once)
        if not math.isfinite(value):
            reason = f"loss {value} at step {step + 1} of {steps}: lower lr ({config.optimiser.lr})"
            raise Diverged(reason, (step + 1) * config.batch_tokens)
        going.advance(value)
        if going.step % every == 0:
            going.losses.append((going.step * config.batch_tokens, round(going.total / every, 6)))
            going.total = 0.0
            if progress:
                progress(*going.losses[-1])
        if resume and time.monotonic() - saved >= resume.seconds:
            save_state(resume.file, run, going.state())
            saved = time.monotonic()
    tokens = steps * config.batch_tokens
    result = TrainResult(out, tokens, tuple(going.losses), feed.plan.realised, feed.plan.repetition)
    write_checkpoint(out, going.kept, going.weights(), model, config, plan, result)
    return result


def _gradients(decoder: Decoder, batch: Tensor, at_once: int) -> float:
    """Leave the gradients of the batch's mean loss in the weights, ``at_once`` rows after another; return the loss."""
    if len(batch) <= at_once:
        loss = decoder.loss(batch)
        loss.backward()
        return loss.item()
    total = 0.0
    for part in batch.split(at_once):
        loss = decoder.loss(part) * (len(part) / len(batch))
        loss.backward()
        total += loss.item()
    return total


def _name(model: ModelConfig, config: TrainConfig, feed: Feed, plan: NumericPlan, decoder: Decoder) -> str:
    """Name a run by all that its bytes depend on, so that the state of another one is not taken for its own."""
    order = hashlib.sha256(feed.plan.domain.tobytes() + feed.plan.chunk.tobytes())
    for weight in decoder.parameters():
        order.update(weight.detach().cpu().numpy().tobytes())
    parts = [asdict(model), asdict(config), asdict(plan), feed.plan.names, order.hexdigest()]
    return json.dumps(parts, sort_keys=True)


def fresh(model: ModelConfig, seed: int, plan: NumericPlan) -> Decoder:
    """A decoder with weights drawn from the seed, on the plan's device."""
    decoder = Decoder(model, plan)
    decoder.init(seed)
    return decoder.to(plan.device)


def snapshot_name(share: float) -> str:
    """File of the weights after a share of the steps."""
    return f"snapshot-{share:g}.safetensors"


def write_checkpoint(
    out: Path,
    kept: Kept,
    last: dict[str, Tensor],
    model: ModelConfig,
    config: TrainConfig,
    plan: NumericPlan,
    result: TrainResult,
) -> None:
    """Write a finished training's folder. last: the weights after its last step."""
    out.mkdir(parents=True, exist_ok=True)
    metadata = {"model": json.dumps(asdict(model), sort_keys=True)}
    (out / "model.safetensors").write_bytes(save(kept.final(last), metadata))
    for share, weights in kept.snapshots.items():
        (out / snapshot_name(share)).write_bytes(save(weights, metadata))
    # an option that was not asked for is left out: a later one must not change the record of runs without it
    options = {name for name in ("average", "snapshots", "micro_tokens") if not getattr(config, name)}
    record = {
        "model": asdict(model),
        "config": {name: value for name, value in asdict(config).items() if name not in options},
        "plan": asdict(plan),
        "tokens": result.tokens,
        "losses": result.losses,
        "realised": result.realised,
        "repetition": result.repetition,
    }
    (out / "train.json").write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")


def load(
    checkpoint: Path, plan: NumericPlan, expected: ModelConfig | None = None, name: str = "model.safetensors"
) -> Decoder:
    """The decoder of a checkpoint folder, on the plan's device; name: of its file, another one for a snapshot.

    Raises ValueError when it is another model.
    """
    file = checkpoint / name
    if not file.is_file():
        raise ValueError(f"{checkpoint} holds no {name}")
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
