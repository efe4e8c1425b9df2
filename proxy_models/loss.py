"""The head and its cross-entropy, fused and in chunks, so that the logits never exist all at once.

At the widths of proxies the head is most of the work: (tokens x vocabulary) logits, written and read several
times. Here a chunk of rows small enough for the cache goes through logits, softmax and both gradients before
the next chunk starts (the idea of Liger Kernel's fused linear cross-entropy, arXiv:2410.10989, in plain
torch calls).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

# Logits of a chunk on a CPU: 2 MB of bf16 in training, 1 MB of fp32 in scoring, so that they stay in the
# cache.
_TRAIN_ELEMENTS, _SCORE_ELEMENTS, _GPU_ELEMENTS = 1 << 20, 1 << 18, 1 << 27


def _rows_per_chunk(weight: Tensor, elements: int) -> int:
    return max(1, (elements if weight.device.type == "cpu" else _GPU_ELEMENTS) // weight.shape[0])


class _MeanNll(torch.autograd.Function):
    """Mean over rows of -log softmax(hidden @ weight.T)[target]; forward also makes the gradients."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        rows = _rows_per_chunk(weight, _TRAIN_ELEMENTS)
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        hidden_grad = torch.empty_like(hidden)
        weight_grad = torch.zeros(weight.shape, dtype=torch.float32, device=weight.device)
        for start in range(0, hidden.shape[0], rows):
            h, t = hidden[start : start + rows], targets[start : start + rows]
            row = torch.arange(h.shape[0], device=h.device)
            p = torch.softmax(h @ weight.T, dim=-1)  # torch accumulates in fp32 also when the type is bf16
            gold = p[row, t]
            total -= gold.float().log().sum()
            p.index_put_((row, t), gold - 1)  # p is now the gradient of the logits; scatter_ would copy all of it
            torch.mm(p, weight, out=hidden_grad[start : start + rows])
            weight_grad += p.T @ h
        count = hidden.shape[0]
        ctx.save_for_backward(hidden_grad, weight_grad)
        ctx.count = count
        return total / count

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        hidden_grad, weight_grad = ctx.saved_tensors
        scale = grads[0] / ctx.count
        return hidden_grad * scale.to(hidden_grad.dtype), (weight_grad * scale).to(hidden_grad.dtype), None


def mean_nll(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Mean negative log-likelihood in nats, fp32 scalar.

    hidden: (rows, width). weight: (vocabulary, width), same type. targets: (rows,) int64.
    """
    return _MeanNll.apply(hidden, weight, targets)  # type: ignore[no-any-return]


@torch.no_grad()
def token_nll(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Negative log-likelihood of every row in nats, (rows,) fp32; shapes as in ``mean_nll``, no gradient.

    The log-softmax and the target's own logit are fp32, so in bf16 only the other logits carry rounding,
    which averages out in their sum.
    """
    rows = _rows_per_chunk(weight, _SCORE_ELEMENTS)
    out = torch.empty(hidden.shape[0], dtype=torch.float32, device=hidden.device)
    for start in range(0, hidden.shape[0], rows):
        h, t = hidden[start : start + rows], targets[start : start + rows]
        logits = (h @ weight.T).float()
        gold = (h.float() * weight[t].float()).sum(-1)
        top = logits.amax(-1, keepdim=True)
        out[start : start + rows] = logits.sub_(top).exp_().sum(-1).log_() + (top[:, 0] - gold)
    return out
