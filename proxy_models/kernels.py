"""Three pieces of the decoder with their backward passes written out, for CPUs.

At a width of 64 a layer is dozens of tiny elementwise passes, and autograd doubles them with zero-fills,
slices and copies. Written by hand each piece touches its tensors once, writes gradients where they belong
and gains what a compiler would, without its half minute of cold compilation. ``model.py`` holds the plain
versions; tests hold the two together.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


class _RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        inverse = (x.shape[-1] ** 0.5 / norm.clamp_min(1e-6)).to(x.dtype)
        y = x * inverse
        ctx.save_for_backward(y, inverse)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (grad,), (y, inverse) = grads, ctx.saved_tensors
        along = (grad * y).mean(-1, keepdim=True)
        return torch.addcmul(grad, y, along, value=-1).mul_(inverse)


class _SwiGlu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        gate, value = x.chunk(2, dim=-1)
        active = F.silu(gate)
        ctx.save_for_backward(x, active)
        return active * value

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (grad,), (x, active) = grads, ctx.saved_tensors
        gate, value = x.chunk(2, dim=-1)
        out = torch.empty_like(x)
        gate_grad, value_grad = out.chunk(2, dim=-1)
        torch.mul(grad, active, out=value_grad)
        torch.ops.aten.silu_backward.grad_input(grad * value, gate, grad_input=gate_grad)
        return out


def _rotate(x: Tensor, turns: Tensor, back: bool = False) -> Tensor:
    """Turn every pair of neighbours in x (batch, time, 2, heads, head width), any layout, by ``turns``
    (time, head width / 2, 2), as complex products; fp32 out. back: by the opposite angle."""
    b, t, n, h, w = x.shape
    fresh = torch.empty(b, t, n, h, w, dtype=torch.float32).copy_(x)
    pairs = torch.view_as_complex(fresh.view(b, t, n * h, w // 2, 2))
    by = torch.view_as_complex(turns)[:, None]
    return torch.view_as_real(pairs.mul_(by.conj() if back else by)).view(b, t, n, h, w)


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, qkv: Tensor, turns: Tensor, mask: Tensor) -> Tensor:
        b, t, _, h, w = qkv.shape
        q, k, v = packed = torch.empty(3, b * h, t, w, dtype=qkv.dtype)
        by_time = packed.view(3, b, h, t, w).permute(1, 3, 0, 2, 4)  # the same memory, seen as qkv
        by_time[:, :, :2].copy_(_rotate(qkv[:, :, :2], turns))
        by_time[:, :, 2].copy_(qkv[:, :, 2])
        p = torch.softmax(torch.baddbmm(mask, q, k.transpose(1, 2)), -1)
        ctx.save_for_backward(packed, p, turns)
        return torch.bmm(p, v).view(b, h, t, w).transpose(1, 2).reshape(b, t, h * w)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        packed, p, turns = ctx.saved_tensors
        q, k, v = packed
        (b, t, _), (bh, _, w) = grads[0].shape, q.shape
        h = bh // b
        grad = grads[0].view(b, t, h, w).transpose(1, 2).reshape(bh, t, w)
        scores_grad = torch.ops.aten._softmax_backward_data(torch.bmm(grad, v.transpose(1, 2)), p, -1, p.dtype)
        q_grad, k_grad, v_grad = packed_grad = torch.empty_like(packed)
        torch.bmm(scores_grad, k, out=q_grad)
        torch.bmm(scores_grad.transpose(1, 2), q, out=k_grad)
        torch.bmm(p.transpose(1, 2), grad, out=v_grad)
        by_time = packed_grad.view(3, b, h, t, w).permute(1, 3, 0, 2, 4)
        out = torch.empty(b, t, 3, h, w, dtype=p.dtype)
        out[:, :, :2].copy_(_rotate(by_time[:, :, :2], turns, back=True))
        out[:, :, 2].copy_(by_time[:, :, 2])
        return out, None, None


def rms_norm(x: Tensor) -> Tensor:
    """x over its root mean square along the last axis."""
    return _RmsNorm.apply(x)  # type: ignore[no-any-return]


def swiglu(x: Tensor) -> Tensor:
    """silu(first half) * second half, along the last axis."""
    return _SwiGlu.apply(x)  # type: ignore[no-any-return]


def attention(qkv: Tensor, turns: Tensor, mask: Tensor) -> Tensor:
    """Causal attention with rotary positions.

    qkv: (batch, time, 3, heads, head width). turns: (time, head width / 2, 2), see
    ``model.rotary_turns``.
    mask: (time, time), 0 or -inf. Returns (batch, time, heads * head width).
    """
    return _Attention.apply(qkv, turns, mask)  # type: ignore[no-any-return]
