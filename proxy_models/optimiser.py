"""Optimisers and schedules.

Matrices inside the layers take AdamW or Muon; embedding and head always take AdamW with a rate of their own,
because their gradients are sparse and their best rate does not scale with the width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from proxy_models.settings import OptimiserConfig


def rate(schedule: str, warmup: float, step: int, steps: int) -> float:
    """Factor on the peak rate at ``step`` of 0 .. steps - 1: linear warm-up, then the schedule; in (0, 1]."""
    warm = math.ceil(warmup * steps)
    if step < warm:
        return (step + 1) / (warm + 1)
    done = (step - warm) / max(1, steps - warm)
    if schedule == "constant":
        return 1.0
    return 1.0 - done if schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * done))


class Muon(torch.optim.Optimizer):
    """Nesterov momentum whose direction is made orthogonal by five Newton-Schulz steps.

    Keller Jordan et al., 2024 (kellerjordan.github.io/posts/muon); coefficients from there, and the update
    is scaled by sqrt(max(1, rows / columns)) as there. Departure: matrices of one shape are stacked, so a
    step is a few batched products, and the products are in ``dtype`` (fp32 where bf16 has no unit).
    """

    def __init__(self, matrices: Sequence[Tensor], lr: float, dtype: torch.dtype, momentum: float = 0.95) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "dtype": dtype})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            shapes: dict[torch.Size, list[Tensor]] = {}
            for weight in group["params"]:
                shapes.setdefault(weight.shape, []).append(weight)
            for weights in shapes.values():
                grads = torch.stack([weight.grad for weight in weights if weight.grad is not None])
                state = self.state[weights[0]]
                mean = state.setdefault("mean", torch.zeros_like(grads))
                mean.lerp_(grads, 1 - group["momentum"])
                update = orthogonal(grads.lerp(mean, group["momentum"]), group["dtype"])
                scale = max(1.0, update.shape[-2] / update.shape[-1]) ** 0.5
                for weight, delta in zip(weights, update, strict=True):
                    weight.add_(delta, alpha=-group["lr"] * scale)


def orthogonal(matrices: Tensor, dtype: torch.dtype) -> Tensor:
    """Replace the singular values of (count, rows, columns) matrices by values near 1; fp32 out."""
    x = matrices / matrices.norm(dim=(-2, -1), keepdim=True).clamp_min(1e-7)
    x = x.to(dtype)
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    for _ in range(5):
        gram = x @ x.mT
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return (x.mT if tall else x).float()


@torch.no_grad()
def clip_each(weights: Sequence[Tensor], most: float) -> None:
    """Scale the gradients of weights (K, ...) so that no model's norm over all of them exceeds `most`."""
    grads = [weight.grad for weight in weights if weight.grad is not None]
    norms = torch.stack([torch.linalg.vector_norm(grad.flatten(1), dim=1) for grad in grads]).norm(dim=0)
    scale = (most / (norms + 1e-6)).clamp(max=1.0)  # as torch.nn.utils.clip_grad_norm_
    for grad in grads:
        grad.mul_(scale.view(-1, *[1] * (grad.dim() - 1)))


class Optimiser:
    """The optimisers of one model, stepped together under one schedule.

    stacked: every weight has a leading model axis, and each model's gradients are clipped by their own norm.
    """

    def __init__(
        self, model: nn.Module, config: OptimiserConfig, steps: int, dtype: torch.dtype, stacked: bool = False
    ) -> None:
        self.config, self.steps, self.done, self.stacked = config, steps, 0, stacked
        tables = [p for name, p in model.named_parameters() if name in ("embed", "head")]
        matrices = [p for name, p in model.named_parameters() if name not in ("embed", "head")]
        self.weights = [*tables, *matrices]
        groups = [{"params": tables, "lr": config.embedding_lr}]
        self.parts: list[torch.optim.Optimizer] = []
        if config.name == "muon":
            self.parts.append(Muon(matrices, config.lr, dtype))
        else:
            groups.append({"params": matrices, "lr": config.lr})
        adamw = torch.optim.AdamW(groups, betas=(0.9, 0.95), weight_decay=config.weight_decay, fused=True)
        self.parts.append(adamw)
        self.peaks = [[group["lr"] for group in part.param_groups] for part in self.parts]

    def step(self) -> None:
        """Clip, set the rates, move the weights, drop the gradients."""
        factor = rate(self.config.schedule, self.config.warmup, self.done, self.steps)
        if self.stacked:
            clip_each(self.weights, self.config.clip)
        else:
            torch.nn.utils.clip_grad_norm_(self.weights, self.config.clip, foreach=True)
        for part, peaks in zip(self.parts, self.peaks, strict=True):
            for group, peak in zip(part.param_groups, peaks, strict=True):
                group["lr"] = peak * factor
            part.step()
            part.zero_grad()
        self.done += 1

    def state(self) -> dict[str, Any]:
        """What a training that goes on needs; tensors are the optimiser's own."""
        return {"done": self.done, "parts": [part.state_dict() for part in self.parts]}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        self.done = state["done"]
        for part, saved in zip(self.parts, state["parts"], strict=True):
            part.load_state_dict(saved)
