"""Scoring of choices with what they share computed once: a context, and choices that occur again.

Rows with the same prefix are packed into one: the prefix, then every continuation, which sees the prefix and itself
but not the others (a tree mask), at the positions it would have alone. The last token of the prefix predicts the
first token of every continuation, so a choice of one token costs no row of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from proxy_models.model import Block, Decoder
from proxy_models.requests import RequestSet

_LONGEST_PACK = 256  # tokens: above this the mask costs more than a prefix read again


@dataclass(frozen=True)
class Pack:
    """T tokens to read at once, S to predict.

    tokens, position, branch: (T,); branch 0 is the prefix, c + 1 the continuation c. reads: (S,) place in the pack
    that predicts. targets: (S,) the token predicted. owner: (S,) its continuation. owners: by continuation the
    requests that it answers; more than one where rows are equal.
    """

    tokens: NDArray[np.int64]
    position: NDArray[np.int64]
    branch: NDArray[np.int64]
    reads: NDArray[np.int64]
    targets: NDArray[np.int64]
    owner: NDArray[np.int64]
    owners: list[list[int]]


def batches(lengths: NDArray[np.int64], budget: int) -> list[NDArray[np.int64]]:
    """Rows by falling length, in batches of at most ``budget`` padded tokens (at least one row each)."""
    order = np.argsort(-lengths, kind="stable")
    found, start = [], 0
    while start < len(order):
        stop = start + max(1, budget // max(1, int(lengths[order[start]])))
        found.append(order[start:stop])
        start = stop
    return found


def packs_of(requests: RequestSet) -> list[Pack]:
    """All rows of a set in packs; the rows of a pack share their prefix."""
    prefixes: dict[bytes, dict[bytes, list[int]]] = {}
    for n, owner in enumerate(requests.owner):
        row = requests.tokens[requests.offsets[n] : requests.offsets[n + 1]]
        first = requests.first[n]
        branches = prefixes.setdefault(row[:first].tobytes(), {})
        branches.setdefault(row[first:].tobytes(), []).append(int(owner))
    return [
        _pack(np.frombuffer(prefix, np.uint32), part)
        for prefix, branches in prefixes.items()
        for part in _parts(len(prefix) // 4, branches)
    ]


def _parts(prefix: int, branches: dict[bytes, list[int]]) -> Iterator[list[tuple[NDArray[np.uint32], list[int]]]]:
    """Branches in parts of at most _LONGEST_PACK tokens with their prefix, at least one a part."""
    part: list[tuple[NDArray[np.uint32], list[int]]] = []
    length = prefix
    for text, owners in branches.items():
        tokens = np.frombuffer(text, np.uint32)
        if part and length + len(tokens) - 1 > _LONGEST_PACK:
            yield part
            part, length = [], prefix
        part.append((tokens, owners))
        length += len(tokens) - 1
    yield part


def _pack(prefix: NDArray[np.uint32], branches: list[tuple[NDArray[np.uint32], list[int]]]) -> Pack:
    p = len(prefix)
    tokens, position, branch = [prefix], [np.arange(p)], [np.zeros(p, np.int64)]
    reads, owner, at = [], [], p
    for number, (continuation, _) in enumerate(branches):
        more = len(continuation) - 1  # the last token is only predicted
        tokens.append(continuation[:-1])
        position.append(p + np.arange(more))
        branch.append(np.full(more, number + 1))
        reads.append(np.r_[p - 1, at + np.arange(more)])
        owner.append(np.full(more + 1, number))
        at += more
    return Pack(
        np.concatenate(tokens).astype(np.int64),
        np.concatenate(position),
        np.concatenate(branch),
        np.concatenate(reads),
        np.concatenate([continuation for continuation, _ in branches]).astype(np.int64),
        np.concatenate(owner),
        [owners for _, owners in branches],
    )


@torch.no_grad()
def hidden_of(decoder: Decoder, packs: list[Pack]) -> Tensor:
    """(B, T, width): what the decoder makes of B packs, padded on the right to the longest."""
    longest = max(len(pack.tokens) for pack in packs)
    tokens = np.zeros((len(packs), longest), np.int64)
    position = np.zeros_like(tokens)
    branch = np.full_like(tokens, -1)
    for i, pack in enumerate(packs):
        n = len(pack.tokens)
        tokens[i, :n], position[i, :n], branch[i, :n] = pack.tokens, pack.position, pack.branch
    device = decoder.head.device
    whose = torch.from_numpy(branch).to(device)
    seen = (whose[:, :, None] == whose[:, None, :]) | (whose[:, None, :] == 0)
    seen = (seen & torch.ones(longest, longest, dtype=torch.bool, device=device).tril())[:, None]
    turns = decoder.turns[torch.from_numpy(position).to(device)]
    x = decoder.norm(F.embedding(torch.from_numpy(tokens).to(device), decoder.embed).to(decoder.dtype))
    mask = torch.zeros(seen.shape, dtype=x.dtype, device=device).masked_fill_(~seen, float("-inf"))
    cos, sin = (each[:, None] for each in turns.to(x.dtype).unbind(-1))
    for block in cast("list[Block]", decoder.blocks):
        qkv = block.linear(block.norm(x), block.qkv.to(x.dtype))
        mixed = _attention(qkv.unflatten(-1, (3, block.heads, -1)), cos, sin, mask)
        x = x + block.linear(mixed, block.out.to(x.dtype))
        x = x + block.linear(block.swiglu(block.linear(block.norm(x), block.up.to(x.dtype))), block.down.to(x.dtype))
    return decoder.norm(x)


def _attention(qkv: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
    """As ``model.plain_attention``, with positions and mask of each row. cos, sin: (B, 1, T, head width / 2)."""
    q, k, v = qkv.permute(2, 0, 3, 1, 4)
    pairs = ((x[..., 0::2], x[..., 1::2]) for x in (q, k))
    q, k = (torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2) for a, b in pairs)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=1.0).transpose(1, 2).flatten(2)


@torch.no_grad()
def score_packs(decoder: Decoder, packs: list[Pack], requests: int, budget: int) -> NDArray[np.float64]:
    """(requests,) summed log-probabilities; at most `budget` padded tokens are read at once, one pack at least."""
    head = decoder.head.to(decoder.dtype)
    sums = np.zeros(requests, dtype=np.float64)
    for chosen in batches(np.asarray([len(pack.tokens) for pack in packs]), budget):
        batch = [packs[i] for i in chosen]
        hidden = hidden_of(decoder, batch)
        reads = np.concatenate([pack.reads + i * hidden.shape[1] for i, pack in enumerate(batch)])
        targets = np.concatenate([pack.targets for pack in batch])
        logprob = -_nll(hidden.flatten(0, 1), head, reads, targets, decoder.mm)
        first = np.cumsum([0, *(len(pack.owners) for pack in batch)])
        branch = np.concatenate([pack.owner + at for pack, at in zip(batch, first, strict=False)])
        each = np.bincount(branch, weights=logprob, minlength=first[-1])
        for value, owners in zip(each, (owners for pack in batch for owners in pack.owners), strict=True):
            sums[owners] += value
    return sums


def _nll(
    hidden: Tensor,
    head: Tensor,
    reads: NDArray[np.int64],
    targets: NDArray[np.int64],
    mm: Callable[[Tensor, Tensor], Tensor],
) -> NDArray[np.float64]:
    """-log p of every target; the softmax of a place that predicts several targets is taken once."""
    where, back = np.unique(reads, return_inverse=True)
    once = hidden[torch.from_numpy(where).to(hidden.device)]
    total = log_partition(once, head, mm)
    inverse, gold = torch.from_numpy(back).to(hidden.device), torch.from_numpy(targets).to(hidden.device)
    own = (once[inverse].float() * head[gold].float()).sum(-1)
    return (total[inverse] - own).cpu().numpy().astype(np.float64)


def log_partition(hidden: Tensor, head: Tensor, mm: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Log of the sum of exponentials of every row's logits, (rows,) fp32, in chunks that stay in the cache."""
    rows = max(1, ((1 << 18) if head.device.type == "cpu" else (1 << 27)) // head.shape[0])
    return torch.cat([torch.logsumexp(mm(part, head.T).float(), -1) for part in hidden.split(rows)])
