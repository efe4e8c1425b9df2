"""Many proxies of one shape trained at once: a leading model axis on every weight, batched products in every layer.

A proxy of a million parameters leaves a GPU idle between its small kernels. Stacked, one kernel serves all of them.
Nothing is shared between the models but the schedule: weights, data, gradient norms and losses are each one's own, so
a stacked proxy equals the same one trained alone within rounding, and one that diverges leaves the others as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from proxy_models.feed import Feed
from proxy_models.going import Kept
from proxy_models.hardware import NumericPlan
from proxy_models.loss import GPU_BYTES
from proxy_models.model import Block, Decoder, plain_attention, plain_rms_norm, plain_swiglu
from proxy_models.optimiser import Optimiser
from proxy_models.settings import ModelConfig, TrainConfig
from proxy_models.train import LOSSES_KEPT, Diverged, TrainResult, checked_chunks, fresh, write_checkpoint


def _linear(x: Tensor, weight: Tensor) -> Tensor:
    """(K, N, inputs) times (K, outputs, inputs) transposed."""
    return torch.bmm(x, weight.to(x.dtype).mT)


def _stacked(weights: Sequence[Tensor]) -> nn.Parameter:
    return nn.Parameter(torch.stack([weight.detach() for weight in weights]))


class _StackedBlock(nn.Module):
    def __init__(self, blocks: Sequence[Block], fused: bool) -> None:
        super().__init__()
        self.heads, self.fused = blocks[0].heads, fused
        self.qkv = _stacked([block.qkv for block in blocks])
        self.out = _stacked([block.out for block in blocks])
        self.up = _stacked([block.up for block in blocks])
        self.down = _stacked([block.down for block in blocks])

    def forward(self, x: Tensor, rows: int, turns: Tensor, mask: Tensor) -> Tensor:
        """x: (K, rows * time, width)."""
        k, n, d = x.shape
        qkv = _linear(plain_rms_norm(x), self.qkv).view(k * rows, n // rows, 3, self.heads, d // self.heads)
        x = x + _linear(plain_attention(qkv, turns, mask, self.fused).view(k, n, d), self.out)
        return x + _linear(plain_swiglu(_linear(plain_rms_norm(x), self.up)), self.down)


class Stack(nn.Module):
    """K decoders of one configuration; parameters have a Decoder's names and a leading model axis."""

    turns: Tensor
    mask: Tensor

    def __init__(self, decoders: Sequence[Decoder], plan: NumericPlan) -> None:
        super().__init__()
        self.config, self.dtype = decoders[0].config, plan.torch_dtype
        self.embed = _stacked([each.embed for each in decoders])
        layers = zip(*(each.blocks for each in decoders), strict=True)
        self.blocks = nn.ModuleList(_StackedBlock(blocks, plan.attention == "sdpa") for blocks in layers)  # type: ignore[arg-type]
        self.head = _stacked([each.head for each in decoders])
        self.register_buffer("turns", decoders[0].turns, persistent=False)
        self.register_buffer("mask", decoders[0].mask, persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: (K, rows, time) int64. Returns normed (K, rows * time, width)."""
        k, rows, t = tokens.shape
        turns, mask = self.turns[:t], self.mask[:t, :t]
        own = torch.arange(k, device=tokens.device)[:, None, None] * self.config.vocab_size
        x = F.embedding(tokens + own, self.embed.flatten(0, 1))
        x = plain_rms_norm(x.to(self.dtype)).flatten(1, 2)
        for block in self.blocks:
            x = block(x, rows, turns, mask)
        return plain_rms_norm(x)

    def losses(self, tokens: Tensor) -> Tensor:
        """tokens: (K, rows, time + 1). Mean nats per token of every model, (K,) fp32."""
        hidden = self(tokens[..., :-1])
        return _StackedNll.apply(hidden, self.head.to(hidden.dtype), tokens[..., 1:].flatten(1))  # type: ignore[no-any-return]

    def weights_of(self, model: int) -> dict[str, Tensor]:
        """The weights of one model, as a Decoder has them."""
        return {name: weight[model] for name, weight in self.named_parameters()}


class _StackedNll(torch.autograd.Function):
    """As `loss.mean_nll` for every model: hidden (K, N, width), weight (K, vocabulary, width), targets (K, N)."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        k, count, _ = hidden.shape
        rows = max(1, GPU_BYTES // (k * weight.shape[1] * weight.element_size()))
        total = torch.zeros(k, dtype=torch.float32, device=hidden.device)
        hidden_grad, weight_grad = torch.empty_like(hidden), torch.zeros_like(weight, dtype=torch.float32)
        for start in range(0, count, rows):
            h, t = hidden[:, start : start + rows], targets[:, start : start + rows, None]
            p = torch.softmax(torch.bmm(h, weight.mT), dim=-1)
            gold = p.gather(-1, t)
            total -= gold.float().log().sum((1, 2))
            p.scatter_(-1, t, gold - 1)  # p is now the gradient of the logits
            hidden_grad[:, start : start + rows] = torch.bmm(p, weight)
            weight_grad += torch.bmm(p.mT, h)
        ctx.save_for_backward(hidden_grad, weight_grad)
        ctx.count = count
        return total / count

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        hidden_grad, weight_grad = ctx.saved_tensors
        scale = (grads[0] / ctx.count)[:, None, None]
        return hidden_grad * scale.to(hidden_grad.dtype), (weight_grad * scale).to(hidden_grad.dtype), None


def train_stack(
    model: ModelConfig,
    configs: Sequence[TrainConfig],
    feeds: Sequence[Feed],
    plan: NumericPlan,
    outs: Sequence[Path],
    progress: Callable[[int, list[float]], object] | None = None,
) -> list[TrainResult | Diverged]:
    """Train the proxies of `configs`, which may differ in their seeds only, together; write each as `train` does.

    progress: called with (tokens seen by each, losses) about ``LOSSES_KEPT`` times. A proxy whose loss is no number
    comes back as Diverged, found when a loss is next kept, and writes nothing. Departure from `train`: no state is
    kept on the way. Raises ValueError where configs, feeds and sizes do not fit.
    """
    first = configs[0]
    if any(replace(config, seed=first.seed) != first for config in configs):
        raise ValueError("stacked proxies may differ in their seeds only")
    if plan.device == "cpu":
        torch.set_num_threads(1)
    (chunks,) = {checked_chunks(model, first, feed) for feed in feeds}
    per_step = first.batch_tokens // model.context
    steps = chunks // per_step
    stack = Stack([fresh(model, config.seed, plan) for config in configs], plan).to(plan.device)
    if plan.compile:
        stack.compile()
    optimiser = Optimiser(stack, first.optimiser, steps, plan.torch_dtype, stacked=True)
    kept = Kept.of(first, steps)
    at_once = max(1, (first.micro_tokens or first.batch_tokens) // model.context)
    every = max(1, steps // LOSSES_KEPT)
    total = torch.zeros(len(configs), device=plan.device)
    losses: list[list[tuple[int, float]]] = [[] for _ in configs]
    failed: dict[int, Diverged] = {}
    for step in range(steps):
        batch = torch.from_numpy(np.stack([feed.batch(step * per_step, per_step) for feed in feeds])).to(plan.device)
        for part in batch.split(at_once, dim=1):
            each = stack.losses(part) * (part.shape[1] / per_step)
            each.sum().backward()
            total += each.detach()
        optimiser.step()
        kept.see(step + 1, stack)
        if (step + 1) % every == 0 or step + 1 == steps:
            tokens, values = (step + 1) * first.batch_tokens, (total / every).tolist()
            total.zero_()
            for i, value in enumerate(values):
                if not math.isfinite(value):
                    reason = f"loss {value} by step {step + 1} of {steps}: lower lr ({first.optimiser.lr})"
                    failed.setdefault(i, Diverged(reason, tokens))
                elif (step + 1) % every == 0:
                    losses[i].append((tokens, round(value, 6)))
            if len(failed) == len(configs):
                break
            if progress:
                progress(tokens, values)
    found: list[TrainResult | Diverged] = []
    for i, (config, feed, out) in enumerate(zip(configs, feeds, outs, strict=True)):
        if i in failed:
            found.append(failed[i])
            continue
        result = TrainResult(
            out, steps * config.batch_tokens, tuple(losses[i]), feed.plan.realised, feed.plan.repetition
        )
        own = replace(
            kept,
            snapshots={share: _of(weights, i) for share, weights in kept.snapshots.items()},
            mean=_of(kept.mean, i),
        )
        write_checkpoint(out, own, {n: w.detach() for n, w in stack.weights_of(i).items()}, model, config, plan, result)
        found.append(result)
    return found


def _of(weights: dict[str, Tensor], model: int) -> dict[str, Tensor]:
    """One model's part of stacked weights."""
    return {name: weight[model].contiguous() for name, weight in weights.items()}
