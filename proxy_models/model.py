"""A decoder on one screen: RMSNorm, rotary positions, SwiGLU, no biases, untied embeddings."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from proxy_models import blas, kernels
from proxy_models.hardware import NumericPlan
from proxy_models.loss import mean_nll
from proxy_models.settings import ModelConfig


def plain_rms_norm(x: Tensor) -> Tensor:
    """x over its root mean square; no gain, because the matrix that follows can learn it."""
    return F.rms_norm(x, (x.shape[-1],), eps=1e-12)


def plain_swiglu(x: Tensor) -> Tensor:
    gate, value = x.chunk(2, dim=-1)
    return F.silu(gate) * value


def plain_attention(qkv: Tensor, turns: Tensor, mask: Tensor, fused: bool = True) -> Tensor:
    """As ``kernels.attention``; fused leaves the scores and the mask to torch."""
    cos, sin = turns.to(qkv.dtype).unbind(-1)
    q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (batch, heads, time, head width)
    pairs = ((x[..., 0::2], x[..., 1::2]) for x in (q, k))
    q, k = (torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2) for a, b in pairs)
    if fused:
        x = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=1.0)
    else:
        x = torch.matmul(torch.softmax(torch.matmul(q, k.mT) + mask, -1), v)
    return x.transpose(1, 2).flatten(2)


def rotary_turns(context: int, head_width: int) -> Tensor:
    """Rotary positions (RoPE, arXiv:2104.09864): (context, head width / 2, 2), cosine and sine of every
    position and pair of neighbours.

    Their length is head_width^(-1/4), so that queries times keys come out divided by sqrt(head width).
    """
    half = head_width // 2
    angles = torch.outer(torch.arange(context), 10_000.0 ** (-torch.arange(half) / half))
    return torch.stack((angles.cos(), angles.sin()), -1) * head_width**-0.25


class Block(nn.Module):
    """Attention, then feed-forward; each reads the normed stream and adds to it."""

    def __init__(self, config: ModelConfig, plan: NumericPlan) -> None:
        super().__init__()
        d, ff = config.width, config.ff
        self.heads = config.heads
        self.norm = kernels.rms_norm if plan.by_hand else plain_rms_norm
        self.swiglu = kernels.swiglu if plan.by_hand else plain_swiglu
        self.linear = blas.linear if plan.numpy_blas else F.linear
        self.trained_attention = partial(plain_attention, fused=plan.attention == "sdpa")
        if plan.by_hand and plan.attention == "manual":
            self.trained_attention = kernels.attention
        self.qkv = nn.Parameter(torch.empty(3 * d, d))
        self.out = nn.Parameter(torch.empty(d, d))
        self.up = nn.Parameter(torch.empty(2 * ff, d))  # gate and value of SwiGLU
        self.down = nn.Parameter(torch.empty(d, ff))

    def forward(self, x: Tensor, turns: Tensor, mask: Tensor) -> Tensor:
        b, t, d = x.shape
        qkv = self.linear(self.norm(x), self.qkv.to(x.dtype)).view(b, t, 3, self.heads, d // self.heads)
        # Fused attention is 3x faster forwards also where its backward is the slower one.
        attention = self.trained_attention if torch.is_grad_enabled() else plain_attention
        x = x + self.linear(attention(qkv, turns, mask), self.out.to(x.dtype))
        return x + self.linear(self.swiglu(self.linear(self.norm(x), self.up.to(x.dtype))), self.down.to(x.dtype))


class Decoder(nn.Module):
    """Tokens in, hidden states or mean loss out. Master weights are fp32, cast inside the forward pass."""

    turns: Tensor
    mask: Tensor

    def __init__(self, config: ModelConfig, plan: NumericPlan) -> None:
        super().__init__()
        self.config, self.dtype = config, plan.torch_dtype
        self.norm = kernels.rms_norm if plan.by_hand else plain_rms_norm
        self.mm = blas.mm if plan.numpy_blas else torch.mm
        self.embed = nn.Parameter(torch.empty(config.vocab_size, config.width))
        self.blocks = nn.ModuleList(Block(config, plan) for _ in range(config.layers))
        self.head = nn.Parameter(torch.empty(config.vocab_size, config.width))
        mask = torch.full((config.context, config.context), float("-inf"), dtype=self.dtype).triu(1)
        turns = rotary_turns(config.context, config.width // config.heads)
        self.register_buffer("turns", turns, persistent=False)
        self.register_buffer("mask", mask, persistent=False)

    def init(self, seed: int) -> None:
        """Matrices uniform of variance 1/fan-in, 0 where they write to the stream, the head small."""
        draw = torch.Generator().manual_seed(seed)
        for name, weight in self.named_parameters():
            with torch.no_grad():
                if name == "embed":
                    weight.copy_(torch.randn(weight.shape, generator=draw))
                elif name == "head":
                    weight.copy_(torch.randn(weight.shape, generator=draw) * 0.02)
                elif name.endswith(("out", "down")):
                    weight.zero_()
                else:
                    bound = (3.0 / weight.shape[1]) ** 0.5
                    weight.copy_((torch.rand(weight.shape, generator=draw) * 2 - 1) * bound)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: (batch, time) int64, time at most the context. Returns normed (batch, time, width)."""
        t = tokens.shape[1]
        turns, mask = self.turns[:t], self.mask[:t, :t]
        x = self.norm(F.embedding(tokens, self.embed).to(self.dtype))  # fp32 table: its gradient sums repeats
        for block in self.blocks:
            x = block(x, turns, mask)
        return self.norm(x)

    def loss(self, tokens: Tensor) -> Tensor:
        """tokens: (batch, time + 1). Mean nats per token of predicting each token from those before it."""
        hidden = self(tokens[:, :-1])
        return mean_nll(hidden.flatten(0, 1), self.head.to(hidden.dtype), tokens[:, 1:].flatten(), self.mm)
