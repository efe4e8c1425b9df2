"""The head and its cross-entropy, fused and in chunks, so that the logits never exist all at once.

At the widths of proxies the head is most of the work: (tokens x vocabulary) logits, written and read several
times. Here a chunk of rows small enough for the cache goes through logits, softmax and both gradients before
the next chunk starts (the idea of Liger Kernel's fused linear cross-entropy, arXiv:2410.10989, in plain
torch calls).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

# Logits of a chunk, so that on a CPU they stay in the cache.
_TRAIN_BYTES, _SCORE_BYTES, GPU_BYTES = 2 << 20, 1 << 20, 1 << 29


def _rows_per_chunk(weight: Tensor, bytes_on_cpu: int, bytes_each: int) -> int:
    most = bytes_on_cpu if weight.device.type == "cpu" else GPU_BYTES
    return max(1, most // (bytes_each * weight.shape[0]))


class _MeanNll(torch.autograd.Function):
    """Mean over rows of -log softmax(hidden @ weight.T)[target]; forward also makes the gradients."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, mm: Callable[..., Tensor]) -> Tensor:
        rows = min(hidden.shape[0], _rows_per_chunk(weight, _TRAIN_BYTES, weight.element_size()))
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        hidden_grad = torch.empty_like(hidden)
        weight_grad = torch.zeros(weight.shape, dtype=torch.float32, device=weight.device)
        logits, probabilities = hidden.new_empty(2, rows, weight.shape[0])
        product = torch.empty_like(weight)
        for start in range(0, hidden.shape[0], rows):
            h, t = hidden[start : start + rows], targets[start : start + rows]
            row = torch.arange(h.shape[0], device=h.device)
            mm(h, weight.T, out=logits[: h.shape[0]])
            p = probabilities[: h.shape[0]]
            torch.softmax(logits[: h.shape[0]], dim=-1, out=p)  # torch accumulates in fp32 also when the type is bf16
            gold = p[row, t]
            total -= gold.float().log().sum()
            p.index_put_((row, t), gold - 1)  # p is now the gradient of the logits; scatter_ would copy all of it
            mm(p, weight, out=hidden_grad[start : start + rows])
            weight_grad += mm(p.T, h, out=product)
        count = hidden.shape[0]
        ctx.save_for_backward(hidden_grad, weight_grad)
        ctx.count = count
        return total / count

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        hidden_grad, weight_grad = ctx.saved_tensors
        scale = grads[0] / ctx.count
        return hidden_grad * scale.to(hidden_grad.dtype), (weight_grad * scale).to(hidden_grad.dtype), None, None


def mean_nll(hidden: Tensor, weight: Tensor, targets: Tensor, mm: Callable[..., Tensor] = torch.mm) -> Tensor:
    """Mean negative log-likelihood in nats, fp32 scalar.

    hidden: (rows, width). weight: (vocabulary, width), same type. targets: (rows,) int64.
    mm: what multiplies matrices, as ``torch.mm``.
    """
    return _MeanNll.apply(hidden, weight, targets, mm)  # type: ignore[no-any-return]


@torch.no_grad()
def token_nll(hidden: Tensor, weight: Tensor, targets: Tensor, mm: Callable[..., Tensor] = torch.mm) -> Tensor:
    """Negative log-likelihood of every row in nats, (rows,) fp32; shapes as in ``mean_nll``, no gradient.

    The log-softmax and the target's own logit are fp32, so in bf16 only the other logits carry rounding,
    which averages out in their sum.
    """
    rows = _rows_per_chunk(weight, _SCORE_BYTES, 4)  # the logits end in fp32
    out = torch.empty(hidden.shape[0], dtype=torch.float32, device=hidden.device)
    for start in range(0, hidden.shape[0], rows):
        h, t = hidden[start : start + rows], targets[start : start + rows]
        logits = mm(h, weight.T).float()
        gold = (h.float() * weight[t].float()).sum(-1)
        top = logits.amax(-1, keepdim=True)
        out[start : start + rows] = logits.sub_(top).exp_().sum(-1).log_() + (top[:, 0] - gold)
    return out
