"""Score request sets with a checkpoint: sums of log-probabilities, from which every metric follows without
the model.

Rows of all sets are sorted by length and batched with little padding; the model is causal, so what pads a
row on its right changes nothing. The head runs on scored positions only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from proxy_models.hardware import NumericPlan
from proxy_models.loss import token_nll
from proxy_models.model import Decoder
from proxy_models.requests import RequestSet
from proxy_models.train import load

_CPU_BATCH_TOKENS = 4096
_GPU_BATCH_TOKENS = 1 << 18


@dataclass(frozen=True)
class Scores:
    """logprob: (R,) sum of the continuation's natural log-probabilities, at most 0. tokens: (R,) how many."""

    logprob: NDArray[np.float64]
    tokens: NDArray[np.int64]


def score(checkpoint: Path, sets: Sequence[RequestSet], plan: NumericPlan) -> list[Scores]:
    """Scores of every set, in order. Raises ValueError when one does not fit the model."""
    decoder = load(checkpoint, replace(plan, compile=False))  # every batch has a shape of its own
    for requests in sets:
        if requests.context > decoder.config.context or requests.vocab_size > decoder.config.vocab_size:
            raise ValueError(
                f"requests for context {requests.context} and vocabulary {requests.vocab_size} do not fit "
                f"the model's context {decoder.config.context} and vocabulary {decoder.config.vocab_size}"
            )
    if plan.device == "cpu":
        torch.set_num_threads(1)
    return [score_set(decoder, requests) for requests in sets]


@torch.no_grad()
def score_set(decoder: Decoder, requests: RequestSet) -> Scores:
    """Scores of one set with a model already loaded."""
    device = decoder.head.device
    head = decoder.head.to(decoder.dtype)
    lengths = np.diff(requests.offsets) - 1  # what the model reads; the last token is only predicted
    sums = np.zeros(len(requests), dtype=np.float64)
    budget = _CPU_BATCH_TOKENS if device.type == "cpu" else _GPU_BATCH_TOKENS
    for rows in _batches(lengths, budget):
        longest = int(lengths[rows].max())
        column = np.arange(longest)
        inside = column < lengths[rows, None]
        where = requests.offsets[rows, None] + np.where(inside, column, 0)
        scored = inside & (column + 1 >= requests.first[rows, None])
        inputs = torch.from_numpy(requests.tokens[where].astype(np.int64)).to(device)
        targets = torch.from_numpy(requests.tokens[where[scored] + 1].astype(np.int64)).to(device)
        hidden = decoder(inputs).flatten(0, 1)[torch.from_numpy(np.flatnonzero(scored)).to(device)]
        nll = token_nll(hidden, head, targets, decoder.mm).cpu().numpy().astype(np.float64)
        np.subtract.at(sums, np.repeat(requests.owner[rows], scored.sum(1)), nll)
    return Scores(sums, requests.scored.copy())


def _batches(lengths: NDArray[np.int64], budget: int) -> list[NDArray[np.int64]]:
    """Rows by falling length, in batches of at most ``budget`` padded tokens (at least one row each)."""
    order = np.argsort(-lengths, kind="stable")
    batches, start = [], 0
    while start < len(order):
        stop = start + max(1, budget // max(1, int(lengths[order[start]])))
        batches.append(order[start:stop])
        start = stop
    return batches


def bits_per_byte(scores: Scores, requests: RequestSet, keep: NDArray[np.bool_] | None = None) -> float:
    """Sum of -log2 p over the bytes of the gold, conditional requests (of them those in ``keep``, (R,) bool).

    Bytes are of the scored text, so tokenizers compare. Raises ValueError when nothing is left.
    """
    chosen = requests.gold & ~requests.unconditional
    if keep is not None:
        chosen = chosen & keep
    if not chosen.any():
        raise ValueError("no gold requests to take bits per byte of")
    return float(-scores.logprob[chosen].sum() / (math.log(2) * requests.bytes[chosen].sum()))
